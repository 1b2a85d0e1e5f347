"""Rules on a goods declaration that hold whoever receives it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from gateway.documents.identifiers import IDENTIFIERS, Fault
from gateway.documents.rules import Book, Complaint, Document, Facts, at, members, number, shown, text
from gateway.documents.shape import short

DECLARATION = "declaration"
BOOK: Book[Facts] = Book("document.rule")

_ITEMS = ("goods_shipment", "government_agency_goods_items")
_EQUIPMENT = ("goods_shipment", "consignment", "transport_equipments")
_TIR_DOCUMENTS = frozenset({"952", "N952", "TIR"})  # EDIFACT 1001 code 952: TIR carnet
_PAPERS = ("additional_documents", "previous_documents")
_CONTRACTS = ("goods_shipment", "consignment", "transport_contract_documents")
_DELIVERY = ("goods_shipment", "consignment", "delivery_document")
# Papers whose number is an identifier: EDIFACT 1001 codes, bare and as European customs write them.
_NUMBERED = {
    **dict.fromkeys(_TIR_DOCUMENTS, "tir-carnet"),
    **dict.fromkeys(("740", "N740", "741", "N741"), "air-waybill"),
    **dict.fromkeys(("MRN", "NMRN"), "mrn"),
}
# What is never below zero: of the document, of an item, of the parts of its commodity, of equipment.
_TOTALS = ("total_gross_mass", "total_net_mass", "total_package_quantity", "goods_item_quantity", "invoice_amount")
_OF_ITEM = ("customs_value_amount", "statistical_value_amount")
_OF_COMMODITY = (
    ("goods_measure", (
        "gross_mass", "net_net_weight", "tariff_quantity", "second_tariff_quantity", "transaction_quantity",
    )),
    ("invoice_line", ("item_charge_amount", "unit_price_amount")),
)  # fmt: skip
_OF_EQUIPMENT = ("gross_mass", "goods_mass", "tare_mass")
_PARTY_PLACES = (
    ("submitter",), ("agent",), ("declarant",), ("exporter",), *(("goods_shipment", name) for name in (
        "buyer", "seller", "consignor", "consignee", "importer", "domestic_owner", "payer", "surety",
    )),
)  # fmt: skip
_KNOWN_BY = frozenset({"name", "foreign_name", "identifiers"})


@BOOK.rule("DOC-001", "item_numbers", DECLARATION)
def item_numbers(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """Goods items are numbered 1, 2, 3 ...."""
    for position, (index, item) in enumerate(members(document, *_ITEMS), start=1):
        given = text(item, "sequence_number")
        if given is not None and given.lstrip("0") != str(position):
            yield Complaint((*_ITEMS, index, "sequence_number"), short(given), str(position))


@BOOK.rule("DOC-002", "item_count", DECLARATION)
def item_count(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """The number of goods items is the number of items given."""
    declared = number(document, "goods_item_quantity", "value")
    items = len(list(members(document, *_ITEMS)))
    if declared is not None and items and declared != items:
        yield Complaint(("goods_item_quantity", "value"), shown(declared), str(items))


@BOOK.rule("DOC-003", "net_over_gross", DECLARATION)
def net_over_gross(document: Document, facts: Facts) -> Iterator[Complaint]:
    """The gross mass is not less than the net masses together."""
    gross, unit = number(document, "total_gross_mass", "value"), text(document, "total_gross_mass", "unit_code")
    net = number(document, "total_net_mass", "value")
    if net is not None and text(document, "total_net_mass", "unit_code") != unit:
        net = None
    if net is None:
        net = _sum_of_items(document, ("commodity", "goods_measure", "net_net_weight"), unit)
    if gross is not None and net is not None and net > _with_tolerance(gross, facts):
        yield Complaint(("total_gross_mass", "value"), shown(gross), f">= {shown(net)}")


@BOOK.rule("DOC-004", "item_net_over_gross", DECLARATION)
def item_net_over_gross(document: Document, facts: Facts) -> Iterator[Complaint]:
    """The gross mass of an item is not less than its net mass."""
    for index, item in members(document, *_ITEMS):
        measure = at(item, "commodity", "goods_measure")
        if not isinstance(measure, dict) or "gross_mass" not in measure or "net_net_weight" not in measure:
            continue
        gross, net = number(measure, "gross_mass", "value"), number(measure, "net_net_weight", "value")
        same_unit = text(measure, "gross_mass", "unit_code") == text(measure, "net_net_weight", "unit_code")
        # The tolerance is asked for only where it could matter.
        if gross is not None and net is not None and net > gross and same_unit and net > _with_tolerance(gross, facts):
            place = (*_ITEMS, index, "commodity", "goods_measure", "gross_mass", "value")
            yield Complaint(place, shown(gross), f">= {shown(net)}")


@BOOK.rule("DOC-005", "package_total", DECLARATION)
def package_total(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """The total of packages is the sum over the items."""
    declared = number(document, "total_package_quantity", "value")
    counted = Decimal(0)
    items = list(members(document, *_ITEMS))
    for _, item in items:
        packages = [number(packaging, "quantity", "value") for _, packaging in members(item, "packagings")]
        if not packages or None in packages:
            return
        counted += sum((package for package in packages if package is not None), Decimal(0))
    if declared is not None and items and declared != counted:
        yield Complaint(("total_package_quantity", "value"), shown(declared), shown(counted))


@BOOK.rule("DOC-007", "summary_missing", DECLARATION)
def summary_missing(document: Document, facts: Facts) -> Iterator[Complaint]:
    """A complete declaration of two steps names its summary."""
    if facts.follows or text(document, "declaration_type", "declaration_step") != "complete":
        return
    named = [
        text(document, "unified_number"),
        text(document, "id"),
        text(document, "pre_entry_number"),
        text(document, "related_declaration", "id"),
    ]
    if not any(named):
        yield Complaint(("unified_number",))


@BOOK.rule("DOC-008", "transfer_site_missing", DECLARATION)
def transfer_site_missing(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """A transfer to another site names the site."""
    access = at(document, "two_stage_access")
    if text(access, "transfer_requested") == "yes" and text(access, "transfer_site_id") is None:
        yield Complaint(("two_stage_access", "transfer_site_id"))


@BOOK.rule("DOC-009", "carnet_missing", DECLARATION)
def carnet_missing(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """A movement under TIR names its carnet."""
    if text(document, "regime") != "tir":
        return
    shipment = at(document, "goods_shipment")
    papers = [*members(document, "additional_documents"), *members(shipment, "previous_documents")]
    guarantees = members(document, "obligation_guarantees")
    named = [
        text(document, "border_transport_means", "conveyance_reference_id"),
        *(text(paper, "id") for _, paper in papers if text(paper, "type_code") in _TIR_DOCUMENTS),
        *(text(guarantee, "reference_id") or text(guarantee, "id") for _, guarantee in guarantees),
    ]
    if not any(named):
        yield Complaint(("border_transport_means", "conveyance_reference_id"))


@BOOK.rule("DOC-015", "dates_reversed", DECLARATION)
def dates_reversed(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """An end is not before its beginning."""
    spans: list[tuple[tuple[str | int, ...], Any, str, str]] = [
        (("agency_authorisation",), at(document, "agency_authorisation"), "valid_from", "valid_to"),
        (("royalty_fee",), at(document, "royalty_fee"), "period_start_date", "period_end_date"),
        (("royalty_fee",), at(document, "royalty_fee"), "contract_effective_date", "contract_expiry_date"),
    ]
    papers = [((*_CONTRACTS, index), paper) for index, paper in members(document, *_CONTRACTS)]
    for way, paper in (*papers, (_DELIVERY, at(document, *_DELIVERY))):
        spans.append((way, paper, "effective_date_time", "expiry_date_time"))
    for place, part, first, last in spans:
        if part is None:
            continue
        begin, end = _day(text(part, first)), _day(text(part, last))
        if begin is not None and end is not None and end < begin:
            yield Complaint((*place, last), end.isoformat(), f">= {begin.isoformat()}")


@BOOK.rule("DOC-016", "date_ahead", DECLARATION)
def date_ahead(document: Document, facts: Facts) -> Iterator[Complaint]:
    """A declaration is not issued or accepted on a day to come."""
    days = int(min(facts.threshold("advance_days", "1"), Decimal(3650)))
    latest = facts.on + dt.timedelta(days=days)
    for name in ("issue_date_time", "acceptance_date_time"):
        day = _day(text(document, name))
        if day is not None and day > latest:
            yield Complaint((name,), day.isoformat(), f"<= {latest.isoformat()}")


@BOOK.rule("DOC-017", "container_unknown", DECLARATION)
def container_unknown(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """A container of an item is in the list of equipment."""
    listed = {text(equipment, "id") for _, equipment in members(document, *_EQUIPMENT)} - {None}
    for index, item in members(document, *_ITEMS) if listed else ():
        for inner, equipment in members(item, "commodity", "transport_equipments"):
            container = text(equipment, "id")
            if container is not None and container not in listed:
                yield Complaint((*_ITEMS, index, "commodity", "transport_equipments", inner, "id"), short(container))
    moved = {text(equipment, "id") for _, equipment in members(document, "transit_movement", "transport_equipments")}
    for index, goods in members(document, "transit_movement", "container_goods") if moved - {None} else ():
        container = text(goods, "container_id")
        if container is not None and container not in moved:
            yield Complaint(("transit_movement", "container_goods", index, "container_id"), short(container))


@BOOK.rule("DOC-018", "item_unknown", DECLARATION)
def item_unknown(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """An item named in a container is among the items."""
    items = {(text(item, "sequence_number") or "").lstrip("0") for _, item in members(document, *_ITEMS)} - {""}
    for index, equipment in members(document, *_EQUIPMENT) if items else ():
        named = at(equipment, "goods_item_numbers")
        for inner, given in enumerate(named if isinstance(named, list) else ()):
            if isinstance(given, str) and given.lstrip("0") not in items:
                yield Complaint((*_EQUIPMENT, index, "goods_item_numbers", inner), short(given))


@BOOK.rule("DOC-019", "party_nameless", DECLARATION)
def party_nameless(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """A party has an identifier or a name."""
    for place in _PARTY_PLACES:
        party = at(document, *place)
        if not party or not isinstance(party, dict):
            continue
        # An agent given by its status alone says "declared by oneself": that is enough.
        if _KNOWN_BY.isdisjoint(party) and not party.keys() <= {"function_code", "role_code", "category_code"}:
            yield Complaint((*place, "name"))


@BOOK.rule("DOC-020", "container_twice", DECLARATION)
def container_twice(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """A container stands once in the list of equipment."""
    seen: set[str] = set()
    for index, equipment in members(document, *_EQUIPMENT):
        container = text(equipment, "id")
        if container in seen:
            yield Complaint((*_EQUIPMENT, index, "id"), short(container))
        elif container is not None:
            seen.add(container)


@BOOK.rule("DOC-021", "negative", DECLARATION)
def negative(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """What is weighed, counted or priced is not below zero; what is taken off a price is a charge, and may be."""
    for name in _below_zero(document, _TOTALS):
        yield Complaint((name, "value"), text(document, name, "value"), ">= 0")
    for index, item in members(document, *_ITEMS):
        for name in _below_zero(item, _OF_ITEM):
            yield Complaint((*_ITEMS, index, name, "value"), text(item, name, "value"), ">= 0")
        commodity = item.get("commodity")
        for part, names in _OF_COMMODITY:
            for name in _below_zero(at(commodity, part), names):
                place = (*_ITEMS, index, "commodity", part, name, "value")
                yield Complaint(place, text(commodity, part, name, "value"), ">= 0")
        for inner, packaging in members(item, "packagings"):
            for name in _below_zero(packaging, ("quantity",)):
                where = (*_ITEMS, index, "packagings", inner, name, "value")
                yield Complaint(where, text(packaging, name, "value"), ">= 0")
    for index, equipment in members(document, *_EQUIPMENT):
        for name in _below_zero(equipment, _OF_EQUIPMENT):
            yield Complaint((*_EQUIPMENT, index, name, "value"), text(equipment, name, "value"), ">= 0")


@BOOK.rule("DOC-022", "document_number", DECLARATION)
def document_number(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """The number of a paper whose kind has an identifier of its own is such an identifier."""
    for steps, fault in _misnumbered(document):
        yield Complaint(steps, short(fault.found), short(fault.expected))
    for steps, fault in _misnumbered(at(document, "goods_shipment")):
        yield Complaint(("goods_shipment", *steps), short(fault.found), short(fault.expected))
    for index, item in members(document, *_ITEMS):
        for steps, fault in _misnumbered(item):
            yield Complaint((*_ITEMS, index, *steps), short(fault.found), short(fault.expected))
    for index, paper in members(document, *_CONTRACTS):
        if wrong := _number_fault(paper):
            yield Complaint((*_CONTRACTS, index, "id"), short(wrong.found), short(wrong.expected))


def _misnumbered(holder: Any) -> list[tuple[tuple[str | int, ...], Fault]]:
    """The papers of a part whose number does not fit their kind, each with the steps to its number."""
    wrong: list[tuple[tuple[str | int, ...], Fault]] = []
    for name in _PAPERS if isinstance(holder, dict) else ():
        papers = holder.get(name)
        for index, paper in enumerate(papers) if isinstance(papers, list) else ():
            fault = _number_fault(paper) if isinstance(paper, dict) else None
            if fault:
                wrong.append(((name, index, "id"), fault))
    return wrong


def _number_fault(paper: dict[str, Any]) -> Fault | None:
    kind = paper.get("type_code")
    if not isinstance(kind, str) or kind not in _NUMBERED:
        return None
    given = text(paper, "id")
    return IDENTIFIERS[_NUMBERED[kind]].check(given) if given else None


def _below_zero(holder: Any, names: tuple[str, ...]) -> list[str]:
    """Which of the named members, each an object with a value, are below zero."""
    below: list[str] = []
    for name in names if isinstance(holder, dict) else ():
        part = holder.get(name)
        if isinstance(part, dict):
            value = part.get("value")
            # Few values have a sign: a number is read only behind one.
            if isinstance(value, str) and value[:1] == "-" and (number(part, "value") or 0) < 0:
                below.append(name)
    return below


def _sum_of_items(document: Document, way: tuple[str, ...], unit: str | None) -> Decimal | None:
    """The masses of all items together; None unless every item gives one in that unit."""
    masses: list[Decimal] = []
    for _, item in members(document, *_ITEMS):
        mass = number(item, *way, "value")
        if mass is None or text(item, *way, "unit_code") != unit:
            return None
        masses.append(mass)
    return sum(masses, Decimal(0)) if masses else None


def _with_tolerance(gross: Decimal, facts: Facts) -> Decimal:
    return gross * (1 + facts.threshold("net_over_gross_tolerance", "0"))


def _day(written: str | None) -> dt.date | None:
    """The day of a date or a time, as it is written there."""
    try:
        return dt.date.fromisoformat(written[:10]) if written else None
    except ValueError:
        return None
