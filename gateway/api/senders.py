"""Who calls, and how many bodies of callers without a token are read at a time.

Rule 1: of one sender AT_A_TIME bodies for each agreement; of all senders of one agreement ALL_AT_A_TIME. Agreements do not share places.
Rule 2: who brought something new that was signed as agreed keeps places of his own: no crowd of others can take them. To send again
        what somebody else signed earns none.
Rule 3: what is remembered is bounded. Places are those of one process; who has places of his own in one soon has them in all.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from gateway.api.problems import Crowded, TooMany
from gateway.pipeline.exchange import TOLD_FOR_S, Exchange, Tell, to_nobody

AT_A_TIME, ALL_AT_A_TIME = 8, 64
MOST_PROVEN = 4_096


@lru_cache(maxsize=4096)
def sender_of(host: str) -> str:
    """Who calls, as far as the line tells: the address, of IPv6 the network of one customer (RFC 6177); "unknown" on no network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 56), strict=False))


class Places:
    """The places of all agreements. retry_after_s: what who finds none is told, the time in which a slow body gives its place back."""

    def __init__(self, retry_after_s: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._retry_after_s = retry_after_s
        self._clock = clock
        self._own: Counter[tuple[str, str]] = Counter()
        self._shared: Counter[str] = Counter()
        # Who, and when the other processes were told.
        self._proven: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._gate = threading.Lock()
        self._tell: Tell = to_nobody

    def shared(self, exchange: Exchange) -> Places:
        """These, knowing also who proved himself to another process of the gateway."""
        self._tell = exchange.topic("proven", self._proven_elsewhere)
        return self

    @contextmanager
    def taken(self, agreement_id: str, sender: str) -> Iterator[None]:
        """While one body of this sender is read. TooMany where his places are taken, Crowded where those of all strangers are."""
        one = (agreement_id, sender)
        with self._gate:
            shares = one not in self._proven
            if self._own.get(one, 0) >= AT_A_TIME:
                raise TooMany(self._retry_after_s)
            if shares and self._shared.get(agreement_id, 0) >= ALL_AT_A_TIME:
                raise Crowded(self._retry_after_s)
            self._own[one] += 1
            self._shared[agreement_id] += shares
        try:
            yield
        finally:
            with self._gate:
                self._own[one] -= 1
                self._shared[agreement_id] -= shares
                if not self._own[one]:
                    del self._own[one]

    def prove(self, agreement_id: str, sender: str) -> None:
        """Note who brought something new that was signed as agreed."""
        now = self._clock()
        with self._gate:
            told = self._proven.get((agreement_id, sender))
            is_news = told is None or told + TOLD_FOR_S < now
            self._keep((agreement_id, sender), now if told is None or is_news else told)
        if is_news:
            self._tell(f"{agreement_id} {sender}", 1)

    def _proven_elsewhere(self, name: str, _amount: float, ago_s: float) -> None:
        agreement_id, _, sender = name.partition(" ")
        with self._gate:
            self._keep((agreement_id, sender), self._clock() - ago_s)

    def _keep(self, one: tuple[str, str], told: float) -> None:
        self._proven[one] = told
        self._proven.move_to_end(one)
        if len(self._proven) > MOST_PROVEN:
            self._proven.popitem(last=False)
