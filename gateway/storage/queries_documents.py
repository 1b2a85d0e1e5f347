"""Named queries: documents, where they stand, what was judged about them, and payloads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from gateway.errors import NotFound
from gateway.ports import DocumentRow, JudgementRow, StandingRow
from gateway.storage.payloads import digest_of, verified
from gateway.storage.session import Row, Session, Statement, columns_of, given, names_of
from gateway.storage.tables import documents, judgements, payloads, standing_states, standings

# The upsert of the PostgreSQL dialect is the one that both compilers understand.

DOCUMENT = names_of(DocumentRow)
JUDGEMENT = names_of(JudgementRow)
STANDING = names_of(StandingRow)
PAYLOAD = ("digest", "media_type", "size", "body")

ADD_DOCUMENT = Statement(insert(documents).inline(), DOCUMENT)
DOCUMENT_BY_ID = Statement(
    select(*columns_of(documents, DocumentRow)).where(documents.c.id == given("id", documents.c.id))
)
DOCUMENTS_OF = Statement(
    select(*columns_of(documents, DocumentRow))
    .where(documents.c.root_id == given("root_id", documents.c.root_id))
    .order_by(documents.c.id)
)

_standing = upsert(standings)
PUT_STANDING = Statement(
    _standing.on_conflict_do_update(
        index_elements=["root_id"],
        set_={name: _standing.excluded[name] for name in STANDING if name != "root_id"},
    ),
    STANDING,
)
CLEAR_STATES = Statement(
    delete(standing_states).where(standing_states.c.root_id == given("root_id", standing_states.c.root_id))
)
_state = upsert(standing_states)
PUT_STATE = Statement(
    _state.on_conflict_do_update(index_elements=["root_id", "track"], set_={"state": _state.excluded.state}),
    ("root_id", "track", "state"),
)
STANDING_OF = Statement(
    select(*columns_of(standings, StandingRow)).where(standings.c.root_id == given("root_id", standings.c.root_id))
)
SILENT_STANDINGS = Statement(
    select(*columns_of(standings, StandingRow))
    .where(standings.c.alarm_us <= given("now_us", standings.c.alarm_us))
    .order_by(standings.c.alarm_us)
    .limit(given("most", standings.c.round))
)
OPEN_STANDINGS = Statement(
    select(*columns_of(standings, StandingRow))
    .where(standings.c.final.is_(False), standings.c.root_id > given("after_root_id", standings.c.root_id))
    .order_by(standings.c.root_id)
    .limit(given("most", standings.c.round))
)

ADD_JUDGEMENT = Statement(insert(judgements).inline(), JUDGEMENT)
JUDGEMENTS_OF = Statement(
    select(*columns_of(judgements, JudgementRow))
    .where(judgements.c.root_id == given("root_id", judgements.c.root_id))
    .order_by(judgements.c.serial)
)

PUT_PAYLOAD = Statement(upsert(payloads).on_conflict_do_nothing(index_elements=["digest"]), PAYLOAD)
PAYLOAD_KNOWN = Statement(select(payloads.c.size).where(payloads.c.digest == given("digest", payloads.c.digest)))
PAYLOAD_BODY = Statement(select(payloads.c.body).where(payloads.c.digest == given("digest", payloads.c.digest)))


def document(db: Session, document_id: str) -> DocumentRow | None:
    row = db.one(DOCUMENT_BY_ID, id=document_id)
    return DocumentRow(*row) if row else None


def documents_of(db: Session, root_id: str) -> list[DocumentRow]:
    """Oldest first."""
    return [DocumentRow(*row) for row in db.all(DOCUMENTS_OF, root_id=root_id)]


def add_document(db: Session, row: DocumentRow) -> None:
    db.change(ADD_DOCUMENT, {name: getattr(row, name) for name in DOCUMENT})


def standing_from(row: Row) -> StandingRow:
    root_id, tenant, round_, phase, states, mover, silence, final, opened, updated, alarm = row
    return StandingRow(
        root_id, tenant, round_, phase, orjson.loads(states), mover, silence, bool(final), opened, updated, alarm
    )


def standing(db: Session, root_id: str) -> StandingRow | None:
    row = db.one(STANDING_OF, root_id=root_id)
    return standing_from(row) if row else None


def put_standing(db: Session, row: StandingRow, before: StandingRow | None = None) -> None:
    """Write where a root document stands now, in place of what was there; before: that, where this unit has read it."""
    values: dict[str, Any] = {name: getattr(row, name) for name in STANDING}
    states = {str(track): str(state) for track, state in row.states.items()}
    values["states"] = orjson.dumps(states).decode()
    db.change(PUT_STANDING, values)
    known: Mapping[str, str] = {} if before is None else before.states
    if before is None or known.keys() - states.keys():
        known = {}
        db.change(CLEAR_STATES, {"root_id": row.root_id})
    db.change_each(
        PUT_STATE,
        (
            {"root_id": row.root_id, "track": track, "state": state}
            for track, state in states.items()
            if known.get(track) != state
        ),
    )


def silent_standings(db: Session, now_us: int, limit: int) -> list[StandingRow]:
    """Standings that have been silent for too long, longest first."""
    return [standing_from(row) for row in db.all(SILENT_STANDINGS, now_us=now_us, most=limit)]


def open_standings(db: Session, after_root_id: str, limit: int) -> list[StandingRow]:
    """Standings that are not final, by id, those behind after_root_id."""
    return [standing_from(row) for row in db.all(OPEN_STANDINGS, after_root_id=after_root_id, most=limit)]


def add_judgement(db: Session, row: JudgementRow) -> None:
    db.change(ADD_JUDGEMENT, {name: getattr(row, name) for name in JUDGEMENT})


def judgements_of(db: Session, root_id: str) -> list[JudgementRow]:
    """In the order in which they were stored."""
    return [JudgementRow(*row) for row in db.all(JUDGEMENTS_OF, root_id=root_id)]


def put_payload(db: Session, data: bytes, media_type: str) -> str:
    """Store by content and return the tagged digest; the same content is stored once, under its first media type."""
    digest = digest_of(data)
    values = {"digest": digest, "media_type": media_type, "size": len(data), "body": data}
    if db.payloads.takes(len(data)):
        if db.one(PAYLOAD_KNOWN, digest=digest):
            return digest
        db.payloads.put(digest, data)
        values["body"] = None
    db.change(PUT_PAYLOAD, values)
    return digest


def payload(db: Session, digest: str) -> bytes:
    """The stored bytes. NotFound for a digest nobody stored, NeedsOperator for a file that is gone or was changed."""
    small = small_payload(db, digest)
    return verified(digest, db.payloads.get(digest) if small is None else small)


def small_payload(db: Session, digest: str) -> bytes | None:
    """The bytes as they lie in the database; None where they are a file. NotFound for a digest nobody stored."""
    row = db.one(PAYLOAD_BODY, digest=digest)
    if row is None:
        raise NotFound(f"no payload {digest}")
    return None if row[0] is None else bytes(row[0])
