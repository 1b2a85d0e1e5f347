"""Named queries: messages and their way along the lifecycle.

A status changes in advance() only, and only from the status that was read: the UPDATE carries it as a condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import and_, bindparam, exists, func, insert, or_, select, update

from gateway import lifecycle
from gateway.errors import Conflict, NotFound
from gateway.lifecycle import MOVES, Rest, Status
from gateway.ports import MessageRow
from gateway.storage.session import EMPTY, Row, Session, Statement, clean, columns_of, given, names_of, unindexed
from gateway.storage.tables import messages, work

MESSAGE = names_of(MessageRow)
STATUS_AT, REST_AT = MESSAGE.index("status"), MESSAGE.index("rest")
TEXTS = frozenset({"reason", "rest"})
CHANGEABLE = frozenset(MESSAGE) - {"id", "status", "updated_us"}
STUCK = (Status.UNKNOWN.value, Status.PARKED.value)
FINAL = [status.value for status, moves in MOVES.items() if not moves]
# How often advance() reads again when another process moved the message in between (PostgreSQL only).
ADVANCE_TRIES = 5

m = messages.c
MESSAGE_COLUMNS = columns_of(messages, MessageRow)

ADD_MESSAGE = Statement(insert(messages).inline(), MESSAGE)
MESSAGE_BY_ID = Statement(select(*MESSAGE_COLUMNS).where(m.id == given("id", m.id)))
MESSAGES_OF = Statement(select(*MESSAGE_COLUMNS).where(m.root_id == given("root_id", m.root_id)).order_by(m.id))
OVERDUE_RECEIPTS = Statement(
    select(*MESSAGE_COLUMNS)
    .where(m.receipt_due_us <= given("now_us", m.receipt_due_us), unindexed(m.status) == Status.SENT.value)
    .order_by(m.receipt_due_us)
    .limit(given("most", m.attempts))
)
_unattended = ~exists().where(
    work.c.message_id == m.id, work.c.worker != EMPTY, work.c.due_us > given("now_us", work.c.due_us)
)
STALE_SENDING = Statement(
    select(*MESSAGE_COLUMNS)
    .where(m.status == Status.SENDING.value, _unattended)
    .order_by(m.id)
    .limit(given("most", m.attempts))
)
STALE_MESSAGE = Statement(
    select(*MESSAGE_COLUMNS).where(m.id == given("id", m.id), unindexed(m.status) == Status.SENDING.value, _unattended)
)
IDS_IN = Statement(
    select(m.id)
    .where(
        m.status == given("status", m.status),
        m.agreement == given("agreement", m.agreement),
        m.id > given("after_id", m.id),
    )
    .order_by(m.id)
    .limit(given("most", m.attempts))
)
WAITING_MESSAGES = Statement(
    select(*MESSAGE_COLUMNS)
    .where(
        m.waiting_for != EMPTY,
        m.status.not_in([bindparam(None, status, m.status.type) for status in FINAL]),
        m.id > given("after_id", m.id),
    )
    .order_by(m.id)
    .limit(given("most", m.attempts))
)
_mine, _before = work.alias("mine"), work.alias("ahead")
STUCK_BEFORE = Statement(
    select(*MESSAGE_COLUMNS)
    .select_from(_mine)
    .join(_before, and_(_before.c.lane == _mine.c.lane, _before.c.key == _mine.c.key))
    .join(messages, m.id == _before.c.message_id)
    .where(
        _mine.c.message_id == given("of_message", _mine.c.message_id),
        _mine.c.key != EMPTY,
        or_(
            _before.c.place < _mine.c.place,
            and_(_before.c.place == _mine.c.place, _before.c.serial < _mine.c.serial),
        ),
        unindexed(m.status).in_([bindparam(None, status, m.status.type) for status in STUCK]),
    )
    .order_by(_before.c.place, _before.c.serial)
    .limit(1)
)
COUNTS = Statement(select(m.status, func.count()).group_by(m.status))


def message_from(row: Row) -> MessageRow:
    status, rest = Status(row[STATUS_AT]), Rest(row[REST_AT])
    return MessageRow(*(*row[:STATUS_AT], status, *row[STATUS_AT + 1 : REST_AT], rest, *row[REST_AT + 1 :]))


def message(db: Session, message_id: str) -> MessageRow | None:
    row = db.one(MESSAGE_BY_ID, id=message_id)
    return message_from(row) if row else None


def messages_of(db: Session, root_id: str) -> list[MessageRow]:
    """Oldest first."""
    return [message_from(row) for row in db.all(MESSAGES_OF, root_id=root_id)]


def add_message(db: Session, row: MessageRow) -> None:
    values = {name: getattr(row, name) for name in MESSAGE}
    values["status"], values["rest"] = row.status.value, row.rest.value
    values["reason"] = clean(row.reason)
    db.change(ADD_MESSAGE, values)


def advance(db: Session, message: MessageRow, *steps: str, now_us: int, **changes: Any) -> MessageRow:
    """Move a message, as this unit has read it, along lifecycle.MOVES and set further columns.

    IllegalMove when the table says no, NotFound when it is gone. Who moved it in between (PostgreSQL only) is seen: then the
    steps are taken from where it stands now.
    """
    statement = _change(frozenset(changes), moves=True)
    current = message
    for _ in range(ADVANCE_TRIES):
        status = current.status
        for step in steps:
            status = lifecycle.advance(status, step)
        values = _prefixed(changes)
        values |= {
            "row_id": current.id,
            "was": current.status.value,
            "to_status": status.value,
            "to_updated_us": now_us,
        }
        if db.change(statement, values):
            return replace(current, status=status, updated_us=now_us, **changes)
        row = db.one(MESSAGE_BY_ID, id=message.id)
        if row is None:
            raise NotFound(f"no message {message.id}")
        current = message_from(row)
    raise Conflict(f"message {message.id} is moved by others all the time")


def update_message(db: Session, message_id: str, now_us: int, **changes: Any) -> None:
    """Set columns other than the status. NotFound when there is no such message."""
    values = _prefixed(changes) | {"row_id": message_id, "to_updated_us": now_us}
    if not db.change(_change(frozenset(changes), moves=False), values):
        raise NotFound(f"no message {message_id}")


def _prefixed(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {f"to_{name}": clean(str(value)) if name in TEXTS else value for name, value in changes.items()}


@lru_cache(maxsize=256)
def _change(names: frozenset[str], *, moves: bool) -> Statement:
    """UPDATE of these columns; moves: of the status too, from the one that was read."""
    if strangers := names - CHANGEABLE:
        raise TypeError(f"not a column of a message that may be set so: {', '.join(sorted(strangers))}")
    written = names | {"updated_us"} | ({"status"} if moves else set())
    statement = update(messages).where(m.id == given("row_id", m.id))
    if moves:
        statement = statement.where(m.status == given("was", m.status))
    return Statement(statement.values({name: given(f"to_{name}", m[name]) for name in written}))


def overdue_receipts(db: Session, now_us: int, limit: int) -> list[MessageRow]:
    """Messages in SENT whose receipt should have come, longest overdue first."""
    return [message_from(row) for row in db.all(OVERDUE_RECEIPTS, now_us=now_us, most=limit)]


def stale_sending(db: Session, now_us: int, limit: int) -> list[MessageRow]:
    """Messages in SENDING whose work is claimed by nobody alive: a worker died on the wire."""
    return [message_from(row) for row in db.all(STALE_SENDING, now_us=now_us, most=limit)]


def stale_message(db: Session, message_id: str, now_us: int) -> MessageRow | None:
    """The message, if it is one of stale_sending."""
    row = db.one(STALE_MESSAGE, id=message_id, now_us=now_us)
    return message_from(row) if row else None


def ids_in(db: Session, status: Status, agreement: str, after_id: str, limit: int) -> list[str]:
    """Ids of messages, oldest first, those behind after_id."""
    rows = db.all(IDS_IN, status=str(status.value), agreement=agreement, after_id=after_id, most=limit)
    return [id_ for (id_,) in rows]


def waiting_messages(db: Session, after_id: str, limit: int) -> list[MessageRow]:
    """Messages that wait for another document, oldest first, those behind after_id; whose way has ended is left out."""
    return [message_from(row) for row in db.all(WAITING_MESSAGES, after_id=after_id, most=limit)]


def stuck_before(db: Session, message_id: str) -> MessageRow | None:
    """The first message in doubt, or parked, that stands before this one of the same key in their lane."""
    row = db.one(STUCK_BEFORE, of_message=message_id)
    return message_from(row) if row else None


def counts(db: Session) -> Mapping[str, int]:
    """Messages per status; a status that none has is absent."""
    return dict(db.all(COUNTS))
