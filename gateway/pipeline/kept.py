"""Answers that were kept although their message is known by now: what a crash, a fault or sheer number kept from being tried.

Whoever teaches a message an id tries the kept answers that name it, after his commit. What that misses is found here: about once an
hour, and when the process starts, all unmatched answers that name an id of some message are tried again, a page at each look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from gateway import ids
from gateway.ports import Store

# Of so many kept answers that name an id just taught, its teacher has them tried; more are left to the watch.
MOST_AT_ONCE = 50
HOUR_US = 3_600_000_000
# Each is verified and decoded while the rest of a sweep waits.
PAGE = 20


class Retries(Protocol):
    """The receiver, as far as this watch needs it."""

    def retry_kept(self, inbound_ids: Sequence[str]) -> None: ...


class KeptWatch:
    """Called at each sweep; one a process."""

    def __init__(
        self, store: Store, receiver: Retries, *, page: int = PAGE, clock: Callable[[], int] = ids.now_us
    ) -> None:
        self._store = store
        self._receiver = receiver
        self._page = page
        self._clock = clock
        self._before_id = ""
        self._rest_until_us = 0

    def run_once(self) -> int:
        """Try one page, newest first; how many were tried. After the last page nothing is tried for an hour."""
        now = self._clock()
        if now < self._rest_until_us:
            return 0
        with self._store.read() as reading:
            found = [row.id for row in reading.matchable_inbound(before_id=self._before_id, limit=self._page)]
        whole = len(found) == self._page
        self._before_id = found[-1] if whole else ""
        self._rest_until_us = now if whole else now + HOUR_US
        self._receiver.retry_kept(found)
        return len(found)
