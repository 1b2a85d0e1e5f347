"""What people see and do: silence, timelines, search, tenant isolation, and the acts of an operator."""

from __future__ import annotations

import pytest

from gateway.errors import Conflict, NotFound
from gateway.lifecycle import Status
from tests.pipeline.small_house import LANE, House, Wire, silent


def test_silence_of_a_document_is_told_when_it_is_due_and_seldom_afterwards(house: House) -> None:
    accepted, message = house.file_and_send()
    house.answer(message, "submitted")
    for _ in range(4):
        house.clock.forward(1_000)
        house.sweeper.run_once()
    told = house.told(accepted.root_id)
    assert told.count("document:silence:overdue") == 1
    timeline = house.lookup.timeline(message.id, "acme")
    assert (timeline.mover, timeline.overdue) == ("customs", True)
    assert 3_990 <= timeline.silent_s <= 4_010


def test_a_request_that_nobody_answers_is_silence_too(house: House) -> None:
    accepted, _ = house.file_and_send()
    house.file("declaration_amendment", accepted.root_id)
    house.clock.forward(3_700)
    house.sweeper.run_once()
    silent_ones = [
        e for e in house.lookup.timeline(accepted.root_id, None).events if e.type == "document:silence:overdue"
    ]
    assert len({event.document_id for event in silent_ones}) == 2


def test_another_tenant_finds_nothing(house: House) -> None:
    accepted, message = house.file_and_send(container="C1")
    received = house.answer(message, "registered")
    look = house.lookup
    assert look.search("other", value="C1") == []
    assert look.find_declarations("C1", "other") == []
    for ask in (
        lambda: look.message(message.id, "other"),
        lambda: look.timeline(message.id, "other"),
        lambda: look.timeline(accepted.root_id, "other"),
        lambda: look.declaration(accepted.root_id, "other"),
        lambda: look.canonical_content(message.id, "other"),
        lambda: look.partner_content(message.id, "other"),
        lambda: look.document(accepted.document_id, "other"),
        lambda: look.inbound_content(received.inbound_id, "other"),
    ):
        with pytest.raises(NotFound):
            ask()
    assert look.inbound_content(received.inbound_id, "acme").data


def test_a_declaration_shows_everything_that_belongs_to_it(house: House) -> None:
    accepted, message = house.file_and_send(container="C1")
    house.answer(message, "registered", learned=[["entry", "E1"]])
    amendment = house.file("declaration_amendment", accepted.root_id)
    dossier = house.lookup.declaration(amendment.document_id, "acme")
    assert [row.kind for row in dossier.documents] == ["declaration", "customs_response", "declaration_amendment"]
    assert dossier.aliases["entry"] == "E1"
    assert dossier.requests[amendment.document_id].states == {"request": "filed"}
    assert len(dossier.messages) == 2


def test_a_person_redrives_an_unknown_message_and_the_partner_is_asked_before_it_goes(wired: House, wire: Wire) -> None:
    wire.breaks, wire.tells, wire.arrives_anyway = silent, False, True
    _, message = wired.file_and_send()
    wire.breaks, wire.tells = (lambda outgoing: None), True
    wired.operator.redrive(message.id, actor="ann", reason="the partner's help desk says no")
    wired.run()
    assert (wired.status(message.id), wire.has[message.name]) == (Status.SENT, 1)


def test_a_refused_message_that_is_redriven_goes_out_again(wired: House, wire: Wire) -> None:
    _, message = wired.file_and_send()
    wired.answer(message, "failed", receipt=False)
    wired.operator.redrive(message.id, actor="ann", reason="the partner mended its list")
    wired.run()
    assert (wired.status(message.id), wire.has[message.name]) == (Status.SENT, 2)


def test_a_parked_message_stays_until_somebody_acts_and_an_expired_one_for_good(wired: House) -> None:
    accepted = wired.file()
    message_id = accepted.message_ids[0]
    wired.operator.park(message_id, actor="ann", reason="look at it first")
    assert wired.run() == 0
    wired.operator.expire(message_id, actor="ann", reason="filed on paper")
    assert wired.status(message_id) is Status.EXPIRED
    for act in (wired.operator.redrive, wired.operator.park, wired.operator.expire, wired.operator.stop_waiting):
        with pytest.raises(Conflict):
            act(message_id, actor="ann", reason="again")


def test_a_paused_lane_sends_nothing_and_goes_on_when_resumed(wired: House) -> None:
    accepted = wired.file()
    wired.operator.pause_lane(LANE, actor="ann", reason="the partner asked us to")
    assert wired.run() == 0
    wired.operator.resume_lane(LANE, actor="ann", reason="done")
    wired.run()
    assert wired.status(accepted.message_ids[0]) is Status.SENT


def test_idempotency_keys_are_forgotten_after_their_time(house: House) -> None:
    first = house.file(idempotency_key="k")
    house.clock.forward(49 * 3_600)
    assert house.sweeper.run_once().forgotten == 1
    assert house.file(idempotency_key="k").root_id != first.root_id


def test_positions_have_no_gaps(house: House) -> None:
    accepted, _ = house.file_and_send()
    house.sweeper.run_once()
    positions = [event.position for event in house.lookup.timeline(accepted.root_id, None).events]
    assert positions == list(range(1, len(positions) + 1))
