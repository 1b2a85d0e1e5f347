"""The feed of events, a page at a time: what somebody wants of it, how a place in it is written, and pages out of the store.

A place is the position of the last event that was seen. Positions are given after the commit, without gaps and by one at a time, so
whoever goes on from a place misses nothing that is given a position later, however long its transaction took.
Rule 1: outside, a place is a cursor, opaque and with a check sum, so that nobody counts with it and a mistyped one is noticed.
Rule 2: a page looks at a bounded number of events. It may hold fewer than were asked for, or none, and says whether more follow.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass

from gateway.pipeline.places import DECLARATION, RESPONSE
from gateway.pipeline.reading import Subject
from gateway.ports import Entry, Reading, Store

SCAN, CHUNK = 5_000, 500  # events
SEQUENCE = 1_000  # events given their positions in one commit
_PLACE = struct.Struct(">QI")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants of the feed; "" and an empty set: no matter. tenant None: of all tenants. declaration: a root id."""

    tenant: str | None = None
    declaration: str = ""
    message: str = ""
    agreement: str = ""
    types: frozenset[str] = frozenset()

    def takes(self, entry: Entry) -> bool:
        event = entry.event
        return (
            (self.tenant is None or event.tenant == self.tenant)
            and (not self.declaration or event.root_id == self.declaration)
            and (not self.message or event.message_id == self.message)
            and (not self.agreement or subject(entry).agreement == self.agreement)
            and (not self.types or event.type.value in self.types)
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Entries in their order. position: the place up to which everything was looked at; more: whether others follow already."""

    entries: tuple[Entry, ...]
    position: int
    more: bool = False


def subject(entry: Entry) -> Subject:
    """What an entry speaks of, as the timeline of its declaration says it."""
    # What an answer moves without a word about a message is the declaration.
    kind = entry.root_kind if entry.kind == RESPONSE else entry.kind
    return Subject(kind, entry.agreement or str(entry.event.data.get("agreement", "")))


def declaration_of(entry: Entry) -> str:
    """The id of the declaration that an entry belongs to, "" where to none."""
    return entry.event.root_id if entry.root_kind == DECLARATION else ""


def cursor_of(position: int) -> str:
    """A place, as callers get it: 16 characters."""
    return base64.urlsafe_b64encode(_PLACE.pack(position, _sum(position))).decode("ascii")


def position_of(cursor: str) -> int:
    """The place that a cursor stands for. ValueError for anything that is no cursor of ours."""
    try:
        position, check = _PLACE.unpack(base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True))
    except (struct.error, UnicodeEncodeError, binascii.Error):
        raise ValueError("no cursor") from None
    if check != _sum(position):
        raise ValueError("no cursor")
    return int(position)


def _sum(position: int) -> int:
    return binascii.crc32(b"events" + position.to_bytes(8, "big"))


def sequence(store: Store) -> None:
    """Give positions to what is committed, where no worker has done so yet."""
    with store.read() as reading:
        waiting = reading.has_unsequenced()
    while waiting:
        waiting = store.write(lambda writing: writing.sequence_events(SEQUENCE)) == SEQUENCE


def page(store: Store, wanted: Wanted, after: int, limit: int) -> Page:
    """What somebody wants behind a place, oldest first."""
    with store.read() as reading:
        last = reading.last_position()
        up_to = last if wanted.declaration else min(after + SCAN, last)
        found, place = _look(reading, wanted, after, up_to, limit)
    return Page(tuple(found), max(place, after), place < last)


def _look(reading: Reading, wanted: Wanted, place: int, up_to: int, limit: int) -> tuple[list[Entry], int]:
    """Entries, at most limit, and the place that was reached."""
    found: list[Entry] = []
    while place < up_to:
        rows = reading.events_after(place, up_to, CHUNK, tenant=wanted.tenant, root_id=wanted.declaration)
        for entry in rows:
            if wanted.takes(entry):
                found.append(entry)
                if len(found) == limit:
                    return found, entry.position
        place = rows[-1].position if len(rows) == CHUNK else up_to
    return found, place
