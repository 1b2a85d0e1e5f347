"""Passwords of the console's accounts: what one has to be, and how it is kept.

Kept as Argon2id with the parameters that RFC 9106, section 4, gives for where memory is scarce (64 MiB, three passes, four lanes);
of weaker parameters a hash is made anew at the next sign-in. Compared after NFC, as RFC 8265, section 4.2, wants it.
Rule 1: a check takes the same time whether the account exists or not: for nobody it runs against a hash that no password has.
Rule 2: at most AT_ONCE run in a process, so that a crowd at the door takes no more memory than that.
"""

from __future__ import annotations

import secrets
import threading
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from gateway.errors import Finding

SHORTEST, LONGEST, FEWEST_DIFFERENT = 12, 200, 5
AT_ONCE = 2
COMMONEST = Path(__file__).parent / "common_passwords.txt"
# Of random bytes that were thrown away.
NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$wu0sKuM+DNUzujE1oyRmPQ$9MV8xi8ujxNBo50WHArz72T2CKECTNWdGev+YKWUJrM"

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_places = threading.BoundedSemaphore(AT_ONCE)


def kept(password: str) -> str:
    """How a password is kept: PHC string format."""
    with _places:
        return _hasher.hash(_normal(password))


def is_right(stored: str | None, password: str) -> bool:
    """Whether this is the password that is stored; never for None, which stands for an account that is not there."""
    with _places:
        try:
            return _hasher.verify(stored or NOBODYS, _normal(password)[:LONGEST]) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def made() -> str:
    """A password for somebody who chooses his own at the first sign-in: 120 random bits."""
    return secrets.token_urlsafe(15)


def faults(password: str, account: str) -> Iterator[Finding]:
    """What is wrong with a new password. It is never repeated.

    Length before composition, and no list of characters that must occur: NIST SP 800-63B, section 5.1.1.2.
    """
    said = _normal(password)
    if not SHORTEST <= len(said) <= LONGEST:
        yield Finding("console.password.length", found=str(len(said)), expected=f"{SHORTEST}-{LONGEST}")
    folded = said.casefold()
    if account and account.casefold() in folded:
        yield Finding("console.password.name")
    if folded in _commonest() or len(set(folded)) < FEWEST_DIFFERENT:
        yield Finding("console.password.common")


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)


@cache
def _commonest() -> frozenset[str]:
    return frozenset(COMMONEST.read_text(encoding="utf-8").casefold().split())
