"""The numbers and severities that rules use, as dated data in specs/rules, replaceable by an operator.

thresholds: name -> list of {value, valid_from, valid_to, source}; severities: rule number or identifier name -> severity.
An operator's file in rules/ of the overlay replaces what it names and leaves the rest.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from gateway.errors import Finding, Severity

BROKEN = "specs.rules.broken"


@dataclass(frozen=True, slots=True)
class Threshold:
    value: Decimal
    valid_from: dt.date | None
    valid_to: dt.date | None
    source: str


@dataclass(frozen=True)
class RulesData:
    thresholds: Mapping[str, tuple[Threshold, ...]] = field(default_factory=dict)
    severities: Mapping[str, Severity] = field(default_factory=dict)

    def threshold(self, name: str, on: dt.date, default: Decimal) -> Decimal:
        """The value of a threshold on a day; default where no entry covers it."""
        for entry in self.thresholds.get(name, ()):
            if (entry.valid_from is None or entry.valid_from <= on) and (
                entry.valid_to is None or on <= entry.valid_to
            ):
                return entry.value
        return default


def load(folders: list[Path]) -> tuple[RulesData, list[Finding]]:
    findings: list[Finding] = []
    thresholds: dict[str, tuple[Threshold, ...]] = {}
    severities: dict[str, Severity] = {}
    for folder in folders:
        for file in sorted(folder.glob("*.yaml")):
            try:
                content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
                for name, entries in content.get("thresholds", {}).items():
                    thresholds[str(name)] = tuple(_threshold(entry) for entry in entries)
                for name, severity in content.get("severities", {}).items():
                    severities[str(name)] = Severity(severity)
            except (
                yaml.YAMLError,
                OSError,
                ValueError,
                KeyError,
                TypeError,
                AttributeError,
                InvalidOperation,
            ) as error:
                found = f"{type(error).__name__}: {str(error)[:80]}"
                findings.append(Finding(code=BROKEN, found=found, partner_place=f"rules/{file.name}"))
    return RulesData(thresholds, severities), findings


def _threshold(entry: Mapping[str, Any]) -> Threshold:
    ends = [entry.get("valid_from"), entry.get("valid_to")]
    if not all(end is None or type(end) is dt.date for end in ends):
        raise ValueError("valid_from and valid_to are days")
    value = Decimal(str(entry["value"]))
    if not value.is_finite():
        raise ValueError("a threshold is a number")
    return Threshold(value, ends[0], ends[1], str(entry.get("source", "")))
