"""swgate submit into a database of its own, through the whole of check, route, translate and store."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.testing.directory import PartnersFile
from tests.cli.conftest import ADAPTER, Swgate

# Connexion imports Starlette's test client, which prefers a successor of httpx; nothing here uses it.
pytestmark = pytest.mark.filterwarnings("ignore:Using .httpx. with")


@pytest.fixture
def routed(swgate: Swgate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Swgate:
    """swgate with an agreement that sends declarations to the new adapter's partner."""
    file = PartnersFile().add_agreement(
        "with-xx",
        partner="xx",
        adapter=ADAPTER,
        documents=["declaration"],
        transport={"kind": "folder", "root": str(tmp_path / "exchange"), "create": True, "settle_s": 0.05},
    )
    monkeypatch.setenv("SWGATE_PARTNERS", str(file.write(tmp_path / "partners.yaml")))
    return swgate


def test_a_document_that_is_filed_can_be_found(routed: Swgate, samples: Path) -> None:
    outcome = routed("submit", samples / "notice.json")
    assert outcome.code == 0, outcome.err
    told = json.loads(outcome.out)
    rows = json.loads(routed("messages", "list", "REF-2026-000001", "--json").out)
    assert [(row["id"], row["tenant"]) for row in rows] == [(told["message_ids"][0], "operator")]
    assert "<Reference>REF-2026-000001</Reference>" in routed("messages", "content", told["message_ids"][0]).out


def test_a_dry_run_shows_the_translation_and_stores_nothing(routed: Swgate, samples: Path) -> None:
    outcome = routed("submit", samples / "notice.json", "--dry-run")
    assert outcome.code == 0, outcome.err
    assert "<Notice>" in json.loads(outcome.out)["messages"][0]["content"]
    assert json.loads(routed("messages", "list", "--json").out) == []


def test_a_refused_document_shows_every_finding(routed: Swgate, samples: Path, tmp_path: Path) -> None:
    document = json.loads((samples / "notice.json").read_text())["document"]
    document["direction"] = "upwards"
    document["goods_shipment"]["government_agency_goods_items"][1]["sequence_number"] = ""
    (tmp_path / "bad.json").write_text(json.dumps(document))
    outcome = routed("submit", tmp_path / "bad.json")
    assert outcome.code == 1
    assert "/direction" in outcome.err
    assert "/goods_shipment/government_agency_goods_items/1/sequence_number" in outcome.err


def test_the_same_key_files_once(routed: Swgate, samples: Path) -> None:
    first = routed("submit", samples / "notice.json", "--idempotency-key", "k1")
    second = routed("submit", samples / "notice.json", "--idempotency-key", "k1")
    assert json.loads(first.out) == json.loads(second.out)
    assert len(json.loads(routed("messages", "list", "--json").out)) == 1


def test_a_message_is_parked_and_redriven_with_a_reason(routed: Swgate, samples: Path) -> None:
    message = json.loads(routed("submit", samples / "notice.json").out)["message_ids"][0]
    assert routed("messages", "park", message).code == 3
    assert routed("messages", "park", message, "--why", "the partner asked us to wait").code == 0
    assert json.loads(routed("messages", "list", "--status", "parked", "--json").out)[0]["id"] == message
    assert routed("messages", "redrive", message, "--why", "they are ready").code == 0
    assert "they are ready" in routed("messages", "timeline", message).out


def test_the_acts_of_a_person_are_told_with_their_reason(routed: Swgate, samples: Path) -> None:
    message = json.loads(routed("submit", samples / "notice.json").out)["message_ids"][0]
    refused = routed("messages", "stop-waiting", message, "--why", "customs said so")
    assert refused.code == 1
    assert "message.not_waiting" in refused.err
    too_early = routed("messages", "answer", message, "released", "--why", "shown on paper")
    assert (too_early.code, "message.never_sent" in too_early.err) == (1, True)
    assert routed("messages", "expire", message, "--why", "filed on paper").code == 0
    told = {row["type"]: row["text"] for row in json.loads(routed("messages", "timeline", message, "--json").out)}
    assert "operator:reply:entered" not in told
    assert told["message:lane:expired"] == "Why: filed on paper."
    again = routed("messages", "redrive", message, "--why", "try")
    assert again.code == 1
    assert "swgate messages timeline" in again.err


def test_what_the_partner_said_by_telephone_is_entered_for_a_message_that_was_sent(
    routed: Swgate, samples: Path
) -> None:
    from gateway import app, settings
    from gateway.ports import Writing

    message_id = json.loads(routed("submit", samples / "notice.json").out)["message_ids"][0]

    def as_a_worker_begins(writing: Writing) -> None:
        message = writing.message(message_id)
        assert message is not None
        writing.advance(message, "signed", "started", now_us=message.created_us + 1, attempts=1)

    parts = app.build(settings.load())
    parts.store.write(as_a_worker_begins)
    parts.store.close()
    assert routed("messages", "answer", message_id, "released", "--why", "shown on paper").code == 0
    told = {row["type"]: row["text"] for row in json.loads(routed("messages", "timeline", message_id, "--json").out)}
    assert told["operator:reply:entered"] == "It means: released."


def test_a_lane_is_paused_by_a_person_and_says_so(routed: Swgate, samples: Path) -> None:
    routed("submit", samples / "notice.json")
    assert routed("lanes", "pause", "with-xx", "--why", "their servers move tonight").code == 0
    [lane] = json.loads(routed("lanes", "list", "--json").out)
    assert (lane["agreement"], lane["paused"], lane["waiting"]) == ("with-xx", True, 1)
    assert routed("lanes", "resume", "with-xx", "--why", "done").code == 0
    assert json.loads(routed("lanes", "list", "--json").out)[0]["paused"] is False
    assert "Why: their servers move tonight." in routed("lanes", "timeline", "with-xx").out
    assert routed("lanes", "pause", "nobody", "--why", "x").code == 1


def test_the_timeline_of_a_declaration_is_found_by_its_own_id(routed: Swgate, samples: Path) -> None:
    filed = json.loads(routed("submit", samples / "notice.json").out)
    by_declaration = routed("messages", "timeline", filed["declaration_id"]).out
    assert by_declaration == routed("messages", "timeline", filed["message_ids"][0]).out
    assert "Declaration REF-2026-000001, round 1, filed in one step." in by_declaration
    assert "+08:00" in by_declaration
    chinese = routed("--lang", "zh", "messages", "timeline", filed["declaration_id"]).out
    assert "报关单 REF-2026-000001，第 1 轮，一次申报。" in chinese


def test_what_nobody_could_place_is_listed_and_read_again(routed: Swgate, tmp_path: Path) -> None:
    from gateway import app, settings
    from gateway.ports import Incoming

    parts = app.build(settings.load())
    received = parts.receiver.receive(Incoming("with-xx", "odd.xml", b"<odd", 1_772_352_000_000_000))
    parts.store.close()
    [row] = json.loads(routed("messages", "deliveries", "--json").out)
    assert (row["id"], row["status"], row["reference"]) == (received.inbound_id, "refused", "odd.xml")
    assert routed("messages", "read-again", received.inbound_id, "--why", "adapter mended").code == 1
    assert "Why: adapter mended." in routed("messages", "timeline", received.inbound_id).out
    assert routed("messages", "read-again", "0" * 26, "--why", "x").code == 1


def test_agreements_that_do_not_fit_are_told_before_anything_is_done(
    swgate: Swgate, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = PartnersFile().add_agreement(
        "with-xx", partner="xx", adapter=ADAPTER, documents=["declaration"], transport={"kind": "pigeon"}
    )
    monkeypatch.setenv("SWGATE_PARTNERS", str(file.write(tmp_path / "partners.yaml")))
    outcome = swgate("submit", samples / "notice.json")
    assert outcome.code == 1
    assert "pigeon" in outcome.err


def test_the_whole_way_from_submit_to_the_partners_answer(routed: Swgate, samples: Path, tmp_path: Path) -> None:
    filed = json.loads(routed("submit", samples / "notice.json").out)
    swgate = [sys.executable, "-m", "gateway.cli"]
    running = [
        subprocess.Popen([*swgate, "work"]),
        subprocess.Popen([*swgate, "sim", ADAPTER, "--root", str(tmp_path / "exchange"), "--double", "1"]),
    ]
    try:
        states: dict[str, str] = {}
        end = time.monotonic() + 60
        while states.get("declaration") != "accepted" and time.monotonic() < end:
            time.sleep(0.2)
            shown = json.loads(routed("messages", "show", filed["message_ids"][0], "--json").out)
            states = shown["states"]
        assert (states["declaration"], shown["status"]) == ("accepted", "delivered")
    finally:
        for process in running:
            process.terminate()
    assert [process.wait(30) for process in running] == [0, 0]
