"""Nothing is lost and nothing is doubled, whoever is killed and when: a load of declarations over HTTP, SIGKILL at seeded moments.

Rule 1: only the client repeats, with the same key, until it has its 202. After that nobody helps.
Rule 2: the client's book, the database and the partner's ledger are kept by three processes and must agree to the last declaration.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import requests

from tests.system.town import FILER, Town, declarations, wait_for

LOAD = 1_000
SENDERS = 6
STARTED = ("serve", "work", "sim")
KILLS_EACH = 5
AHEAD = 60
SEED = 20261118
# Remarks decide what customs does; the last one means that every answer comes twice and out of order.
REMARKS = ("", "SIM:REJECT", "SIM:FAIL", "SIM:REJECT SIM:DOUBLE SIM:REORDER")
END = {
    "": {"declaration": "closed", "release": "released"},
    "SIM:REJECT": {"declaration": "rejected"},
    "SIM:FAIL": {"declaration": "error"},
    "SIM:REJECT SIM:DOUBLE SIM:REORDER": {"declaration": "rejected"},
}


class Filer:
    """An ERP: files every declaration, each under a key of its own, and repeats until it has its 202."""

    def __init__(self, town: Town, documents: Iterable[dict[str, Any]]) -> None:
        self.town = town
        self.waiting: Iterator[dict[str, Any]] = iter(documents)
        self.book: dict[str, dict[str, Any]] = {}  # Idempotency-Key -> the body of its 202
        self.filed: dict[str, dict[str, Any]] = {}  # Idempotency-Key -> the document
        self.repeats = 0
        self.horizon = LOAD  # so many are filed, then it waits for whoever moves this
        self._gate = threading.Lock()

    def has_filed(self, count: int) -> bool:
        return len(self.book) >= count

    def _may_go_on(self) -> bool:
        return len(self.book) < self.horizon or self.horizon >= LOAD

    def file_all(self) -> None:
        with ThreadPoolExecutor(SENDERS) as senders:
            for sender in [senders.submit(self._file_some) for _ in range(SENDERS)]:
                sender.result()

    def _file_some(self) -> None:
        with requests.Session() as session:
            session.headers.update({"X-API-Key": FILER, "Content-Type": "application/json"})
            while True:
                wait_for(self._may_go_on, 90, lambda: "nobody moved the horizon", 0.005)
                with self._gate:
                    document = next(self.waiting, None)
                if document is None:
                    return
                key = f"order-{document['functional_reference_id']}"
                body = self.file(session, key, document)
                with self._gate:
                    self.book[key], self.filed[key] = body, document

    def file(self, session: requests.Session, key: str, document: dict[str, Any]) -> dict[str, Any]:
        """The body of the 202, however often it takes to get it."""
        data = json.dumps(document, ensure_ascii=False).encode()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                answer = session.post(
                    f"{self.town.url}/v1/declarations", data=data, headers={"Idempotency-Key": key}, timeout=15
                )
            except requests.RequestException:
                self.repeats += 1
                time.sleep(0.1)
                continue
            if answer.status_code == 202:
                accepted: dict[str, Any] = answer.json()
                return accepted
            assert answer.status_code == 503, f"{key}: {answer.status_code} {answer.text[:500]}"
            time.sleep(0.1)
        raise AssertionError(f"{key} had no 202 within a minute: {self.town.log('serve')}")


class Reaper:
    """Kills at random moments and starts again. moments: (so many accepted, whom), in rising order; killed: whom how often."""

    def __init__(self, town: Town, filer: Filer, dice: random.Random) -> None:
        self.town, self.filer, self.dice = town, filer, dice
        names = [*STARTED * KILLS_EACH, *["one that serves"] * 3]
        dice.shuffle(names)
        self.moments = list(zip(sorted(dice.sample(range(20, LOAD - 20), len(names))), names, strict=True))
        self.killed: dict[str, int] = dict.fromkeys(names, 0)

    def reap_during_load(self) -> None:
        """The load never runs far ahead of the next kill, so that every kill hits a gateway at work."""
        for accepted, name in self.moments:
            self.filer.horizon = accepted + AHEAD
            wait_for(partial(self.filer.has_filed, accepted), 60, lambda: "the load stands", 0.002)
            time.sleep(self.dice.uniform(0, 0.15))
            self.strike(name)
        self.filer.horizon = LOAD

    def reap_while_it_starts(self) -> None:
        """Each once more, soon after its start and whatever it does then."""
        for name in STARTED:
            self.strike(name)
            time.sleep(self.dice.uniform(0.05, 1.5))
            self.strike(name)

    def strike(self, name: str) -> None:
        self.killed[name] += 1
        if name not in STARTED:
            self.town.kill_one_serving(self.dice)
            return
        self.town.kill(name)
        time.sleep(self.dice.uniform(0, 0.2))
        self.town.start(name)


@pytest.mark.timeout(300)
def test_no_kill_at_any_moment_loses_or_doubles_a_declaration(town: Town) -> None:
    for name in STARTED:
        town.start(name)
    town.wait_until_ready()
    filer = Filer(town, list(declarations(LOAD, remarks=REMARKS)))
    reaper = Reaper(town, filer, random.Random(SEED))
    filer.horizon = 0
    with ThreadPoolExecutor(1) as beside:
        reaping = beside.submit(reaper.reap_during_load)
        reaping.add_done_callback(lambda _: setattr(filer, "horizon", LOAD))
        filer.file_all()
        reaping.result()
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
    with requests.Session() as session:
        session.headers.update({"X-API-Key": FILER, "Content-Type": "application/json"})
        for key in list(filer.book)[:: LOAD // 20]:
            assert filer.file(session, key, filer.filed[key])["id"] == filer.book[key]["id"]
