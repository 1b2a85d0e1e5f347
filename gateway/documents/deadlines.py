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
tracks, states and places exist is known above this room: gateway.pipeline.deadlines. Files are read by deadlines_data.

Calendars lie in calendars/: ``calendar`` has no holidays; any other is one file a year, with days off and days worked.
A year without a file has weekends only, and the answer then says that it is not certain.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gateway.errors import NotFound

PLAIN = "calendar"


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
        self.calendars = {PLAIN: Calendar(frozenset(), frozenset(), frozenset()), **calendars}

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
        known = period.calendar == PLAIN or {local.year, at.year} <= calendar.years
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
