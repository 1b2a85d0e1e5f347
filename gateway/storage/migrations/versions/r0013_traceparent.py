"""A message keeps the trace that its filing belongs to.

Revision: 0013. Before: 0012. To be run before the first process starts.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("messages", sa.Column("traceparent", sa.Text(), nullable=False, server_default=""))
