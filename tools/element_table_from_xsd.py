"""Write the element table of one message from official XML Schemas.

Names, types, cardinalities, facets and order are facts and are taken over; of the annotations only the WCO id and the WCO
name of an element are read, never a description. Chinese titles come from a YAML file of ours, name by name.

    python tools/element_table_from_xsd.py --xsd WRAPPER.xsd --root MetaData --namespaces standard.yaml \\
        --titles titles_zh.yaml --out specs/wco_declaration/declaration.csv [--reuse Declaration=declaration:MetaData/Declaration]

Schemas are read as libxml2 reads them: the first document that serves a namespace wins, later imports of it are skipped.
A construct that the table cannot hold stops the run; nothing is left out in silence.
Simple types with attributes go to <out>.types.csv, every other type is written into the rows that use it.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml
from lxml import etree

XS = "{http://www.w3.org/2001/XMLSchema}"
COLUMNS = [
    "path",
    "kind",
    "namespace",
    "type",
    "length",
    "min_length",
    "max_length",
    "total_digits",
    "fraction_digits",
    "pattern",
    "enumeration",
    "min",
    "max",
    "order",
    "choice",
    "nillable",
    "codes",
    "title_zh",
    "title_en",
    "note",
    "wco_id",
    "source",
]
FACETS = {
    "length": "length",
    "minLength": "min_length",
    "maxLength": "max_length",
    "totalDigits": "total_digits",
    "fractionDigits": "fraction_digits",
}
# Built-in types of XML Schema under the names that the tables use.
BUILT_IN = {"base64Binary": "base64"}

Name = tuple[str, str]  # namespace, local name
Times = tuple[str, str]  # minimum and maximum, "*" for no limit
Line = dict[str, str]


@dataclass
class Schemas:
    """All documents of one entry point: components by kind and name, with the document they stand in."""

    components: dict[tuple[str, Name], etree._Element] = field(default_factory=dict)
    namespaces: set[str] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)

    def read(self, path: Path, namespace: str | None = None) -> None:
        root = etree.parse(str(path)).getroot()
        target = root.get("targetNamespace", namespace or "")
        self.namespaces.add(target)
        self.files.append(path)
        for item in root:
            if item.tag == f"{XS}include":
                self.read(path.parent / item.get("schemaLocation", ""), target)
            elif item.tag == f"{XS}import":
                if item.get("namespace", "") not in self.namespaces:
                    self.read(path.parent / item.get("schemaLocation", ""))
            elif isinstance(item.tag, str) and item.get("name"):
                self.components[(etree.QName(item).localname, (target, item.get("name", "")))] = item

    def find(self, kind: str, name: Name) -> etree._Element | None:
        return self.components.get((kind, name))

    def globals_of(self, namespace: str) -> list[etree._Element]:
        return [item for (kind, name), item in self.components.items() if kind == "element" and name[0] == namespace]


def qualified(item: etree._Element, text: str) -> Name:
    prefix, _, local = text.rpartition(":")
    return item.nsmap.get(prefix or None, "") or "", local


def target_of(item: etree._Element) -> str:
    return item.getroottree().getroot().get("targetNamespace", "")


def parts(item: etree._Element) -> Iterator[etree._Element]:
    """The children that are schema, not annotation or comment."""
    for child in item:
        if isinstance(child.tag, str) and child.tag != f"{XS}annotation":
            yield child


def said(item: etree._Element | None, what: str) -> str:
    """The text of one element of the item's own annotation, e.g. WCOID."""
    if item is None:
        return ""
    for note in item.findall(f"{XS}annotation/{XS}documentation/{{*}}{what}"):
        if note.text and note.text.strip():
            return " ".join(note.text.split())
    return ""


@dataclass(frozen=True)
class Place:
    """Where rows are being written: below which path, namespace and choice, inside which types."""

    path: str
    namespace: str
    choice: str
    stack: list[etree._Element]


class Writer:
    def __init__(
        self, schemas: Schemas, prefixes: dict[str, str], titles: dict[str, str], reuse: dict[str, str]
    ) -> None:
        self.schemas, self.prefixes, self.titles, self.reuse = schemas, prefixes, titles, reuse
        self.rows: list[Line] = []
        self.types: dict[str, list[Line]] = {}
        self.choices = 0

    def root(self, item: etree._Element) -> None:
        namespace = target_of(item)
        self.element(item, "", {"namespace": self.prefixes[namespace], "min": "1", "max": "1"}, namespace, [])

    def element(
        self, item: etree._Element, above: str, line: Line, inherited: str, stack: list[etree._Element]
    ) -> None:
        """One element row and all below it."""
        namespace = target_of(item)
        path = self.path(above, item.get("name", ""), namespace, inherited)
        row: Line = {"path": path, "kind": "element", **line}
        if namespace != inherited:
            row["namespace"] = self.prefixes[namespace]
        if item.get("nillable") == "true":
            row["nillable"] = "1"
        self.rows.append(row)
        if item.get("name") in self.reuse and namespace != inherited:
            row["type"] = self.reuse[item.get("name", "")]
            self.title(row, item, None)
            return
        definition = self.definition(item)
        self.title(row, item, definition)
        if definition is None:
            row["type"] = self.built_in(qualified(item, item.get("type", ""))[1])
        elif definition in stack:
            raise SystemExit(f"{path}: a type that recurs needs a row of its own in the types table")
        elif definition.tag == f"{XS}simpleType":
            self.simple(definition, row)
        else:
            self.complex(definition, row, namespace, [*stack, definition])

    def path(self, above: str, name: str, namespace: str, inherited: str) -> str:
        plain = f"{above}/{name}" if above else name
        taken = any(row["path"] == plain for row in self.rows)
        return f"{above}/{self.prefixes[namespace]}:{name}" if taken and namespace != inherited else plain

    def definition(self, item: etree._Element) -> etree._Element | None:
        """The simple or complex type of an element, attribute or restriction; None for a built-in one."""
        for child in parts(item):
            if child.tag in (f"{XS}complexType", f"{XS}simpleType"):
                return child
        return self.named(item, item.get("type", ""))

    def named(self, item: etree._Element, text: str) -> etree._Element | None:
        name = qualified(item, text)
        if f"{{{name[0]}}}" == XS:
            return None
        found = self.schemas.find("complexType", name)
        if found is None:
            found = self.schemas.find("simpleType", name)
        if found is None:
            raise SystemExit(f"no type {text} in {target_of(item)}")
        return found

    def complex(self, item: etree._Element, row: Line, namespace: str, stack: list[etree._Element]) -> None:
        for child in parts(item):
            if child.tag == f"{XS}simpleContent":
                (derived,) = parts(child)
                self.simple_content(item, derived, row)
            elif child.tag in (f"{XS}sequence", f"{XS}choice"):
                self.particles(child, Place(row["path"], namespace, "", stack), occurs(child))
            elif child.tag == f"{XS}attribute":
                self.rows.append(self.attribute(child, row["path"]))
            else:
                raise SystemExit(f"{row['path']}: cannot hold {child.tag}")

    def particles(self, group: etree._Element, place: Place, times: Times) -> None:
        """The rows of a sequence or choice that stands `times` below its parent."""
        members = len(list(self.leaves(group)))
        if members == 0:  # a wildcard over a namespace that no schema here declares: nothing can stand there
            return
        if group.tag == f"{XS}choice" and members > 1:
            self.choices += 1
            name = f"choice{self.choices}"
            row = {
                "path": f"{place.path}/#{name}",
                "kind": "choice",
                "min": times[0],
                "max": times[1],
                "choice": place.choice,
            }
            self.rows.append(row)
            place, times = replace(place, choice=name), ("1", "1")
        elif members > 1 and (times != ("1", "1") or place.choice):
            raise SystemExit(f"{place.path}: cannot hold a sequence that repeats or stands in a choice")
        for child in parts(group):
            self.particle(child, place, times)

    def particle(self, child: etree._Element, place: Place, times: Times) -> None:
        times = product(times, occurs(child))
        if child.tag in (f"{XS}choice", f"{XS}sequence"):
            self.particles(child, place, times)
        elif child.tag == f"{XS}group":
            (inner,) = parts(self.schemas.components[("group", qualified(child, child.get("ref", "")))])
            self.particles(inner, place, product(times, occurs(inner)))
        else:
            line = {"min": times[0], "max": times[1], "choice": place.choice}
            for item in self.leaves(child):
                self.element(item, place.path, line, place.namespace, place.stack)

    def leaves(self, item: etree._Element) -> Iterator[etree._Element]:
        """The element declarations that a particle comes down to. A strict wildcard is the global elements it admits."""
        if item.tag == f"{XS}element":
            yield (
                self.schemas.components[("element", qualified(item, item.get("ref", "")))] if item.get("ref") else item
            )
        elif item.tag == f"{XS}any" and item.get("processContents", "strict") == "strict":
            known = self.schemas.globals_of(item.get("namespace", ""))
            if len(known) > 1:
                raise SystemExit("cannot hold a wildcard over several global elements")
            yield from known
        elif item.tag == f"{XS}group" and item.get("ref"):
            yield from self.leaves(self.schemas.components[("group", qualified(item, item.get("ref", "")))])
        elif item.tag in (f"{XS}choice", f"{XS}sequence", f"{XS}group"):
            for child in parts(item):
                yield from self.leaves(child)
        else:
            raise SystemExit(f"cannot hold {item.tag}")

    def attribute(self, item: etree._Element, above: str) -> Line:
        row: Line = {
            "path": f"{above}/@{item.get('name')}",
            "kind": "attribute",
            "min": "1" if item.get("use") == "required" else "0",
            "max": "1",
        }
        definition = self.definition(item)
        row["type"] = (
            self.built_in(qualified(item, item.get("type", ""))[1]) if definition is None else self.shared(definition)
        )
        return row

    def simple_content(self, owner: etree._Element, derived: etree._Element, row: Line) -> None:
        base = self.named(derived, derived.get("base", ""))
        if derived.tag == f"{XS}extension":
            row["type"] = self.shared(owner)
            return
        if base is None:
            row["type"] = self.built_in(qualified(derived, derived.get("base", ""))[1])
        else:
            row["type"] = self.shared(base)
        self.facets(derived, row)

    def simple(self, item: etree._Element, row: Line) -> None:
        (restriction,) = parts(item)
        if restriction.tag != f"{XS}restriction":
            raise SystemExit(f"{row['path']}: cannot hold {restriction.tag}")
        base = self.named(restriction, restriction.get("base", ""))
        if base is None:
            row["type"] = self.built_in(qualified(restriction, restriction.get("base", ""))[1])
        else:
            row["type"] = self.shared(base)
        self.facets(restriction, row)

    def shared(self, item: etree._Element) -> str:
        """The name of a type in the types table, which it enters the first time."""
        name = item.get("name", "")
        if not name:
            raise SystemExit("a shared type without a name")
        if name not in self.types:
            row: Line = {"path": name, "kind": "type"}
            self.types[name] = [row]
            if item.tag == f"{XS}simpleType":
                self.simple(item, row)
            else:
                (content,) = parts(item)
                (derived,) = parts(content)
                base = self.named(derived, derived.get("base", ""))
                if base is None:
                    row["type"] = self.built_in(qualified(derived, derived.get("base", ""))[1])
                else:
                    row["type"] = self.shared(base)
                self.facets(derived, row)
                self.types[name] += [self.attribute(a, name) for a in parts(derived) if a.tag == f"{XS}attribute"]
        return name

    def facets(self, restriction: etree._Element, row: Line) -> None:
        patterns, values = [], []
        for facet in parts(restriction):
            kind = etree.QName(facet).localname
            if kind == "pattern":
                patterns.append(facet.get("value", ""))
            elif kind == "enumeration":
                values.append(facet.get("value", ""))
            elif kind in FACETS:
                row[FACETS[kind]] = facet.get("value", "")
            elif kind != "attribute":
                raise SystemExit(f"{row['path']}: cannot hold the facet {kind}")
        if patterns:  # patterns of one step are alternatives
            row["pattern"] = patterns[0] if len(patterns) == 1 else "|".join(f"({pattern})" for pattern in patterns)
        if values:
            row["enumeration"] = "|".join(values)

    def built_in(self, name: str) -> str:
        return BUILT_IN.get(name, name)

    def title(self, row: Line, item: etree._Element, definition: etree._Element | None) -> None:
        name = item.get("name", "")
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
        row["title_en"] = said(item, "WCOName") or words.capitalize()
        row["title_zh"] = self.titles.get(name, "")
        row["wco_id"] = said(item, "WCOID") or said(definition, "WCOID")


def occurs(item: etree._Element) -> Times:
    high = item.get("maxOccurs", "1")
    return item.get("minOccurs", "1"), "*" if high == "unbounded" else high


def product(outer: Times, inner: Times) -> Times:
    """How often something stands below its parent when it and its group may both repeat."""
    return tuple(_times(a, b) for a, b in zip(outer, inner, strict=True))  # type: ignore[return-value]


def _times(left: str, right: str) -> str:
    if "*" in (left, right):
        return "0" if "0" in (left, right) else "*"
    return str(int(left) * int(right))


def write(path: Path, rows: list[Line], source: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        table = csv.DictWriter(lines, COLUMNS, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(row | {"source": source} for row in rows)


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    options.add_argument("--xsd", type=Path, action="append", required=True)
    options.add_argument("--root", required=True)
    options.add_argument("--namespaces", type=Path, required=True, help="standard.yaml")
    options.add_argument("--titles", type=Path, required=True)
    options.add_argument("--reuse", action="append", default=[])
    options.add_argument("--source", default="official XSD")
    options.add_argument("--out", type=Path, required=True)
    chosen = options.parse_args()
    schemas = Schemas()
    for xsd in chosen.xsd:
        schemas.read(xsd)
    uris: dict[str, str] = yaml.safe_load(chosen.namespaces.read_text(encoding="utf-8"))["namespaces"]
    titles: dict[str, str] = yaml.safe_load(chosen.titles.read_text(encoding="utf-8"))
    writer = Writer(
        schemas, {uri: prefix for prefix, uri in uris.items()}, titles, dict(r.split("=", 1) for r in chosen.reuse)
    )
    (root,) = (
        item for (kind, name), item in schemas.components.items() if kind == "element" and name[1] == chosen.root
    )
    writer.root(root)
    write(chosen.out, writer.rows, chosen.source)
    types = [row for name in sorted(writer.types) for row in writer.types[name]]
    write(chosen.out.with_suffix(".types.csv"), types, chosen.source)
    untitled = sorted({row["path"].rsplit("/", 1)[-1] for row in writer.rows if row["kind"] == "element"} - set(titles))
    print(
        f"{chosen.out}: {len(writer.rows)} rows, {len(types)} of types"
        + (f"; no Chinese title: {untitled}" if untitled else "")
    )


if __name__ == "__main__":
    main()
