"""Each numbered rule: a document that breaks it, and the sample that keeps it."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.cn_declaration import CnDeclaration
from adapters.cn_declaration.rules import BOOK
from gateway.documents import library
from gateway.errors import Severity
from gateway.lifecycle import Phase
from gateway.ports import AdapterKit
from gateway.syntax.registry import SchemaRegistry
from tests.cn_declaration.conftest import FOLDER, ROOT, Filing

Document = dict[str, Any]
ITEM = "/goods_shipment/government_agency_goods_items/0"


def kept() -> Document:
    """A road import that breaks no rule."""
    found: Document = json.loads((FOLDER / "samples" / "import-copper-ganqimaodu-road.json").read_text("utf-8"))[
        "document"
    ]
    return found


def changed(path: str, value: Any) -> Callable[[Document], None]:
    """Put a value at a pointer; None takes it away."""

    def change(document: Document) -> None:
        holder: Any = document
        *steps, last = path.strip("/").split("/")
        for step in steps:
            holder = holder[int(step)] if isinstance(holder, list) else holder.setdefault(step, {})
        key: Any = int(last) if isinstance(holder, list) else last
        if value is None:
            del holder[key]
        elif isinstance(holder, list) and key == len(holder):
            holder.append(value)
        else:
            holder[key] = value

    return change


def all_of(*changes: Callable[[Document], None]) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        for one in changes:
            one(document)

    return change


def fifty_one(document: Document) -> None:
    items = document["goods_shipment"]["government_agency_goods_items"]
    items[:] = [{**copy.deepcopy(items[0]), "sequence_number": str(number)} for number in range(1, 52)]


TIR = changed("/declaration_type", {"kind_code": "MT"})
BREACHES: dict[str, tuple[Callable[[Document], None], str]] = {
    "CN-DEC-001": (changed("/agent/name", None), "/agent/name"),
    "CN-DEC-002": (changed("/entry_office", None), "/entry_office/id"),
    "CN-DEC-003": (changed(f"{ITEM}/destination", None), f"{ITEM}/destination/country_code"),
    "CN-DEC-004": (changed(f"{ITEM}/duty_levy_mode_code", None), f"{ITEM}/duty_levy_mode_code"),
    "CN-DEC-005": (
        changed("/goods_shipment/customs_valuation/charges/1/method", "unit_price"),
        "/goods_shipment/customs_valuation/charges/1/method",
    ),
    "CN-DEC-006": (
        changed("/goods_shipment/customs_valuation/charges/0/currency", None),
        "/goods_shipment/customs_valuation/charges/0/currency",
    ),
    "CN-DEC-007": (
        changed(f"{ITEM}/commodity/declaration_elements", "精矿|铜24.6%"),
        f"{ITEM}/commodity/declaration_elements",
    ),
    "CN-DEC-008": (
        changed(f"{ITEM}/commodity/declaration_elements", "0|1|精矿"),
        f"{ITEM}/commodity/declaration_elements",
    ),
    "CN-DEC-009": (fifty_one, "/goods_shipment/government_agency_goods_items"),
    "CN-DEC-012": (changed("/price_declarations/royalty", None), "/price_declarations/royalty"),
    "CN-DEC-013": (
        changed(f"{ITEM}/commodity/invoice_line/item_charge_amount/currency", "MNT"),
        f"{ITEM}/commodity/invoice_line/item_charge_amount/currency",
    ),
    "CN-DEC-027": (
        changed(f"{ITEM}/commodity/classifications/0/id", "2603.0000"),
        f"{ITEM}/commodity/classifications/0/id",
    ),
    "CN-DEC-015": (changed("/declaration_type/tax_mark", "1"), "/declaration_type/tax_mark"),
    "CN-DEC-016": (changed("/declaration_type/declaration_step", "complete"), "/unified_number"),
    "CN-DEC-017": (TIR, "/border_transport_means/name"),
    "CN-DEC-018": (
        all_of(changed("/declaration_type/kind_code", "MF"), changed("/border_transport_means/name", "蒙A10001")),
        "/border_transport_means/name",
    ),
    "CN-DEC-019": (changed("/border_transport_means/name", "蒙A10001"), "/border_transport_means/name"),
    "CN-DEC-021": (changed("/with_transit_declaration", "yes"), "/transit_movement"),
    "CN-DEC-022": (
        changed("/authentication/authenticator/identifiers/0/value", "8930000999999"),
        "/authentication/authenticator/identifiers/0/value",
    ),
    "CN-DEC-023": (changed("/attachments/1", None), "/attachments"),
    "CN-DEC-024": (changed("/regime", "transit"), "/regime"),
    "CN-DEC-025": (changed("/enterprise_statements/0/type_code", "102053"), "/enterprise_statements/0/type_code"),
    "CN-DEC-026": (
        changed("/border_transport_means/national_mode_code", "9"),
        "/border_transport_means/national_mode_code",
    ),
}


@pytest.mark.parametrize("number", BREACHES)
def test_a_rule_names_the_place_where_it_is_broken(adapter: CnDeclaration, filing: Filing, number: str) -> None:
    document = kept()
    change, pointer = BREACHES[number]
    change(document)
    found = [finding for finding in adapter.check(document, filing()) if finding.params["rule"] == number]
    assert pointer in [finding.pointer for finding in found]


def test_a_declaration_that_keeps_every_rule_is_passed(adapter: CnDeclaration, filing: Filing) -> None:
    assert adapter.check(kept(), filing()) == []


def test_tir_numbers_in_their_places_keep_the_rule(adapter: CnDeclaration, filing: Filing) -> None:
    document = json.loads((FOLDER / "samples" / "import-cashmere-erenhot-tir.json").read_text("utf-8"))["document"]
    assert adapter.check(document, filing()) == []


@pytest.mark.parametrize(
    ("phase", "step", "known", "broken"),
    [
        (Phase.FULL, "summary", {}, True),
        (Phase.FULL, "complete", {"cn-seq-no": "I20260000700104417"}, False),
        (Phase.SUMMARY, "complete", {"cn-seq-no": "I20260000700104417"}, True),
        (Phase.SUMMARY, "summary", {}, False),
        (Phase.SINGLE, "single", {}, False),
    ],
)
def test_the_step_fits_what_is_filed(
    adapter: CnDeclaration, filing: Filing, phase: Phase, step: str, known: dict[str, str], broken: bool
) -> None:
    document = kept()
    document["declaration_type"]["declaration_step"] = step
    found = adapter.check(document, filing(phase=phase, known=known))
    assert [finding.params["rule"] for finding in found] == (["CN-DEC-014"] if broken else [])


def test_what_the_agreement_says_need_not_stand_in_the_document(adapter: CnDeclaration, filing: Filing) -> None:
    document = kept()
    del document["submitter"]
    missing = {finding.pointer for finding in adapter.check(document, filing())}
    assert "/submitter/name" in missing
    agreed = filing(card_number="8930000104512", operator_name="a", company_code="MA13NRT05", company_name="b")
    assert adapter.check(document, agreed) == []


def test_only_what_stops_a_draft_is_an_error(adapter: CnDeclaration, filing: Filing) -> None:
    document = kept()
    del document["entry_office"], document["agent"]["name"]
    found = {finding.params["rule"]: finding.severity for finding in adapter.check(document, filing())}
    assert found == {"CN-DEC-001": Severity.ERROR, "CN-DEC-002": Severity.WARNING}


def test_an_operator_softens_a_rule_of_the_partner_without_a_release(tmp_path: Path, filing: Filing) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "ours.yaml").write_text(
        "rules: {CN-DEC-009: {severity: warning}, CN-DEC-024: {enabled: false}}"
    )
    documents = library.load(ROOT / "specs", tmp_path)
    softened = CnDeclaration(AdapterKit(documents, SchemaRegistry(ROOT / "specs"), FOLDER))
    document = kept() | {"regime": "transit"}
    fifty_one(document)
    assert [(one.params["rule"], one.severity) for one in softened.check(document, filing())] == [
        ("CN-DEC-009", Severity.WARNING)
    ]


NUMBERED = {"cn-entry-id": "070820261000104417"}


def test_a_request_needs_the_number_that_customs_gives(adapter: CnDeclaration, filing: Filing) -> None:
    for kind in ("declaration_amendment", "declaration_cancellation"):
        found = adapter.check({"declaration": {}}, filing(kind=kind))
        assert [(one.params["rule"], one.pointer) for one in found] == [("CN-REQ-001", "/declaration/id")]
        assert adapter.check({"declaration": {}}, filing(kind=kind, known=NUMBERED)) == []
        assert adapter.check({"declaration": {"id": "070820261000104417"}}, filing(kind=kind)) == []


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("GrosWet", "GrossWet"),
        ("decltotal", "DeclTotal"),
        ("???", "the name of a field of DecMessage"),
    ],
)
def test_a_field_code_that_the_form_does_not_have_is_told_with_the_nearest(
    adapter: CnDeclaration, filing: Filing, told: str, expected: str
) -> None:
    document = {"declaration": {}, "changes": [{"field_code": "GrossWet"}, {"field_code": told}]}
    (found,) = adapter.check(document, filing(kind="declaration_amendment", known=NUMBERED))
    assert (found.code, found.pointer, found.found) == (
        "cn_declaration.rule.change_field",
        "/changes/1/field_code",
        told,
    )
    assert str(found.expected).split(", ")[0] == expected


def test_every_rule_is_tried_and_has_its_words_in_both_languages() -> None:
    assert set(BREACHES) | {"CN-DEC-014", "CN-REQ-001", "CN-AMD-001"} == set(BOOK.rules)
    words = yaml.safe_load((FOLDER / "findings.yaml").read_text(encoding="utf-8"))
    for rule in BOOK.rules.values():
        for language in ("en", "zh"):
            assert all(words[rule.code][language][part] for part in ("title", "text", "action")), rule.code
