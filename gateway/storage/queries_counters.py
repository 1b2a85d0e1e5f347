"""Named queries: numbers that are given once, and answers that are given again."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from gateway.errors import Conflict
from gateway.ports import IdempotencyRow
from gateway.storage.session import Session, Statement, columns_of, given, names_of
from gateway.storage.tables import counters
from gateway.storage.tables import idempotency as idempotency_table

IDEMPOTENCY = names_of(IdempotencyRow)

k = idempotency_table.c
_counter = upsert(counters)
RESERVE = Statement(
    _counter.on_conflict_do_update(
        index_elements=["name"], set_={"next": counters.c.next + given("taken", counters.c.next)}
    ).returning(counters.c.next),
    ("name", "next"),
)
PUT_IDEMPOTENCY = Statement(
    upsert(idempotency_table).on_conflict_do_nothing(index_elements=["tenant", "key"]), IDEMPOTENCY
)
IDEMPOTENCY_OF = Statement(
    select(*columns_of(idempotency_table, IdempotencyRow)).where(
        k.tenant == given("tenant", k.tenant), k.key == given("key", k.key)
    )
)
FORGET_IDEMPOTENCY = Statement(delete(idempotency_table).where(k.created_us < given("before_us", k.created_us)))


def reserve(db: Session, counter: str, count: int) -> int:
    """First of count consecutive numbers of a named counter; a new counter begins at 1."""
    row = db.one(RESERVE, name=counter, next=1 + count, taken=count)
    assert row is not None
    return int(row[0]) - count


def idempotency(db: Session, tenant: str, key: str) -> IdempotencyRow | None:
    row = db.one(IDEMPOTENCY_OF, tenant=tenant, key=key)
    if row is None:
        return None
    tenant, key, request_digest, status, body, created_us = row
    return IdempotencyRow(tenant, key, request_digest, status, bytes(body), created_us)


def put_idempotency(db: Session, row: IdempotencyRow) -> None:
    """Remember an answer. Conflict when the key is taken, so that of two requests at once one is undone."""
    if not db.change(PUT_IDEMPOTENCY, {name: getattr(row, name) for name in IDEMPOTENCY}):
        raise Conflict("this Idempotency-Key is in use")


def forget_idempotency(db: Session, before_us: int) -> int:
    """Forget answers given before an instant; how many."""
    return db.change(FORGET_IDEMPOTENCY, {"before_us": before_us})
