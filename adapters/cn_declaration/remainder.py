"""What a table cannot carry of a message that breaks its own rules: kept in the bag, and written back where it stood.

Senders write ``######`` where a number belongs, empty elements where a value must stand, elements that no version of the
interface describes, blanks around values. A tolerant reading takes what it understands and keeps the rest here, as entries
of extensions.cn_declaration.remainder in document order:

- ``text``: the text of the leaf (or attribute) at place, which its canonical field could not take;
- ``empty``: a repeated element that said nothing we know, so that those behind it keep their positions;
- ``xml``: an element that the element table does not know, as it stood inside place;
- ``absent``: a required group that was not there.

A place is a path of local names with positions, ``DecMessage/DecLists/DecList[2]/GName``; position 1 is not written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from lxml import etree

from adapters.cn_declaration.conversions import BLANK
from gateway.errors import NotWellFormed, RuleBroken
from gateway.syntax.tables import ElementTable, Node
from gateway.syntax.xml import parse

Entry = dict[str, str]
Element = etree._Element

# White space that belongs to a value. Blanks in front of a positional text are read, and do not count.
_BEFORE = re.compile(rb">(?<!<Type>)(?<!<DataSource>)(?<!<SpecDeclFlag>)\s+[^<\s]")
_BEHIND = re.compile(rb"\s+</")
_IN_SECTION = re.compile(rb"\[CDATA\[\s|\s\]\]>")
SEGMENT = re.compile(r"^(?P<name>[^\[\]]+)(?:\[(?P<position>[1-9][0-9]*)\])?$")
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
# libxml2 writes an element without a namespace into its parent's default one. This attribute, whose line feed no text is
# written with, is replaced by the declaration that is missing.
_UNQUALIFIED = "unqualified"
_UNQUALIFIED_WRITTEN = b' unqualified="&#10;"'
POSITIONAL = frozenset({"Type", "DataSource", "SpecDeclFlag"})


def empty_required(table: ElementTable) -> Callable[[Element], bool]:
    """A test: does an element stand there empty that must not be absent?"""
    nodes = [node for node in table.walk() if node.min and node.parent is not None and not node.name.startswith("@")]
    tags = sorted({node.tag for node in nodes if "@" not in node.path})
    prefixes = {
        f"n{place}": uri for place, uri in enumerate(sorted({tag[1:].split("}")[0] for tag in tags if "}" in tag}))
    }
    named = {uri: prefix for prefix, uri in prefixes.items()}

    def step(tag: str) -> str:
        if not tag.startswith("{"):
            return f"self::{tag}"
        uri, name = tag[1:].split("}")
        return f"self::{named[uri]}:{name}"

    path = f"boolean(//*[not(*)][not(normalize-space())][{' or '.join(step(tag) for tag in tags)}])"
    find: Callable[[Element], Any] = etree.XPath(path, namespaces=prefixes)
    return lambda root: bool(find(root))


def is_padded(data: bytes, root: Element) -> bool:
    """Whether white space stands around a value; the message must then be looked at leaf by leaf. May err on that side."""
    return (
        _BEFORE.search(data) is not None
        or any(data[found.start() - 1] != 62 for found in _BEHIND.finditer(data))  # 62 is the sign that ends a tag
        or (b"[CDATA[" in data and _IN_SECTION.search(data) is not None)
        or b"&#" in data  # a character reference may be white space
        or any(str(value) != str(value).strip() for value in root.attrib.values())
    )


def plain(place: str) -> str:
    """Places as this module writes them: the first of a name has no position."""
    return place.replace("[1]", "")


def mark_leading_blanks(root: Element) -> None:
    """Blanks in front of a positional text are positions. They become a visible sign, which the conversions read."""
    for element in root.iter(*(f"{{*}}{name}" for name in POSITIONAL)):
        text = element.text or ""
        bare = text.lstrip(" ")
        if text and bare and text != bare and not len(element):
            element.text = BLANK * (len(text) - len(bare)) + bare


def gather(root: Element, table: ElementTable, *, unread: Collection[str], reached: Collection[str]) -> list[Entry]:
    """The entries for a message. unread: places whose value no canonical field took; reached: all places that did reach one.

    Both are plain places. The tree must be the one that was decoded.
    """
    walk = _Gathering(frozenset(unread), _with_above(reached))
    return list(walk.element(root, table.root, table.root.name))


def _with_above(places: Collection[str]) -> set[str]:
    """These places and all that hold them."""
    known = set(places)
    for place in places:
        above = place.rpartition("/")[0]
        while above and above not in known:
            known.add(above)
            above = above.rpartition("/")[0]
    return known


class _Gathering:
    def __init__(self, unread: frozenset[str], reached: set[str]) -> None:
        self.unread = unread
        self.reached = reached

    def element(self, element: Element, node: Node, place: str) -> Iterator[Entry]:
        yield from self.attributes(element, node, place)
        if node.type is not None:
            yield from self.leaf(element, node, place)
            return
        if stray := _own_text(element):
            yield {"place": place, "text": stray}
        counts: Counter[str] = Counter()
        for child in element:
            if not isinstance(child.tag, str):
                continue
            counts[child.tag] += 1
            known = node.by_tag.get(child.tag)
            if known is None:
                yield {"place": place, "xml": _bare(child)}
                continue
            where = f"{place}/{known.row.segment}" + (f"[{counts[child.tag]}]" if counts[child.tag] > 1 else "")
            if known.max != 1 and known.type is None and where not in self.reached:
                yield {"place": where, "empty": "yes"}
            yield from self.element(child, known, where)
        for known in node.children:
            if known.min and known.type is None and not counts[known.tag] and known.max == 1:
                yield {"place": f"{place}/{known.row.segment}", "absent": "yes"}

    def attributes(self, element: Element, node: Node, place: str) -> Iterator[Entry]:
        types = {attribute.tag: attribute for attribute in node.attributes}
        for name, value in ((str(name), str(value)) for name, value in element.attrib.items()):
            if name.startswith(XSI):
                continue
            where = f"{place}/@{name}"
            local = f"{place}/@{name.rpartition('}')[2]}"
            if name not in types or local in self.unread or value != value.strip():
                yield {"place": where, "text": value}

    def leaf(self, element: Element, node: Node, place: str) -> Iterator[Entry]:
        for child in element:
            if isinstance(child.tag, str):
                yield {"place": place, "xml": _bare(child)}
        text = "".join([element.text or "", *(child.tail or "" for child in element)]).replace(BLANK, " ")
        bare = text.strip()
        read = text.rstrip() if node.name in POSITIONAL else bare
        padded = bool(bare) and read != text and node.type is not None and node.type.base == "string"
        blank = not bare and node.min  # blanks alone are kept as they are: a text has them, a code is trimmed
        if (bare and place in self.unread) or padded or blank:
            yield {
                "place": place,
                "text": text if padded or (blank and node.type and node.type.base == "string") else bare,
            }


def _own_text(element: Element) -> str:
    """What a group says beside its elements: nothing, in every message that keeps its table."""
    return "".join([element.text or "", *(child.tail or "" for child in element)]).strip()


def _bare(element: Element) -> str:
    """An element without what follows it."""
    tail, element.tail = element.tail, None
    text = etree.tostring(element, encoding="unicode")
    element.tail = tail
    return text


def restore(written: bytes, entries: Collection[Mapping[str, str]], table: ElementTable) -> bytes:
    """The message with its remainder back in place. RuleBroken when an entry does not fit the message."""
    root = parse(written)
    for entry in entries:
        try:
            _put_back(root, table, entry)
        except (ValueError, TypeError, LookupError, NotWellFormed) as problem:
            raise RuleBroken(f"the remainder of a received message cannot be written back: {problem}") from None
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True).replace(_UNQUALIFIED_WRITTEN, b' xmlns=""')


def _put_back(root: Element, table: ElementTable, entry: Mapping[str, str]) -> None:
    place = entry["place"]
    path, at, attribute = place.partition("/@")
    if at:
        _reach(root, table, path).set(attribute, entry["text"])
    elif "xml" in entry:
        element = parse(entry["xml"].encode())
        if table.root.namespace and not etree.QName(element).namespace:
            element.set(_UNQUALIFIED, "\n")
        _reach(root, table, path).append(element)
    elif "absent" in entry:
        element = _reach(root, table, path)
        parent = element.getparent()
        if parent is not None and not len(element) and not (element.text or "").strip():
            parent.remove(element)
    elif "empty" in entry:
        _insert(root, table, path)
    else:
        element = _reach(root, table, path)
        if (element.text or "").strip() in ("", entry["text"].strip()):
            element.text = entry["text"]


def _steps(path: str, table: ElementTable) -> Iterator[tuple[Node, int]]:
    """The nodes of a place below the root, each with its position from 0."""
    node = table.root
    for segment in path.split("/")[1:]:
        match = SEGMENT.match(segment)
        below = node.below(match["name"]) if match else None
        if match is None or below is None:
            raise LookupError(f"{path[:80]} is no place of {table.name}")
        node = below
        yield node, int(match["position"] or 1) - 1


def _reach(root: Element, table: ElementTable, path: str) -> Element:
    """The element at a place, made where it is missing."""
    element = root
    for node, position in _steps(path, table):
        same = element.findall(node.tag)
        if position > len(same):
            raise LookupError(f"{path[:80]} leaves a gap")
        element = same[position] if position < len(same) else etree.SubElement(element, node.tag)
    return element


def _insert(root: Element, table: ElementTable, path: str) -> None:
    """A new empty element at a place, before those that stand there and behind it."""
    node, position = list(_steps(path, table))[-1]
    parent = _reach(root, table, path.rpartition("/")[0])
    same = parent.findall(node.tag)
    if position > len(same):
        raise LookupError(f"{path[:80]} leaves a gap")
    element = etree.SubElement(parent, node.tag)
    if position < len(same):
        same[position].addprevious(element)
