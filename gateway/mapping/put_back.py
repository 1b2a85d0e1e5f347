"""Writing leftovers back: the entries of a bag (gateway.mapping.leftovers) into a message that a mapping has written.

Rule 1: entries are put back one by one, in their order; each sees what those before it have done. Orders come last.
Rule 2: what is missing on the way to a place is made, where the element table has it.
Rule 3: a place that the message cannot have is a LookupError or ValueError, whatever a filer wrote into the bag.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from lxml import etree

from gateway.mapping import unknown
from gateway.syntax.explain import XSI, text_of
from gateway.syntax.tables import ElementTable, Node, Order
from gateway.syntax.white_space import trimmed
from gateway.syntax.xml import parse

Entry = dict[str, Any]
Element = etree._Element

SEGMENT = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<position>[1-9][0-9]{0,5})\])?")


def put_back(written: bytes, entries: Collection[Entry], table: ElementTable) -> bytes:
    """The message with every entry at its place."""
    root = parse(written)
    for entry in entries:
        if "order" not in entry:
            _put(root, table, entry)
    for entry in entries:
        if "order" in entry:
            _reorder(*reach(root, table, str(entry["place"])), entry["order"])
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _put(root: Element, table: ElementTable, entry: Entry) -> None:
    path, of_attribute, attribute = str(entry["place"]).partition("/@")
    if "empty" in entry:
        _insert_empty(root, table, path)
        return
    element, _ = reach(root, table, path)
    if of_attribute:
        _put_attribute(element, attribute, entry)
    elif "element" in entry:
        unknown.append(element, entry["element"])
    elif "absent" in entry:
        parent = element.getparent()
        if parent is not None and is_blank(element):
            parent.remove(element)
    elif _holds(text_of(element), entry):
        element.text = str(entry["text"])


def _put_attribute(element: Element, name: str, entry: Entry) -> None:
    if "absent" in entry:
        element.attrib.pop(name, "")
    elif _holds(str(element.get(name, "")), entry):
        element.set(name, str(entry["text"]))


def _holds(there: str, entry: Entry) -> bool:
    """Whether an entry still speaks of what is there: of nothing, of the same value, or of the value it stands for."""
    return trimmed(there) in ("", trimmed(str(entry["text"])), entry.get("instead_of"))


def _reorder(element: Element, node: Node, order: list[str]) -> None:
    """Children in the given order of their names; those of one name keep theirs, those that say nothing go to the end."""
    waiting: dict[str, list[Element]] = defaultdict(list)
    silent: list[Element] = []
    for child in elements(element):
        known = node.by_tag.get(str(child.tag))
        (silent if says_nothing(child, known) else waiting[segment_of(child, node)]).append(child)
    named = [waiting[str(name)].pop(0) for name in order if waiting[str(name)]]
    element[:] = [*named, *(child for rest in waiting.values() for child in rest), *silent]


def elements(parent: Element) -> Iterator[Element]:
    """Its child elements, without comments and processing instructions."""
    return (child for child in parent if isinstance(child.tag, str))


def segment_of(child: Element, node: Node) -> str:
    """The name of a child in places: the table's, the tag itself where the table does not know it."""
    known = node.by_tag.get(str(child.tag))
    return known.row.segment if known is not None else str(child.tag)


def is_blank(element: Element) -> bool:
    """Is there neither text nor an attribute, in it and below it?"""
    return not any(one.attrib or trimmed(text_of(one)) for one in element.iter(etree.Element))


def says_nothing(element: Element, node: Node | None) -> bool:
    """Is this an optional element with neither text nor attributes, and the same below it? Then it means absent."""
    if node is None or node.min or trimmed(text_of(element)):
        return False
    if any(not str(name).startswith(XSI) or str(name).endswith("}nil") for name in element.attrib):
        return False
    return all(says_nothing(child, node.by_tag.get(str(child.tag))) for child in elements(element))


def keeps_order(node: Node) -> bool:
    """Does the order of its children say something to the partner?"""
    return node.order is Order.SEQUENCE


def reach(root: Element, table: ElementTable, path: str) -> tuple[Element, Node]:
    """The element at a place and its node; made where it is missing."""
    element, node = root, table.root
    for below, position in _steps(path, table):
        same = element.findall(below.tag)
        if position > len(same):
            raise LookupError(f"{path[:80]} leaves a gap")
        element = same[position] if position < len(same) else _made(element, node, below)
        node = below
    return element, node


def _steps(path: str, table: ElementTable) -> Iterator[tuple[Node, int]]:
    """The nodes of a place below the root, each with its position from 0."""
    first, *segments = path.split("/")
    if first != table.root.name:
        raise LookupError(f"{path[:80]} is no place of {table.name}")
    node = table.root
    for segment in segments:
        match = SEGMENT.fullmatch(segment)
        below = node.below(match["name"]) if match else None
        if match is None or below is None:
            raise LookupError(f"{path[:80]} is no place of {table.name}")
        node = below
        yield node, int(match["position"] or 1) - 1


def _made(parent: Element, node: Node, below: Node) -> Element:
    """A new child, behind those that the table has before it."""
    order = {child.tag: place for place, child in enumerate(node.children)}
    made: Element = parent.makeelement(below.tag)
    before = [child for child in elements(parent) if order.get(str(child.tag), len(order)) <= order[below.tag]]
    parent.insert(parent.index(before[-1]) + 1 if before else 0, made)
    return made


def _insert_empty(root: Element, table: ElementTable, path: str) -> None:
    """A new empty element at a place, before those that stand there and behind it; a required one may be there already."""
    parent, node = reach(root, table, path.rpartition("/")[0])
    *_, (below, position) = _steps(path, table)
    same = parent.findall(below.tag)
    if position > len(same):
        raise LookupError(f"{path[:80]} leaves a gap")
    if position == len(same):
        _made(parent, node, below)
    elif not is_blank(same[position]):
        same[position].addprevious(parent.makeelement(below.tag))
