"""An element that no table knows, as rows of a bag: data that can be searched and checked, and no markup.

One row an element, in document order; ``level`` says how deep it stands below the first, which has level 0. A row has the
``name`` (``{namespace}local``, or the local name alone), its ``attributes`` and the ``namespaces`` that are declared there, each
by prefix, its ``text``, and the text ``after`` it in its parent. What is empty is left out; comments and processing
instructions are not kept. Rows, not a tree: a message may be deeper than JSON that is stored and sent may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

Row = dict[str, Any]
DEEPEST = 256  # levels, as many as a message may have (gateway.syntax.xml)


def rows_of(element: etree._Element) -> list[Row]:
    """The rows of an element and of all below it, without what follows it."""
    rows: list[Row] = []
    _add(element, 0, {}, rows)
    return rows


def append(parent: etree._Element, rows: Sequence[Row]) -> None:
    """The element of these rows as last child of parent. ValueError, TypeError or LookupError where they are no such rows."""
    way = [parent]
    for place, row in enumerate(rows):
        level = int(row["level"])
        if not min(place, 1) <= level < min(len(way), DEEPEST):
            raise ValueError(f"level {level} has no place")
        del way[level + 1 :]
        declared: Any = {prefix or None: str(uri) for prefix, uri in row.get("namespaces", {}).items()}
        if etree.QName(way[-1]).namespace and not str(row["name"]).startswith("{"):
            declared[None] = ""  # else it would be written into its parent's default namespace
        made = etree.SubElement(way[-1], str(row["name"]), dict(row.get("attributes", {})), declared)
        made.text, made.tail = row.get("text"), row.get("after")
        way.append(made)
    if not rows:
        raise ValueError("an element without rows")


def _add(element: etree._Element, level: int, above: dict[str | None, str], rows: list[Row]) -> Row:
    row: Row = {"level": str(level), "name": str(element.tag)}
    rows.append(row)
    if element.attrib:
        row["attributes"] = {str(name): str(value) for name, value in element.attrib.items()}
    declared = {prefix or "": uri for prefix, uri in element.nsmap.items() if above.get(prefix) != uri}
    if declared:
        row["namespaces"] = declared
    speaker, member, said = row, "text", element.text or ""
    for child in element:
        if isinstance(child.tag, str):
            _say(speaker, member, said)
            speaker, member, said = _add(child, level + 1, element.nsmap, rows), "after", ""
        said += child.tail or ""
    _say(speaker, member, said)
    return row


def _say(row: Row, member: str, text: str) -> None:
    if text:
        row[member] = text
