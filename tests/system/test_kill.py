"""Nothing is lost and nothing is doubled, whoever is killed and when: a load of declarations over HTTP, SIGKILL at seeded moments.

The client's book, the database and the partner's ledger are kept by three processes and must agree to the last declaration.
"""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.system.load import Filer, Reaper
from tests.system.town import Town, declarations, wait_for

LOAD = 1_000
STARTED = ("serve", "work", "sim")
KILLS_EACH = 5
SEED = 20261118
# Remarks decide what customs does; the last one means that every answer comes twice and out of order.
REMARKS = ("", "SIM:REJECT", "SIM:FAIL", "SIM:REJECT SIM:DOUBLE SIM:REORDER")
END = {
    "": {"declaration": "closed", "release": "released"},
    "SIM:REJECT": {"declaration": "rejected"},
    "SIM:FAIL": {"declaration": "error"},
    "SIM:REJECT SIM:DOUBLE SIM:REORDER": {"declaration": "rejected"},
}


@pytest.mark.timeout(300)
def test_no_kill_at_any_moment_loses_or_doubles_a_declaration(town: Town) -> None:
    for name in STARTED:
        town.start(name)
    town.wait_until_ready()
    filer = Filer(town, list(declarations(LOAD, remarks=REMARKS)))
    reaper = Reaper(town, filer, random.Random(SEED), started=STARTED, each=KILLS_EACH, serving=3)
    reaper.file_and_reap()
    reaper.reap_while_it_starts()
    town.wait_until_ready()
    assert all(reaper.killed[name] >= KILLS_EACH for name in STARTED), reaper.killed
    assert filer.repeats >= KILLS_EACH, "no kill of serve met a request"

    _everything_ends(town, filer)
    _accepted_once(town, filer)
    _affected_once(town, filer)
    _told_without_gaps(town)
    _the_same_key_still_answers_the_same(filer)


def test_who_serves_ends_with_the_process_that_started_it(town: Town) -> None:
    """Else it would answer on with old settings, and its successor would not get the port."""
    town.start("serve")
    town.wait_until_ready()
    town.kill("serve")
    town.start("serve")
    town.wait_until_ready()
    assert town.running["serve"].child.poll() is None


@pytest.mark.timeout(300)
def test_two_workers_on_one_sqlite_file_never_send_the_same_message(town: Town) -> None:
    ahead, beside = 300, 300
    town.start("serve")
    town.start("sim")
    town.wait_until_ready()
    documents = list(declarations(ahead + beside, remarks=("SIM:FAIL",)))
    queue = Filer(town, documents[:ahead])
    queue.file_all()
    town.start("work")
    town.start("work-2")
    seen: set[str] = set()
    rest = Filer(town, documents[ahead:])
    with ThreadPoolExecutor(1) as load:
        filing = load.submit(rest.file_all)
        while not filing.done() or town.count("SELECT COUNT(*) FROM work"):
            seen |= {row[0] for row in town.rows("SELECT DISTINCT worker FROM work WHERE worker <> ''")}
        filing.result()

    assert len(seen) == 2, "one of the workers never had anything to do"
    wait_for(lambda: len(town.ledger()["declarations"]) >= ahead + beside, 30, lambda: town.log("sim"))
    wait_for(lambda: not town.files("OutBox"), 10, lambda: f"still in OutBox: {town.files('OutBox')}")
    ledger = town.ledger()
    assert ledger["doubled"] == 0
    assert {entry["files"] for entry in ledger["declarations"].values()} == {1}
    names = {row[0] for row in town.rows("SELECT name FROM messages")}
    assert len(names) == ahead + beside
    assert set(town.files("SentBox") + town.files("FailBox")) == names
    assert town.rows("SELECT DISTINCT attempts FROM messages") == [(1,)]


def _everything_ends(town: Town, filer: Filer) -> None:
    """Every message delivered or refused by its partner, every declaration at the end that its remarks foretell."""

    def unfinished() -> list[tuple[Any, ...]]:
        return town.rows("SELECT status, COUNT(*) FROM messages WHERE status NOT IN ('delivered', 'parked') GROUP BY 1")

    def standings() -> dict[str, dict[str, str]]:
        return {root: json.loads(states) for root, states in town.rows("SELECT root_id, states FROM standings")}

    def astray() -> dict[str, tuple[str, Any]]:
        now = standings()
        return {
            body["id"]: (filer.filed[key].get("remarks", ""), now.get(body["id"]))
            for key, body in filer.book.items()
            if now.get(body["id"]) != _end_of(filer.filed[key])
        }

    wait_for(
        lambda: not unfinished() and not town.count("SELECT COUNT(*) FROM work"),
        120,
        lambda: f"{unfinished()} {town.rows('SELECT * FROM work LIMIT 5')} {town.log('work')}",
    )
    wait_for(lambda: not astray(), 120, lambda: f"{len(astray())} astray: {dict(list(astray().items())[:5])}", 0.5)
    statuses = dict(town.rows("SELECT root_id, status FROM messages"))
    refused = {body["id"] for key, body in filer.book.items() if filer.filed[key].get("remarks") == "SIM:FAIL"}
    assert {root for root, status in statuses.items() if status == "parked"} == refused
    assert {status for root, status in statuses.items() if root not in refused} == {"delivered"}


def _end_of(document: dict[str, Any]) -> dict[str, str]:
    remarks = document.get("remarks", "")
    return END[remarks if remarks in END else ""]


def _accepted_once(town: Town, filer: Filer) -> None:
    """The client's book and the database name the same declarations and messages, none more and none less."""
    assert len(filer.book) == LOAD
    assert {body["id"] for body in filer.book.values()} == {
        row[0] for row in town.rows("SELECT id FROM documents WHERE kind = 'declaration'")
    }
    promised = [message for body in filer.book.values() for message in body["message_ids"]]
    assert len(promised) == LOAD
    assert set(promised) == {row[0] for row in town.rows("SELECT id FROM messages")}
    references = {row[0] for row in town.rows("SELECT reference FROM documents WHERE kind = 'declaration'")}
    assert references == {document["functional_reference_id"] for document in filer.filed.values()}


def _affected_once(town: Town, filer: Filer) -> None:
    """The partner counts each message once, by its number, by its file, and in its folders."""
    ledger = town.ledger()
    assert ledger["doubled"] == 0, {name: row for name, row in ledger["declarations"].items() if row["files"] > 1}
    effects = ledger["declarations"]
    assert {(entry["effects"], entry["files"]) for entry in effects.values()} == {(1, 1)}
    names = {row[0] for row in town.rows("SELECT name FROM messages")}
    assert len(names) == LOAD
    assert {entry["name"] for entry in effects.values()} == names
    assert {f"{client}.xml" for client in effects} == names
    assert len({entry["seq_no"] for entry in effects.values()}) == LOAD
    assert town.files("OutBox") == []
    assert sorted(town.files("SentBox") + town.files("FailBox")) == sorted(names)


def _told_without_gaps(town: Town) -> None:
    """Positions count up from the first without a gap; each declaration was accepted once and each answer told once."""
    wait_for(lambda: not town.count("SELECT COUNT(*) FROM events WHERE position IS NULL"), 10, lambda: town.log("work"))
    count, least, most, distinct = town.rows(
        "SELECT COUNT(*), MIN(position), MAX(position), COUNT(DISTINCT position) FROM events"
    )[0]
    assert (most - least + 1, distinct) == (count, count)
    accepted = town.rows(
        "SELECT COUNT(*), COUNT(DISTINCT root_id) FROM events WHERE type = 'document:submission:accepted'"
    )
    assert accepted == [(LOAD, LOAD)]
    doubled = town.rows("SELECT agreement, reference FROM inbound GROUP BY 1, 2 HAVING COUNT(*) > 1")
    assert doubled == []


def _the_same_key_still_answers_the_same(filer: Filer) -> None:
    with filer.town.session() as session:
        for key in list(filer.book)[:: LOAD // 20]:
            assert filer.file(session, key, filer.filed[key])["id"] == filer.book[key]["id"]
