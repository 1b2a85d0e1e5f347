"""The Range field of a request for bytes (RFC 9110 section 14): one range, or the whole."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from first to last, both included; is_part: whether they were asked for as a part."""

    first: int
    last: int
    is_part: bool

    @property
    def size(self) -> int:
        return self.last - self.first + 1


def asked_span(field: str, size: int) -> Span | None:
    """What a Range field asks for, of so many bytes; None where it asks for what lies behind them all.

    A field that is no range of bytes, or names several, is passed over, as section 14.2 lets a server: then it is the whole.
    """
    match = _ONE.fullmatch(field.strip())
    if match is None or not (match[1] or match[2]):
        return Span(0, size - 1, is_part=False)
    if not match[1]:
        wanted = min(int(match[2]), size)
        return Span(size - wanted, size - 1, is_part=True) if wanted else None
    first, last = int(match[1]), int(match[2]) if match[2] else size - 1
    if last < first and match[2]:
        return Span(0, size - 1, is_part=False)
    return Span(first, min(last, size - 1), is_part=True) if first < size else None
