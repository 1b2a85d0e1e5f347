"""What a schema cannot say by itself: code lists on a day, identifiers, and dates that exist.

A plan is made from a bundled schema once: a tree that holds only the places with something to look at. A walk then goes
through a document along the plan, with a stack of its own, and builds a pointer only for a place that is at fault. It
takes any JSON value: where the shape is wrong it has nothing to say, since shape.py does.

Words of a schema that make a place worth a look: ``x-code-list`` (a name in specs/codelists), ``x-identifier`` (a name in
identifiers.IDENTIFIERS), a date pattern, and an object with the members scheme and value (an identifier of a party).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from gateway.documents.capped import MOST_FINDINGS
from gateway.documents.codelists import CodeLists
from gateway.documents.identifiers import IDENTIFIERS, Fault, Identifier
from gateway.documents.pointers import to_pointer
from gateway.documents.schemas import Schema, flatten
from gateway.documents.shape import short
from gateway.errors import Finding, Severity

SCHEME_LIST = "identifier-scheme"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.+\-Zz]{8,24}", re.ASCII)

_Way = tuple[Any, str | int] | None  # the way to a place, as a chain from the place back to the root


class Node:
    """One place of the plan. leaf: a text here is looked at; children, item: what lies below; party: scheme and value."""

    __slots__ = ("children", "code_list", "identifier", "is_date", "item", "leaf", "only_code", "party")

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.item: Node | None = None
        self.code_list = ""
        self.identifier: Identifier | None = None
        self.is_date = False
        self.leaf = False
        self.only_code = False
        self.party = False


class _Valid(dict[str, frozenset[str]]):
    """The codes of each list that are valid on one day, fetched when first asked for."""

    def __init__(self, lists: CodeLists, on: dt.date) -> None:
        super().__init__()
        self._lists = lists
        self._on = on

    def __missing__(self, name: str) -> frozenset[str]:
        self[name] = codes = self._lists.valid_codes(name, self._on)
        return codes


class Plan:
    """The places of one kind. unknown: words of the schema that name no list or no identifier of ours."""

    def __init__(self, schema: Schema, lists: CodeLists) -> None:
        self._schema = schema
        self._lists = lists
        self._made: dict[str, Node] = {}
        self.unknown: list[str] = []
        self.schemes = _identifier_of_scheme(lists)
        # Few days: a gateway asks for today, and now and then for the day of an old document.
        self.valid_on = lru_cache(maxsize=16)(lambda on: _Valid(lists, on))
        self.root = self._node(schema)
        self._prune()

    def _node(self, source: Schema) -> Node:
        reference = _only_reference(source)
        if reference in self._made:
            return self._made[reference]
        node = Node()
        if reference:
            self._made[reference] = node  # before its content: a part may hold itself
        flat, _ = flatten(self._schema, source)
        self._look_at(node, flat)
        for name, inner in (flat.get("properties") or {}).items():
            node.children[name] = self._node(inner)
        if isinstance(flat.get("items"), dict):
            node.item = self._node(flat["items"])
        node.party = {"scheme", "value"} <= node.children.keys()
        return node

    def _look_at(self, node: Node, flat: Schema) -> None:
        code_list, identifier = flat.get("x-code-list"), flat.get("x-identifier")
        if code_list and code_list not in self._lists:
            self.unknown.append(f"x-code-list {code_list}")
        elif code_list:
            node.code_list = code_list
        if identifier and identifier not in IDENTIFIERS:
            self.unknown.append(f"x-identifier {identifier}")
        elif identifier:
            node.identifier = IDENTIFIERS[identifier]
        forms = [flat, *flat.get("anyOf", ()), *flat.get("oneOf", ())]
        patterns = [str(flatten(self._schema, form)[0].get("pattern", "")) for form in forms]
        node.is_date = any(pattern.lstrip("^(?:").startswith("[0-9]{4}-") for pattern in patterns)
        node.leaf = bool(node.code_list or node.identifier or node.is_date)
        node.only_code = bool(node.code_list) and not node.identifier and not node.is_date

    def _prune(self) -> None:
        """Drop every branch with nothing to look at. Useful spreads upwards until nothing changes, so that circles end."""
        nodes: list[Node] = [self.root]
        met = {id(self.root)}
        for node in nodes:
            for inner in [*node.children.values(), *([node.item] if node.item else [])]:
                if id(inner) not in met:
                    met.add(id(inner))
                    nodes.append(inner)
        useful = {id(node) for node in nodes if node.leaf or node.party}
        grown = True
        while grown:
            grown = False
            for node in nodes:
                below = [*node.children.values(), *([node.item] if node.item else [])]
                if id(node) not in useful and any(id(inner) in useful for inner in below):
                    useful.add(id(node))
                    grown = True
        for node in nodes:
            node.children = {name: inner for name, inner in node.children.items() if id(inner) in useful}
            node.item = node.item if node.item and id(node.item) in useful else None


def _only_reference(source: Schema) -> str:
    """The one part that a place is made of, "" where it adds places or words of its own that matter here."""
    if source.keys() & {"properties", "items", "x-code-list", "x-identifier", "pattern", "anyOf", "oneOf"}:
        return ""
    whole = source.get("allOf")
    if isinstance(whole, list) and len(whole) == 1 and "$ref" not in source:
        return _only_reference(whole[0])
    return str(source.get("$ref", "")) if not whole else ""


def walk(plan: Plan, document: Any, on: dt.date, lists: CodeLists, severities: Mapping[str, Severity]) -> list[Finding]:
    """Every fault of codes, identifiers and dates. severities: how bad an identifier's fault is, where set otherwise."""
    findings: list[Finding] = []
    valid = plan.valid_on(on)
    waiting: list[tuple[Node, Any, _Way]] = [(plan.root, document, None)]
    # One more than are told is enough: the reader then learns that there are more, and the document does not pass.
    while waiting and len(findings) <= MOST_FINDINGS:
        node, value, way = waiting.pop()
        if isinstance(value, list):
            item = node.item
            if item is not None:
                for index, inner in enumerate(value):
                    waiting.append((item, inner, (way, index)))
            continue
        if not isinstance(value, dict):
            if node.leaf and isinstance(value, str):
                _look(node, value, way, on, lists, severities, findings)
            continue
        children = node.children
        for name, inner in value.items():
            child = children.get(name)
            if child is None:
                continue
            if not isinstance(inner, str):
                waiting.append((child, inner, (way, name)))
            # The common case of a good code costs one look into a set.
            elif child.leaf and not (child.only_code and inner in valid[child.code_list]):
                _look(child, inner, (way, name), on, lists, severities, findings)
        if node.party:
            _look_at_number(plan, value, way, severities, findings)
    return findings


def _look(
    node: Node,
    text: str,
    way: _Way,
    on: dt.date,
    lists: CodeLists,
    severities: Mapping[str, Severity],
    findings: list[Finding],
) -> None:
    if node.code_list and text not in lists.valid_codes(node.code_list, on):
        findings.append(_wrong_code(node.code_list, text, way, on, lists))
    if node.identifier:
        _check(node.identifier, text, way, severities, findings)
    if node.is_date and not _exists(text):
        findings.append(Finding("document.format.date", _pointer(way), short(text), "a day and time that exist"))


def _look_at_number(
    plan: Plan, party: Mapping[str, Any], way: _Way, severities: Mapping[str, Severity], findings: list[Finding]
) -> None:
    """The number of a party, where the register that gave it says what its numbers look like."""
    scheme, text = party.get("scheme"), party.get("value")
    if isinstance(scheme, str) and isinstance(text, str) and scheme in plan.schemes:
        _check(plan.schemes[scheme], text, (way, "value"), severities, findings)


def _identifier_of_scheme(lists: CodeLists) -> dict[str, Identifier]:
    """What the number of a party must look like, by the register that gave it."""
    schemes = lists.get(SCHEME_LIST)
    named = {row.code: schemes.translate(row.code, "identifier") or "" for row in schemes.rows} if schemes else {}
    return {code: IDENTIFIERS[name] for code, name in named.items() if name in IDENTIFIERS}


def _check(
    identifier: Identifier, text: str, way: _Way, severities: Mapping[str, Severity], findings: list[Finding]
) -> None:
    fault = _fault(identifier.name, text)
    if fault:
        findings.append(
            Finding(
                code=fault.code,
                pointer=_pointer(way),
                found=short(fault.found),
                expected=short(fault.expected),
                source=identifier.source,
                severity=severities.get(identifier.name, fault.severity),
                params={"name_zh": identifier.title_zh, "name_en": identifier.title_en},
            )
        )


@lru_cache(maxsize=8192)
def _fault(name: str, text: str) -> Fault | None:
    # The same companies, trucks and containers come again and again.
    return IDENTIFIERS[name].check(text)


def _wrong_code(name: str, text: str, way: _Way, on: dt.date, lists: CodeLists) -> Finding:
    code_list = lists[name]
    valid = lists.valid_codes(name, on)
    meant = [code for column in code_list.alternates for code in code_list.from_alternate(text, column, on)]
    meant += [code for code in (text.strip(), text.strip().upper()) if code in valid]
    why = code_list.why_not(text, on)
    return Finding(
        code=f"document.code.{why}",
        pointer=_pointer(way),
        found=short(text),
        expected=" or ".join(dict.fromkeys(meant[:5])) or None,
        source=f"{code_list.source}, {code_list.edition}".strip(", "),
        severity=code_list.unknown if why == "unknown" else Severity.ERROR,
        params={
            "list": name,
            "list_zh": code_list.title_zh,
            "list_en": code_list.title_en,
            "on": on.isoformat(),
        },
    )


@lru_cache(maxsize=8192)
def _exists(text: str) -> bool:
    """False only for a text that looks like a day or a time and is none; other shapes are for the schema to refuse."""
    try:
        if _DATE.fullmatch(text):
            dt.date.fromisoformat(text)
        elif _TIME.fullmatch(text):
            dt.datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return True


def _pointer(way: _Way) -> str:
    steps: list[str | int] = []
    while way is not None:
        way, step = way
        steps.append(step)
    return to_pointer(reversed(steps))
