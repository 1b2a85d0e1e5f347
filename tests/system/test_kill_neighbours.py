"""Signed HTTPS with answers that come later: whoever is killed and when, each office acts once on what has its 202.

Where an office can be asked or drops doubles, everything ends without help. Where it neither can be asked nor drops doubles, a message
may stay `unknown`, but only one that the office never saw: of one that it saw, its answers tell.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest

from tests.system.load import SERVING, WISHED, Filer, Reaper
from tests.system.neighbours import OFFICES, Neighbours, garments
from tests.system.town import wait_for

LOAD = WISHED or 60
STARTED = ("serve", "work", *OFFICES)
SEED = 20261122
MARKS = ("", "SIM-REJECT", "SIM-DOUBLE", "SIM-REORDER")
CLEARED = {"declaration": "accepted", "duty": "assessed", "release": "cleared"}
END = {"SIM-REJECT": {"declaration": "rejected"}}


@pytest.mark.timeout(300 + LOAD)
def test_no_kill_at_any_moment_makes_an_office_act_twice_or_not_at_all(neighbours: Neighbours) -> None:
    for name in STARTED:
        neighbours.start(name)
    neighbours.wait_until_ready()
    rows = [list(garments(office, LOAD // len(OFFICES), MARKS)) for office in OFFICES]
    filer = Filer(neighbours, [document for row in zip(*rows, strict=True) for document in row])
    often = LOAD // 300 + 1
    reaper = Reaper(neighbours, filer, random.Random(SEED), started=STARTED, each=often, serving=often)
    reaper.file_and_reap()
    assert set(reaper.killed) == {*STARTED, SERVING}

    _everything_ends(neighbours, filer)
    _each_office_acted_once(neighbours, filer)
    _nothing_stood_against_itself(neighbours)


def _everything_ends(town: Neighbours, filer: Filer) -> None:
    """Every message delivered, every declaration at the end that its mark foretells; but for what the silent office never saw."""
    lost: set[str] = set()

    def astray() -> dict[str, Any]:
        seen = town.effects("silent").effects
        statuses = {row[0]: row[1:] for row in town.rows("SELECT root_id, status, name, agreement FROM messages")}
        states = {root: json.loads(found) for root, found in town.rows("SELECT root_id, states FROM standings")}
        lost.clear()
        found: dict[str, Any] = {}
        for key, body in filer.book.items():
            status, name, agreement = statuses[body["id"]]
            if (status, agreement) == ("unknown", "silent") and name not in seen:
                lost.add(name)
            elif status != "delivered" or states.get(body["id"]) != _end_of(name):
                found[key] = (status, states.get(body["id"]))
        return found

    wait_for(
        lambda: not astray() and not town.count("SELECT COUNT(*) FROM work"),
        60 + LOAD // 3,
        lambda: f"{len(astray())} astray: {dict(list(astray().items())[:5])} {town.log('work')} {town.log('serve')}",
        0.5,
    )
    statuses = Counter(row[0] for row in town.rows("SELECT agreement FROM messages WHERE status = 'unknown'"))
    assert statuses == Counter({"silent": len(lost)} if lost else {})


def _end_of(reference: str) -> dict[str, str]:
    return next((end for mark, end in END.items() if reference.endswith(mark)), CLEARED)


def _each_office_acted_once(town: Neighbours, filer: Filer) -> None:
    """Client's book, database and the offices' books name the same declarations; what came twice did nothing the second time."""
    promised = {body["id"]: filer.filed[key]["functional_reference_id"] for key, body in filer.book.items()}
    assert dict(town.rows("SELECT root_id, name FROM messages")) == promised
    assert len(promised) == filer.count
    unknown = {row[0] for row in town.rows("SELECT name FROM messages WHERE status = 'unknown'")}
    acted: Counter[str] = Counter()
    for office in OFFICES:
        told = town.effects(office)
        acted.update(told.effects)
        assert told.conflicts == 0
        assert office == "tolerant" or told.doubles == 0, f"{office} got a second copy {told.doubles} times"
    assert acted == Counter(set(promised.values()) - unknown)


def _nothing_stood_against_itself(town: Neighbours) -> None:
    """No answer was taken for another one, none was lost on the way in, and each told once what it had to tell."""
    told = Counter(row[0] for row in town.rows("SELECT type FROM events"))
    assert not told["partner:reply:conflicting"], town.rows("SELECT * FROM inbound WHERE status = 'refused' LIMIT 3")
    assert not told["partner:reply:refused"]
    assert town.rows("SELECT status, COUNT(*) FROM inbound WHERE status <> 'matched' GROUP BY 1") == []
    changes = town.rows("SELECT root_id, data FROM events WHERE type = 'document:state:changed'")
    assert max(Counter(changes).values()) == 1
