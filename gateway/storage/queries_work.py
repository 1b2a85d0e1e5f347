"""Named queries: work waiting in lanes, who has claimed it, and the breakers of partners.

``due_us`` says when a row may be taken. A claim moves it to the end of the lease, so that a row whose worker fell silent is
due again by itself. In an ordered lane only the oldest unfinished row of a key is a candidate, and none while another of
that key is out; a unique index keeps that promise even where two processes look at the same instant.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from gateway import ids
from gateway.ports import BreakerRow, Claim, LaneRow
from gateway.storage.session import EMPTY, Session, Statement, given
from gateway.storage.tables import breakers, work
from gateway.storage.tables import lanes as lanes_table

SECOND_US = 1_000_000

w = work.c
ENQUEUE = Statement(
    insert(work).inline(), ("message_id", "lane", "key", "place", "priority", "due_us", "worker", "attempts")
)
REQUEUE = Statement(
    update(work)
    .where(w.message_id == given("of_message", w.message_id))
    .values(worker="", due_us=given("to_due_us", w.due_us))
)
# Among the rows of a key: what was in the lane before goes before what came later.
AGAIN, NEW = 0, 1

# One step from lane to lane along the index; the names are few where the work may be much.
_first = select(func.min(w.lane).label("lane")).cte("busy", recursive=True)
_busy = _first.union_all(
    select(select(func.min(w.lane)).where(w.lane > _first.c.lane).scalar_subquery()).where(_first.c.lane.is_not(None))
)
DUE_LANES = Statement(
    select(_busy.c.lane).where(
        exists().where(w.lane == _busy.c.lane, w.due_us <= given("now_us", w.due_us)),
        ~exists().where(lanes_table.c.lane == _busy.c.lane, lanes_table.c.paused),
    )
)
# A lane is counted so far, to see which way a claim is cheap.
FEW = 1_000


def _counted(condition: ColumnElement[bool]) -> Statement:
    some = select(w.lane).where(w.lane == given("of_lane", w.lane), condition).limit(FEW).subquery()
    return Statement(select(func.count()).select_from(some))


COUNT_DUE = _counted(w.due_us <= given("now_us", w.due_us))
COUNT_NOT_DUE = _counted(w.due_us > given("now_us", w.due_us))

_other = work.alias("other")
_same_key = and_(_other.c.lane == w.lane, _other.c.key == w.key)
_may_go = (
    select(w.serial)
    .where(
        w.lane == given("of_lane", w.lane),
        ~exists().where(lanes_table.c.lane == given("of_lane", w.lane), lanes_table.c.paused),
        or_(
            w.key == EMPTY,
            ~exists().where(_same_key, _other.c.serial != w.serial, _other.c.worker != EMPTY),
        ),
        or_(
            w.key == EMPTY,
            w.worker != EMPTY,
            ~exists().where(
                _same_key, or_(_other.c.place < w.place, and_(_other.c.place == w.place, _other.c.serial < w.serial))
            ),
        ),
    )
    .limit(given("most", w.attempts))
    .with_for_update(skip_locked=True, of=work)
)


def _claim(due: Select[int]) -> Statement:
    return Statement(
        update(work)
        .where(w.serial.in_(due.scalar_subquery()))
        .values(worker=given("by_worker", w.worker), due_us=given("lease_until_us", w.due_us), attempts=w.attempts + 1)
        .returning(w.priority, w.serial, w.message_id, w.lane, w.key, w.attempts, w.due_us)
    )


# The "+ 0" takes a column out of an index's reach. As a rule nothing but the order of the lane may lead: to sort what is due for each
# claim costs more than to walk along it. Of few due rows among many others only the time may: the walk would pass all of them.
CLAIM_OF_MANY = _claim(_may_go.where(w.due_us + 0 <= given("now_us", w.due_us)).order_by(w.priority.desc(), w.serial))
CLAIM_OF_FEW = _claim(
    _may_go.where(w.due_us <= given("now_us", w.due_us)).order_by((w.priority + 0).desc(), w.serial + 0)
)

_claimed = and_(w.serial == given("work_id", w.serial), w.worker == given("by_worker", w.worker))
FINISH = Statement(delete(work).where(_claimed))
RELEASE = Statement(update(work).where(_claimed).values(worker="", due_us=given("to_due_us", w.due_us)))
EXTEND = Statement(update(work).where(_claimed).values(due_us=given("to_due_us", w.due_us)))
CANCEL_WORK = Statement(delete(work).where(w.message_id == given("of_message", w.message_id)))
WAKE = Statement(
    update(work)
    .where(w.message_id == given("of_message", w.message_id), w.worker == EMPTY)
    .values(due_us=given("to_due_us", w.due_us))
)

LANES = Statement(
    select(
        w.lane,
        func.count().filter(w.worker == EMPTY),
        func.count().filter(w.worker != EMPTY),
        func.min(w.due_us).filter(w.worker == EMPTY),
    ).group_by(w.lane)
)
PAUSES = Statement(select(lanes_table.c.lane, lanes_table.c.paused))
_lane = upsert(lanes_table)
PAUSE_LANE = Statement(
    _lane.on_conflict_do_update(index_elements=["lane"], set_={"paused": _lane.excluded.paused}),
    ("lane", "paused"),
)

_breaker = upsert(breakers)
PUT_BREAKER = Statement(
    _breaker.on_conflict_do_update(
        index_elements=["partner"],
        set_={"failures": _breaker.excluded.failures, "rest_until_us": _breaker.excluded.rest_until_us},
    ),
    ("partner", "failures", "rest_until_us"),
)
BREAKER = Statement(
    select(breakers.c.partner, breakers.c.failures, breakers.c.rest_until_us).where(
        breakers.c.partner == given("partner", breakers.c.partner)
    )
)


def enqueue(db: Session, message_id: str, lane: str, key: str, due_us: int, priority: int = 0) -> None:
    """Put a new message into a lane, behind the others of its key."""
    _add(db, message_id, lane, key, NEW, priority, due_us)


def requeue(db: Session, message_id: str, lane: str, key: str, due_us: int, priority: int = 0) -> None:
    """Let a message that was in the lane before be taken (again) from due_us on. Work that it still has keeps its place and loses its
    worker; else it stands before whatever came later of its key.
    """
    if not db.change(REQUEUE, {"of_message": message_id, "to_due_us": due_us}):
        _add(db, message_id, lane, key, AGAIN, priority, due_us)


def _add(db: Session, message_id: str, lane: str, key: str, place: int, priority: int, due_us: int) -> None:
    values = {"message_id": message_id, "lane": lane, "key": key, "place": place, "priority": priority}
    db.change(ENQUEUE, values | {"due_us": due_us, "worker": "", "attempts": 0})


def claim(db: Session, lane: str, worker: str, limit: int, now_us: int, lease_s: int) -> list[Claim]:
    """Take due work of one lane in one statement: higher priority first, then older first.

    Of one key at most one is out at a time, oldest first, and none while an older one of that key is unfinished; key ""
    orders nothing. Paused lanes give nothing. A claim whose lease ran out is taken again.
    """
    due = _count(db, COUNT_DUE, lane, now_us)
    if not due:
        return []
    rare = due < FEW <= _count(db, COUNT_NOT_DUE, lane, now_us)
    taken = db.all(
        CLAIM_OF_FEW if rare else CLAIM_OF_MANY,
        of_lane=lane,
        by_worker=worker,
        now_us=now_us,
        lease_until_us=now_us + lease_s * SECOND_US,
        most=limit,
    )
    # RETURNING promises no order.
    taken.sort(key=lambda row: (-row[0], row[1]))
    return [
        Claim(work_id=serial, message_id=message_id, lane=of, key=key, attempt=attempt, lease_until_us=until)
        for _, serial, message_id, of, key, attempt, until in taken
    ]


def _count(db: Session, statement: Statement, lane: str, now_us: int) -> int:
    row = db.one(statement, of_lane=lane, now_us=now_us)
    return int(row[0]) if row else 0


def finish(db: Session, work_id: int, worker: str) -> bool:
    """Remove the work; False when the claim is no longer this worker's."""
    return db.change(FINISH, {"work_id": work_id, "by_worker": worker}) == 1


def release(db: Session, work_id: int, worker: str, due_us: int) -> bool:
    """Give the work back, to be taken again from due_us on; False when the claim is no longer this worker's."""
    return db.change(RELEASE, {"work_id": work_id, "by_worker": worker, "to_due_us": due_us}) == 1


def extend(db: Session, work_ids: Sequence[int], worker: str, now_us: int, lease_s: int) -> None:
    """Lengthen the leases that are still this worker's."""
    until_us = now_us + lease_s * SECOND_US
    db.change_each(EXTEND, ({"work_id": id_, "by_worker": worker, "to_due_us": until_us} for id_ in work_ids))


def cancel_work(db: Session, message_id: str) -> None:
    """Remove the work of a message, claimed or not; a worker that has it learns so from finish() or release()."""
    db.change(CANCEL_WORK, {"of_message": message_id})


def hold(db: Session, message_id: str) -> None:
    """Let the work of a message rest where it stands: nobody takes it, and nothing younger of its key is taken before it."""
    db.change(REQUEUE, {"of_message": message_id, "to_due_us": ids.NEVER_US})


def wake(db: Session, message_id: str, due_us: int) -> None:
    """Set when the waiting work of a message is due; claimed work is left to its worker."""
    db.change(WAKE, {"of_message": message_id, "to_due_us": due_us})


def lanes(db: Session) -> list[LaneRow]:
    """Every lane that has work or was ever paused, by name. oldest_due_us: of what is claimed by nobody."""
    paused = {lane: bool(is_paused) for lane, is_paused in db.all(PAUSES)}
    loads = {lane: (waiting, claimed, oldest) for lane, waiting, claimed, oldest in db.all(LANES)}
    return [LaneRow(lane, paused.get(lane, False), *loads.get(lane, (0, 0, None))) for lane in sorted(paused | loads)]


def due_lanes(db: Session, now_us: int) -> list[str]:
    """Lanes that are not paused and have work that is due, a claim whose lease ran out included."""
    return [lane for (lane,) in db.all(DUE_LANES, now_us=now_us)]


def pause_lane(db: Session, lane: str, paused: bool) -> None:
    db.change(PAUSE_LANE, {"lane": lane, "paused": paused})


def breaker(db: Session, partner: str) -> BreakerRow:
    """The breaker of a partner; closed and without failures where none was ever written."""
    row = db.one(BREAKER, partner=partner)
    return BreakerRow(*row) if row else BreakerRow(partner, failures=0, rest_until_us=None)


def put_breaker(db: Session, row: BreakerRow) -> None:
    db.change(PUT_BREAKER, {"partner": row.partner, "failures": row.failures, "rest_until_us": row.rest_until_us})
