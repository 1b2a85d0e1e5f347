"""Does one value keep the limits of its simple type? For the words of a refusal; the verdict itself is libxml2's."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import lru_cache

from elementpath.regex import translate_pattern

from gateway.syntax.tables import SimpleType

# Lexical forms of XML Schema part 2, second edition, section 3.
_LEXICAL = {
    "decimal": re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII),
    "integer": re.compile(r"[+-]?\d+", re.ASCII),
    "boolean": re.compile(r"true|false|1|0"),
    "date": re.compile(r"-?\d{4,}-\d\d-\d\d(Z|[+-]\d\d:\d\d)?", re.ASCII),
    "dateTime": re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII),
    "time": re.compile(r"\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII),
    "language": re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*"),
}
_SHOWN = 40  # characters of a value that a finding repeats


@dataclass(frozen=True, slots=True)
class Fault:
    """code: last part of a finding's code; found and expected are short."""

    code: str
    found: str
    expected: str


def fault(type_: SimpleType, text: str) -> Fault | None:
    """The first limit that a value breaks."""
    value = type_.normalise(text)
    if type_.blank_allowed and not value.strip():
        return None
    lexical = _LEXICAL.get(type_.base)
    if lexical is not None and not lexical.fullmatch(value):
        return Fault("type", shown(value), type_.base)
    if type_.base == "base64" and not _is_base64(value):
        return Fault("type", f"{len(value)} characters", "base64")
    if type_.enumeration and value not in type_.enumeration:
        return Fault("enumeration", shown(value), " | ".join(type_.enumeration))
    return _length(type_, value) or _digits(type_, value) or _pattern(type_, value)


def shown(value: str) -> str:
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}... ({len(value)} characters)"


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
        base64.b64decode("".join(value.split()), validate=True)
    except ValueError:
        return False
    return True
