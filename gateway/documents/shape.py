"""The shape of a document: one compiled validator a kind, and its complaints as findings.

The compiled validator (jsonschema-rs) first answers yes or no, which is all a good document costs. Only a bad one is gone
through again for every fault. Its messages are not passed on: they may hold a whole document. A finding says the place,
a short value and what was expected, in words the text catalogue translates.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema_rs

from gateway.documents.capped import MOST_FINDINGS
from gateway.documents.pointers import to_pointer
from gateway.documents.schemas import Schema
from gateway.errors import Finding

_MOST_GUESSES = 20  # comparing a name with all there are takes a millisecond
_LONGEST_VALUE = 80  # characters
_NAMES = {"object": "object", "array": "list", "string": "text", "integer": "number", "number": "number"}


class Shape:
    """The validator of one kind."""

    def __init__(self, schema: Schema) -> None:
        self._validator = jsonschema_rs.Draft202012Validator(schema)
        self._names = sorted(_property_names(schema))

    def findings(self, document: Any) -> list[Finding] | None:
        """Every fault of shape; None where the value is no JSON at all, so that nothing else can be said of it."""
        try:
            if self._validator.is_valid(document):
                return []
            told = (finding for error in self._validator.iter_errors(document) for finding in self._explain(error))
            # One more than is told, so that the reader learns that there are more.
            findings = list(itertools.islice(told, MOST_FINDINGS + 1))
            return [
                self._guess(finding) if place < _MOST_GUESSES else finding for place, finding in enumerate(findings)
            ]
        except (ValueError, TypeError, OverflowError, RecursionError):
            # Keys that are no text, lone surrogates, objects of a program, nesting without end.
            return None

    def _explain(self, error: Any) -> Iterator[Finding]:
        place = list(error.instance_path)
        kind = error.kind
        rule = str(error.schema_path[-1]) if error.schema_path else ""
        if rule == "required":
            yield Finding("document.schema.required", to_pointer([*place, kind.property]), None, kind.property)
        elif rule in {"additionalProperties", "unevaluatedProperties"} and hasattr(kind, "unexpected"):
            for name in kind.unexpected:
                yield Finding("document.schema.unknown", to_pointer([*place, name]), short(name))
        else:
            code, expected = _word(rule, kind)
            yield Finding(code, to_pointer(place), short(error.instance), expected)

    def _guess(self, finding: Finding) -> Finding:
        """An unknown field with the name that was likely meant."""
        if finding.code != "document.schema.unknown" or not finding.found:
            return finding
        others = [name for name in self._names if name != finding.found]
        near = difflib.get_close_matches(finding.found, others, n=1, cutoff=0.75)
        return replace(finding, expected=near[0]) if near else finding


def short(value: Any) -> str:
    """A value for a person: at most 80 characters of a text, the size of anything that holds others."""
    if isinstance(value, str):
        # Lone surrogates cannot be written out; they are shown escaped.
        text = value[: _LONGEST_VALUE + 1].encode("utf-8", "backslashreplace").decode("utf-8")
        return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, dict):
        return f"object of {len(value)}"
    if isinstance(value, (list, tuple)):
        return f"list of {len(value)}"
    if isinstance(value, float):
        return repr(value)[:_LONGEST_VALUE]
    if isinstance(value, int):
        return str(value) if abs(value) < 10**18 else "number of more than 18 digits"
    return type(value).__name__[:_LONGEST_VALUE]


def _word(rule: str, kind: Any) -> tuple[str, str | None]:
    limit = getattr(kind, "limit", None)
    if rule == "type":
        return "document.schema.type", " or ".join(_NAMES.get(name, name) for name in kind.types)
    if rule == "pattern":
        # Whole: its words are found by it (gateway/phrases.py), and it is ours.
        return "document.schema.pattern", kind.pattern
    if rule == "enum":
        return "document.schema.choice", _choices([short(option) for option in kind.options])
    if rule in {"maxLength", "minLength"}:
        return "document.schema.length", f"{'at most' if rule == 'maxLength' else 'at least'} {limit}"
    if rule in {"maxItems", "minItems", "maxProperties", "minProperties"}:
        return "document.schema.count", f"{'at most' if rule.startswith('max') else 'at least'} {limit}"
    return "document.schema.form", rule or None


def _choices(options: list[str]) -> str:
    """As many whole options as a person reads."""
    told = options[:1]
    for option in options[1:]:
        if len(", ".join([*told, option])) > _LONGEST_VALUE:
            return ", ".join([*told, "…"])
        told.append(option)
    return ", ".join(told)


def _property_names(node: Any) -> set[str]:
    if isinstance(node, list):
        return set[str]().union(*(_property_names(inner) for inner in node))
    if not isinstance(node, dict):
        return set()
    own = set(node["properties"]) if isinstance(node.get("properties"), dict) else set()
    return own.union(*(_property_names(inner) for inner in node.values()))
