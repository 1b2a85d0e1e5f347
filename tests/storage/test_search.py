"""Finding a message by what people hold, and never one of another tenant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.lifecycle import Status
from gateway.ports import Alias, MessageRow, Reading, Writing
from gateway.storage import SqlStore
from tests.storage.support import add_filed, document, inbound, message, standing


def file_with(store: SqlStore, *aliases: tuple[str, str], **changes: object) -> MessageRow:
    def unit(writing: Writing) -> MessageRow:
        row = add_filed(writing, **changes)
        names = [Alias(scheme, value) for scheme, value in aliases]
        writing.add_aliases(row.root_id, row.id, row.agreement, row.tenant, names)
        return row

    return store.write(unit)


def ids(reading: Reading, **asked: object) -> list[str]:
    return [found.message.id for found in reading.search(**{"tenant": None} | asked)]  # type: ignore[arg-type]


def test_the_latest_value_of_a_scheme_is_the_one_in_force(store: SqlStore) -> None:
    row = file_with(store, ("entry", "A1"), ("entry", "A2"), ("plate", "蒙A12345"))
    with store.read() as reading:
        assert reading.aliases_of(row.root_id) == {row.agreement: {"entry": "A2", "plate": "蒙A12345"}}
    again = [Alias("entry", "A1")]
    store.write(lambda w: w.add_aliases(row.root_id, row.id, row.agreement, row.tenant, again))
    with store.read() as reading:
        assert reading.aliases_of(row.root_id)[row.agreement]["entry"] == "A1"


def test_every_value_of_a_scheme_is_kept_the_latest_first(store: SqlStore) -> None:
    row = file_with(store, ("container", "MSKU9070323"), ("plate", "蒙A12345"))
    more = [Alias("container", "CSQU3054383"), Alias("container", "MSKU9070323")]
    store.write(lambda w: w.add_aliases(row.root_id, row.id, row.agreement, row.tenant, more))
    with store.read() as reading:
        told = reading.every_alias_of(row.root_id)
    assert set(told) == {"container", "plate"}
    assert sorted(told["container"]) == ["CSQU3054383", "MSKU9070323"]
    assert told["plate"] == ["蒙A12345"]


def test_messages_of_one_agreement_are_found_by_an_alias_newest_first(store: SqlStore) -> None:
    first = file_with(store, ("entry", "E1"), id="01a")
    second = file_with(store, ("entry", "e1"), id="01b")
    file_with(store, ("entry", "E1"), agreement="rail")
    file_with(store, ("contract", "E1"))
    with store.read() as reading:
        assert reading.find_messages("customs", Alias("entry", "E1")) == [second, first]


@pytest.mark.parametrize("value", ["MSKU1234565", "msku1234565", "Msku1234565"])
def test_a_root_is_found_by_any_alias_in_any_case(store: SqlStore, value: str) -> None:
    row = file_with(store, ("container", "MSKU1234565"))
    file_with(store, ("container", "MSKU9999999"))
    with store.read() as reading:
        assert reading.find_roots(None, value, 10) == [row.root_id]
        assert ids(reading, value=value) == [row.id]
        assert reading.find_roots(None, value[:-1], 10) == []


def test_a_root_is_found_by_our_own_ids_too(store: SqlStore) -> None:
    row = file_with(store)
    came = inbound(root_id=row.root_id)
    store.write(lambda writing: writing.add_inbound(came, []))
    with store.read() as reading:
        for id_ in (row.root_id, row.id, row.id.upper(), came.id):
            assert reading.find_roots(row.tenant, id_, 10) == [row.root_id]
            assert reading.find_roots("another", id_, 10) == []
        assert ids(reading, value=row.id) == [row.id]


def test_of_many_roots_of_one_value_those_that_nobody_needs_to_wait_for_are_told(store: SqlStore) -> None:
    filed = [file_with(store, ("manifest", "M77"), tenant="mine") for _ in range(3)]
    given_to_us = document(kind="manifest", tenant="mine")

    def unit(writing: Writing) -> None:
        for row, state in zip(filed, ("registered", "returned", "filed"), strict=True):
            before = writing.standing(row.root_id)
            assert before is not None
            writing.put_standing(replace(before, states={"declaration": state, "duty": "due"}))
        writing.add_document(given_to_us)
        writing.add_aliases(given_to_us.id, "", "customs", "mine", [Alias("manifest", "m77")])

    store.write(unit)
    with store.read() as reading:
        assert set(reading.settled_roots("mine", "M77", 10)) == {filed[0].root_id, given_to_us.id}
        assert len(reading.settled_roots("mine", "M77", 1)) == 1
        assert reading.settled_roots("another", "M77", 10) == []


def test_roots_are_told_newest_first_and_no_more_than_asked(store: SqlStore) -> None:
    roots = sorted(file_with(store, ("contract", "C-7")).root_id for _ in range(3))
    with store.read() as reading:
        assert reading.find_roots(None, "c-7", 2) == [roots[2], roots[1]]


def test_a_tenant_never_sees_what_is_anothers(store: SqlStore) -> None:
    mine = file_with(store, ("container", "MSKU1234565"), tenant="mine")
    file_with(store, ("container", "MSKU1234565"), tenant="theirs")
    with store.read() as reading:
        assert ids(reading, tenant="mine") == [mine.id]
        assert ids(reading, tenant="mine", value="MSKU1234565") == [mine.id]
        assert reading.find_roots("mine", "MSKU1234565", 10) == [mine.root_id]
        assert len(reading.find_roots(None, "MSKU1234565", 10)) == 2
        assert ids(reading, tenant="") == []
        assert ids(reading, tenant="nobody", value="MSKU1234565") == []


def test_every_condition_narrows_the_search(store: SqlStore) -> None:
    def unit(writing: Writing) -> MessageRow:
        paper = document(kind="manifest", reference="order 18")
        row = message(paper, agreement="rail", status=Status.PARKED)
        writing.add_document(paper)
        writing.put_standing(standing(paper, states={"declaration": "accepted", "duty": "paid"}))
        writing.add_message(row)
        return row

    wanted = store.write(unit)
    other = store.write(add_filed)
    with store.read() as reading:
        assert set(ids(reading)) == {wanted.id, other.id}
        for asked in ({"status": "parked"}, {"state": "paid"}, {"agreement": "rail"}, {"kind": "manifest"}):
            assert ids(reading, **asked) == [wanted.id]
        assert ids(reading, status="parked", state="filed") == []
        (found,) = reading.search(tenant=None, kind="manifest")
    assert (found.message, found.kind, found.reference) == (wanted, "manifest", "order 18")
    assert found.standing is not None
    assert found.standing.states == {"declaration": "accepted", "duty": "paid"}


def test_a_message_without_a_standing_is_found_as_well(store: SqlStore) -> None:
    def unit(writing: Writing) -> None:
        paper = document()
        writing.add_document(paper)
        writing.add_message(message(paper))

    store.write(unit)
    with store.read() as reading:
        assert [found.standing for found in reading.search(tenant=None)] == [None]


def test_pages_follow_each_other_without_a_gap_or_a_double(store: SqlStore) -> None:
    written = sorted((store.write(add_filed).id for _ in range(7)), reverse=True)
    seen: list[str] = []
    with store.read() as reading:
        while page := ids(reading, before_id=seen[-1] if seen else "", limit=3):
            seen += page
    assert seen == written
