"""Why a message breaks its table: every finding at once, with path and line, in the words of the table.

libxml2 stops reading a parent at its first wrong child; this walk does not. It is asked only after a refusal, so it may
take its time. In tolerant reading what can still be read is a warning: unknown elements and attributes, order, values,
absent elements, more of a sort than there may be. What cannot be read without guessing stays an error: another root, a second
value where one may stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from lxml import etree

from gateway.errors import Finding, Severity
from gateway.syntax.tables import ElementTable, Node, NodeKind, Order
from gateway.syntax.values import fault, shown
from gateway.syntax.white_space import trimmed

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_GUESSWORK = frozenset({"syntax.root.unknown", "syntax.choice.broken"})


def explain(root: etree._Element, table: ElementTable, *, tolerant: bool = False) -> list[Finding]:
    """All findings about a message, in document order."""
    walk = _Walk(table, tolerant)
    if root.tag != table.root.tag:
        return [walk.finding("syntax.root.unknown", root, etree.QName(root).localname, str(root.tag), table.root.tag)]
    return list(walk.element(root, table.root, table.root.name))


class _Walk:
    def __init__(self, table: ElementTable, tolerant: bool) -> None:
        self.source = f"{table.standard}/{table.name}"
        self.tolerant = tolerant

    def finding(
        self,
        code: str,
        element: etree._Element,
        path: str,
        found: str | None = None,
        expected: str | None = None,
        *,
        guesswork: bool | None = None,
        node: Node | None = None,
    ) -> Finding:
        """node: the one that is missing, whose titles the text of the finding may give."""
        soft = self.tolerant and not (code in _GUESSWORK if guesswork is None else guesswork)
        return Finding(
            code=code,
            found=found,
            expected=expected,
            source=self.source,
            partner_place=f"{path} (line {element.sourceline})",
            severity=Severity.WARNING if soft else Severity.ERROR,
            params={"title_zh": node.title_zh, "title_en": node.title_en} if node is not None else {},
        )

    def element(self, element: etree._Element, node: Node, path: str) -> Iterator[Finding]:
        yield from self.attributes(element, node, path)
        if node.nillable and element.get(f"{XSI}nil") in ("true", "1"):
            return
        if node.type is not None:
            yield from self.value(element, node, path)
        else:
            yield from self.group(element, node, path)

    def attributes(self, element: etree._Element, node: Node, path: str) -> Iterator[Finding]:
        known = {attribute.tag: attribute for attribute in node.attributes}
        for name, value in ((str(name), str(value)) for name, value in element.attrib.items()):
            place = f"{path}/@{name}"
            attribute = known.get(name)
            if attribute is None:
                if not name.startswith((XSI, _XML)):
                    yield self.finding("syntax.attribute.unknown", element, place, name)
            elif attribute.type is not None and (wrong := fault(attribute.type, value)):
                yield self.finding(f"syntax.value.{wrong.code}", element, place, wrong.found, wrong.expected)
        for tag, attribute in known.items():
            if attribute.min and tag not in element.attrib:
                yield self.finding("syntax.attribute.missing", element, path, expected=f"@{attribute.name}")

    def value(self, element: etree._Element, node: Node, path: str) -> Iterator[Finding]:
        children = _elements(element)
        for child in children:
            yield self.unknown(child, path)
        if not children and node.type is not None and (wrong := fault(node.type, text_of(element))):
            yield self.finding(f"syntax.value.{wrong.code}", element, path, wrong.found, wrong.expected)

    def group(self, element: etree._Element, node: Node, path: str) -> Iterator[Finding]:
        if stray := trimmed(text_of(element)):
            yield self.finding("syntax.text.unexpected", element, path, shown(stray))
        counts: Counter[str] = Counter()
        highest, last = -1, None
        positions = {child.tag: place for place, child in enumerate(node.children)}
        for child in _elements(element):
            tag = str(child.tag)
            known = node.by_tag.get(tag)
            if known is None:
                if node.wildcard is None:
                    yield self.unknown(child, path)
                continue
            counts[tag] += 1
            where = f"{path}/{known.row.segment}" + (f"[{counts[tag]}]" if known.max != 1 else "")
            if known.max is not None and counts[tag] == known.max + 1:
                alone = known.max == 1
                expected = f"at most {known.max}"
                yield self.finding("syntax.element.too_many", child, where, expected=expected, guesswork=alone)
            if node.order is Order.SEQUENCE:
                if positions[tag] < highest and not (known.choice and last and known.choice == last.choice):
                    before = last.name if last else ""
                    yield self.finding(
                        "syntax.element.order",
                        child,
                        where,
                        f"{known.name} after {before}",
                        f"{known.name} before {before}",
                    )
                else:
                    highest, last = positions[tag], known
            yield from self.element(child, known, where)
        yield from self.absent(element, node, path, counts)

    def unknown(self, child: etree._Element, path: str) -> Finding:
        name = etree.QName(child)
        found = f"{{{name.namespace}}}{name.localname}" if name.namespace else name.localname
        return self.finding("syntax.element.unknown", child, f"{path}/{name.localname}", found)

    def absent(self, element: etree._Element, node: Node, path: str, counts: Counter[str]) -> Iterator[Finding]:
        for child in node.children:
            if child.choice is None and counts[child.tag] < child.min:
                yield self.finding(
                    "syntax.element.missing", element, f"{path}/{child.row.segment}", expected=child.name, node=child
                )
        for group in (part for part in node.particles if part.kind is NodeKind.CHOICE):
            members = [child for child in node.children if child.choice == group.name]
            present = [child for child in members if counts[child.tag]]
            if not present and group.min:
                yield self.finding(
                    "syntax.element.missing", element, path, expected=" | ".join(child.name for child in members)
                )
            elif len(present) > 1 and group.max == 1:
                found = ", ".join(child.name for child in present)
                yield self.finding(
                    "syntax.choice.broken", element, path, found, " | ".join(child.name for child in members)
                )


def text_of(element: etree._Element) -> str:
    """The character data of one element, without that of its children; comments inside do not cut it."""
    return "".join([element.text or "", *(child.tail or "" for child in element)])


def _elements(element: etree._Element) -> Sequence[etree._Element]:
    return [child for child in element if isinstance(child.tag, str)]
