"""Named queries of the overview: what is overdue, what came in hour by hour, and where what is not over stands.

Each begins at a short index (what somebody is awaited for, what is not final, the ids of the last hours), so that none of them
grows with what was ever stored. tenant None: every tenant.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Select, func, select

from gateway.lifecycle import Track
from gateway.ports import StandingRow
from gateway.storage.queries_documents import standing_from
from gateway.storage.session import Session, Statement, columns_of, given
from gateway.storage.tables import documents, standing_states, standings

HOUR_US = 3_600_000_000

d, s, t = documents.c, standings.c, standing_states.c


@lru_cache(maxsize=2)
def _overdue(*, of_tenant: bool) -> Statement:
    query = (
        select(*columns_of(standings, StandingRow))
        # Said though it follows: of a standing nobody is awaited for there is no alarm, and the index is of those that have one.
        .where(s.alarm_us > 0, s.silence_due_us < given("now_us", s.alarm_us))
        .order_by(s.silence_due_us)
        .limit(given("most", s.round))
    )
    return Statement(query.where(s.tenant == given("tenant", s.tenant)) if of_tenant else query)


@lru_cache(maxsize=2)
def _hours(*, of_tenant: bool) -> Statement:
    hour = (d.created_us // HOUR_US).label("hour")
    query: Select[Any] = (
        select(hour, d.kind, func.count()).where(d.id >= given("first_id", d.id)).group_by(hour, d.kind)
    )
    return Statement(query.where(d.tenant == given("tenant", d.tenant)) if of_tenant else query)


@lru_cache(maxsize=2)
def _open_states(*, of_tenant: bool) -> Statement:
    query: Select[Any] = (
        select(t.state, func.count())
        .join_from(standings, standing_states, t.root_id == s.root_id)
        .where(s.final.is_(False), t.track == Track.DECLARATION.value)
        .group_by(t.state)
    )
    return Statement(query.where(s.tenant == given("tenant", s.tenant)) if of_tenant else query)


def _whose(tenant: str | None) -> dict[str, str]:
    return {} if tenant is None else {"tenant": tenant}


def overdue(db: Session, tenant: str | None, now_us: int, limit: int) -> list[StandingRow]:
    """Standings whose next move is awaited for longer than it may take, the oldest first."""
    found = db.all(_overdue(of_tenant=tenant is not None), now_us=now_us, most=limit, **_whose(tenant))
    return [standing_from(row) for row in found]


def hours(db: Session, tenant: str | None, first_id: str) -> list[tuple[int, str, int]]:
    """(hour since the epoch, kind, how many) of the documents whose ids do not sort before first_id."""
    return [tuple(row) for row in db.all(_hours(of_tenant=tenant is not None), first_id=first_id, **_whose(tenant))]


def open_states(db: Session, tenant: str | None) -> dict[str, int]:
    """State of the track declaration -> how many that are not final stand there."""
    return dict(db.all(_open_states(of_tenant=tenant is not None), **_whose(tenant)))
