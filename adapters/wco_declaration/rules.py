"""The numbered rules of this family that no schema can say: the schema lets almost everything be absent.

A rule is a small generator; it reads any JSON, and what has the wrong shape is no business of a rule. Source where nothing
else is named: CDS declaration profile of the WCO Data Model 3.6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from adapters.wco_declaration.conversions import DIRECTIONS
from adapters.wco_declaration.mapping import party_scheme
from adapters.wco_declaration.requests import AMENDMENT, CANCELLATION, PRESENTATION, REQUESTS
from gateway.documents.rules import at, members, number, text
from gateway.errors import Finding, Severity
from gateway.ports import EncodeContext, Json

Rule = Callable[[Json, EncodeContext], Iterator[Finding]]

REFERENCE = re.compile(r"[0-9A-Za-z._/-]{1,35}")
MOVEMENT_NUMBER = re.compile(r"[0-9]{2}[A-Z]{2}[0-9A-Z]{14}")
TARIFF = "TSP"  # the commodity code of the tariff, first of the classifications
ITEMS = "/goods_shipment/government_agency_goods_items"
MOST_ITEMS = 999
PROFILE = "CDS declaration profile"


def check(document: Json, context: EncodeContext) -> list[Finding]:
    """Every broken rule of the document's kind."""
    kind = str(context.facts.get("kind") or context.kind)
    return [finding for rule in RULES.get(kind, ()) for finding in rule(document, context)]


def reference_has_its_shape(document: Json, _: EncodeContext) -> Iterator[Finding]:
    """WCO-DEC-001: the local reference number is 1 to 35 letters, digits, dots, dashes, strokes or low lines."""
    found = text(document, "functional_reference_id")
    if found is not None and not REFERENCE.fullmatch(found):
        yield Finding(
            "wco_declaration.reference.shape",
            "/functional_reference_id",
            found[:40],
            "1-35 of A-Z a-z 0-9 . _ / -",
            f"WCO-DEC-001: {PROFILE}, DE 2/5",
        )


def reference_is_new(document: Json, context: EncodeContext) -> Iterator[Finding]:
    """WCO-DEC-002: a corrected declaration needs a reference of its own; one of the last 48 hours is refused (CDS12003)."""
    found = text(document, "functional_reference_id")
    if found is not None and context.round > 1 and context.known.get("wco-lrn") == found:
        yield Finding(
            "wco_declaration.reference.used",
            "/functional_reference_id",
            found[:40],
            source=f"WCO-DEC-002: {PROFILE}, CDS12003",
        )


def type_fits_direction(document: Json, _: EncodeContext) -> Iterator[Finding]:
    """WCO-DEC-003: the first two letters of the type code tell the direction; transit has messages of its own."""
    direction, type_code = text(document, "direction"), text(document, "type_code")
    told = DIRECTIONS.get((type_code or "")[:2])
    if type_code is not None and told != direction:
        expected = " or ".join(f"{letters}..." for letters, meant in DIRECTIONS.items() if meant == direction)
        yield Finding(
            "wco_declaration.type.direction",
            "/type_code",
            type_code[:10],
            expected or "import or export",
            f"WCO-DEC-003: {PROFILE}, DE 1/1",
        )
    elif type_code is None and direction == "transit":
        yield Finding(
            "wco_declaration.type.direction",
            "/direction",
            direction,
            "import or export",
            f"WCO-DEC-003: {PROFILE}, DE 1/1",
        )


def function_fits_kind(document: Json, context: EncodeContext) -> Iterator[Finding]:
    """WCO-DEC-004: a declaration is an original (9), a request an additional message (13)."""
    found = text(document, "function_code")
    kind = str(context.facts.get("kind") or context.kind)
    expected = "13" if kind in REQUESTS else "9"
    if found not in (None, expected):
        yield Finding(
            "wco_declaration.function.kind", "/function_code", found, expected, f"WCO-DEC-004: {PROFILE}, section 5"
        )


def items_are_counted(document: Json, _: EncodeContext) -> Iterator[Finding]:
    """WCO-DEC-005: the number of items declared is the number of items there, 1 to 999."""
    count = sum(1 for _ in _items(document))
    told = number(document, "goods_item_quantity", "value")
    if not 1 <= count <= MOST_ITEMS:
        yield Finding("wco_declaration.items.count", ITEMS, str(count), "1-999", f"WCO-DEC-005: {PROFILE}, DE 1/9")
    elif told is not None and told != count:
        yield Finding(
            "wco_declaration.items.count",
            "/goods_item_quantity/value",
            f"{told:f}",
            str(count),
            f"WCO-DEC-005: {PROFILE}, DE 1/9",
        )


def items_are_numbered(document: Json, _: EncodeContext) -> Iterator[Finding]:
    """WCO-DEC-006: items are numbered 1, 2, 3 ...; pointers of errors name them so."""
    for index, item in _items(document):
        found = item.get("sequence_number")
        if found != str(index + 1):
            yield Finding(
                "wco_declaration.items.number",
                f"{ITEMS}/{index}/sequence_number",
                str(found)[:10] if found is not None else None,
                str(index + 1),
                f"WCO-DEC-006: {PROFILE}, DE 1/6",
            )


def items_are_classified(document: Json, _: EncodeContext) -> Iterator[Finding]:
    """WCO-DEC-007: each item has a commodity code of type TSP."""
    for index, item in _items(document):
        kinds = {text(one, "identification_type_code") for _, one in members(item, "commodity", "classifications")}
        if TARIFF not in kinds:
            yield Finding(
                "wco_declaration.items.classification",
                f"{ITEMS}/{index}/commodity/classifications",
                ", ".join(sorted(kind for kind in kinds if kind)) or None,
                TARIFF,
                f"WCO-DEC-007: {PROFILE}, DE 6/14",
            )


def items_have_a_procedure(document: Json, _: EncodeContext) -> Iterator[Finding]:
    """WCO-DEC-008: the first procedure of an item says which one is asked for and which one went before."""
    for index, item in _items(document):
        first = next((one for _, one in members(item, "government_procedures")), {})
        if not (text(first, "current_code") and text(first, "previous_code")):
            yield Finding(
                "wco_declaration.items.procedure",
                f"{ITEMS}/{index}/government_procedures",
                expected="current_code, previous_code",
                source=f"WCO-DEC-008: {PROFILE}, DE 1/10",
            )


def amounts_have_a_currency(document: Json, _: EncodeContext) -> Iterator[Finding]:
    """WCO-DEC-009: an amount without its currency says nothing."""
    for pointer, amount in _amounts(document, "") if _lacks_currency(document) else ():
        if text(amount, "value") and not text(amount, "currency"):
            yield Finding(
                "wco_declaration.amount.currency", f"{pointer}/currency", source=f"WCO-DEC-009: {PROFILE}, DE 4/10"
            )


def packages_add_up(document: Json, _: EncodeContext) -> Iterator[Finding]:
    """WCO-DEC-010: all packages of all items are the total number of packages."""
    told = number(document, "total_package_quantity", "value")
    counted = [
        number(packaging, "quantity", "value")
        for _, item in _items(document)
        for _, packaging in members(item, "packagings")
    ]
    known = [quantity for quantity in counted if quantity is not None]
    if told is not None and known and len(known) == len(counted) and sum(known, Decimal()) != told:
        yield Finding(
            "wco_declaration.packages.sum",
            "/total_package_quantity/value",
            f"{told:f}",
            f"{sum(known, Decimal()):f}",
            f"WCO-DEC-010: {PROFILE}, DE 6/18",
            severity=Severity.WARNING,
        )


def declarant_is_known(document: Json, context: EncodeContext) -> Iterator[Finding]:
    """WCO-DEC-011: the declarant is named by a number of the register that this authority uses."""
    scheme = party_scheme(context)
    if not _has_number(document, "declarant", scheme):
        yield Finding(
            "wco_declaration.party.number",
            "/declarant/identifiers",
            expected=scheme,
            source=f"WCO-DEC-011: {PROFILE}, DE 3/18",
        )


def declaration_is_named(document: Json, context: EncodeContext) -> Iterator[Finding]:
    """WCO-REQ-001: a request names its declaration by the movement reference number, as customs gave it."""
    given, told = text(document, "declaration", "id"), context.known.get("mrn")
    found = given or told
    if given and told and given != told:
        yield Finding(
            "wco_declaration.request.other", "/declaration/id", given[:40], told, f"WCO-REQ-001: {PROFILE}, section 5"
        )
    if not found:
        yield Finding("wco_declaration.request.number", "/declaration/id", source=f"WCO-REQ-001: {PROFILE}, section 5")
    elif not MOVEMENT_NUMBER.fullmatch(found):
        yield Finding(
            "wco_declaration.request.number",
            "/declaration/id",
            found[:40],
            "yyCC and 14 letters or digits",
            f"WCO-REQ-001: {PROFILE}, section 5",
        )


def type_fits_request(document: Json, context: EncodeContext) -> Iterator[Finding]:
    """WCO-REQ-002: COR amends, INV cancels, GPR presents."""
    found, expected = text(document, "type_code"), REQUESTS.get(str(context.facts.get("kind") or context.kind))
    if found not in (None, expected):
        yield Finding(
            "wco_declaration.request.type",
            "/type_code",
            str(found)[:10],
            expected,
            f"WCO-REQ-002: {PROFILE}, section 5",
        )


def submitter_is_known(document: Json, context: EncodeContext) -> Iterator[Finding]:
    """WCO-REQ-003: a presentation says who presents the goods."""
    scheme = party_scheme(context)
    if not _has_number(document, "submitter", scheme):
        yield Finding(
            "wco_declaration.party.number",
            "/submitter/identifiers",
            expected=scheme,
            source=f"WCO-REQ-003: {PROFILE}, section 5",
        )


def changes_are_named(document: Json, _: EncodeContext) -> Iterator[Finding]:
    """WCO-AMD-001: an amendment lists its changes, each with its place and the code of its reason."""
    changes = list(members(document, "changes"))
    if not changes:
        yield Finding("wco_declaration.change.none", "/changes", source=f"WCO-AMD-001: {PROFILE}, Amendment 06A")
    for index, change in changes:
        for names in (("pointer", "pointers"), ("reason_code",)):
            if not any(change.get(name) or document.get(name) for name in names):
                yield Finding(
                    "wco_declaration.change.missing",
                    f"/changes/{index}/{names[0]}",
                    expected=names[0],
                    source=f"WCO-AMD-001: {PROFILE}, Amendment 06A",
                )


def cancellation_gives_reasons(document: Json, _: EncodeContext) -> Iterator[Finding]:
    """WCO-CAN-001: a cancellation gives its reason as a code and in words."""
    told = [
        one for _, one in members(document, "content", "additional_informations") if text(one, "statement_description")
    ]
    codes = [one for _, one in members(document, "changes") if text(one, "reason_code")]
    for name, elsewhere in (("reason_code", codes), ("reason_text", told)):
        if not text(document, name) and not elsewhere:
            yield Finding(
                "wco_declaration.reason.missing",
                f"/{name}",
                expected=name,
                source=f"WCO-CAN-001: {PROFILE}, AdditionalInformation 03A of type AES",
            )


def _items(document: Json) -> Iterator[tuple[int, dict[str, Any]]]:
    return members(document, "goods_shipment", "government_agency_goods_items")


def _has_number(document: Json, party: str, scheme: str) -> bool:
    return any(one.get("scheme") == scheme and text(one, "value") for _, one in members(document, party, "identifiers"))


def _lacks_currency(document: Json) -> bool:
    """Whether there is an amount to complain about; the places are worked out for such a document only."""
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
            continue
        for name, inner in value.items() if isinstance(value, dict) else ():
            if isinstance(inner, str):
                continue
            if isinstance(name, str) and name.endswith("amount") and isinstance(at(inner, "value"), str):
                if inner["value"] and not text(inner, "currency"):
                    return True
            else:
                waiting.append(inner)
    return False


def _amounts(value: Any, at_pointer: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            pointer = f"{at_pointer}/{name}"
            if isinstance(name, str) and name.endswith("amount") and isinstance(at(inner, "value"), str):
                yield pointer, inner
            elif isinstance(inner, dict | list):
                yield from _amounts(inner, pointer)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if isinstance(inner, dict | list):
                yield from _amounts(inner, f"{at_pointer}/{index}")


_REQUEST: tuple[Rule, ...] = (
    reference_has_its_shape,
    function_fits_kind,
    declaration_is_named,
    type_fits_request,
)
RULES: dict[str, tuple[Rule, ...]] = {
    "declaration": (
        reference_has_its_shape,
        reference_is_new,
        type_fits_direction,
        function_fits_kind,
        items_are_counted,
        items_are_numbered,
        items_are_classified,
        items_have_a_procedure,
        amounts_have_a_currency,
        packages_add_up,
        declarant_is_known,
    ),
    AMENDMENT: (*_REQUEST, changes_are_named, amounts_have_a_currency),
    CANCELLATION: (*_REQUEST, cancellation_gives_reasons),
    PRESENTATION: (*_REQUEST, submitter_is_known),
}
