"""Which lanes have due work is read from an index, however long their queues are.

Revision: 0004. Before: 0003. To be run before the first process starts.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index("ix_work_lane_due_us", "work", ["lane", "due_us"])
