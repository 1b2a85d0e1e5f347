"""When silence is said next gets a column of its own, and what is open an index.

Revision: 0002. Before: 0001. To be run before the first process starts.
Until now the alarm was silence_due_us itself, moved on each time it was said. Rows that were moved on keep what they have: they
are overdue again from their next alarm on. SQLite cannot put a column before the constraints of a table, so the table is made anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

COLUMNS = "root_id, tenant, round, phase, states, mover, silence_due_us, final, round_opened_us, updated_us"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _made_anew()
    else:
        op.add_column("standings", sa.Column("alarm_us", sa.BigInteger(), nullable=True))
        op.execute("UPDATE standings SET alarm_us = silence_due_us")
        op.drop_index("ix_standings_silence_due_us", "standings")
    op.create_index(
        "ix_standings_alarm_us",
        "standings",
        ["alarm_us"],
        sqlite_where=sa.text("alarm_us IS NOT NULL"),
        postgresql_where=sa.text("alarm_us IS NOT NULL"),
    )
    op.create_index(
        "ix_standings_open",
        "standings",
        ["root_id"],
        sqlite_where=sa.text("final IS 0"),
        postgresql_where=sa.text("final IS false"),
    )


def _made_anew() -> None:
    # The states refer to the table that goes; each is right again once its standing is in the new one, before the commit.
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute("CREATE TABLE standings_0001 AS SELECT * FROM standings")
    op.drop_table("standings")
    op.create_table(
        "standings",
        sa.Column("root_id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("states", sa.Text(), nullable=False),
        sa.Column("mover", sa.Text(), nullable=False),
        sa.Column("silence_due_us", sa.BigInteger(), nullable=True),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("round_opened_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.Column("alarm_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["root_id"], ["documents.id"], name="fk_standings_root_id_documents"),
        sa.PrimaryKeyConstraint("root_id", name="pk_standings"),
        sqlite_with_rowid=False,
    )
    op.execute(
        f"INSERT INTO standings ({COLUMNS}, alarm_us) "  # noqa: S608 - names only
        f"SELECT {COLUMNS}, silence_due_us FROM standings_0001"
    )
    op.drop_table("standings_0001")
