"""What goes out: references, wrapper, requests written out in full, and nothing lost in silence."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from adapters.wco_declaration import WcoDeclaration
from gateway.catalogue import Entry
from gateway.errors import Rejected, RuleBroken, SchemaBroken
from gateway.ports import Alias, Encoded

from .conftest import DEC, SAMPLES, context_of

Encode = Callable[..., Encoded]
MRN = "26GBK7Q2M4X9B1TAR3"
NET_WEIGHT = "/goods_shipment/government_agency_goods_items/1/commodity/goods_measure/net_net_weight"


def expected(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))["document"]
    return document


@pytest.fixture
def declaration() -> dict[str, Any]:
    document = expected("import-cashmere-garments")
    for name in ("functional_reference_id", "function_code", "type_code", "document_metadata"):
        del document[name]
    return document


@pytest.fixture
def amendment() -> dict[str, Any]:
    content = {"total_package_quantity": {"value": "63"}}
    change = {"pointer": "/total_package_quantity/value", "reason_code": "28", "reason_text": "One box stayed behind"}
    return {"declaration": {"id": MRN}, "changes": [change], "content": content}


def texts(encoded: Encoded, path: str) -> list[str | None]:
    names = "/".join(f"{DEC}{step}" for step in path.split("/"))
    return [element.text for element in etree.fromstring(encoded.data).iterfind(names)]


def test_a_declaration_without_a_reference_gets_one(encode: Encode, declaration: dict[str, Any]) -> None:
    encoded = encode(declaration)
    assert encoded.name == "SW2601010000000001"
    assert texts(encoded, "Declaration/FunctionalReferenceID") == [encoded.name]
    assert Alias("wco-lrn", encoded.name) in encoded.aliases
    assert "functional_reference_id" not in declaration


def test_the_reference_of_the_document_names_the_message(encode: Encode, declaration: dict[str, Any]) -> None:
    assert encode(declaration | {"functional_reference_id": "MY-REF-1"}).name == "MY-REF-1"


def test_what_was_added_is_told_and_is_no_value_of_the_document(encode: Encode, declaration: dict[str, Any]) -> None:
    report = encode(declaration, parameters={"responsible_agency": "SKAT"}).report
    assert report.constants["/function_code"] == "9"
    assert report.constants["/document_metadata/responsible_agency"] == "SKAT"
    assert "/function_code" not in report.carried
    assert report.lost == ()


def test_the_wrapper_follows_the_agreement(encode: Encode, declaration: dict[str, Any]) -> None:
    data = encode(declaration, parameters={"responsible_country": "DK", "responsible_agency": "SKAT"}).data
    assert b"<md:ResponsibleCountryCode>DK</md:ResponsibleCountryCode>" in data
    assert b"<md:ResponsibleAgencyName>SKAT</md:ResponsibleAgencyName>" in data


def test_no_authority_is_named_but_the_agreement_s(entry: Entry, encode: Encode, declaration: dict[str, Any]) -> None:
    assert b"Responsible" not in encode(declaration).data
    required = {name for name, parameter in entry.manifest.parameters.items() if parameter.required}
    assert required == {"responsible_country", "responsible_agency", "party_identifier_scheme"}
    assert not any(parameter.default for parameter in entry.manifest.parameters.values())


def test_the_type_code_follows_from_the_direction_where_none_is_given(
    encode: Encode, declaration: dict[str, Any]
) -> None:
    assert texts(encode(declaration), "Declaration/TypeCode") == ["IMA"]
    assert texts(encode(declaration | {"direction": "export"}), "Declaration/TypeCode") == ["EXA"]
    with pytest.raises(RuleBroken):
        encode(declaration | {"direction": "transit"})


def test_a_round_trip_adds_nothing(encode: Encode, declaration: dict[str, Any]) -> None:
    encoded = encode(declaration, roundtrip=True)
    assert b"FunctionalReferenceID" not in encoded.data
    assert b"WCOTypeName" not in encoded.data


def test_what_has_no_place_is_named_as_lost(encode: Encode, declaration: dict[str, Any]) -> None:
    report = encode(declaration | {"remarks": "by truck", "regime": "import"}).report
    assert report.lost == ("/remarks",)
    assert "/regime" in report.ignored


def test_a_value_that_the_schema_refuses_is_named_where_it_stands(encode: Encode, declaration: dict[str, Any]) -> None:
    declaration["goods_shipment"]["government_agency_goods_items"][1]["commodity"]["description"] = "x" * 600
    with pytest.raises(SchemaBroken) as refused:
        encode(declaration)
    pointers = [finding.pointer for finding in refused.value.findings]
    assert pointers == ["/goods_shipment/government_agency_goods_items/1/commodity/description"]


def test_a_time_in_another_zone_is_written_in_utc(encode: Encode, declaration: dict[str, Any]) -> None:
    encoded = encode(declaration | {"issue_date_time": "2026-03-01T05:00:00+05:30"})
    assert b'formatCode="304">20260228233000Z<' in encoded.data


def test_a_change_is_written_as_code_pointer_and_words(encode: Encode, amendment: dict[str, Any]) -> None:
    encoded = encode(amendment, "declaration_amendment")
    assert texts(encoded, "Declaration/TypeCode") == ["COR"]
    assert texts(encoded, "Declaration/ID") == [MRN]
    assert texts(encoded, "Declaration/Amendment/ChangeReasonCode") == ["28"]
    assert texts(encoded, "Declaration/Amendment/Pointer/TagID") == ["146"]
    assert texts(encoded, "Declaration/AdditionalInformation/StatementDescription") == ["One box stayed behind"]
    assert texts(encoded, "Declaration/AdditionalInformation/Pointer/DocumentSectionCode") == ["42A", "06A"]
    assert encoded.report.lost == ()
    # The number of the declaration is customs' to give: a request claims it for nobody.
    assert encoded.aliases[:2] == (Alias("wco-lrn", encoded.name),)


def test_the_number_that_customs_gave_is_known_to_a_request(encode: Encode, amendment: dict[str, Any]) -> None:
    del amendment["declaration"]["id"]
    encoded = encode(amendment, "declaration_amendment", known={"mrn": MRN})
    assert texts(encoded, "Declaration/ID") == [MRN]


def test_other_names_of_the_declaration_need_not_arrive(encode: Encode, amendment: dict[str, Any]) -> None:
    amendment["declaration"] |= {"functional_reference_id": "NMG-2026-CASH-0117", "direction": "import"}
    report = encode(amendment, "declaration_amendment").report
    assert report.lost == ()
    assert "/declaration/functional_reference_id" in report.ignored


def test_the_reason_of_the_whole_request_holds_for_changes_without_one(
    encode: Encode, amendment: dict[str, Any]
) -> None:
    del amendment["changes"][0]["reason_code"]
    encoded = encode(amendment | {"reason_code": "21"}, "declaration_amendment")
    assert texts(encoded, "Declaration/Amendment/ChangeReasonCode") == ["21"]
    assert encoded.report.lost == ()


def test_old_values_are_customs_own_and_new_ones_are_in_the_content(encode: Encode, amendment: dict[str, Any]) -> None:
    amendment["changes"][0] |= {"old_value": "64", "new_value": "63"}
    report = encode(amendment, "declaration_amendment").report
    assert "/changes/0/old_value" in report.ignored
    assert "/changes/0/new_value" in report.carried
    amendment["changes"][0]["new_value"] = "62"
    assert encode(amendment, "declaration_amendment").report.lost == ("/changes/0/new_value",)


def test_a_new_value_is_found_by_the_number_of_its_item(encode: Encode, amendment: dict[str, Any]) -> None:
    item = {"sequence_number": "2", "commodity": {"goods_measure": {"net_net_weight": {"value": "442.8"}}}}
    amendment["content"] = {"goods_shipment": {"government_agency_goods_items": [item]}}
    amendment["changes"][0] |= {"pointer": f"{NET_WEIGHT}/value", "new_value": "442.8"}
    assert encode(amendment, "declaration_amendment").report.lost == ()


def test_a_change_of_no_place_is_refused(encode: Encode, amendment: dict[str, Any]) -> None:
    amendment["changes"][0]["pointer"] = "/remarks"
    with pytest.raises(RuleBroken) as refused:
        encode(amendment, "declaration_amendment")
    assert [finding.pointer for finding in refused.value.findings] == ["/changes/0/pointer"]


def test_a_step_of_many_digits_is_no_place(encode: Encode, amendment: dict[str, Any]) -> None:
    place = f"/goods_shipment/government_agency_goods_items/{'9' * 4301}"
    item = {"sequence_number": "1", "commodity": {"goods_measure": {"net_net_weight": {"value": "442.8"}}}}
    amendment["content"] = {"goods_shipment": {"government_agency_goods_items": [item]}}
    amendment["changes"][0] |= {"pointer": f"{place}/sequence_number", "new_value": "442.8"}
    with pytest.raises(RuleBroken) as refused:
        encode(amendment, "declaration_amendment")
    assert [finding.code for finding in refused.value.findings] == ["wco_declaration.change.place"]


def test_a_reason_of_a_change_with_a_number_of_many_digits_is_of_no_change(
    encode: Encode, amendment: dict[str, Any]
) -> None:
    numbered = {"sequence_number": "9" * 4301, "document_section_code": "06A"}
    reason = {"statement_description": "why", "statement_type_code": "AES", "pointers": [numbered]}
    amendment["content"]["additional_informations"] = [reason]
    with pytest.raises(Rejected):
        encode(amendment, "declaration_amendment")


def test_reasons_that_the_content_gives_already_are_not_given_twice(encode: Encode) -> None:
    received = expected("amendment-net-weight-and-price")
    encoded = encode(copy.deepcopy(received), "declaration_amendment")
    assert len(texts(encoded, "Declaration/AdditionalInformation")) == len(received["changes"])


def test_a_cancellation_keeps_its_narrow_form(encode: Encode) -> None:
    request = {"declaration": {"id": MRN}, "reason_code": "1", "reason_text": "Filed twice"}
    encoded = encode(request, "declaration_cancellation")
    assert encoded.message == "cancellation"
    assert texts(encoded, "Declaration/Amendment/ChangeReasonCode") == ["1"]
    assert texts(encoded, "Declaration/AdditionalInformation/StatementDescription") == ["Filed twice"]
    assert encoded.report.lost == ()
    with pytest.raises(SchemaBroken):
        encode(request | {"agent": {"name": "Somebody"}}, "declaration_cancellation")


def test_a_received_cancellation_gives_its_reasons_in_our_words(adapter: WcoDeclaration) -> None:
    document = expected("cancellation-filed-twice")
    assert document["reason_code"] == "1"
    assert document["reason_text"].startswith("Filed twice")
    assert "changes" not in document


def test_a_received_amendment_names_its_places_as_json_pointers() -> None:
    changes = expected("amendment-net-weight-and-price")["changes"]
    assert changes[0]["pointer"] == f"{NET_WEIGHT}/value"
    assert changes[0]["reason_text"] == "Net weight of item 2 after weighing at the warehouse"


def test_a_presentation_says_where_the_goods_are(encode: Encode) -> None:
    notice = {
        "declaration": {"id": MRN},
        "submitter": {"identifiers": [{"scheme": "EORI", "value": "GB883017264000"}]},
        "goods_location": {"name": "FXTFXTFXT", "type_code": "A", "address": {"type_code": "U", "country_code": "GB"}},
        "presentation_office": {"id": "GB000060"},
    }
    encoded = encode(notice, "goods_presentation")
    assert texts(encoded, "Declaration/TypeCode") == ["GPR"]
    assert texts(encoded, "Declaration/GoodsShipment/Consignment/GoodsLocation/Name") == ["FXTFXTFXT"]
    assert encoded.report.lost == ()


@pytest.mark.parametrize("kind", ["manifest", "", "customs"])
def test_a_document_of_another_kind_is_refused(encode: Encode, kind: str) -> None:
    if kind:
        with pytest.raises(Rejected):
            encode({}, kind)


def test_people_find_a_declaration_by_what_they_hold(adapter: WcoDeclaration) -> None:
    found = {(alias.scheme, alias.value) for alias in adapter.aliases(expected("import-cashmere-garments"))}
    assert found >= {
        ("wco-lrn", "NMG-2026-CASH-0117"),
        ("container", "MSKU4821735"),
        ("transport-means", "MSC ERENHOT 021E"),
        ("ucr", "6GB602193847000-CASH0117"),
        ("previous-document", "MEDUTX884120"),
    }


def test_check_and_encode_leave_the_document_alone(entry: Entry, amendment: dict[str, Any]) -> None:
    before = copy.deepcopy(amendment)
    context = context_of(entry, "declaration_amendment")
    entry.adapter.check(amendment, context)
    entry.adapter.encode(amendment, context)
    assert amendment == before
