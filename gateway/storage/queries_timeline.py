"""Named queries: the timeline, an append-only log, and the sequencer that gives its entries their positions.

A position is given after the commit of the event, in one place at a time: so a reader who has seen position n will never
be told of another one below it. Within one root the timeline stands in the order in which it was written.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from gateway.events import EventType
from gateway.ports import Entry, Event
from gateway.storage.session import Row, Session, Statement, clean, columns_of, given, names_of
from gateway.storage.tables import counters, documents, events, messages

EVENT = names_of(Event)
WRITTEN = tuple(name for name in EVENT if name != "position")
POSITIONS = "events.position"  # row of counters: the next position, and the lock of the sequencer

e = events.c
ADD_EVENT = Statement(insert(events).inline(), WRITTEN)
EVENTS_OF = Statement(
    select(*columns_of(events, Event))
    .where(e.root_id == given("root_id", e.root_id), e.serial > given("after", e.serial))
    .order_by(e.serial)
    .limit(given("most", e.serial))
)
SERIAL_OF = Statement(select(e.serial).where(e.id == given("id", e.id)))

_document, _root = documents.alias("document"), documents.alias("root")
_told = (
    select(*columns_of(events, Event), messages.c.agreement, _document.c.kind, _root.c.kind)
    .select_from(
        events.outerjoin(messages, messages.c.id == e.message_id)
        .outerjoin(_document, _document.c.id == func.coalesce(messages.c.document_id, e.document_id))
        .outerjoin(_root, _root.c.id == e.root_id)
    )
    .where(e.position > given("after", e.position), e.position <= given("up_to", e.position))
    .order_by(e.position)
    .limit(given("most", e.serial))
)


def _told_of(condition: Any) -> Select[Any]:
    return _told.where(condition)


EVENTS_AFTER = Statement(_told)
EVENTS_OF_TENANT_AFTER = Statement(_told_of(e.tenant == given("tenant", e.tenant)))
EVENTS_OF_ROOT_AFTER = Statement(_told_of(e.root_id == given("root_id", e.root_id)))
LAST_POSITION = Statement(select(e.position).where(e.position.is_not(None)).order_by(e.position.desc()).limit(1))

ANY_UNSEQUENCED = Statement(select(e.serial).where(e.position.is_(None)).limit(1))
_position = upsert(counters)
LOCK_POSITIONS = Statement(
    _position.on_conflict_do_update(index_elements=["name"], set_={"next": counters.c.next}).returning(counters.c.next),
    ("name", "next"),
)
_oldest = (
    select(e.serial).where(e.position.is_(None)).order_by(e.serial).limit(given("most", e.serial)).subquery("oldest")
)
_waiting = select(
    _oldest.c.serial,
    (given("first", e.position) - 1 + func.row_number().over(order_by=_oldest.c.serial)).label("position"),
).subquery("waiting")
GIVE_POSITIONS = Statement(update(events).where(e.serial == _waiting.c.serial).values(position=_waiting.c.position))
MOVE_POSITIONS = Statement(
    update(counters).where(counters.c.name == POSITIONS).values(next=counters.c.next + given("taken", counters.c.next))
)


def append_event(db: Session, event: Event) -> None:
    db.change(
        ADD_EVENT,
        {
            "id": event.id,
            "type": str(event.type.value),
            "at_us": event.at_us,
            "root_id": event.root_id,
            "tenant": event.tenant,
            "document_id": event.document_id,
            "message_id": event.message_id,
            "actor": event.actor,
            "raw_code": clean(event.raw_code),
            "raw_text": clean(event.raw_text),
            "data": orjson.dumps(dict(event.data)).decode() if event.data else "{}",
        },
    )


def event_from(row: Row) -> Event:
    id_, type_, at_us, root_id, tenant, document_id, message_id, actor, raw_code, raw_text, data, position = row
    return Event(
        id=id_,
        type=EventType(type_),
        at_us=at_us,
        root_id=root_id,
        tenant=tenant,
        document_id=document_id,
        message_id=message_id,
        actor=actor,
        raw_code=raw_code,
        raw_text=raw_text,
        data=orjson.loads(data),
        position=position,
    )


def events_of(db: Session, root_id: str, *, after_id: str = "", limit: int = 1000) -> list[Event]:
    """The timeline of a root in the order it was written, from behind after_id (an unknown one: from the start)."""
    seen = db.one(SERIAL_OF, id=after_id) if after_id else None
    return [event_from(row) for row in db.all(EVENTS_OF, root_id=root_id, after=seen[0] if seen else 0, most=limit)]


def events_after(
    db: Session, position: int, up_to: int, limit: int, *, tenant: str | None = None, root_id: str = ""
) -> list[Entry]:
    asked = {"after": position, "up_to": up_to, "most": limit}
    if root_id:
        return [_entry_from(row) for row in db.all(EVENTS_OF_ROOT_AFTER, root_id=root_id, **asked)]
    if tenant is not None:
        return [_entry_from(row) for row in db.all(EVENTS_OF_TENANT_AFTER, tenant=tenant, **asked)]
    return [_entry_from(row) for row in db.all(EVENTS_AFTER, **asked)]


def _entry_from(row: Row) -> Entry:
    *of_event, agreement, kind, root_kind = row
    event = event_from(tuple(of_event))
    assert event.position is not None
    return Entry(event.position, event, agreement or "", kind or "", root_kind or "")


def last_position(db: Session) -> int:
    row = db.one(LAST_POSITION)
    return int(row[0]) if row else 0


def has_unsequenced(db: Session) -> bool:
    return db.one(ANY_UNSEQUENCED) is not None


def sequence_events(db: Session, limit: int) -> int:
    """Give positions, without gaps, to committed events that have none; returns how many.

    Of two that run at once the second waits at the row of counters until the first has committed.
    """
    if db.one(ANY_UNSEQUENCED) is None:
        return 0
    locked = db.one(LOCK_POSITIONS, name=POSITIONS, next=1)
    assert locked is not None
    taken = db.change(GIVE_POSITIONS, {"first": locked[0], "most": limit})
    db.change(MOVE_POSITIONS, {"taken": taken})
    return taken
