"""A message keeps its place and priority for another turn in its lane; what sending it again depends on leaves its reason.

Revision: 0003. Before: 0002. To be run before the first process starts.
Until now the first word of a reason decided; rows get what theirs said.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

SAID = (("refused%", "refused"), ("asked again%", "asked_again"), ("receipt overdue%", "receipt_overdue"))


def upgrade() -> None:
    op.add_column("messages", sa.Column("priority", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("messages", sa.Column("rest", sa.Text(), nullable=False, server_default=""))
    op.add_column("work", sa.Column("place", sa.BigInteger(), nullable=False, server_default="1"))
    messages = sa.table("messages", sa.column("reason", sa.Text()), sa.column("rest", sa.Text()))
    for beginning, rest in SAID:
        op.execute(messages.update().where(messages.c.reason.like(beginning)).values(rest=rest))
