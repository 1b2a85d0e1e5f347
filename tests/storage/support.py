"""Rows of a plausible day, for tests that care about other things than their content."""

from __future__ import annotations

from typing import Any

from gateway import ids
from gateway.events import EventType
from gateway.lifecycle import InboundStatus, Status
from gateway.ports import Alias, DocumentRow, Event, InboundRow, MessageRow, StandingRow, Writing

NOW_US = 1_772_000_000_000_000
HOUR_US = 3_600_000_000


def document(**changes: Any) -> DocumentRow:
    id_ = changes.pop("id", None) or ids.new_id()
    plain: dict[str, Any] = {
        "id": id_,
        "root_id": id_,
        "kind": "declaration",
        "tenant": "grain-trade",
        "round": 1,
        "phase": "single",
        "digest": "sha256:" + "0" * 64,
        "created_us": NOW_US,
        "reference": "order 17",
    }
    return DocumentRow(**plain | changes)


def message(of: DocumentRow, **changes: Any) -> MessageRow:
    message_id = ids.new_id()
    plain: dict[str, Any] = {
        "id": message_id,
        "document_id": of.id,
        "root_id": of.root_id,
        "tenant": of.tenant,
        "agreement": "customs",
        "adapter": "cn_declaration",
        "partner": "single-window",
        "standard": "single-window",
        "version": "1",
        "message": "declaration",
        "name": f"{message_id}.xml",
        "media_type": "application/xml",
        "status": Status.ACCEPTED,
        "attempts": 0,
        "encoded_digest": of.digest,
        "frozen_digest": "",
        "waiting_for": "",
        "reason": "",
        "receipt_due_us": None,
        "created_us": NOW_US,
        "updated_us": NOW_US,
    }
    return MessageRow(**plain | changes)


def standing(of: DocumentRow, **changes: Any) -> StandingRow:
    plain: dict[str, Any] = {
        "root_id": of.root_id,
        "tenant": of.tenant,
        "round": 1,
        "phase": "single",
        "states": {"declaration": "filed"},
        "mover": "gateway",
        "silence_due_us": NOW_US + HOUR_US,
        "final": False,
        "round_opened_us": NOW_US,
        "updated_us": NOW_US,
        "alarm_us": NOW_US + HOUR_US,
    }
    return StandingRow(**plain | changes)


def event(root_id: str, **changes: Any) -> Event:
    plain: dict[str, Any] = {
        "id": ids.new_id(),
        "type": EventType.DOCUMENT_ACCEPTED,
        "at_us": NOW_US,
        "root_id": root_id,
        "tenant": "grain-trade",
    }
    return Event(**plain | changes)


def inbound(**changes: Any) -> InboundRow:
    id_ = ids.new_id()
    plain: dict[str, Any] = {
        "id": id_,
        "agreement": "customs",
        "partner": "single-window",
        "reference": f"{id_}.xml",
        "digest": "sha256:" + "0" * 64,
        "status": InboundStatus.UNMATCHED,
        "document_id": "",
        "message_id": "",
        "root_id": "",
        "reason": "",
        "received_us": NOW_US,
    }
    return InboundRow(**plain | changes)


def add_filed(writing: Writing, **changes: Any) -> MessageRow:
    """A document with its standing and one message; changes go to the message, tenant and kind to the document too."""
    paper = document(**{name: changes[name] for name in ("tenant",) if name in changes})
    row = message(paper, **changes)
    writing.add_document(paper)
    writing.put_standing(standing(paper))
    writing.add_message(row)
    return row


def accept(writing: Writing, data: bytes, lane: str = "customs") -> str:
    """What the acceptance of one declaration writes; returns the message id."""
    digest = writing.put_payload(data, "application/json")
    encoded = writing.put_payload(data + b"<!-- encoded -->", "application/xml")
    paper = document(digest=digest)
    row = message(paper, encoded_digest=encoded, agreement=lane)
    writing.add_document(paper)
    writing.put_standing(standing(paper))
    writing.add_message(row)
    writing.add_aliases(row.root_id, row.id, lane, row.tenant, [Alias("order", "order 17"), Alias("container", row.id)])
    writing.append_event(event(row.root_id, message_id=row.id, data={"agreement": lane}))
    writing.enqueue(row.id, lane, row.root_id, NOW_US)
    return row.id
