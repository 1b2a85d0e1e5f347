"""Whose turn it is to write: processes on one SQLite file queue up at a file lock.

SQLite itself has no queue. Who finds the file locked sleeps and looks again, and a busy writer leaves it free for moments
only, so the other would look in vain for seconds. The kernel wakes whoever waits at a file lock the moment it is free.
The lock orders writers and guards nothing: BEGIN IMMEDIATE does that, also against programs that do not know this lock.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turnstile:
    """The lock of one file; opened with its first use. Held by at most one thread of a process at a time."""

    __slots__ = ("_descriptor", "_path")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for its turn. The kernel ends it if the process dies."""
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
