"""Whose turn it is to write: processes on one SQLite file queue up at a file lock.

SQLite itself has no queue. Who finds the file locked sleeps ever longer and looks again, and a busy writer leaves it free for
moments only, so the other would look in vain for seconds. Here a look costs microseconds, so it is made every millisecond.
The lock orders writers and guards nothing: BEGIN IMMEDIATE does that, also against programs that do not know this lock. So a
process that was stopped with the turn in its hand holds nobody up for long: after PATIENCE_S the others write without it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 5.0
FIRST_LOOK_S, LONGEST_LOOK_S = 0.0001, 0.001


class Turnstile:
    """The lock of one file; opened with its first use. Held by at most one thread of a process at a time."""

    __slots__ = ("_descriptor", "_in_vain", "_path", "_patience_s")

    def __init__(self, path: Path, patience_s: float = PATIENCE_S) -> None:
        self._path = path
        self._patience_s = patience_s
        self._descriptor: int | None = None
        self._in_vain = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for its turn, and goes on without it when that does not come. The kernel ends it if the process dies."""
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # Who waited in vain only looks whether it is free, until it is: the holder may be stopped for hours.
        mine = _locked_within(self._descriptor, 0.0 if self._in_vain else self._patience_s)
        self._in_vain = not mine
        try:
            yield
        finally:
            if mine:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _locked_within(descriptor: int, patience_s: float) -> bool:
    """Take the lock; False when it did not come free in time. The kernel knows no wait for it that ends by itself."""
    deadline, look_s = time.monotonic() + patience_s, FIRST_LOOK_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(look_s)
            look_s = min(look_s * 2, LONGEST_LOOK_S)
        else:
            return True
