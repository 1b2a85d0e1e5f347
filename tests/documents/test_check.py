"""Checking a document: every fault at once, each at its place, and nothing but findings for any JSON there is."""

import copy
import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.documents import Documents, load, pointers
from gateway.documents.capped import MOST_FINDINGS
from gateway.documents.shape import short
from gateway.errors import Finding, NotFound, Severity, errors_only

ON = dt.date(2026, 11, 21)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=15,
)
HERE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def codes(findings: list[Finding], pointer: str) -> list[str]:
    return [finding.code for finding in findings if finding.pointer == pointer]


def test_a_sound_declaration_has_no_finding(documents: Documents, declaration: dict[str, Any]) -> None:
    assert documents.check("declaration", declaration, on=ON) == []


def test_every_fault_is_told_at_once_in_reading_order(documents: Documents, declaration: dict[str, Any]) -> None:
    del declaration["direction"]
    declaration["agnt"] = {}
    declaration["issue_date_time"] = "2026-02-30"
    declaration["total_gross_mass"]["value"] = "1e9"
    declaration["goods_shipment"]["supervision_mode_code"] = "nope"
    declaration["goods_shipment"]["consignee"]["identifiers"][0]["value"] = "91150135MA92563410"
    declaration["goods_shipment"]["government_agency_goods_items"][1]["sequence_number"] = "7"
    findings = documents.check("declaration", declaration, on=ON)
    assert codes(findings, "/direction") == ["document.schema.required"]
    assert codes(findings, "/agnt") == ["document.schema.unknown"]
    assert codes(findings, "/issue_date_time") == ["document.format.date"]
    assert codes(findings, "/total_gross_mass/value") == ["document.schema.pattern"]
    assert codes(findings, "/goods_shipment/supervision_mode_code") == ["document.code.unknown"]
    assert codes(findings, "/goods_shipment/consignee/identifiers/0/value") == ["document.identifier.check_digit"]
    item = "/goods_shipment/government_agency_goods_items/1/sequence_number"
    assert codes(findings, item) == ["document.rule.item_numbers"]
    places = [finding.pointer for finding in findings]
    assert places == sorted(places, key=pointers.reading_order)


def test_a_misspelt_field_is_guessed_and_a_foreign_code_is_translated(
    documents: Documents, declaration: dict[str, Any]
) -> None:
    declaration["declarnt"] = {}
    item = declaration["goods_shipment"]["government_agency_goods_items"][0]
    item["origins"][0]["country_code"] = "MNG"
    findings = documents.check("declaration", declaration, on=ON)
    assert {finding.found: finding.expected for finding in findings} == {"declarnt": "declarant", "MNG": "MN"}


def test_codes_are_judged_by_the_day(documents: Documents, declaration: dict[str, Any]) -> None:
    declaration["goods_shipment"]["supervision_mode_code"] = "9710"
    declaration["issue_date_time"] = "2020-06-01"
    before = documents.check("declaration", declaration, on=ON.replace(year=2020, month=6, day=1))
    assert [finding.code for finding in before] == ["document.code.not_yet"]
    assert documents.check("declaration", declaration, on=ON) == []


def test_a_code_missing_in_a_list_that_moves_only_warns(documents: Documents, declaration: dict[str, Any]) -> None:
    declaration["goods_shipment"]["supervision_mode_code"] = "0999"
    declaration["goods_shipment"]["government_agency_goods_items"][0]["duty_levy_mode_code"] = "0"
    findings = documents.check("declaration", declaration, on=ON)
    assert {finding.found: finding.severity for finding in findings} == {
        "0999": Severity.WARNING, "0": Severity.ERROR,
    }  # fmt: skip


def test_identifiers_of_a_partner_only_warn(documents: Documents, declaration: dict[str, Any]) -> None:
    declaration["agent"]["identifiers"][0]["value"] = "91150135MA92563410"
    ours = documents.check("declaration", declaration, on=ON)
    theirs = documents.check("declaration", declaration, on=ON, partner_data=True)
    assert [finding.severity for finding in ours] == [Severity.ERROR]
    assert [finding.severity for finding in theirs] == [Severity.WARNING]


def test_an_operator_can_make_a_rule_or_an_identifier_milder(
    project_root: Path, tmp_path: Path, declaration: dict[str, Any]
) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "ours.yaml").write_text(
        "rules: {DOC-001: {severity: warning}}\nseverities: {cn-usci: information}"
    )
    declaration["agent"]["identifiers"][0]["value"] = "91150135MA92563410"
    declaration["goods_shipment"]["government_agency_goods_items"][1]["sequence_number"] = "7"
    declaration["goods_shipment"]["consignment"]["transport_equipments"][0]["goods_item_numbers"] = ["1"]
    findings = load(project_root / "specs", tmp_path).check("declaration", declaration, on=ON)
    assert {finding.severity for finding in findings} == {Severity.WARNING, Severity.INFORMATION}


def test_found_values_are_cut(documents: Documents, declaration: dict[str, Any]) -> None:
    declaration["direction"] = "x" * 10_000
    declaration["functional_reference_id"] = ["y" * 10_000]
    for finding in documents.check("declaration", declaration, on=ON):
        assert len(finding.found or "") <= 80


@pytest.mark.parametrize(
    "many",
    [{"government_agency_goods_items": [7] * 20_000}, {f"nonsense_{n}": 1 for n in range(20_000)},
     {"government_agency_goods_items": [{"sequence_number": "0"}] * 20_000},
     {"government_agency_goods_items": [{"origins": [{"country_code": "??"}]}] * 20_000}],
)  # fmt: skip
def test_a_document_of_many_faults_is_answered_with_some_in_short_time(
    documents: Documents, declaration: dict[str, Any], many: dict[str, Any]
) -> None:
    declaration["goods_shipment"].update(many)
    begin = time.thread_time()
    findings = documents.check("declaration", declaration, on=ON)
    assert time.thread_time() - begin < 12
    assert len(findings) == MOST_FINDINGS + 1
    assert findings[-1].code == "document.findings.more"
    assert errors_only(findings)


def test_a_pointer_is_of_a_length_that_people_read(documents: Documents) -> None:
    amendment = {"declaration": {"id": "1"}, "changes": [{"pointer": "/items/" + "9" * 4301, "new_value": "5"}]}
    found = {finding.code for finding in documents.check("declaration_amendment", amendment, on=ON, follows=True)}
    assert "document.schema.length" in found


def test_a_kind_that_is_not_there_is_not_found(documents: Documents) -> None:
    with pytest.raises(NotFound):
        documents.check("poem", {}, on=ON)


@pytest.mark.parametrize("odd", [{1: 2}, {"a": object()}, "\ud800", {"\ud800": 1}, {1, 2}])
def test_what_is_no_json_is_one_finding(documents: Documents, odd: Any) -> None:
    assert [finding.code for finding in documents.check("declaration", odd, on=ON)] == ["document.not_json"]


def test_nesting_without_end_is_a_finding(documents: Documents) -> None:
    deep: dict[str, Any] = {}
    for _ in range(20_000):
        deep = {"goods_shipment": deep}
    assert errors_only(documents.check("declaration", deep, on=ON))


@HERE
@given(value=json_values)
def test_any_json_gives_findings_and_nothing_else(documents: Documents, value: Any) -> None:
    for kind in documents.kinds():
        findings = documents.check(kind, value, on=ON)
        assert all(isinstance(finding, Finding) for finding in findings)


@HERE
@given(data=st.data(), value=json_values)
def test_any_json_put_anywhere_gives_findings_and_nothing_else(
    documents: Documents, declaration: dict[str, Any], data: st.DataObject, value: Any
) -> None:
    declaration = copy.deepcopy(declaration)
    places = [pointer for pointer, _ in pointers.leaf_values(declaration)]
    place = data.draw(st.sampled_from(places))
    for ending in ("", place.rpartition("/")[0]):
        try:
            pointers.set(declaration, ending or place, value)
        except (KeyError, ValueError):
            continue
    findings = documents.check("declaration", declaration, on=ON)
    json.dumps([finding.as_dict() for finding in findings])


@pytest.mark.parametrize(
    ("value", "shown"),
    [("a" * 90, "a" * 79 + "…"), ([1, 2], "list of 2"), ({}, "object of 0"), (None, "null"), (True, "true"), (1.5, "1.5"),
     (10**400, "number of more than 18 digits"), ("\ud800", "\\ud800")],
)  # fmt: skip
def test_a_value_is_shown_short(value: Any, shown: str) -> None:
    assert short(value) == shown
