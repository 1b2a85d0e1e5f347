"""Named queries: what people did. Rows are only added; triggers of the table refuse all else."""

from __future__ import annotations

from functools import cache

from sqlalchemy import insert, select

from gateway.ports import AuditRow
from gateway.storage.session import Session, Statement, clean, columns_of, given, names_of
from gateway.storage.tables import audit as audit_table

TOLD = names_of(AuditRow)[1:]

a = audit_table.c
ADD = Statement(insert(audit_table).inline(), TOLD)
ACTED_FROM = Statement(
    select(a.number)
    .where(
        a.actor == given("actor", a.actor),
        a.act == given("act", a.act),
        a.address == given("address", a.address),
        a.at_us >= given("since_us", a.at_us),
    )
    .order_by(a.number.desc())
    .limit(1)
)


@cache
def _asked(names: tuple[str, ...]) -> Statement:
    """Acts of which these columns are given; one statement for each of the few combinations there are."""
    conditions = [a[name] == given(name, a[name]) for name in names]
    return Statement(
        select(*columns_of(audit_table, AuditRow))
        .where(a.number < given("before_number", a.number), *conditions)
        .order_by(a.number.desc())
        .limit(given("limit", a.number))
    )


def audit(
    db: Session, *, actor: str = "", act: str = "", target: str = "", before_number: int = 0, limit: int = 50
) -> list[AuditRow]:
    wanted = {name: value for name, value in (("actor", actor), ("act", act), ("target", target)) if value}
    rows = db.all(_asked(tuple(wanted)), before_number=before_number or 1 << 62, limit=limit, **wanted)
    return [AuditRow(*row) for row in rows]


def acted_from(db: Session, actor: str, act: str, address: str, since_us: int) -> bool:
    return db.one(ACTED_FROM, actor=actor, act=act, address=address, since_us=since_us) is not None


def add_audit(db: Session, row: AuditRow) -> None:
    told = {name: getattr(row, name) for name in TOLD}
    db.change(ADD, {name: clean(value) if isinstance(value, str) else value for name, value in told.items()})
