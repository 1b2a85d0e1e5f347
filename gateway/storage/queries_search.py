"""The search of console and API: messages, newest first, page by page.

The cursor is the id of the last message seen: ids sort by time, so a page costs the same however deep it lies. The tenant
is a condition of the statement itself, never a filter afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, exists, select

from gateway.ports import Found, StandingRow
from gateway.storage.queries_aliases import roots_named
from gateway.storage.queries_documents import standing_from
from gateway.storage.queries_messages import MESSAGE, MESSAGE_COLUMNS, message_from
from gateway.storage.session import Row, Session, Statement, columns_of, fold, given, unindexed
from gateway.storage.tables import documents, messages, standing_states, standings

m = messages.c
KIND_AT = len(MESSAGE)


@lru_cache(maxsize=256)
def _search(asked: frozenset[str]) -> Statement:
    """One statement for each combination of what is asked."""
    query = (
        select(*MESSAGE_COLUMNS, documents.c.kind, documents.c.reference, *columns_of(standings, StandingRow))
        .join_from(messages, documents, documents.c.id == m.document_id)
        .outerjoin(standings, standings.c.root_id == m.root_id)
        .order_by(m.id.desc())
        .limit(given("most", m.attempts))
    )

    def narrowing(column: ColumnElement[str]) -> ColumnElement[str]:
        # A value names few roots, and these lead to the messages.
        return unindexed(column) if "folded" in asked else column

    conditions: dict[str, Callable[[], ColumnElement[bool]]] = {
        "tenant": lambda: narrowing(m.tenant) == given("tenant", m.tenant),
        "status": lambda: narrowing(m.status) == given("status", m.status),
        "agreement": lambda: m.agreement == given("agreement", m.agreement),
        "kind": lambda: documents.c.kind == given("kind", documents.c.kind),
        "before_id": lambda: m.id < given("before_id", m.id),
        "folded": lambda: m.root_id.in_(roots_named(of_tenant="tenant" in asked)),
        "state": lambda: exists().where(
            standing_states.c.root_id == m.root_id,
            standing_states.c.state == given("state", standing_states.c.state),
        ),
    }
    return Statement(query.where(*(conditions[name]() for name in conditions if name in asked)))


def search(
    db: Session,
    *,
    tenant: str | None,
    value: str = "",
    status: str = "",
    state: str = "",
    agreement: str = "",
    kind: str = "",
    before_id: str = "",
    limit: int = 50,
) -> list[Found]:
    """Messages, newest first, older than before_id (the cursor). An empty condition asks nothing; tenant None: all.

    value: an alias or an id, whole; it finds every message of the declarations it names. state: of any track.
    """
    asked: dict[str, Any] = {
        "folded": fold(value),
        "status": status,
        "state": state,
        "agreement": agreement,
        "kind": kind,
        "before_id": before_id,
    }
    asked = {name: wanted for name, wanted in asked.items() if wanted}
    if tenant is not None:
        asked["tenant"] = tenant
    return [_found(row) for row in db.all(_search(frozenset(asked)), **asked, most=limit)]


def _found(row: Row) -> Found:
    kind, reference, *standing = row[KIND_AT:]
    return Found(
        message=message_from(row[:KIND_AT]),
        kind=kind,
        reference=reference,
        standing=standing_from(tuple(standing)) if standing[0] is not None else None,
    )
