"""One place, two names: WCO pointers and JSON Pointers."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.wco_declaration import WcoDeclaration
from adapters.wco_declaration.pointers import Places, shown
from gateway.mapping.loss import carriers

ITEMS = "/goods_shipment/government_agency_goods_items"
STEP = re.compile(r"(?P<section>\w{3})(?:\[(?P<number>\d+)\])?(?::(?P<tag>\w+))?")

# WCO pointer -> where it leads in any declaration.
PLACES = {
    "42A:D026": "/functional_reference_id",
    "42A:146": "/total_package_quantity/value",
    "42A/57A[1]/04A[3]:241": "/exporter/address/city_name",
    "42A/67A/68A[1]/23A/21A[3]:145": f"{ITEMS}/0/commodity/classifications/2/id",
    "42A/67A/68A[2]/93A[1]:144": f"{ITEMS}/1/packagings/0/quantity/value",
    "42A/67A/68A[1]/02A[4]:276": f"{ITEMS}/0/additional_documents/3/effective_date_time",
    "42A/67A[1]/68A[2]": f"{ITEMS}/1",
    "42A/67A/28A/64A:L016": "/goods_shipment/consignment/goods_location/name",
    "42A/28A/18A:R012": "/consignment/carrier/identifiers/0/value",
    "42A": "",
}
# What cannot be resolved to the end leads to the nearest place above.
NEAREST = {
    "42A/67A/68A:131": ITEMS,
    "42A/67A/28A/46A:T999": "/goods_shipment/consignment/departure_transport_means",
    "42A/67A/68A[1]/23A/55B[2]:R119": f"{ITEMS}/0/commodity",
    "07B/06A[1]": None,
}


def steps(text: str) -> list[dict[str, Any]]:
    found = [STEP.fullmatch(part) for part in text.split("/")]
    names = {"section": "document_section_code", "number": "sequence_number", "tag": "tag_id"}
    return [{names[key]: value for key, value in match.groupdict().items() if value} for match in found if match]


@pytest.fixture(scope="module")
def places(adapter: WcoDeclaration) -> Places:
    return Places(adapter.mappings["declaration"])


@pytest.mark.parametrize(("wco", "ours"), [*PLACES.items(), *NEAREST.items()])
def test_a_wco_pointer_leads_to_a_place_of_ours(places: Places, wco: str, ours: str | None) -> None:
    assert places.json_pointer(steps(wco)) == ours


@pytest.mark.parametrize("ours", list(PLACES.values()))
def test_a_place_of_ours_has_a_wco_pointer_that_leads_back(places: Places, ours: str) -> None:
    there = places.steps(ours)
    assert there is not None
    assert places.json_pointer(there) == ours


def test_the_way_there_and_back_ends_where_it_began_for_every_leaf(adapter: WcoDeclaration, places: Places) -> None:
    for pointer in leaf_pointers(adapter):
        there = places.steps(pointer)
        assert there is not None, pointer
        back = places.json_pointer(there)
        assert back is not None
        # Units and currencies are attributes: the value beside them is as near as a WCO pointer comes.
        assert back == pointer.replace("/unit_code", "/value").replace("/currency", "/value") or pointer.startswith(
            back
        )


def leaf_pointers(adapter: WcoDeclaration) -> Iterator[str]:
    for carrier in carriers(adapter.mappings["declaration"].plan):
        parts = ["0" if step is None else step.name + ("/0" if step.key else "") for step in carrier.steps]
        if parts[0] not in ("document_metadata", "direction"):
            yield "/" + "/".join(parts)


def test_members_are_found_by_their_number_in_the_document_that_was_sent(places: Places) -> None:
    sent = {"goods_shipment": {"government_agency_goods_items": [{"sequence_number": "7", "commodity": {}}]}}
    assert places.json_pointer(steps("42A/67A/68A[7]/23A:137"), sent) == f"{ITEMS}/0/commodity/description"


def test_a_member_that_was_not_sent_leads_to_its_list(places: Places) -> None:
    sent = {"goods_shipment": {"government_agency_goods_items": [{"sequence_number": "1"}]}}
    assert places.json_pointer(steps("42A/67A/68A[3]/23A:137"), sent) == ITEMS


def test_a_number_of_the_wrong_register_is_no_place_of_the_message(places: Places) -> None:
    sent = {"declarant": {"identifiers": [{"scheme": "CN-USCI", "value": "1"}, {"scheme": "EORI", "value": "2"}]}}
    assert places.json_pointer(steps("42A/57B:R123"), sent) == "/declarant/identifiers/1/value"
    assert places.json_pointer(steps("42A/57B:R123"), {"declarant": {}}) == "/declarant/identifiers"


def test_a_place_that_the_message_lacks_has_no_wco_pointer(places: Places) -> None:
    assert places.steps("/goods_shipment/contract/id") is None


def test_steps_are_shown_on_one_line() -> None:
    assert shown(steps("42A/67A/68A[2]:114")) == "42A/67A/68A[2]:114"


# Words of the published list of fields, and what must stand in our path for them.
WORDS = {
    "eori": "identifiers/0/value",
    "exporterDetails": "/exporter",
    "carrierDetails": "/consignment/carrier",
    "consigneeDetails": "/goods_shipment/consignee",
    "townOrCity": "address/city_name",
    "postCode": "address/postcode_id",
    "goodsLocation": "goods_location",
    "additionalDocument": "additional_documents",
    "seals": "seals",
    "shippingMarks": "",
    "grossMass": "gross_mass",
    "netMass": "net_net_weight",
    "supplementaryUnits": "tariff_quantity",
    "descriptionOfGoods": "commodity/description",
    "previousDocuments": "previous_documents",
}


def test_a_published_list_of_pointers_agrees(places: Places, reference: Path) -> None:
    listed = json.loads(
        (reference / "customs-intl/wco-dm/codelists/hmrc_wco_pointer_to_field.json").read_text(encoding="utf-8")
    )
    for row in listed:
        found = places.json_pointer(list(dotted(row["wco"])))
        assert found is not None, row
        words = row["exports"].split(".")
        for word, expected in WORDS.items():
            assert word not in words or expected in found, (row, found)


def dotted(text: str) -> Iterator[dict[str, str]]:
    """The list's own notation: $1 after a class stands for any number."""
    parts = text.split(".")
    for index, part in enumerate(parts):
        if re.fullmatch(r"\d{2}[A-Z]", part):
            step = {"document_section_code": part}
            rest = parts[index + 1 :]
            if rest and rest[0].startswith("$"):
                step["sequence_number"] = "1"
                rest = rest[1:]
            if rest and not re.fullmatch(r"\d{2}[A-Z]", rest[0]):
                step["tag_id"] = rest[0]
            yield step


@pytest.mark.parametrize(("number", "index"), [("002", 1), ("2", 1), ("0", None), ("", None), ("9" * 4301, None)])
def test_a_number_is_read_with_leading_zeros_and_of_any_length(places: Places, number: str, index: int | None) -> None:
    steps = [{"document_section_code": name} for name in ("42A", "67A", "68A")]
    steps[2]["sequence_number"] = number
    items = "/goods_shipment/government_agency_goods_items"
    assert places.json_pointer(steps) == (items if index is None else f"{items}/{index}")
