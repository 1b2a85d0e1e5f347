"""Named queries: webhooks, how far events were announced to them, and each event on its way to one.

A claim moves ``due_us`` of a delivery to the end of the lease, so that what a dead worker held is due again by itself; claimed or
not, it waits until it is settled, and nothing younger of its key is taken before. Of two that claim at once the second finds the row
no longer due.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, and_, delete, exists, func, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from gateway.ports import Event, WebhookDelivery, WebhookRow
from gateway.storage.queries_timeline import EVENT, event_from
from gateway.storage.session import Row, Session, Statement, clean, columns_of, given, names_of
from gateway.storage.tables import counters, events, webhook_deliveries, webhooks

SECOND_US = 1_000_000
WEBHOOK, DELIVERY = names_of(WebhookRow), names_of(WebhookDelivery)
ANNOUNCED = "webhooks.announced"  # row of counters: the last position that was announced
# A settled log is forgotten so many rows at a time: nobody waits long for the write lock.
MOST_FORGOTTEN = 500
# Written into the statement, not bound: a partial index serves only a condition that is seen to be its own.
WAITING: ColumnElement[str] = literal_column("'waiting'", Text())
ACTIVE: ColumnElement[str] = literal_column("'active'", Text())

h, d, e = webhooks.c, webhook_deliveries.c, events.c
_columns = columns_of(webhooks, WebhookRow)
ADD_WEBHOOK = Statement(insert(webhooks).inline(), WEBHOOK)
WEBHOOK_OF = Statement(select(*_columns).where(h.id == given("id", h.id)))
_page = select(*_columns).where(h.id > given("after_id", h.id)).order_by(h.id).limit(given("most", h.failures))
WEBHOOKS = Statement(_page)
WEBHOOKS_OF_TENANT = Statement(_page.where(h.tenant == given("tenant", h.tenant)))
ACTIVE_WEBHOOKS = Statement(select(*_columns).where(h.status == ACTIVE).order_by(h.id))
DUE_WEBHOOKS = Statement(
    select(*_columns)
    .where(
        h.status == ACTIVE,
        h.rest_until_us <= given("now_us", h.rest_until_us),
        exists().where(d.webhook_id == h.id, d.status == WAITING, d.due_us <= given("now_us", d.due_us)),
    )
    .order_by(h.id)
)
REMOVE_WEBHOOK = Statement(delete(webhooks).where(h.id == given("of_webhook", h.id)))
REMOVE_DELIVERIES = Statement(delete(webhook_deliveries).where(d.webhook_id == given("of_webhook", d.webhook_id)))

_of_delivery = columns_of(webhook_deliveries, WebhookDelivery)
ADD_DELIVERY = Statement(insert(webhook_deliveries).inline(), (*DELIVERY, "worker"))
DELIVERY_OF = Statement(select(*_of_delivery).where(d.id == given("id", d.id)))
_newest = (
    select(*_of_delivery)
    .where(d.webhook_id == given("of_webhook", d.webhook_id), d.id < given("before_id", d.id))
    .order_by(d.id.desc())
    .limit(given("most", d.attempts))
)
DELIVERIES = Statement(_newest)
DELIVERIES_IN = Statement(_newest.where(d.status == given("status", d.status)))

_one, _older = webhook_deliveries.alias("one"), webhook_deliveries.alias("older")
_older_waits = and_(
    _older.c.webhook_id == _one.c.webhook_id,
    _older.c.key == _one.c.key,
    _older.c.status == WAITING,
    _older.c.serial < _one.c.serial,
)
_free = (
    select(_one.c.serial)
    .where(
        _one.c.webhook_id == given("of_webhook", d.webhook_id),
        _one.c.status == WAITING,
        _one.c.due_us <= given("now_us", d.due_us),
        ~exists().where(_older_waits),
    )
    .order_by(_one.c.serial)
    .limit(given("most", d.attempts))
)
CLAIM = Statement(
    update(webhook_deliveries)
    .where(d.serial.in_(_free), d.status == WAITING, d.due_us <= given("now_us", d.due_us))
    .values(worker=given("by_worker", d.worker), due_us=given("lease_until_us", d.due_us), attempts=d.attempts + 1)
    .returning(d.serial, *_of_delivery)
)
SETTLE = Statement(
    update(webhook_deliveries)
    .where(d.id == given("of_delivery", d.id), d.worker == given("by_worker", d.worker), d.status == WAITING)
    .values(
        worker="",
        status=given("to_status", d.status),
        due_us=given("to_due_us", d.due_us),
        log=given("to_log", d.log),
        updated_us=given("to_updated_us", d.updated_us),
    )
)
MOVE_KEY = Statement(
    update(webhook_deliveries)
    .where(
        d.webhook_id == given("of_webhook", d.webhook_id),
        d.key == given("of_key", d.key),
        d.status == WAITING,
        d.worker == "",
    )
    .values(due_us=given("to_due_us", d.due_us))
)
_settled = select(_one.c.serial).where(_one.c.status != WAITING, _one.c.updated_us < given("before_us", d.updated_us))
FORGET = Statement(delete(webhook_deliveries).where(d.serial.in_(_settled.limit(MOST_FORGOTTEN))))

ANNOUNCED_UP_TO = Statement(select(counters.c.next).where(counters.c.name == ANNOUNCED))
LAST_POSITION = Statement(select(func.max(e.position)).where(e.position.is_not(None)))
BEGIN = Statement(upsert(counters).on_conflict_do_nothing(index_elements=["name"]), ("name", "next"))
ANNOUNCE = Statement(
    update(counters)
    .where(counters.c.name == ANNOUNCED, counters.c.next == given("before", counters.c.next))
    .values(next=given("to_position", counters.c.next))
)
EVENTS_BEHIND = Statement(
    select(*[e[name] for name in EVENT])
    .where(e.position > given("position", e.position))
    .order_by(e.position)
    .limit(given("most", e.serial))
)


def webhook(db: Session, webhook_id: str) -> WebhookRow | None:
    row = db.one(WEBHOOK_OF, id=webhook_id)
    return _webhook(row) if row else None


def webhooks_of(db: Session, tenant: str | None, *, after_id: str = "", limit: int = 50) -> list[WebhookRow]:
    """By id; tenant None: of every tenant."""
    if tenant is None:
        return [_webhook(row) for row in db.all(WEBHOOKS, after_id=after_id, most=limit)]
    return [_webhook(row) for row in db.all(WEBHOOKS_OF_TENANT, tenant=tenant, after_id=after_id, most=limit)]


def active_webhooks(db: Session) -> list[WebhookRow]:
    return [_webhook(row) for row in db.all(ACTIVE_WEBHOOKS)]


def due_webhooks(db: Session, now_us: int) -> list[WebhookRow]:
    """Those that are active, do not rest and have a delivery that is due."""
    return [_webhook(row) for row in db.all(DUE_WEBHOOKS, now_us=now_us)]


def add_webhook(db: Session, row: WebhookRow) -> None:
    db.change(ADD_WEBHOOK, {name: _kept(name, getattr(row, name)) for name in WEBHOOK})


def change_webhook(db: Session, webhook_id: str, now_us: int, **changes: Any) -> bool:
    """Set columns; False when it is gone."""
    return _change(db, "webhooks", webhook_id, {**changes, "updated_us": now_us})


def remove_webhook(db: Session, webhook_id: str) -> None:
    """With its deliveries."""
    db.change(REMOVE_DELIVERIES, {"of_webhook": webhook_id})
    db.change(REMOVE_WEBHOOK, {"of_webhook": webhook_id})


def webhook_delivery(db: Session, delivery_id: str) -> WebhookDelivery | None:
    row = db.one(DELIVERY_OF, id=delivery_id)
    return _delivery(row) if row else None


def webhook_deliveries_of(
    db: Session, webhook_id: str, *, status: str = "", before_id: str = "", limit: int = 50
) -> list[WebhookDelivery]:
    """Newest first, older than before_id (the cursor)."""
    # A tilde stands behind every character of an id.
    values = {"of_webhook": webhook_id, "before_id": before_id or "~", "most": limit}
    rows = db.all(DELIVERIES_IN, status=status, **values) if status else db.all(DELIVERIES, **values)
    return [_delivery(row) for row in rows]


def add_webhook_delivery(db: Session, row: WebhookDelivery) -> None:
    db.change(ADD_DELIVERY, {**{name: _kept(name, getattr(row, name)) for name in DELIVERY}, "worker": ""})


def claim_webhook_deliveries(
    db: Session, webhook_id: str, worker: str, limit: int, now_us: int, lease_s: int
) -> list[WebhookDelivery]:
    """Take due deliveries, oldest first, of one key only the oldest that waits; each taking counts as an attempt."""
    taken = db.all(
        CLAIM,
        of_webhook=webhook_id,
        by_worker=worker,
        now_us=now_us,
        lease_until_us=now_us + lease_s * SECOND_US,
        most=limit,
    )
    # RETURNING promises no order.
    return [_delivery(row[1:]) for row in sorted(taken, key=lambda row: row[0])]


def settle_webhook_delivery(db: Session, row: WebhookDelivery, worker: str) -> bool:
    """Write what became of a claimed delivery; False when the claim is no longer this worker's."""
    written = {f"to_{name}": _kept(name, getattr(row, name)) for name in ("status", "due_us", "log", "updated_us")}
    return db.change(SETTLE, {"of_delivery": row.id, "by_worker": worker, **written}) == 1


def change_webhook_delivery(db: Session, delivery_id: str, now_us: int, **changes: Any) -> bool:
    """Set columns, and take it away from whoever has claimed it; False when it is gone."""
    return _change(db, "webhook_deliveries", delivery_id, {**changes, "worker": "", "updated_us": now_us})


def move_webhook_key(db: Session, webhook_id: str, key: str, due_us: int) -> None:
    """Set when the unclaimed waiting deliveries of a key are due."""
    db.change(MOVE_KEY, {"of_webhook": webhook_id, "of_key": key, "to_due_us": due_us})


def forget_webhook_deliveries(db: Session, before_us: int) -> int:
    """Forget what was settled before an instant, a bounded number of rows; how many."""
    return db.change(FORGET, {"before_us": before_us})


def announced(db: Session) -> int | None:
    """The position up to which events were given to webhooks; None where there never was a webhook."""
    row = db.one(ANNOUNCED_UP_TO)
    return row[0] if row else None


def begin_announcing(db: Session) -> None:
    """With the first webhook: what has a position now is not announced."""
    last = db.one(LAST_POSITION)
    db.change(BEGIN, {"name": ANNOUNCED, "next": last[0] or 0 if last else 0})


def announce(db: Session, position: int, before: int) -> bool:
    """Move announced() from before to position; False where it is elsewhere, because another worker did it."""
    return db.change(ANNOUNCE, {"to_position": position, "before": before}) == 1


def events_behind(db: Session, position: int, limit: int) -> list[Event]:
    """Events of every tenant with a higher position, in the order of their positions."""
    return [event_from(row) for row in db.all(EVENTS_BEHIND, position=position, most=limit)]


def _change(db: Session, table: str, row_id: str, changes: dict[str, Any]) -> bool:
    values = {f"to_{name}": _kept(name, value) for name, value in changes.items()}
    return db.change(_changing(table, frozenset(changes)), {"row_id": row_id, **values}) == 1


@lru_cache(maxsize=64)
def _changing(table: str, names: frozenset[str]) -> Statement:
    changed = {"webhooks": webhooks, "webhook_deliveries": webhook_deliveries}[table]
    values = {name: given(f"to_{name}", changed.c[name]) for name in names}
    return Statement(update(changed).where(changed.c.id == given("row_id", changed.c.id)).values(values))


def _kept(name: str, value: Any) -> Any:
    """A value as its column has it."""
    if name in ("types", "log"):
        return orjson.dumps(list(value)).decode()
    return clean(value) if isinstance(value, str) else value


def _webhook(row: Row) -> WebhookRow:
    members = dict(zip(WEBHOOK, row, strict=True))
    return WebhookRow(**{**members, "types": tuple(orjson.loads(members["types"]))})


def _delivery(row: Row) -> WebhookDelivery:
    members = dict(zip(DELIVERY, row, strict=True))
    return WebhookDelivery(**{**members, "log": tuple(orjson.loads(members["log"]))})
