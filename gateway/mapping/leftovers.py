"""What no row of a mapping can carry of one message: kept as entries in the adapter's bag, and written back where it stood.

Senders write ``######`` where a number belongs, clock times without a zone, empty elements where a value must stand, blanks
around values, attributes that no table knows. A tolerant reading takes what it understands; the rest becomes entries of
``extensions.<adapter>.<member>``, in document order, each with its place (path from the root by names of the element table,
``Head/Line[2]/Name``, ``Head/Mass/@unit``; position 1 is not written) and one of

- ``text``: what stood there. instead_of: the text that the mapping writes there; where it writes another, the document was
  changed since, and the entry has lost its meaning;
- ``empty``: a repeated group that said nothing we know, so that those behind it keep their positions;
- ``absent``: a required group or attribute that was not there, and that the mapping writes;
- ``order``: the children of place in their order, where the table has them in another;
- ``element``: an element that the table does not know and that stood inside place, as rows (gateway.mapping.unknown). Only
  where the adapter says so: else such an element is reported as unmapped, and is not written again.

Rule 1: gathering reads the tree that was decoded and the report of its decoding; it changes neither the tree nor a value.
Rule 2: what is kept is in the report: as a leaf of the bag, and as a warning where a value could not be read.
Rule 3: an orderly message costs at most a few searches in its bytes, and nothing where the decoder saw how its texts stood.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

from lxml import etree

from gateway.documents.shape import Shape
from gateway.errors import Finding, NotWellFormed, RuleBroken, Severity
from gateway.mapping.misfits import take_misfits
from gateway.mapping.put_back import Element, Entry, elements, keeps_order, put_back, says_nothing, segment_of
from gateway.mapping.report import DecodeReport, Leaf
from gateway.mapping.unknown import rows_of
from gateway.syntax.explain import XSI, text_of
from gateway.syntax.tables import ElementTable, Node
from gateway.syntax.white_space import WHITE_SPACE, trimmed

_BEHIND = re.compile(rb"\s+</")
_IN_SECTION = re.compile(rb"\[CDATA\[\s|\s\]\]>")
_IN_ATTRIBUTE = re.compile(rb"=\s*(?:\"(?:\"|\s|[^\"<]*\s\")|'(?:'|\s|[^'<]*\s'))")  # an empty value is blank, too
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TAG_END = ord(">")


class Leftovers:
    """The leftovers of one adapter, declared once.

    keeps_unknown: elements that no table knows are kept, too. positional: names of elements in whose texts blanks in front
    are positions, which the adapter has replaced by the sign blank before decoding.
    """

    def __init__(
        self,
        adapter: str,
        member: str,
        *,
        keeps_unknown: bool = False,
        positional: Collection[str] = (),
        blank: str = " ",
    ) -> None:
        self.adapter = adapter
        self.member = member
        self.keeps_unknown = keeps_unknown
        self.positional = frozenset(positional)
        self.blank = blank
        behind = "".join(rf"(?<!<{name}>)" for name in sorted(self.positional))
        self._before = re.compile(rf">{behind}\s+[^<\s]".encode())
        self._blank_tests: dict[ElementTable, Callable[[Element], bool]] = {}

    @property
    def pointer(self) -> str:
        return f"/extensions/{self.adapter}/{self.member}"

    # In.

    def settle(
        self,
        root: Element,
        data: bytes,
        document: dict[str, Any],
        report: DecodeReport,
        table: ElementTable,
        shape: Shape,
        *,
        tolerant: bool,
        orderly: bool = True,
    ) -> None:
        """Move to the bag what canonical fields cannot take, and say so in the report.

        root was parsed from data and decoded to document and report; values that the document's shape does not admit are
        taken out of it. orderly: the schema had nothing to say that is not in the report. Raises RuleBroken, code
        mapping.unread, when a strict reading met a value that cannot be read.
        """
        unread = [*report.lost, *take_misfits(document, report, shape)]
        if unread and not tolerant:
            raise RuleBroken("the message holds values we cannot read", list(_told(unread)), code="mapping.unread")
        told = unread or report.unmapped or report.findings or report.restated
        if orderly and not told and not self._is_odd(root, data, table, report):
            return
        walk = _Gathering(self, report)
        entries = list(walk.element(root, table.root, table.root.name))
        if entries:
            document.setdefault("extensions", {}).setdefault(self.adapter, {})[self.member] = entries
        report.findings += [replace(finding, severity=Severity.WARNING) for finding in _told(unread)]
        kept = [leaf for leaf in report.unmapped if self.keeps_unknown or plain(leaf.place) in walk.kept]
        report.bag += [*unread, *kept]
        report.unmapped = [leaf for leaf in report.unmapped if leaf not in kept]
        report.lost = []

    def _is_odd(self, root: Element, data: bytes, table: ElementTable, report: DecodeReport) -> bool:
        """Are there blanks around values, or empty elements where a value must stand? May err towards yes."""
        if self.is_padded(data) if report.padded is None else report.padded:
            return True
        if report.empty is False:
            return False
        if table not in self._blank_tests:
            self._blank_tests[table] = _blank_test(table)
        return self._blank_tests[table](root)

    def is_padded(self, data: bytes) -> bool:
        """Whether white space stands around a value, or an attribute is empty. May err towards yes: then the message is looked at leaf by leaf."""
        return (
            data.startswith(_UTF16)  # the searches below read one byte a sign
            or self._before.search(data) is not None
            or any(data[found.start() - 1] != _TAG_END for found in _BEHIND.finditer(data))
            or (b"[CDATA[" in data and _IN_SECTION.search(data) is not None)
            or b"&#" in data  # a character reference may be white space
            or _IN_ATTRIBUTE.search(data) is not None
        )

    # Out.

    def entries_of(self, document: dict[str, Any]) -> list[Entry]:
        """The entries of a document; [] where its bag is not of this shape: nobody promises that a filer writes it well."""
        extensions = document.get("extensions")
        bag = extensions.get(self.adapter) if isinstance(extensions, dict) else None
        kept = bag.get(self.member) if isinstance(bag, dict) else None
        return [entry for entry in kept if isinstance(entry, dict)] if isinstance(kept, list) else []

    def put_back(self, written: bytes, document: dict[str, Any], table: ElementTable) -> bytes:
        """A written message with the document's entries back in place. RuleBroken when one does not fit the message."""
        entries = self.entries_of(document)
        if not entries:
            return written
        try:
            return put_back(written, entries, table)
        except (ValueError, TypeError, LookupError, AttributeError, NotWellFormed) as problem:
            finding = Finding("mapping.leftover", self.pointer, str(problem)[:120], params={"adapter": self.adapter})
            raise RuleBroken(
                f"the bag of a received message does not fit: {problem}", [finding], code=finding.code
            ) from None


def plain(place: str) -> str:
    """Places as entries have them: the first of a name has no position."""
    return place.replace("[1]", "")


class _Gathering:
    """One walk over a message that was decoded. kept: the places that have an entry."""

    def __init__(self, about: Leftovers, report: DecodeReport) -> None:
        self.about = about
        leaves = (*report.bag, *report.constants)
        self.reached = {plain(place) for place in (*report.mapped, *(leaf.place for leaf in leaves))}
        self.restated = {plain(place): text for place, text in report.restated.items()}
        self.speaking = _with_above(self.reached)
        self.kept: set[str] = set()

    def element(self, element: Element, node: Node, place: str) -> Iterator[Entry]:
        yield from self.attributes(element, node, place)
        if node.type is not None:
            yield from self.leaf(element, node, place)
            return
        if stray := trimmed(text_of(element)):
            yield self.entry(place, text=stray)
        counts: Counter[str] = Counter()
        for child in elements(element):
            counts[str(child.tag)] += 1
            known = node.by_tag.get(str(child.tag))
            if known is None:
                yield from self.unknown(child, place)
                continue
            where = f"{place}/{segment_of(child, node)}" + (f"[{counts[known.tag]}]" if counts[known.tag] > 1 else "")
            if known.max != 1 and known.type is None and where not in self.speaking:
                yield {"place": where, "empty": "yes"}
            yield from self.element(child, known, where)
        for known in node.children:
            needed = known.min and known.max == 1 and known.choice is None
            if needed and known.type is None and not counts[known.tag]:
                yield {"place": f"{place}/{known.row.segment}", "absent": "yes"}
        yield from self.order(element, node, place)

    def attributes(self, element: Element, node: Node, place: str) -> Iterator[Entry]:
        types = {attribute.tag: attribute.type for attribute in node.attributes}
        for name, value in ((str(name), str(value)) for name, value in element.attrib.items()):
            if name.startswith(XSI) and (node.parent is None or name.endswith("chemaLocation")):
                continue
            # A place in the report has the local name, an entry the full one.
            where, local = f"{place}/@{name}", f"{place}/@{name.rpartition('}')[2]}"
            odd = name not in types or local not in self.reached or value != trimmed(value)
            if odd or self.restated.get(local, value) != value:
                yield self.entry(where, text=value, **self.instead_of(local), at=local)
        if place in self.restated:
            for attribute in node.attributes:
                if attribute.min and attribute.tag not in element.attrib:
                    yield {"place": f"{place}/@{attribute.tag}", "absent": "yes"}

    def leaf(self, element: Element, node: Node, place: str) -> Iterator[Entry]:
        for child in elements(element):
            yield from self.unknown(child, place)
        text = text_of(element).replace(self.about.blank, " ")
        bare = trimmed(text)
        free = node.type is not None and node.type.base == "string"
        read = text.rstrip(WHITE_SPACE) if node.name in self.about.positional else bare
        padded = bool(bare) and read != text and free
        if not bare:
            if node.min:
                yield self.entry(place, text=text if free else "")
        elif padded or place not in self.reached or self.restated.get(place, bare) != bare:
            yield self.entry(place, text=text if padded else read, **self.instead_of(place))

    def order(self, element: Element, node: Node, place: str) -> Iterator[Entry]:
        """The order of children that the table has in another one; what says nothing has no place in it."""
        if not keeps_order(node):
            return
        places = {child.tag: position for position, child in enumerate(node.children)}
        present = [child for child in elements(element) if not says_nothing(child, node.by_tag.get(str(child.tag)))]
        told = [child for child in present if child.tag in places or self.about.keeps_unknown]
        positions = [places.get(str(child.tag), len(places)) for child in told]
        if positions != sorted(positions):
            yield {"place": place, "order": [segment_of(child, node) for child in told]}

    def unknown(self, child: Element, place: str) -> Iterator[Entry]:
        if self.about.keeps_unknown:
            yield {"place": place, "element": rows_of(child)}

    def instead_of(self, place: str) -> dict[str, str]:
        written = self.restated.get(place)
        return {} if written is None else {"instead_of": written}

    def entry(self, place: str, *, at: str = "", **more: str) -> Entry:
        self.kept.add(at or place)
        return {"place": place, **more}


def _with_above(places: Collection[str]) -> set[str]:
    """These places and all that hold them."""
    known = set(places)
    for place in places:
        above = place.rpartition("/")[0]
        while above and above not in known:
            known.add(above)
            above = above.rpartition("/")[0]
    return known


def _told(leaves: Collection[Leaf]) -> Iterator[Finding]:
    for leaf in leaves:
        place = f"{leaf.place} (line {leaf.line})" if leaf.line else leaf.place
        yield Finding("mapping.unread", partner_place=place, found=leaf.value[:80], expected=leaf.reason)


def _blank_test(table: ElementTable) -> Callable[[Element], bool]:
    """A test: does an element stand there empty that must not be absent?"""
    nodes = [node for node in table.walk() if node.min and node.parent is not None and "@" not in node.path]
    tags = sorted({node.tag for node in nodes})
    uris = sorted({tag[1:].split("}")[0] for tag in tags if "}" in tag})
    prefixes = {uri: f"n{place}" for place, uri in enumerate(uris)}

    def step(tag: str) -> str:
        if not tag.startswith("{"):
            return f"self::{tag}"
        uri, name = tag[1:].split("}")
        return f"self::{prefixes[uri]}:{name}"

    path = f"boolean(//*[not(*)][not(normalize-space())][{' or '.join(map(step, tags)) or 'false()'}])"
    find: Any = etree.XPath(path, namespaces={prefix: uri for uri, prefix in prefixes.items()})
    return lambda root: bool(find(root))
