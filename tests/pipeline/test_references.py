"""Bytes that were refused own no reference: a broken or forged delivery keeps no true one out."""

from gateway.lifecycle import InboundStatus
from tests.pipeline.small_house import House


def test_a_refused_delivery_does_not_keep_out_another_of_its_name(house: House) -> None:
    first = house.answer_bytes(b"<garbage/>", reference="N-42")
    second = house.answer_bytes(b"other garbage", reference="N-42")
    assert (first.status, second.status) == (InboundStatus.REFUSED, InboundStatus.REFUSED)
    assert not second.conflicting
    assert first.inbound_id != second.inbound_id


def test_the_same_refused_bytes_again_are_a_double(house: House) -> None:
    first = house.answer_bytes(b"<garbage/>", reference="N-42")
    assert house.answer_bytes(b"<garbage/>", reference="N-42").inbound_id == first.inbound_id
