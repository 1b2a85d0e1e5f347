"""Metrics: counted over all processes of one home, told to neighbours and to who has the token, described in one page."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.settings import PROJECT_ROOT
from gateway.watch import metrics
from tests.system.neighbours import Neighbours, garments
from tests.system.town import wait_for

TOKEN = "token-of-prometheus-4711"


def test_the_page_of_metrics_is_the_table() -> None:
    page = PROJECT_ROOT / "docs" / "metrics.md"
    assert page.read_text(encoding="utf-8") == metrics.document(), "python -m gateway.watch.metrics > docs/metrics.md"


def test_names_follow_the_conventions_of_prometheus() -> None:
    names = [metric.name for metric in metrics.METRICS]
    assert len(set(names)) == len(names)
    for metric in metrics.METRICS:
        assert re.fullmatch("swgate_[a-z_]+", metric.name)
        assert (metric.kind == "counter") == metric.name.endswith("_total")
        assert bool(metric.buckets) == (metric.kind == "histogram")


def counting(home: Path, body: str) -> str:
    """What a process of its own prints that counts below home."""
    begin = f"from pathlib import Path\nfrom gateway.watch import metrics\nmetrics.begin(Path({str(home)!r}))\n"
    done = subprocess.run([sys.executable, "-c", begin + body], capture_output=True, text=True, check=True)
    return done.stdout


def test_counts_of_several_processes_are_told_as_their_sum(tmp_path: Path) -> None:
    body = (
        "import subprocess, sys\n"
        "metrics.FILINGS.count('accepted', '')\n"
        "if len(sys.argv) == 1:\n"
        "    subprocess.run([sys.executable, '-c', CODE, 'inner'], check=True)\n"
        "    print(metrics.page([]).decode())\n"
    )
    inner = (
        f"from pathlib import Path\nfrom gateway.watch import metrics\nmetrics.begin(Path({str(tmp_path)!r}))\n"
        "metrics.FILINGS.count('accepted', '')\nmetrics.FILINGS.count('refused', 'route.none')\n"
    )
    told = counting(tmp_path, f"CODE = {inner!r}\n{body}")
    assert 'swgate_filings_total{code="",outcome="accepted"} 2.0' in told
    assert 'swgate_filings_total{code="route.none",outcome="refused"} 1.0' in told


def test_files_of_processes_that_have_all_ended_are_dropped(tmp_path: Path) -> None:
    counting(tmp_path, "metrics.FILINGS.count('accepted', '')")
    left = set((tmp_path / "metrics").iterdir())
    assert left
    told = counting(tmp_path, "print(metrics.page([]).decode())")
    assert "accepted" not in told
    assert not left & set((tmp_path / "metrics").iterdir())


def test_before_it_begins_nothing_is_counted_and_the_client_is_not_imported() -> None:
    code = (
        "import sys\nfrom gateway.watch import metrics\nmetrics.FILINGS.count('accepted', '')\n"
        "metrics.COMMIT_SECONDS.observe(1.0)\nprint('prometheus_client' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    """A neighbour has answered one declaration; another was refused."""
    town = Neighbours(Path(tmp_path_factory.mktemp("metrics")))
    town.environment["SWGATE_METRICS_TOKEN_SHA256"] = hashlib.sha256(TOKEN.encode()).hexdigest()
    try:
        town.run("migrate")
        for name in ("serve", "work", "asked"):
            town.start(name)
        town.wait_until_ready()
        (document,) = garments("asked", 1, [""])
        with town.session() as session:
            key = {"X-API-Key": town.key_of(document)}
            address = f"{town.url}/v1/declarations"
            assert session.post(address, json=document, headers=key).status_code == 202
            refused = session.post(address, json={**document, "type_code": "no such type"}, headers=key)
            assert refused.status_code == 422
            session.get(f"{town.url}/somewhere/else?q=4711")
        wait_for(lambda: town.count("SELECT COUNT(*) FROM judgements") > 0, 40, lambda: town.log("work"))
        yield town
    finally:
        town.stop()


def told(town: Neighbours) -> dict[tuple[str, tuple[str, ...]], float]:
    """Sample name and label values, in the order of the labels' names -> value."""
    with town.session() as session:
        answer = session.get(f"{town.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        text = answer.text
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_serving_and_working_processes_are_told_together(town: Neighbours) -> None:
    wait_for(lambda: ("swgate_attempts_total", ("asked", "handed_over")) in told(town), 10, lambda: str(told(town)))
    found = told(town)
    assert found["swgate_requests_total", ("POST", "/v1/declarations", "202")] == 1
    assert found["swgate_requests_total", ("GET", "none", "404")] == 1
    assert found["swgate_filings_total", ("", "accepted")] == 1
    assert sum(value for (name, labels), value in found.items() if name == "swgate_filings_total" and labels[0]) == 1
    assert found["swgate_attempts_total", ("asked", "handed_over")] == 1
    assert found["swgate_deliveries_total", ("asked", "matched")] >= 1
    assert any(name == "swgate_answers_total" for name, _ in found)
    assert found["swgate_commit_seconds_count", ()] > 0
    assert found["swgate_commit_units_count", ()] == found["swgate_commit_seconds_count", ()]
    assert found["swgate_request_seconds_count", ("/v1/declarations",)] == 2


def test_what_the_database_knows_is_told_as_it_is_now(town: Neighbours) -> None:
    found = told(town)
    assert found["swgate_messages", ("delivered",)] + found.get(("swgate_messages", ("sent",)), 0) == 1
    assert found["swgate_breaker_open", ("asked",)] == 0
    assert found["swgate_deliveries_unmatched", ()] == 0
    assert found["swgate_standings_overdue", ()] == 0
    assert ("swgate_events_unsequenced", ()) in found
    assert 0 < found["swgate_certificate_days", ("gateway/keys/rsa.pem",)] < 10_000
    assert any(name == "swgate_build_info" for name, _ in found)


def test_every_metric_that_is_told_is_in_the_table(town: Neighbours) -> None:
    known = {metric.name for metric in metrics.METRICS}
    endings = re.compile("_(bucket|sum|count|created)$")
    assert {endings.sub("", name) for name, _ in told(town)} <= known


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}"])
def test_without_the_token_nothing_is_told(town: Neighbours, token: str) -> None:
    with town.session() as session:
        answer = session.get(f"{town.url}/metrics", headers={"Authorization": token} if token else {})
    assert answer.status_code == 401
    assert "swgate_" not in answer.text
