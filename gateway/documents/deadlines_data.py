"""The files of specs/deadlines: deadlines, clocks and calendars read and checked; what they mean is said in deadlines.

Every fault is a finding with its file and entry, and what has one is not used.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from gateway.documents.deadlines import PLAIN, Calendar, Deadline, Deadlines, Period, Runs, Text
from gateway.errors import Finding

BROKEN = "specs.deadline.broken"
_UNITS = ("hours", "days", "years", "working_days", "working_day_of_next_month")
_OFFSET = re.compile(r"[+-][0-9]{2}:[0-9]{2}")
_JURISDICTION = re.compile(r"[A-Z]{2}")
_DEADLINE_MEMBERS = {"title", "start_event", "jurisdiction", "zone", "runs", "periods"}
_RUNS_MEMBERS = {"track", "states", "phases", "start"}
_MEMBERS = {"valid_from", "valid_to", "length", "unit", "direction", "calendar", "roll", "basis", "penalty", "certain"}


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
            if period.calendar not in {PLAIN, *joined}
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
        calendar=str(entry.get("calendar", PLAIN)),
        roll=bool(entry.get("roll", False)),
        basis=_text(entry["basis"]),
        penalty=_text(entry["penalty"]) if entry.get("penalty") else None,
        certain=bool(entry.get("certain", True)),
    )


def _text(entry: Mapping[str, Any]) -> Text:
    return Text(str(entry["zh"]), str(entry["en"]))


def _broken(place: str, what: str) -> Finding:
    return Finding(code=BROKEN, found=what, partner_place=f"deadlines/{place}")
