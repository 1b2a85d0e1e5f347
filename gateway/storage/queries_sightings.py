"""Named queries: what serving processes tell each other about who calls (gateway.pipeline.exchange).

Numbers come from a row of counters, which stays locked until the commit: of two processes the second gets its number after the first
has committed, so whoever read up to a number never misses one below it.
"""

from __future__ import annotations

import orjson
from sqlalchemy import delete, insert, select

from gateway.ports import Sighting
from gateway.storage.queries_counters import reserve
from gateway.storage.session import Session, Statement, columns_of, given, names_of
from gateway.storage.tables import sightings as sightings_table

SIGHTING = names_of(Sighting)
NUMBERS = "sightings.number"
# The table holds no more rows; who starts knows at least what was told last.
MOST_ROWS = 2_000

s = sightings_table.c
ADD = Statement(insert(sightings_table).inline(), ("number", *SIGHTING))
KEEP_LAST = Statement(delete(sightings_table).where(s.number <= given("number", s.number)))
SIGHTINGS = Statement(
    select(s.number, *columns_of(sightings_table, Sighting))
    .where(s.number > given("after", s.number))
    .order_by(s.number)
)
FORGET = Statement(delete(sightings_table).where(s.at_us < given("before_us", s.at_us)))


def sightings(db: Session, after: int) -> tuple[list[Sighting], int]:
    """What was told behind a number, and the number up to which that is."""
    rows = db.all(SIGHTINGS, after=after)
    found = [Sighting(origin, topic, at_us, orjson.loads(seen)) for _, origin, topic, at_us, seen in rows]
    return found, rows[-1][0] if rows else after


def add_sighting(db: Session, row: Sighting) -> None:
    number = reserve(db, NUMBERS, 1)
    seen = orjson.dumps(dict(row.seen)).decode()
    db.change(ADD, {"number": number, "origin": row.origin, "topic": row.topic, "at_us": row.at_us, "seen": seen})
    db.change(KEEP_LAST, {"number": number - MOST_ROWS})


def forget_sightings(db: Session, before_us: int) -> int:
    """Forget what was told before an instant; how many rows."""
    return db.change(FORGET, {"before_us": before_us})
