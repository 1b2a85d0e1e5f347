"""The numbered rules of this partner that no element table can say. One small function each; numbers never change.

A rule takes the document and what is known about the filing (Case); how rules work: gateway/documents/rules.py. How bad
each is and who says so: specs/rules/cn_declaration.yaml. Parts that are absent or of the wrong shape are no business of a
rule, unless it asks for them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.cn_declaration.conversions import MODES
from adapters.cn_declaration.filing import CHINA
from adapters.cn_declaration.required import ITEM_TO_DECLARE, ITEM_TO_STASH, TO_DECLARE, TO_STASH, Needed
from gateway.documents import CodeLists, Documents
from gateway.documents.rules import Book, Complaint, Document, at, day, members, text
from gateway.documents.shape import short
from gateway.errors import Finding
from gateway.lifecycle import Phase
from gateway.mapping.paths import Step
from gateway.ports import EncodeContext

ITEMS = ("goods_shipment", "government_agency_goods_items")
EQUIPMENT = ("goods_shipment", "consignment", "transport_equipments")
CHARGES = ("goods_shipment", "customs_valuation", "charges")
ITEMS_AT_MOST = 50
AGENCY_AGREEMENT = "10000001"
TARIFF = "CN-TARIFF"
TARIFF_CODE = re.compile(r"[0-9]{10}", re.ASCII)
CARD = re.compile(r"[0-9A-Za-z]{13}", re.ASCII)
CARNET = re.compile(r"[A-Z]{2}[0-9]{8}", re.ASCII)
BATCH = re.compile(r"[0-9A-Z]{1,32}", re.ASCII)
LEADING_ITEMS = re.compile(r"[0-4]\|[0-3]\|", re.ASCII)
ROAD_MANIFEST_KINDS = ("MF", "MK")
STATEMENTS = {"import": "101040", "export": "102053"}


@dataclass(frozen=True, slots=True)
class Case:
    """One document about to be filed, and what its rules may know beside it. fields: every field of the declaration's form."""

    document: Document
    phase: Phase
    known: Mapping[str, str]
    parameters: Mapping[str, Any]
    lists: CodeLists
    fields: Collection[str] = ()

    @property
    def direction(self) -> str | None:
        return text(self.document, "direction")

    @property
    def kind(self) -> str | None:
        return text(self.document, "declaration_type", "kind_code")

    @property
    def step(self) -> str | None:
        return text(self.document, "declaration_type", "declaration_step")


BOOK: Book[Case] = Book("cn_declaration.rule")
DECLARATION, AMENDMENT, CANCELLATION = "declaration", "declaration_amendment", "declaration_cancellation"
FIELDS_TOLD = 3


def check(
    kind: str, document: Any, context: EncodeContext, documents: Documents, fields: Collection[str]
) -> list[Finding]:
    """Every breach of the rules of a document's kind."""
    case = Case(document, context.phase, context.known, context.agreement.parameters, documents.codelists, fields)
    return BOOK.check(kind, document, case, on=day(context.now_us, CHINA), data=documents.rules_data)


# What must be there (dictionary, columns required_to_stash and required_to_declare).


def _missing(
    scope: Any, needed: Iterable[Needed], direction: str | None, above: tuple[str | int, ...]
) -> Iterator[Complaint]:
    for need in needed:
        if need.direction is not None and need.direction != direction:
            continue
        if not any(reader(scope) for reader in need.readers):
            yield Complaint((*above, *_place(scope, need.steps[0])), None, need.element)


def _place(scope: Any, steps: tuple[Step, ...]) -> Iterator[str | int]:
    """The steps of a pointer: a chosen member that is not there would be the next one."""
    for step in steps:
        yield step.name
        scope = scope.get(step.name) if isinstance(scope, dict) else None
        if step.key:
            array = scope if isinstance(scope, list) else []
            index = next((place for place, member in enumerate(array) if step.picks(member)), len(array))
            yield index
            scope = array[index] if index < len(array) else None


def _agreed(case: Case) -> set[str]:
    """Fields that the agreement fills in for every declaration (filing.AGREED)."""
    says = {
        "card_number": {"TypistNo"},
        "operator_name": {"InputerName"},
        "company_code": {"CopCode"},
        "company_name": {"CopName"},
    }
    return {name for parameter, names in says.items() if case.parameters.get(parameter) for name in names}


@BOOK.rule("CN-DEC-001", "needed_to_stash", DECLARATION)
def needed_to_stash(document: Document, case: Case) -> Iterator[Complaint]:
    agreed = _agreed(case)
    yield from _missing(document, (need for need in TO_STASH if need.element not in agreed), case.direction, ())


@BOOK.rule("CN-DEC-002", "needed_to_declare", DECLARATION)
def needed_to_declare(document: Document, case: Case) -> Iterator[Complaint]:
    yield from _missing(document, TO_DECLARE, case.direction, ())


@BOOK.rule("CN-DEC-003", "item_needed_to_stash", DECLARATION)
def item_needed_to_stash(document: Document, case: Case) -> Iterator[Complaint]:
    for index, item in members(document, *ITEMS):
        yield from _missing(item, ITEM_TO_STASH, case.direction, (*ITEMS, index))


@BOOK.rule("CN-DEC-004", "item_needed_to_declare", DECLARATION)
def item_needed_to_declare(document: Document, case: Case) -> Iterator[Complaint]:
    for index, item in members(document, *ITEMS):
        yield from _missing(item, ITEM_TO_DECLARE, case.direction, (*ITEMS, index))


# Charges, prices, items.


@BOOK.rule("CN-DEC-005", "charge_method", DECLARATION)
def charge_method(document: Document, _case: Case) -> Iterator[Complaint]:
    for index, charge in members(document, *CHARGES):
        if charge.get("method") == "unit_price" and charge.get("type") != "freight":
            yield Complaint((*CHARGES, index, "method"), "unit_price", "rate, total")


@BOOK.rule("CN-DEC-006", "charge_complete", DECLARATION)
def charge_complete(document: Document, _case: Case) -> Iterator[Complaint]:
    for index, charge in members(document, *CHARGES):
        wanted = ["method", "value"] if charge.get("method") in (None, "rate") else ["value", "currency"]
        for name in wanted:
            if charge.get("type") and not charge.get(name):
                yield Complaint((*CHARGES, index, name), None, name)


@BOOK.rule("CN-DEC-007", "leading_elements", DECLARATION)
def leading_elements(document: Document, _case: Case) -> Iterator[Complaint]:
    """GModel begins with the kind of brand (0-4) and the export benefit (0-3)."""
    for index, item in members(document, *ITEMS):
        told = text(item, "commodity", "declaration_elements")
        if told is not None and not LEADING_ITEMS.match(told):
            yield Complaint((*ITEMS, index, "commodity", "declaration_elements"), told[:20], "0-4|0-3|...")


@BOOK.rule("CN-DEC-008", "export_benefit", DECLARATION)
def export_benefit(document: Document, case: Case) -> Iterator[Complaint]:
    for index, item in members(document, *ITEMS):
        told = text(item, "commodity", "declaration_elements")
        if told is None or not LEADING_ITEMS.match(told) or case.direction not in STATEMENTS:
            continue
        if (told[2] == "3") != (case.direction == "import"):
            expected = "3" if case.direction == "import" else "0, 1, 2"
            yield Complaint((*ITEMS, index, "commodity", "declaration_elements"), told[2], expected)


@BOOK.rule("CN-DEC-009", "items_at_most", DECLARATION)
def items_at_most(document: Document, _case: Case) -> Iterator[Complaint]:
    items = at(document, *ITEMS)
    if isinstance(items, list) and len(items) > ITEMS_AT_MOST:
        yield Complaint(ITEMS, str(len(items)), f"at most {ITEMS_AT_MOST}")


@BOOK.rule("CN-DEC-012", "price_declarations", DECLARATION)
def price_declarations(document: Document, _case: Case) -> Iterator[Complaint]:
    names = ("special_relationship", "price_influence", "royalty", "formula_price", "provisional_price")
    given = [name for name in names if text(document, "price_declarations", name)]
    for name in names[: names.index(given[-1])] if given else ():
        if name not in given:
            yield Complaint(("price_declarations", name), None, "yes, no or blank")


@BOOK.rule("CN-DEC-013", "currency_declared", DECLARATION)
def currency_declared(document: Document, case: Case) -> Iterator[Complaint]:
    known = case.lists["currency"]
    amount = ("commodity", "invoice_line", "item_charge_amount", "currency")
    found: list[tuple[tuple[str | int, ...], Any]] = [
        ((*CHARGES, index, "currency"), charge.get("currency")) for index, charge in members(document, *CHARGES)
    ]
    found += [((*ITEMS, index, *amount), text(item, *amount)) for index, item in members(document, *ITEMS)]
    for place, currency in found:
        if isinstance(currency, str) and known.get(currency) is None:
            yield Complaint(place, currency[:10], "a currency that customs declares with")


@BOOK.rule("CN-DEC-027", "tariff_code", DECLARATION)
def tariff_code(document: Document, _case: Case) -> Iterator[Complaint]:
    for index, item in members(document, *ITEMS):
        for place, one in members(item, "commodity", "classifications"):
            code = text(one, "id") if one.get("identification_type_code") == TARIFF else None
            if code and not TARIFF_CODE.fullmatch(code):
                yield Complaint((*ITEMS, index, "commodity", "classifications", place, "id"), code[:20], "10 digits")


# Steps and kinds.


@BOOK.rule("CN-DEC-014", "step_and_phase", DECLARATION)
def step_and_phase(_document: Document, case: Case) -> Iterator[Complaint]:
    place = ("declaration_type", "declaration_step")
    if case.phase is Phase.FULL and case.step not in ("complete", "two_step"):
        yield Complaint(place, case.step, "complete")
    if case.phase is Phase.SUMMARY and case.step not in ("summary", "two_step"):
        yield Complaint(place, case.step, "summary")


@BOOK.rule("CN-DEC-015", "two_step_marks", DECLARATION)
def two_step_marks(document: Document, case: Case) -> Iterator[Complaint]:
    names = ("licence_mark", "inspection_mark", "tax_mark")
    for name in names:
        mark = text(document, "declaration_type", name)
        if mark and case.step in (None, "single"):
            yield Complaint(("declaration_type", name), mark[:5], "a two-step declaration")
        if mark and mark not in ("0", "1"):
            yield Complaint(("declaration_type", name), mark[:5], "0, 1")


@BOOK.rule("CN-DEC-016", "complete_needs_number", DECLARATION)
def complete_needs_number(document: Document, case: Case) -> Iterator[Complaint]:
    told = text(document, "unified_number") or case.known.get("cn-seq-no")
    if case.step == "complete" and not told:
        yield Complaint(("unified_number",), None, "the number of the summary declaration")


@BOOK.rule("CN-DEC-017", "tir_numbers", DECLARATION)
def tir_numbers(document: Document, case: Case) -> Iterator[Complaint]:
    if case.kind != "MT":
        return
    means = "border_transport_means"
    if not text(document, means, "name"):
        yield Complaint((means, "name"), None, "the TIR application number")
    carnet = text(document, means, "conveyance_reference_id")
    if carnet is None or not CARNET.fullmatch(carnet):
        yield Complaint((means, "conveyance_reference_id"), carnet and carnet[:20], "a TIR carnet number")


@BOOK.rule("CN-DEC-018", "road_manifest", DECLARATION)
def road_manifest(document: Document, case: Case) -> Iterator[Complaint]:
    if case.kind in ROAD_MANIFEST_KINDS:
        yield from _road(document)


@BOOK.rule("CN-DEC-019", "road_batch", DECLARATION)
def road_batch(document: Document, case: Case) -> Iterator[Complaint]:
    if text(document, "border_transport_means", "mode_code") == "3" and case.kind not in (
        *ROAD_MANIFEST_KINDS,
        "MT",
    ):
        yield from _road(document)


def _road(document: Document) -> Iterator[Complaint]:
    means = "border_transport_means"
    name = text(document, means, "name")
    if name:
        yield Complaint((means, "name"), name[:20], "nothing: the batch names the vehicle")
    batch = text(document, means, "conveyance_reference_id")
    if batch is None or not BATCH.fullmatch(batch):
        yield Complaint((means, "conveyance_reference_id"), batch and batch[:20], "the batch number of the manifest")


@BOOK.rule("CN-DEC-021", "transfer_declared", DECLARATION)
def transfer_declared(document: Document, _case: Case) -> Iterator[Complaint]:
    asked = text(document, "with_transit_declaration") == "yes"
    present = bool(at(document, "transit_movement"))
    if asked and not present:
        yield Complaint(("transit_movement",), None, "the transfer declaration")
    if present and not asked:
        found = text(document, "with_transit_declaration")
        yield Complaint(("with_transit_declaration",), found, "yes")


# Who files.


@BOOK.rule("CN-DEC-022", "card_number", DECLARATION)
def card_number(document: Document, _case: Case) -> Iterator[Complaint]:
    places = (("submitter", "contact"), ("authentication", "authenticator"))
    cards = [
        (steps, index, text(entry, "value"))
        for steps in places
        for index, entry in members(document, *steps, "identifiers")
        if entry.get("scheme") == "CN-IC-CARD"
    ]
    for steps, index, card in cards:
        if card is not None and not CARD.fullmatch(card):
            yield Complaint((*steps, "identifiers", index, "value"), None, "13 characters")
    if len({card for _, _, card in cards}) > 1:
        steps, index, _ = cards[-1]
        yield Complaint((*steps, "identifiers", index, "value"), None, "the card of the person who enters it")


@BOOK.rule("CN-DEC-023", "agency_agreement", DECLARATION)
def agency_agreement(document: Document, case: Case) -> Iterator[Complaint]:
    party = ("goods_shipment", "importer") if case.direction == "import" else ("exporter",)
    principal, agent = _number_of(document, *party), _number_of(document, "agent")
    if principal is None or agent is None or principal == agent:
        return
    if all(entry.get("type_code") != AGENCY_AGREEMENT for _, entry in members(document, "attachments")):
        yield Complaint(("attachments",), None, AGENCY_AGREEMENT)


def _number_of(document: Document, *party: str) -> str | None:
    numbers = {entry.get("scheme"): text(entry, "value") for _, entry in members(document, *party, "identifiers")}
    return numbers.get("CN-CUSTOMS")


@BOOK.rule("CN-DEC-024", "regime", DECLARATION)
def regime(document: Document, case: Case) -> Iterator[Complaint]:
    """What the regime says must be said by the fields of the message, which has none for the regime itself."""
    told = text(document, "regime")
    transfer = text(document, "with_transit_declaration") == "yes"
    said = {
        "import": case.direction == "import",
        "export": case.direction == "export",
        "tir": case.kind == "MT",
        "customs_transfer": transfer or case.kind in ("SZ", "SM", "SL"),
        "transit": False,
        "transhipment": False,
        "foreign_transit": False,
    }
    if told in said and not said[told]:
        yield Complaint(("regime",), told, "a regime that this declaration can state")


@BOOK.rule("CN-DEC-025", "enterprise_statement", DECLARATION)
def enterprise_statement(document: Document, case: Case) -> Iterator[Complaint]:
    expected = STATEMENTS.get(case.direction or "")
    other = set(STATEMENTS.values()) - {expected}
    for index, statement in members(document, "enterprise_statements"):
        if expected and statement.get("type_code") in other:
            yield Complaint(("enterprise_statements", index, "type_code"), str(statement["type_code"]), expected)


@BOOK.rule("CN-DEC-026", "transport_mode", DECLARATION)
def transport_mode(document: Document, _case: Case) -> Iterator[Complaint]:
    means = "border_transport_means"
    mode = text(document, means, "mode_code")
    national = text(document, means, "national_mode_code")
    if national is not None and mode is not None and MODES.get(mode) != national:
        yield Complaint((means, "national_mode_code"), national[:5], MODES.get(mode, "no national mode"))


# What follows a declaration.


@BOOK.rule("CN-REQ-001", "request_unnumbered", AMENDMENT, CANCELLATION)
def declaration_is_numbered(document: Document, case: Case) -> Iterator[Complaint]:
    """A request names the declaration by the number that customs gave: before that there is nothing to amend or cancel."""
    if not text(document, "declaration", "id") and not case.known.get("cn-entry-id"):
        yield Complaint(("declaration", "id"))


@BOOK.rule("CN-AMD-001", "change_field", AMENDMENT)
def change_field(document: Document, case: Case) -> Iterator[Complaint]:
    """A field code is the name of a field of the declaration's form."""
    for index, change in members(document, "changes"):
        told = text(change, "field_code")
        if told is not None and told not in case.fields:
            yield Complaint(("changes", index, "field_code"), short(told), _nearest(told, case.fields))


def _nearest(told: str, fields: Collection[str]) -> str:
    """The fields whose names are most like it."""
    folded = {field.casefold(): field for field in sorted(fields)}
    near = difflib.get_close_matches(told[:50].casefold(), folded, n=FIELDS_TOLD)
    return ", ".join(folded[name] for name in near) or "the name of a field of DecMessage"
