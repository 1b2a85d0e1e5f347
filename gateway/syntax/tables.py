"""Element tables: what a partner's message may contain, one row an element, as data.

A standard is a folder of specs/: `standard.yaml` (namespaces by prefix, defaults, messages with their versions), one CSV a
message and CSVs of shared types. A row is a fact: path, kind, type, facets, cardinality, titles, code list, source.

Rule 1: a path names one place. `DecMessage/DecHead/IEFlag` is an element, `X/@unitCode` an attribute, `X/#payload` a choice
        group; two siblings of one name in two namespaces carry the prefix in the path (`Response/dec:Declaration`).
Rule 2: the namespace column holds a prefix, `-` for none, or nothing: then the parent's counts. So the same rows serve a
        message that exists with and without a namespace.
Rule 3: the type column holds a built-in type, a name of a types table, or `table:path` of another table of the standard;
        what is named contributes its children, attributes and facets. That is how a type recurs, or is shared.
Rule 4: an empty min means none needed (below a choice: one, since the choice decides), an empty max means one, `*` no limit.
Rule 5: a table knows no meaning and no document of ours.

Nodes are made when they are first asked for, since a recursive type has no end.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from gateway.errors import NeedsOperator
from gateway.syntax.white_space import collapsed, replaced

# Built-in types by the name that a table uses, and the type of XML Schema each stands for.
BUILT_IN = {
    "string": "string",
    "token": "token",
    "normalizedString": "normalizedString",
    "language": "language",
    "anyURI": "anyURI",
    "decimal": "decimal",
    "integer": "integer",
    "boolean": "boolean",
    "date": "date",
    "dateTime": "dateTime",
    "time": "time",
    "gYear": "gYear",
    "gYearMonth": "gYearMonth",
    "gMonth": "gMonth",
    "gMonthDay": "gMonthDay",
    "gDay": "gDay",
    "duration": "duration",
    "base64": "base64Binary",
}


class NodeKind(StrEnum):
    ELEMENT = "element"
    ATTRIBUTE = "attribute"
    CHOICE = "choice"
    ANY = "any"
    TYPE = "type"  # a row of a types table; never a node of a message


class Order(StrEnum):
    SEQUENCE = "sequence"
    ANY = "any"  # the partner accepts its children in any order, and we count them


@dataclass(frozen=True, slots=True)
class SimpleType:
    """The lexical limits of one value. base is a key of BUILT_IN; blank_allowed: the empty text passes in any case.

    patterns are regular expressions of XML Schema, every one of which must match the whole value.
    """

    base: str
    min_length: int | None = None
    max_length: int | None = None
    length: int | None = None
    total_digits: int | None = None
    fraction_digits: int | None = None
    patterns: tuple[str, ...] = ()
    enumeration: tuple[str, ...] = ()
    blank_allowed: bool = False

    @property
    def pattern(self) -> str | None:
        return self.patterns[-1] if self.patterns else None

    def normalise(self, text: str) -> str:
        """The value as a schema sees it, by the whiteSpace facet of its type (XML Schema part 2, 4.3.6): a string stays as
        it is, a normalizedString has blanks for line ends and tabs, and all else is collapsed."""
        if self.base == "string":
            return text
        return replaced(text) if self.base == "normalizedString" else collapsed(text)


@dataclass(slots=True)
class Row:
    """One line of a CSV with the rows below it. namespace: None inherits, "" is none, else a prefix."""

    path: str
    kind: NodeKind
    namespace: str | None
    columns: Mapping[str, str]
    children: list[Row] = field(default_factory=list)

    @property
    def segment(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def name(self) -> str:
        return self.segment.lstrip("@#").rsplit(":", 1)[-1]

    def __getitem__(self, column: str) -> str:
        return self.columns.get(column) or ""


@dataclass(eq=False, repr=False)
class Node:
    """One place of a message. min and max count it below its parent; max is None where nothing limits it.

    namespace is the URI, "" for none; type is None for a pure group. choice is the id of the choice group it stands in.
    """

    name: str
    namespace: str
    kind: NodeKind
    path: str
    min: int
    max: int | None
    type: SimpleType | None
    nillable: bool
    codes: str
    title_zh: str
    title_en: str
    note: str
    source: str
    wco_id: str
    order: Order
    choice: str | None
    table: ElementTable
    parent: Node | None
    row: Row
    definition: tuple[Row, ...]  # its own row and the types behind it, nearest first

    def __repr__(self) -> str:
        return f"<Node {self.path}>"

    @cached_property
    def tag(self) -> str:
        """The name as lxml spells it."""
        return f"{{{self.namespace}}}{self.name}" if self.namespace else self.name

    @property
    def prefix(self) -> str:
        """The table's own prefix for the namespace, "" for none."""
        return self.table.prefix_of(self.namespace)

    @property
    def is_leaf(self) -> bool:
        """Carries a value of its own (it may carry attributes too)."""
        return self.type is not None

    @cached_property
    def particles(self) -> tuple[Node, ...]:
        """Elements, choice groups and wildcards in the order of the table, each row once; the base type's come first."""
        rows = [row for part in reversed(self.definition) for row in part.children]
        return tuple(self.table.node(row, self) for row in rows if row.kind is not NodeKind.ATTRIBUTE)

    @cached_property
    def attributes(self) -> tuple[Node, ...]:
        rows = [row for part in reversed(self.definition) for row in part.children]
        return tuple(self.table.node(row, self) for row in rows if row.kind is NodeKind.ATTRIBUTE)

    @cached_property
    def children(self) -> tuple[Node, ...]:
        """Its elements in the order of the table; members of a choice stand where their rows stand."""
        return tuple(node for node in self.particles if node.kind is NodeKind.ELEMENT)

    @cached_property
    def wildcard(self) -> Node | None:
        """The row that admits elements unknown to the table, if there is one."""
        return next((node for node in self.particles if node.kind is NodeKind.ANY), None)

    @cached_property
    def by_tag(self) -> Mapping[str, Node]:
        return {node.tag: node for node in self.children}

    @cached_property
    def _by_segment(self) -> Mapping[str, Node]:
        return {node.row.segment: node for node in (*self.children, *self.attributes)}

    def child(self, name: str, namespace: str | None = None) -> Node | None:
        """The child element of that local name; namespace (a URI, "" for none) decides between two of one name."""
        found = (node for node in self.children if node.name == name and namespace in (None, node.namespace))
        return next(found, None)

    def attribute(self, name: str) -> Node | None:
        return next((node for node in self.attributes if node.name == name), None)

    def below(self, segment: str) -> Node | None:
        """The child or attribute by its path segment, e.g. ``IEFlag``, ``@unitCode``, ``dec:Declaration``."""
        return self._by_segment.get(segment)


@dataclass(eq=False, repr=False)
class ElementTable:
    """One message of one version. namespaces: prefix to URI, for the whole standard."""

    name: str
    standard: str
    version: str
    namespaces: Mapping[str, str]
    defaults: Mapping[str, Any]
    library: Mapping[str, Row]
    root_row: Row
    title_en: str = ""
    title_zh: str = ""

    def __repr__(self) -> str:
        return f"<ElementTable {self.standard}/{self.name} {self.version}>"

    @cached_property
    def root(self) -> Node:
        return self.node(self.root_row, None)

    @cached_property
    def _prefixes(self) -> Mapping[str, str]:
        return {uri: prefix for prefix, uri in self.namespaces.items()} | {"": ""}

    def prefix_of(self, uri: str) -> str:
        return self._prefixes[uri]

    def find(self, path: str) -> Node | None:
        """The node at a path that starts with the root's name, None where the table has no such place."""
        first, *segments = path.split("/")
        node: Node | None = self.root if first == self.root.row.segment else None
        for segment in segments:
            if node is None:
                return None
            node = node.below(segment)
        return node

    def walk(self) -> Iterator[Node]:
        """Every element and attribute from the root down, in table order. A type that recurs is entered once a branch."""
        yield from self._walk(self.root, ())

    def _walk(self, node: Node, above: tuple[int, ...]) -> Iterator[Node]:
        yield node
        known = {id(row) for row in node.definition}
        if known & set(above):
            return
        yield from node.attributes
        for child in node.children:
            yield from self._walk(child, (*above, *known))

    def node(self, row: Row, parent: Node | None) -> Node:
        """The node that a row makes below a parent."""
        definition = self._definition(row)
        path = f"{parent.path}/{row.segment}" if parent else row.segment

        def first(column: str) -> str:
            return next((part[column] for part in definition if part[column]), "")

        return Node(
            name=row.name,
            namespace=self._namespace(row, parent),
            kind=row.kind,
            path=path,
            min=int(row["min"] or (1 if parent is None or row["choice"] else 0)),
            max=None if row["max"] == "*" else int(row["max"] or 1),
            type=self._simple_type(definition),
            nillable=row["nillable"] == "1",
            codes=first("codes"),
            title_zh=row["title_zh"] or first("title_zh"),
            title_en=row["title_en"] or first("title_en"),
            note=row["note"],
            source=row["source"],
            wco_id=first("wco_id"),
            order=Order(first("order") or self.defaults.get("order", "sequence")),
            choice=row["choice"] or None,
            table=self,
            parent=parent,
            row=row,
            definition=definition,
        )

    def _namespace(self, row: Row, parent: Node | None) -> str:
        if row.kind is NodeKind.ATTRIBUTE:
            return self.namespaces[row.namespace] if row.namespace else ""
        if row.namespace is None:
            return parent.namespace if parent else ""
        return self.namespaces[row.namespace] if row.namespace else ""

    def _definition(self, row: Row) -> tuple[Row, ...]:
        parts = [row]
        while (name := parts[-1]["type"]) and name not in BUILT_IN:
            if name not in self.library:
                raise broken(f"{self.standard}/{self.name}: {row.path} names the type {name}, which no table holds")
            parts.append(self.library[name])
        return tuple(parts)

    def _simple_type(self, definition: tuple[Row, ...]) -> SimpleType | None:
        base = definition[-1]["type"]
        if not base:
            return None

        def number(column: str) -> int | None:
            return next((int(part[column]) for part in definition if part[column]), None)

        listed = next((part["enumeration"] for part in definition if part["enumeration"]), "")
        return SimpleType(
            base=base,
            min_length=number("min_length"),
            max_length=number("max_length"),
            length=number("length"),
            total_digits=number("total_digits"),
            fraction_digits=number("fraction_digits"),
            patterns=tuple(part["pattern"] for part in reversed(definition) if part["pattern"]),
            enumeration=tuple(listed.split("|")) if listed else (),
            blank_allowed=bool(self.defaults.get("blank_allowed", False)),
        )


def load(csv_path: Path, version: str | None = None) -> ElementTable:
    """The table of one message. standard.yaml beside the CSV names its types, namespaces and versions.

    version: one of those listed there; without it the newest, which is the last.
    Raises NeedsOperator when the files contradict each other: a fault of the installation, not of a message.
    """
    standard = read_standard(csv_path.parent)
    name = csv_path.stem
    about = standard["messages"].get(name)
    if about is None:
        raise broken(f"{csv_path} is not a message of {csv_path.parent}/standard.yaml")
    versions = [str(known) for known in about["versions"]]
    if version is not None and version not in versions:
        raise broken(f"{csv_path} has no version {version}, only {', '.join(versions)}")
    roots = read_rows(csv_path)
    library: dict[str, Row] = {}
    for other in [*about.get("uses", []), name]:
        library |= {
            f"{other}:{path}": row for path, row in _by_path(read_rows(csv_path.with_name(f"{other}.csv"))).items()
        }
    for types in reversed(about.get("types", [])):  # the first one named wins
        library |= read_rows(csv_path.with_name(types))
    if len(roots) != 1:
        raise broken(f"{csv_path} must have one root element, it has {', '.join(roots) or 'none'}")
    title = about.get("title", {})
    return ElementTable(
        name=name,
        standard=standard["standard"],
        version=version or versions[-1],
        namespaces=standard.get("namespaces", {}),
        defaults={
            key: about.get(key, standard.get(key)) for key in ("order", "blank_allowed") if key in {**standard, **about}
        },
        library=library,
        root_row=next(iter(roots.values())),
        title_en=title.get("en", ""),
        title_zh=title.get("zh", ""),
    )


def read_standard(folder: Path) -> dict[str, Any]:
    """standard.yaml of a folder: standard, namespaces, order, blank_allowed, messages by name."""
    text = (folder / "standard.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def read_rows(csv_path: Path) -> dict[str, Row]:
    """The top rows of a CSV by name, the others hung below them. A row's parent must stand above it."""
    rows: dict[str, Row] = {}
    top: dict[str, Row] = {}
    with csv_path.open(encoding="utf-8", newline="") as lines:
        for columns in csv.DictReader(lines):
            row = _row(columns)
            if row.path in rows:
                raise broken(f"{csv_path.name}: {row.path} stands there twice")
            rows[row.path] = row
            above = row.path.rpartition("/")[0]
            if not above:
                top[row.path] = row
            elif above in rows:
                rows[above].children.append(row)
            else:
                raise broken(f"{csv_path.name}: nothing stands above {row.path}")
    return top


def broken(detail: str) -> NeedsOperator:
    """The error for a table that contradicts itself."""
    return NeedsOperator(detail, code="syntax.table.broken")


def _row(columns: Mapping[str, str]) -> Row:
    kind = NodeKind(columns.get("kind") or "element")
    namespace = {"": None, "-": ""}.get(columns.get("namespace") or "", columns.get("namespace"))
    return Row(path=columns["path"], kind=kind, namespace=namespace, columns=columns)


def _by_path(roots: Mapping[str, Row]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    waiting = list(roots.values())
    while waiting:
        row = waiting.pop()
        found[row.path] = row
        waiting.extend(row.children)
    return found
