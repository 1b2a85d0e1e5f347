"""What rules take from data: specs/rules, one file an area, replaceable by an operator without a release.

rules: number -> severity, enabled, valid_from, valid_to (days, both included), source, pointers (the places it names, with
``*`` for a member of a list). thresholds: name -> list of {value, valid_from, valid_to, source}. severities: name of an
identifier -> severity.
An operator's file in rules/ of the overlay changes the words it names, rule by rule, and leaves the rest. A rule or an
identifier that it names must be there: a slip in a number must not leave a rule on in silence.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from gateway.documents.identifiers import IDENTIFIERS
from gateway.errors import Finding, Severity

BROKEN = "specs.rules.broken"
_PARTS = frozenset({"rules", "thresholds", "severities"})
_FAULTS = (yaml.YAMLError, OSError, ValueError, KeyError, TypeError, AttributeError, InvalidOperation)


@dataclass(frozen=True, slots=True)
class Threshold:
    value: Decimal
    valid_from: dt.date | None
    valid_to: dt.date | None
    source: str


@dataclass(frozen=True, slots=True)
class Row:
    """One rule as data says it. area: the name of the file that brought it, "" for a rule without a row."""

    severity: Severity = Severity.ERROR
    enabled: bool = True
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    source: str = ""
    pointers: tuple[str, ...] = ()
    area: str = ""

    def asked(self, on: dt.date) -> bool:
        """Whether the rule is asked on a day."""
        return (
            self.enabled
            and (self.valid_from is None or self.valid_from <= on)
            and (self.valid_to is None or on <= self.valid_to)
        )


_NO_ROW = Row()


@dataclass(frozen=True, eq=False)
class RulesData:
    thresholds: Mapping[str, tuple[Threshold, ...]] = field(default_factory=dict)
    severities: Mapping[str, Severity] = field(default_factory=dict)
    rows: Mapping[str, Row] = field(default_factory=dict)

    def row(self, number: str) -> Row:
        """What is said of a rule; a rule without a row is an error, always asked."""
        return self.rows.get(number, _NO_ROW)

    def threshold(self, name: str, on: dt.date, default: Decimal) -> Decimal:
        """The value of a threshold on a day; default where no entry covers it."""
        for entry in self.thresholds.get(name, ()):
            if (entry.valid_from is None or entry.valid_from <= on) and (
                entry.valid_to is None or on <= entry.valid_to
            ):
                return entry.value
        return default


def load(folders: list[Path]) -> tuple[RulesData, list[Finding]]:
    """Read every file of the folders: the first brings rules, later ones change them. All faults are returned, none raised."""
    findings: list[Finding] = []
    thresholds: dict[str, tuple[Threshold, ...]] = {}
    severities: dict[str, Severity] = {}
    rows: dict[str, Row] = {}
    for folder in folders:
        ours = folder == folders[0]
        for file in sorted(folder.glob("*.yaml")):
            try:
                content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
                _known(content, _PARTS)
                for name, entries in content.get("thresholds", {}).items():
                    thresholds[str(name)] = tuple(_threshold(entry) for entry in entries)
                severities |= _severities(content.get("severities", {}))
                for number, entry in content.get("rules", {}).items():
                    if ours == (number in rows):
                        raise ValueError(f"{number} is there twice" if ours else f"there is no rule {number}")
                    rows[number] = _row(rows.get(number, Row(area=file.stem)), entry)
            except _FAULTS as error:
                found = f"{type(error).__name__}: {str(error)[:80]}"
                findings.append(Finding(code=BROKEN, found=found, partner_place=f"rules/{file.name}"))
    return RulesData(thresholds, severities, rows), findings


def _row(before: Row, entry: Mapping[str, Any]) -> Row:
    """A row with the words of an entry put in."""
    _known(entry, Row.__slots__)
    words: dict[str, Any] = dict(entry)
    if "severity" in words:
        words["severity"] = Severity(words["severity"])
    if words.get("enabled", True) not in (True, False):
        raise ValueError("enabled is true or false")
    if "pointers" in words:
        words["pointers"] = tuple(str(pointer) for pointer in words["pointers"])
    if "source" in words:
        words["source"] = str(words["source"])
    row = replace(before, **words, area=before.area)
    _days(row.valid_from, row.valid_to)
    return row


def _severities(entries: Mapping[str, Any]) -> dict[str, Severity]:
    _known(entries, IDENTIFIERS)
    return {name: Severity(severity) for name, severity in entries.items()}


def _threshold(entry: Mapping[str, Any]) -> Threshold:
    value = Decimal(str(entry["value"]))
    if not value.is_finite():
        raise ValueError("a threshold is a number")
    days = _days(entry.get("valid_from"), entry.get("valid_to"))
    return Threshold(value, *days, str(entry.get("source", "")))


def _days(first: Any, last: Any) -> tuple[dt.date | None, dt.date | None]:
    if not all(end is None or type(end) is dt.date for end in (first, last)):
        raise ValueError("valid_from and valid_to are days")
    return first, last


def _known(entry: Mapping[str, Any], names: Iterable[str]) -> None:
    if unknown := sorted(set(entry) - set(names)):
        raise ValueError(f"unknown: {', '.join(map(str, unknown))[:60]}")
