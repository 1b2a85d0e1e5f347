"""Named queries: the ids that people and partners hold for a message or a declaration."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from sqlalchemy import CompoundSelect, bindparam, exists, or_, select, union
from sqlalchemy.dialects.postgresql import insert as upsert

from gateway import ids
from gateway.lifecycle import STORED_BY_CUSTOMS, Track
from gateway.ports import Alias, MessageRow
from gateway.storage.queries_messages import MESSAGE_COLUMNS, message_from
from gateway.storage.session import Session, Statement, clean, fold, given, unindexed
from gateway.storage.tables import aliases, documents, inbound, messages, standing_states, standings

ALIAS = ("root_id", "scheme", "folded", "message_id", "agreement", "tenant", "value", "told_us")

a = aliases.c
_alias = upsert(aliases)
ADD_ALIAS = Statement(
    _alias.on_conflict_do_update(
        index_elements=["root_id", "scheme", "folded", "message_id"],
        set_={"value": _alias.excluded.value, "told_us": _alias.excluded.told_us},
    ),
    ALIAS,
)
ALIASES_OF = Statement(
    select(a.agreement, a.scheme, a.value).where(a.root_id == given("root_id", a.root_id)).order_by(a.told_us)
)
ALIASES_BY_MESSAGE = Statement(
    select(a.message_id, a.scheme, a.value).where(a.root_id == given("root_id", a.root_id)).order_by(a.told_us)
)
# Of one value a message bears one alias of a scheme, so a join finds it once.
FIND_MESSAGES = Statement(
    select(*MESSAGE_COLUMNS)
    .join_from(aliases, messages, messages.c.id == a.message_id)
    .where(
        a.folded == given("folded", a.folded),
        a.agreement == given("agreement", a.agreement),
        a.scheme == given("scheme", a.scheme),
    )
    .order_by(messages.c.id.desc())
)


def roots_named(*, of_tenant: bool) -> CompoundSelect[str]:
    """Root ids that the value ``folded`` names: by an alias, or by the id of a document, a message or an inbound one.

    of_tenant: only those of the tenant ``tenant``. Something that came in belongs to the tenant of what it speaks of.
    """
    value = given("folded", a.folded)
    found = [
        (select(a.root_id).where(a.folded == value), a.tenant),
        (select(documents.c.root_id).where(documents.c.id == value), documents.c.tenant),
        (select(messages.c.root_id).where(messages.c.id == value), messages.c.tenant),
        (
            select(inbound.c.root_id)
            .join_from(inbound, documents, documents.c.id == inbound.c.root_id)
            .where(inbound.c.id == value),
            documents.c.tenant,
        ),
    ]
    if of_tenant:
        return union(*(query.where(tenant == given("tenant", tenant)) for query, tenant in found))
    return union(*(query for query, _ in found))


_named = roots_named(of_tenant=True).subquery("named")
_state = standing_states.c
SETTLED_ROOTS = Statement(
    select(_named.c.root_id)
    .where(
        or_(
            # A document that came in has no standing; a declaration has one from its filing on.
            ~exists().where(standings.c.root_id == _named.c.root_id),
            exists().where(
                _state.root_id == _named.c.root_id,
                _state.track == bindparam(None, Track.DECLARATION.value, _state.track.type),
                unindexed(_state.state).in_(
                    [bindparam(None, name, _state.state.type) for name in sorted(STORED_BY_CUSTOMS)]
                ),
            ),
        )
    )
    .limit(given("most", messages.c.attempts))
)


@lru_cache(maxsize=2)
def _find_roots(*, of_tenant: bool) -> Statement:
    roots = roots_named(of_tenant=of_tenant).subquery()
    return Statement(select(roots.c.root_id).order_by(roots.c.root_id.desc()).limit(given("most", messages.c.attempts)))


def add_aliases(
    db: Session, root_id: str, message_id: str, agreement: str, tenant: str, aliases: Iterable[Alias]
) -> None:
    """Remember ids; the last of those given for one scheme is the latest. One that is told again becomes the latest."""
    now_us = ids.now_us()
    db.change_each(
        ADD_ALIAS,
        (
            {
                "root_id": root_id,
                "scheme": alias.scheme,
                "folded": fold(alias.value),
                "message_id": message_id,
                "agreement": agreement,
                "tenant": tenant,
                "value": clean(alias.value),
                "told_us": now_us + place,
            }
            for place, alias in enumerate(aliases)
        ),
    )


def aliases_of(db: Session, root_id: str) -> dict[str, dict[str, str]]:
    """agreement -> scheme -> latest value."""
    found: dict[str, dict[str, str]] = {}
    for agreement, scheme, value in db.all(ALIASES_OF, root_id=root_id):
        found.setdefault(agreement, {})[scheme] = value
    return found


def aliases_by_message(db: Session, root_id: str) -> dict[str, dict[str, str]]:
    """message id ("" for the declaration as such) -> scheme -> latest value."""
    found: dict[str, dict[str, str]] = {}
    for message_id, scheme, value in db.all(ALIASES_BY_MESSAGE, root_id=root_id):
        found.setdefault(message_id, {})[scheme] = value
    return found


def every_alias_of(db: Session, root_id: str) -> dict[str, list[str]]:
    """scheme -> every value it was ever told by, each once, the latest first: a declaration may ride in many containers."""
    values: dict[str, dict[str, None]] = {}
    for _, scheme, value in reversed(db.all(ALIASES_OF, root_id=root_id)):
        values.setdefault(scheme, {})[value] = None
    return {scheme: list(told) for scheme, told in sorted(values.items())}


def find_messages(db: Session, agreement: str, alias: Alias) -> list[MessageRow]:
    """Messages of one agreement that carry this alias, newest first."""
    rows = db.all(FIND_MESSAGES, agreement=agreement, scheme=alias.scheme, folded=fold(alias.value))
    return [message_from(row) for row in rows]


def find_roots(db: Session, tenant: str | None, value: str, limit: int) -> list[str]:
    """Root ids that any alias value or id equals (ASCII case-insensitive), newest first; tenant None: every tenant."""
    given_values = {"folded": fold(value), "most": limit} | ({} if tenant is None else {"tenant": tenant})
    return [root_id for (root_id,) in db.all(_find_roots(of_tenant=tenant is not None), **given_values)]


def settled_roots(db: Session, tenant: str, value: str, limit: int) -> list[str]:
    """Those of find_roots that others need not wait for, in any order, however many carry the value."""
    return [root_id for (root_id,) in db.all(SETTLED_ROOTS, folded=fold(value), tenant=tenant, most=limit)]
