"""Deadlines: by when something must be done, counted from an event, as dated data in specs/deadlines.

A deadline has periods, since laws change: the period valid on the day of the event counts (``on``). A period says how long,
in which unit, forwards (``within``) or backwards (``at_least_before``), by which calendar, and who says so.

Counting. Days: the day of the event is not counted, the last day counts to its end, in the zone of the deadline; where
``roll`` is set, a last day that is no working day moves to the next working day. Working days are counted alike. Hours
are counted to the second. ``working_day_of_next_month``: that working day of the month after the event's.

``zone`` is an offset (``+08:00``) or the name of a zone (``Asia/Shanghai``). Names need a zone database, which not every
machine has, so that what comes with the gateway gives offsets; a name that this machine does not know is refused when it is
read. ``clocks`` gives the zone of each jurisdiction, by which "today" is told there.

``runs`` says which standing sets a deadline off: while ``track`` is in one of ``states``, in one of ``phases`` (absent: any).
Its ``start`` is an answer's function, whose first issue in the round counts, or places in documents by kind. Whether such
tracks, states and places exist is known above this room: gateway.pipeline.deadlines.

Calendars lie in calendars/: ``calendar`` has no holidays; any other is one file a year, with days off and days worked.
A year without a file has weekends only, and the answer then says that it is not certain.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from gateway.errors import Finding, NotFound

BROKEN = "specs.deadline.broken"
_UNITS = ("hours", "days", "years", "working_days", "working_day_of_next_month")
_PLAIN = "calendar"
_OFFSET = re.compile(r"[+-]\d{2}:\d{2}")
_JURISDICTION = re.compile(r"[A-Z]{2}")
_DEADLINE_MEMBERS = {"title", "start_event", "jurisdiction", "zone", "runs", "periods"}
_RUNS_MEMBERS = {"track", "states", "phases", "start"}
_MEMBERS = {"valid_from", "valid_to", "length", "unit", "direction", "calendar", "roll", "basis", "penalty", "certain"}


@dataclass(frozen=True, slots=True)
class Text:
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Period:
    """How long, from a day to a day. certain: whether the source was read, or is remembered and to be checked."""

    valid_from: dt.date | None
    valid_to: dt.date | None
    length: int
    unit: str
    backwards: bool
    calendar: str
    roll: bool
    basis: Text
    penalty: Text | None
    certain: bool

    def valid(self, on: dt.date) -> bool:
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Runs:
    """Which standing sets a deadline off. phases: empty for any. answer: the function of the answer that starts it, or "" where
    places do: kind of document -> JSON Pointer."""

    track: str
    states: tuple[str, ...]
    phases: tuple[str, ...]
    answer: str
    places: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Deadline:
    """runs is None where nobody watches it. jurisdiction: whose customs it concerns."""

    name: str
    title: Text
    start_event: Text
    jurisdiction: str
    zone: dt.tzinfo
    periods: tuple[Period, ...]
    runs: Runs | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Due:
    """When it must be done. certain: the period's source was read and the calendar knows every year that was touched."""

    name: str
    at: dt.datetime
    title: Text
    start_event: Text
    basis: Text
    penalty: Text | None
    certain: bool


@dataclass(frozen=True)
class Calendar:
    """Days off and days worked against the week, for the years in ``years``."""

    years: frozenset[int]
    off: frozenset[dt.date]
    worked: frozenset[dt.date]

    def is_working_day(self, day: dt.date) -> bool:
        if day in self.worked:
            return True
        return day.weekday() < 5 and day not in self.off


class Deadlines(Mapping[str, Deadline]):
    """Every deadline by name. clocks: the zone of each jurisdiction."""

    def __init__(
        self,
        deadlines: Mapping[str, Deadline],
        calendars: Mapping[str, Calendar],
        clocks: Mapping[str, dt.tzinfo] | None = None,
    ) -> None:
        self._deadlines = dict(deadlines)
        self.clocks = dict(clocks or {})
        self.calendars = {_PLAIN: Calendar(frozenset(), frozenset(), frozenset()), **calendars}

    def __getitem__(self, name: str) -> Deadline:
        return self._deadlines[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._deadlines)

    def __len__(self) -> int:
        return len(self._deadlines)

    def due(self, name: str, start: dt.datetime, on: dt.date | None = None) -> Due:
        """When the deadline that start sets off ends. start carries an offset; on (default: its day) picks the period.

        Raises NotFound for a name or a day without a rule, ValueError for a start without an offset.
        """
        if start.utcoffset() is None:
            raise ValueError("the start of a deadline carries an offset")
        deadline = self._deadlines.get(name)
        if deadline is None:
            raise NotFound(f"there is no deadline {name}", code="deadline.unknown")
        local = start.astimezone(deadline.zone)
        day = on or local.date()
        period = next((period for period in deadline.periods if period.valid(day)), None)
        if period is None:
            raise NotFound(f"deadline {name} has no rule on {day.isoformat()}", code="deadline.no_rule")
        calendar = self.calendars[period.calendar]
        at = _count(local, period, calendar)
        known = period.calendar == _PLAIN or {local.year, at.year} <= calendar.years
        return Due(
            name=name,
            at=at,
            title=deadline.title,
            start_event=deadline.start_event,
            basis=period.basis,
            penalty=period.penalty,
            certain=period.certain and known,
        )


def _count(start: dt.datetime, period: Period, calendar: Calendar) -> dt.datetime:
    length = -period.length if period.backwards else period.length
    if period.unit == "hours":
        # Hours pass alike on both sides of a change of the clock.
        return (start.astimezone(dt.UTC) + dt.timedelta(hours=length)).astimezone(start.tzinfo)
    if period.unit == "working_day_of_next_month":
        first = (start.date().replace(day=1) + dt.timedelta(days=31)).replace(day=1)
        day = _working_days(first - dt.timedelta(days=1), period.length, calendar)
    elif period.unit == "years":
        # 29 February has its day in a common year on 1 March.
        leap = start.month == 2 and start.day == 29
        day = dt.date(start.year + length, 3, 1) if leap else start.date().replace(year=start.year + length)
    elif period.unit == "working_days":
        day = _working_days(start.date(), length, calendar)
    else:
        day = start.date() + dt.timedelta(days=length)
    if period.roll:
        while not calendar.is_working_day(day):
            day += dt.timedelta(days=1)
    return dt.datetime.combine(day, dt.time(23, 59, 59), start.tzinfo)


def _working_days(day: dt.date, count: int, calendar: Calendar) -> dt.date:
    """The count-th working day after day (before it, where count is negative)."""
    step = dt.timedelta(days=1 if count > 0 else -1)
    while count:
        day += step
        if calendar.is_working_day(day):
            count -= step.days
    return day


def load(folders: list[Path]) -> tuple[Deadlines, list[Finding]]:
    """Read every deadline and calendar of the folders; a later folder goes before an earlier one, name by name."""
    findings: list[Finding] = []
    calendars: dict[str, list[Calendar]] = {}
    deadlines: dict[str, Deadline] = {}
    years: dict[str, Calendar] = {}
    clocks: dict[str, dt.tzinfo] = {}
    for folder in folders:
        for file in sorted((folder / "calendars").glob("*.yaml")):
            # cn-working-days-2026.yaml: an operator's file of the same name goes before ours.
            calendar = _calendar(file, findings)
            if calendar:
                years[file.stem] = calendar
        for file in sorted(folder.glob("*.yaml")):
            content = _read(file, findings)
            for name, entry in _members(content, "deadlines", file, findings).items():
                deadline = _deadline(name, entry, file.name, findings)
                if deadline:
                    deadlines[name] = deadline
            for name, text in _members(content, "clocks", file, findings).items():
                clock = _clock(name, text, file.name, findings)
                if clock:
                    clocks[name] = clock
    for stem, calendar in years.items():
        calendars.setdefault(stem.rpartition("-")[0], []).append(calendar)
    joined = {name: _join(parts) for name, parts in calendars.items()}
    for deadline in deadlines.values():
        findings.extend(
            _broken(deadline.name, f"calendar {period.calendar} is not there")
            for period in deadline.periods
            if period.calendar not in {_PLAIN, *joined}
        )
    return Deadlines(deadlines, joined, clocks), findings


def _join(parts: list[Calendar]) -> Calendar:
    return Calendar(
        frozenset[int]().union(*(part.years for part in parts)),
        frozenset[dt.date]().union(*(part.off for part in parts)),
        frozenset[dt.date]().union(*(part.worked for part in parts)),
    )


def _read(file: Path, findings: list[Finding]) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, OSError, ValueError) as error:
        findings.append(_broken(file.name, f"cannot be read: {type(error).__name__}"))
        return {}
    if not isinstance(content, dict):
        findings.append(_broken(file.name, "is no mapping"))
        return {}
    return content


def _members(content: Mapping[str, Any], member: str, file: Path, findings: list[Finding]) -> dict[str, Any]:
    entries = content.get(member, {})
    if not isinstance(entries, dict):
        findings.append(_broken(file.name, f"{member} is no mapping"))
        return {}
    return {str(name): entry for name, entry in entries.items()}


def _clock(jurisdiction: str, text: Any, file: str, findings: list[Finding]) -> dt.tzinfo | None:
    try:
        _jurisdiction(jurisdiction)
        return zone_of(text)
    except ValueError as error:
        findings.append(_broken(f"{file} clocks {jurisdiction}", str(error)[:80]))
        return None


def _calendar(file: Path, findings: list[Finding]) -> Calendar | None:
    content = _read(file, findings)
    days = [content.get("days_off", []), content.get("days_worked", [])]
    if not isinstance(content.get("year"), int) or not all(
        isinstance(part, list) and all(type(day) is dt.date for day in part) for part in days
    ):
        findings.append(_broken(file.name, "needs a year, and lists of days: days_off, days_worked"))
        return None
    return Calendar(frozenset({content["year"]}), frozenset(days[0]), frozenset(days[1]))


def _deadline(name: str, entry: Any, file: str, findings: list[Finding]) -> Deadline | None:
    place = f"{file} {name}"
    try:
        _only(entry, _DEADLINE_MEMBERS)
        return Deadline(
            name,
            _text(entry["title"]),
            _text(entry["start_event"]),
            _jurisdiction(entry["jurisdiction"]),
            zone_of(entry["zone"]),
            tuple(_period(period) for period in entry["periods"]),
            _runs(entry["runs"]) if entry.get("runs") is not None else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        findings.append(_broken(place, f"{type(error).__name__}: {str(error)[:80]}"))
        return None


def _only(entry: Mapping[str, Any], members: set[str]) -> None:
    unknown = set(entry) - members
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(str(name) for name in unknown))}")


def _jurisdiction(text: Any) -> str:
    if not isinstance(text, str) or not _JURISDICTION.fullmatch(text):
        raise ValueError("a jurisdiction is two letters, as CN")
    return text


def zone_of(text: Any) -> dt.tzinfo:
    """An offset (``+08:00``) or a named zone. ValueError says what is wrong, also where this machine lacks the name."""
    text = text if isinstance(text, str) else ""
    if _OFFSET.fullmatch(text):
        zone = dt.datetime.fromisoformat(f"2000-01-01T00:00:00{text}").tzinfo
        assert zone is not None
        return zone
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"this machine knows no zone {text[:40]!r}; write its offset") from None


def _runs(entry: Mapping[str, Any]) -> Runs:
    _only(entry, _RUNS_MEMBERS)
    track, states, phases, start = entry["track"], entry["states"], entry.get("phases", []), entry["start"]
    if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in (states, phases)):
        raise ValueError("runs: states and phases are lists of names")
    if not isinstance(track, str) or not states or ("phases" in entry and not phases):
        raise ValueError("runs: needs a track and states; phases is left out for any")
    places = start if isinstance(start, dict) else {}
    if not (isinstance(start, str) and start) and not (
        places and all(isinstance(part, str) for pair in places.items() for part in pair)
    ):
        raise ValueError("runs: start is the function of an answer, or kind: place")
    return Runs(track, tuple(states), tuple(phases), "" if places else start, dict(places))


def _period(entry: Mapping[str, Any]) -> Period:
    _only(entry, _MEMBERS)
    length, unit, direction = entry["length"], entry["unit"], entry.get("direction", "within")
    if type(length) is not int or length < 1 or unit not in _UNITS or direction not in {"within", "at_least_before"}:
        raise ValueError("length, unit or direction")
    ends = [entry.get("valid_from"), entry.get("valid_to")]
    if not all(end is None or type(end) is dt.date for end in ends):
        raise ValueError("valid_from and valid_to are days")
    return Period(
        valid_from=ends[0],
        valid_to=ends[1],
        length=length,
        unit=unit,
        backwards=direction == "at_least_before",
        calendar=str(entry.get("calendar", _PLAIN)),
        roll=bool(entry.get("roll", False)),
        basis=_text(entry["basis"]),
        penalty=_text(entry["penalty"]) if entry.get("penalty") else None,
        certain=bool(entry.get("certain", True)),
    )


def _text(entry: Mapping[str, Any]) -> Text:
    return Text(str(entry["zh"]), str(entry["en"]))


def _broken(place: str, what: str) -> Finding:
    return Finding(code=BROKEN, found=what, partner_place=f"deadlines/{place}")
