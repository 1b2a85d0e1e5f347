"""An office of declaration that nobody named: told before a document goes to whoever takes what is left.

A route that names no office takes documents of every office, and so also what another route, before it, would have taken had the
office been written right. Where routes before it ask for an office and the document has one that they do not know, that is told:

Rule 1: without a taker the office is what refuses the document, where another office would have found one.
Rule 2: with a taker it is a warning, unless a list of the taker's own country has the office. Neighbours have offices of their own, of
        which we have no list: a route that names them, by patterns or ``*``, is asked nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from datetime import date
from fnmatch import fnmatchcase
from typing import Protocol

from gateway.agreements import Agreement, Directory, Facts
from gateway.errors import Finding, Severity
from gateway.pipeline import places
from gateway.ports import Json

_MOST_TOLD = 5
_NEAR = 0.5  # one of two characters right: codes of offices are short


class KnowsOffices(Protocol):
    """gateway.documents, as far as this needs it."""

    def offices(self, on: date) -> Mapping[str, frozenset[str]]: ...


def astray(
    document: Json,
    facts: Facts,
    directory: Directory,
    takers: Iterable[Agreement],
    offices: Mapping[str, frozenset[str]],
) -> Finding | None:
    """What is to be said of the office. offices: country -> the codes of its offices, where we have a list."""
    patterns = directory.missed(facts, "office") if facts.office else ()
    if not patterns:
        return None
    place = next((one for one in places.FACTS["office"] if places.text_at(document, one)), "")
    expected = _candidates(facts.office, patterns, offices)
    names = [agreement.id for agreement in takers]
    if not names:
        return Finding("route.office", place, facts.office, expected)
    countries = {directory.agreements[name].partner.jurisdiction for name in names}
    if any(facts.office in offices.get(country, ()) for country in countries):
        return None
    params = {"agreements": ", ".join(names)}
    return Finding("route.office_unknown", place, facts.office, expected, severity=Severity.WARNING, params=params)


def _candidates(office: str, patterns: tuple[str, ...], offices: Mapping[str, frozenset[str]]) -> str:
    """The listed offices that those routes take and that look like it; the patterns where none does."""
    taken = sorted(
        code for codes in offices.values() for code in codes if any(fnmatchcase(code, pattern) for pattern in patterns)
    )
    return ", ".join(difflib.get_close_matches(office[:20], taken, n=_MOST_TOLD, cutoff=_NEAR) or patterns)
