"""What a canonical field cannot hold of a message, kept in the adapter's bag so that nothing is lost on the way back.

The types of this family allow attributes that no one else knows (schemeID, listAgencyID, languageID ...), and real
notifications hold times that are none. Each becomes an entry of ``extensions.wco_declaration.as_written``:

    place       the element, ``MetaData/Response/Status[2]/EffectiveDateTime/DateTimeString``; [1] is left out
    text        what stands there, where a canonical field holds something else or nothing
    attributes  further attributes
    without     attributes that we would write and the message did not have

Entries are taken out before decoding and put back after encoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from adapters.wco_declaration.conversions import from_partner, to_partner
from gateway.mapping.decode import line_of
from gateway.mapping.report import DecodeReport, Leaf, LossReport
from gateway.ports import Json
from gateway.syntax.explain import text_of
from gateway.syntax.tables import ElementTable, Node
from gateway.syntax.xml import parse

ADAPTER = "wco_declaration"
KEPT = "as_written"
POINTER = f"/extensions/{ADAPTER}/{KEPT}"
BAG_MEMBERS = (f"{POINTER}/", f"/extensions/{ADAPTER}/further_responses/")
MAPPED_ATTRIBUTES = frozenset({"unitCode", "currencyID", "formatCode"})
DATE_TIME_STRING = "DateTimeString"
_ERROR_PLACE = re.compile(r"/errors/\d+/places/")

Element = etree._Element


def take(root: Element, table: ElementTable) -> tuple[list[Json], list[Leaf]]:
    """Entries for everything of this kind, which is removed from the tree where no row could read it; and its leaves."""
    entries: list[Json] = []
    leaves: list[Leaf] = []
    for element in root.iter(etree.Element):
        text = element.text or ""
        dated = str(element.tag).endswith(DATE_TIME_STRING)
        padded = not len(element) and text != text.strip() and bool(text.strip())
        if not (element.attrib or dated or padded):
            continue
        node = _node_of(element, table)
        if node is None:
            continue
        entry: Json = _odd_time(element, leaves) if dated else {}
        if padded and "text" not in entry and node.type is not None and node.type.base == "string":
            entry["text"] = text
        _take_attributes(element, node, entry, leaves)
        if entry:
            entries.append({"place": place_of(element), **entry})
    return entries, leaves


def _take_attributes(element: Element, node: Node, entry: Json, leaves: list[Leaf]) -> None:
    """Attributes that the type allows and no row carries."""
    for name, value in list(element.attrib.items()):
        if name in MAPPED_ATTRIBUTES or node.attribute(str(name)) is None:
            continue
        del element.attrib[name]
        entry.setdefault("attributes", {})[str(name)] = str(value)
        leaves.append(Leaf(f"{place_of(element)}/@{name!s}", line_of(element), str(value), POINTER))


def _odd_time(element: Element, leaves: list[Leaf]) -> Json:
    """The entry of a time that would be written differently from how it stands here."""
    text, form = text_of(element).strip(), element.get("formatCode")
    if not text and form is None:
        return {}
    try:
        written, written_form = to_partner(from_partner(text))
    except ValueError:
        leaves.append(Leaf(place_of(element), line_of(element), text, POINTER))
        _empty(element)
        element.attrib.pop("formatCode", "")
        return {"text": text} | ({"attributes": {"formatCode": form}} if form is not None else {})
    entry: Json = {"text": text} if written != text else {}
    if form is None:
        entry["without"] = ["formatCode"]
    elif form != written_form:
        entry["attributes"] = {"formatCode": form}
    return entry


def _empty(element: Element) -> None:
    """Take all text and all comments away."""
    for child in list(element):
        element.remove(child)
    element.text = None


def keep(entries: list[Json], leaves: list[Leaf], document: Json, report: DecodeReport) -> None:
    """Put what was taken into the document's bag and say so in the report."""
    if entries:
        document.setdefault("extensions", {}).setdefault(ADAPTER, {})[KEPT] = entries
    report.bag += leaves


def report(told: LossReport, added: Mapping[str, str]) -> LossReport:
    """The report of an encoding: entries are carried too; what was added is no value of the document."""
    if not added and not told.lost:
        return told
    kept = tuple(pointer for pointer in told.lost if _known(pointer))
    return LossReport(
        carried=(*(pointer for pointer in told.carried if pointer not in added), *kept),
        ignored=told.ignored,
        lost=tuple(pointer for pointer in told.lost if not _known(pointer)),
        constants=dict(added),
    )


def _known(pointer: str) -> bool:
    """Members of the bag, and the places of errors, which only repeat their pointers."""
    return pointer.startswith(BAG_MEMBERS) or _ERROR_PLACE.match(pointer) is not None


def entries_of(document: Json) -> list[Json]:
    """The entries of a document, "[]" where its bag is not of this shape: nobody promises that a filer writes it well."""
    bag = document.get("extensions", {}).get(ADAPTER, {})
    kept = bag.get(KEPT) if isinstance(bag, dict) else None
    return [entry for entry in kept if isinstance(entry, dict)] if isinstance(kept, list) else []


def put_back(data: bytes, entries: list[Json], table: ElementTable) -> bytes:
    """The message with every entry at its place. ValueError names a place that the message cannot have."""
    if not entries:
        return data
    root = parse(data)
    for entry in entries:
        element = _reach(root, table.root, str(entry.get("place", "")))
        if "text" in entry:
            element.text = str(entry["text"])
        for name, value in entry.get("attributes", {}).items():
            element.set(str(name), str(value))
        for name in entry.get("without", ()):
            element.attrib.pop(str(name), "")
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def place_of(element: Element) -> str:
    """Path by local names from the root, positions among filled siblings of one name (empty ones are not written back)."""
    parts: list[str] = []
    here: Element | None = element
    while here is not None:
        position = 1 + sum(map(_says_something, here.itersiblings(str(here.tag), preceding=True)))
        parts.append(_local(here) + (f"[{position}]" if position > 1 else ""))
        here = here.getparent()
    return "/".join(reversed(parts))


def _says_something(element: Element) -> bool:
    return any(below.attrib or (below.text or "").strip() for below in element.iter(etree.Element))


def _node_of(element: Element, table: ElementTable) -> Node | None:
    above = [element, *element.iterancestors()]
    node: Node | None = table.root
    for step in reversed(above[:-1]):
        node = node.by_tag.get(str(step.tag)) if node is not None else None
    return node


def _local(element: Element) -> str:
    """The name; of two siblings of one name in two namespaces the echo is told apart as the element table does it."""
    name = etree.QName(element).localname
    parent = element.getparent()
    if name == "Declaration" and parent is not None and etree.QName(parent).localname == "Response":
        return "dec:Declaration" if etree.QName(element).namespace != etree.QName(parent).namespace else name
    return name


def _reach(root: Element, node: Node, place: str) -> Element:
    """The element at a place, made where it is missing, in the order of the element table."""
    steps = place.split("/")
    if steps[0] != node.name:
        raise ValueError(f"{place} is no place of the message")
    here = root
    for step in steps[1:]:
        segment, _, rest = step.partition("[")
        below = node.below(segment)
        position = int(rest.rstrip("]")) if rest.rstrip("]").isdecimal() else 1
        if below is None or (below.type is None and not below.children):
            raise ValueError(f"{place} is no place of the message")
        found = here.findall(below.tag)
        here = found[position - 1] if position <= len(found) else _insert(here, node, below)
        node = below
    return here


def _insert(parent: Element, node: Node, below: Node) -> Element:
    made: Any = etree.SubElement(parent, below.tag)
    order = {child.tag: place for place, child in enumerate(node.children)}
    after = [
        child for child in _children(parent) if child is not made and order.get(str(child.tag), 0) <= order[below.tag]
    ]
    if after:
        after[-1].addnext(made)
    else:
        parent.insert(0, made)
    return made  # type: ignore[no-any-return]


def _children(parent: Element) -> Iterator[Element]:
    return (child for child in parent if isinstance(child.tag, str))
