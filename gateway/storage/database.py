"""The two databases we run on, and what differs between them: how to connect, how to begin, which errors pass by themselves.

Connections are in the driver's autocommit mode and we say BEGIN and COMMIT ourselves: the implicit transactions of sqlite3
begin too late and let two processes read the same row before either writes it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors as postgres
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.pool import PoolProxiedConnection

from gateway.errors import Conflict, Finding, GatewayError, NeedsOperator
from gateway.storage.turns import Turnstile

POOL = {"pool_size": 8, "max_overflow": 32, "pool_timeout": 30}
# Checkpoints copy the log back into the file and sync both; a longer log makes them rarer and each page cheaper.
SQLITE_PRAGMAS = (
    "busy_timeout = 5000",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "wal_autocheckpoint = 4000",
    "journal_size_limit = 67108864",
    "cache_size = -32768",
    "temp_store = MEMORY",
)
PATIENCE_S = 10.0
DRIVER_ERRORS = (sqlite3.Error, psycopg.Error)
PASSING = (postgres.SerializationFailure, postgres.DeadlockDetected, postgres.LockNotAvailable)
OUT_TWICE = "uq_work_out"
# What libpq and the server say in English when they refuse a connection, and what we say of it.
REFUSALS = (
    ("onnection refused", "nobody listens there", "该地址无服务监听"),
    ("password", "the password is wrong or missing", "密码错误或未提供"),
    ("authentication failed", "the server does not accept the user", "服务器不接受该用户"),
    ("pg_hba.conf", "the server does not admit this machine or user", "服务器不允许本机或该用户连接"),
    ("does not exist", "it has no such database or user", "数据库或用户不存在"),
    ("resolve", "the host name is unknown", "主机名无法解析"),
    ("translate host name", "the host name is unknown", "主机名无法解析"),
    ("timeout", "no answer in time", "连接超时"),
    ("oo many", "it has too many connections already", "服务器连接数已满"),
    ("starting up", "it is starting up", "服务器正在启动"),
)


class Database:
    """An engine with what a transaction needs to know. url: SQLAlchemy's, with or without the driver's name."""

    def __init__(self, url: str) -> None:
        self._turnstile: Turnstile | None = None
        parsed = make_url(url)
        self.name = parsed.get_backend_name()
        if self.name == "sqlite":
            self.engine = _sqlite(parsed)
            self._turnstile = Turnstile(Path(f"{parsed.database}-turn"))
            self.begin_write, self.begin_read = "BEGIN IMMEDIATE", "BEGIN DEFERRED"
        elif self.name == "postgresql":
            self.engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", **POOL
            )
            event.listen(self.engine, "do_connect", _connect_to_server)
            self.begin_write, self.begin_read = "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        else:
            raise NeedsOperator(
                "the gateway stores in SQLite or PostgreSQL",
                [Finding("storage.database.kind", found=self.name, expected="sqlite, postgresql")],
            )

    def connect(self) -> PoolProxiedConnection:
        """A connection of the pool; NeedsOperator when the database cannot be reached."""
        with telling():
            return self.engine.raw_connection()

    def forget_connections(self) -> None:
        """Let go of pooled connections: the server has hung up on one, so it has on all."""
        self.engine.dispose()

    def begin_reading(self) -> tuple[PoolProxiedConnection, Any]:
        """A connection of the pool and its cursor, inside a fresh snapshot; reconnects once."""
        for may_try_again in (True, False):
            connection = self.connect()
            try:
                cursor = connection.cursor()
                cursor.execute(self.begin_read)
            except DRIVER_ERRORS as problem:
                connection.invalidate()
                self.forget_connections()
                if not may_try_again:
                    raise told(problem) or problem from None
            else:
                return connection, cursor
        raise AssertionError("unreachable")

    def turn(self) -> AbstractContextManager[None]:
        """To be held from BEGIN to COMMIT by those who write much; a server needs no such order."""
        return self._turnstile.turn() if self._turnstile else nullcontext()

    def close(self) -> None:
        self.engine.dispose()
        if self._turnstile:
            self._turnstile.close()


def _connect_to_server(dialect: Any, _record: object, arguments: Any, named: Any) -> Any:
    """Connect as SQLAlchemy would. NeedsOperator names the place, never the account or its password."""
    try:
        return dialect.connect(*arguments, **named)
    except psycopg.OperationalError as problem:
        place = f"{named.get('host', 'localhost')}:{named.get('port', 5432)}/{named.get('dbname', '')}"
        finding = Finding("storage.database.unreachable", found=place, params=_why(str(problem)))
        raise NeedsOperator("could not connect to the database", [finding], code=finding.code) from None


def _why(text: str) -> dict[str, str]:
    """The reason as params of a finding, where the driver's text holds one that we know; the text itself may quote values."""
    for known, en, zh in REFUSALS:
        if known in text:
            return {"reason_en": en, "reason_zh": zh}
    return {}


def _sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise NeedsOperator(
            "a database in memory keeps nothing",
            [Finding("storage.database.kind", found=str(url), expected="sqlite:///<file>, postgresql")],
        )
    _make_private(Path(str(url.database)))
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        isolation_level="AUTOCOMMIT",
        connect_args={"check_same_thread": False, "cached_statements": 512},
        **POOL,
    )
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _make_private(file: Path) -> None:
    """A new database is for the gateway's own account only; SQLite gives its log and index the rights of the file.

    A file that is there is never opened: closing it would take away the locks that SQLite holds on it in this process.
    """
    # What is wrong with the place SQLite tells when it opens it.
    with contextlib.suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in SQLITE_PRAGMAS:
        _set_pragma(connection, pragma)


def _set_pragma(connection: sqlite3.Connection, pragma: str) -> None:
    """Turning a new file to WAL takes the whole file, and SQLite does not wait for that: processes that start together would fail."""
    patient_until = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection.execute(f"PRAGMA {pragma}")
            return
        except sqlite3.OperationalError as problem:
            if not is_busy(problem) or time.monotonic() > patient_until:
                raise
            time.sleep(0.01)


def is_busy(problem: Exception) -> bool:
    """Another process writes at the moment: nothing happened, ask again."""
    code = getattr(problem, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def passes(problem: BaseException) -> bool:
    """Two transactions stood in each other's way; the same again will do."""
    if isinstance(problem, postgres.UniqueViolation):
        return problem.diag.constraint_name == OUT_TWICE
    return isinstance(problem, PASSING)


def told(problem: Exception) -> GatewayError | None:
    """The error of ours that a driver's error amounts to; None for those that are faults in our statements.

    The driver's text is left out where it may quote values.
    """
    name = type(problem).__name__
    if isinstance(problem, (sqlite3.IntegrityError, psycopg.IntegrityError)):
        place = problem.diag.constraint_name if isinstance(problem, psycopg.Error) else _table_of(problem)
        return Conflict(f"it collides with what is stored already ({place or name})")
    if isinstance(problem, (sqlite3.OperationalError, psycopg.OperationalError)) or _is_broken_file(problem):
        found = getattr(problem, "sqlite_errorname", None) or getattr(problem, "sqlstate", None) or name
        return NeedsOperator("the database does not do its work", [Finding("storage.database.fails", found=found)])
    return None


def _table_of(problem: Exception) -> str:
    # "UNIQUE constraint failed: messages.id": names of ours, no values.
    return str(problem).rpartition(": ")[2]


def _is_broken_file(problem: Exception) -> bool:
    return isinstance(problem, sqlite3.DatabaseError) and getattr(problem, "sqlite_errorcode", 0) in (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    )


@contextmanager
def telling() -> Iterator[None]:
    """Turns what the driver or SQLAlchemy raises into an error of ours."""
    try:
        yield
    except Exception as problem:
        inner: Any = getattr(problem, "orig", None) or problem
        ours = told(inner)
        if ours is None:
            raise
        raise ours from None
