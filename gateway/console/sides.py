"""A document of ours and the partner's message beside each other, line by line, with what joins them.

Both are laid out again for eyes. Each value of the message that came from a place of the document (or would go back there) bears the
number of that place, on both sides; the numbers come from the adapter's own mapping, as it reads and writes. What bears none has no
counterpart: a constant, a signature, or a place that this partner does not get.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from gateway.documents.pointers import to_pointer
from gateway.errors import NotWellFormed
from gateway.mapping import Mapping as MessageMapping
from gateway.syntax import xml

LONGEST = 200_000  # bytes of a message that is laid out; a longer one is shown as it is
INDENT = "  "


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a line. link: the number of the place that it belongs to, 0 where to none; first: the first piece with it."""

    text: str
    link: int = 0
    first: bool = False


@dataclass(frozen=True, slots=True)
class Sides:
    """ours and theirs: lines of pieces; joined: (number, partner place, JSON Pointer), in the order of the message."""

    ours: list[list[Piece]]
    theirs: list[list[Piece]]
    joined: list[tuple[int, str, str]]


def beside(mappings: Mapping[str, MessageMapping], kind: str, document: Any, data: bytes) -> Sides | None:
    """Both sides, by the mapping of this kind that knows most of the message; None where none knows it or it is no XML."""
    if len(data) > LONGEST or data.lstrip()[:1] != b"<":
        return None
    try:
        root = xml.parse(data)
    except NotWellFormed:
        return None
    fitting = [one for one in mappings.values() if one.document == kind and one.table.root.tag == root.tag]
    there = set(_pointers(document, ()))
    places = max((_within(one.places(root, document), there) for one in fitting), key=len, default={})
    if not places:
        return None
    numbers = {pointer: number for number, pointer in enumerate(dict.fromkeys(places.values()), 1)}
    links = {_plain(place): numbers[pointer] for place, pointer in places.items()}
    ours = list(_document_lines(document, numbers))
    theirs = list(_first(_element_lines(root, etree.QName(root).localname, links, "")))
    return Sides(ours, theirs, [(numbers[pointer], place, pointer) for place, pointer in places.items()])


def _within(places: Mapping[str, str], there: set[str]) -> dict[str, str]:
    """Those places that a document has: a value that only the message says has no counterpart."""
    return {place: pointer for place, pointer in places.items() if pointer in there}


def _pointers(value: Any, at: tuple[str, ...]) -> Iterator[str]:
    yield to_pointer(at)
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield from _pointers(inner, (*at, str(key)))


def _plain(place: str) -> str:
    """A place without the numbers that the first of its name may bear or not."""
    return place.replace("[1]", "")


def _first(lines: Iterator[list[Piece]]) -> Iterator[list[Piece]]:
    """The same lines; of the pieces with one number the first is the one that a link leads to."""
    seen: set[int] = set()
    for line in lines:
        told = []
        for piece in line:
            told.append(Piece(piece.text, piece.link, bool(piece.link) and piece.link not in seen))
            seen.add(piece.link)
        yield told


def _document_lines(document: Any, numbers: Mapping[str, int]) -> Iterator[list[Piece]]:
    return _value_lines(document, (), numbers, "", "", "")


def _value_lines(
    value: Any, at: tuple[str, ...], numbers: Mapping[str, int], indent: str, name: str, end: str
) -> Iterator[list[Piece]]:
    """The lines of one JSON value. name: what stands before it, end: the comma behind it."""
    link = numbers.get(to_pointer(at), 0)
    if isinstance(value, dict | list) and value:
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        yield [Piece(indent), Piece(f"{name}{opening}", link, bool(link))]
        members = list(value.items()) if isinstance(value, dict) else [(str(i), one) for i, one in enumerate(value)]
        for number, (key, inner) in enumerate(members, 1):
            label = f"{json.dumps(key, ensure_ascii=False)}: " if isinstance(value, dict) else ""
            comma = "," if number < len(members) else ""
            yield from _value_lines(inner, (*at, key), numbers, indent + INDENT, label, comma)
        yield [Piece(f"{indent}{closing}{end}")]
    else:
        text = f"{name}{json.dumps(value, ensure_ascii=False)}{end}"
        yield [Piece(indent), Piece(text, link, bool(link))]


def _element_lines(element: Any, place: str, links: Mapping[str, int], indent: str) -> Iterator[list[Piece]]:
    name = f"{element.prefix}:{_local(element)}" if element.prefix else _local(element)
    opening = [Piece(indent), Piece(f"<{name}"), *_declared(element), *_attributes(element, place, links), Piece(">")]
    text = (element.text or "").strip()
    children = [child for child in element if isinstance(child.tag, str)]
    if not children:
        link = links.get(place, 0)
        yield [*opening, Piece(text, link), Piece(f"</{name}>")] if text else [*opening[:-1], Piece("/>")]
        return
    yield opening
    seen: dict[str, int] = {}
    for child in children:
        count = seen[child.tag] = seen.get(child.tag, 0) + 1
        below = f"{place}/{_local(child)}" + (f"[{count}]" if count > 1 else "")
        yield from _element_lines(child, below, links, indent + INDENT)
    yield [Piece(f"{indent}</{name}>")]


def _declared(element: Any) -> Iterator[Piece]:
    """The namespaces that are declared here."""
    parent = element.getparent()
    above = parent.nsmap if parent is not None else {}
    for prefix, uri in element.nsmap.items():
        if above.get(prefix) != uri:
            yield Piece(f' xmlns{f":{prefix}" if prefix else ""}="{uri}"')


def _attributes(element: Any, place: str, links: Mapping[str, int]) -> Iterator[Piece]:
    for tag, value in element.attrib.items():
        name = etree.QName(tag).localname
        yield Piece(f' {name}="')
        yield Piece(value, links.get(f"{place}/@{name}", 0))
        yield Piece('"')


def _local(element: Any) -> str:
    return str(etree.QName(element).localname)
