"""Several responses in one wrapper, as DocumentMetaData allows: each is a document and an answer of its own.

Each is read from a tree of its own, and its places are told as they are in the whole message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from lxml import etree

from gateway.errors import Finding, Rejected
from gateway.mapping.report import DecodeReport, Leaf
from gateway.ports import DecodedDocument
from gateway.syntax.xml import parse

Element = etree._Element
_PLACE = re.compile(r"^[^/]+/Response(?:\[(\d+)\])?(?=[/ ]|$)")


def split(root: Element) -> list[Element]:
    """One tree a response: the given one with the first, and for each other one a wrapper that says nothing else."""
    trees = [root]
    for further in _responses(root)[1:]:
        wrapper = etree.Element(root.tag)
        root.remove(further)
        wrapper.append(further)
        trees.append(wrapper)
    return trees


def join(first: bytes, others: list[bytes]) -> bytes:
    """The inverse of split, on messages."""
    root = parse(first)
    for other in others:
        root.extend(_responses(parse(other)))
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def placed(report: DecodeReport, number: int) -> DecodeReport:
    """The report of the response of that number (from 1), with its places as they are in the whole message."""
    if number == 1:
        return report
    return DecodeReport(
        _bag=_leaves(report.bag, number),
        _constants=_leaves(report.constants, number),
        unmapped=_leaves(report.unmapped, number),
        lost=_leaves(report.lost, number),
        findings=_findings(report.findings, number),
        restated={_numbered(place, number): text for place, text in report.restated.items()},
        _mapped={_numbered(place, number): pointer for place, pointer in report.mapped.items()},
    )


def by_response(faults: Iterable[Finding]) -> dict[int, list[Finding]]:
    """The faults of each response by its number; {} where one of them is a fault of the whole message."""
    found: dict[int, list[Finding]] = {}
    for fault in faults:
        place = _PLACE.match(fault.partner_place or "")
        if place is None:
            return {}
        found.setdefault(int(place[1] or 1), []).append(fault)
    return found


def readable(documents: list[DecodedDocument]) -> tuple[DecodedDocument, ...]:
    """The same, where one of them could be read; else all their faults are raised."""
    refusals = [one.refusal for one in documents if one.refusal is not None]
    if len(refusals) == len(documents):
        faults = [finding for refusal in refusals for finding in refusal.findings]
        raise type(refusals[0])(refusals[0].detail, faults, code=refusals[0].code)
    return tuple(documents)


def placed_refusal(refusal: Rejected, number: int) -> Rejected:
    """The same refusal of the response of that number."""
    return type(refusal)(refusal.detail, _findings(refusal.findings, number), code=refusal.code)


def _responses(root: Element) -> list[Element]:
    return [child for child in root if isinstance(child.tag, str) and etree.QName(child).localname == "Response"]


def _leaves(leaves: list[Leaf], number: int) -> list[Leaf]:
    return [replace(leaf, place=_numbered(leaf.place, number)) for leaf in leaves]


def _findings(findings: Iterable[Finding], number: int) -> list[Finding]:
    return [
        replace(finding, partner_place=_numbered(finding.partner_place, number)) if finding.partner_place else finding
        for finding in findings
    ]


def _numbered(place: str, number: int) -> str:
    return re.sub(r"/Response(?:\[\d+\])?", f"/Response[{number}]", place, count=1)
