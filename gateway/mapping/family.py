"""Writing and reading the XML messages of one partner: a mapping and a message schema, put to work together.

What leaves has passed the schema; what a schema refuses is named with the place in our document that it came from. What
arrives is parsed once, by the one hardened parser, and the very tree that was checked is the one that is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from gateway.errors import Finding, RuleBroken, SchemaBroken, errors_only
from gateway.mapping import DecodeReport, LossReport, Mapping
from gateway.syntax.schema import MessageSchema
from gateway.syntax.xml import parse

ABSENT = ("syntax.element.missing",)
PLACE = re.compile(r"^(?P<path>.*?)(?: \(line \d+\))?$")


@dataclass(frozen=True, slots=True)
class Form:
    """One partner message of one version, read and written as one canonical kind."""

    name: str
    mapping: Mapping
    schema: MessageSchema

    @property
    def kind(self) -> str:
        return self.mapping.document


@dataclass(frozen=True, slots=True)
class Written:
    data: bytes
    report: LossReport


@dataclass(frozen=True, slots=True)
class Read:
    """root is the parsed and checked tree; it carries the table's namespaces where a tolerant reading supplied them."""

    form: Form
    document: dict[str, Any]
    report: DecodeReport
    root: etree._Element


def write(form: Form, document: dict[str, Any]) -> Written:
    """The checked message. RuleBroken and SchemaBroken name every fault, with JSON Pointers of the document."""
    data = form.mapping.encode(document).encode()
    try:
        form.schema.parse_and_check(data)
    except SchemaBroken as refused:
        raise located(form, refused, data, document) from None
    return Written(data, form.mapping.loss(document))


def located(form: Form, refused: SchemaBroken, data: bytes, document: dict[str, Any]) -> SchemaBroken:
    """The same refusal, each finding with the JSON Pointer of what was written at its place, or would have been."""
    places = {_plain(place): pointer for place, pointer in form.mapping.places(parse(data), document).items()}
    absent = form.mapping.homes
    findings = [
        replace(finding, pointer=_pointer(finding, absent if finding.code in ABSENT else {}, places))
        for finding in refused.findings
    ]
    return SchemaBroken(refused.detail, findings, code=refused.code)


def _pointer(finding: Finding, absent: Dictionary[str, str], places: Dictionary[str, str]) -> str:
    if finding.pointer is not None:
        return finding.pointer
    match = PLACE.match(finding.partner_place or "")
    place = _plain(match["path"]) if match else ""
    return absent.get(place) or _nearest(place, places)


def _plain(place: str) -> str:
    return place.replace("[1]", "")


def _nearest(place: str, places: Dictionary[str, str]) -> str:
    """The pointer of a place; for a group the common part of what lies in it; for what is absent, of what holds it."""
    while place:
        if place in places:
            return places[place]
        below = [pointer for known, pointer in places.items() if known.startswith((f"{place}/", f"{place}["))]
        if below:
            return _common(below)
        place = place.rpartition("/")[0]
    return ""


def _common(pointers: list[str]) -> str:
    split = [pointer.split("/") for pointer in pointers]
    shared = 0
    while all(len(parts) > shared + 1 for parts in split) and len({parts[shared] for parts in split}) == 1:
        shared += 1
    return "/".join(split[0][:shared])


Choice = Callable[[etree._Element], Form | None]


def read(data: bytes, choose: Choice, *, tolerant: bool, known: Iterable[str] = ()) -> Read:
    """Parse, find out which message it is, check it, decode it.

    choose picks the form by looking at the root; known names the messages for the refusal when it finds none.
    Raises NotWellFormed, SchemaBroken (all findings), or RuleBroken when strict reading met a value it cannot convert.
    """
    root = parse(data)
    form = choose(root)
    if form is None:
        finding = Finding(
            "syntax.message.unknown", found=str(root.tag)[:120], expected=", ".join(known), partner_place="/ (line 1)"
        )
        raise SchemaBroken("this is no message of the family", [finding], code=finding.code)
    findings = form.schema.check(root, tolerant=tolerant)
    if errors_only(findings):
        raise SchemaBroken(f"the message breaks {form.name} in {len(findings)} places", findings, code="syntax.schema")
    document, report = form.mapping.decode(root)
    report.findings += findings
    if not tolerant and (report.lost or report.unmapped):
        raise RuleBroken("the message holds values we cannot read", list(_unread(report)), code="mapping.unread")
    return Read(form, document, report, root)


def _unread(report: DecodeReport) -> Iterable[Finding]:
    for leaf in (*report.lost, *report.unmapped):
        place = f"{leaf.place} (line {leaf.line})" if leaf.line else leaf.place
        yield Finding("mapping.unread", partner_place=place, found=leaf.value[:80], expected=leaf.reason)
