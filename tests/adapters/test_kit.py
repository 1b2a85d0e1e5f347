"""The test kit itself: the frozen clock, partners files, and partners that misbehave on purpose."""

import threading
import time
import urllib.request
from pathlib import Path

import pytest

from gateway import agreements
from gateway.errors import NeedsOperator
from gateway.testing.clock import START_US, FrozenClock
from gateway.testing.directory import PartnersFile
from gateway.testing.partners import (
    Answers,
    HttpAnswer,
    HttpPartner,
    Mischief,
    Partner,
    waiting_files,
    write_whole,
)


def test_a_frozen_clock_moves_only_when_told() -> None:
    clock = FrozenClock()
    assert clock() == clock() == START_US
    clock.advance(1.5)
    assert clock() == START_US + 1_500_000
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_a_partners_file_is_read_by_the_loader_of_operators(tmp_path: Path) -> None:
    file = (
        PartnersFile()
        .add_tenant("acme", key="acme-secret")
        .add_agreement(
            "to-xx", partner="xx", adapter="xx_notice", documents=["declaration"], transport={"kind": "folder"}
        )
    )
    directory = agreements.load(file.write(tmp_path / "partners.yaml"))
    found = directory.tenant_of_key("acme-secret")
    assert found is not None
    assert found[0].id == "acme"
    assert [one.id for one in directory.agreements_for(agreements.Facts("declaration", "acme"))] == ["to-xx"]
    assert "acme-secret" not in (tmp_path / "partners.yaml").read_text()


def test_a_partners_file_can_be_wrong_on_purpose() -> None:
    with pytest.raises(NeedsOperator):
        PartnersFile(environment="moon").directory()


def drained(answers: Answers) -> list[tuple[str, bytes]]:
    return list(answers.due())


def test_without_mischief_answers_come_once_in_order() -> None:
    answers = Answers(clock=lambda: 0.0)
    for number in range(5):
        answers.post(f"{number}.xml", b"%d" % number)
    assert [name for name, _ in drained(answers)] == [f"{number}.xml" for number in range(5)]


def test_answers_wait_for_their_time() -> None:
    now = [0.0]
    answers = Answers(clock=lambda: now[0])
    answers.post("late.xml", b"", after_s=5)
    assert drained(answers) == []
    now[0] = 5.0
    assert len(drained(answers)) == 1


def test_mischief_doubles_loses_and_spoils() -> None:
    def run(mischief: Mischief) -> list[tuple[str, bytes]]:
        answers = Answers(mischief, clock=lambda: 0.0)
        for number in range(100):
            answers.post(f"{number}.xml", b"good")
        return drained(answers)

    assert len(run(Mischief(double=1))) == 200
    assert run(Mischief(lose=1)) == []
    assert 20 < len(run(Mischief(lose=0.5))) < 80
    assert all(data != b"good" for _, data in run(Mischief(garbage=1)))
    assert run(Mischief(lose=0.5, seed=7)) == run(Mischief(lose=0.5, seed=7))


def test_a_file_is_seen_whole_or_not_at_all(tmp_path: Path) -> None:
    write_whole(tmp_path / "in", "a.xml", b"a")
    (tmp_path / "in/.b.xml.part").write_bytes(b"half")
    assert [path.name for path in waiting_files(tmp_path / "in", ".xml")] == ["a.xml"]
    assert waiting_files(tmp_path / "nowhere") == []


def test_a_partner_turns_until_it_is_stopped() -> None:
    turned = threading.Event()

    class Turning(Partner):
        def turn(self) -> None:
            turned.set()

    with Turning(pause_s=0.001) as partner:
        assert turned.wait(5)
    assert partner.stop.is_set()


def test_an_http_partner_answers_and_hangs() -> None:
    seen: list[tuple[str, str, bytes]] = []

    def answer(method: str, path: str, headers: object, body: bytes) -> HttpAnswer:
        seen.append((method, path, body))
        return HttpAnswer(202, b"taken", {"x-id": "7"}, hang_s=0.05)

    with HttpPartner(answer) as partner:
        started = time.monotonic()
        with urllib.request.urlopen(f"{partner.url}/in", data=b"<x/>", timeout=5) as response:
            assert (response.status, response.read(), response.headers["x-id"]) == (202, b"taken", "7")
    assert time.monotonic() - started >= 0.05
    assert seen == [("POST", "/in", b"<x/>")]
