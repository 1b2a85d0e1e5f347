"""The few places of a canonical document that the pipeline itself reads, and how agreements name places.

An agreement writes ``goods_shipment.consignor`` or ``goods_shipment.consignor.identifiers[scheme=AEO].value``; such a pattern
covers that place and everything below it, ``*`` as a step stands for any one name, and ``*`` alone for the whole document.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from gateway.agreements import Facts
from gateway.documents.pointers import index_of, resolve, to_parts
from gateway.lifecycle import REQUEST_PHASES, Phase

Json = dict[str, Any]

DECLARATION = "declaration"
RESPONSE = "customs_response"
FACTS: dict[str, tuple[str, ...]] = {
    "direction": ("/direction", "/declaration/direction"),
    "office": ("/declaration_office/id", "/declaration/declaration_office/id"),
    "regime": ("/regime",),
    "mode": ("/border_transport_means/mode_code",),
}
GOODS_ITEMS = "/goods_shipment/government_agency_goods_items"
REFERENCE = "/functional_reference_id"
STEP = "/declaration_type/declaration_step"
_PATTERN_STEP = re.compile(r"([^.\[\]]+)(?:\[([^=\]]+)=([^\]]*)\])?(?:\.|$)")


def text_at(document: Json, *pointers: str) -> str:
    """The first text found at one of these places, "" where there is none."""
    for pointer in pointers:
        value = resolve(document, pointer, None)
        if isinstance(value, str):
            return value
    return ""


def facts_of(kind: str, tenant: str, document: Json, root: Json | None = None) -> Facts:
    """What routes look at. What a request does not say itself is taken from the declaration it speaks of."""
    found = {name: text_at(document, *places) or text_at(root or {}, *places) for name, places in FACTS.items()}
    goods = tuple(tariff_numbers(document)) or tuple(tariff_numbers(root or {}))
    return Facts(document=kind, tenant=tenant, goods=goods, **found)


def tariff_numbers(document: Json) -> Iterator[str]:
    """Every number by which the goods items are classified."""
    items = resolve(document, GOODS_ITEMS, None)
    for item in items if isinstance(items, list) else ():
        for entry in resolve(item, "/commodity/classifications", None) or ():
            number = entry.get("id") if isinstance(entry, Mapping) else None
            if isinstance(number, str):
                yield number


def phase_of(kind: str, document: Json, *, after_summary: bool) -> Phase:
    """The phase a document opens. The older mark two_step names no step: it is the summary first, the rest afterwards."""
    if kind in REQUEST_PHASES:
        return REQUEST_PHASES[kind]
    step = text_at(document, STEP)
    if step == "two_step":
        step = "complete" if after_summary else "summary"
    return {"summary": Phase.SUMMARY, "complete": Phase.FULL}.get(step, Phase.SINGLE)


@lru_cache(maxsize=4096)
def _pattern(text: str) -> tuple[tuple[str, str, str], ...]:
    return tuple((name, key, value) for name, key, value in _PATTERN_STEP.findall(text))


Steps = Sequence[tuple[str, Any]]


def steps_to(document: Json, pointer: str) -> list[tuple[str, Any]]:
    """The way to a place by names, with the member of the list that it goes through, None where it goes through none."""
    steps: list[tuple[str, Any]] = []
    here: Any = document
    for part in to_parts(pointer):
        if isinstance(here, list):
            index = index_of(part)
            here = here[index] if index is not None and index < len(here) else None
            steps[-1] = (steps[-1][0], here)
        else:
            here = here.get(part) if isinstance(here, Mapping) else None
            steps.append((part, None))
    return steps


def covered(document: Json, pointer: str, patterns: Collection[str]) -> bool:
    """Whether one of an agreement's patterns covers the place at pointer."""
    if not patterns:
        return False
    steps = steps_to(document, pointer)
    return any(covers(pattern, steps) for pattern in patterns)


def covers(pattern: str, steps: Steps) -> bool:
    """Whether a pattern covers the place that steps lead to."""
    return pattern == "*" or _covers(_pattern(pattern), steps)


def ends_at(pattern: str) -> tuple[int, str]:
    """How many steps a pattern names, and the last of them."""
    parsed = _pattern(pattern)
    return len(parsed), parsed[-1][0] if parsed else ""


def _covers(pattern: tuple[tuple[str, str, str], ...], steps: Steps) -> bool:
    if not pattern or len(pattern) > len(steps):
        return False
    for (name, key, value), (step, member) in zip(pattern, steps, strict=False):
        if name not in ("*", step):
            return False
        if key and not (isinstance(member, Mapping) and member.get(key) == value):
            return False
    return True
