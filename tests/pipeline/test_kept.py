"""Answers that are kept and tried again, and what may run while others wait to write."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.agreements import Agreement
from gateway.errors import NeedsOperator
from gateway.lifecycle import InboundStatus
from gateway.pipeline.kept import KeptWatch
from gateway.ports import Alias, DecodedDocument, InboundRow, Json, Reply
from tests.pipeline.small_house import House, TinyAdapter


def kept_row(house: House, inbound_id: str) -> InboundRow:
    with house.store.read() as reading:
        row = reading.inbound(inbound_id)
    assert row is not None
    return row


def test_a_kept_answer_that_a_crash_left_untried_is_tried_when_the_gateway_is_back(
    open_house: Callable[..., House],
) -> None:
    house = open_house()
    accepted, message = house.file_and_send()
    early = house.answer(message, "registered", names=[["seq", "S1"]], reference="early")

    def dies(inbound_ids: object) -> None:
        raise KeyboardInterrupt

    house.receiver.retry_kept = dies  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        house.answer(message, "received", receipt=True, learned=[["seq", "S1"]], reference="import response")
    assert kept_row(house, early.inbound_id).status is InboundStatus.UNMATCHED
    again = open_house()
    assert again.sweeper.run_once().kept == 1
    assert again.standing(accepted.root_id).states["declaration"] == "registered"
    assert again.sweeper.run_once().kept == 0


def test_a_kept_answer_that_fails_strikes_no_other_says_why_and_is_tried_again_within_the_hour(house: House) -> None:
    accepted, message = house.file_and_send()
    kept = [
        house.answer(message, function, names=[["seq", "S1"]], reference=function).inbound_id
        for function in ("inspection", "registered")
    ]
    verify = house.stamp.verify

    def no_key(data: bytes, agreement: Agreement) -> bytes:
        if b"inspection" in data:
            raise NeedsOperator("the trust store cannot be read")
        return verify(data, agreement)

    house.stamp.verify = no_key  # type: ignore[method-assign]
    taught = house.answer(message, "received", receipt=True, learned=[["seq", "S1"]], reference="import response")
    assert taught.status is InboundStatus.MATCHED
    rows = [kept_row(house, one) for one in kept]
    assert [row.status for row in rows] == [InboundStatus.UNMATCHED, InboundStatus.MATCHED]
    assert "the trust store cannot be read" in rows[0].reason
    house.sweeper.run_once()
    house.stamp.verify = verify  # type: ignore[method-assign]
    assert house.sweeper.run_once().kept == 0
    house.clock.forward(3_600)
    assert house.sweeper.run_once().kept == 1
    mended = kept_row(house, kept[0])
    assert (mended.status, mended.reason) == (InboundStatus.MATCHED, "")
    assert house.standing(accepted.root_id).states["declaration"] == "registered"


def test_kept_answers_whose_message_is_known_are_tried_a_page_at_a_time_and_then_not_for_an_hour(house: House) -> None:
    _, message = house.file_and_send(container="C9", functional_reference_id="R1")
    house.file_and_send(container="C9", functional_reference_id="R2")
    for number in range(5):
        house.answer(message, "information", names=[["container", "C9"]], reference=f"vague {number}")
        house.answer(message, "information", names=[["container", "nobody's"]], reference=f"strange {number}")
    watch = KeptWatch(house.store, house.receiver, page=2, clock=house.clock)
    assert [watch.run_once() for _ in range(5)] == [2, 2, 1, 0, 0]
    house.clock.forward(3_600)
    assert watch.run_once() == 2


def test_answers_that_free_one_another_are_all_applied(house: House) -> None:
    accepted, message = house.file_and_send()
    for number in range(40, 0, -1):
        names, learned = [["step", str(number - 1)]], [["step", str(number)]]
        house.answer(message, "information", names=names, learned=learned, reference=str(number), text=str(number))
    house.answer(message, "received", receipt=True, learned=[["step", "0"]])
    assert house.told(accepted.root_id).count("partner:reply:received") == 41


def test_no_signature_is_checked_and_no_adapter_runs_while_others_wait_to_write(house: House) -> None:
    seen: list[tuple[str, str]] = []

    def watched(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def calling(*rest: Any, **named: Any) -> Any:
            seen.append((name, threading.current_thread().name))
            return call(*rest, **named)

        return calling

    class Pointing(TinyAdapter):
        def replies(self, decoded: DecodedDocument, *, received_us: int, sent: Json | None) -> list[Reply]:
            found = super().replies(decoded, received_us=received_us, sent=sent)
            beside = {"beside": sent["direction"]} if sent else {}
            return [replace(one, names_places=True, document=one.document | beside) for one in found]

    accepted, message = house.file_and_send()
    adapter = Pointing()
    for name in ("decode", "replies", "aliases"):
        setattr(adapter, name, watched(name, getattr(adapter, name)))
    house.adapters["tiny"] = adapter
    plain = house.stamp.verify
    house.stamp.verify = watched("verify", lambda data, agreement: plain(data, agreement).partition(b"|")[2])  # type: ignore[method-assign]
    early, taught = (
        {"function": "registered", "names": [["seq", "S1"]]},
        {"function": "received", "names": [["tiny-name", message.name[:-5]]], "learned": [["seq", "S1"]]},
    )
    for said, reference in ((early, "early"), (taught, "taught")):
        house.answer_bytes(b"signed|" + json.dumps({"answers": [said]}).encode(), reference=reference)
    assert house.standing(accepted.root_id).states["declaration"] == "registered"
    assert house.answer_bytes(b"anew|" + json.dumps({"answers": [taught]}).encode(), reference="taught").doubled
    assert house.answer_bytes(b'signed|{"manifest": "M1"}').status is InboundStatus.STORED
    assert {name for name, _ in seen} == {"verify", "decode", "replies", "aliases"}
    assert {thread for _, thread in seen} == {threading.current_thread().name}
    with house.store.read() as reading:
        rows = [row for row in reading.documents_of(accepted.root_id) if row.kind == "customs_response"]
        stored = [json.loads(reading.payload(row.digest)) for row in rows]
    assert [one["beside"] for one in stored] == ["import", "import"]


@pytest.mark.parametrize(
    "data",
    [b'{"manifest": "M2"}', b'{"answers": [{"function": "registered", "issued_us": 100000000000000000000}]}'],
    ids=["its ids cannot be told", "its time is in no calendar"],
)
def test_what_an_adapter_reads_but_nobody_can_store_is_kept_as_refused(house: House, data: bytes) -> None:
    def broken(document: Json) -> list[Alias]:
        raise KeyError("x")

    house.adapters["tiny"].aliases = broken  # type: ignore[assignment, method-assign]
    received = house.answer_bytes(data, reference="r1")
    assert received.status is InboundStatus.REFUSED
    assert kept_row(house, received.inbound_id).reason.startswith("receive.unreadable")
    assert house.answer_bytes(data, reference="r1").doubled


def test_a_refused_delivery_that_can_be_read_by_now_waits_for_its_message(house: House) -> None:
    _, message = house.file_and_send()
    verify = house.stamp.verify
    house.stamp.verify = lambda data, agreement: verify(b"FORGED", agreement)  # type: ignore[method-assign]
    refused = house.answer(message, "registered", names=[["seq", "S1"]], reference="f1")
    house.stamp.verify = verify  # type: ignore[method-assign]
    again = house.operator.read_again(refused.inbound_id, actor="ann", reason="the certificate is trusted now")
    assert again.status is InboundStatus.UNMATCHED
    house.answer(message, "received", receipt=True, learned=[["seq", "S1"]], reference="f2")
    assert kept_row(house, refused.inbound_id).status is InboundStatus.MATCHED
