"""Does one value keep the limits of its simple type? For the words of a refusal; the verdict itself is libxml2's."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from elementpath.regex import translate_pattern

from gateway.syntax import base64_binary
from gateway.syntax.tables import SimpleType
from gateway.syntax.white_space import trimmed

# Lexical forms of XML Schema part 2, second edition, section 3. A fifth digit of a year is no leading zero (3.2.7.1).
_YEAR = r"-?(?P<year>\d{4}|[1-9]\d{4,})"
_MONTH = r"(?P<month>\d\d)"
_DAY = rf"{_YEAR}-{_MONTH}-(?P<day>\d\d)"
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(\.(?P<fraction>\d+))?"
_ZONE = r"(Z|[+-](?P<zone>\d\d):(?P<zone_minute>\d\d))?"
_LEXICAL = {
    "decimal": re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII),
    "integer": re.compile(r"[+-]?\d+", re.ASCII),
    "boolean": re.compile(r"true|false|1|0"),
    "date": re.compile(_DAY + _ZONE, re.ASCII),
    "dateTime": re.compile(f"{_DAY}T{_CLOCK}{_ZONE}", re.ASCII),
    "time": re.compile(_CLOCK + _ZONE, re.ASCII),
    "gYear": re.compile(_YEAR + _ZONE, re.ASCII),
    "gYearMonth": re.compile(f"{_YEAR}-{_MONTH}{_ZONE}", re.ASCII),
    "gMonth": re.compile(f"--{_MONTH}{_ZONE}", re.ASCII),
    "gMonthDay": re.compile(rf"--{_MONTH}-(?P<day>\d\d){_ZONE}", re.ASCII),
    "gDay": re.compile(rf"---(?P<day>\d\d){_ZONE}", re.ASCII),
    # Something follows P, and something follows T. The standard wants digits on both sides of the point; libxml2 does not.
    "duration": re.compile(r"-?P(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?((\d+(\.\d*)?|\.\d+)S)?)?", re.ASCII),
    "language": re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*"),
}
# libxml2 refuses white space around these, which the standard has collapsed (XML Schema part 2, 4.3.6).
_AS_WRITTEN = {"gYear", "gYearMonth", "gMonth", "gMonthDay", "gDay", "duration"}
_SHOWN = 40  # characters of a value that a finding repeats


@dataclass(frozen=True, slots=True)
class Fault:
    """code: last part of a finding's code; found and expected are short."""

    code: str
    found: str
    expected: str


def fault(type_: SimpleType, text: str) -> Fault | None:
    """The first limit that a value breaks."""
    value = text if type_.base in _AS_WRITTEN else type_.normalise(text)
    if type_.blank_allowed and not trimmed(value):
        return None
    lexical = _LEXICAL.get(type_.base)
    if lexical is not None:
        match = lexical.fullmatch(value)
        if match is None:
            return Fault("type", shown(value), type_.base)
        if expected := _no_such_moment(match.groupdict()):
            return Fault("calendar", shown(value), expected)
    if type_.base == "base64" and not _is_base64(value):
        return Fault("type", f"{len(value)} characters", "base64")
    if type_.enumeration and value not in type_.enumeration:
        return Fault("enumeration", shown(value), " | ".join(type_.enumeration))
    return _length(type_, value) or _digits(type_, value) or _pattern(type_, value)


def shown(value: str) -> str:
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}... ({len(value)} characters)"


def _no_such_moment(parts: Mapping[str, str | None]) -> str | None:
    """What calendar and clock have instead of the first part that is out of their range; None where all are in it.

    parts: year, month, day, hour, minute, second, fraction (of a second), zone, zone_minute: each where the type has it.
    24:00:00 ends a day, an offset is 14 hours at most (XML Schema part 2, 3.2.7). Negative years leap like positive ones,
    as libxml2 has it.
    """
    told = {name: int(digits[-4:]) for name, digits in parts.items() if digits}  # the last four decide leap years
    if parts.get("year") == "0000":
        return "a year other than 0000"
    if not 1 <= told.get("month", 1) <= 12:
        return "a month from 01 to 12"
    if "day" in told:
        # 29 February comes in some year, and a 31st in some month (3.2.12, 3.2.13).
        days = calendar.monthrange(told.get("year", 2000), told.get("month", 1))[1]
        if not 1 <= told["day"] <= days:
            return f"a day from 01 to {days}"
    ends_a_day = told.get("hour") == 24 and not any(
        (told["minute"], told["second"], (parts["fraction"] or "").strip("0"))
    )
    if told.get("hour", 0) > 23 and not ends_a_day:
        return "an hour from 00 to 23, or 24:00:00"
    if max(told.get("minute", 0), told.get("second", 0), told.get("zone_minute", 0)) > 59:
        return "minutes and seconds from 00 to 59"
    if told.get("zone", 0) * 60 + told.get("zone_minute", 0) > 14 * 60:
        return "an offset from -14:00 to +14:00"
    return None


def _length(type_: SimpleType, value: str) -> Fault | None:
    size = len(value)
    found = f"{size} characters"
    if type_.length is not None and size != type_.length:
        return Fault("length", found, f"exactly {type_.length}")
    if type_.max_length is not None and size > type_.max_length:
        return Fault("length", found, f"at most {type_.max_length}")
    if type_.min_length is not None and size < type_.min_length:
        return Fault("length", found, f"at least {type_.min_length}")
    return None


def _digits(type_: SimpleType, value: str) -> Fault | None:
    """Digits count without sign, leading zeros and trailing zeros of the fraction."""
    if type_.total_digits is None and type_.fraction_digits is None:
        return None
    whole, _, fraction = value.lstrip("+-").partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    if type_.fraction_digits is not None and len(fraction) > type_.fraction_digits:
        return Fault("digits", f"{len(fraction)} decimals", f"at most {type_.fraction_digits}")
    if type_.total_digits is not None and len(whole) + len(fraction) > type_.total_digits:
        return Fault("digits", f"{len(whole) + len(fraction)} digits", f"at most {type_.total_digits}")
    return None


def _pattern(type_: SimpleType, value: str) -> Fault | None:
    for pattern in type_.patterns:
        if not _compiled(pattern).search(value):
            return Fault("pattern", shown(value), pattern)
    return None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of XML Schema, which matches the whole value, as one of Python."""
    return re.compile(translate_pattern(pattern, back_references=False, lazy_quantifiers=False, anchors=False))


def _is_base64(value: str) -> bool:
    try:
        base64_binary.to_bytes(value)
    except ValueError:
        return False
    return True
