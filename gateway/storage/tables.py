"""The tables, as one MetaData: what is stored, and which index serves which named query.

Rule 1: instants are integers of microseconds (gateway.ids); ids, codes and digests are text; JSON is text that only we read.
Rule 2: an index is here because a named query wants it, and the comment beside it says which.
Rule 3: a foreign key is checked at once, so that a unit of work that breaks it fails alone and never the commit it shares.
        There is none to payloads: what was purged leaves its digest behind.
Rule 4: on SQLite a table whose key is text is its own index (WITHOUT ROWID); payloads and idempotency are not, because their
        rows may be large.
Columns that a row of gateway.ports is made of stand in the order of its fields. A change here is a new migration too.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    event,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts up only a column that is called INTEGER; it is 64 bits wide there.
Serial = BigInteger().with_variant(Integer(), "sqlite")


def text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def instant(name: str, *, nullable: bool = False) -> Column[int]:
    """Microseconds since the epoch, UTC."""
    return Column(name, BigInteger, nullable=nullable)


def key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def serial() -> Column[int]:
    return Column("serial", Serial, primary_key=True, autoincrement=True)


payloads = Table(
    "payloads",
    metadata,
    key("digest"),  # sha256:<hex>
    text("media_type"),
    count("size"),
    Column("body", LargeBinary),  # NULL: on disk
)

documents = Table(
    "documents",
    metadata,
    key("id"),
    text("root_id"),
    text("kind"),
    text("tenant"),
    count("round"),
    text("phase"),
    text("digest"),
    instant("created_us"),
    text("reference"),
    Index(None, "root_id", "id"),  # documents_of
    sqlite_with_rowid=False,
)

standings = Table(
    "standings",
    metadata,
    Column("root_id", Text, ForeignKey("documents.id"), primary_key=True),
    text("tenant"),
    count("round"),
    text("phase"),
    text("states"),  # JSON object, track -> state
    text("mover"),
    instant("silence_due_us", nullable=True),
    Column("final", Boolean(create_constraint=False), nullable=False),
    instant("round_opened_us"),
    instant("updated_us"),
    instant("alarm_us", nullable=True),
    sqlite_with_rowid=False,
)
Index(  # silent_standings; only standings of which a move is awaited are in it
    "ix_standings_alarm_us",
    standings.c.alarm_us,
    sqlite_where=standings.c.alarm_us.is_not(None),
    postgresql_where=standings.c.alarm_us.is_not(None),
)
Index(  # open_standings
    "ix_standings_open",
    standings.c.root_id,
    sqlite_where=standings.c.final.is_(False),
    postgresql_where=standings.c.final.is_(False),
)

# The states of a standing turned round, for search(state=...).
standing_states = Table(
    "standing_states",
    metadata,
    Column("root_id", Text, ForeignKey("standings.root_id"), primary_key=True),
    key("track"),
    text("state"),
    Index(None, "state", "root_id"),
    sqlite_with_rowid=False,
)

judgements = Table(
    "judgements",
    metadata,
    serial(),
    Column("document_id", Text, ForeignKey("documents.id"), nullable=False),
    text("root_id"),
    text("message_id"),
    count("round"),
    text("phase"),
    text("function"),
    text("raw_code"),
    instant("issued_us"),
    Index(None, "root_id"),  # judgements_of
)

messages = Table(
    "messages",
    metadata,
    key("id"),
    Column("document_id", Text, ForeignKey("documents.id"), nullable=False),
    text("root_id"),
    text("tenant"),
    text("agreement"),
    text("adapter"),
    text("partner"),
    text("standard"),
    text("version"),
    text("message"),
    text("name"),
    text("media_type"),
    text("status"),
    count("attempts"),
    text("encoded_digest"),
    text("frozen_digest"),
    text("waiting_for"),
    text("reason"),
    instant("receipt_due_us", nullable=True),
    instant("created_us"),
    instant("updated_us"),
    Column("priority", BigInteger, nullable=False, server_default="0"),
    Column("rest", Text, nullable=False, server_default=""),
    Column("traceparent", Text, nullable=False, server_default=""),
    Index(None, "root_id", "id"),  # messages_of, search(value=...)
    Index(None, "tenant", "id"),  # search of one tenant
    Index(None, "status", "id"),  # search(status=...), ids_in, stale_sending, counts
    # A partner knows a message by its name; two of one name could not be told apart by any status query.
    Index("uq_messages_agreement_name", "agreement", "name", unique=True),
    sqlite_with_rowid=False,
)
Index(  # overdue_receipts; only messages that wait for a receipt are in it
    "ix_messages_receipt_due_us",
    messages.c.receipt_due_us,
    sqlite_where=messages.c.receipt_due_us.is_not(None),
    postgresql_where=messages.c.receipt_due_us.is_not(None),
)
Index(  # waiting_messages
    "ix_messages_waiting",
    messages.c.id,
    sqlite_where=messages.c.waiting_for != "",
    postgresql_where=messages.c.waiting_for != "",
)

aliases = Table(
    "aliases",
    metadata,
    key("root_id"),
    key("scheme"),
    key("folded"),  # value with A-Z as a-z
    key("message_id"),
    text("agreement"),
    text("tenant"),
    text("value"),
    instant("told_us"),  # when it was told last: the latest of a scheme is the one in force
    Index(None, "folded", "agreement", "scheme"),  # find_roots, search(value=...), find_messages
    sqlite_with_rowid=False,
)

inbound = Table(
    "inbound",
    metadata,
    key("id"),
    text("agreement"),
    text("partner"),
    text("reference"),
    text("digest"),
    text("status"),
    text("document_id"),
    text("message_id"),
    text("root_id"),
    text("reason"),
    instant("received_us"),
    Index(None, "root_id", "id"),  # inbound_of, kept_inbound
    sqlite_with_rowid=False,
)
Index(  # inbound_by_reference; an answer on the open connection has no reference of its own
    "uq_inbound_agreement_reference",
    inbound.c.agreement,
    inbound.c.reference,
    unique=True,
    sqlite_where=inbound.c.reference != "",
    postgresql_where=inbound.c.reference != "",
)

inbound_aliases = Table(
    "inbound_aliases",
    metadata,
    Column("inbound_id", Text, ForeignKey("inbound.id"), primary_key=True),
    key("scheme"),
    key("folded"),
    text("agreement"),
    Index(None, "folded", "agreement", "scheme"),  # unmatched_inbound
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    serial(),
    text("id"),
    text("type"),
    instant("at_us"),
    text("root_id"),
    text("tenant"),
    text("document_id"),
    text("message_id"),
    text("actor"),
    text("raw_code"),
    text("raw_text"),
    text("data"),  # JSON object
    Column("position", BigInteger),
    Index(None, "id", unique=True),
    Index(None, "root_id", "serial"),  # events_of
)
Index(
    "uq_events_position",
    events.c.position,
    unique=True,
    sqlite_where=events.c.position.is_not(None),
    postgresql_where=events.c.position.is_not(None),
)
Index(  # sequence_events
    "ix_events_unsequenced",
    events.c.serial,
    sqlite_where=events.c.position.is_(None),
    postgresql_where=events.c.position.is_(None),
)

work = Table(
    "work",
    metadata,
    serial(),
    Column("message_id", Text, ForeignKey("messages.id"), nullable=False),
    text("lane"),
    text("key"),
    count("priority"),
    instant("due_us"),  # when it may be taken: by anybody, or, while claimed, again because the lease ran out
    text("worker"),  # '': claimed by nobody
    count("attempts"),
    Column(
        "place", BigInteger, nullable=False, server_default="1"
    ),  # 0: was in the lane before, and goes before the others of its key
    Index(None, "lane", "key", "serial"),  # claim: is there an older one of this key?
    Index(None, "lane", "due_us"),  # due_lanes; claim: how much is due, and the few that are
    Index(None, "message_id"),  # cancel_work, wake, stale_sending, stale_message
    sqlite_autoincrement=True,  # a number is never used again: a late worker must not finish another's work
)
Index("ix_work_order", work.c.lane, work.c.priority.desc(), work.c.serial)  # claim: the order of a lane
Index(  # The promise of an ordered lane, kept by the database: of one key at most one is out.
    "uq_work_out",
    work.c.lane,
    work.c.key,
    unique=True,
    sqlite_where=(work.c.worker != "") & (work.c.key != ""),
    postgresql_where=(work.c.worker != "") & (work.c.key != ""),
)

lanes = Table(
    "lanes",
    metadata,
    key("lane"),
    Column("paused", Boolean(create_constraint=False), nullable=False),
    sqlite_with_rowid=False,
)

breakers = Table(
    "breakers",
    metadata,
    key("partner"),
    count("failures"),
    instant("rest_until_us", nullable=True),
    sqlite_with_rowid=False,
)

idempotency = Table(
    "idempotency",
    metadata,
    key("tenant"),
    key("key"),
    text("request_digest"),
    count("status"),
    Column("body", LargeBinary, nullable=False),
    instant("created_us"),
    Index(None, "created_us"),  # forget_idempotency
)

counters = Table(
    "counters",
    metadata,
    key("name"),
    count("next"),
    sqlite_with_rowid=False,
)

# What serving processes tell each other; a few thousand rows at most, so that nothing but the key needs an index.
sightings = Table(
    "sightings",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    text("origin"),
    text("topic"),
    instant("at_us"),
    text("seen"),  # JSON object, name -> amount
    sqlite_with_rowid=False,
)

accounts = Table(
    "accounts",
    metadata,
    key("name"),
    text("role"),
    text("tenant"),
    text("password"),  # Argon2id, PHC string format
    text("lang"),
    text("zone"),
    Column("must_change", Boolean(create_constraint=False), nullable=False),
    Column("disabled", Boolean(create_constraint=False), nullable=False),
    instant("created_us"),
    instant("changed_us"),
    sqlite_with_rowid=False,
)

sessions = Table(
    "sessions",
    metadata,
    key("digest"),  # of the cookie's value
    text("account"),
    instant("opened_us"),
    instant("seen_us"),
    Index(None, "account"),  # end_sessions
    sqlite_with_rowid=False,
)

tries = Table(
    "tries",
    metadata,
    key("digest"),
    count("wrong"),
    instant("last_us"),
    Index(None, "last_us"),  # forget_tries
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    metadata,
    Column("number", Serial, primary_key=True, autoincrement=True),
    instant("at_us"),
    text("actor"),
    text("address"),
    text("act"),
    text("target"),
    text("reason"),
    text("before"),
    text("after"),
    Index(None, "actor", "number"),  # audit(actor=...), acted_from
    Index(None, "act", "number"),  # audit(act=...)
    Index(None, "target", "number"),  # audit(target=...)
    sqlite_autoincrement=True,
)

# What was written down stays: the database itself refuses to change a row of the audit or to take one away.
AUDIT_STAYS = {
    "sqlite": [
        f"CREATE TRIGGER audit_stays_{act} BEFORE {act.upper()} ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END"
        for act in ("update", "delete")
    ],
    "postgresql": [
        (
            "CREATE OR REPLACE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit is only added to'; END $$"
        ),
        (
            "CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_stays()"
        ),
    ],
}
for _dialect, _statements in AUDIT_STAYS.items():
    for _statement in _statements:
        event.listen(audit, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
webhooks = Table(
    "webhooks",
    metadata,
    key("id"),
    text("tenant"),
    text("scope"),
    text("url"),
    text("types"),  # JSON list
    text("description"),
    text("status"),
    text("reason"),
    text("secret"),
    text("old_secret"),
    instant("old_until_us"),
    count("failures"),
    instant("failing_since_us", nullable=True),
    instant("rest_until_us"),
    instant("created_us"),
    instant("updated_us"),
    Index(None, "tenant", "id"),  # webhooks
    sqlite_with_rowid=False,
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    serial(),
    text("id"),
    Column("webhook_id", Text, ForeignKey("webhooks.id"), nullable=False),
    text("event_id"),
    text("key"),
    text("type"),
    text("body"),
    text("status"),
    count("attempts"),
    instant("due_us"),
    text("log"),  # JSON list of objects, one an attempt
    instant("created_us"),
    instant("updated_us"),
    text("worker"),
    Index(None, "id", unique=True),
    Index(None, "webhook_id", "event_id", unique=True),  # an event is announced once
    Index(None, "webhook_id", "id"),  # webhook_deliveries
)
_waiting = webhook_deliveries.c.status == "waiting"
_settled = webhook_deliveries.c.status != "waiting"
Index(  # due_webhooks, claim_webhook_deliveries
    "ix_webhook_deliveries_due",
    webhook_deliveries.c.webhook_id,
    webhook_deliveries.c.due_us,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)
Index(  # claim_webhook_deliveries: whether an older one of the key waits
    "ix_webhook_deliveries_order",
    webhook_deliveries.c.webhook_id,
    webhook_deliveries.c.key,
    webhook_deliveries.c.serial,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)
Index(  # forget_webhook_deliveries
    "ix_webhook_deliveries_settled",
    webhook_deliveries.c.updated_us,
    sqlite_where=_settled,
    postgresql_where=_settled,
)

# What tenants uploaded: the same bytes are one payload and a row for each tenant that brought them.
uploads = Table(
    "uploads",
    metadata,
    key("tenant"),
    key("digest"),
    text("media_type"),
    count("size"),
    text("name"),
    instant("created_us"),
    Index(None, "digest"),  # upload of whomever
    sqlite_with_rowid=False,
)
