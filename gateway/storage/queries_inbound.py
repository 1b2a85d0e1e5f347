"""Named queries: what partners gave us, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from gateway.errors import Conflict, NotFound
from gateway.lifecycle import InboundStatus
from gateway.ports import Alias, InboundRow
from gateway.storage.session import EMPTY, Row, Session, Statement, clean, columns_of, fold, given, names_of
from gateway.storage.tables import aliases, inbound_aliases
from gateway.storage.tables import inbound as inbound_table

INBOUND = names_of(InboundRow)
STATUS_AT = INBOUND.index("status")
CHANGEABLE = frozenset(INBOUND) - {"id"}
_LAST = "z" * 26  # no id sorts behind it
# How many ids one statement asks for.
SIZES = (1, 2, 4, 8, 16, 32)
MOST_NAMED = SIZES[-1]

a, i, ia = aliases.c, inbound_table.c, inbound_aliases.c
INBOUND_COLUMNS = columns_of(inbound_table, InboundRow)

ADD_INBOUND = Statement(
    upsert(inbound_table).on_conflict_do_nothing(
        index_elements=["agreement", "reference"], index_where=i.reference != EMPTY
    ),
    INBOUND,
)
ADD_INBOUND_ALIAS = Statement(
    upsert(inbound_aliases).on_conflict_do_nothing(), ("inbound_id", "scheme", "folded", "agreement")
)
INBOUND_BY_ID = Statement(select(*INBOUND_COLUMNS).where(i.id == given("id", i.id)))
INBOUND_BY_REFERENCE = Statement(
    select(*INBOUND_COLUMNS).where(
        i.agreement == given("agreement", i.agreement),
        i.reference == given("reference", i.reference),
        i.reference != EMPTY,
    )
)
INBOUND_OF = Statement(select(*INBOUND_COLUMNS).where(i.root_id == given("root_id", i.root_id)).order_by(i.id))
KEPT_INBOUND = Statement(
    select(*INBOUND_COLUMNS)
    .where(i.root_id == EMPTY, i.id < given("before_id", i.id))
    .order_by(i.id.desc())
    .limit(given("most", i.received_us))
)
# Few deliveries were ever kept, so their ids are where this begins.
MATCHABLE_INBOUND = Statement(
    select(*INBOUND_COLUMNS)
    .where(
        i.id.in_(
            select(ia.inbound_id)
            .join_from(
                inbound_aliases,
                aliases,
                (a.folded == ia.folded) & (a.agreement == ia.agreement) & (a.scheme == ia.scheme),
            )
            .where(ia.inbound_id < given("before_id", ia.inbound_id), a.message_id != EMPTY)
        ),
        i.status == InboundStatus.UNMATCHED.value,
    )
    .order_by(i.id.desc())
    .limit(given("most", i.received_us))
)


def inbound_from(row: Row) -> InboundRow:
    return InboundRow(*(*row[:STATUS_AT], InboundStatus(row[STATUS_AT]), *row[STATUS_AT + 1 :]))


def inbound(db: Session, inbound_id: str) -> InboundRow | None:
    row = db.one(INBOUND_BY_ID, id=inbound_id)
    return inbound_from(row) if row else None


def inbound_by_reference(db: Session, agreement: str, reference: str) -> InboundRow | None:
    """The delivery a partner gave this reference; an empty reference names none."""
    row = db.one(INBOUND_BY_REFERENCE, agreement=agreement, reference=reference)
    return inbound_from(row) if row else None


def inbound_of(db: Session, root_id: str) -> list[InboundRow]:
    """Oldest first."""
    return [inbound_from(row) for row in db.all(INBOUND_OF, root_id=root_id)]


def unmatched_inbound(db: Session, agreement: str, aliases: Sequence[Alias], limit: int) -> list[InboundRow]:
    """What came before the message it speaks of and names one of these ids; oldest first."""
    named = [(alias.scheme, fold(alias.value)) for alias in aliases]
    found: dict[str, InboundRow] = {}
    for start in range(0, len(named), MOST_NAMED):
        some = named[start : start + MOST_NAMED]
        # Few statements serve all: what is wanting is filled up with the last.
        places = next(size for size in SIZES if size >= len(some))
        some += some[-1:] * (places - len(some))
        values = {f"scheme_{place}": scheme for place, (scheme, _) in enumerate(some)}
        values |= {f"folded_{place}": folded for place, (_, folded) in enumerate(some)}
        rows = db.all(_unmatched(places), agreement=agreement, most=limit, **values)
        found |= {row[0]: inbound_from(row) for row in rows}
    return [found[inbound_id] for inbound_id in sorted(found)][:limit]


@lru_cache(maxsize=8)
def _unmatched(places: int) -> Statement:
    """Unmatched deliveries that name any of so many ids. Hardly any are kept, so asking for all ids at once costs as much as for one."""
    bearers = select(ia.inbound_id).where(
        ia.agreement == given("agreement", ia.agreement),
        or_(
            *(
                and_(ia.folded == given(f"folded_{place}", ia.folded), ia.scheme == given(f"scheme_{place}", ia.scheme))
                for place in range(places)
            )
        ),
    )
    return Statement(
        select(*INBOUND_COLUMNS)
        .where(i.id.in_(bearers), i.status == InboundStatus.UNMATCHED.value)
        .order_by(i.id)
        .limit(given("most", i.received_us))
    )


def kept_inbound(db: Session, *, before_id: str = "", limit: int = 50) -> list[InboundRow]:
    """Deliveries that speak of nothing yet: refused or unmatched, newest first, older than before_id."""
    return [inbound_from(row) for row in db.all(KEPT_INBOUND, before_id=before_id or _LAST, most=limit)]


def matchable_inbound(db: Session, *, before_id: str = "", limit: int = 50) -> list[InboundRow]:
    """Unmatched deliveries that name an id which a message bears by now, newest first, older than before_id."""
    return [inbound_from(row) for row in db.all(MATCHABLE_INBOUND, before_id=before_id or _LAST, most=limit)]


def add_inbound(db: Session, row: InboundRow, aliases: Iterable[Alias]) -> None:
    """Store a delivery with the ids it names. Conflict when the agreement has this reference already."""
    values = {name: getattr(row, name) for name in INBOUND}
    values["status"] = row.status.value
    values["reason"] = clean(row.reason)
    if not db.change(ADD_INBOUND, values):
        raise Conflict(f"agreement {row.agreement} has a delivery with this reference already")
    name_inbound(db, row, aliases)


def name_inbound(db: Session, row: InboundRow, aliases: Iterable[Alias]) -> None:
    """Remember the ids that a stored delivery names."""
    db.change_each(
        ADD_INBOUND_ALIAS,
        (
            {
                "inbound_id": row.id,
                "scheme": alias.scheme,
                "folded": fold(alias.value),
                "agreement": row.agreement,
            }
            for alias in aliases
        ),
    )


def update_inbound(db: Session, inbound_id: str, **changes: Any) -> None:
    """Set columns. NotFound when there is no such delivery."""
    values = {f"to_{name}": _stored(value) for name, value in changes.items()}
    if not db.change(_change(frozenset(changes)), values | {"row_id": inbound_id}):
        raise NotFound(f"no inbound {inbound_id}")


def _stored(value: Any) -> Any:
    return clean(str(value)) if isinstance(value, str) else value


@lru_cache(maxsize=64)
def _change(names: frozenset[str]) -> Statement:
    if strangers := names - CHANGEABLE:
        raise TypeError(f"not a column of an inbound one that may be set so: {', '.join(sorted(strangers))}")
    statement = update(inbound_table).where(i.id == given("row_id", i.id))
    return Statement(statement.values({name: given(f"to_{name}", i[name]) for name in names}))
