"""Who guesses keys has to wait: wrong keys are counted by address, here and in the console alike.

An API key is name and secret in one, so there is no account that could be locked; an address that sent too many wrong keys has to
wait, also with a right one. Whoever was let in from that address before is let in still: a neighbour behind the same proxy must
not be able to lock others out. The count is kept in the memory of one process; of several each counts for itself.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

MOST_ADDRESSES = 10_000
MOST_KNOWN = 10_000


class Guesses:
    """Wrong keys of the last within_s seconds, by address; most of them are let pass."""

    def __init__(self, most: int, within_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._within_s = within_s
        self._clock = clock
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._gate = threading.Lock()

    def wait_s(self, address: str) -> int:
        """For how many seconds nothing is tried from this address; 0: it may go on."""
        if address not in self._wrong:
            return 0
        with self._gate:
            times = self._wrong.get(address, deque())
            now = self._clock()
            while times and times[0] <= now - self._within_s:
                times.popleft()
            if len(times) < self._most:
                return 0
            return int(times[0] + self._within_s - now) + 1

    def wrong(self, address: str) -> None:
        """Note a wrong key."""
        with self._gate:
            times = self._wrong.pop(address, None) or deque(maxlen=self._most)
            times.append(self._clock())
            self._wrong[address] = times
            if len(self._wrong) > MOST_ADDRESSES:
                self._wrong.popitem(last=False)

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
