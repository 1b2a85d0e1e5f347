"""Receiving: every delivery has one effect, speaks of the right round, and is never thrown away."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest

from gateway.errors import Conflict, RuleBroken
from gateway.lifecycle import InboundStatus, Status
from gateway.ports import Incoming, MessageRow, Outgoing
from tests.pipeline.small_house import LANE, SECOND, House, Wire, unavailable


def test_a_receipt_delivers_and_a_late_one_after_silence_still_does(wired: House, wire: Wire) -> None:
    wire.breaks, wire.tells = (lambda outgoing: None), False
    accepted, message = wired.file_and_send()
    wired.clock.forward(3_700)
    for _ in range(3):
        wired.sweeper.run_once()
    assert wired.status(message.id) is Status.UNKNOWN
    told = wired.told(accepted.root_id)
    assert told.count("message:silence:overdue") == 1
    wired.answer(message, "received", receipt=True)
    assert wired.status(message.id) is Status.DELIVERED
    assert wire.has == {message.name: 1}


def test_an_overdue_receipt_of_a_message_that_is_there_is_silence_and_nothing_more(wired: House, wire: Wire) -> None:
    accepted, message = wired.file_and_send()
    wired.clock.forward(3_700)
    for _ in range(3):
        wired.sweeper.run_once()
    assert wired.status(message.id) is Status.SENT
    assert wired.told(accepted.root_id).count("message:silence:overdue") == 1


def test_a_lost_receipt_is_implied_by_an_answer_about_the_business(house: House) -> None:
    _, message = house.file_and_send()
    house.answer(message, "registered")
    assert house.status(message.id) is Status.DELIVERED


def test_the_same_delivery_twice_has_one_effect_and_is_confirmed(house: House) -> None:
    accepted, message = house.file_and_send()
    first = house.answer(message, "registered", reference="f1.xml", issued_us=5)
    again = house.answer(message, "registered", reference="f1.xml", issued_us=5)
    assert (again.doubled, again.status, again.inbound_id) == (True, InboundStatus.MATCHED, first.inbound_id)
    told = house.told(accepted.root_id)
    assert (told.count("partner:reply:received"), told.count("partner:reply:doubled")) == (1, 1)


def test_what_nobody_knows_of_a_delivery_is_told_on_the_timeline_by_its_place(house: House) -> None:
    accepted, message = house.file_and_send()
    answer = {"function": "registered", "names": [["tiny-name", message.name.removesuffix(".json")]]}
    house.answer_bytes(json.dumps({"answers": [answer], "x-new": "secret"}).encode())
    told = next(one for one in house.timeline(accepted.root_id) if str(one.type) == "partner:reply:partly-read")
    assert (told.data["count"], told.data["places"]) == (1, ["x-new"])
    assert "secret" not in str(told.data)
    assert house.standing(accepted.root_id).states["declaration"] == "registered"
    manifest = house.answer_bytes(b'{"manifest": "M1", "x-other": "1"}')
    assert "partner:reply:partly-read" in house.told(manifest.document_ids[0])


def test_the_same_answer_under_another_reference_has_one_effect(house: House) -> None:
    accepted, message = house.file_and_send()
    house.answer(message, "registered", reference="f1.xml", issued_us=5)
    house.answer(message, "registered", reference="f2.xml", issued_us=5)
    assert house.told(accepted.root_id).count("partner:reply:received") == 1


def test_the_same_reference_with_other_bytes_is_refused_and_the_first_stays(house: House) -> None:
    accepted, message = house.file_and_send()
    house.answer(message, "registered", reference="f1.xml")
    conflict = house.answer(message, "cancelled", reference="f1.xml")
    assert (conflict.conflicting, conflict.status) == (True, InboundStatus.REFUSED)
    assert house.standing(accepted.root_id).states["declaration"] == "registered"
    assert "partner:reply:conflicting" in house.told(accepted.root_id)


@pytest.mark.parametrize("order", [("released", "closed"), ("closed", "released")])
def test_answers_of_one_second_lead_to_the_same_standing_in_either_order(house: House, order: tuple[str, str]) -> None:
    accepted, message = house.file_and_send()
    for function in order:
        house.answer(message, function, issued_us=house.clock() // SECOND * SECOND)
    assert house.standing(accepted.root_id).states == {"declaration": "closed", "release": "released"}


def returned(house: House) -> tuple[str, MessageRow, MessageRow]:
    """A declaration that was returned and declared again: root id, message of the first and of the second round."""
    accepted, first = house.file_and_send()
    house.answer(first, "registered", issued_us=house.clock(), learned=[["entry", "E1"]])
    house.answer(first, "returned", issued_us=house.clock() + 1)
    house.clock.forward(60)
    again = house.file(root_id=accepted.root_id, container="C2")
    house.run()
    return accepted.root_id, first, house.message(again.message_ids[0])


def test_a_return_opens_a_new_round_that_carries_the_known_numbers(house: House) -> None:
    root_id, _, second = returned(house)
    standing = house.standing(root_id)
    assert (standing.round, standing.states) == (2, {"declaration": "filed"})
    assert "document:round:opened" in house.told(root_id)
    house.answer(second, "registered", names=[["entry", "E1"]], issued_us=house.clock())
    assert house.standing(root_id).states == {"declaration": "registered"}


def test_a_late_answer_of_an_old_round_does_not_move_the_new_one(house: House) -> None:
    root_id, first, _ = returned(house)
    house.answer(first, "accepted", names=[["entry", "E1"]], issued_us=house.clock() - 60 * SECOND)
    house.answer(first, "rejected", reference="by its own name")
    assert house.standing(root_id).states == {"declaration": "filed"}
    assert house.standing(root_id).round == 2


def test_an_answer_issued_before_the_return_is_old_even_when_the_partners_clock_is_fast(house: House) -> None:
    accepted, first = house.file_and_send()
    house.answer(first, "registered", issued_us=house.clock(), learned=[["entry", "E1"]])
    fast = house.clock() + 600 * SECOND
    house.answer(first, "returned", issued_us=fast)
    house.file(root_id=accepted.root_id)
    house.answer(first, "accepted", names=[["entry", "E1"]], issued_us=fast - SECOND)
    assert house.standing(accepted.root_id).states == {"declaration": "filed"}


def test_an_answer_in_the_second_of_the_return_is_old_while_nothing_new_was_sent_and_new_afterwards(
    house: House,
) -> None:
    accepted, first = house.file_and_send()
    second = house.clock() // SECOND * SECOND
    house.answer(first, "registered", issued_us=second, learned=[["entry", "E1"]])
    house.answer(first, "returned", issued_us=second)
    house.file(root_id=accepted.root_id)
    house.answer(first, "accepted", names=[["entry", "E1"]], issued_us=second)
    assert house.standing(accepted.root_id).states == {"declaration": "filed"}
    house.run()
    house.answer(first, "submitted", names=[["entry", "E1"]], issued_us=second)
    assert house.standing(accepted.root_id).states == {"declaration": "submitted"}


def test_a_declaration_refused_at_the_front_is_declared_again_and_the_old_message_retired(house: House) -> None:
    accepted, message = house.file_and_send()
    house.answer(message, "failed", receipt=False, code="1", text="no such office")
    parked = house.message(message.id)
    assert (parked.status, parked.reason) == (Status.PARKED, "refused: 1 no such office")
    house.file(root_id=accepted.root_id)
    assert house.status(message.id) is Status.EXPIRED
    assert house.standing(accepted.root_id).round == 2


def test_an_answer_that_comes_before_the_answer_that_explains_it_is_kept_and_applied_later(house: House) -> None:
    accepted, message = house.file_and_send()
    early = house.answer(message, "registered", names=[["seq", "S1"]], reference="early")
    assert early.status is InboundStatus.UNMATCHED
    house.answer(message, "received", receipt=True, learned=[["seq", "S1"]], reference="import response")
    assert house.standing(accepted.root_id).states["declaration"] == "registered"
    with house.view("acme") as view:
        assert view.received(message)[0].status is InboundStatus.MATCHED


def test_an_answer_kept_before_its_declaration_was_filed_is_applied_at_filing(house: House) -> None:
    names = [["container", "C9"]]
    assert (
        house.answer_bytes(json.dumps({"answers": [{"function": "information", "names": names}]}).encode()).status
        is InboundStatus.UNMATCHED
    )
    accepted = house.file(container="C9")
    assert "partner:reply:received" in house.told(accepted.root_id)


def test_an_id_of_two_declarations_decides_nothing_but_narrows_the_choice(house: House) -> None:
    first, message = house.file_and_send(container="C9", functional_reference_id="R1")
    second, _ = house.file_and_send(container="C9", functional_reference_id="R2")
    vague = house.answer(message, "registered", names=[["container", "C9"]], reference="vague")
    assert vague.status is InboundStatus.UNMATCHED
    house.answer(message, "registered", names=[["container", "C9"], ["ref", "R2"]], reference="clear")
    assert house.standing(first.root_id).states["declaration"] == "filed"
    assert house.standing(second.root_id).states["declaration"] == "registered"


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"no JSON", "syntax.not_well_formed"), (b"FORGED {}", "trust.refused"), (b"[]", "receive.unreadable")],
)
def test_what_cannot_be_trusted_or_read_is_kept_as_refused(house: House, data: bytes, code: str) -> None:
    received = house.answer_bytes(data, reference="odd")
    assert received.status is InboundStatus.REFUSED
    assert received.findings[0].code == code
    with house.store.read() as reading:
        kept = reading.inbound(received.inbound_id)
        assert kept is not None
        assert reading.payload(kept.digest) == data
    assert house.told(received.inbound_id) == ["partner:reply:refused"]


def test_a_file_that_could_not_be_opened_is_a_refused_delivery_which_gives_way_to_the_mended_one(house: House) -> None:
    _, message = house.file_and_send()
    lost = Incoming(LANE, "f1.xml", b"", house.clock(), {}, "it cannot be opened: Permission denied")
    received = house.receiver.receive(lost)
    assert (received.status, received.findings[0].code) == (InboundStatus.REFUSED, "receive.unreadable")
    assert received.findings[0].found == lost.unreadable
    assert house.receiver.receive(lost).doubled
    assert house.answer(message, "registered", reference="f1.xml").status is InboundStatus.MATCHED


def test_a_refused_delivery_can_be_read_again_once_it_is_trusted(house: House) -> None:
    accepted, message = house.file_and_send()
    verify = house.stamp.verify
    house.stamp.verify = lambda data, agreement: verify(b"FORGED", agreement)  # type: ignore[method-assign]
    received = house.answer(message, "registered", reference="f1")
    house.stamp.verify = verify  # type: ignore[method-assign]
    assert (
        house.operator.read_again(received.inbound_id, actor="ann", reason="trusted now").status
        is InboundStatus.MATCHED
    )
    assert house.standing(accepted.root_id).states["declaration"] == "registered"


def test_a_document_nobody_asked_for_is_stored_for_the_operator(house: House) -> None:
    received = house.answer_bytes(b'{"manifest": "M1"}', reference="m1")
    assert received.status is InboundStatus.STORED
    with house.view() as view:
        row = view.document(received.document_ids[0])
        assert (row.tenant, row.kind, view.json(row.digest)) == ("port", "manifest", {"manifest": "M1"})


def test_a_message_whose_prerequisite_is_missing_goes_again_after_a_while_or_at_once_when_it_appears(
    wired: House, wire: Wire
) -> None:
    accepted, message = wired.file_and_send()
    wired.answer(message, "waiting", prerequisite="manifest:M5")
    waiting = wired.message(message.id)
    assert (waiting.status, waiting.waiting_for) == (Status.SIGNED, "manifest:M5")
    assert wired.standing(accepted.root_id).states["declaration"] == "waiting"
    assert wired.run() == 0
    _, other = wired.file_and_send(manifest="M5")
    wired.answer(other, "registered")
    assert wired.sweeper.run_once().woken == 1
    wired.run()
    assert wire.has[message.name] == 2, "the partner asked for it, so that it has it is no reason to wait"
    assert len(wire.bytes_of[message.name]) == 1
    wired.answer(message, "waiting", prerequisite="manifest:M6", reference="again")
    wired.clock.forward(2)
    wired.run()
    assert wire.has[message.name] == 3
    assert wired.status(message.id) is Status.SENT


def test_a_wish_that_overtakes_our_own_note_of_sending_is_kept(wired: House, wire: Wire) -> None:
    def ask(outgoing: Outgoing) -> None:
        message = wired.message(outgoing.message_id)
        if message.attempts == 1:
            wired.answer(message, "waiting", prerequisite="manifest:M5")

    wire.on_send = ask
    _, message = wired.file_and_send()
    assert (message.status, message.waiting_for) == (Status.SIGNED, "manifest:M5")
    wired.clock.forward(2)
    wired.run()
    assert wire.has == {message.name: 2}


def test_a_receipt_that_overtakes_our_own_note_of_sending_is_not_undone(wired: House, wire: Wire) -> None:
    def confirm(outgoing: Outgoing) -> None:
        wired.answer(wired.message(outgoing.message_id), "received", receipt=True)

    wire.on_send = confirm
    _, message = wired.file_and_send()
    assert message.status is Status.DELIVERED


def test_an_answer_to_a_message_taken_for_lost_stops_its_second_sending(wired: House, wire: Wire) -> None:
    wire.breaks, wire.arrives_anyway = unavailable, True
    _, message = wired.file_and_send()
    assert message.status is Status.SIGNED
    wired.answer(message, "registered")
    wired.clock.forward(60)
    assert wired.run() == 0
    assert (wired.status(message.id), wire.has[message.name]) == (Status.DELIVERED, 1)


def test_a_persons_answer_moves_the_document_and_bears_the_name(house: House) -> None:
    accepted, message = house.file_and_send()
    house.operator.answer_by_hand(message.id, "released", actor="ann", reason="release shown on paper")
    assert house.standing(accepted.root_id).states["release"] == "released"
    by_hand = [e for e in house.timeline(message.id) if e.type == "operator:reply:entered"]
    assert [(event.actor, event.raw_text) for event in by_hand] == [("ann", "release shown on paper")]
    with pytest.raises(RuleBroken):
        house.operator.answer_by_hand(message.id, "celebrated", actor="ann", reason="x")
    with pytest.raises(RuleBroken):
        house.operator.answer_by_hand(message.id, "released", actor="ann", reason=" ")


def test_a_person_cannot_answer_what_was_never_sent_and_the_same_answer_counts_once(house: House) -> None:
    accepted = house.file()
    with pytest.raises(Conflict) as refused:
        house.operator.answer_by_hand(accepted.message_ids[0], "released", actor="ann", reason="by telephone")
    assert refused.value.code == "message.never_sent"
    assert house.standing(accepted.root_id).states == {"declaration": "filed"}
    house.run()
    first = house.operator.answer_by_hand(accepted.message_ids[0], "released", actor="ann", reason="by telephone")
    again = house.operator.answer_by_hand(accepted.message_ids[0], "released", actor="bob", reason="by telephone")
    assert again == first
    assert house.told(accepted.root_id).count("operator:reply:entered") == 2


def test_codes_and_texts_of_the_partner_stand_verbatim_in_the_timeline(house: House) -> None:
    _, message = house.file_and_send()
    house.answer(message, "registered", code="L", text="入库成功  ", reference="Receipt_1.xml")
    event = next(e for e in house.timeline(message.id) if e.type == "partner:reply:received")
    assert (event.raw_code, event.raw_text, event.data["reference"]) == ("L", "入库成功  ", "Receipt_1.xml")


def test_deliveries_of_many_threads_all_count(open_house: Callable[..., House]) -> None:
    house = open_house()
    accepted, message = house.file_and_send()
    functions = ["received", "submitted", "registered", "accepted", "released", "closed"] * 3
    threads = [
        threading.Thread(
            target=house.answer, args=(message, function), kwargs={"reference": f"r{place % 6}", "issued_us": 7}
        )
        for place, function in enumerate(functions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert house.standing(accepted.root_id).states == {"declaration": "closed", "release": "released"}
    assert house.told(accepted.root_id).count("partner:reply:received") == 6


def test_an_empty_reference_is_told_apart_by_content(house: House) -> None:
    accepted, _message = house.file_and_send()
    data = json.dumps({"answers": [{"function": "registered", "names": [["tiny-name", "T000001"]]}]}).encode()
    for _ in range(2):
        house.receiver.receive(Incoming(LANE, "", data, house.clock()))
    assert house.told(accepted.root_id).count("partner:reply:doubled") == 1
