"""What one reader may see: API, console and command line look at stored things through a View, which knows whose they are.

What belongs to another tenant is answered exactly as what does not exist; the operator sees all tenants. document, declaration,
request, message and the searches check whose a thing is; the other methods are asked with what those gave.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import orjson

from gateway.errors import Finding, NotFound
from gateway.ids import first_id
from gateway.lifecycle import REQUEST_PHASES, Mover
from gateway.pipeline import movers
from gateway.pipeline.places import DECLARATION, RESPONSE
from gateway.pipeline.standings import REQUEST
from gateway.ports import (
    BreakerRow,
    DocumentRow,
    Event,
    Found,
    InboundRow,
    Json,
    JudgementRow,
    LaneRow,
    MessageRow,
    Reading,
    StandingRow,
)


@dataclass(frozen=True, slots=True)
class Request:
    """An amendment, cancellation or presentation: its document, where it stands, the replies to it and its messages."""

    document: DocumentRow
    state: str
    standing: StandingRow | None
    replies: tuple[JudgementRow, ...]
    messages: tuple[MessageRow, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What an entry of a timeline speaks of: the kind of its document, and the agreement of its message; "" where of none."""

    kind: str = ""
    agreement: str = ""


class View:
    """One snapshot, seen by one reader. scope: a tenant, or None for all."""

    def __init__(self, reading: Reading, scope: str | None) -> None:
        self._reading = reading
        self._scope = scope

    def _may_see(self, tenant: str) -> bool:
        return self._scope is None or self._scope == tenant

    def document(self, document_id: str) -> DocumentRow:
        """NotFound where there is none for this reader, here as below."""
        row = self._reading.document(document_id)
        if row is None or not self._may_see(row.tenant):
            raise absent()
        return row

    def declaration(self, root_id: str) -> DocumentRow:
        """The first document of a declaration."""
        row = self.document(root_id)
        if row.id != row.root_id or row.kind != DECLARATION:
            raise absent()
        return row

    def message(self, message_id: str) -> MessageRow:
        row = self._reading.message(message_id)
        if row is None or not self._may_see(row.tenant):
            raise absent()
        return row

    def message_named(self, any_id: str) -> MessageRow | None:
        """The message of that id; of any other id that people hold, the newest message of the document it names."""
        row = self._reading.message(any_id)
        if row is not None and self._may_see(row.tenant):
            return row
        for root_id in self._reading.find_roots(self._scope, any_id, 1):
            return max(self._reading.messages_of(root_id), key=lambda row: row.id, default=None)
        return None

    def document_of(self, message: MessageRow) -> DocumentRow:
        return self.document(message.document_id)

    def found(self, row: MessageRow) -> Found:
        """A message as a search would show it."""
        document = self._reading.document(row.document_id)
        standing = self._reading.standing(row.root_id)
        found = Found(row, document.kind if document else "", document.reference if document else "", standing)
        return self._named([self._seen(found)])[0]

    def _named(self, rows: Iterable[Found]) -> list[Found]:
        """A request seldom has a reference of its own; people know it by that of its declaration."""
        references: dict[str, str] = {}

        def reference(root_id: str) -> str:
            if root_id not in references:
                declared = [row for row in self._reading.documents_of(root_id) if row.kind == DECLARATION]
                latest_first = sorted(declared, key=lambda row: (row.round, row.id), reverse=True)
                references[root_id] = next((row.reference for row in latest_first if row.reference), "")
            return references[root_id]

        return [row if row.reference else replace(row, reference=reference(row.message.root_id)) for row in rows]

    def _seen(self, found: Found) -> Found:
        """With the standing of its own document: an amendment stands where its own answers put it, however long ago its declaration
        was closed."""
        standing = found.standing
        if found.kind in REQUEST_PHASES:
            standing = self._reading.standing(found.message.document_id)
        return replace(
            found,
            standing=None if standing is None else movers.seen(self._reading, standing),
            behind=self.behind(found.message),
        )

    def behind(self, message: MessageRow) -> MessageRow | None:
        """The message in doubt, or parked, that must be settled before this one is sent."""
        return movers.waits_behind(self._reading, message)

    def rounds(self, root: DocumentRow) -> list[DocumentRow]:
        """The declaration as it was declared, oldest round first."""
        rows = [row for row in self._reading.documents_of(root.id) if row.kind == DECLARATION]
        return sorted(rows, key=lambda row: (row.round, row.id))

    def requests(self, root: DocumentRow, kind: str = "") -> list[Request]:
        """What was asked about the declaration, newest first; of one kind, or of all."""
        kinds = {kind} if kind else set(REQUEST_PHASES)
        rows = [row for row in self._reading.documents_of(root.id) if row.kind in kinds]
        return [self._request(row) for row in sorted(rows, key=lambda row: row.id, reverse=True)]

    def request(self, root: DocumentRow, kind: str, document_id: str) -> Request:
        row = self.document(document_id)
        if (row.root_id, row.kind) != (root.id, kind):
            raise absent()
        return self._request(row)

    def _request(self, row: DocumentRow) -> Request:
        standing = self.standing(row.id)
        state = standing.states.get(REQUEST, "filed") if standing else "filed"
        messages = tuple(each for each in self._reading.messages_of(row.root_id) if each.document_id == row.id)
        ids = {each.id for each in messages}
        replies = tuple(each for each in self._reading.judgements_of(row.root_id) if each.message_id in ids)
        return Request(row, state, standing, replies, messages)

    def messages(self, root_id: str) -> list[MessageRow]:
        return sorted(self._reading.messages_of(root_id), key=lambda row: row.id, reverse=True)

    def standing(self, root_id: str) -> StandingRow | None:
        """Where a declaration, or a request by its document's id, stands, and whose move it is by its messages too."""
        row = self._reading.standing(root_id)
        return None if row is None else movers.seen(self._reading, row)

    def known_ids(self, root_id: str) -> dict[str, list[str]]:
        """What people and partners call a declaration: scheme -> every value, the latest first."""
        return self._reading.every_alias_of(root_id)

    def timeline(self, root_id: str) -> list[Event]:
        """All that happened to a declaration and its messages, oldest first; to a delivery that fits none, by its own id."""
        rows: list[Event] = []
        after = ""
        while page := self._reading.events_of(root_id, after_id=after):
            rows += page
            after = page[-1].id
        return rows

    def events(self, message: MessageRow) -> list[tuple[Event, Subject]]:
        """What happened to this message and to its declaration, oldest first; other messages' own events left out."""
        return [entry for entry in self.told(message.root_id) if entry[0].message_id in ("", message.id)]

    def told(self, root_id: str) -> list[tuple[Event, Subject]]:
        """The timeline of a declaration with its requests, all messages in one order; what each entry speaks of beside it."""
        documents = {row.id: row.kind for row in self._reading.documents_of(root_id)}
        messages = {row.id: row for row in self._reading.messages_of(root_id)}
        rows: list[tuple[Event, Subject]] = []
        for event in self.timeline(root_id):
            message = messages.get(event.message_id)
            document_id = message.document_id if message else event.document_id
            agreement = message.agreement if message else str(event.data.get("agreement", ""))
            kind = documents.get(document_id, "")
            # What an answer moves without a word about a message is the declaration.
            rows.append((event, Subject(documents.get(root_id, "") if kind == RESPONSE else kind, agreement)))
        return rows

    def received(self, message: MessageRow) -> list[InboundRow]:
        """What the partner gave us about this message, oldest first."""
        rows = [row for row in self._reading.inbound_of(message.root_id) if row.message_id in ("", message.id)]
        return sorted(rows, key=lambda row: row.id)

    def kept(self, *, limit: int, cursor: str = "") -> tuple[list[InboundRow], str | None]:
        """A page of the deliveries that speak of nothing yet, newest first. They belong to nobody, so only who sees all sees them."""
        rows = self._reading.kept_inbound(before_id=cursor, limit=limit + 1) if self._scope is None else []
        return rows[:limit], rows[limit - 1].id if len(rows) > limit else None

    def delivery(self, inbound_id: str) -> InboundRow:
        """One delivery, for who sees all."""
        row = self._reading.inbound(inbound_id) if self._scope is None else None
        if row is None:
            raise absent()
        return row

    def lanes(self) -> dict[str, LaneRow]:
        """The lanes that have work or were ever paused, by agreement."""
        return {row.lane: row for row in self._reading.lanes()}

    def breakers(self, partners: Iterable[str]) -> dict[str, BreakerRow]:
        """The breaker of each of these partners."""
        return {name: self._reading.breaker(name) for name in partners}

    def overdue(self, now_us: int, limit: int) -> list[StandingRow]:
        """What is awaited for longer than it may take, the oldest first; requests too."""
        return [movers.seen(self._reading, row) for row in self._reading.overdue(self._scope, now_us, limit)]

    def newest(self, document_id: str) -> Found | None:
        """The newest message of a declaration's document or of a request, as a search would show it."""
        document = self.document(document_id)
        messages = self._reading.messages_of(document.root_id)
        if document.id != document.root_id:
            messages = [row for row in messages if row.document_id == document_id]
        return self.found(max(messages, key=lambda row: row.id)) if messages else None

    def hours(self, since_us: int) -> list[tuple[int, str, int]]:
        """(hour since the epoch, kind, how many) of what was filed and answered since then."""
        return self._reading.hours(self._scope, first_id(since_us))

    def open_states(self) -> dict[str, int]:
        """Where the declarations that are not over stand: state -> how many."""
        return self._reading.open_states(self._scope)

    def search(self, *, limit: int, **asked: Any) -> tuple[list[Found], str | None]:
        """A page of messages, and the cursor of the next one where there is more. asked: as for Reading.search."""
        rows = self._reading.search(tenant=self._scope, limit=limit + 1, **asked)
        page = self._named(self._seen(row) for row in rows[:limit])
        return page, page[-1].message.id if len(rows) > limit else None

    def declarations(self, value: str, state: str, limit: int, cursor: str) -> tuple[list[Found], str | None]:
        """A page of declarations, each at the place of its newest message."""
        page: list[Found] = []
        seen: set[str] = set()
        last = ""
        next_cursor: str | None = cursor
        while next_cursor is not None and len(page) < limit:
            asked = {"value": value, "state": state, "kind": DECLARATION, "before_id": next_cursor}
            rows, next_cursor = self.search(**asked, limit=limit)
            for row in rows:
                if len(page) == limit:
                    return page, last
                last = row.message.id
                root_id = row.message.root_id
                if root_id not in seen and (not cursor or not self._was_listed(root_id, cursor)):
                    page.append(row)
                seen.add(root_id)
        return page, next_cursor

    def _was_listed(self, root_id: str, cursor: str) -> bool:
        """Whether an earlier page, down to the cursor, held a newer message of this declaration."""
        kinds = {row.id: row.kind for row in self._reading.documents_of(root_id)}
        messages = self._reading.messages_of(root_id)
        return any(row.id >= cursor and kinds.get(row.document_id) == DECLARATION for row in messages)

    def payload(self, digest: str) -> bytes:
        return self._reading.payload(digest)

    def json(self, digest: str) -> Json:
        document: Json = orjson.loads(self._reading.payload(digest))
        return document


def silent_us(row: Found, now_us: int) -> int | None:
    """How long nothing was heard: since the message or the standing of its document last changed, in microseconds.

    None where nothing is awaited any more: the document is final, or nobody has to move. A request stands for itself.
    """
    if row.standing is not None and (row.standing.final or row.standing.mover == Mover.NOBODY):
        return None
    return now_us - max(row.message.updated_us, row.standing.updated_us if row.standing else 0)


def partner_digest(message: MessageRow) -> str:
    """The digest of what the partner gets: the frozen bytes, or the unsigned ones as long as nothing is signed."""
    return message.frozen_digest or message.encoded_digest


def absent() -> NotFound:
    """One answer for what is not there and for what is another's; nobody can tell them apart."""
    return NotFound("there is no such thing for this caller", [Finding("http.not_found")], code="http.not_found")
