"""Several responses in one wrapper: the first is the document, the others lie in its bag, each a document of its own.

The schema allows it; a receiver that takes only one would drop answers. ``extensions.wco_declaration.further_responses``
holds them in their order.
"""

from __future__ import annotations

import re
from dataclasses import replace

from lxml import etree

from adapters.wco_declaration.mapping import ADAPTER, FURTHER
from gateway.mapping.report import DecodeReport, Leaf
from gateway.ports import Json
from gateway.syntax.xml import parse

POINTER = f"/extensions/{ADAPTER}/{FURTHER}"

Element = etree._Element


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


def keep(documents: list[Json], reports: list[DecodeReport]) -> tuple[Json, DecodeReport]:
    """One document and one report. The others lie in the bag, but each is a customs response of its own there and becomes
    an answer of its own: what reached its canonical fields is mapped.
    """
    document, report = documents[0], reports[0]
    if documents[1:]:
        document.setdefault("extensions", {}).setdefault(ADAPTER, {})[FURTHER] = documents[1:]
    for index, further in enumerate(reports[1:]):
        at = f"{POINTER}/{index}"
        report.mapped |= {_numbered(place, index): at + pointer for place, pointer in further.mapped.items()}
        for own, theirs in (
            (report.bag, further.bag),
            (report.constants, further.constants),
            (report.unmapped, further.unmapped),
            (report.lost, further.lost),
        ):
            own += [Leaf(_numbered(leaf.place, index), leaf.line, leaf.value, leaf.reason) for leaf in theirs]
        report.findings += [
            replace(finding, partner_place=_numbered(finding.partner_place or "", index))
            for finding in further.findings
        ]
    return document, report


def further_of(document: Json) -> list[Json]:
    """The other responses of a document, [] where its bag holds none or something else."""
    bag = (document.get("extensions") or {}).get(ADAPTER)
    found = bag.get(FURTHER) if isinstance(bag, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _responses(root: Element) -> list[Element]:
    return [child for child in root if isinstance(child.tag, str) and etree.QName(child).localname == "Response"]


def _numbered(place: str, index: int) -> str:
    """The place in the whole message of what was read from a tree of its own."""
    return re.sub(r"/Response(?:\[1\])?", f"/Response[{index + 2}]", place, count=1)
