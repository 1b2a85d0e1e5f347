"""Who is signed in to the console: sessions that the store keeps, known by the digest of what the cookie holds.

Rule 1: a sign-in makes a new token; what the browser sent before it never becomes a session, so nobody can plant one.
Rule 2: a session ends IDLE after its last request, LASTS after its first, with its account, and when that account changes. It is looked
        up for each request, so it ends at once and in every process.
Rule 3: what is not told apart from outside: no such account, wrong password, disabled account; nor, while locked, any of them.
Wrong passwords are counted in gateway.console.tries.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

from gateway import ids
from gateway.api.problems import Unauthorized
from gateway.api.senders import sender_of
from gateway.console import audit, passwords, tries
from gateway.console.accounts import folded
from gateway.console.audit import Act
from gateway.console.safety import Role, Visitor, actor_of
from gateway.console.tries import digest_of
from gateway.errors import Finding
from gateway.ports import AccountRow, SessionRow, Store, Writing

SECOND_US = 1_000_000
IDLE_US, LASTS_US = 3_600 * SECOND_US, 12 * 3_600 * SECOND_US
# So seldom is it written down that somebody is still there.
SEEN_EVERY_US = 60 * SECOND_US
HOST_COOKIE, PLAIN_COOKIE = "__Host-swgate_session", "swgate_session"


class Sessions:
    """Sessions of one gateway, the same in all its processes."""

    def __init__(self, store: Store, clock: Callable[[], int] = ids.now_us) -> None:
        self._store = store
        self._clock = clock

    def open(self, name: str, password: str, address: str) -> tuple[str, AccountRow]:
        """Sign in: the token of a new session, and whose it is. Unauthorized and TooOften say nothing about the account."""
        name, sender = folded(name)[:100], sender_of(address)
        account = self._try(name, sender)
        if (
            not passwords.is_right(account.password if account else None, password)
            or account is None
            or account.disabled
        ):
            self._refused(account, sender)
            raise Unauthorized("name or password is wrong", [Finding(Unauthorized.code)])
        renewed = passwords.kept(password) if passwords.is_outdated(account.password) else account.password
        token, now = secrets.token_urlsafe(32), self._clock()

        def unit(writing: Writing) -> None:
            stored = writing.account(account.name)
            if stored is None or stored.disabled or stored.password != account.password:
                raise Unauthorized("the account has changed meanwhile", [Finding(Unauthorized.code)])
            if renewed != stored.password:
                writing.put_account(replace(stored, password=renewed))
            tries.was_right(writing, name, sender, now)
            writing.forget_sessions(opened_before_us=now - LASTS_US, seen_before_us=now - IDLE_US)
            writing.put_session(SessionRow(digest_of(token), account.name, now, now))
            audit.note(
                writing, Act.SIGNED_IN, at_us=now, actor=actor_of(account.name), address=sender, target=account.name
            )

        self._store.write(unit)
        return token, account

    def visitor(self, token: str) -> tuple[Visitor, bool] | None:
        """Who has this token, and whether he must change his password first; None when nobody has, or no longer."""
        if not token:
            return None
        now, digest = self._clock(), digest_of(token)
        with self._store.read() as reading:
            session = reading.session(digest)
            account = reading.account(session.account) if session else None
        if session is None or account is None or account.disabled:
            return None
        if now - session.opened_us > LASTS_US or now - session.seen_us > IDLE_US:
            return None
        if now - session.seen_us > SEEN_EVERY_US:
            self._store.write(lambda writing: _seen(writing, digest, now))
        visitor = Visitor(account.name, Role(account.role), account.tenant, account.lang, account.zone)
        return visitor, account.must_change

    def close(self, token: str, visitor: Visitor, address: str) -> None:
        """Sign out here."""

        def unit(writing: Writing) -> None:
            writing.end_session(digest_of(token))
            now, sender = self._clock(), sender_of(address)
            audit.note(writing, Act.SIGNED_OUT, at_us=now, actor=visitor.actor, address=sender, target=visitor.name)

        self._store.write(unit)

    def _try(self, name: str, sender: str) -> AccountRow | None:
        """Count this try, and find the account. TooOften where it is one too many."""
        now = self._clock()

        def unit(writing: Writing) -> AccountRow | None:
            tries.take(writing, name, sender, now)
            return writing.account(name)

        return self._store.write(unit)

    def _refused(self, account: AccountRow | None, sender: str) -> None:
        """Write down that it was wrong. What was typed for a name that is none is not kept: it may be a password."""
        now = self._clock()

        def unit(writing: Writing) -> None:
            # Something is written in either case, so that both take as long.
            writing.forget_tries(before_us=now - tries.WAIT_US)
            if account is not None:
                name = account.name
                audit.note(writing, Act.SIGN_IN_REFUSED, at_us=now, actor="", address=sender, target=name)

        self._store.write(unit)


def _seen(writing: Writing, digest: str, now: int) -> None:
    # Not where it was ended meanwhile.
    session = writing.session(digest)
    if session is not None:
        writing.put_session(replace(session, seen_us=now))
