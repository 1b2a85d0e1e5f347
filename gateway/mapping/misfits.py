"""Values that a mapping read and that the canonical schema does not admit: they must not stand in a document of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.documents.shape import Shape
from gateway.mapping.report import DecodeReport, Leaf


def take_misfits(document: dict[str, Any], report: DecodeReport, shape: Shape) -> Iterator[Leaf]:
    """Values that were read and that the canonical schema does not admit; they are taken out of document and report."""
    findings = shape.findings(document)
    if not findings:
        return
    places = {pointer: place for place, pointer in report.mapped.items()}
    for finding in findings:
        pointer = finding.pointer or ""
        while pointer and pointer not in places:
            pointer = pointer.rpartition("/")[0]
        if pointer:
            place = places.pop(pointer)
            del report.mapped[place]
            found = _taken_out(document, pointer)
            yield Leaf(place, None, str(found)[:80], f"expected {finding.expected or finding.code}")


def _taken_out(document: dict[str, Any], pointer: str) -> Any:
    """Remove the value at a pointer that a mapping wrote, and objects that hold nothing any more."""
    steps = pointer.split("/")[1:]
    holders: list[Any] = [document]
    for step in steps[:-1]:
        holder = holders[-1]
        holders.append(holder[int(step)] if isinstance(holder, list) else holder[step])
    value = holders[-1].pop(steps[-1])
    for above, step, holder in zip(reversed(holders[:-1]), reversed(steps[:-1]), reversed(holders[1:]), strict=True):
        if holder or isinstance(above, list):
            break
        del above[step]
    return value
