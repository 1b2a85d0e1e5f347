"""What one caller may read: every look at stored things goes through a View, which knows whose they are.

What belongs to another tenant is answered exactly as what does not exist. An operator sees all tenants.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from gateway.api import views
from gateway.api.parts import here
from gateway.api.problems import BadRequest
from gateway.api.security import Caller
from gateway.errors import Finding, NotFound
from gateway.lifecycle import STATES
from gateway.pipeline.standings import REQUEST
from gateway.ports import DocumentRow, Event, Found, InboundRow, Json, MessageRow, Reading, StandingRow

DECLARATION = "declaration"
_STATE_NAMES = sorted({state.name for state in STATES.values()})


class View:
    """One snapshot, seen by one caller. scope: a tenant, or None for all."""

    def __init__(self, reading: Reading, scope: str | None) -> None:
        self._reading = reading
        self._scope = scope

    def _may_see(self, tenant: str) -> bool:
        return self._scope is None or self._scope == tenant

    def declaration(self, root_id: str) -> DocumentRow:
        """The first document of a declaration. NotFound where there is none for this caller."""
        row = self._reading.document(root_id)
        if row is None or row.id != row.root_id or row.kind != DECLARATION or not self._may_see(row.tenant):
            raise absent()
        return row

    def message(self, message_id: str) -> MessageRow:
        row = self._reading.message(message_id)
        if row is None or not self._may_see(row.tenant):
            raise absent()
        return row

    def found(self, row: MessageRow) -> Found:
        """A message as a search would show it."""
        document = self._reading.document(row.document_id)
        standing = self._reading.standing(row.root_id)
        return Found(row, document.kind if document else "", document.reference if document else "", standing)

    def rounds(self, root: DocumentRow) -> list[DocumentRow]:
        """The declaration as it was declared, oldest round first."""
        rows = [row for row in self._reading.documents_of(root.id) if row.kind == DECLARATION]
        return sorted(rows, key=lambda row: (row.round, row.id))

    def requests(self, root: DocumentRow, kind: str = "") -> list[DocumentRow]:
        """What was asked about the declaration, newest first; of one kind, or of all."""
        kinds = {kind} if kind else set(views.REQUEST_PLACES)
        rows = [row for row in self._reading.documents_of(root.id) if row.kind in kinds]
        return sorted(rows, key=lambda row: row.id, reverse=True)

    def request(self, root: DocumentRow, kind: str, document_id: str) -> DocumentRow:
        for row in self.requests(root, kind):
            if row.id == document_id:
                return row
        raise absent()

    def request_view(self, row: DocumentRow, lang: str) -> Json:
        """A request with its state and the replies to it."""
        standing = self._reading.standing(row.id)
        state = standing.states.get(REQUEST, "filed") if standing else "filed"
        messages = [each for each in self._reading.messages_of(row.root_id) if each.document_id == row.id]
        ids = {each.id for each in messages}
        replies = [each for each in self._reading.judgements_of(row.root_id) if each.message_id in ids]
        return views.request(row, state, replies, messages, lang)

    def messages(self, root_id: str) -> list[MessageRow]:
        return sorted(self._reading.messages_of(root_id), key=lambda row: row.id, reverse=True)

    def standing(self, root_id: str) -> StandingRow | None:
        return self._reading.standing(root_id)

    def known_ids(self, root_id: str) -> dict[str, str]:
        return self._reading.aliases_of(root_id)

    def events(self, message: MessageRow) -> list[Event]:
        """What happened to this message and to its declaration, oldest first; other messages' own events left out."""
        rows: list[Event] = []
        after = ""
        while page := self._reading.events_of(message.root_id, after_id=after):
            rows += page
            after = page[-1].id
        return [row for row in rows if row.message_id in ("", message.id)]

    def received(self, message: MessageRow) -> list[InboundRow]:
        """What the partner gave us about this message, oldest first."""
        rows = [row for row in self._reading.inbound_of(message.root_id) if row.message_id in ("", message.id)]
        return sorted(rows, key=lambda row: row.id)

    def search(self, **asked: Any) -> tuple[list[Found], str | None]:
        """A page of messages, and the cursor of the next one where there is more. asked: as for Reading.search."""
        limit = asked.pop("limit")
        rows = self._reading.search(tenant=self._scope, limit=limit + 1, **asked)
        return rows[:limit], rows[limit - 1].message.id if len(rows) > limit else None

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

    def document_of(self, message: MessageRow) -> DocumentRow:
        row = self._reading.document(message.document_id)
        if row is None:
            raise absent()
        return row


@contextmanager
def open_for(caller: Caller) -> Iterator[View]:
    """A View for the caller of this request."""
    with here().store.read() as reading:
        yield View(reading, caller.scope)


def absent() -> NotFound:
    return NotFound("there is no such thing for this caller", [Finding("http.not_found")], code="http.not_found")


def known_state(state: str) -> None:
    """Refuse a state that no track has: it would find nothing and look like an answer."""
    if state and state not in _STATE_NAMES:
        finding = Finding("api.state.unknown", found=state, expected=", ".join(_STATE_NAMES))
        raise BadRequest("an unknown state", [finding], code=finding.code)
