"""Who guesses keys has to wait: wrong keys are counted by address, here and in the console alike.

An API key is name and secret in one, so there is no account that could be locked; an address that sent too many wrong keys has to
wait, also with a right one. Whoever was let in from that address before is let in still: a neighbour behind the same proxy must
not be able to lock others out. Each process counts in its memory and tells the others within a second what it counted and whom it
let in. Whoever uses that second to try in all of them at once has used up what he may try later: a wrong key beyond the number
stands for one of a later time, so he gets no more tries than with one process, only earlier.

What is kept is bounded, and whoever has to wait is never forgotten for it: the oldest of those who may go on are. Where everybody
who is counted has to wait, newcomers are counted in SHARED lots, which may make one wait for another's wrong keys.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from gateway.pipeline.exchange import TOLD_FOR_S, Exchange, Tell, to_nobody

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
        # Who was let in, and when the other processes were told.
        self._known: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._gate = threading.Lock()
        self._tell_wrong: Tell = to_nobody
        self._tell_right: Tell = to_nobody

    def shared(self, exchange: Exchange, door: str) -> Guesses:
        """These, as what all processes of the gateway count together at one of its doors."""
        self._tell_wrong = exchange.topic(f"wrong {door}", self._wrong_elsewhere)
        self._tell_right = exchange.topic(f"right {door}", self._right_elsewhere)
        return self

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
            self._note(address, self._clock())
        self._tell_wrong(address, 1)

    def _wrong_elsewhere(self, address: str, count: float, ago_s: float) -> None:
        if ago_s >= self._within_s:
            return
        with self._gate:
            for _ in range(min(int(count), self._most)):
                self._note(address, self._clock() - ago_s)

    def _note(self, address: str, at: float) -> None:
        if not self._has_place(address):
            self._add(self._lots.setdefault(_lot(address), deque(maxlen=self._most)), at)
            return
        times = self._wrong.pop(address, None) or self._waiting.pop(address, None) or deque(maxlen=self._most)
        self._add(times, at)
        (self._waiting if self._left_s(times) > 0 else self._wrong)[address] = times

    def _add(self, times: deque[float], at: float) -> None:
        """One that came while nothing more was to be tried counts for the time from which it might have been."""
        if len(times) == self._most:
            at = max(at, times[0] + self._within_s)
        times.append(max(at, times[-1]) if times else at)

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
        now, told = self._clock(), self._known.get((address, caller))
        if told is None or told + TOLD_FOR_S < now:
            self._know((address, caller), now)
            self._tell_right(f"{address} {caller}", 1)

    def _right_elsewhere(self, name: str, _amount: float, ago_s: float) -> None:
        address, _, caller = name.partition(" ")
        self._know((address, caller), self._clock() - ago_s)

    def _know(self, one: tuple[str, str], told: float) -> None:
        with self._gate:
            self._known[one] = told
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)

    def is_known(self, address: str, caller: str) -> bool:
        """Whether this caller was let in from this address before."""
        return (address, caller) in self._known


def _lot(address: str) -> int:
    # By Python's keyed hash of text: nobody outside can choose whom he shares with.
    return hash(address) % SHARED
