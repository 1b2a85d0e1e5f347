"""People sign in to the console: their accounts, sessions and wrong passwords, and what they did.

Revision: 0011. Before: 0010. To be run before the first process starts.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
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


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(create_constraint=False), nullable=False)


def upgrade() -> None:
    op.create_table(
        "accounts",
        *(text(name) for name in ("name", "role", "tenant", "password", "lang", "zone")),
        flag("must_change"),
        flag("disabled"),
        number("created_us"),
        number("changed_us"),
        sa.PrimaryKeyConstraint("name", name="pk_accounts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sessions",
        text("digest"),
        text("account"),
        number("opened_us"),
        number("seen_us"),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sessions_account", "sessions", ["account"])
    op.create_table(
        "tries",
        text("digest"),
        number("wrong"),
        number("last_us"),
        sa.PrimaryKeyConstraint("digest", name="pk_tries"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tries_last_us", "tries", ["last_us"])
    op.create_table(
        "audit",
        sa.Column("number", Serial, autoincrement=True, nullable=False),
        number("at_us"),
        *(text(name) for name in ("actor", "address", "act", "target", "reason", "before", "after")),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    for column in ("actor", "act", "target"):
        op.create_index(f"ix_audit_{column}_number", "audit", [column, "number"])
    for statement in AUDIT_STAYS[op.get_bind().dialect.name]:
        op.execute(statement)
