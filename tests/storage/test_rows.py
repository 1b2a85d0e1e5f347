"""What is stored comes back as it was, and each named query finds what its name says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from gateway.errors import Conflict, IllegalMove, NotFound
from gateway.events import EventType
from gateway.lifecycle import InboundStatus, Mover, Phase, Status
from gateway.ports import Alias, IdempotencyRow, JudgementRow, Reading, Sighting, Store, Writing
from gateway.storage import SqlStore, queries_sightings
from tests.storage.support import HOUR_US, NOW_US, add_filed, document, event, inbound, message, standing


def test_the_store_is_what_the_pipeline_is_written_against(store: SqlStore) -> None:
    fulfilled: Store = store
    with fulfilled.read() as reading:
        named: Reading = reading
        assert named.counts() == {}


def test_what_is_not_there_is_none(store: SqlStore) -> None:
    asked: list[object]
    with store.read() as reading:
        asked = [reading.document("x"), reading.standing("x"), reading.message("x"), reading.inbound("x")]
        asked += [reading.inbound_by_reference("a", "x"), reading.idempotency("t", "k")]
    assert asked == [None] * 6


def test_rows_come_back_as_they_were_written(store: SqlStore) -> None:
    paper = document(reference="订单 17", phase=Phase.SUMMARY)
    amendment = document(root_id=paper.id, kind="amendment")
    sent = message(paper, receipt_due_us=NOW_US, reason="Ожидание", waiting_for="manifest")
    second = message(amendment)
    came = inbound(root_id=paper.id, message_id=sent.id, status=InboundStatus.MATCHED)
    told = JudgementRow(amendment.id, paper.id, sent.id, 1, "single", "accepted", "L", NOW_US)

    def unit(writing: Writing) -> None:
        writing.add_document(paper)
        writing.add_document(amendment)
        writing.add_message(sent)
        writing.add_message(second)
        writing.put_standing(standing(paper, mover=Mover.CUSTOMS))
        writing.add_inbound(came, [])
        writing.add_judgement(told)

    store.write(unit)
    with store.read() as reading:
        assert reading.document(paper.id) == paper
        assert sorted(row.id for row in reading.documents_of(paper.id)) == sorted([paper.id, amendment.id])
        assert reading.message(sent.id) == sent
        assert sorted(row.id for row in reading.messages_of(paper.id)) == sorted([sent.id, second.id])
        assert reading.standing(paper.id) == standing(paper, mover="customs")
        assert reading.inbound(came.id) == came
        assert reading.inbound_of(paper.id) == [came]
        assert reading.inbound_by_reference("customs", came.reference) == came
        assert reading.judgements_of(paper.id) == [told]
        assert reading.waiting_messages("", 10) == [sent]
        assert reading.waiting_messages(sent.id, 10) == []


def test_a_standing_takes_the_place_of_the_one_before(store: SqlStore) -> None:
    filed = store.write(add_filed)
    paper = document(id=filed.root_id)
    states = {"duty": "paid", "release": "released"}
    store.write(lambda writing: writing.put_standing(standing(paper, states=states, final=True, silence_due_us=None)))
    with store.read() as reading:
        now = reading.standing(filed.root_id)
        assert now is not None
        assert (now.states, now.final, now.silence_due_us) == (states, True, None)
        assert [found.message.id for found in reading.search(tenant=None, state="paid")] == [filed.id]
        assert reading.search(tenant=None, state="filed") == []


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ({"declaration": "accepted", "duty": "paid"}, {"accepted", "paid"}),
        ({"declaration": "accepted", "duty": "due", "release": "released"}, {"accepted", "due", "released"}),
        ({"declaration": "accepted"}, {"accepted"}),
        ({"duty": "paid"}, {"paid"}),
    ],
    ids=["one track moves", "one track begins", "one track ends", "one moves and one ends"],
)
def test_a_standing_is_found_by_the_states_it_has_now_alone(
    store: SqlStore, after: dict[str, str], found: set[str]
) -> None:
    filed = store.write(add_filed)
    before = standing(document(id=filed.root_id), states={"declaration": "accepted", "duty": "due"})
    store.write(lambda writing: writing.put_standing(before))
    store.write(lambda writing: writing.put_standing(replace(before, states=after), before))
    with store.read() as reading:
        every = ("filed", "accepted", "due", "paid", "released")
        assert {state for state in every if reading.search(tenant=None, state=state)} == found


def test_silence_is_found_when_it_is_due_longest_first(store: SqlStore) -> None:
    papers = [document(), document(), document()]

    def unit(writing: Writing) -> None:
        for paper, due_us in zip(papers, (NOW_US, NOW_US - HOUR_US, NOW_US + 1), strict=True):
            writing.add_document(paper)
            writing.put_standing(standing(paper, alarm_us=due_us))

    store.write(unit)
    with store.read() as reading:
        found = [row.root_id for row in reading.silent_standings(NOW_US, 10)]
        assert found == [papers[1].id, papers[0].id]
        assert [row.root_id for row in reading.silent_standings(NOW_US, 1)] == found[:1]


def test_open_standings_come_by_id_page_by_page_and_what_is_over_does_not(store: SqlStore) -> None:
    papers = sorted((document() for _ in range(4)), key=lambda paper: paper.id)

    def unit(writing: Writing) -> None:
        for paper in papers:
            writing.add_document(paper)
            writing.put_standing(standing(paper, final=paper is papers[1]))

    store.write(unit)
    with store.read() as reading:
        first = reading.open_standings("", 2)
        assert [row.root_id for row in first] == [papers[0].id, papers[2].id]
        assert [row.root_id for row in reading.open_standings(first[-1].root_id, 2)] == [papers[3].id]


def test_advance_moves_along_the_table_and_sets_columns(store: SqlStore) -> None:
    filed = store.write(add_filed)
    moved = store.write(lambda w: w.advance(filed, "signed", now_us=NOW_US + 1, frozen_digest="sha256:1", attempts=1))
    assert moved == replace(filed, status=Status.SIGNED, frozen_digest="sha256:1", attempts=1, updated_us=NOW_US + 1)
    with store.read() as reading:
        assert reading.message(filed.id) == moved


def test_advance_refuses_what_the_table_does_not_know_and_what_is_not_there(store: SqlStore) -> None:
    filed = store.write(add_filed)
    with pytest.raises(IllegalMove):
        store.write(lambda writing: writing.advance(filed, "receipted", now_us=NOW_US))
    with pytest.raises(NotFound):
        store.write(lambda writing: writing.advance(replace(filed, id="nobody"), "signed", now_us=NOW_US))
    with pytest.raises(TypeError):
        store.write(lambda writing: writing.advance(filed, "signed", now_us=NOW_US, stauts="sent"))
    with store.read() as reading:
        assert reading.message(filed.id) == filed


def test_advance_takes_several_steps_at_once(store: SqlStore) -> None:
    filed = store.write(add_filed)
    moved = store.write(lambda writing: writing.advance(filed, "signed", "started", now_us=NOW_US + 1, attempts=1))
    assert (moved.status, moved.attempts) == (Status.SENDING, 1)
    with store.read() as reading:
        assert reading.message(filed.id) == moved


def test_advance_sees_that_somebody_moved_the_message_since_it_was_read(store: SqlStore) -> None:
    filed = store.write(add_filed)
    moved = store.write(lambda writing: writing.advance(filed, "signed", now_us=NOW_US + 1))
    with pytest.raises(IllegalMove):
        store.write(lambda writing: writing.advance(filed, "signed", now_us=NOW_US + 2))
    with store.read() as reading:
        assert reading.message(filed.id) == moved


def test_an_update_never_touches_the_status(store: SqlStore) -> None:
    filed = store.write(add_filed)
    store.write(lambda writing: writing.update_message(filed.id, NOW_US + 1, reason="typed\x00wrong"))
    with pytest.raises(TypeError):
        store.write(lambda writing: writing.update_message(filed.id, NOW_US, status=Status.SENT))
    with pytest.raises(NotFound):
        store.write(lambda writing: writing.update_message("nobody", NOW_US, reason="x"))
    with store.read() as reading:
        assert reading.message(filed.id) == replace(filed, reason="typed\ufffdwrong", updated_us=NOW_US + 1)


def test_messages_are_found_by_status_and_by_overdue_receipt(store: SqlStore) -> None:
    due = store.write(lambda writing: add_filed(writing, status=Status.SENT, receipt_due_us=NOW_US))
    store.write(lambda writing: add_filed(writing, status=Status.SENT, receipt_due_us=NOW_US + 1))
    store.write(lambda writing: add_filed(writing, status=Status.DELIVERED, receipt_due_us=NOW_US))
    other = store.write(lambda writing: add_filed(writing, agreement="rail"))
    with store.read() as reading:
        assert reading.overdue_receipts(NOW_US, 10) == [due]
        assert reading.ids_in(Status.ACCEPTED, "rail", "", 10) == [other.id]
        assert reading.ids_in(Status.ACCEPTED, "rail", other.id, 10) == []
        assert reading.ids_in(Status.ACCEPTED, "customs", "", 10) == []
        assert reading.counts() == {"accepted": 1, "sent": 2, "delivered": 1}


def test_one_reference_of_an_agreement_is_stored_once_and_an_empty_one_often(store: SqlStore) -> None:
    first = inbound(reference="receipt-1.xml")
    store.write(lambda writing: writing.add_inbound(first, []))
    with pytest.raises(Conflict):
        store.write(lambda writing: writing.add_inbound(inbound(reference="receipt-1.xml"), []))
    store.write(lambda writing: writing.add_inbound(inbound(reference="receipt-1.xml", agreement="rail"), []))
    for _ in range(2):
        store.write(lambda writing: writing.add_inbound(inbound(reference=""), []))
    with store.read() as reading:
        assert reading.inbound_by_reference("customs", "receipt-1.xml") == first
        assert reading.inbound_by_reference("customs", "") is None


def test_a_later_message_finds_what_came_before_it_by_any_id(store: SqlStore) -> None:
    early = inbound()
    names = [Alias("seq-no", "I000001"), Alias("plate", "蒙A12345")]
    store.write(lambda writing: writing.add_inbound(early, names))
    store.write(lambda writing: writing.add_inbound(inbound(agreement="rail"), names))
    wanted: list[Alias]
    with store.read() as reading:
        wanted = [Alias("container", "I000001"), Alias("plate", "蒙a12345"), Alias("seq-no", "I000001")]
        assert reading.unmatched_inbound("customs", wanted, 10) == [early]
        assert reading.unmatched_inbound("customs", wanted[:1], 10) == []
        assert reading.unmatched_inbound("customs", [], 10) == []
        many = [Alias("container", f"C{number}") for number in range(70)]
        assert reading.unmatched_inbound("customs", many + wanted, 10) == [early]
        assert reading.unmatched_inbound("customs", wanted + many, 10) == [early]
        assert reading.unmatched_inbound("customs", many, 10) == []
        assert reading.matchable_inbound() == []
    store.write(lambda w: w.update_inbound(early.id, status=InboundStatus.MATCHED, root_id="r", message_id="m"))
    with store.read() as reading:
        assert reading.unmatched_inbound("customs", wanted, 10) == []
        assert reading.inbound(early.id) == replace(early, status=InboundStatus.MATCHED, root_id="r", message_id="m")
    with pytest.raises(NotFound):
        store.write(lambda writing: writing.update_inbound("nobody", reason="x"))


def test_kept_deliveries_whose_message_is_known_by_now_come_newest_first_page_by_page(store: SqlStore) -> None:
    paper = document()
    bearer, names = message(paper), [Alias("seq-no", "I000001"), Alias("plate", "蒙A12345")]
    rows = sorted((inbound(reference=f"r{number}") for number in range(3)), key=lambda row: row.id)
    strange = inbound(reference="strange"), [Alias("seq-no", "I000002")]
    elsewhere = inbound(agreement="rail"), names

    def unit(writing: Writing) -> None:
        for row, named in [*((row, names) for row in rows), strange, elsewhere]:
            writing.add_inbound(row, named)
        writing.add_document(paper)
        writing.add_message(bearer)
        writing.add_aliases(paper.id, "", "rail", paper.tenant, names)
        writing.add_aliases(paper.id, bearer.id, "customs", paper.tenant, names)
        writing.update_inbound(rows[0].id, status=InboundStatus.MATCHED)

    store.write(unit)
    with store.read() as reading:
        assert reading.matchable_inbound(limit=1) == [rows[2]]
        assert reading.matchable_inbound(before_id=rows[2].id) == [rows[1]]


def test_an_idempotency_key_is_taken_once_and_forgotten_when_old(store: SqlStore) -> None:
    row = IdempotencyRow("grain-trade", "k-1", "sha256:1", 202, b"{}\x00\xff", NOW_US)
    store.write(lambda writing: writing.put_idempotency(row))
    with pytest.raises(Conflict):
        store.write(lambda writing: writing.put_idempotency(row))
    with store.read() as reading:
        assert reading.idempotency("grain-trade", "k-1") == row
        assert reading.idempotency("other", "k-1") is None
    assert store.write(lambda writing: writing.forget_idempotency(NOW_US)) == 0
    assert store.write(lambda writing: writing.forget_idempotency(NOW_US + 1)) == 1


def test_the_timeline_stands_in_the_order_it_was_written_and_goes_on_from_a_cursor(store: SqlStore) -> None:
    root = document().id
    types = [EventType.DOCUMENT_ACCEPTED, EventType.MESSAGE_SIGNED, EventType.REPLY_RECEIVED]
    written = [
        event(root, type=type_, data={"файл": "a.xml", "n": 1}, raw_code="L", raw_text="海关\x00入库")
        for type_ in types
    ]

    def unit(writing: Writing) -> None:
        for one in written:
            writing.append_event(one)
        writing.append_event(event("another root"))

    store.write(unit)
    with store.read() as reading:
        assert reading.events_of(root) == [replace(one, raw_text="海关\ufffd入库") for one in written]
        assert [one.id for one in reading.events_of(root, after_id=written[0].id, limit=1)] == [written[1].id]
        assert reading.events_of(root, after_id=written[2].id) == []


def _tell(row: Sighting, writing: Writing) -> None:
    writing.add_sighting(row)


def test_sightings_are_read_from_a_number_on_and_only_the_last_are_kept(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries_sightings, "MOST_ROWS", 3)
    told = [Sighting("p1", "wrong api", NOW_US + number, {"192.0.2.1": number}) for number in range(5)]
    for row in told[:2]:
        store.write(partial(_tell, row))
    with store.read() as reading:
        first, number = reading.sightings(0)
    assert first == told[:2]
    for row in told[2:]:
        store.write(partial(_tell, row))
    with store.read() as reading:
        assert reading.sightings(number)[0] == told[2:]
        assert reading.sightings(0)[0] == told[2:]
        last = reading.sightings(0)[1]
        assert reading.sightings(last) == ([], last)
    assert store.write(lambda writing: writing.forget_sightings(NOW_US + 3)) == 1
    with store.read() as reading:
        assert reading.sightings(0)[0] == told[3:]


def test_no_sighting_is_missed_however_many_processes_tell_at_once(
    store: SqlStore, new_store: Callable[[], SqlStore]
) -> None:
    def tell(one: SqlStore) -> None:
        for number in range(40):
            one.write(partial(_tell, Sighting("p", "wrong api", NOW_US, {str(number): 1})))

    threads = [threading.Thread(target=tell, args=(one,)) for one in (store, new_store())]
    for thread in threads:
        thread.start()
    heard: list[Sighting] = []
    number, last_look = 0, False
    while not last_look:
        last_look = not any(thread.is_alive() for thread in threads)
        with store.read() as reading:
            more, number = reading.sightings(number)
        heard += more
    assert len(heard) == 80
