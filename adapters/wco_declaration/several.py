"""Several responses in one wrapper: the first is the document, the others lie in its bag, each a document of its own.

The schema allows it; a receiver that takes only one would drop answers. ``extensions.wco_declaration.further_responses``
holds them in their order.
"""

from __future__ import annotations

from lxml import etree

from adapters.wco_declaration.as_written import ADAPTER
from gateway.mapping.report import DecodeReport, Leaf
from gateway.ports import Json
from gateway.syntax.xml import parse

FURTHER = "further_responses"
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
    """One document and one report; what the others say is in the bag."""
    document, report = documents[0], reports[0]
    if documents[1:]:
        document.setdefault("extensions", {}).setdefault(ADAPTER, {})[FURTHER] = documents[1:]
    for index, further in enumerate(reports[1:]):
        at = f"{POINTER}/{index}"
        report.bag += [
            Leaf(_numbered(place, index), None, "", at + pointer) for place, pointer in further.mapped.items()
        ]
        for own, theirs in (
            (report.bag, further.bag),
            (report.unmapped, further.unmapped),
            (report.lost, further.lost),
        ):
            own += [Leaf(_numbered(leaf.place, index), leaf.line, leaf.value, leaf.reason) for leaf in theirs]
    return document, report


def further_of(document: Json) -> list[Json]:
    """The other responses of a document, [] where its bag holds none or something else."""
    bag = (document.get("extensions") or {}).get(ADAPTER)
    found = bag.get(FURTHER) if isinstance(bag, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _responses(root: Element) -> list[Element]:
    return [child for child in root if isinstance(child.tag, str) and etree.QName(child).localname == "Response"]


def _numbered(place: str, index: int) -> str:
    return place.replace("/Response", f"/Response[{index + 2}]", 1)
