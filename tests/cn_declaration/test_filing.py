"""What the gateway adds when it files: numbers, names, the agreement's card, the code world, the number that goes on."""

import json
from typing import Any

import pytest
from lxml import etree

from adapters.cn_declaration import CnDeclaration
from gateway.errors import RuleBroken, SchemaBroken
from gateway.lifecycle import Phase
from gateway.ports import Alias
from tests.cn_declaration.conftest import FOLDER, Filing


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "samples" / f"{name}.json").read_text(encoding="utf-8"))["document"]
    return found


@pytest.fixture
def copper() -> dict[str, Any]:
    return sample("import-copper-ganqimaodu-road")


def value(data: bytes, path: str) -> str | None:
    return etree.fromstring(data).findtext("/".join(f"{{*}}{name}" for name in path.split("/")))


def test_the_client_number_is_ours_has_18_characters_and_names_the_file(
    adapter: CnDeclaration, filing: Filing, copper: dict[str, Any]
) -> None:
    before = json.dumps(copper)
    encoded = adapter.encode(copper, filing())
    number = value(encoded.data, "DecSign/ClientSeqNo")
    assert number == "SW2601010000000001"
    assert encoded.name == f"{number}.xml"
    assert Alias("cn-client-seq-no", number) in encoded.aliases
    assert Alias("client-reference", copper["functional_reference_id"]) in encoded.aliases
    assert encoded.report.lost == ()
    assert "/functional_reference_id" in encoded.report.ignored
    assert json.dumps(copper) == before


def test_the_version_and_the_code_world_are_the_agreements(
    adapter: CnDeclaration, filing: Filing, copper: dict[str, Any]
) -> None:
    encoded = adapter.encode(copper, filing(version="5.0", code_world="numbers"))
    assert etree.fromstring(encoded.data).get("Version") == "5.0"
    assert value(encoded.data, "DecHead/TradeCountry") == "124"
    assert value(encoded.data, "DecLists/DecList/TradeCurr") == "502"
    assert value(adapter.encode(copper, filing()).data, "DecHead/TradeCountry") == "MNG"


def test_a_country_whose_old_number_several_share_is_refused_with_its_place(
    adapter: CnDeclaration, filing: Filing, copper: dict[str, Any]
) -> None:
    copper["goods_shipment"]["export_country"]["id"] = "NO"
    with pytest.raises(RuleBroken) as refused:
        adapter.encode(copper, filing(code_world="numbers"))
    assert [finding.pointer for finding in refused.value.findings] == ["/goods_shipment/export_country/id"]


@pytest.mark.parametrize("code", ["CHN", "XX", "12"])
def test_a_country_that_is_no_iso_code_is_refused(
    adapter: CnDeclaration, filing: Filing, copper: dict[str, Any], code: str
) -> None:
    copper["goods_shipment"]["trading_country_code"] = code
    with pytest.raises(RuleBroken):
        adapter.encode(copper, filing())


def test_origin_and_destination_change_places_on_export(adapter: CnDeclaration, filing: Filing) -> None:
    machinery = sample("export-machinery-manzhouli-rail")
    data = adapter.encode(machinery, filing()).data
    item = machinery["goods_shipment"]["government_agency_goods_items"][0]
    assert item["origins"][0]["country_code"] == "CN"
    assert value(data, "DecLists/DecList/DestinationCountry") == "CHN"
    assert value(data, "DecLists/DecList/OriginCountry") != "CHN"


def test_a_correction_and_a_complete_declaration_go_on_under_the_same_number(
    adapter: CnDeclaration, filing: Filing, copper: dict[str, Any]
) -> None:
    known = {"cn-seq-no": "I20260000700104417"}
    assert value(adapter.encode(copper, filing(known=known, round=2)).data, "DecHead/SeqNo") == known["cn-seq-no"]
    assert (
        value(adapter.encode(copper, filing(known=known, phase=Phase.FULL)).data, "DecHead/SeqNo") == known["cn-seq-no"]
    )
    assert value(adapter.encode(copper, filing(known=known)).data, "DecHead/SeqNo") is None


def test_the_agreement_fills_in_card_and_company_where_the_document_is_silent(
    adapter: CnDeclaration, filing: Filing, copper: dict[str, Any]
) -> None:
    del copper["submitter"], copper["authentication"], copper["filing_action"]
    agreed = {
        "card_number": "8930000199999", "operator_name": "其木格", "company_code": "MA13NRT05", "company_name": "代理",
    }  # fmt: skip
    data = adapter.encode(copper, filing(**agreed)).data
    told = [
        value(data, path) for path in ("DecHead/TypistNo", "DecSign/ICCode", "DecHead/InputerName", "DecHead/CopCode")
    ]
    assert told == ["8930000199999", "8930000199999", "其木格", "MA13NRT05"]
    assert value(data, "DecSign/OperType") == "G"


def test_what_breaks_the_table_is_refused_with_the_place_in_our_document(
    adapter: CnDeclaration, filing: Filing, copper: dict[str, Any]
) -> None:
    copper["goods_shipment"]["government_agency_goods_items"][1]["commodity"]["description"] = "x" * 300
    with pytest.raises(SchemaBroken) as refused:
        adapter.encode(copper, filing())
    pointers = [finding.pointer for finding in refused.value.findings]
    assert pointers == ["/goods_shipment/government_agency_goods_items/1/commodity/description"]


def test_a_remainder_that_breaks_the_table_is_not_filed(
    adapter: CnDeclaration, filing: Filing, copper: dict[str, Any]
) -> None:
    copper["extensions"]["cn_declaration"]["remainder"] = [
        {"place": "DecMessage/DecHead", "element": [{"level": "0", "name": "Odd", "text": "1"}]}
    ]
    with pytest.raises(SchemaBroken):
        adapter.encode(copper, filing())


@pytest.mark.parametrize(
    "entry",
    [
        {"place": "DecMessage/Nowhere", "text": "1"},
        {"place": "DecMessage/DecLists/DecList[9]/GName", "text": "1"},
        {"place": "DecMessage/DecHead", "element": [{"level": "0", "name": "<broken"}]},
        {},
        {"place": "../../x", "text": "1"},
    ],
)
def test_a_remainder_that_fits_nothing_is_refused(
    adapter: CnDeclaration, filing: Filing, copper: dict[str, Any], entry: dict[str, str]
) -> None:
    copper["extensions"]["cn_declaration"]["remainder"] = [entry]
    with pytest.raises((RuleBroken, SchemaBroken)):
        adapter.encode(copper, filing())


def test_requests_name_the_declaration_by_the_numbers_that_were_told(adapter: CnDeclaration, filing: Filing) -> None:
    known = {"cn-seq-no": "I20260000700104417", "cn-entry-id": "070820261000104417"}
    request = sample("amendment-settled-price") | {"declaration": {}}
    encoded = adapter.encode(request, filing(kind="declaration_amendment", phase=Phase.AMENDMENT, known=known))
    assert (value(encoded.data, "DecSeqNo"), value(encoded.data, "EntryId")) == tuple(known.values())
    assert encoded.message == "decmod"
    wish = {"declaration": {}, "reason_text": "货物退运"}
    data = adapter.encode(wish, filing(kind="declaration_cancellation", phase=Phase.CANCELLATION, known=known)).data
    assert value(data, "DecModType") == "2"
    assert adapter.decode(data, tolerant=False).kind == "declaration_cancellation"


def test_people_find_a_declaration_by_the_numbers_they_hold(adapter: CnDeclaration, copper: dict[str, Any]) -> None:
    road = {(alias.scheme, alias.value) for alias in adapter.aliases(copper)}
    assert {
        ("bill", "GSK20261118043"),
        ("contract", "SL-CU-2026-07"),
        ("batch", "7080261118043"),
        ("container", "SWGU4812306"),
        ("container", "SWGU4812311"),
    } <= road
    tir = {alias.scheme: alias.value for alias in adapter.aliases(sample("import-cashmere-erenhot-tir"))}
    assert (tir["tir-carnet"], tir["tir-application"]) == ("XR84201577", "TIR202611180042")


def test_what_another_partners_bag_holds_counts_as_lost(
    adapter: CnDeclaration, filing: Filing, copper: dict[str, Any]
) -> None:
    copper["extensions"]["somebody"] = {"x": "1"}
    report = adapter.encode(copper, filing()).report
    assert list(report.lost) == ["/extensions/somebody/x"]


def test_a_second_waybill_is_lost_to_customs_and_found_by_people(
    adapter: CnDeclaration, filing: Filing, copper: dict[str, Any]
) -> None:
    copper["goods_shipment"]["consignment"]["transport_contract_documents"].append(
        {"type_code": "714", "id": "HOUSE-7"}
    )
    encoded = adapter.encode(copper, filing())
    assert value(encoded.data, "DecHead/BillNo") == "GSK20261118043"
    lost = "/goods_shipment/consignment/transport_contract_documents/1"
    assert list(encoded.report.lost) == [f"{lost}/type_code", f"{lost}/id"]
    bills = [alias.value for alias in adapter.aliases(copper) if alias.scheme == "bill"]
    assert bills[:2] == ["GSK20261118043", "HOUSE-7"]


@pytest.mark.parametrize("document", [{}, {"agent": {}}, {"extensions": {}}, {"direction": "import"}])
def test_a_document_that_says_hardly_anything_is_answered_with_findings(
    adapter: CnDeclaration, filing: Filing, document: dict[str, Any]
) -> None:
    adapter.check(document, filing())
    with pytest.raises((RuleBroken, SchemaBroken)) as refused:
        adapter.encode(document, filing())
    assert refused.value.findings
