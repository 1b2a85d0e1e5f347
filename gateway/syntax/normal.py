"""When are two messages the same? The closed list of what may differ on a round trip, and where they first do.

 1. XML declaration and encoding
 2. comments and processing instructions
 3. namespace prefixes and where they are declared
 4. xsi:schemaLocation, xsi:noNamespaceSchemaLocation, xsi:type on the root
 5. white space between elements
 6. CDATA section or escaped text
 7. white space around a value that is not free text (XML Schema part 2, 4.3.6 whiteSpace)
 8. order of attributes
 9. order of children where the table says any; those of one name keep theirs
10. empty optional elements, where the adapter says that they mean absent

Nothing else. Elements that the table does not know keep their place behind the known ones, with all they contain.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from gateway.errors import Finding
from gateway.syntax.explain import XSI, text_of
from gateway.syntax.qualify import qualify
from gateway.syntax.tables import ElementTable, Node, Order
from gateway.syntax.values import shown
from gateway.syntax.white_space import trimmed
from gateway.syntax.xml import parse

_MOST = 20  # places that a comparison names


def canonical_form(
    root: etree._Element, table: ElementTable, *, empty_means_absent: bool = False, names_assumed: bool = False
) -> bytes:
    """One spelling of a message, UTF-8, one element a line.

    empty_means_absent: item 10 of the list. names_assumed: elements without namespace are first put into the table's, as
    tolerant reading does (qualify.py); the given tree is not changed.
    """
    if names_assumed:
        root, _ = qualify(_copy(root), table)
    known = table.root if root.tag == table.root.tag else None
    form = _Form(table, empty_means_absent)
    return "\n".join(form.element(root, known, 0, top=True)).encode() + b"\n"


def differences(a: bytes, b: bytes) -> list[Finding]:
    """The first places, at most 20, where two canonical forms differ: found is a's, expected is b's."""
    if a == b:
        return []
    left, right = parse(a), parse(b)
    found: list[Finding] = []
    for finding in _compare(left, right, etree.QName(left).localname):
        found.append(finding)
        if len(found) == _MOST:
            break
    return found


class _Form:
    def __init__(self, table: ElementTable, empty_means_absent: bool) -> None:
        self.table = table
        self.empty_means_absent = empty_means_absent

    def element(self, element: etree._Element, node: Node | None, depth: int, *, top: bool = False) -> Iterator[str]:
        name = self.name(str(element.tag))
        head = f"{'  ' * depth}<{name}{self.namespaces(element) if top else ''}{self.attributes(element, node, top)}"
        children = self.children(element, node)
        if children:
            yield f"{head}>{_escaped(trimmed(text_of(element)))}"
            for child, known in children:
                yield from self.element(child, known, depth + 1)
            yield f"{'  ' * depth}</{name}>"
        else:
            text = text_of(element)
            value = node.type.normalise(text) if node is not None and node.type is not None else trimmed(text)
            yield f"{head}>{_escaped(value)}</{name}>" if value else f"{head}/>"

    def children(self, element: etree._Element, node: Node | None) -> list[tuple[etree._Element, Node | None]]:
        found = [child for child in element if isinstance(child.tag, str)]
        pairs = [(child, node.by_tag.get(str(child.tag)) if node else None) for child in found]
        kept = [pair for pair in pairs if not self.absent(*pair)]
        if node is not None and node.order is Order.ANY:
            places = {child.tag: place for place, child in enumerate(node.children)}
            kept.sort(key=lambda pair: places.get(str(pair[0].tag), len(places)))
        return kept

    def absent(self, element: etree._Element, node: Node | None) -> bool:
        """Is this an optional element that carries nothing, in a message where that means absent?"""
        if not self.empty_means_absent or node is None or node.min or self.attributes(element, node, False):
            return False
        return not self.children(element, node) and not trimmed(text_of(element))

    def attributes(self, element: etree._Element, node: Node | None, top: bool) -> str:
        types = {attribute.tag: attribute.type for attribute in node.attributes} if node else {}
        parts = []
        for name, value in sorted((str(name), str(value)) for name, value in element.attrib.items()):
            if name.startswith(XSI) and (top or name.endswith("chemaLocation")):
                continue
            type_ = types.get(name)
            parts.append(f" {self.name(name)}={quoteattr(type_.normalise(value) if type_ else value)}")
        return "".join(parts)

    def name(self, tag: str) -> str:
        if not tag.startswith("{"):
            return tag
        uri, local = tag[1:].split("}")
        return f"{self.prefix(uri)}:{local}"

    def prefix(self, uri: str) -> str:
        if uri in self.table.namespaces.values():
            return self.table.prefix_of(uri)
        return "xml" if uri.endswith("/XML/1998/namespace") else f"x-{uri.encode().hex()}"

    def namespaces(self, root: etree._Element) -> str:
        tags = {str(item.tag) for item in root.iter(etree.Element)}
        tags |= {str(name) for item in root.iter(etree.Element) for name in item.attrib}
        uris = {tag[1:].split("}")[0] for tag in tags if tag.startswith("{")} - {XSI[1:-1]}
        named = sorted((self.prefix(uri), uri) for uri in uris if not uri.endswith("/XML/1998/namespace"))
        nil = f" xmlns:{self.prefix(XSI[1:-1])}={quoteattr(XSI[1:-1])}" if f"{XSI}nil" in tags else ""
        return "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in named) + nil


def _compare(left: etree._Element, right: etree._Element, path: str) -> Iterator[Finding]:
    if left.tag != right.tag:
        yield _different(path, str(left.tag), str(right.tag))
        return
    for name in sorted({*left.attrib, *right.attrib}):
        if left.get(name) != right.get(name):
            yield _different(f"{path}/@{name}", left.get(name), right.get(name))
    here, there = (_own_text(one) for one in (left, right))
    if here != there:
        yield _different(path, here, there)
    seen: dict[str, int] = {}
    for one, other in _aligned(list(left), list(right)):
        some = one if one is not None else other
        assert some is not None  # zip_longest never yields two fillers
        name = etree.QName(some).localname
        seen[name] = seen.get(name, 0) + 1
        place = f"{path}/{name}" + (f"[{seen[name]}]" if seen[name] > 1 else "")
        if one is None or other is None:
            yield _different(place, "absent" if one is None else "present", "absent" if other is None else "present")
        else:
            yield from _compare(one, other, place)
    names, others = ([etree.QName(child).localname for child in one] for one in (left, right))
    if names != others and sorted(names) == sorted(others):
        yield _different(path, ", ".join(names), ", ".join(others))


def _own_text(element: etree._Element) -> str:
    """The value of a leaf; of a group what it says beside its elements, which is nothing where it keeps its table."""
    return trimmed(element.text or "") if len(element) else element.text or ""


def _aligned(
    left: list[etree._Element], right: list[etree._Element]
) -> Iterator[tuple[etree._Element | None, etree._Element | None]]:
    """Children side by side, name by name, so that one absent element is one difference and not all that follow."""
    names = dict.fromkeys(str(child.tag) for child in (*left, *right))
    if [child.tag for child in left if child.tag in names] == [child.tag for child in right]:
        yield from zip(left, right, strict=True)
        return
    for name in names:
        yield from zip_longest([c for c in left if c.tag == name], [c for c in right if c.tag == name])


def _different(place: str, found: str | None, expected: str | None) -> Finding:
    return Finding(
        code="syntax.normal.different",
        partner_place=place,
        found="absent" if found is None else shown(found),
        expected="absent" if expected is None else shown(expected),
    )


def _escaped(value: str) -> str:
    return escape(value, {"\r": "&#13;"})


def _copy(root: etree._Element) -> etree._Element:
    return etree.fromstring(etree.tostring(root, with_tail=False))
