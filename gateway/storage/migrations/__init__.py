"""Numbered changes of the tables, run from code; Alembic keeps the number in the database.

A revision is frozen once it is released: it spells its tables out and imports none of ours, so that it does the same for
ever. A test proves that all of them together end in what gateway.storage.tables says.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from gateway.storage.database import Database, telling

FOLDER = Path(__file__).resolve().parent
HEAD = "0013"
# Any number will do, as long as every process takes the same one.
POSTGRES_LOCK = 7_260_001


def current(url: str) -> str | None:
    """The revision that the tables have; None for an empty database."""
    database = Database(url)
    try:
        with telling(), database.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return found
    finally:
        database.close()


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the tables up to a revision, all of it or nothing. Of several processes at once the others wait and find it
    done."""
    database = Database(url)
    try:
        with telling(), database.engine.connect() as connection:
            connection.exec_driver_sql(database.begin_write)
            try:
                if database.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": POSTGRES_LOCK})
                _run(connection, revision)
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
    finally:
        database.close()


def _run(connection: Connection, revision: str) -> None:
    # Alembic is slow to import, and only those who change tables need it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
