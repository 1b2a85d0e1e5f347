"""The schema of one message: a verdict for the hot path, the reasons behind a refusal for people.

libxml2 gives the verdict, from the table's own schema or from the official one that an operator put there. What XML
Schema 1.0 cannot count, children in any order of which some repeat, is counted here; and base64 is read here, since libxml2
passes over any sign that is none of its own. The reasons come from the table
(explain.py); xmlschema words what the table does not know, where official schemas say more.

The compiled schema is built when first used and shared by threads; libxml2's reports are per schema object, hence the lock.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lxml import etree

from gateway.errors import Finding, NeedsOperator, SchemaBroken, Severity, errors_only
from gateway.syntax.compile import compile_xsd, counted, document_name
from gateway.syntax.explain import explain, text_of
from gateway.syntax.qualify import qualify
from gateway.syntax.tables import ElementTable, Node, NodeKind, SimpleType
from gateway.syntax.values import fault
from gateway.syntax.xml import DEFAULT, Limits, parse


@dataclass(frozen=True, slots=True)
class Reading:
    """A message that could be read, and what is worth saying about it: warnings only."""

    root: etree._Element
    findings: tuple[Finding, ...] = ()


class MessageSchema:
    """Checks one message of one version. official: the entry XSD that decides instead of the table's own schema."""

    def __init__(self, table: ElementTable, *, official: Path | None = None, unqualified: bool = False) -> None:
        self.table = table
        self.official = official
        self.unqualified = unqualified  # this message is legal without its namespace too
        self._lock = threading.Lock()

    def check(self, root: etree._Element, *, tolerant: bool = False) -> list[Finding]:
        """Every finding about a parsed message; none where it keeps its schema.

        tolerant: what can still be read is a warning, and names are matched without their namespace. There, and where a
        message is legal without its namespace, a refused tree is changed in place to carry it.
        """
        if self.accepts(root):
            return []
        findings: list[Finding] = []
        if tolerant or self.unqualified:
            _, findings = qualify(root, self.table)
            if self.unqualified and not tolerant:
                findings = [finding for finding in findings if finding.code == "syntax.namespace.assumed"]
            if findings and self.accepts(root):
                return findings
        return findings + self._reasons(root, tolerant)

    def accepts(self, root: etree._Element) -> bool:
        """The bare verdict."""
        if root.tag != self.table.root.tag:
            return False
        with self._lock:
            valid = bool(self._schema.validate(root))
        return valid and (self.official is not None or not any(rule(root) for rule in self._rules))

    def read(self, data: bytes, *, tolerant: bool = False, limits: Limits = DEFAULT) -> Reading:
        """Parse and check. Raises NotWellFormed, or SchemaBroken with all findings when one of them is an error."""
        root = parse(data, limits=limits)
        findings = self.check(root, tolerant=tolerant)
        if errors_only(findings):
            name = f"{self.table.standard}/{self.table.name} {self.table.version}"
            raise SchemaBroken(f"the message breaks {name} in {len(findings)} places", findings, code="syntax.schema")
        return Reading(root, tuple(findings))

    def parse_and_check(self, data: bytes, *, tolerant: bool = False, limits: Limits = DEFAULT) -> etree._Element:
        """As read, without the warnings."""
        return self.read(data, tolerant=tolerant, limits=limits).root

    @cached_property
    def _schema(self) -> etree.XMLSchema:
        if self.official is not None:
            return _official(self.official)
        documents = compile_xsd(self.table)
        parser = etree.XMLParser(no_network=True, resolve_entities=False)
        parser.resolvers.add(_InMemory({document_name(self.table, uri): text for uri, text in documents.items()}))
        first = next(iter(documents.values()))
        return etree.XMLSchema(etree.fromstring(first, parser))

    @cached_property
    def _rules(self) -> tuple[Callable[[etree._Element], bool], ...]:
        """What the verdict wants besides libxml2's: each tells whether something is wrong."""
        leaves = (node for node in self.table.walk() if node.type is not None and node.type.base == "base64")
        return (*(_miscounts(node) for node in counted(self.table)), *(_misspells(node, node.type) for node in leaves))

    def _reasons(self, root: etree._Element, tolerant: bool) -> list[Finding]:
        findings = explain(root, self.table, tolerant=tolerant)
        if errors_only(findings) or self.accepts(root):
            return findings
        if findings and self.official is None:
            return findings
        severity = Severity.WARNING if tolerant else Severity.ERROR
        return findings + list(self._said_elsewhere(root, {_line(finding) for finding in findings}, severity))

    def _said_elsewhere(self, root: etree._Element, known: set[str], severity: Severity) -> Iterable[Finding]:
        """What xmlschema (official schemas) or libxml2 says about lines on which the table found nothing."""
        source = self.official.name if self.official else f"{self.table.standard}/{self.table.name}"
        for path, line, reason in self._worded(root):
            if f"(line {line})" not in known:
                yield Finding(
                    code="syntax.schema",
                    found=reason,
                    source=source,
                    partner_place=f"{path} (line {line})",
                    severity=severity,
                )

    def _worded(self, root: etree._Element) -> Iterable[tuple[str, int, str]]:
        if self.official is not None:
            for error in self._explainer.iter_errors(root):
                line = getattr(error, "sourceline", None) or getattr(error.elem, "sourceline", 0) or 0
                yield error.path or self.table.root.name, line, (error.reason or "")[:200]
            return
        with self._lock:
            self._schema.validate(root)
            log: Iterable[Any] = list(self._schema.error_log)  # type: ignore[call-overload]
        yield from ((entry.path or self.table.root.name, entry.line, entry.type_name) for entry in log)

    @cached_property
    def _explainer(self) -> Any:
        import xmlschema  # slow to import, and most messages are valid

        return xmlschema.XMLSchema10(str(self.official), allow="local", use_location_hints=False, validation="lax")


class _InMemory(etree.Resolver):
    """Serves the documents of one table and nothing else."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        super().__init__()
        self.documents = documents

    def resolve(self, system_url: str, public_id: str, context: Any = None) -> Any:
        answer: Any = self  # the published stubs know no context argument
        return answer.resolve_string(self.documents.get(system_url, b""), context)


class _InFolder(etree.Resolver):
    """Serves files of one folder and nothing else: no net, no way out by `..`."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder.resolve()

    def resolve(self, system_url: str, public_id: str, context: Any = None) -> Any:
        answer: Any = self  # as above
        path = Path(system_url.removeprefix("file://"))
        if not path.resolve().is_relative_to(self.folder):
            return answer.resolve_string(b"", context)
        return answer.resolve_filename(str(path), context)


def _official(path: Path) -> etree.XMLSchema:
    """An operator's schema. Imports may reach files below the folder that holds its standard, one above the file's own."""
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    parser.resolvers.add(_InFolder(path.parent.parent))
    try:
        return etree.XMLSchema(etree.parse(str(path), parser))
    except (etree.XMLSchemaParseError, etree.XMLSyntaxError, OSError) as error:
        raise NeedsOperator(
            f"the official schema {path} does not load: {error}", code="syntax.official.broken"
        ) from None


def _miscounts(node: Node) -> Callable[[etree._Element], bool]:
    """A test for children in any order: does a child stand there too often, or not often enough?"""
    limits = {child.tag: child.max for child in node.children if child.max is not None}
    needed = {child.tag: child.min for child in node.children if child.min}

    def wrong(parent: etree._Element) -> bool:
        counts = Counter([child.tag for child in parent])
        too_many = len(counts) != len(parent) and any(counts[tag] > most for tag, most in limits.items())
        return too_many or any(counts[tag] < least for tag, least in needed.items())

    if node.parent is None:
        return wrong
    find = _finder(node)
    return lambda root: any(wrong(parent) for parent in find(root))


def _misspells(node: Node, type_: SimpleType | None) -> Callable[[etree._Element], bool]:
    """A test for values: does one break a limit of its type? An element that is nil has none."""
    find = _finder(node)

    def wrong(place: Any) -> bool:
        text = place if isinstance(place, str) else text_of(place)
        return type_ is not None and bool(text) and fault(type_, text) is not None

    return lambda root: any(wrong(place) for place in find(root))


def _finder(node: Node) -> Callable[[etree._Element], Any]:
    prefixes = {prefix: uri for prefix, uri in node.table.namespaces.items() if uri}
    find: Callable[[etree._Element], Any] = etree.XPath(_steps(node), namespaces=prefixes)
    return find


def _steps(node: Node) -> str:
    own = f"{node.prefix}:{node.name}" if node.prefix else node.name
    if node.kind is NodeKind.ATTRIBUTE:
        own = f"@{own}"
    return f"{_steps(node.parent) if node.parent else ''}/{own}"


def _line(finding: Finding) -> str:
    place = finding.partner_place or ""
    return place[place.rfind("(line") :]
