"""Conversions that more than one partner needs. Each is a pair of functions, the one the inverse of the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from gateway.mapping.rows import Conversion


def one(name: str, encode: Callable[[Any], str | None], decode: Callable[[str], Any], note: str = "") -> Conversion:
    """One leaf each side."""
    return Conversion(name, lambda value: (encode(value),), lambda text: (decode(text),), note)


def indicator(yes: str, no: str) -> Conversion:
    """true and false as the partner spells them."""
    words = {True: yes, False: no}
    back = {yes: True, no: False}
    return one(f"indicator {yes}/{no}", _lookup(words, "true or false"), _lookup(back, f"{yes} or {no}"))


def renamed(name: str, words: Mapping[str, str], note: str = "") -> Conversion:
    """Our word -> their code, one to one."""
    back = {theirs: ours for ours, theirs in words.items()}
    if len(back) != len(words):
        raise ValueError(f"{name} is not one to one")
    return one(name, _lookup(words, ", ".join(words)), _lookup(back, ", ".join(back)), note)


def _lookup(words: Mapping[Any, Any], expected: str) -> Callable[[Any], Any]:
    def find(value: Any) -> Any:
        try:
            return words[value]
        except KeyError:
            raise ValueError(expected) from None

    return find


def _rewritten(form: str, template: str, expected: str) -> Callable[[str], str]:
    shape = re.compile(form, re.ASCII)  # no digits of other scripts

    def rewrite(value: str) -> str:
        match = shape.fullmatch(value)
        if match is None:
            raise ValueError(expected)
        return template.format(*(part or "" for part in match.groups()))

    return rewrite


# yyyyMMdd <-> yyyy-MM-dd
COMPACT_DATE = one(
    "compact date",
    _rewritten(r"(\d{4})-(\d{2})-(\d{2})", "{0}{1}{2}", "a date yyyy-MM-dd"),
    _rewritten(r"(\d{4})(\d{2})(\d{2})", "{0}-{1}-{2}", "a date yyyyMMdd"),
)


def local_time(offset: str) -> Conversion:
    """yyyyMMddHHmmss[ff] of a clock whose offset is known <-> a time that carries it. ff: hundredths of a second."""
    clock = r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{2}))?"
    ours = re.compile(clock + re.escape(offset), re.ASCII)
    theirs = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?", re.ASCII)

    def encode(value: str) -> str:
        match = ours.fullmatch(value)
        if match is None:
            raise ValueError(f"a time yyyy-MM-ddTHH:mm:ss{offset}")
        return "".join(part or "" for part in match.groups())

    def decode(text: str) -> str:
        match = theirs.fullmatch(text)
        if match is None:
            raise ValueError("a time yyyyMMddHHmmss")
        year, month, day, hour, minute, second, hundredths = match.groups()
        fraction = f".{hundredths}" if hundredths else ""
        return f"{year}-{month}-{day}T{hour}:{minute}:{second}{fraction}{offset}"

    return one(f"local time {offset}", encode, decode)


def separated(separator: str) -> Conversion:
    """A list of texts <-> one text with a separator."""

    def encode(values: list[str]) -> str | None:
        if any(separator in value for value in values):
            raise ValueError(f"values without {separator!r}")
        return separator.join(values) or None

    return one(f"separated by {separator}", encode, lambda text: text.split(separator))


def positional(name: str, words: Mapping[str, str], positions: int, blank: str) -> Conversion:
    """Several marks written as the characters of one text: one canonical leaf a position, blank where it says nothing.

    words: our word -> their character. A text shorter than positions leaves the last marks absent, and is written that
    short again: trailing absent marks are not written.
    """
    back = {theirs: ours for ours, theirs in words.items()}

    def encode(*values: str | None) -> tuple[str | None]:
        marks = "".join(blank if value is None else _lookup(words, ", ".join(words))(value) for value in values)
        return (
            marks[: max((index + 1 for index, value in enumerate(values) if value is not None), default=0)] or None,
        )

    def decode(text: str) -> tuple[str | None, ...]:
        if len(text) > positions:
            raise ValueError(f"at most {positions} characters")
        expected = ", ".join(repr(mark) for mark in [*back, blank])
        read = [None if mark == blank and blank not in back else _lookup(back, expected)(mark) for mark in text]
        return tuple(read + [None] * (positions - len(read)))

    return Conversion(name, encode, decode)
