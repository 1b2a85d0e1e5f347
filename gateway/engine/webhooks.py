"""Webhooks in threads of their own: whatever their targets do, no partner's lane waits, and no target for another's.

One thread announces events, one looks for webhooks that have something due, and two bounded groups of threads call. Targets that
failed last time or answer slowly are called by a group of their own and one call at a time; so those that are dead wait for each
other only. As in the lanes the database is the truth: this may be killed or doubled at any time.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from gateway import ids
from gateway.engine.lanes import SHORTEST_PAUSE_S, Pause
from gateway.errors import GatewayError, trace
from gateway.ports import Store, WebhookRow

LOG = logging.getLogger(__name__)
T = TypeVar("T")
QUICK, TROUBLED = 16, 8
AT_ONCE = 2
SLOW_MS = 2_000
FORGET_EVERY_S = 3_600


class Announces(Protocol):
    def run_once(self) -> int: ...
    def forget(self) -> int: ...


class Turned(Protocol):
    @property
    def sent(self) -> int: ...
    @property
    def slowest_ms(self) -> int: ...


class Calls(Protocol):
    def run(self, webhook_id: str) -> Turned: ...
    def halt(self) -> None: ...


class _Group:
    """Threads that make calls; nothing waits in line for them, so that what is dead does not stand before what lives."""

    def __init__(self, name: str, size: int) -> None:
        self.size = size
        self.busy = 0
        self.threads = ThreadPoolExecutor(size, thread_name_prefix=f"webhook-{name}")


class WebhookEngine:
    """start() returns at once; stop() lets the calls that are being made finish."""

    def __init__(self, store: Store, announcer: Announces, calls: Calls, *, longest_pause_s: float = 1.0) -> None:
        self._store = store
        self._announcer = announcer
        self._calls = calls
        self._stopping = threading.Event()
        self._gate = threading.Lock()
        self._out: Counter[str] = Counter()
        self._slow: set[str] = set()
        self._quick, self._troubled = _Group("quick", QUICK), _Group("troubled", TROUBLED)
        self._announced, self._looked = Pause(longest_pause_s), Pause(longest_pause_s)
        self._loops = [
            threading.Thread(target=self._announce, name="announce", daemon=True),
            threading.Thread(target=self._look, name="webhooks", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._loops:
            thread.start()

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Begin no further call; whether everything has ended in time."""
        deadline = time.monotonic() + timeout_s
        self._stopping.set()
        self._calls.halt()
        self._announced.wake()
        self._looked.wake()
        for thread in self._loops:
            thread.join(max(0.0, deadline - time.monotonic()))
        for group in (self._quick, self._troubled):
            group.threads.shutdown(wait=False)
        while self._out.total() and time.monotonic() < deadline:
            time.sleep(SHORTEST_PAUSE_S)
        return not self._out.total() and not any(thread.is_alive() for thread in self._loops)

    def _announce(self) -> None:
        forget_at = time.monotonic() + FORGET_EVERY_S
        while not self._stopping.is_set():
            found = self._safely("announcing", self._announcer.run_once) or 0
            if found:
                self._looked.wake()
                # A moment for more to gather: a commit for many costs what one for one does.
                self._stopping.wait(SHORTEST_PAUSE_S)
            if time.monotonic() >= forget_at:
                self._safely("forgetting deliveries", self._announcer.forget)
                forget_at = time.monotonic() + FORGET_EVERY_S
            if not self._stopping.is_set():
                self._announced.after(found=bool(found))

    def _look(self) -> None:
        while not self._stopping.is_set():
            begun = self._safely("looking for webhooks", self._begin_turns) or 0
            if not self._stopping.is_set():
                # What was begun is left a moment to be claimed.
                self._looked.after(found=bool(begun))
                self._looked.after(found=False)

    def _begin_turns(self) -> int:
        with self._store.read() as reading:
            due = reading.due_webhooks(ids.now_us())
        # Where threads are few, chance decides and not the alphabet.
        random.shuffle(due)
        return sum(self._begin(webhook) for webhook in due)

    def _begin(self, webhook: WebhookRow) -> bool:
        with self._gate:
            troubled = webhook.failures > 0 or webhook.id in self._slow
            group = self._troubled if troubled else self._quick
            # A second call at once is for quiet hours: those that have just died shall not take every thread.
            most = AT_ONCE if group is self._quick and group.busy < QUICK // 4 else 1
            if self._out[webhook.id] >= most or group.busy >= group.size or self._stopping.is_set():
                return False
            self._out[webhook.id] += 1
            group.busy += 1
        group.threads.submit(self._turn, webhook.id, group)
        return True

    def _turn(self, webhook_id: str, group: _Group) -> None:
        turned = self._safely("calling a webhook", lambda: self._calls.run(webhook_id))
        with self._gate:
            group.busy -= 1
            self._out[webhook_id] -= 1
            if not self._out[webhook_id]:
                del self._out[webhook_id]
            if turned is not None and turned.sent:
                (self._slow.add if turned.slowest_ms >= SLOW_MS else self._slow.discard)(webhook_id)
        if turned is not None and turned.sent:
            self._looked.wake()

    def _safely(self, what: str, act: Callable[[], T]) -> T | None:
        """What act returns; None where it failed, which is logged: these threads go on."""
        try:
            return act()
        except GatewayError as problem:
            LOG.error("%s: %s", what, problem.code)
        except Exception as problem:  # noqa: BLE001 - this thread goes on with the others
            LOG.error("%s: %s", what, trace(problem))
        return None
