"""Reading by local name: puts the elements of a message into the namespaces that its table gives them.

Real senders leave the namespace away, and break lines inside codes. Only an element without a namespace, or in another
one of the same standard, is moved; a foreign namespace stays foreign. Text is trimmed where white space cannot matter:
where the type is not free text, or limits length, pattern or values by a code list. Nothing happens without a finding.
"""

from __future__ import annotations

from collections import Counter

from lxml import etree

from gateway.errors import Finding, Severity
from gateway.syntax.tables import ElementTable, Node
from gateway.syntax.white_space import trimmed


def qualify(root: etree._Element, table: ElementTable) -> tuple[etree._Element, list[Finding]]:
    """The same tree, changed in place, and warnings: one for all moved names, one for each trimmed value."""
    work = _Qualifying(table)
    if etree.QName(root).localname == table.root.name and work.may_move(root):
        work.element(root, table.root, table.root.name)
        etree.cleanup_namespaces(root)
    findings = list(work.trimmed)
    if work.moved:
        findings.insert(
            0,
            work.finding(
                "syntax.namespace.assumed", root, table.root.name, f"{work.moved} elements", table.root.namespace
            ),
        )
    return root, findings


class _Qualifying:
    def __init__(self, table: ElementTable) -> None:
        self.table = table
        self.own = {"", *table.namespaces.values()}
        self.moved = 0
        self.trimmed: list[Finding] = []

    def may_move(self, element: etree._Element) -> bool:
        return (etree.QName(element).namespace or "") in self.own

    def element(self, element: etree._Element, node: Node, path: str) -> None:
        if element.tag != node.tag:
            element.tag = node.tag
            self.moved += 1
        if node.type is not None:
            self.trim(element, node, path)
            return
        counts: Counter[str] = Counter()
        for child in element:
            if not isinstance(child.tag, str):
                continue
            known = self.match(child, node, counts)
            if known is not None:
                counts[known.tag] += 1
                suffix = f"[{counts[known.tag]}]" if known.max != 1 else ""
                self.element(child, known, f"{path}/{known.row.segment}{suffix}")

    def match(self, child: etree._Element, node: Node, counts: Counter[str]) -> Node | None:
        """The node a child stands for: by its full name, else by local name, the first that may still come.

        Where one of that full name has come already, a sibling of the same local name may be meant.
        """
        exact = node.by_tag.get(str(child.tag))
        if not self.may_move(child) or (exact is not None and (exact.max is None or counts[exact.tag] < exact.max)):
            return exact
        named = [known for known in node.children if known.name == etree.QName(child).localname]
        free = (known for known in named if known.max is None or counts[known.tag] < known.max)
        return next(free, exact or (named[0] if named else None))

    def trim(self, element: etree._Element, node: Node, path: str) -> None:
        text = element.text
        if text is None or len(element) or text == trimmed(text) or not _is_code(node):
            return
        element.text = trimmed(text)
        self.trimmed.append(self.finding("syntax.value.padded", element, path, "white space around the value", None))

    def finding(self, code: str, element: etree._Element, path: str, found: str, expected: str | None) -> Finding:
        return Finding(
            code=code,
            found=found,
            expected=expected,
            source=f"{self.table.standard}/{self.table.name}",
            partner_place=f"{path} (line {element.sourceline})",
            severity=Severity.WARNING,
        )


def _is_code(node: Node) -> bool:
    type_ = node.type
    return type_ is not None and bool(
        type_.base != "string" or node.codes or type_.length or type_.patterns or type_.enumeration
    )
