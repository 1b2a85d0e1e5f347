"""Stores to test with: every test that asks for `store` or `database_url` runs on SQLite and on PostgreSQL.

The PostgreSQL server is a throw-away cluster on a Unix socket, made once a session from the server's own programs and run as
the user `postgres` where the tests run as root, since the server refuses root. Each test has a database of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import psycopg
import pytest

from gateway import settings
from gateway.storage import SqlStore, migrations, open_store

DATABASES = count(1)


def _without(what: str) -> None:
    if os.environ.get("SWGATE_NO_SKIPS"):
        pytest.fail(f"{what}, and skips are not allowed")
    pytest.skip(what)


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[str]:
    """The folder of the socket of a running server."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        _without("no PostgreSQL server programs under /usr/lib/postgresql")
    bin_folder = programs[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="swgate-pg-"))
    as_user: list[str] = []
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    data = folder / "data"
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c deadlock_timeout=50ms"

    def run(*command: str) -> None:
        subprocess.run([*as_user, *command], check=True, cwd=folder, capture_output=True)

    run(str(bin_folder / "initdb"), "-D", str(data), "-U", "swgate", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
    run(str(bin_folder / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield str(folder)
    finally:
        run(str(bin_folder / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _postgres_database(socket: str, name: str, template: str = "template1") -> str:
    with psycopg.connect(host=socket, user="swgate", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return f"postgresql://swgate@/{name}?host={socket}"


@pytest.fixture(scope="session")
def postgres_template(postgres_socket: str) -> str:
    """The name of a database with tables, to copy: that is faster than to make them for each test."""
    migrations.upgrade(_postgres_database(postgres_socket, "prepared"))
    return "prepared"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("prepared") / "gateway.db"
    migrations.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_database_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of this test alone."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return _postgres_database(request.getfixturevalue("postgres_socket"), f"test_{next(DATABASES)}")


@pytest.fixture
def database_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of this test alone, with tables."""
    if kind == "sqlite":
        return f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_template'), tmp_path)}"
    template = request.getfixturevalue("postgres_template")
    return _postgres_database(request.getfixturevalue("postgres_socket"), f"test_{next(DATABASES)}", template)


def _configured(home: Path, database_url: str) -> settings.Settings:
    plain = settings.load({"SWGATE_HOME": str(home), "SWGATE_DATABASE": database_url})
    return replace(plain, payload_inline_bytes=1000)


@pytest.fixture
def unprepared(empty_database_url: str, tmp_path: Path) -> settings.Settings:
    return _configured(tmp_path, empty_database_url)


@pytest.fixture
def configured(database_url: str, tmp_path: Path) -> settings.Settings:
    return _configured(tmp_path, database_url)


@pytest.fixture
def new_store(configured: settings.Settings) -> Iterator[Callable[[], SqlStore]]:
    """Opens further stores on the same database, as other processes would."""
    opened: list[SqlStore] = []

    def opening() -> SqlStore:
        opened.append(open_store(configured))
        return opened[-1]

    yield opening
    for store in opened:
        store.close()


@pytest.fixture
def store(new_store: Callable[[], SqlStore]) -> SqlStore:
    return new_store()
