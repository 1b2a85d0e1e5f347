"""Parts that several kinds of document share, and what a reply may say of any of them."""

from datetime import date
from typing import Any

import pytest

from gateway.documents import Documents

ON = date(2026, 3, 1)
VALUATION = "goods_shipment.customs_valuation"


@pytest.mark.parametrize(
    "subject",
    [
        {"kind": "manifest", "id": "7080261118043", "identifiers": [{"scheme": "OTHER", "value": "7080261118043"}]},
        {"kind": "transit_movement", "type_code": "T1", "functional_reference_id": "LRN-1", "version_id": "2"},
    ],
)
def test_a_reply_names_whatever_kind_of_document_it_answers(documents: Documents, subject: dict[str, Any]) -> None:
    reply = {"function": "accepted", "raw_code": "A", "subject": subject}
    assert documents.check("customs_response", reply, on=ON) == []
    unnamed = {name: value for name, value in subject.items() if name != "kind"}
    assert documents.check("customs_response", {**reply, "subject": unnamed}, on=ON)


def test_charges_and_deductions_are_told_alike_wherever_they_stand(documents: Documents) -> None:
    leaves = documents.leaves("declaration")
    told = {"type", "charges_type_code", "method", "value", "currency", "payment_method_code"}
    for place in (
        f"{VALUATION}.charges",
        f"{VALUATION}.charge_deductions",
        "goods_shipment.government_agency_goods_items[].customs_valuation.charge_deductions",
    ):
        assert {path.removeprefix(f"{place}[].") for path in leaves if path.startswith(f"{place}[].")} == told
