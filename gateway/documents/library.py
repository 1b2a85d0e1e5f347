"""The documents of the gateway as one object: their schemas, code lists, rules and deadlines, loaded once.

``load`` reads the data folders and compiles everything, so that a check of a good document is a few hundred
microseconds. Data that is broken is told in full and at once, as NeedsOperator: a gateway with half a code list is worse
than one that does not start.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.documents import (
    amount_rules,
    codelists,
    deadlines_data,
    declaration_rules,
    request_rules,
    rules_data,
    schemas,
    walker,
)
from gateway.documents.capped import capped
from gateway.documents.classes import DataClasses, Without
from gateway.documents.codelists import CodeLists
from gateway.documents.deadlines import Deadlines, Due
from gateway.documents.pointers import reading_order
from gateway.documents.rules import Facts, Rule
from gateway.documents.rules_data import RulesData
from gateway.documents.schemas import Leaf, Schema
from gateway.documents.shape import Shape
from gateway.errors import Finding, GatewayError, NeedsOperator, NotFound, Severity

_COUNTRY_CODE = 2
OFFICES = ("customs-offices",)  # lists of customs offices, each of one country
BOOKS = (declaration_rules.BOOK, amount_rules.BOOK, request_rules.BOOK)
RULES: Mapping[str, Rule[Facts]] = MappingProxyType(
    {number: rule for book in BOOKS for number, rule in book.rules.items()}
)


class Documents:
    """Everything known about the documents. Made by ``load``; safe to share between threads."""

    def __init__(self, kinds: Mapping[str, Schema], lists: CodeLists, due: Deadlines, data: RulesData) -> None:
        self.codelists = lists
        self.deadlines = due
        self.rules_data = data
        self._schemas = dict(kinds)
        self._shapes = {kind: Shape(schema) for kind, schema in kinds.items()}
        self._plans = {kind: walker.Plan(schema, lists) for kind, schema in kinds.items()}
        self._classes = {kind: DataClasses(schema) for kind, schema in kinds.items()}
        self._leaves: dict[str, Mapping[str, Leaf]] = {}

    def kinds(self) -> tuple[str, ...]:
        return tuple(sorted(self._schemas))

    def schema(self, kind: str) -> dict[str, Any]:
        """The schema of a kind with every part it refers to in its own ``$defs``; a copy, free to be changed."""
        return schemas.independent_copy(self._schema(kind))

    def check(
        self, kind: str, document: Any, *, on: dt.date, partner_data: bool = False, follows: bool = False
    ) -> list[Finding]:
        """Every finding on a document, in reading order: shape, codes valid on a day, identifiers, dates, rules.

        partner_data: the document came from a partner, whose identifiers are not ours to refuse: their faults are warnings.
        follows: it is filed against a declaration that is known, so it need not name it.
        At most capped.MOST_FINDINGS are told, then one that says so. Raises NotFound for a kind that is not there.
        """
        self._schema(kind)
        findings = self._shapes[kind].findings(document)
        if findings is None:
            return [Finding("document.not_json", "", type(document).__name__)]
        findings += walker.walk(self._plans[kind], document, on, self.codelists, self.rules_data.severities)
        facts = Facts(on, self.rules_data, self.has_place, follows)
        for book in BOOKS:
            findings += book.check(kind, document, facts, on=on, data=self.rules_data)
        if not findings:
            return findings
        if partner_data:
            findings = [_only_warn(finding) for finding in findings]
        findings.sort(key=lambda finding: reading_order(finding.pointer))
        return capped(findings, complete=False)

    def fits(self, kind: str, document: Any) -> bool:
        """Whether a document has the shape of a kind, whatever its codes and rules say."""
        self._schema(kind)
        return self._shapes[kind].findings(document) == []

    def leaves(self, kind: str) -> Mapping[str, Leaf]:
        """Every place that holds a value, by mapping path."""
        if kind not in self._leaves:
            self._leaves[kind] = MappingProxyType(schemas.leaves(self._schema(kind)))
        return self._leaves[kind]

    def leaf_at(self, kind: str, pointer: str) -> Leaf | None:
        """What is known of the place that a JSON Pointer names, None where no value stands there."""
        return self.leaves(kind).get(schemas.path_of(pointer))

    def classes(self, kind: str, names: tuple[str, ...]) -> tuple[str, ...]:
        """The data class at each step of a way through a document: business, personal or important."""
        self._schema(kind)
        return self._classes[kind].along(names)

    def without(self, kind: str, document: dict[str, Any], pointers: Collection[str]) -> Without:
        """A document without some of its leaves, and without what means nothing then."""
        self._schema(kind)
        return self._classes[kind].without(document, pointers)

    def has_place(self, kind: str, pointer: str) -> bool:
        """Whether a JSON Pointer names a place that documents of this kind can have."""
        return kind in self._schemas and schemas.has_place(self._schemas[kind], pointer)

    def offices(self, on: dt.date) -> Mapping[str, frozenset[str]]:
        """Country -> the codes of its customs offices on a day, of the countries whose list we have."""
        found = (self.codelists[name] for name in OFFICES if name in self.codelists)
        return {each.country: self.codelists.valid_codes(each.name, on) for each in found}

    def due(self, name: str, start: dt.datetime, on: dt.date | None = None) -> Due:
        """When a deadline set off by start ends; see deadlines.Deadlines.due."""
        return self.deadlines.due(name, start, on)

    def zone(self, place: str) -> dt.tzinfo:
        """The zone by which a day is told at a place: a jurisdiction, an offset, or a named zone. ValueError where none is known."""
        clocks = self.deadlines.clocks
        if place in clocks:
            return clocks[place]
        if len(place) == _COUNTRY_CODE:
            raise ValueError(f"no clock of {place} is known; name a zone")
        return deadlines_data.zone_of(place)

    def _schema(self, kind: str) -> Schema:
        try:
            return self._schemas[kind]
        except KeyError:
            known = ", ".join(self.kinds())
            finding = Finding("document.kind.unknown", None, kind[:80], known)
            raise NotFound("no such kind of document", [finding], code="document.kind.unknown") from None


@lru_cache(maxsize=8)
def load(specs_root: Path, overlay: Path | None = None) -> Documents:
    """Read the specs of a folder, and an operator's overlay before them; the same arguments give the same object.

    overlay has the folders codelists/, deadlines/, rules/ and documents/, each of them optional.
    Raises NeedsOperator with every fault of every file. ``load.cache_clear()`` forgets, so that changed files are read.
    """
    if overlay is not None and not overlay.is_dir():
        missing = Finding("specs.overlay.missing", None, str(overlay))
        raise NeedsOperator("the overlay folder is not there", [missing], code="specs.broken")
    roots = [root for root in (specs_root, overlay) if root is not None]
    kinds, findings = schemas.load([root / "documents" for root in roots])
    lists, more = codelists.load([root / "codelists" for root in roots])
    findings += more
    due, more = deadlines_data.load([root / "deadlines" for root in roots])
    findings += more
    data, more = rules_data.load([root / "rules" for root in roots])
    findings += more
    if not kinds and not findings:
        findings.append(Finding("specs.schema.missing", None, str(specs_root)))
    if findings:
        raise _broken(findings)
    try:
        documents = Documents(kinds, lists, due, data)
    except ValueError as error:  # what the validator library raises for a schema that is none
        raise _broken([Finding(schemas.BROKEN, None, str(error)[:80])]) from None
    unknown = {word for plan in documents._plans.values() for word in plan.unknown}
    if unknown:
        raise _broken([Finding("specs.schema.unknown_word", None, word) for word in sorted(unknown)])
    return documents


def _broken(findings: list[Finding]) -> GatewayError:
    return NeedsOperator(f"{len(findings)} faults in the specs", findings, code="specs.broken")


def _only_warn(finding: Finding) -> Finding:
    if finding.code.startswith("document.identifier.") and finding.severity is Severity.ERROR:
        return replace(finding, severity=Severity.WARNING)
    return finding
