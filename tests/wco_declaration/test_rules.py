"""Each numbered rule: a document that keeps it, and one that breaks it, with the place named."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.catalogue import Entry
from gateway.errors import Finding

from .conftest import SAMPLES, context_of

Json = dict[str, Any]
ITEMS = "/goods_shipment/government_agency_goods_items"
SOUND = {
    "declaration": "import-cashmere-garments",
    "declaration_amendment": "amendment-net-weight-and-price",
    "declaration_cancellation": "cancellation-filed-twice",
    "goods_presentation": "presentation-goods-arrived",
}


def without(*path: str | int) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        here: Any = document
        for step in path[:-1]:
            here = here[step]
        del here[path[-1]]

    return change


def with_value(value: Any, *path: str | int) -> Callable[[Json], None]:
    def change(document: Json) -> None:
        here: Any = document
        for step in path[:-1]:
            here = here[step]
        here[path[-1]] = value

    return change


GOODS = ("goods_shipment", "government_agency_goods_items")
# rule, kind -> what breaks it, and the place that is named
BREACHES: dict[tuple[str, str], tuple[Callable[[Json], None], str]] = {
    ("WCO-DEC-001", "declaration"): (with_value("with space", "functional_reference_id"), "/functional_reference_id"),
    ("WCO-DEC-003", "declaration"): (with_value("EXA", "type_code"), "/type_code"),
    ("WCO-DEC-004", "declaration"): (with_value("13", "function_code"), "/function_code"),
    ("WCO-DEC-004", "goods_presentation"): (with_value("9", "function_code"), "/function_code"),
    ("WCO-DEC-005", "declaration"): (with_value([], *GOODS), ITEMS),
    ("WCO-DEC-007", "declaration"): (
        with_value([{"id": "00", "identification_type_code": "TRC"}], *GOODS, 0, "commodity", "classifications"),
        f"{ITEMS}/0/commodity/classifications",
    ),
    ("WCO-DEC-008", "declaration"): (
        without(*GOODS, 1, "government_procedures"),
        f"{ITEMS}/1/government_procedures",
    ),
    ("WCO-DEC-011", "declaration"): (without("declarant"), "/declarant/identifiers"),
    ("WCO-DEC-012", "declaration"): (
        with_value("6110.11", *GOODS, 0, "commodity", "classifications", 0, "id"),
        f"{ITEMS}/0/commodity/classifications/0/id",
    ),
    ("WCO-REQ-005", "declaration_amendment"): (without("declaration", "id"), "/declaration/id"),
    ("WCO-REQ-005", "declaration_cancellation"): (without("declaration", "id"), "/declaration/id"),
    ("WCO-REQ-001", "declaration_cancellation"): (with_value("123", "declaration", "id"), "/declaration/id"),
    ("WCO-REQ-002", "declaration_cancellation"): (with_value("COR", "type_code"), "/type_code"),
    ("WCO-REQ-003", "goods_presentation"): (without("submitter"), "/submitter/identifiers"),
    ("WCO-AMD-001", "declaration_amendment"): (with_value([], "changes"), "/changes"),
    ("WCO-AMD-002", "declaration_amendment"): (without("changes", 0, "reason_code"), "/changes/0/reason_code"),
    ("WCO-CAN-001", "declaration_cancellation"): (without("reason_code"), "/reason_code"),
}


def found(entry: Entry, kind: str, document: Json, **more: Any) -> list[Finding]:
    return entry.adapter.check(document, context_of(entry, kind, **more))


def sound(kind: str) -> Json:
    document: Json = json.loads((SAMPLES / f"{SOUND[kind]}.json").read_text(encoding="utf-8"))["document"]
    return document


@pytest.mark.parametrize("kind", SOUND)
def test_our_samples_break_no_rule(entry: Entry, kind: str) -> None:
    assert found(entry, kind, sound(kind)) == []


@pytest.mark.parametrize(("rule", "kind"), BREACHES)
def test_a_broken_rule_is_named_with_its_number_and_place(entry: Entry, rule: str, kind: str) -> None:
    change, pointer = BREACHES[rule, kind]
    document = sound(kind)
    change(document)
    findings = found(entry, kind, document)
    assert [(str(one.source).split(":")[0], one.pointer) for one in findings] == [(rule, pointer)]


def test_a_corrected_declaration_needs_a_new_reference(entry: Entry) -> None:
    document = sound("declaration")
    known = {"wco-lrn": document["functional_reference_id"]}
    assert found(entry, "declaration", document, known=known) == []
    findings = found(entry, "declaration", document, known=known, round=2)
    assert [one.pointer for one in findings] == ["/functional_reference_id"]


def test_a_request_may_leave_the_number_to_the_gateway(entry: Entry) -> None:
    document = sound("declaration_amendment")
    del document["declaration"]["id"]
    assert found(entry, "declaration_amendment", document, known={"mrn": "26GBK7Q2M4X9B1TAR3"}) == []


def test_a_request_names_the_declaration_it_is_filed_against(entry: Entry) -> None:
    document = sound("declaration_amendment")
    known = {"mrn": "26GBZZZZZZZZZZZZZ3"}
    findings = found(entry, "declaration_amendment", document, known=known)
    assert [(one.code, one.expected) for one in findings] == [("wco_declaration.request.other", known["mrn"])]


def test_an_amendment_without_changes_is_refused(entry: Entry) -> None:
    document = sound("declaration_amendment")
    del document["changes"]
    assert [one.pointer for one in found(entry, "declaration_amendment", document)] == ["/changes"]


def test_a_cancellation_without_words_is_refused(entry: Entry) -> None:
    document = sound("declaration_cancellation")
    del document["reason_text"], document["content"]
    assert [one.pointer for one in found(entry, "declaration_cancellation", document)] == ["/reason_text"]


def test_transit_is_not_declared_here(entry: Entry) -> None:
    document = sound("declaration") | {"direction": "transit"}
    del document["type_code"]
    assert [one.pointer for one in found(entry, "declaration", document)] == ["/direction"]


@pytest.mark.parametrize("kind", SOUND)
@pytest.mark.parametrize("wrong", ["text", 7, None, [], {"a": []}, [1, "x"]])
def test_rules_read_any_shape(entry: Entry, kind: str, wrong: Any) -> None:
    for name in sound(kind):
        document = copy.deepcopy(sound(kind)) | {name: wrong}
        found(entry, kind, document)
