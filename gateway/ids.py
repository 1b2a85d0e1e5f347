"""Identifiers and instants of our own: sortable, unguessable, without a server to ask.

An id is a ULID in lower case: 48 bits of milliseconds, 80 random bits, 26 characters of Crockford's base 32 (no i, l, o, u), so
ids made later sort later. An instant is an integer of microseconds since 1970-01-01T00:00Z: it sorts and compares the
same in every database; people see it as text with an offset.
"""

from __future__ import annotations

import hashlib
import os
import time
from datetime import UTC, datetime, tzinfo

NEVER_US = (
    9_000_000_000_000_000  # an instant in the year 2255: work that is due then waits for something else than time
)
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# 26 characters are 130 bits; they are written two at a time.
_PAIRS = tuple(high + low for high in ALPHABET for low in ALPHABET)
_SHIFTS = tuple(range(120, -1, -10))


def new_id(now_us: int | None = None) -> str:
    """A fresh ULID; now_us places it in time (tests and replays), else the clock does."""
    milliseconds = (time.time_ns() // 1_000_000) if now_us is None else now_us // 1000
    number = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def first_id(instant_us: int) -> str:
    """No id that was made at this instant or later sorts before this one."""
    number = (instant_us // 1000) << 80
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def derived_id(of: str, number: int) -> str:
    """An id of the same millisecond as another one and always the same: of what an act makes, which may be repeated."""
    bits = int.from_bytes(hashlib.sha256(f"{of} {number}".encode()).digest()[:10], "big")
    return of[:10] + "".join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS[5:]])


def now_us() -> int:
    """Microseconds since the epoch, UTC."""
    return time.time_ns() // 1000


def to_text(instant_us: int) -> str:
    """RFC 3339 in UTC with microseconds, e.g. ``2026-03-01T08:00:00.000000Z``."""
    return datetime.fromtimestamp(instant_us / 1_000_000, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def to_local(instant_us: int, zone: tzinfo) -> str:
    """For people, to the second, in their zone and with its offset, e.g. ``2026-03-01 16:00:00 +08:00``."""
    text = datetime.fromtimestamp(instant_us // 1_000_000, zone).isoformat(" ")
    return f"{text[:19]} {text[19:]}"


def from_datetime(moment: datetime) -> int:
    """Microseconds since the epoch of a moment that carries an offset; ValueError when it carries none."""
    if moment.tzinfo is None:
        raise ValueError("a time without an offset says nothing")
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
