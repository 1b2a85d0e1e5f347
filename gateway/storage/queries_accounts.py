"""Named queries: who may sign in to the console, who is signed in, and who tried in vain."""

from __future__ import annotations

from sqlalchemy import Table, delete, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from gateway.ports import AccountRow, SessionRow, TriesRow
from gateway.storage.session import Session, Statement, columns_of, given, names_of
from gateway.storage.tables import accounts as accounts_table
from gateway.storage.tables import sessions as sessions_table
from gateway.storage.tables import tries as tries_table

a, s, t = accounts_table.c, sessions_table.c, tries_table.c
FLAGS = ("must_change", "disabled")


def _put(table: Table, row: type) -> Statement:
    """An upsert by the first column."""
    names = names_of(row)
    insert = upsert(table)
    renewed = {name: insert.excluded[name] for name in names[1:]}
    return Statement(insert.on_conflict_do_update(index_elements=[names[0]], set_=renewed), names)


ACCOUNTS = Statement(select(*columns_of(accounts_table, AccountRow)).order_by(a.name))
ACCOUNT = Statement(select(*columns_of(accounts_table, AccountRow)).where(a.name == given("name", a.name)))
PUT_ACCOUNT = _put(accounts_table, AccountRow)
SESSION = Statement(select(*columns_of(sessions_table, SessionRow)).where(s.digest == given("digest", s.digest)))
PUT_SESSION = _put(sessions_table, SessionRow)
END_SESSION = Statement(delete(sessions_table).where(s.digest == given("digest", s.digest)))
END_SESSIONS = Statement(delete(sessions_table).where(s.account == given("account", s.account)))
FORGET_SESSIONS = Statement(
    delete(sessions_table).where(
        or_(s.opened_us < given("opened_us", s.opened_us), s.seen_us < given("seen_us", s.seen_us))
    )
)
TRIES = Statement(select(*columns_of(tries_table, TriesRow)).where(t.digest == given("digest", t.digest)))
PUT_TRIES = _put(tries_table, TriesRow)
FORGET_TRIES = Statement(
    delete(tries_table).where(or_(t.digest == given("digest", t.digest), t.last_us < given("before_us", t.last_us)))
)


def _account(row: tuple[object, ...]) -> AccountRow:
    told = dict(zip(names_of(AccountRow), row, strict=True))
    return AccountRow(**{**told, **{name: bool(told[name]) for name in FLAGS}})  # type: ignore[arg-type]


def account(db: Session, name: str) -> AccountRow | None:
    row = db.one(ACCOUNT, name=name)
    return None if row is None else _account(row)


def accounts(db: Session) -> list[AccountRow]:
    return [_account(row) for row in db.all(ACCOUNTS)]


def put_account(db: Session, row: AccountRow) -> None:
    db.change(PUT_ACCOUNT, {name: getattr(row, name) for name in names_of(AccountRow)})


def session(db: Session, digest: str) -> SessionRow | None:
    row = db.one(SESSION, digest=digest)
    return None if row is None else SessionRow(*row)


def put_session(db: Session, row: SessionRow) -> None:
    db.change(PUT_SESSION, {name: getattr(row, name) for name in names_of(SessionRow)})


def end_session(db: Session, digest: str) -> None:
    db.change(END_SESSION, {"digest": digest})


def end_sessions(db: Session, account: str) -> int:
    """End all sessions of an account; how many."""
    return db.change(END_SESSIONS, {"account": account})


def forget_sessions(db: Session, *, opened_before_us: int, seen_before_us: int) -> int:
    return db.change(FORGET_SESSIONS, {"opened_us": opened_before_us, "seen_us": seen_before_us})


def tries(db: Session, digest: str) -> TriesRow | None:
    row = db.one(TRIES, digest=digest)
    return None if row is None else TriesRow(*row)


def put_tries(db: Session, row: TriesRow) -> None:
    db.change(PUT_TRIES, {name: getattr(row, name) for name in names_of(TriesRow)})


def forget_tries(db: Session, *, digest: str = "", before_us: int = 0) -> int:
    return db.change(FORGET_TRIES, {"digest": digest, "before_us": before_us})
