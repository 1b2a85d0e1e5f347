"""Numbered rules across fields: what they are, how they are registered, how they are run. One mechanism for this room and
for every adapter.

A rule is a small function from a document to complaints, registered in a book under a number that never changes, with the
end of its finding code and the kinds it reads. How bad a breach is, from when to when and whether at all the rule is
asked, who says so and which places it names is data: a row in specs/rules (rules_data.py), which an operator replaces.

A rule takes any JSON: a part that is absent or has the wrong shape is no business of a rule (shape.py speaks of that), so
rules read through ``at``, ``members``, ``text`` and ``number``, which never raise. What a rule may know besides the
document is the second argument: Facts here, something of its own in an adapter's book.

The rules of this room: declaration_rules.py, amount_rules.py and request_rules.py. What one authority alone asks for is a rule of that
partner's adapter.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from gateway.documents.capped import MOST_FINDINGS
from gateway.documents.pointers import to_pointer
from gateway.documents.rules_data import Row, RulesData
from gateway.documents.shape import short
from gateway.errors import Finding

_LONGEST_NUMBER = 40  # digits; longer ones are no quantities, and arithmetic with them has no end
_DIGITS = frozenset("0123456789.-")

F = TypeVar("F")
Document = Mapping[str, Any]


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


@dataclass(frozen=True, slots=True)
class Rule(Generic[F]):
    number: str
    code: str
    kinds: tuple[str, ...]
    check: Callable[[Document, F], Iterable[Complaint]]


class Book(Generic[F]):
    """Rules by number. family: how the finding codes of its rules begin; F: what they may know besides the document."""

    def __init__(self, family: str) -> None:
        self.family = family
        self.rules: dict[str, Rule[F]] = {}
        # Few kinds, few days: a gateway asks for today, and now and then for the day of an old document.
        self._asked = lru_cache(maxsize=128)(self._asked_on)

    def rule(
        self, number: str, name: str, *kinds: str
    ) -> Callable[[Callable[[Document, F], Iterable[Complaint]]], Callable[[Document, F], Iterable[Complaint]]]:
        """The decorator that puts a function in, for documents of these kinds."""

        def keep(check: Callable[[Document, F], Iterable[Complaint]]) -> Callable[[Document, F], Iterable[Complaint]]:
            if number in self.rules:
                raise ValueError(f"rule {number} is there twice")
            self.rules[number] = Rule(number, f"{self.family}.{name}", kinds, check)
            return check

        return keep

    def of(self, kind: str) -> tuple[Rule[F], ...]:
        return tuple(rule for _, rule in sorted(self.rules.items()) if kind in rule.kinds)

    def check(self, kind: str, document: Any, facts: F, *, on: dt.date, data: RulesData) -> list[Finding]:
        """Every breach of the rules that are asked of this kind on that day; no rule reads what is not an object."""
        if not isinstance(document, dict):
            return []
        return [
            _finding(rule, row, complaint)
            for rule, row in self._asked(kind, on, data)
            for complaint in itertools.islice(rule.check(document, facts), MOST_FINDINGS + 1)
        ]

    def _asked_on(self, kind: str, on: dt.date, data: RulesData) -> tuple[tuple[Rule[F], Row], ...]:
        rows = ((rule, data.row(rule.number)) for rule in self.of(kind))
        return tuple((rule, row) for rule, row in rows if row.asked(on))


def _finding(rule: Rule[Any], row: Row, complaint: Complaint) -> Finding:
    return Finding(
        code=rule.code,
        pointer=to_pointer(complaint.place),
        found=complaint.found,
        expected=complaint.expected,
        source=f"{rule.number}: {row.source}" if row.source else rule.number,
        severity=row.severity,
        params={"rule": rule.number},
    )


def day(instant_us: int, zone: dt.tzinfo = dt.UTC) -> dt.date:
    """The day of an instant (microseconds since the epoch) on the calendar of a zone."""
    return dt.datetime.fromtimestamp(instant_us / 1_000_000, zone).date()


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
