"""The migrations end in the tables that the code describes, and an unfit database is refused in words."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from gateway.errors import NeedsOperator
from gateway.settings import Settings
from gateway.storage import migrations, open_store
from gateway.storage.database import Database
from gateway.storage.tables import metadata


def schema(connection: Connection) -> dict[str, Any]:
    """Everything the database itself says about its tables."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%'")).all()
        return {
            name: " ".join((sql or "").replace(",", " ").replace('"', "").split()).lower()
            for name, sql in rows
            if "alembic" not in name
        }
    inspector = inspect(connection)
    columns = (
        "SELECT table_name, column_name, data_type, is_nullable, is_identity, column_default, ordinal_position "
        "FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
    )
    indexes = (
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    found: dict[str, Any] = {f"{row[0]}.{row[1]}": tuple(row) for row in connection.execute(text(columns))}
    found |= {row[0]: row[1] for row in connection.execute(text(indexes))}
    for table in inspector.get_table_names():
        if table != "alembic_version":
            found[f"{table} fk"] = sorted(str(one) for one in inspector.get_foreign_keys(table))
            found[f"{table} pk"] = inspector.get_pk_constraint(table)
    return found


def test_the_migrations_end_in_the_tables_of_the_code(empty_database_url: str) -> None:
    migrations.upgrade(empty_database_url)
    database = Database(empty_database_url)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        migrated = schema(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        metadata.drop_all(connection)
        assert schema(connection).keys() <= {"sqlite_sequence"}
        metadata.create_all(connection)
        assert schema(connection) == migrated
    database.close()


def test_the_head_is_the_last_revision_there_is() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_a_database_says_which_revision_it_has(empty_database_url: str) -> None:
    assert migrations.current(empty_database_url) is None
    migrations.upgrade(empty_database_url)
    assert migrations.current(empty_database_url) == migrations.HEAD
    migrations.upgrade(empty_database_url)
    assert migrations.current(empty_database_url) == migrations.HEAD


def test_processes_that_start_together_make_the_tables_once(unprepared: Settings) -> None:
    problems: list[Exception] = []

    def start() -> None:
        try:
            open_store(unprepared).close()
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert migrations.current(unprepared.database_url) == migrations.HEAD


def test_tables_of_another_version_are_left_alone_and_named(unprepared: Settings) -> None:
    migrations.upgrade(unprepared.database_url)
    database = Database(unprepared.database_url)
    with database.engine.connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    database.close()
    with pytest.raises(NeedsOperator) as caught:
        open_store(unprepared)
    (finding,) = caught.value.findings
    assert (finding.code, finding.found, finding.expected) == ("storage.schema.version", "0999", migrations.HEAD)


@pytest.mark.parametrize("url", ["mysql://localhost/x", "sqlite://", "sqlite:///:memory:"])
def test_a_database_that_we_cannot_store_in_is_refused(unprepared: Settings, url: str) -> None:
    with pytest.raises(NeedsOperator) as caught:
        open_store(replace(unprepared, database=url))
    assert caught.value.findings[0].code == "storage.database.kind"


def test_a_file_that_is_no_database_is_for_the_operator(unprepared: Settings) -> None:
    file = unprepared.home / "other.db"
    file.write_bytes(b"this is a letter to the harbour master, not a database" * 100)
    with pytest.raises(NeedsOperator) as caught:
        open_store(replace(unprepared, database=f"sqlite:///{file}"))
    assert caught.value.findings[0].code == "storage.database.fails"


def test_standings_of_the_first_tables_keep_their_states_and_get_their_alarm(empty_database_url: str) -> None:
    migrations.upgrade(empty_database_url, "0001")
    database = Database(empty_database_url)
    with database.engine.connect() as connection:
        connection.execute(text("INSERT INTO documents VALUES ('d', 'd', 'declaration', 't', 1, 'single', 'x', 1, '')"))
        connection.execute(
            text("INSERT INTO standings VALUES ('d', 't', 1, 'single', '{}', 'customs', 7, :no, 1, 2)"), {"no": False}
        )
        connection.execute(text("INSERT INTO standing_states VALUES ('d', 'declaration', 'filed')"))
        connection.commit()
    migrations.upgrade(empty_database_url)
    with database.engine.connect() as connection:
        kept = connection.execute(text("SELECT silence_due_us, alarm_us, updated_us FROM standings")).one()
        states = connection.execute(text("SELECT root_id, state FROM standing_states")).all()
    database.close()
    assert tuple(kept) == (7, 7, 2)
    assert [tuple(row) for row in states] == [("d", "filed")]
