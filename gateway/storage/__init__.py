"""The database and the payload folder behind gateway.ports.Store.

open_store() makes the tables of an empty database and refuses one whose tables are of another version: moving those is the
operator's decision (``swgate migrate``), since other processes may still run on them.
"""

from __future__ import annotations

from gateway.errors import Finding, NeedsOperator
from gateway.settings import Settings
from gateway.storage import migrations
from gateway.storage.store import SqlStore

__all__ = ["SqlStore", "open_store"]


def open_store(settings: Settings) -> SqlStore:
    """The store of these settings. NeedsOperator when the database cannot be used as it is."""
    url = settings.database_url
    found = migrations.current(url)
    if found is None:
        migrations.upgrade(url)
    elif found != migrations.HEAD:
        raise NeedsOperator(
            "the tables of the database are of another version",
            [Finding("storage.schema.version", found=found, expected=migrations.HEAD)],
        )
    return SqlStore(
        url,
        settings.home / "payloads",
        payload_inline_bytes=settings.payload_inline_bytes,
        commit_batch=settings.commit_batch,
    )
