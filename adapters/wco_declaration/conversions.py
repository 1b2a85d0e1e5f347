"""Two conversions of this family: its times, and the type code that also tells the direction."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from gateway.mapping.rows import Conversion

DAY, INSTANT = "102", "304"  # UN/EDIFACT 2379: CCYYMMDD; CCYYMMDDHHMMSSZZZ

_WRITTEN_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_WRITTEN_INSTANT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(Z|[-+][0-9]{2})")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_INSTANT = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(Z|[-+][0-9]{2}:[0-9]{2})")
# Real notifications hold times as a Java program prints them: Wed Nov 13 00:00:00 UTC 2019.
_PRINTED = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2}) (?:UTC|GMT) ([0-9]{4})")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


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
    """The inverse; what the text looks like decides, whatever formatCode says. ValueError where it is no time."""
    text = text or ""
    if day := _WRITTEN_DAY.fullmatch(text):
        return _existing("-".join(day.groups()))
    if instant := _WRITTEN_INSTANT.fullmatch(text):
        year, month, on, hour, minute, second, zone = instant.groups()
        offset = zone if zone == "Z" else f"{zone}:00"
        return _existing(f"{year}-{month}-{on}T{hour}:{minute}:{second}{offset}")
    printed = _PRINTED.fullmatch(text)
    if printed is not None and printed[1] in _MONTHS:
        month = f"{_MONTHS.index(printed[1]) + 1:02}"
        return _existing(f"{printed[4]}-{month}-{printed[2]}T{printed[3]}Z")
    raise ValueError("a day CCYYMMDD, or a time CCYYMMDDHHMMSS with Z or an offset in hours")


def _existing(value: str) -> str:
    """The same, if there is such a day and hour; the last second of a day may be its 61st."""
    datetime.fromisoformat(value.replace(":60", ":59"))
    return value


DATE_TIME = Conversion(
    "date or time",
    encode=to_partner,
    decode=lambda text, _format: (from_partner(text),),
    note="102 is a day, 304 a time with its offset",
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
