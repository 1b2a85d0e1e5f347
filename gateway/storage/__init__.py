"""The database and the payload folder behind gateway.ports.Store.

open_store() makes the tables of an empty database and refuses one whose tables are of another version: moving those is the
operator's decision (``swgate migrate``), since other processes may still run on them.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import make_url

from gateway.errors import Finding, NeedsOperator
from gateway.settings import Settings
from gateway.storage import migrations
from gateway.storage.store import SqlStore

__all__ = ["SqlStore", "open_store"]


def open_store(settings: Settings, *, make: bool = True) -> SqlStore:
    """The store of these settings. NeedsOperator when the database cannot be used as it is; without make also when it is empty."""
    url = settings.database_url
    found = None if not make and _is_no_file(url) else migrations.current(url)
    if found is None and not make:
        shown = make_url(url).render_as_string(hide_password=True)
        raise NeedsOperator("no gateway has stored anything there", [Finding("storage.database.empty", found=shown)])
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


def _is_no_file(url: str) -> bool:
    """Whether this is SQLite without a file: asking SQLite itself would make one."""
    parsed = make_url(url)
    return parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file()
