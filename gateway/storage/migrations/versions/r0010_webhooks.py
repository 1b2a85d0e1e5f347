"""Addresses that events are posted to, and each event on its way to one of them.

Revision: 0010. Before: 0005. To be run before the first process starts.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0005"

WAITING, SETTLED = sa.text("status = 'waiting'"), sa.text("status != 'waiting'")


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "webhooks",
        *[text(name) for name in ("id", "tenant", "scope", "url", "types", "description", "status", "reason")],
        text("secret"),
        text("old_secret"),
        whole("old_until_us"),
        whole("failures"),
        whole("failing_since_us", nullable=True),
        whole("rest_until_us"),
        whole("created_us"),
        whole("updated_us"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_webhooks_tenant_id", "webhooks", ["tenant", "id"])
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "webhook_deliveries",
        sa.Column("serial", serial, autoincrement=True, nullable=False),
        *[text(name) for name in ("id", "webhook_id", "event_id", "key", "type", "body", "status")],
        whole("attempts"),
        whole("due_us"),
        text("log"),
        whole("created_us"),
        whole("updated_us"),
        text("worker"),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], name="fk_webhook_deliveries_webhook_id_webhooks"),
        sa.PrimaryKeyConstraint("serial", name="pk_webhook_deliveries"),
    )
    op.create_index("ix_webhook_deliveries_id", "webhook_deliveries", ["id"], unique=True)
    op.create_index(
        "ix_webhook_deliveries_webhook_id_event_id", "webhook_deliveries", ["webhook_id", "event_id"], unique=True
    )
    op.create_index("ix_webhook_deliveries_webhook_id_id", "webhook_deliveries", ["webhook_id", "id"])
    for name, columns, condition in (
        ("due", ["webhook_id", "due_us"], WAITING),
        ("order", ["webhook_id", "key", "serial"], WAITING),
        ("settled", ["updated_us"], SETTLED),
    ):
        op.create_index(
            f"ix_webhook_deliveries_{name}",
            "webhook_deliveries",
            columns,
            sqlite_where=condition,
            postgresql_where=condition,
        )
