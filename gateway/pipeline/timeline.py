"""How an entry of the timeline is made: who it speaks of, the partner's own words, and small facts."""

from __future__ import annotations

from typing import Any

from gateway import ids
from gateway.events import EventType
from gateway.ports import Event, MessageRow

LONGEST_TEXT = 2_000


def entry(
    kind: EventType,
    now_us: int,
    /,
    *,
    root_id: str,
    tenant: str,
    document_id: str = "",
    message_id: str = "",
    actor: str = "gateway",
    raw_code: str = "",
    raw_text: str = "",
    **data: Any,
) -> Event:
    """One entry. data: facts that a person at night wants (file name, attempt, wait), never a payload or a secret."""
    return Event(
        id=ids.new_id(now_us),
        type=kind,
        at_us=now_us,
        root_id=root_id,
        tenant=tenant,
        document_id=document_id,
        message_id=message_id,
        actor=actor,
        raw_code=raw_code,
        raw_text=raw_text[:LONGEST_TEXT],
        data=data,
    )


def about(message: MessageRow, kind: EventType, now_us: int, /, **rest: Any) -> Event:
    """An entry that speaks of a message; rest as for entry()."""
    return entry(
        kind,
        now_us,
        root_id=message.root_id,
        tenant=message.tenant,
        document_id=message.document_id,
        message_id=message.id,
        **rest,
    )
