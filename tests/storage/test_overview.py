"""What the overview counts: what is overdue, hour by hour, and what is not over, each seen by its tenant alone."""

from __future__ import annotations

from gateway import ids
from gateway.ports import Writing
from gateway.storage import SqlStore
from tests.storage.support import HOUR_US, document, standing

NOW_US = 500_000 * HOUR_US


def put(store: SqlStore, tenant: str, due_us: int | None, *, final: bool = False, state: str = "submitted") -> str:
    of = document(tenant=tenant)
    row = standing(of, states={"declaration": state}, silence_due_us=due_us, alarm_us=due_us, final=final)

    def unit(writing: Writing) -> str:
        writing.add_document(of)
        writing.put_standing(row)
        return of.id

    return store.write(unit)


def test_what_is_overdue_comes_oldest_first_and_only_to_its_tenant(store: SqlStore) -> None:
    later, sooner = put(store, "a", NOW_US - 5), put(store, "a", NOW_US - 9)
    others = put(store, "b", NOW_US - 7)
    put(store, "a", NOW_US + 5)
    put(store, "a", None)
    with store.read() as reading:
        assert [row.root_id for row in reading.overdue("a", NOW_US, 9)] == [sooner, later]
        assert [row.root_id for row in reading.overdue(None, NOW_US, 2)] == [sooner, others]


def test_open_states_count_what_is_not_over(store: SqlStore) -> None:
    for state in ("submitted", "submitted", "returned"):
        put(store, "a", None, state=state)
    put(store, "a", None, final=True, state="closed")
    put(store, "b", None, state="returned")
    with store.read() as reading:
        assert reading.open_states("a") == {"submitted": 2, "returned": 1}
        assert reading.open_states(None) == {"submitted": 2, "returned": 2}


def test_no_id_of_an_instant_sorts_before_its_first() -> None:
    first = ids.first_id(NOW_US)
    assert ids.new_id(NOW_US - 1000) < first <= ids.new_id(NOW_US)
    assert first == ids.first_id(NOW_US)[:10] + "0" * 16


def test_what_came_in_is_counted_by_hour_and_kind(store: SqlStore) -> None:
    made = [(NOW_US, "declaration"), (NOW_US + 1, "declaration"), (NOW_US + HOUR_US, "customs_response")]
    made.append((NOW_US - 2_000, "declaration"))
    for at, kind in made:
        row = document(id=ids.new_id(at), kind=kind, tenant="a", created_us=at)
        store.write(lambda writing, row=row: writing.add_document(row))  # type: ignore[misc]
    with store.read() as reading:
        told = sorted(reading.hours("a", ids.first_id(NOW_US)))
        assert told == [(500_000, "declaration", 2), (500_001, "customs_response", 1)]
        assert reading.hours("b", ids.first_id(NOW_US)) == []
