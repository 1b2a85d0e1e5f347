"""Lanes in threads: each agreement is sent for, and collected from, by threads of its own, so no partner slows another.

The database is the truth and the engine holds no state worth keeping: it may be stopped, killed or doubled at any time. A lane
sleeps until somebody rings for it: its own process, when something was accepted, or the one watch that looks for all lanes, every
20 ms to 1 s, less often the longer it finds nothing, so that what another process accepted is picked up too.
A partner that takes several messages at once gets a second hand: while one waits for him, the other claims, signs and writes down.
"""

from __future__ import annotations

import itertools
import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway import ids
from gateway.agreements import Agreement
from gateway.errors import GatewayError, trace
from gateway.ports import Incoming, Store

LOG = logging.getLogger(__name__)
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 1.0
# Answers that are taken together: they share a commit, and one of them does not wait long for the others.
PORTION = 32
# Of a lane whose partner takes several messages at once; two batches suffice, one on the wire and one being made ready.
HANDS = 2


class LaneRunner(Protocol):
    """The dispatcher, as far as the engine needs it."""

    def run_lane(self, agreement_id: str, worker: str, limit: int) -> int: ...
    def keep_leases(self) -> None: ...
    def halt(self) -> None: ...


class ReplySink(Protocol):
    def receive_each(self, incoming: Sequence[Incoming]) -> Sequence[object]: ...


class Sweeps(Protocol):
    def look(self) -> object: ...
    def ask(self, agreement_id: str) -> int: ...
    def sequence(self) -> int: ...


class Collects(Protocol):
    def collect(self, limit: int) -> Iterator[tuple[Incoming, Callable[[], None]]]: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How the engine works: batch, most messages a claim; lease_s as the dispatcher has it; sweep_s between two sweeps."""

    batch: int = 64
    lease_s: int = 30
    sweep_s: float = 1.0
    longest_pause_s: float = LONGEST_PAUSE_S


class Pause:
    """How long to look away: not at all after work, then longer and longer. Woken early by wake()."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._next_s = SHORTEST_PAUSE_S
        self._bell = threading.Event()

    def wake(self) -> None:
        self._bell.set()

    def after(self, *, found: bool) -> None:
        """Wait after a look that found something, or nothing."""
        if found:
            self._next_s = SHORTEST_PAUSE_S
            return
        if self._bell.wait(self._next_s):
            self._next_s = SHORTEST_PAUSE_S
            self._bell.clear()
        else:
            self._next_s = min(self._next_s * 1.5, self._longest_s)


class Hand:
    """One thread that sends for a lane: its bell, and from when on the watch may ring it: not while it works, and ever more seldom
    while that is in vain.
    """

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._next_s = SHORTEST_PAUSE_S
        self._rings_from = 0.0
        self._bell = threading.Event()

    @property
    def works(self) -> bool:
        return self._rings_from == math.inf

    def ring(self) -> None:
        self._bell.set()

    def is_open(self) -> bool:
        """Whether the watch may ring."""
        return time.monotonic() >= self._rings_from

    def begin(self) -> None:
        """Sleep until the bell rings."""
        self._bell.wait()
        self._bell.clear()
        self._rings_from = math.inf

    def end(self, *, found: bool) -> None:
        """Nothing more is to be taken now. found: something was, since the bell rang."""
        self._next_s = SHORTEST_PAUSE_S if found else min(self._next_s * 1.5, self._longest_s)
        self._rings_from = time.monotonic() + self._next_s


class Engine:
    """Everything that runs by itself in one process. start() returns at once; stop() lets what is on the wire finish."""

    def __init__(
        self,
        store: Store,
        agreements: Mapping[str, Agreement],
        dispatcher: LaneRunner,
        receiver: ReplySink,
        sweeper: Sweeps,
        transports: Mapping[str, Collects],
        *,
        pace: Pace | None = None,
        worker: str = "",
    ) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._receiver = receiver
        self._sweeper = sweeper
        self._transports = transports
        self._pace = pace or Pace()
        self.worker = worker or f"{socket.gethostname()}-{os.getpid()}-{ids.new_id()[-6:]}"
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lanes = {
            name: [Hand(self._pace.longest_pause_s) for _ in range(min(agreement.parallel, HANDS))]
            for name, agreement in agreements.items()
        }
        self._pauses: list[Pause] = []
        # A confirmation may hang with its partner, so readers are not shared either. Their threads begin with their first work.

    def start(self) -> None:
        """Start every thread. An engine starts once."""
        if self._threads:
            raise RuntimeError("the engine runs already")
        for agreement_id, hands in self._lanes.items():
            for hand in hands:
                self._thread(f"lane-{agreement_id}", self._run, agreement_id, hand)
            self._thread(f"poll-{agreement_id}", self._collect, agreement_id, self._pause())
        self._thread("watch", self._watch, self._pause())
        self._thread("sweep", self._sweep)
        self._thread("sequence", self._sequence, self._pause())
        self._thread("leases", self._keep_leases)
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Begin nothing more, and wait for what is on the wire; whether every thread has ended in time."""
        self._stopping.set()
        self._dispatcher.halt()
        for pause in self._pauses:
            pause.wake()
        for hand in itertools.chain.from_iterable(self._lanes.values()):
            hand.ring()
        deadline = time.monotonic() + timeout_s
        # Leases are kept until the lanes have ended.
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def wake(self, agreement_ids: Sequence[str]) -> None:
        """Something was accepted for these agreements: look now."""
        for agreement_id in agreement_ids:
            hands = self._lanes.get(agreement_id)
            if hands is not None:
                next((hand for hand in hands if not hand.works), hands[0]).ring()

    def _pause(self) -> Pause:
        pause = Pause(self._pace.longest_pause_s)
        self._pauses.append(pause)
        return pause

    def _thread(self, name: str, target: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=target, args=arguments, name=name, daemon=True))

    def _run(self, agreement_id: str, hand: Hand) -> None:
        while not self._stopping.is_set():
            hand.begin()
            found = False
            while not self._stopping.is_set() and self._run_lane(agreement_id):
                found = True
            hand.end(found=found)

    def _run_lane(self, agreement_id: str) -> int:
        try:
            return self._dispatcher.run_lane(agreement_id, self.worker, self._pace.batch)
        except GatewayError as problem:
            LOG.error("lane %s: %s", agreement_id, problem.code)
        except Exception as problem:  # noqa: BLE001 - this thread goes on with the others
            LOG.error("lane %s: %s", agreement_id, trace(problem))
        return 0

    def _watch(self, pause: Pause) -> None:
        """One look for all lanes, without a write. Who has due work is rung for and does the rest in a thread of its own."""
        while not self._stopping.is_set():
            rung = False
            try:
                with self._store.read() as reading:
                    due = reading.due_lanes(ids.now_us())
                for hands in (self._lanes[name] for name in due if name in self._lanes):
                    free = next((hand for hand in hands if hand.is_open()), None)
                    if free is not None:
                        free.ring()
                        rung = True
            except Exception as problem:  # noqa: BLE001 - the next look may succeed
                LOG.error("looking for work: %s", trace(problem))
            # What was rung for is left a moment to be claimed.
            pause.after(found=rung)
            pause.after(found=False)

    def _collect(self, agreement_id: str, pause: Pause) -> None:
        """Take answers, and ask about messages in doubt: both wait for this partner, and for no other."""
        ask_at = 0.0
        while not self._stopping.is_set():
            taken = self._collect_once(agreement_id)
            if time.monotonic() >= ask_at:
                self._ask(agreement_id)
                ask_at = time.monotonic() + self._pace.sweep_s
            if not self._stopping.is_set():
                pause.after(found=bool(taken))

    def _collect_once(self, agreement_id: str) -> int:
        """Take what waits, several at a time so that they share commits; what one answer does never stops the others."""
        taken = 0
        try:
            waiting = self._transports[agreement_id].collect(self._pace.batch)
            while not self._stopping.is_set() and (portion := list(itertools.islice(waiting, PORTION))):
                outcomes = self._receiver.receive_each([incoming for incoming, _ in portion])
                for (_, confirm), outcome in zip(portion, outcomes, strict=True):
                    taken += self._confirmed(agreement_id, confirm, outcome)
        except GatewayError as problem:
            LOG.warning("collecting for %s: %s", agreement_id, problem.code)
            # Something that cannot be taken now stays where it is; the pause grows as if nothing had come.
            return 0
        except Exception as problem:  # noqa: BLE001 - this thread goes on with the others
            LOG.error("collecting for %s: %s", agreement_id, trace(problem))
            return 0
        return taken

    def _confirmed(self, agreement_id: str, confirm: Callable[[], None], outcome: object) -> bool:
        """Confirm what was taken; what was not is told in the log and stays where it is."""
        problem = outcome if isinstance(outcome, BaseException) else None
        if problem is None:
            try:
                confirm()
            except Exception as fault:  # noqa: BLE001 - this thread goes on with the others
                problem = fault
        if isinstance(problem, GatewayError):
            LOG.warning("collecting for %s: %s", agreement_id, problem.code)
        elif problem is not None:
            LOG.error("collecting for %s: %s", agreement_id, trace(problem))
        return problem is None

    def _ask(self, agreement_id: str) -> None:
        try:
            self._sweeper.ask(agreement_id)
        except Exception as problem:  # noqa: BLE001 - this thread goes on with the others
            LOG.error("asking about messages of %s: %s", agreement_id, trace(problem))

    def _sweep(self) -> None:
        while not self._stopping.is_set():
            try:
                self._sweeper.look()
            except Exception as problem:  # noqa: BLE001 - this thread goes on with the others
                LOG.error("the sweep: %s", trace(problem))
            self._stopping.wait(self._pace.sweep_s)

    def _sequence(self, pause: Pause) -> None:
        """Positions are given soon after the commit, in a thread of its own: nobody who writes waits for it."""
        while not self._stopping.is_set():
            given = 0
            try:
                given = self._sweeper.sequence()
            except Exception as problem:  # noqa: BLE001 - this thread goes on with the others
                LOG.error("the sequencer: %s", trace(problem))
            if given:
                # A moment for more to gather: positions are cheap by the hundred.
                self._stopping.wait(SHORTEST_PAUSE_S * 2)
            elif not self._stopping.is_set():
                pause.after(found=False)

    def _keep_leases(self) -> None:
        lanes = [thread for thread in self._threads if thread.name.startswith("lane-")]
        while not self._stopping.wait(self._pace.lease_s / 3) or any(thread.is_alive() for thread in lanes):
            try:
                self._dispatcher.keep_leases()
            except Exception as problem:  # noqa: BLE001 - this thread goes on with the others
                LOG.error("keeping leases: %s", trace(problem))
            if self._stopping.is_set():
                time.sleep(SHORTEST_PAUSE_S)
