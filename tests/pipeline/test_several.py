"""One delivery that holds several documents: each goes its own way, once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.lifecycle import InboundStatus, Status
from gateway.pipeline.receive import Received
from gateway.ports import DecodedDocument, InboundRow, Json, MessageRow
from tests.pipeline.small_house import House, TinyAdapter


class Mended(TinyAdapter):
    def _one(self, content: Json) -> DecodedDocument:
        return super()._one({name: value for name, value in content.items() if name != "unreadable"})


def said(message: MessageRow | None, function: str, **rest: Any) -> Json:
    """A document with one answer."""
    names = [["tiny-name", message.name.removesuffix(".json")]] if message else []
    return {"answers": [{"function": function, "names": names, **rest}]}


def together(house: House, *documents: Json, reference: str = "several") -> Received:
    return house.answer_bytes(json.dumps({"documents": documents}).encode(), reference=reference)


def row_of(house: House, received: Received) -> InboundRow:
    with house.store.read() as reading:
        row = reading.inbound(received.inbound_id)
    assert row is not None
    return row


def test_each_response_moves_the_declaration_that_it_speaks_of(house: House) -> None:
    first, message = house.file_and_send()
    second, other = house.file_and_send()
    received = together(
        house, said(message, "registered"), said(other, "accepted"), said(message, "released"), {"manifest": "M1"}
    )
    assert received.status is InboundStatus.MATCHED
    assert received.message_ids == (message.id, other.id)
    assert house.standing(first.root_id).states == {"declaration": "registered", "release": "released"}
    assert house.standing(second.root_id).states["declaration"] == "accepted"
    with house.view() as view:
        assert [view.document(one).kind for one in received.document_ids] == [*["customs_response"] * 3, "manifest"]


def test_the_same_delivery_again_has_no_second_effect_under_any_reference(house: House) -> None:
    accepted, message = house.file_and_send()
    documents = [said(message, "registered", issued_us=5), said(message, "released", issued_us=6)]
    first = together(house, *documents)
    assert together(house, *documents).doubled
    assert together(house, *documents, reference="another").document_ids == first.document_ids
    assert house.told(accepted.root_id).count("partner:reply:received") == 2


@pytest.mark.parametrize("broken", [{"unreadable": "Response[2]"}, {"answers": [{"issued_us": 1}]}])
def test_a_response_that_cannot_be_read_stops_no_other_and_is_named(house: House, broken: Json) -> None:
    accepted, message = house.file_and_send()
    received = together(house, said(message, "registered"), broken, said(message, "released"))
    assert received.status is InboundStatus.REFUSED
    code = "tiny.decode" if "unreadable" in broken else "receive.unreadable"
    assert [finding.code for finding in received.findings] == [code]
    assert house.standing(accepted.root_id).states == {"declaration": "registered", "release": "released"}
    told = next(one for one in house.timeline(accepted.root_id) if str(one.type) == "partner:reply:refused")
    assert (told.data["code"], told.data["inbound_id"]) == (code, received.inbound_id)
    assert row_of(house, received).reason.startswith(f"{code}: ")


def test_the_refused_part_of_a_delivery_is_read_again_without_a_second_effect_of_the_others(house: House) -> None:
    accepted, message = house.file_and_send()
    refused = {"unreadable": "Response[2]", **said(message, "released")}
    received = together(house, said(message, "registered"), refused, {"manifest": "M1"})
    stored = received.document_ids[-1]
    house.adapters["tiny"] = Mended()
    again = house.operator.read_again(received.inbound_id, actor="ann", reason="the adapter is mended")
    assert again.status is InboundStatus.MATCHED
    assert again.document_ids[-1] == stored
    told = house.told(accepted.root_id)
    assert (told.count("partner:reply:received"), told.count("partner:reply:doubled")) == (2, 0)
    assert house.told(stored).count("document:submission:accepted") == 1
    assert house.standing(accepted.root_id).states["release"] == "released"


def test_a_delivery_of_which_a_part_was_refused_keeps_its_reference(house: House) -> None:
    accepted, message = house.file_and_send()
    together(house, said(message, "registered"), {"unreadable": "Response[2]"})
    assert together(house, said(message, "cancelled")).conflicting
    assert house.standing(accepted.root_id).states["declaration"] == "registered"


def test_nothing_of_a_delivery_that_cannot_be_read_at_all_is_taken(house: House) -> None:
    received = together(house, {"unreadable": "Response[1]"}, {"unreadable": "Response[2]"})
    assert received.status is InboundStatus.REFUSED
    assert [finding.partner_place for finding in received.findings] == ["Response[1]", "Response[2]"]
    assert house.told(received.inbound_id) == ["partner:reply:refused"]


def test_an_answer_of_a_delivery_that_is_read_again_does_not_move_its_message_again(wired: House) -> None:
    _, message = wired.file_and_send()
    _, other = wired.file_and_send()
    received = together(
        wired,
        said(message, "waiting", prerequisite="manifest:M5"),
        said(None, "information", names=[["seq", "S1"]]),
    )
    assert received.status is InboundStatus.UNMATCHED
    assert row_of(wired, received).reason == "1 of 2 answers matched"
    assert wired.status(message.id) is Status.SIGNED
    wired.clock.forward(2)
    wired.run()
    assert wired.status(message.id) is Status.SENT
    wired.answer(other, "received", receipt=True, learned=[["seq", "S1"]], reference="teaches")
    assert row_of(wired, received).status is InboundStatus.MATCHED
    assert wired.status(message.id) is Status.SENT
    assert "partner:reply:doubled" not in wired.told(message.root_id)
