"""Numbered rules across fields: what they are, how they are registered, how they are run.

A rule is a small function from a document to complaints, registered with a number that never changes, the kinds it reads,
titles, a source and a severity. It takes any JSON: a part that is absent or has the wrong shape is no business of a rule
(shape.py speaks of that), so rules read through ``at``, ``members``, ``text`` and ``number``, which never raise.

The rules themselves: declaration_rules.py and request_rules.py. What one authority alone asks for is a rule of that
partner's adapter, not of this room.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from gateway.documents.pointers import to_pointer
from gateway.documents.rules_data import RulesData
from gateway.documents.shape import MOST_FINDINGS, short
from gateway.errors import Finding, Severity

_LONGEST_NUMBER = 40  # digits; longer ones are no quantities, and arithmetic with them has no end
_DIGITS = frozenset("0123456789.-")


class Complaint(NamedTuple):
    """One breach: the steps to the place, what stood there and what the rule expected (None where nothing is to be said)."""

    place: tuple[str | int, ...]
    found: str | None = None
    expected: str | None = None


@dataclass(frozen=True)
class Facts:
    """What a rule may know besides the document: the day, the dated numbers, and which places a declaration has."""

    on: dt.date
    data: RulesData
    has_place: Callable[[str, str], bool]  # kind, pointer

    def threshold(self, name: str, default: str) -> Decimal:
        return self.data.threshold(name, self.on, Decimal(default))

    # The declaration is known to whoever asks: this document continues it, so it need not name it.
    follows: bool = False


Check = Callable[[Mapping[str, Any], Facts], Iterable[Complaint]]


@dataclass(frozen=True, slots=True)
class Rule:
    number: str
    code: str
    kinds: tuple[str, ...]
    title_zh: str
    title_en: str
    source: str
    severity: Severity
    check: Check


class Book:
    """Rules by number. ``register`` is the decorator that puts a function in."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}

    def register(
        self,
        number: str,
        code: str,
        kinds: tuple[str, ...],
        *,
        zh: str,
        en: str,
        source: str,
        severity: Severity = Severity.ERROR,
    ) -> Callable[[Check], Check]:
        def keep(check: Check) -> Check:
            if number in self.rules:
                raise ValueError(f"rule {number} is there twice")
            self.rules[number] = Rule(number, f"document.rule.{code}", kinds, zh, en, source, severity, check)
            return check

        return keep

    def of(self, kind: str) -> tuple[Rule, ...]:
        return tuple(rule for _, rule in sorted(self.rules.items()) if kind in rule.kinds)


def run(rules: Iterable[Rule], document: Any, facts: Facts) -> list[Finding]:
    """Every breach of the rules; no rule reads what is not an object."""
    if not isinstance(document, dict):
        return []
    return [
        Finding(
            code=rule.code,
            pointer=to_pointer(complaint.place),
            found=complaint.found,
            expected=complaint.expected,
            source=f"{rule.number}: {rule.source}",
            severity=facts.data.severities.get(rule.number, rule.severity),
            params={"rule": rule.number},
        )
        for rule in rules
        for complaint in itertools.islice(rule.check(document, facts), MOST_FINDINGS + 1)
    ]


def at(value: Any, *steps: str) -> Any:
    """The value below, through objects only; None where the way ends."""
    for step in steps:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def members(value: Any, *steps: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a list below, each with its index."""
    found = at(value, *steps)
    if isinstance(found, list):
        for index, member in enumerate(found):
            if isinstance(member, dict):
                yield index, member


def text(value: Any, *steps: str) -> str | None:
    """The text below, None where there is none or it is empty."""
    for step in steps:  # as at(), which is not called: nothing is asked more often
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value if isinstance(value, str) and value else None


def number(value: Any, *steps: str) -> Decimal | None:
    """The decimal below, None where there is none."""
    found = text(value, *steps)
    return _decimal(found) if found is not None else None


@lru_cache(maxsize=4096)
def _decimal(found: str) -> Decimal | None:
    # Several rules read one number. Plain decimals only: Decimal() would also take exponents, other scripts, "NaN".
    if len(found) > _LONGEST_NUMBER or not _DIGITS.issuperset(found):
        return None
    try:
        return Decimal(found)
    except ArithmeticError:
        return None


def shown(value: Decimal) -> str:
    return short(format(value, "f"))
