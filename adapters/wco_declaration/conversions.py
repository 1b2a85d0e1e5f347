"""Two conversions of this family: its times, and the type code that also tells the direction."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from gateway.mapping.rows import Conversion

DAY, INSTANT = "102", "304"  # UN/EDIFACT 2379: CCYYMMDD; CCYYMMDDHHMMSSZZZ

_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_INSTANT = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(Z|[-+][0-9]{2}:[0-9]{2})")
# What is read: the two forms above; the same with minutes in the zone, without zone, or without seconds (203); ISO 8601.
_WRITTEN = re.compile(
    r"(?P<year>[0-9]{4})(?P<dash>-?)(?P<month>[0-9]{2})(?P=dash)(?P<day>[0-9]{2})"
    r"(?:T?(?P<hour>[0-9]{2}):?(?P<minute>[0-9]{2})(?::?(?P<second>[0-9]{2})(?:[.,][0-9]{1,9})?)?"
    r"(?P<zone>Z|[-+][0-9]{2}(?::?[0-9]{2})?)?)?"
)
# Real notifications hold times as a Java program prints them: Wed Nov 13 00:00:00 UTC 2019.
_PRINTED = re.compile(
    r"[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) (?P<day>[0-9]{2}) "
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2}) (?P<zone>[A-Z]{2,5}) (?P<year>[0-9]{4})"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NAMED_ZONES = {"UTC": "Z", "GMT": "Z"}  # every other name is the name of several


def to_partner(value: str) -> tuple[str, str]:
    """``2020-02-12`` is 102, ``2020-02-12T09:15:07Z`` or ``...+01:00`` is 304. ValueError for anything else.

    A zone is written in whole hours; a time in another one (+05:30) is written in UTC, which is the same instant.
    """
    if day := _DAY.fullmatch(value):
        return "".join(day.groups()), DAY
    if _INSTANT.fullmatch(value) is None:
        raise ValueError("a day yyyy-MM-dd, or a time in whole seconds with its offset")
    if value[-1] != "Z" and value[-2:] != "00":
        value = datetime.fromisoformat(value).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    zone = "Z" if value[-1] == "Z" else value[-6:-3]
    return value[:19].replace("-", "").replace("T", "").replace(":", "") + zone, INSTANT


def from_partner(text: str | None) -> str:
    """The inverse; what the text looks like decides, whatever formatCode says. ValueError where it is no time.

    A clock time whose zone is not told is read as its day: an offset is never made up. A fraction of a second is left out.
    """
    text = text or ""
    if written := _WRITTEN.fullmatch(text):
        parts = written.groupdict()
    elif (printed := _PRINTED.fullmatch(text)) and printed["month"] in _MONTHS:
        parts = printed.groupdict()
        parts |= {"month": f"{_MONTHS.index(parts['month']) + 1:02}", "zone": _NAMED_ZONES.get(parts["zone"])}
    else:
        raise ValueError("a day CCYYMMDD, or a time CCYYMMDDHHMMSS with Z or an offset in hours")
    day = f"{parts['year']}-{parts['month']}-{parts['day']}"
    if parts["hour"] is None:
        return _existing(day)
    instant = _existing(f"{day}T{parts['hour']}:{parts['minute']}:{parts['second'] or '00'}{_offset(parts['zone'])}")
    return instant if parts["zone"] else day


def _offset(zone: str | None) -> str:
    """Z, +01, +0100 and +01:00 as we write them."""
    if zone is None or zone == "Z":
        return zone or ""
    minutes = zone[3:].lstrip(":")
    return f"{zone[:3]}:{minutes or '00'}"


def _existing(value: str) -> str:
    """The same, if there is such a day and hour; the last second of a day may be its 61st."""
    datetime.fromisoformat(value.replace(":60", ":59"))
    return value


DATE_TIME = Conversion(
    "date or time",
    encode=to_partner,
    decode=lambda text, _format: (from_partner(text),),
    note="102 is a day, 304 a time with its offset; other spellings are read",
    generous=True,
)

# The first two letters of the type code (UCC data element 1/1); CO: goods that are Union goods already, coming in.
DIRECTIONS = {"IM": "import", "CO": "import", "EX": "export"}
_STANDARD_TYPES = {"import": "IMA", "export": "EXA"}


def _type_code(type_code: str | None, direction: str | None) -> tuple[str | None]:
    if type_code is None and direction is not None and direction not in _STANDARD_TYPES:
        raise ValueError("a type_code: the direction alone does not tell it")
    return (type_code or _STANDARD_TYPES.get(direction or ""),)


DECLARATION_TYPE = Conversion(
    "declaration type",
    encode=_type_code,
    decode=lambda code: (code, DIRECTIONS.get((code or "")[:2])),
    note="the first two letters give the direction; without a type code a standard declaration is meant",
)
