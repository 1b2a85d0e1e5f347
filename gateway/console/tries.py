"""Wrong passwords, counted in one table for all processes.

Rule 1: MOST_WRONG of one account, or MOST_FROM_ADDRESS from one address (of IPv6 from one network), and for WAIT nothing more is
        tried. A try counts before passwords are compared, so that nobody wins tries by asking several processes at once.
Rule 2: a name that is none is counted like one that is.
Rule 3: who signed in from his address of late is counted there by himself: strangers cannot lock him out.
Rule 4: rows are keyed by digests, for what was typed as a name may have been a password, and are forgotten after WAIT.
"""

from __future__ import annotations

import hashlib

from gateway.api.problems import TooOften
from gateway.console.audit import Act
from gateway.console.safety import actor_of
from gateway.ports import TriesRow, Writing

SECOND_US = 1_000_000
MOST_WRONG, MOST_FROM_ADDRESS, WAIT_US = 5, 20, 900 * SECOND_US
KNOWN_FOR_US = 30 * 86_400 * SECOND_US


def take(writing: Writing, name: str, sender: str, now: int) -> None:
    """Count a try as a wrong one, which it is until it has proved right. TooOften where it is one too many; such a one counts no more,
    so that who waits has waited at last."""
    writing.forget_tries(before_us=now - WAIT_US)
    asked = ((_account(writing, name, sender, now), MOST_WRONG), (_address(sender), MOST_FROM_ADDRESS))
    rows = [(writing.tries(digest) or TriesRow(digest, 0, now), most) for digest, most in asked]
    waits_us = [row.last_us + WAIT_US - now for row, most in rows if row.wrong >= most]
    if waits_us:
        raise TooOften(max(1, max(waits_us) // SECOND_US))
    for row, _ in rows:
        writing.put_tries(TriesRow(row.digest, row.wrong + 1, now))


def was_right(writing: Writing, name: str, sender: str, now: int) -> None:
    """The last try proved right: the account begins anew; of its address only this one is taken back."""
    writing.forget_tries(digest=_account(writing, name, sender, now))
    row = writing.tries(_address(sender))
    if row is not None:
        writing.put_tries(TriesRow(row.digest, max(0, row.wrong - 1), row.last_us))


def unlock(writing: Writing, name: str) -> None:
    """Let an account be tried again."""
    writing.forget_tries(digest=digest_of(f"account\0{name}"))


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _account(writing: Writing, name: str, sender: str, now: int) -> str:
    known = writing.acted_from(actor_of(name), Act.SIGNED_IN, sender, now - KNOWN_FOR_US)
    return digest_of(f"account\0{name}\0{sender}" if known else f"account\0{name}")


def _address(sender: str) -> str:
    return digest_of(f"address\0{sender}")
