"""The numbered rules of this family that no schema can say: the schema lets almost everything be absent.

How rules work: gateway/documents/rules.py. How bad each is and who says so: specs/rules/wco_declaration.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from adapters.wco_declaration.conversions import DIRECTIONS
from adapters.wco_declaration.mapping import party_scheme
from adapters.wco_declaration.requests import AMENDMENT, CANCELLATION, PRESENTATION, REQUESTS
from gateway.documents.rules import Book, Complaint, Document, day, members, text
from gateway.documents.rules_data import RulesData
from gateway.errors import Finding
from gateway.ports import EncodeContext

REFERENCE = re.compile(r"[0-9A-Za-z._/-]{1,35}")
MOVEMENT_NUMBER = re.compile(r"[0-9]{2}[A-Z]{2}[0-9A-Z]{14}")
TARIFF = "TSP"  # the commodity code of the tariff, first of the classifications
ITEMS = ("goods_shipment", "government_agency_goods_items")
TARIFF_CODE = re.compile(r"[0-9]{6,10}")
MOST_ITEMS = 999
DECLARATION = "declaration"
BOOK: Book[EncodeContext] = Book("wco_declaration")


def check(document: Document, context: EncodeContext, data: RulesData) -> list[Finding]:
    """Every broken rule of the document's kind."""
    return BOOK.check(context.kind, document, context, on=day(context.now_us), data=data)


@BOOK.rule("WCO-DEC-001", "reference.shape", DECLARATION, *REQUESTS)
def reference_has_its_shape(document: Document, _: EncodeContext) -> Iterator[Complaint]:
    """The local reference number is 1 to 35 letters, digits, dots, dashes, strokes or low lines."""
    found = text(document, "functional_reference_id")
    if found is not None and not REFERENCE.fullmatch(found):
        yield Complaint(("functional_reference_id",), found[:40], "1-35 of A-Z a-z 0-9 . _ / -")


@BOOK.rule("WCO-DEC-002", "reference.used", DECLARATION)
def reference_is_new(document: Document, context: EncodeContext) -> Iterator[Complaint]:
    """A corrected declaration needs a reference of its own; one of the last 48 hours is refused (CDS12003)."""
    found = text(document, "functional_reference_id")
    if found is not None and context.round > 1 and context.known.get("wco-lrn") == found:
        yield Complaint(("functional_reference_id",), found[:40])


@BOOK.rule("WCO-DEC-003", "type.direction", DECLARATION)
def type_fits_direction(document: Document, _: EncodeContext) -> Iterator[Complaint]:
    """The first two letters of the type code tell the direction; transit has messages of its own."""
    direction, type_code = text(document, "direction"), text(document, "type_code")
    told = DIRECTIONS.get((type_code or "")[:2])
    if type_code is not None and told != direction:
        expected = ", ".join(f"{letters}..." for letters, meant in DIRECTIONS.items() if meant == direction)
        yield Complaint(("type_code",), type_code[:10], expected or "import or export")
    elif type_code is None and direction == "transit":
        yield Complaint(("direction",), direction, "import or export")


@BOOK.rule("WCO-DEC-004", "function.kind", DECLARATION, *REQUESTS)
def function_fits_kind(document: Document, context: EncodeContext) -> Iterator[Complaint]:
    """A declaration is an original (9), a request an additional message (13)."""
    found = text(document, "function_code")
    expected = "13" if context.kind in REQUESTS else "9"
    if found not in (None, expected):
        yield Complaint(("function_code",), found, expected)


@BOOK.rule("WCO-DEC-005", "items.count", DECLARATION)
def items_are_not_too_many(document: Document, _: EncodeContext) -> Iterator[Complaint]:
    """A declaration has 1 to 999 items."""
    count = sum(1 for _ in members(document, *ITEMS))
    if not 1 <= count <= MOST_ITEMS:
        yield Complaint(ITEMS, str(count), f"1-{MOST_ITEMS}")


@BOOK.rule("WCO-DEC-007", "items.classification", DECLARATION)
def items_are_classified(document: Document, _: EncodeContext) -> Iterator[Complaint]:
    """Each item has a commodity code of type TSP."""
    for index, item in members(document, *ITEMS):
        kinds = {text(one, "identification_type_code") for _, one in members(item, "commodity", "classifications")}
        if TARIFF not in kinds:
            found = ", ".join(sorted(kind for kind in kinds if kind)) or None
            yield Complaint((*ITEMS, index, "commodity", "classifications"), found, TARIFF)


@BOOK.rule("WCO-DEC-008", "items.procedure", DECLARATION)
def items_have_a_procedure(document: Document, _: EncodeContext) -> Iterator[Complaint]:
    """The first procedure of an item says which one is asked for and which one went before."""
    for index, item in members(document, *ITEMS):
        first = next((one for _, one in members(item, "government_procedures")), {})
        if not (text(first, "current_code") and text(first, "previous_code")):
            yield Complaint((*ITEMS, index, "government_procedures"), None, "current_code, previous_code")


@BOOK.rule("WCO-DEC-011", "party.number", DECLARATION)
def declarant_is_known(document: Document, context: EncodeContext) -> Iterator[Complaint]:
    """The declarant is named by a number of the register that this authority uses."""
    yield from _unnumbered(document, "declarant", context)


@BOOK.rule("WCO-DEC-012", "items.tariff_code", DECLARATION)
def tariff_codes_are_digits(document: Document, _: EncodeContext) -> Iterator[Complaint]:
    """A commodity code is the six digits of the Harmonized System and up to four of the country."""
    for index, item in members(document, *ITEMS):
        for place, one in members(item, "commodity", "classifications"):
            code = text(one, "id") if one.get("identification_type_code") == TARIFF else None
            if code and not TARIFF_CODE.fullmatch(code):
                yield Complaint(
                    (*ITEMS, index, "commodity", "classifications", place, "id"), code[:20], "6 to 10 digits"
                )


@BOOK.rule("WCO-REQ-001", "request.number", *REQUESTS)
def number_has_its_shape(document: Document, context: EncodeContext) -> Iterator[Complaint]:
    """A movement reference number is as customs gave it."""
    found = text(document, "declaration", "id") or context.known.get("mrn")
    if found and not MOVEMENT_NUMBER.fullmatch(found):
        yield Complaint(("declaration", "id"), found[:40], "yyCC and 14 letters or digits")


@BOOK.rule("WCO-REQ-002", "request.type", *REQUESTS)
def type_fits_request(document: Document, context: EncodeContext) -> Iterator[Complaint]:
    """COR amends, INV cancels, GPR presents."""
    found, expected = text(document, "type_code"), REQUESTS.get(context.kind)
    if found not in (None, expected):
        yield Complaint(("type_code",), str(found)[:10], expected)


@BOOK.rule("WCO-REQ-003", "party.number", PRESENTATION)
def submitter_is_known(document: Document, context: EncodeContext) -> Iterator[Complaint]:
    """A presentation says who presents the goods."""
    yield from _unnumbered(document, "submitter", context)


@BOOK.rule("WCO-REQ-004", "request.other", *REQUESTS)
def declaration_is_the_one_filed(document: Document, context: EncodeContext) -> Iterator[Complaint]:
    """A request names the very declaration that it is filed against."""
    given, told = text(document, "declaration", "id"), context.known.get("mrn")
    if given and told and given != told:
        yield Complaint(("declaration", "id"), given[:40], told)


@BOOK.rule("WCO-REQ-005", "request.unnumbered", *REQUESTS)
def declaration_is_numbered(document: Document, context: EncodeContext) -> Iterator[Complaint]:
    """A request names the declaration by the number that customs gave: before that there is nothing to ask for."""
    if not text(document, "declaration", "id") and not context.known.get("mrn"):
        yield Complaint(("declaration", "id"))


@BOOK.rule("WCO-AMD-001", "change.none", AMENDMENT)
def changes_are_listed(document: Document, _: EncodeContext) -> Iterator[Complaint]:
    """An amendment lists its changes."""
    if not any(members(document, "changes")):
        yield Complaint(("changes",))


@BOOK.rule("WCO-AMD-002", "change.missing", AMENDMENT)
def changes_are_whole(document: Document, _: EncodeContext) -> Iterator[Complaint]:
    """Each change has its place and the code of its reason."""
    for index, change in members(document, "changes"):
        for names in (("pointer", "pointers"), ("reason_code",)):
            if not any(change.get(name) or document.get(name) for name in names):
                yield Complaint(("changes", index, names[0]), None, names[0])


@BOOK.rule("WCO-CAN-001", "reason.missing", CANCELLATION)
def cancellation_gives_reasons(document: Document, _: EncodeContext) -> Iterator[Complaint]:
    """A cancellation gives its reason as a code and in words."""
    told = [
        one for _, one in members(document, "content", "additional_informations") if text(one, "statement_description")
    ]
    codes = [one for _, one in members(document, "changes") if text(one, "reason_code")]
    for name, elsewhere in (("reason_code", codes), ("reason_text", told)):
        if not text(document, name) and not elsewhere:
            yield Complaint((name,), None, name)


def _unnumbered(document: Document, party: str, context: EncodeContext) -> Iterator[Complaint]:
    """The complaint about a party that names no number of the agreement's register."""
    scheme = party_scheme(context.agreement)
    numbers = members(document, party, "identifiers")
    if not any(one.get("scheme") == scheme and text(one, "value") for _, one in numbers):
        yield Complaint((party, "identifiers"), None, scheme)
