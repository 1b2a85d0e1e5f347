"""An amendment is filed by JSON Pointer; the partner's field codes are found by the gateway."""

import json
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from gateway import settings
from gateway.catalogue import Catalogue, offline
from gateway.errors import Rejected
from gateway.ports import Encoded

KNOWN = {"cn-entry-id": "070820261000000001", "cn-seq-no": "I20260000000000001"}
WEIGHT = {"pointer": "/total_gross_mass/value", "old_value": "61240", "new_value": "61180", "reason_text": "重新过磅"}
PRICE = {
    "pointer": "/goods_shipment/government_agency_goods_items/1/commodity/invoice_line/item_charge_amount/value",
    "old_value": "1",
    "new_value": "2",
}


@pytest.fixture(scope="module")
def amended(project_root: Any) -> Any:
    entry = Catalogue.load(settings.load({})).entry("cn_declaration")
    file = project_root / "adapters/cn_declaration/demo/import-copper-concentrate-ganqimaodu-road.json"
    declaration = json.loads(file.read_text(encoding="utf-8"))

    def encode(*changes: dict[str, str], **more: Any) -> Encoded:
        context = offline.context(entry.manifest, kind="declaration_amendment")
        context = replace(context, declaration=declaration, known=KNOWN)
        return entry.adapter.encode({"declaration": {}, "changes": list(changes), **more}, context)

    return encode


def fields(encoded: Encoded, name: str) -> list[str | None]:
    return [found.text for found in etree.fromstring(encoded.data).iter(f"{{*}}{name}")]


def test_the_field_code_follows_from_the_pointer(amended: Any) -> None:
    encoded = amended(WEIGHT, PRICE)
    assert fields(encoded, "FieldCode") == ["GrossWet", "DeclTotal"]
    assert fields(encoded, "FieldName") == ["毛重", "商品2：申报总价"]
    assert fields(encoded, "NewValue") == ["61180", "2"]
    assert list(encoded.report.lost) == []


def test_what_the_change_says_itself_goes_before(amended: Any) -> None:
    assert fields(amended({**WEIGHT, "field_code": "GrossWt"}), "FieldCode") == ["GrossWt"]


def test_reasons_of_the_changes_become_the_reason_of_the_request(amended: Any) -> None:
    assert fields(amended(WEIGHT, {**PRICE, "reason_text": "重新过磅"}), "DecModNote") == ["重新过磅"]


def test_a_place_that_the_form_does_not_have_is_refused(amended: Any) -> None:
    with pytest.raises(Rejected):
        amended({"pointer": "/goods_shipment/consignment/wagons/0/number", "new_value": "1"})


def test_a_request_that_names_another_declaration_is_refused(amended: Any) -> None:
    with pytest.raises(Rejected) as refused:
        amended(WEIGHT, declaration={"id": "070820261000009999"})
    assert [(finding.pointer, finding.expected) for finding in refused.value.findings] == [
        ("/declaration/id", KNOWN["cn-entry-id"])
    ]


def test_the_numbers_that_customs_told_are_filled_in(amended: Any) -> None:
    assert fields(amended(WEIGHT), "EntryId") == [KNOWN["cn-entry-id"]]


ITEMS = "/goods_shipment/government_agency_goods_items"


@pytest.mark.parametrize(
    "places",
    [
        (f"{ITEMS}/0", f"{ITEMS}/0/origins/0"),
        ("/goods_shipment", f"{ITEMS}/1", f"{ITEMS}/1/commodity"),
        (f"{ITEMS}/0/additional_documents/0/type_code", f"{ITEMS}/-"),
    ],
)
def test_changes_that_name_groups_are_refused_where_nobody_can_name_their_fields(
    amended: Any, places: tuple[str, ...]
) -> None:
    with pytest.raises(Rejected):
        amended(*({"pointer": place, "old_value": "1", "new_value": "5"} for place in places))


def test_the_other_changes_are_named_beside_groups_within_groups(amended: Any) -> None:
    groups = [
        {"pointer": place, "field_code": "X", "new_value": "5"} for place in (f"{ITEMS}/0", f"{ITEMS}/0/origins/0")
    ]
    named = [{**group, "field_name": "X", "old_value": "1"} for group in groups]
    assert fields(amended(*named, WEIGHT), "FieldCode") == ["X", "X", "GrossWet"]
