"""The numbered rules of this partner that no element table can say. One small function each; numbers never change.

A rule takes the document and what is known about the filing (Case), and yields breaches: steps to the place, what stood
there, what was expected. Parts that are absent or of the wrong shape are no business of a rule, unless it asks for them.
Sources: facts and dictionary are those of reference/china-sw; MEM marks what was never read in a public text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from adapters.cn_declaration.conversions import MODES
from adapters.cn_declaration.required import ITEM_TO_DECLARE, ITEM_TO_STASH, TO_DECLARE, TO_STASH, Needed
from gateway.documents.codelists import CodeLists
from gateway.documents.pointers import to_pointer
from gateway.documents.rules import at, members, text
from gateway.errors import Finding, Severity
from gateway.lifecycle import Phase
from gateway.mapping.paths import Step
from gateway.ports import EncodeContext, Json

ITEMS = ("goods_shipment", "government_agency_goods_items")
EQUIPMENT = ("goods_shipment", "consignment", "transport_equipments")
CHARGES = ("goods_shipment", "customs_valuation", "charges")
ITEMS_AT_MOST = 50
AGENCY_AGREEMENT = "10000001"
CARD = re.compile(r"[0-9A-Za-z]{13}", re.ASCII)
CARNET = re.compile(r"[A-Z]{2}[0-9]{8}", re.ASCII)
BATCH = re.compile(r"[0-9A-Z]{1,32}", re.ASCII)
LEADING_ITEMS = re.compile(r"[0-4]\|[0-3]\|", re.ASCII)
ROAD_MANIFEST_KINDS = ("MF", "MK")
STATEMENTS = {"import": "101040", "export": "102053"}


class Breach(NamedTuple):
    place: tuple[str | int, ...]
    found: str | None = None
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One declaration about to be filed, and what its rules may know beside it."""

    document: Json
    phase: Phase
    known: Mapping[str, str]
    parameters: Mapping[str, Any]
    lists: CodeLists

    @property
    def direction(self) -> str | None:
        return text(self.document, "direction")

    @property
    def kind(self) -> str | None:
        return text(self.document, "declaration_type", "kind_code")

    @property
    def step(self) -> str | None:
        return text(self.document, "declaration_type", "declaration_step")


Check = Callable[[Case], Iterable[Breach]]


@dataclass(frozen=True, slots=True)
class Rule:
    number: str
    name: str
    severity: Severity
    source: str
    check: Check

    @property
    def code(self) -> str:
        return f"cn_declaration.rule.{self.name}"


RULES: dict[str, Rule] = {}


def rule(number: str, name: str, source: str, severity: Severity = Severity.ERROR) -> Callable[[Check], Check]:
    """Register a rule."""

    def keep(check: Check) -> Check:
        if number in RULES:
            raise ValueError(f"rule {number} is there twice")
        RULES[number] = Rule(number, name, severity, source, check)
        return check

    return keep


def check(kind: str, document: Any, context: EncodeContext, lists: CodeLists) -> list[Finding]:
    """Every breach for a declaration; requests have the rules of their document alone."""
    if kind != "declaration" or not isinstance(document, dict):
        return []
    case = Case(document, context.phase, context.known, context.agreement.parameters, lists)
    return [
        Finding(
            code=found.code,
            pointer=to_pointer(breach.place),
            found=breach.found,
            expected=breach.expected,
            source=f"{found.number}: {found.source}",
            severity=found.severity,
            params={"rule": found.number},
        )
        for found in RULES.values()
        for breach in found.check(case)
    ]


# What must be there (dictionary, columns required_to_stash and required_to_declare).


def _missing(
    scope: Any, needed: Iterable[Needed], direction: str | None, above: tuple[str | int, ...]
) -> Iterator[Breach]:
    for need in needed:
        if need.direction is not None and need.direction != direction:
            continue
        if not any(reader(scope) for reader in need.readers):
            yield Breach((*above, *_place(scope, need.steps[0])), None, need.title)


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


@rule("CN-DEC-001", "needed_to_stash", "dictionary, required to stash")
def needed_to_stash(case: Case) -> Iterator[Breach]:
    agreed = _agreed(case)
    yield from _missing(case.document, (need for need in TO_STASH if need.element not in agreed), case.direction, ())


@rule("CN-DEC-002", "needed_to_declare", "dictionary, required to declare", Severity.WARNING)
def needed_to_declare(case: Case) -> Iterator[Breach]:
    yield from _missing(case.document, TO_DECLARE, case.direction, ())


@rule("CN-DEC-003", "item_needed_to_stash", "dictionary, required to stash")
def item_needed_to_stash(case: Case) -> Iterator[Breach]:
    for index, item in members(case.document, *ITEMS):
        yield from _missing(item, ITEM_TO_STASH, case.direction, (*ITEMS, index))


@rule("CN-DEC-004", "item_needed_to_declare", "dictionary, required to declare", Severity.WARNING)
def item_needed_to_declare(case: Case) -> Iterator[Breach]:
    for index, item in members(case.document, *ITEMS):
        yield from _missing(item, ITEM_TO_DECLARE, case.direction, (*ITEMS, index))


# Charges, prices, items.


@rule("CN-DEC-005", "charge_method", "facts 2.2: InsurMark and OtherMark are 1 or 3")
def charge_method(case: Case) -> Iterator[Breach]:
    for index, charge in members(case.document, *CHARGES):
        if charge.get("method") == "unit_price" and charge.get("type") != "freight":
            yield Breach((*CHARGES, index, "method"), "unit_price", "rate, total")


@rule("CN-DEC-006", "charge_complete", "dictionary: mark, rate and currency of a charge belong together")
def charge_complete(case: Case) -> Iterator[Breach]:
    for index, charge in members(case.document, *CHARGES):
        wanted = ["method", "value"] if charge.get("method") in (None, "rate") else ["value", "currency"]
        for name in wanted:
            if charge.get("type") and not charge.get(name):
                yield Breach((*CHARGES, index, name), None, name)


@rule("CN-DEC-007", "leading_elements", "facts 2.2: checked when a declaration is stashed")
def leading_elements(case: Case) -> Iterator[Breach]:
    """GModel begins with the kind of brand (0-4) and the export benefit (0-3)."""
    for index, item in members(case.document, *ITEMS):
        told = text(item, "commodity", "declaration_elements")
        if told is not None and not LEADING_ITEMS.match(told):
            yield Breach((*ITEMS, index, "commodity", "declaration_elements"), told[:20], "0-4|0-3|...")


@rule("CN-DEC-008", "export_benefit", "MEM: 3 means not applicable, on imports", Severity.WARNING)
def export_benefit(case: Case) -> Iterator[Breach]:
    for index, item in members(case.document, *ITEMS):
        told = text(item, "commodity", "declaration_elements")
        if told is None or not LEADING_ITEMS.match(told) or case.direction not in STATEMENTS:
            continue
        if (told[2] == "3") != (case.direction == "import"):
            expected = "3" if case.direction == "import" else "0, 1, 2"
            yield Breach((*ITEMS, index, "commodity", "declaration_elements"), told[2], expected)


@rule("CN-DEC-009", "items_at_most", "facts 2.1: at most 50 items (MEM)")
def items_at_most(case: Case) -> Iterator[Breach]:
    items = at(case.document, *ITEMS)
    if isinstance(items, list) and len(items) > ITEMS_AT_MOST:
        yield Breach(ITEMS, str(len(items)), f"at most {ITEMS_AT_MOST}")


@rule("CN-DEC-010", "item_numbers", "dictionary: GNo runs from 1", Severity.WARNING)
def item_numbers(case: Case) -> Iterator[Breach]:
    for index, item in members(case.document, *ITEMS):
        number = text(item, "sequence_number")
        if number is not None and number != str(index + 1):
            yield Breach((*ITEMS, index, "sequence_number"), number[:10], str(index + 1))


@rule("CN-DEC-011", "container_goods", "dictionary: GoodsNo names goods items")
def container_goods(case: Case) -> Iterator[Breach]:
    numbers = {text(item, "sequence_number") for _, item in members(case.document, *ITEMS)}
    for index, equipment in members(case.document, *EQUIPMENT):
        named = equipment.get("goods_item_numbers")
        for place, number in enumerate(named if isinstance(named, list) else ()):
            if number not in numbers:
                yield Breach(
                    (*EQUIPMENT, index, "goods_item_numbers", place), str(number)[:10], "a goods item's number"
                )


@rule("CN-DEC-012", "price_declarations", "facts 2.2: positional marks, none may be left out between two")
def price_declarations(case: Case) -> Iterator[Breach]:
    names = ("special_relationship", "price_influence", "royalty", "formula_price", "provisional_price")
    given = [name for name in names if text(case.document, "price_declarations", name)]
    for name in names[: names.index(given[-1])] if given else ():
        if name not in given:
            yield Breach(("price_declarations", name), None, "yes, no or blank")


@rule("CN-DEC-013", "currency_declared", "list currency of 2019/2020 has 22 entries", Severity.WARNING)
def currency_declared(case: Case) -> Iterator[Breach]:
    known = case.lists["currency"]
    amount = ("commodity", "invoice_line", "item_charge_amount", "currency")
    found: list[tuple[tuple[str | int, ...], Any]] = [
        ((*CHARGES, index, "currency"), charge.get("currency")) for index, charge in members(case.document, *CHARGES)
    ]
    found += [((*ITEMS, index, *amount), text(item, *amount)) for index, item in members(case.document, *ITEMS)]
    for place, currency in found:
        if isinstance(currency, str) and known.get(currency) is None:
            yield Breach(place, currency[:10], "a currency that customs declares with")


# Steps and kinds.


@rule("CN-DEC-014", "step_and_phase", "facts 2.4: the summary first, the complete declaration within 14 days")
def step_and_phase(case: Case) -> Iterator[Breach]:
    place = ("declaration_type", "declaration_step")
    if case.phase is Phase.FULL and case.step not in ("complete", "two_step"):
        yield Breach(place, case.step, "complete")
    if case.phase is Phase.SUMMARY and case.step not in ("summary", "two_step"):
        yield Breach(place, case.step, "summary")


@rule("CN-DEC-015", "two_step_marks", "facts 2.3: positions 4 to 6 belong to position 3")
def two_step_marks(case: Case) -> Iterator[Breach]:
    names = ("licence_mark", "inspection_mark", "tax_mark")
    for name in names:
        mark = text(case.document, "declaration_type", name)
        if mark and case.step in (None, "single"):
            yield Breach(("declaration_type", name), mark[:5], "a two-step declaration")
        if mark and mark not in ("0", "1"):
            yield Breach(("declaration_type", name), mark[:5], "0, 1")


@rule("CN-DEC-016", "complete_needs_number", "facts 2.4: the same SeqNo continues")
def complete_needs_number(case: Case) -> Iterator[Breach]:
    told = text(case.document, "unified_number") or case.known.get("cn-seq-no")
    if case.step == "complete" and not told:
        yield Breach(("unified_number",), None, "the number of the summary declaration")


@rule("CN-DEC-017", "tir_numbers", "practice: with TIR the name is the application, the voyage the carnet")
def tir_numbers(case: Case) -> Iterator[Breach]:
    if case.kind != "MT":
        return
    means = "border_transport_means"
    if not text(case.document, means, "name"):
        yield Breach((means, "name"), None, "the TIR application number")
    carnet = text(case.document, means, "conveyance_reference_id")
    if carnet is None or not CARNET.fullmatch(carnet):
        yield Breach((means, "conveyance_reference_id"), carnet and carnet[:20], "a TIR carnet number")


@rule("CN-DEC-018", "road_manifest", "practice: with a road manifest the name stays empty, the voyage is the batch")
def road_manifest(case: Case) -> Iterator[Breach]:
    if case.kind in ROAD_MANIFEST_KINDS:
        yield from _road(case)


@rule("CN-DEC-019", "road_batch", "practice: keys are per mode and regime", Severity.WARNING)
def road_batch(case: Case) -> Iterator[Breach]:
    if text(case.document, "border_transport_means", "mode_code") == "3" and case.kind not in (
        *ROAD_MANIFEST_KINDS,
        "MT",
    ):
        yield from _road(case)


def _road(case: Case) -> Iterator[Breach]:
    means = "border_transport_means"
    name = text(case.document, means, "name")
    if name:
        yield Breach((means, "name"), name[:20], "nothing: the batch names the vehicle")
    batch = text(case.document, means, "conveyance_reference_id")
    if batch is None or not BATCH.fullmatch(batch):
        yield Breach((means, "conveyance_reference_id"), batch and batch[:20], "the batch number of the manifest")


@rule("CN-DEC-020", "transfer_site", "dictionary: TransitionSite is needed when TransitionApply is 1")
def transfer_site(case: Case) -> Iterator[Breach]:
    access = at(case.document, "two_stage_access")
    if text(access, "transfer_requested") == "yes" and not text(access, "transfer_site_id"):
        yield Breach(("two_stage_access", "transfer_site_id"), None, "the site it is moved to")


@rule("CN-DEC-021", "transfer_declared", "dictionary: DeclTrnRel 1 comes with TrnHead")
def transfer_declared(case: Case) -> Iterator[Breach]:
    asked = text(case.document, "with_transit_declaration") == "yes"
    present = bool(at(case.document, "transit_movement"))
    if asked and not present:
        yield Breach(("transit_movement",), None, "the transfer declaration")
    if present and not asked:
        found = text(case.document, "with_transit_declaration")
        yield Breach(("with_transit_declaration",), found, "yes")


# Who files.


@rule("CN-DEC-022", "card_number", "facts 2.5: ICCode equals TypistNo; facts 1: 13 characters")
def card_number(case: Case) -> Iterator[Breach]:
    places = (("submitter", "contact"), ("authentication", "authenticator"))
    cards = [
        (steps, index, text(entry, "value"))
        for steps in places
        for index, entry in members(case.document, *steps, "identifiers")
        if entry.get("scheme") == "CN-IC-CARD"
    ]
    for steps, index, card in cards:
        if card is not None and not CARD.fullmatch(card):
            yield Breach((*steps, "identifiers", index, "value"), None, "13 characters")
    if len({card for _, _, card in cards}) > 1:
        steps, index, _ = cards[-1]
        yield Breach((*steps, "identifiers", index, "value"), None, "the card of the person who enters it")


@rule("CN-DEC-023", "agency_agreement", "facts 2.6, 10: attachment 10000001; practice: agency", Severity.WARNING)
def agency_agreement(case: Case) -> Iterator[Breach]:
    party = ("goods_shipment", "importer") if case.direction == "import" else ("exporter",)
    principal, agent = _number_of(case, *party), _number_of(case, "agent")
    if principal is None or agent is None or principal == agent:
        return
    if all(entry.get("type_code") != AGENCY_AGREEMENT for _, entry in members(case.document, "attachments")):
        yield Breach(("attachments",), None, AGENCY_AGREEMENT)


def _number_of(case: Case, *party: str) -> str | None:
    numbers = {entry.get("scheme"): text(entry, "value") for _, entry in members(case.document, *party, "identifiers")}
    return numbers.get("CN-CUSTOMS")


@rule("CN-DEC-024", "regime", "practice: regimes are different things with different papers")
def regime(case: Case) -> Iterator[Breach]:
    """What the regime says must be said by the fields of the message, which has none for the regime itself."""
    told = text(case.document, "regime")
    transfer = text(case.document, "with_transit_declaration") == "yes"
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
        yield Breach(("regime",), told, "a regime that this declaration can state")


@rule("CN-DEC-025", "enterprise_statement", "facts 2.2: 101040 on import, 102053 on export", Severity.WARNING)
def enterprise_statement(case: Case) -> Iterator[Breach]:
    expected = STATEMENTS.get(case.direction or "")
    other = set(STATEMENTS.values()) - {expected}
    for index, statement in members(case.document, "enterprise_statements"):
        if expected and statement.get("type_code") in other:
            yield Breach(("enterprise_statements", index, "type_code"), str(statement["type_code"]), expected)


@rule("CN-DEC-026", "transport_mode", "list transport-mode; UN/ECE Recommendation 19")
def transport_mode(case: Case) -> Iterator[Breach]:
    means = "border_transport_means"
    mode = text(case.document, means, "mode_code")
    national = text(case.document, means, "national_mode_code")
    if national is not None and mode is not None and MODES.get(mode) != national:
        yield Breach((means, "national_mode_code"), national[:5], MODES.get(mode, "no national mode"))
