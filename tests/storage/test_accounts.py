"""Accounts, sessions and the audit, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.ports import AccountRow, AuditRow, SessionRow, Store, TriesRow

ANNA = AccountRow("anna", "viewer", "filer", "hash", "zh", "", True, False, 1, 1)


def act(number: int, **more: Any) -> AuditRow:
    told = {
        "actor": "anna",
        "address": "10.0.0.1",
        "act": "opened",
        "target": "x",
        "reason": "",
        "before": "",
        "after": "",
    }
    return AuditRow(0, number, **{**told, **more})


def put(store: Store, name: str, row: Any) -> None:
    store.write(lambda writing: getattr(writing, name)(row))


def test_an_account_is_kept_as_it_was_last_put(store: Store) -> None:
    store.write(lambda writing: writing.put_account(ANNA))
    later = replace(ANNA, role="administrator", tenant="", must_change=False, disabled=True, changed_us=2)
    store.write(lambda writing: writing.put_account(later))
    with store.read() as reading:
        assert reading.account("anna") == later
        assert reading.accounts() == [later]
        assert reading.account("bert") is None


def test_all_sessions_of_one_account_end_and_those_of_others_stay(store: Store) -> None:
    rows = [SessionRow("a1", "anna", 1, 1), SessionRow("a2", "anna", 1, 1), SessionRow("b1", "bert", 5, 9)]
    for row in rows:
        put(store, "put_session", row)
    assert store.write(lambda writing: writing.end_sessions("anna")) == 2
    with store.read() as reading:
        assert reading.session("a1") is None
        assert reading.session("b1") == rows[2]
    assert store.write(lambda writing: writing.forget_sessions(opened_before_us=6, seen_before_us=0)) == 1


def test_wrong_tries_are_forgotten_by_name_and_by_age(store: Store) -> None:
    for row in (TriesRow("x", 3, 10), TriesRow("y", 1, 20), TriesRow("z", 1, 30)):
        put(store, "put_tries", row)
    assert store.write(lambda writing: writing.forget_tries(digest="z", before_us=15)) == 2
    with store.read() as reading:
        assert reading.tries("y") == TriesRow("y", 1, 20)
        assert reading.tries("x") is None


def test_the_audit_is_read_newest_first_filtered_and_page_by_page(store: Store) -> None:
    for number in range(1, 6):
        row = act(number, actor="anna" if number % 2 else "bert")
        put(store, "add_audit", row)
    with store.read() as reading:
        assert [row.at_us for row in reading.audit(limit=2)] == [5, 4]
        first, second = reading.audit(actor="anna", limit=2)
        assert (first.at_us, second.at_us) == (5, 3)
        assert [row.at_us for row in reading.audit(actor="anna", before_number=second.number)] == [1]
        assert reading.audit(target="nothing") == []
        assert reading.acted_from("anna", "opened", "10.0.0.1", 5)
        assert not reading.acted_from("anna", "opened", "10.0.0.1", 6)
        assert not reading.acted_from("anna", "opened", "10.0.0.2", 0)


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"])
def test_nobody_changes_or_removes_what_the_audit_says(store: Any, statement: str) -> None:
    store.write(lambda writing: writing.add_audit(act(1)))
    with pytest.raises(Exception, match="the audit is only added to"), store._database.engine.connect() as connection:
        connection.exec_driver_sql(statement)
    with store.read() as reading:
        assert [row.actor for row in reading.audit()] == ["anna"]
