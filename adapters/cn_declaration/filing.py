"""What the gateway itself says when it files: the client number and file name, the agreement's card and company, known numbers.

Nothing here changes the document that was given; prepare() returns one to be written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.cn_declaration import changed_fields
from adapters.cn_declaration.changed_fields import Faults
from adapters.cn_declaration.mapping import STANDARD, Dialect
from adapters.cn_declaration.requests import AMENDMENT_TYPE, CANCELLATION_TYPE
from gateway.documents.rules import at, members, text
from gateway.errors import Finding, RuleBroken
from gateway.lifecycle import Phase
from gateway.mapping.family import Form
from gateway.mapping.paths import parse, read, write
from gateway.ports import Alias, EncodeContext, Json

CHINA = dt.timezone(dt.timedelta(hours=8))
COUNTER = "cn-client-seq-no"
REFERENCE = "functional_reference_id"

# What an agreement may say once for all declarations; the document's own word goes before it.
AGREED: Mapping[str, tuple[str, ...]] = {
    "filing_action": ("filing_action",),
    "card_number": (
        "submitter.contact.identifiers[scheme=CN-IC-CARD].value",
        "authentication.authenticator.identifiers[scheme=CN-IC-CARD].value",
    ),
    "operator_name": ("submitter.contact.name", "authentication.authenticator.name"),
    "company_code": (
        "submitter.identifiers[scheme=CN-ORG].value",
        "authentication.company.identifiers[scheme=CN-ORG].value",
    ),
    "company_name": ("submitter.name",),
}
OWN_NUMBER = "the client number of the message stands in its place; it stays searchable"
AGREEMENT_DECIDES = "the agreement decides it"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document to be written. number: the client number; replaced: pointers of the given document that it overrules, and why."""

    document: Json
    number: str
    name: str
    replaced: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)


def message_of(context: EncodeContext) -> str:
    return str(context.agreement.parameters.get("message") or "decmessage")


def dialect_of(context: EncodeContext) -> Dialect:
    world = str(context.agreement.parameters.get("code_world") or "letters")
    return Dialect(countries=world, currencies=world)


def bag_of(document: Json) -> Mapping[str, Any]:
    bag = at(document, "extensions", STANDARD)
    return bag if isinstance(bag, dict) else {}


def client_number(context: EncodeContext) -> str:
    """18 characters: SW, the day in China, ten digits of a counter (facts 1: published length 18)."""
    day = dt.datetime.fromtimestamp(context.now_us // 1_000_000, CHINA)
    return f"SW{day:%y%m%d}{context.reserve(COUNTER) % 10**10:010d}"


def prepare(kind: str, document: Json, context: EncodeContext, declaration: Form, faults: Faults) -> Prepared:
    """The document with everything that the agreement, the gateway and earlier answers add.

    declaration: the form of declarations, by whose elements an amendment names fields; faults: what is wrong with the shape of one.
    """
    number = client_number(context)
    name = f"{number}.xml"
    if kind != "declaration":
        return Prepared(_request(kind, document, context, declaration, faults), number, name)
    copy = _copied(document, ("submitter", "authentication", "document_metadata", "extensions"))
    version = str(context.agreement.parameters.get("version") or "4.8")
    replaced = {}
    if document.get(REFERENCE):
        replaced[f"/{REFERENCE}"] = OWN_NUMBER
    if at(document, "document_metadata", "model_version") not in (None, version):
        replaced["/document_metadata/model_version"] = AGREEMENT_DECIDES
    copy[REFERENCE] = number
    copy.setdefault("document_metadata", {})["model_version"] = version
    for parameter, paths in AGREED.items():
        value = context.agreement.parameters.get(parameter)
        if value:
            _fill(copy, paths, str(value))
    told = context.known.get("cn-seq-no")
    if told and (context.round > 1 or context.phase is Phase.FULL):
        # The same unified number goes on through corrections and from the summary to the complete declaration.
        copy["unified_number"] = told
    if message_of(context) == "importmessage":
        copy["document_metadata"] |= {
            "message_reference": name,
            "message_type": "SWDEC001",
            "function": "0",
            "format": "xml",
            "compression": "0",
            "version": "1.0",
        }
    return Prepared(copy, number, name, replaced, {"DecMessage/DecSign/ClientSeqNo": number})


def _request(kind: str, document: Json, context: EncodeContext, declaration: Form, faults: Faults) -> Json:
    copy = _copied(document, ("declaration", "submitter", "authentication", "extensions"))
    findings = []
    for scheme, path in (("cn-seq-no", "declaration.unified_number"), ("cn-entry-id", "declaration.id")):
        told = context.known.get(scheme)
        given = read(copy, parse(path))
        if told and given and given != told:
            findings.append(
                Finding("cn_declaration.request.other", "/" + path.replace(".", "/"), found=str(given), expected=told)
            )
        elif told:
            _fill(copy, (path,), told)
    if findings:
        raise RuleBroken("the request names another declaration", findings, code="cn_declaration.request.other")
    declared = context.declaration
    if isinstance(declared, dict) and isinstance(copy.get("changes"), list):
        copy["changes"] = changed_fields.filled(copy["changes"], declared, declaration, faults)
    reasons = dict.fromkeys(text(change, "reason_text") for _, change in members(document, "changes"))
    joined = "；".join(reason for reason in reasons if reason)
    if joined and not copy.get("reason_text"):
        copy["reason_text"] = joined
    cancels = kind == "declaration_cancellation"
    copy.setdefault("type_code", CANCELLATION_TYPE if cancels else AMENDMENT_TYPE)
    card = context.agreement.parameters.get("card_number")
    if card:
        _fill(copy, ("authentication.authenticator.identifiers[scheme=CN-IC-CARD].value",), str(card))
    return copy


def _fill(document: Json, paths: tuple[str, ...], value: str) -> None:
    """Write a value to those places that say nothing."""
    for path in paths:
        steps = parse(path)
        if read(document, steps) in (None, ""):
            write(document, steps, value)


def _copied(document: Json, parts: tuple[str, ...]) -> Json:
    """A copy whose named parts may be changed; the rest is shared."""
    copy = dict(document)
    for part in parts:
        if part in copy:
            copy[part] = _deep(copy[part])
    return copy


def _deep(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _deep(inner) for name, inner in value.items()}
    return [_deep(inner) for inner in value] if isinstance(value, list) else value


# Ids that people hold: the scheme says what kind of number it is. Numbers that only customs gives are not among them: they are
# learned from customs alone, since a filer who could claim one would draw another's answers to himself.
SINGLE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("client-reference", (REFERENCE,)),
    ("ucr", ("goods_shipment", "ucr", "id")),
    ("bill", ("goods_shipment", "consignment", "delivery_document", "id")),
    ("bill", ("transit_movement", "border_crossing", "transport_document_id")),
    ("contract", ("goods_shipment", "contract", "id")),
    ("cn-transit-no", ("transit_movement", "unified_number")),
    ("cargo-list", ("transit_movement", "cargo_list_number")),
)
TIR_KIND = "MT"
ROAD = "3"


def aliases(document: Json) -> Iterator[Alias]:
    """The ids of a document of ours, most telling first."""
    if not isinstance(document, dict):
        return
    for scheme, steps in SINGLE:
        value = text(document, *steps)
        if value:
            yield Alias(scheme, value)
    for _, paper in members(document, "goods_shipment", "consignment", "transport_contract_documents"):
        if value := text(paper, "id"):
            yield Alias("bill", value)
    yield from _transport_aliases(document)
    for place in (("goods_shipment", "consignment"), ("transit_movement",)):
        for _, equipment in members(document, *place, "transport_equipments"):
            value = text(equipment, "id")
            if value:
                yield Alias("container", value)


def _transport_aliases(document: Json) -> Iterator[Alias]:
    """Names and voyage numbers mean other things on the road, under a TIR carnet, and elsewhere (facts 2, practice: road)."""
    tir = text(document, "declaration_type", "kind_code") == TIR_KIND
    road = text(document, "border_transport_means", "mode_code") == ROAD
    voyage = text(document, "border_transport_means", "conveyance_reference_id")
    name = text(document, "border_transport_means", "name")
    if voyage:
        yield Alias("tir-carnet" if tir else "batch" if road else "voyage", voyage)
    if name:
        yield Alias("tir-application" if tir else "plate" if road else "transport-means", name)
    for _, vehicle in members(document, "border_transport_means", "vehicles"):
        drawn = [trailer for _, trailer in members(vehicle, "trailers")]
        for part in (at(vehicle, "tractor"), *drawn):
            for _, plate in members(part, "plates"):
                if text(plate, "value"):
                    yield Alias("plate", plate["value"])
        if text(vehicle, "batch_id"):
            yield Alias("batch", vehicle["batch_id"])
    for _, wagon in members(document, "border_transport_means", "wagons"):
        if text(wagon, "number"):
            yield Alias("wagon", wagon["number"])
    if text(document, "transit_movement", "domestic_transport_means", "mode_code") != ROAD:
        return
    domestic = text(document, "transit_movement", "domestic_transport_means", "name")
    if domestic:
        yield Alias("plate", domestic)
