"""Whose move it is before anybody has answered, and what a message that is held up in its lane says of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

import pytest

from gateway import texts
from gateway.lifecycle import Mover, Rest, Status
from gateway.pipeline.telling import Telling
from gateway.ports import Alias, Event, MessageRow
from gateway.settings import PROJECT_ROOT
from tests.pipeline.small_house import LANE, House, Wire, silent, unavailable


def mover(house: House, id_: str) -> str:
    """Of a declaration, or of a request by its document's id, as API, console and command line see it."""
    with house.view("acme") as view:
        standing = view.standing(id_)
    assert standing is not None
    return standing.mover


def behind(house: House, message_id: str) -> MessageRow | None:
    with house.view("acme") as view:
        return view.found(view.message(message_id)).behind


def silences(house: House, root_id: str) -> list[Event]:
    return [event for event in house.timeline(root_id) if event.type == "document:silence:overdue"]


def test_it_is_the_gateways_move_until_the_file_lies_in_the_clients_folder(house: House) -> None:
    accepted = house.file()
    assert mover(house, accepted.root_id) == Mover.GATEWAY
    house.run()
    assert list((house.home / "client" / "OutBox").iterdir())
    assert mover(house, accepted.root_id) == Mover.PARTNER


def test_a_file_that_the_client_has_taken_is_still_the_clients_move(house: House) -> None:
    accepted, message = house.file_and_send()
    client = house.home / "client"
    (client / "OutBox" / message.name).rename(client / "SentBox" / message.name)
    house.answer(message, "information", receipt=True)
    assert house.status(message.id) is Status.DELIVERED
    assert mover(house, accepted.root_id) == Mover.PARTNER
    house.answer(message, "received")
    assert mover(house, accepted.root_id) == Mover.CARD_HOLDER


def test_silence_at_the_client_is_told_of_the_client_in_both_languages(open_house: Callable[..., House]) -> None:
    house = open_house(change=lambda raw: raw["agreements"][0].update(silence_s={"filed": 60}))
    accepted, _ = house.file_and_send()
    house.clock.forward(61)
    house.sweeper.run_once()
    (event,) = silences(house, accepted.root_id)
    assert event.data["mover"] == "partner"
    telling = Telling.load(PROJECT_ROOT / "specs", texts.load(PROJECT_ROOT), UTC)
    assert "The next move: the partner or its client" in telling.sentence(event, "en")
    assert "下一步：对方或其客户端" in telling.sentence(event, "zh")


def test_a_parked_message_is_a_persons_move(wired: House, wire: Wire) -> None:
    accepted = wired.file()
    wired.operator.park(accepted.message_ids[0], actor="ann", reason="look at it first")
    assert mover(wired, accepted.root_id) == Mover.OPERATOR
    wired.clock.forward(3_700)
    wired.sweeper.run_once()
    assert [event.data["mover"] for event in silences(wired, accepted.root_id)] == ["operator"]
    wired.operator.redrive(accepted.message_ids[0], actor="ann", reason="looked at")
    assert mover(wired, accepted.root_id) == Mover.GATEWAY


def test_what_is_in_doubt_is_the_gateways_move_until_it_has_asked_in_vain(wired: House, wire: Wire) -> None:
    wire.breaks, wire.tells, wire.arrives_anyway = silent, False, True
    accepted, message = wired.file_and_send()
    assert (message.status, mover(wired, accepted.root_id)) == (Status.UNKNOWN, Mover.GATEWAY)
    wired.sweeper.run_once()
    assert (wired.status(message.id), mover(wired, accepted.root_id)) == (Status.UNKNOWN, Mover.OPERATOR)
    asked = wired.message(message.id)
    wired.clock.forward(700)
    wired.sweeper.run_once()
    assert wired.message(message.id) == asked, "a second question in vain writes nothing"
    wire.tells = True
    wired.clock.forward(700)
    wired.sweeper.run_once()
    found = wired.message(message.id)
    assert (found.status, found.rest) == (Status.SENT, Rest.NONE)
    assert mover(wired, accepted.root_id) == Mover.PARTNER


def test_what_was_handed_over_and_cannot_be_found_is_a_persons_move(wired: House, wire: Wire) -> None:
    accepted, message = wired.file_and_send()
    wire.has.clear()
    wired.clock.forward(3_601)
    wired.sweeper.run_once()
    assert wired.message(message.id).rest is Rest.NOT_FOUND
    assert mover(wired, accepted.root_id) == Mover.OPERATOR
    wired.clock.forward(700)
    wired.sweeper.run_once()
    assert (wired.status(message.id), wire.has) == (Status.UNKNOWN, {}), "that it is not found proves nothing still"
    wire.has[message.name] = 1
    wired.clock.forward(700)
    wired.sweeper.run_once()
    assert mover(wired, accepted.root_id) == Mover.PARTNER


def test_a_message_that_waits_for_a_document_is_the_move_of_who_has_to_file_it(house: House) -> None:
    accepted = house.file(waits_for=(Alias("manifest", "M77"),))
    assert mover(house, accepted.root_id) == Mover.DECLARANT
    house.operator.stop_waiting(accepted.message_ids[0], actor="ann", reason="it is there")
    assert mover(house, accepted.root_id) == Mover.GATEWAY


def test_what_was_given_up_is_filed_anew_by_its_declarant_unless_another_message_goes_on(
    open_house: Callable[..., House],
) -> None:
    both = open_house(change=lambda raw: raw["routes"][2].update(documents=["declaration"], to=[LANE, "abroad-tiny"]))
    accepted = both.file()
    first, second = accepted.message_ids
    both.operator.expire(first, actor="ann", reason="filed on paper")
    assert mover(both, accepted.root_id) == Mover.GATEWAY
    both.operator.expire(second, actor="ann", reason="filed on paper")
    assert mover(both, accepted.root_id) == Mover.DECLARANT


def test_of_several_partners_the_one_that_needs_a_person_speaks(open_house: Callable[..., House]) -> None:
    both = open_house(change=lambda raw: raw["routes"][2].update(documents=["declaration"], to=[LANE, "abroad-tiny"]))
    accepted = both.file()
    both.run()
    assert mover(both, accepted.root_id) == Mover.GATEWAY
    stuck = next(id_ for id_ in accepted.message_ids if both.message(id_).agreement == "abroad-tiny")
    both.operator.park(stuck, actor="ann", reason="their front is being moved")
    assert mover(both, accepted.root_id) == Mover.OPERATOR


def test_a_new_round_is_not_the_move_of_the_message_of_the_last_one(house: House) -> None:
    accepted, message = house.file_and_send()
    house.answer(message, "returned")
    assert mover(house, accepted.root_id) == Mover.DECLARANT
    house.file(root_id=accepted.root_id)
    assert mover(house, accepted.root_id) == Mover.GATEWAY
    house.run()
    assert mover(house, accepted.root_id) == Mover.PARTNER


def test_a_search_tells_the_move_of_each_message_by_its_own_document(house: House) -> None:
    accepted, message = house.file_and_send()
    house.answer(message, "closed")
    amendment = house.file("declaration_amendment", accepted.root_id)
    found = {row.kind: row for row in house.found(accepted.root_id)}
    told = {kind: row.standing.mover for kind, row in found.items() if row.standing}
    assert told == {"declaration": Mover.NOBODY, "declaration_amendment": Mover.GATEWAY}
    house.run()
    assert mover(house, amendment.document_id) == Mover.PARTNER


@pytest.mark.parametrize("status", [Status.PARKED, Status.UNKNOWN])
def test_a_message_names_the_one_that_holds_it_up_until_that_is_settled(
    wired: House, wire: Wire, status: Status
) -> None:
    wire.breaks, wire.tells = (silent if status is Status.UNKNOWN else unavailable), False
    accepted, first = wired.file_and_send()
    if status is Status.PARKED:
        wired.operator.park(first.id, actor="ann", reason="look at it first")
    wired.sweeper.run_once()
    amendment = wired.file("declaration_amendment", accepted.root_id)
    later = wired.file("goods_presentation", accepted.root_id)
    wire.breaks = lambda outgoing: None
    wired.clock.forward(5)
    assert wired.run() == 0
    for one in (amendment, later):
        stuck = behind(wired, one.message_ids[0])
        assert stuck is not None
        assert (stuck.id, stuck.status) == (first.id, status)
        assert mover(wired, one.document_id) == Mover.OPERATOR
    wired.operator.redrive(first.id, actor="ann", reason="they do not have it")
    assert behind(wired, amendment.message_ids[0]) is None
    assert mover(wired, amendment.document_id) == Mover.GATEWAY
    for _ in range(3):
        wired.run()
    assert [wired.status(one.message_ids[0]) for one in (amendment, later)] == [Status.SENT] * 2


def test_a_message_does_not_wait_behind_what_is_merely_on_its_way_or_of_another_declaration(
    wired: House, wire: Wire
) -> None:
    wire.breaks = unavailable
    accepted, first = wired.file_and_send()
    assert first.status is Status.SIGNED
    amendment = wired.file("declaration_amendment", accepted.root_id)
    stranger = wired.file()
    assert behind(wired, amendment.message_ids[0]) is None
    wired.operator.park(first.id, actor="ann", reason="look at it first")
    assert behind(wired, stranger.message_ids[0]) is None
    assert behind(wired, first.id) is None
    assert behind(wired, amendment.message_ids[0]) is not None
