"""Names and numbers of a message: what it says of itself beyond its document, and the ids by which people find it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from adapters.wco_declaration.receipts import LRN, MRN
from adapters.wco_declaration.requests import REQUESTS
from gateway.mapping.report import Later, LossReport
from gateway.ports import Alias, EncodeContext, Json

MODEL_VERSION, TYPE_NAME = "3.6", "DEC"
ORIGINAL, ADDITIONAL = "9", "13"


def added(kind: str, document: Json, context: EncodeContext) -> dict[str, str]:
    """What the message says beyond the document: JSON Pointer -> value. Fixed with the message."""
    given, parameters = _at(document, "document_metadata") or {}, context.agreement.parameters
    wrapper = {
        "model_version": MODEL_VERSION,
        "type_name": TYPE_NAME,
        "responsible_country": parameters.get("responsible_country"),
        "responsible_agency": parameters.get("responsible_agency"),
        "customization_version": parameters.get("customization_version"),
    }
    more = {f"/document_metadata/{name}": str(value) for name, value in wrapper.items() if value and name not in given}
    if "function_code" not in document:
        more["/function_code"] = ADDITIONAL if kind in REQUESTS else ORIGINAL
    if not document.get("functional_reference_id"):
        more["/functional_reference_id"] = reference(context)
    if kind in REQUESTS:
        if "type_code" not in document:
            more["/type_code"] = REQUESTS[kind]
        if not _at(document, "declaration", "id") and context.known.get(MRN):
            more["/declaration/id"] = context.known[MRN]
    return more


def reference(context: EncodeContext) -> str:
    """A local reference number: SW, the day, ten digits; never the same twice."""
    day = datetime.fromtimestamp(context.now_us / 1_000_000, UTC).strftime("%y%m%d")
    return f"SW{day}{context.reserve(LRN):010}"


def with_added(document: Json, more: dict[str, str]) -> Json:
    """A copy that holds the added values; at most one level of objects is copied."""
    made = dict(document)
    for pointer, value in more.items():
        _, *above, name = pointer.split("/")
        holder = made
        for step in above:
            inside = holder.get(step)
            holder[step] = dict(inside) if isinstance(inside, dict) else {}
            holder = holder[step]
        holder[name] = value
    return made


def told(report: LossReport, more: dict[str, str]) -> LossReport:
    """The report in the words of the document as it was given: what was added is no value of it."""
    if not more:
        return report
    carried = Later(lambda: tuple(pointer for pointer in report.carried if pointer not in more))
    return replace(report, carried=carried, constants=dict(more))


def aliases(document: Json) -> list[Alias]:
    """References, then what people hold: UCR, containers, means of transport, papers of before; each once."""
    return list(dict.fromkeys(alias for alias in _all(document) if alias.value))


def _all(document: Json) -> Iterator[Alias]:
    yield Alias(LRN, _text(document, "functional_reference_id"))
    # The movement reference number is not among them: only customs gives it, so it is learned from customs alone. A filer
    # who could claim one would draw another's answers to himself.
    for content in (document, _at(document, "content")):
        if not isinstance(content, dict):
            continue
        shipment = content.get("goods_shipment")
        consignment = _at(shipment, "consignment")
        items = _members(shipment, "government_agency_goods_items")
        for holder in (shipment, *items):
            if _at(holder, "ucr"):
                yield Alias("ucr", _text(holder, "ucr", "trader_assigned_reference_id"))
                yield Alias("ucr", _text(holder, "ucr", "id"))
        for holder in (consignment, *(item.get("commodity") for item in items)):
            for equipment in _members(holder, "transport_equipments"):
                yield Alias("container", _text(equipment, "id"))
        yield Alias("transport-means", _text(content, "border_transport_means", "id"))
        for name in ("arrival_transport_means", "departure_transport_means"):
            yield Alias("transport-means", _text(consignment, name, "id"))
        for holder in (shipment, *items):
            for paper in _members(holder, "previous_documents"):
                yield Alias("previous-document", _text(paper, "id"))


def _at(value: Any, *steps: str) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _text(value: Any, *steps: str) -> str:
    found = _at(value, *steps)
    return found if isinstance(found, str) else ""


def _members(value: Any, name: str) -> list[Json]:
    found = value.get(name) if isinstance(value, dict) else None
    return [member for member in found if isinstance(member, dict)] if isinstance(found, list) else []
