"""Named queries: how much is left lying, for those who watch. Each looks only at what is left, along an index."""

from __future__ import annotations

from sqlalchemy import func, select

from gateway.lifecycle import InboundStatus
from gateway.ports import Backlog
from gateway.storage.session import Session, Statement, given
from gateway.storage.tables import events, inbound, standings

COUNT_UNMATCHED = Statement(
    select(func.count())
    .select_from(inbound)
    .where(inbound.c.root_id == "", inbound.c.status == InboundStatus.UNMATCHED.value)
)
COUNT_OVERDUE = Statement(
    select(func.count()).select_from(standings).where(standings.c.alarm_us <= given("now_us", standings.c.alarm_us))
)
COUNT_UNSEQUENCED = Statement(select(func.count()).select_from(events).where(events.c.position.is_(None)))


def backlog(db: Session, now_us: int) -> Backlog:
    """Unmatched deliveries, overdue standings and events without a position."""
    unmatched, overdue = db.all(COUNT_UNMATCHED)[0][0], db.all(COUNT_OVERDUE, now_us=now_us)[0][0]
    return Backlog(unmatched, overdue, db.all(COUNT_UNSEQUENCED)[0][0])
