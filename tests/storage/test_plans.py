"""No named query walks through a whole table that grows with the traffic."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.storage import (
    queries_aliases,
    queries_counters,
    queries_documents,
    queries_inbound,
    queries_messages,
    queries_overview,
    queries_search,
    queries_timeline,
    queries_uploads,
    queries_watch,
    queries_webhooks,
    queries_work,
)
from gateway.storage.payloads import PayloadFolder
from gateway.storage.session import Session, Statement

MODULES = (
    queries_aliases,
    queries_counters,
    queries_documents,
    queries_inbound,
    queries_messages,
    queries_timeline,
    queries_uploads,
    queries_webhooks,
    queries_watch,
    queries_work,
)
GROWING = (
    "aliases|documents|events|idempotency|inbound|inbound_aliases|judgements|messages|payloads|standings|uploads"
    "|webhook_deliveries|work"
)
STATEMENTS = {
    name: found
    for module in MODULES
    for name, found in vars(module).items()
    if isinstance(found, Statement) and "INSERT" not in found.compiled("sqlite")[0]
} | {
    "unmatched that name one id": queries_inbound._unmatched(1),
    "unmatched that name one of many ids": queries_inbound._unmatched(32),
    "find roots of a tenant": queries_aliases._find_roots(of_tenant=True),
    "overdue": queries_overview._overdue(of_tenant=False),
    "hours of a tenant": queries_overview._hours(of_tenant=True),
    "open states": queries_overview._open_states(of_tenant=False),
    "search by value": queries_search._search(frozenset({"tenant", "folded", "status", "before_id"})),
    "search of a tenant": queries_search._search(frozenset({"tenant", "before_id", "state"})),
    "search by status": queries_search._search(frozenset({"status", "kind"})),
}


@pytest.fixture(scope="module")
def tables(sqlite_template: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(sqlite_template)) as connection:
        yield connection


def plan(tables: sqlite3.Connection, statement: Statement) -> list[str]:
    text, _ = statement.compiled("sqlite")
    values = dict.fromkeys(re.findall(r":(\w+)", text), 0)
    return [row[3] for row in tables.execute("EXPLAIN QUERY PLAN " + text, values)]


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_query_goes_by_an_index(tables: sqlite3.Connection, name: str) -> None:
    steps = plan(tables, STATEMENTS[name])
    assert [step for step in steps if re.fullmatch(rf"SCAN ({GROWING})", step)] == []


def test_a_search_by_value_starts_from_the_few_roots_it_names(tables: sqlite3.Connection) -> None:
    assert "ix_messages_root_id_id (root_id=?" in plan(tables, STATEMENTS["search by value"])[0]


def test_overdue_receipts_are_read_from_those_that_wait_for_one(tables: sqlite3.Connection) -> None:
    assert "ix_messages_receipt_due_us" in plan(tables, queries_messages.OVERDUE_RECEIPTS)[0]


def test_alarms_and_open_standings_are_read_from_those_alone(tables: sqlite3.Connection) -> None:
    assert "ix_standings_alarm_us" in plan(tables, queries_documents.SILENT_STANDINGS)[0]
    assert "ix_standings_open" in plan(tables, queries_documents.OPEN_STANDINGS)[0]


def test_kept_answers_that_fit_by_now_are_read_from_what_was_ever_kept(tables: sqlite3.Connection) -> None:
    first, *inner = plan(tables, queries_inbound.MATCHABLE_INBOUND)
    assert first == "SEARCH inbound USING PRIMARY KEY (id=?)"
    assert any(step.startswith("SEARCH inbound_aliases") for step in inner)


def test_due_work_is_found_by_its_time_and_claimed_in_the_order_of_its_lane(tables: sqlite3.Connection) -> None:
    for counting in (queries_work.COUNT_DUE, queries_work.COUNT_NOT_DUE):
        assert [step for step in plan(tables, counting) if "ix_work_lane_due_us" in step]
    assert [
        step for step in plan(tables, queries_work.DUE_LANES) if "ix_work_lane_due_us (lane=? AND due_us<?)" in step
    ]
    many, few = plan(tables, queries_work.CLAIM_OF_MANY), plan(tables, queries_work.CLAIM_OF_FEW)
    assert [step for step in many if "work USING INDEX ix_work_order (lane=?)" in step]
    assert [step for step in many if "TEMP B-TREE" in step] == []
    assert [step for step in few if "work USING INDEX ix_work_lane_due_us (lane=? AND due_us<?)" in step]
    assert [step for step in few if "ix_work_order" in step] == []


def test_what_stands_before_a_message_is_read_from_its_key_alone(tables: sqlite3.Connection) -> None:
    steps = plan(tables, queries_messages.STUCK_BEFORE)
    assert "ix_work_message_id (message_id=?)" in steps[0]
    assert "ix_work_lane_key_serial (lane=? AND key=?)" in steps[1]
    assert "SEARCH messages USING PRIMARY KEY (id=?)" in steps[2]


def test_a_long_queue_of_which_nothing_is_due_costs_next_to_nothing(sqlite_template: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(shutil.copy(sqlite_template, tmp_path / "work.db"), isolation_level=None)) as file:
        row = (
            "INSERT INTO work (message_id, lane, key, priority, due_us, worker, attempts) VALUES (?, ?, ?, 0, ?, '', 0)"
        )
        file.execute("BEGIN")
        file.executemany(row, ((f"m{number}", f"lane-{number % 4}", "", 10) for number in range(20_000)))
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        file.set_progress_handler(count, 100)
        session = Session(file.cursor(), "sqlite", PayloadFolder(tmp_path, 1000))
        assert queries_work.due_lanes(session, 9) == []
        assert queries_work.claim(session, "lane-1", "one", 64, 9, 30) == []
        assert steps < 10
        assert sorted(queries_work.due_lanes(session, 10)) == [f"lane-{number}" for number in range(4)]
        assert steps < 10
        queries_work.lanes(session)
        assert steps > 1_000


@pytest.mark.parametrize(("due", "most_steps"), [(3, 150), (queries_work.FEW + 10, 400)])
def test_what_is_due_is_claimed_in_order_without_walking_what_is_not(
    sqlite_template: Path, tmp_path: Path, due: int, most_steps: int
) -> None:
    with closing(sqlite3.connect(shutil.copy(sqlite_template, tmp_path / "work.db"), isolation_level=None)) as file:
        row = "INSERT INTO work (message_id, lane, key, priority, due_us, worker, attempts) VALUES (?, 'a', ?, ?, ?, '', 0)"
        file.execute("BEGIN")
        # What came first waits; what is due came last, in descending order of time and ascending of priority.
        waits = range(20_000 if due < queries_work.FEW else 0)
        file.executemany(row, ((f"w{number}", f"w{number}", 0, 10_000) for number in waits))
        file.executemany(row, ((f"d{number}", f"d{number}", number % 10, 9_000 - number) for number in range(due)))
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        file.set_progress_handler(count, 100)
        session = Session(file.cursor(), "sqlite", PayloadFolder(tmp_path, 1000))
        claims = queries_work.claim(session, "a", "one", 64, 9_000, 30)
        assert steps < most_steps
        wanted = sorted(range(due), key=lambda number: (-(number % 10), number))[:64]
        assert [claim.message_id for claim in claims] == [f"d{number}" for number in wanted]
