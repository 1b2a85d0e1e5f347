"""What people and programs may see: messages, their declaration's timeline, both contents, and search by any id people hold.

A tenant sees its own; anything of another is not found, as if it did not exist. tenant None is the operator, who sees all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from gateway import ids
from gateway.errors import NotFound
from gateway.lifecycle import Status
from gateway.pipeline import places
from gateway.ports import (
    BreakerRow,
    DocumentRow,
    Event,
    Found,
    InboundRow,
    Json,
    LaneRow,
    MessageRow,
    Reading,
    StandingRow,
    Store,
)

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Timeline:
    """The entries, oldest first, and what the night shift asks: whose move it is, and how long it has been silent.

    silent_s: since the last word of a partner, or since filing. overdue: whether that is longer than the state allows.
    """

    root_id: str
    events: tuple[Event, ...]
    standing: StandingRow | None
    mover: str
    silent_s: int
    overdue: bool


@dataclass(frozen=True, slots=True)
class Dossier:
    """A declaration with everything that belongs to it: later rounds, requests, answers, messages, deliveries."""

    document: DocumentRow
    standing: StandingRow | None
    documents: tuple[DocumentRow, ...]
    messages: tuple[MessageRow, ...]
    inbound: tuple[InboundRow, ...]
    aliases: Mapping[str, str]
    requests: Mapping[str, StandingRow]


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes and what they are."""

    data: bytes
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Overview:
    counts: Mapping[str, int]
    lanes: tuple[LaneRow, ...]
    breakers: tuple[BreakerRow, ...]


class Lookup:
    """Read use cases; each in one snapshot. NotFound for what is not there or is another tenant's."""

    def __init__(self, store: Store, *, clock: Callable[[], int] = ids.now_us) -> None:
        self._store = store
        self._clock = clock

    def message(self, message_id: str, tenant: str | None) -> MessageRow:
        with self._store.read() as reading:
            return _message(reading, message_id, tenant)

    def declaration(self, document_id: str, tenant: str | None) -> Dossier:
        """A declaration by its root id, or by the id of anything filed against it."""
        with self._store.read() as reading:
            document = _document(reading, document_id, tenant)
            documents = reading.documents_of(document.root_id)
            requests = {
                row.id: standing
                for row in documents
                if row.kind in places.REQUEST_PHASES and (standing := reading.standing(row.id)) is not None
            }
            return Dossier(
                document=document,
                standing=reading.standing(document.root_id),
                documents=tuple(documents),
                messages=tuple(reading.messages_of(document.root_id)),
                inbound=tuple(reading.inbound_of(document.root_id)),
                aliases=reading.aliases_of(document.root_id),
                requests=requests,
            )

    def timeline(self, any_id: str, tenant: str | None, *, after_id: str = "", limit: int = 1000) -> Timeline:
        """The timeline of the declaration that a message, a document or a delivery belongs to."""
        with self._store.read() as reading:
            root_id = _root_of(reading, any_id, tenant)
            standing = reading.standing(root_id)
            events = reading.events_of(root_id, after_id=after_id, limit=limit)
        now = self._clock()
        heard_us = standing.updated_us if standing is not None else (events[-1].at_us if events else now)
        due_us = standing.silence_due_us if standing is not None else None
        silent_s = max(0, now - heard_us) // SECOND_US
        overdue = due_us is not None and (now > due_us or _was_silent(events, heard_us))
        return Timeline(root_id, tuple(events), standing, standing.mover if standing else "", silent_s, overdue)

    def document(self, document_id: str, tenant: str | None) -> tuple[DocumentRow, Json]:
        """A canonical document with its row."""
        with self._store.read() as reading:
            row = _document(reading, document_id, tenant)
            return row, orjson.loads(reading.payload(row.digest))

    def canonical_content(self, message_id: str, tenant: str | None) -> Json:
        """The document that a message carries."""
        with self._store.read() as reading:
            message = _message(reading, message_id, tenant)
            document: Json = orjson.loads(reading.payload(_document(reading, message.document_id, tenant).digest))
            return document

    def partner_content(self, message_id: str, tenant: str | None) -> Content:
        """What the partner gets: the frozen bytes, or the unsigned ones as long as nothing is signed."""
        with self._store.read() as reading:
            message = _message(reading, message_id, tenant)
            data = reading.payload(message.frozen_digest or message.encoded_digest)
            return Content(data, message.media_type, message.name)

    def inbound_content(self, inbound_id: str, tenant: str | None) -> Content:
        """The original bytes of a delivery. What is matched to nobody's message is the operator's alone."""
        with self._store.read() as reading:
            row = reading.inbound(inbound_id)
            owner = None if row is None or not row.root_id else reading.document(row.root_id)
            if row is None or (tenant is not None and (owner is None or owner.tenant != tenant)):
                raise NotFound(f"there is no delivery {inbound_id}", code="inbound.unknown")
            return Content(reading.payload(row.digest), "application/octet-stream", row.reference)

    def search(
        self,
        tenant: str | None,
        *,
        value: str = "",
        status: str = "",
        state: str = "",
        agreement: str = "",
        kind: str = "",
        before_id: str = "",
        limit: int = 50,
    ) -> Sequence[Found]:
        """Messages, newest first. value: any id that people hold; before_id: the last one of the page before."""
        with self._store.read() as reading:
            return reading.search(
                tenant=tenant,
                value=value.strip(),
                status=status,
                state=state,
                agreement=agreement,
                kind=kind,
                before_id=before_id,
                limit=limit,
            )

    def find_declarations(self, value: str, tenant: str | None, limit: int = 20) -> list[str]:
        """Root ids of the declarations that people may mean by this plate, container, number or id; newest first."""
        with self._store.read() as reading:
            return reading.find_roots(tenant, value.strip(), limit)

    def overview(self, partners: Sequence[str] = ()) -> Overview:
        """Counts, lanes and breakers, for the operator."""
        with self._store.read() as reading:
            breakers = tuple(reading.breaker(partner) for partner in partners)
            return Overview(reading.counts(), tuple(reading.lanes()), breakers)

    def unknown_or_parked(self, agreement: str, limit: int = 50) -> list[MessageRow]:
        """What waits for a person in one agreement."""
        with self._store.read() as reading:
            return [
                message
                for status in (Status.PARKED, Status.UNKNOWN)
                for message in reading.messages_in(status, agreement, limit)
            ]


def _was_silent(events: Sequence[Event], since_us: int) -> bool:
    return any(event.type == "document:silence:overdue" and event.at_us >= since_us for event in events)


def _message(reading: Reading, message_id: str, tenant: str | None) -> MessageRow:
    message = reading.message(message_id)
    if message is None or tenant not in (None, message.tenant):
        raise NotFound(f"there is no message {message_id}", code="message.unknown")
    return message


def _document(reading: Reading, document_id: str, tenant: str | None) -> DocumentRow:
    document = reading.document(document_id)
    if document is None or tenant not in (None, document.tenant):
        raise NotFound(f"there is no document {document_id}", code="document.unknown")
    return document


def _root_of(reading: Reading, any_id: str, tenant: str | None) -> str:
    document = reading.document(any_id)
    if document is not None:
        return _document(reading, any_id, tenant).root_id
    inbound = reading.inbound(any_id)
    if inbound is not None and inbound.root_id:
        return _document(reading, inbound.root_id, tenant).root_id
    if inbound is not None and tenant is None:
        return inbound.id
    return _message(reading, any_id, tenant).root_id
