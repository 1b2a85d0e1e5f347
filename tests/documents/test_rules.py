"""Every numbered rule: one document that keeps it, one that breaks it, and the place it names."""

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import texts
from gateway.documents import RULES, Documents, load, pointers
from gateway.documents.rules import Book, Complaint, at, members, number, text
from gateway.documents.rules_data import RulesData
from gateway.errors import Finding, NeedsOperator, Severity

ON = dt.date(2026, 11, 21)
ITEM = "/goods_shipment/government_agency_goods_items/0"
BOX = "/goods_shipment/consignment/transport_equipments"
NAMED = {"declaration": {"id": "070220261000000001"}}
REASON = {"reason_code": "1"}

# number: kind, what is put into the document so that it breaks the rule, and the places it then names
BREAKING: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "DOC-001": ("declaration", {f"{ITEM}/sequence_number": "2"}, [f"{ITEM}/sequence_number"]),
    "DOC-002": ("declaration", {"/goods_item_quantity/value": "3"}, ["/goods_item_quantity/value"]),
    "DOC-003": ("declaration", {"/total_gross_mass/value": "1999.99"}, ["/total_gross_mass/value"]),
    "DOC-004": ("declaration", {f"{ITEM}/commodity/goods_measure/gross_mass/value": "999"},
                [f"{ITEM}/commodity/goods_measure/gross_mass/value"]),
    "DOC-005": ("declaration", {"/total_package_quantity/value": "21"}, ["/total_package_quantity/value"]),
    "DOC-006": ("declaration", {"/invoice_amount": {"value": "5"}}, ["/invoice_amount/currency"]),
    "DOC-007": ("declaration", {"/declaration_type/declaration_step": "complete"}, ["/unified_number"]),
    "DOC-008": ("declaration", {"/two_stage_access/transfer_requested": "yes"}, ["/two_stage_access/transfer_site_id"]),
    "DOC-009": ("declaration", {"/regime": "tir"}, ["/border_transport_means/conveyance_reference_id"]),
    "DOC-010": ("declaration_amendment", NAMED, ["/changes"]),
    "DOC-011": ("declaration_amendment", {**NAMED, "/changes": [{"pointer": "/nowhere"}]}, ["/changes/0/pointer"]),
    "DOC-012": ("declaration_amendment",
                {**NAMED, "/changes": [{"pointer": "/direction", "old_value": "1", "new_value": "1"}]},
                ["/changes/0/new_value"]),
    "DOC-013": ("declaration_cancellation", NAMED, ["/reason_code"]),
    "DOC-014": ("declaration_cancellation", {"/declaration": {"version_id": "1"}, **REASON}, ["/declaration/id"]),
    "DOC-015": ("declaration", {"/agency_authorisation": {"valid_from": "2026-02-01", "valid_to": "2026-01-01"}},
                ["/agency_authorisation/valid_to"]),
    "DOC-016": ("declaration", {"/acceptance_date_time": "2026-12-24"}, ["/acceptance_date_time"]),
    "DOC-017": ("declaration", {f"{ITEM}/commodity/transport_equipments/0/id": "CSQU3054383"},
                [f"{ITEM}/commodity/transport_equipments/0/id"]),
    "DOC-018": ("declaration", {f"{BOX}/0/goods_item_numbers/0": "3"}, [f"{BOX}/0/goods_item_numbers/0"]),
    "DOC-019": ("declaration", {"/declarant": {"address": {"city_name": "Erenhot"}}}, ["/declarant/name"]),
    "DOC-022": ("declaration", {"/additional_documents": [{"type_code": "740", "id": "057-12345676"}]},
                ["/additional_documents/0/id"]),
    "DOC-021": ("declaration", {f"{ITEM}/commodity/goods_measure/tariff_quantity": {"value": "-1000", "unit_code": "KGM"}},
                [f"{ITEM}/commodity/goods_measure/tariff_quantity/value"]),
    "DOC-020": ("declaration", {f"{BOX}/1": {"id": "MSKU9070323"}}, [f"{BOX}/1/id"]),
}  # fmt: skip

# number: further ways to keep the rule beside the sound documents
KEEPING: dict[str, list[dict[str, Any]]] = {
    "DOC-003": [{"/total_net_mass": {"value": "2001", "unit_code": "KGM"}}, {"/total_gross_mass/unit_code": "TNE"}],
    "DOC-005": [{f"{ITEM}/packagings": []}],
    "DOC-007": [{"/declaration_type/declaration_step": "complete", "/unified_number": "I20260000000000001"}],
    "DOC-008": [{"/two_stage_access": {"transfer_requested": "yes", "transfer_site_id": "CNERC070001"}}],
    "DOC-009": [
        {"/regime": "tir", "/border_transport_means": {"conveyance_reference_id": "XA12345678"}},
        {"/regime": "tir", "/additional_documents": [{"type_code": "952", "id": "XA12345678"}]},
        {"/regime": "tir", "/obligation_guarantees": [{"reference_id": "XA12345678"}]},
    ],
    "DOC-017": [{BOX: [{"sequence_number": "1"}]}],
    "DOC-022": [
        {
            "/additional_documents": [
                {"type_code": "740", "id": "057-12345675"},
                {"type_code": "952", "id": "XA12345678"},
            ]
        },
        {"/additional_documents": [{"type_code": "380", "id": "057-12345676"}]},
    ],
    "DOC-021": [
        {"/goods_shipment/customs_valuation": {"charges": [{"type": "other", "method": "total", "value": "-30"}]}},
        {"/invoice_amount": {"value": "-0.00", "currency": "CNY"}},
    ],
    "DOC-019": [{"/agent": {"function_code": "2"}}, {"/declarant": {"foreign_name": "Tavan Tolgoi"}}],
}
SOUND_REQUESTS = {
    "declaration_amendment": {
        **NAMED, "changes": [{"pointer": f"{ITEM}/commodity/description", "old_value": "a", "new_value": "b"}],
    },
    "declaration_cancellation": {**NAMED, **REASON},
    "goods_presentation": NAMED,
}  # fmt: skip


def with_changes(document: Any, changes: dict[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(document)
    for place, value in changes.items():
        pointers.set(document, place if place.startswith("/") else f"/{place}", copy.deepcopy(value))
    changed: dict[str, Any] = document
    return changed


def breaches(documents: Documents, kind: str, document: Any, number: str) -> list[Finding]:
    found = documents.check(kind, document, on=ON)
    return [finding for finding in found if (finding.source or "").startswith(f"{number}:")]


def test_every_rule_has_a_case_that_breaks_it() -> None:
    assert set(BREAKING) == set(RULES)


@pytest.mark.parametrize("number", BREAKING)
def test_a_rule_names_the_place_where_it_is_broken(
    documents: Documents, declaration: dict[str, Any], number: str
) -> None:
    kind, changes, places = BREAKING[number]
    document = with_changes(declaration if kind == "declaration" else {}, changes)
    found = breaches(documents, kind, document, number)
    assert [finding.pointer for finding in found] == places
    row = documents.rules_data.row(number)
    assert {finding.severity for finding in found} == {row.severity}
    assert {finding.source for finding in found} == {f"{number}: {row.source}"}


@pytest.mark.parametrize("number", RULES)
def test_a_sound_document_keeps_every_rule(documents: Documents, declaration: dict[str, Any], number: str) -> None:
    for kind in RULES[number].kinds:
        document = declaration if kind == "declaration" else SOUND_REQUESTS[kind]
        assert breaches(documents, kind, document, number) == []
        assert breaches(documents, kind, {}, number) == [] or kind != "declaration"


@pytest.mark.parametrize(("number", "changes"), [(number, case) for number, cases in KEEPING.items() for case in cases])
def test_other_ways_to_keep_a_rule_are_taken(
    documents: Documents, declaration: dict[str, Any], number: str, changes: dict[str, Any]
) -> None:
    assert breaches(documents, "declaration", with_changes(declaration, changes), number) == []


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("declaration", f"{ITEM}/statistical_value_amount"),
        ("declaration", f"{ITEM}/commodity/duty_tax_fees/0/payment/payment_amount"),
        ("declaration", "/obligation_guarantees/0/amount"),
        ("declaration_amendment", "/content/invoice_amount"),
    ],
)
def test_every_amount_of_a_document_names_its_currency(
    documents: Documents, declaration: dict[str, Any], kind: str, place: str
) -> None:
    whole = declaration if kind == "declaration" else SOUND_REQUESTS[kind]
    for amount, places in (({"value": "5"}, [f"{place}/currency"]), ({"value": "5", "currency": "CNY"}, [])):
        found = breaches(documents, kind, with_changes(whole, {place: amount}), "DOC-006")
        assert [finding.pointer for finding in found] == places


@pytest.mark.parametrize(
    "place",
    ["/total_net_mass", "/total_package_quantity", "/invoice_amount", f"{ITEM}/packagings/0/quantity", f"{ITEM}/statistical_value_amount",
     f"{ITEM}/commodity/invoice_line/item_charge_amount", f"{BOX}/0/gross_mass"],
)  # fmt: skip
def test_nothing_weighed_counted_or_priced_is_below_zero(
    documents: Documents, declaration: dict[str, Any], place: str
) -> None:
    document = with_changes(declaration, {place: {"value": "-0.5"}})
    assert [one.pointer for one in breaches(documents, "declaration", document, "DOC-021")] == [f"{place}/value"]


@pytest.mark.parametrize(
    "changes",
    [
        {"/goods_shipment/previous_documents": [{"type_code": "NMRN", "id": "21DE330243450436E9"}]},
        {f"{ITEM}/additional_documents": [{"type_code": "N952", "id": "12345678"}]},
        {"/goods_shipment/consignment/transport_contract_documents": [{"type_code": "741", "id": "057 12345675"}]},
    ],
)
def test_the_number_of_a_paper_is_held_against_its_kind_wherever_it_stands(
    documents: Documents, declaration: dict[str, Any], changes: dict[str, Any]
) -> None:
    found = breaches(documents, "declaration", with_changes(declaration, changes), "DOC-022")
    assert len(found) == 1
    assert (found[0].pointer or "").startswith(next(iter(changes)))


def test_sound_requests_have_no_finding(documents: Documents) -> None:
    for kind, document in SOUND_REQUESTS.items():
        assert documents.check(kind, document, on=ON) == []


def test_a_cancellation_may_give_its_reason_the_british_way(documents: Documents) -> None:
    content = {"additional_informations": [{"statement_type_code": "AES", "statement_description": "filed twice"}]}
    assert documents.check("declaration_cancellation", {**NAMED, "content": content}, on=ON) == []


def test_every_rule_has_its_words(project_root: Path) -> None:
    assert texts.load(project_root).without_row({rule.code for rule in RULES.values()}) == []


def test_an_operator_can_allow_for_rounding(project_root: Path, tmp_path: Path, declaration: dict[str, Any]) -> None:
    (tmp_path / "rules").mkdir()
    allowed = 'thresholds: {net_over_gross_tolerance: [{value: "0.01", valid_from: 2026-01-01}]}'
    (tmp_path / "rules" / "ours.yaml").write_text(allowed)
    documents = load(project_root / "specs", tmp_path)
    declaration["total_gross_mass"]["value"] = "1999"
    assert breaches(documents, "declaration", declaration, "DOC-003") == []
    old = documents.check("declaration", declaration, on=ON.replace(year=2025))
    assert "document.rule.net_over_gross" in {finding.code for finding in old}


def overlaid(project_root: Path, folder: Path, text: str) -> Documents:
    (folder / "rules").mkdir()
    (folder / "rules" / "ours.yaml").write_text(text, "utf-8")
    return load(project_root / "specs", folder)


@pytest.mark.parametrize(
    ("words", "severities"),
    [
        ("severity: warning", [Severity.WARNING]),
        ("enabled: false", []),
        ("valid_from: 2026-11-21", [Severity.ERROR]),
        ("valid_from: 2026-11-22", []),
        ("valid_to: 2026-11-21", [Severity.ERROR]),
        ("valid_to: 2026-11-20", []),
        ("source: our port says so", [Severity.ERROR]),
    ],
)
def test_an_operator_softens_ends_or_drops_a_rule(
    project_root: Path, tmp_path: Path, declaration: dict[str, Any], words: str, severities: list[Severity]
) -> None:
    documents = overlaid(project_root, tmp_path, f"rules: {{DOC-004: {{{words}}}}}")
    _, changes, _ = BREAKING["DOC-004"]
    found = breaches(documents, "declaration", with_changes(declaration, changes), "DOC-004")
    assert [finding.severity for finding in found] == severities
    assert (
        documents.rules_data.row("DOC-004").pointers == load(project_root / "specs").rules_data.row("DOC-004").pointers
    )


@pytest.mark.parametrize(
    "text",
    [
        "rules: {DOC-999: {enabled: false}}",
        "rules: {DOC-001: {severity: fatal}}",
        "rules: {DOC-001: {severty: warning}}",
        "rules: {DOC-001: {enabled: never}}",
        "rules: {DOC-001: {valid_from: soon}}",
        "rules: [DOC-001]",
        "severities: {DOC-001: warning}",
        "thresholds: {x: [{value: NaN}]}",
        "rulez: {}",
        "{",
    ],
)
def test_a_slip_in_the_operators_rules_is_told(project_root: Path, tmp_path: Path, text: str) -> None:
    with pytest.raises(NeedsOperator) as raised:
        overlaid(project_root, tmp_path, text)
    assert [finding.code for finding in raised.value.findings] == ["specs.rules.broken"]


def test_a_number_is_given_once() -> None:
    book: Book[None] = Book("x.rule")

    def never(_document: Any, _facts: None) -> list[Complaint]:
        return [Complaint(("a", 0), "f", "e")]

    book.rule("X-1", "x", "a")(never)
    with pytest.raises(ValueError, match="twice"):
        book.rule("X-1", "y", "a")(never)
    assert [rule.code for rule in book.of("a")] == ["x.rule.x"]


def test_a_rule_without_a_row_is_an_error_and_always_asked() -> None:
    book: Book[None] = Book("x.rule")
    book.rule("X-1", "x", "a")(lambda _document, _facts: [Complaint(("a", 0), "f", "e")])
    found = book.check("a", {}, None, on=ON, data=RulesData())
    assert found == [Finding("x.rule.x", "/a/0", "f", "e", "X-1", params={"rule": "X-1"})]
    assert book.check("b", {}, None, on=ON, data=RulesData()) == []
    assert book.check("a", ["no object"], None, on=ON, data=RulesData()) == []


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_the_readers_of_rules_take_anything(value: Any) -> None:
    assert at(value, "a", "b") is None or isinstance(value, dict)
    assert all(isinstance(member, dict) for _, member in members(value, "a"))
    assert text(value, "a") is None or isinstance(value, dict)
    assert number(value, "a") is None or isinstance(value, dict)


@pytest.mark.parametrize("odd", ["1e5", "NaN", "", "٣", "9" * 50, " 1", "--1", "1-", ".", "1_0"])
def test_only_plain_decimals_are_numbers(odd: Any) -> None:
    assert number({"a": odd}, "a") is None
