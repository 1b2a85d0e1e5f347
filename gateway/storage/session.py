"""One open transaction, and statements that are compiled once.

Queries are SQLAlchemy Core constructs made at import. Each is compiled a single time for each database and then run on the
driver's own cursor, because building and compiling a statement costs several times what SQLite needs to run it.
Rule 1: nothing here begins or commits; that belongs to gateway.storage.commits.
Rule 2: rows are plain tuples in the order of the select; what they mean is the business of the queries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Table, Text, bindparam, literal_column
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement, Executable

from gateway.storage.payloads import PayloadFolder

Row = tuple[Any, ...]
Values = Mapping[str, Any]

DIALECTS: dict[str, Dialect] = {
    "sqlite": SQLiteDialect_pysqlite(paramstyle="named"),
    "postgresql": PGDialect_psycopg(paramstyle="pyformat"),  # type: ignore[no-untyped-call]
}


class Cursor(Protocol):
    """What we use of a DB-API cursor."""

    @property
    def rowcount(self) -> int: ...
    def execute(self, text: str, values: Values, /) -> Any: ...
    def executemany(self, text: str, values: Sequence[Values], /) -> Any: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> Sequence[Any]: ...


class Statement:
    """A Core construct with bindparams. columns: of an INSERT, the names that are given with each run."""

    __slots__ = ("_columns", "_construct", "_texts")

    def __init__(self, construct: Executable, columns: Sequence[str] | None = None) -> None:
        self._construct = construct
        self._columns = columns
        self._texts: dict[str, tuple[str, dict[str, Any]]] = {}

    def compiled(self, database: str) -> tuple[str, dict[str, Any]]:
        """The text for this database, and the values of the construct's own literals."""
        found = self._texts.get(database)
        if found is None:
            assert isinstance(self._construct, ClauseElement)
            compiled = self._construct.compile(dialect=DIALECTS[database], column_keys=self._columns)
            assert isinstance(compiled, SQLCompiler)
            literals = {
                name: bind.value
                for bind, name in compiled.bind_names.items()
                if not bind.required and bind.value is not None
            }
            found = self._texts[database] = (compiled.string, literals)
        return found


class Session:
    """Runs statements on one connection, inside the transaction that its owner has begun."""

    __slots__ = ("_cursor", "database", "payloads")

    def __init__(self, cursor: Cursor, database: str, payloads: PayloadFolder) -> None:
        self._cursor = cursor
        self.database = database
        self.payloads = payloads

    def _run(self, statement: Statement, values: Values) -> Cursor:
        text, literals = statement.compiled(self.database)
        self._cursor.execute(text, {**literals, **values} if literals else values)
        return self._cursor

    def one(self, statement: Statement, **values: Any) -> Row | None:
        """The first row, or None."""
        row: Row | None = self._run(statement, values).fetchone()
        return row

    def all(self, statement: Statement, **values: Any) -> list[Row]:
        return list(self._run(statement, values).fetchall())

    def change(self, statement: Statement, values: Values) -> int:
        """Run an INSERT, UPDATE or DELETE and say how many rows it touched."""
        return self._run(statement, values).rowcount

    def change_each(self, statement: Statement, rows: Iterable[Values]) -> None:
        text, literals = statement.compiled(self.database)
        given = [{**literals, **row} for row in rows] if literals else list(rows)
        if given:
            self._cursor.executemany(text, given)


# Written into the statement, not bound: a partial index serves only a condition that is seen to be its own.
EMPTY: ColumnElement[str] = literal_column("''", Text())


def given(name: str, like: ColumnElement[Any]) -> ColumnElement[Any]:
    """A value that comes with each run, of the type of a column."""
    return bindparam(name, required=True, type_=like.type)


def unindexed(column: ColumnElement[str]) -> ColumnElement[str]:
    """A column in a condition that shall only filter: SQLite has no statistics and would walk along this one's index."""
    return column.concat(EMPTY)


def columns_of(table: Table, row: type) -> list[ColumnElement[Any]]:
    """The columns of a table that make up a row dataclass, in the order of its fields."""
    return [table.c[field.name] for field in fields(row)]


def names_of(row: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(row))


def clean(text: str) -> str:
    """A partner's text as both databases can keep it: PostgreSQL refuses NUL, neither stores half a surrogate pair."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return text


A_TO_Z = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def fold(value: str) -> str:
    """How ids that people hold are compared: A-Z as a-z, all else as it stands."""
    return clean(value).translate(A_TO_Z)
