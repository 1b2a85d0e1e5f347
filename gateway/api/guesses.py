"""Who guesses keys has to wait: wrong keys are counted by address, here and in the console alike.

An API key is name and secret in one, so there is no account that could be locked; an address that sent too many wrong keys has to
wait, also with a right one. Whoever was let in from that address before is let in still: a neighbour behind the same proxy must
not be able to lock others out. The count is kept in the memory of one process; of several each counts for itself.

What is kept is bounded, and whoever has to wait is never forgotten for it: the oldest of those who may go on are. Where everybody
who is counted has to wait, newcomers are counted in SHARED lots, which may make one wait for another's wrong keys.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

MOST_ADDRESSES = 10_000
MOST_KNOWN = 10_000
SHARED = 1_024


class Guesses:
    """Wrong keys of the last within_s seconds, by address; most of them are let pass."""

    def __init__(self, most: int, within_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._within_s = within_s
        self._clock = clock
        # When the last wrong keys came: from those who may go on, from those who wait, and from the lots.
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()
        self._waiting: OrderedDict[str, deque[float]] = OrderedDict()
        self._lots: dict[int, deque[float]] = {}
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._gate = threading.Lock()

    def wait_s(self, address: str) -> int:
        """For how many seconds nothing is tried from this address; 0: it may go on."""
        if not self._waiting:
            return 0
        with self._gate:
            if address in self._wrong:
                return 0
            left_s = self._left_s(self._waiting.get(address) or self._lots.get(_lot(address)))
            return int(left_s) + 1 if left_s > 0 else 0

    def wrong(self, address: str) -> None:
        """Note a wrong key."""
        with self._gate:
            if not self._has_place(address):
                self._lots.setdefault(_lot(address), deque(maxlen=self._most)).append(self._clock())
                return
            times = self._wrong.pop(address, None) or self._waiting.pop(address, None) or deque(maxlen=self._most)
            times.append(self._clock())
            (self._waiting if self._left_s(times) > 0 else self._wrong)[address] = times

    def _left_s(self, times: deque[float] | None) -> float:
        """Seconds until the first of the last wrong keys is old enough; not above 0 where they are too few."""
        return times[0] + self._within_s - self._clock() if times and len(times) == self._most else 0.0

    def _has_place(self, address: str) -> bool:
        """Whether this address is counted by itself; somebody who need not wait gives up his place for it."""
        if address in self._wrong or address in self._waiting:
            return True
        if len(self._wrong) + len(self._waiting) < MOST_ADDRESSES:
            return True
        if not self._wrong and self._left_s(next(iter(self._waiting.values()))) > 0:
            return False
        (self._wrong or self._waiting).popitem(last=False)
        return True

    def right(self, address: str, caller: str) -> None:
        """Note who was let in. caller: how the timeline names it, never the key."""
        if (address, caller) in self._known:
            return
        with self._gate:
            self._known[(address, caller)] = None
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)

    def is_known(self, address: str, caller: str) -> bool:
        """Whether this caller was let in from this address before."""
        return (address, caller) in self._known


def _lot(address: str) -> int:
    # By Python's keyed hash of text: nobody outside can choose whom he shares with.
    return hash(address) % SHARED
