"""Group commit: units of work of many threads share one transaction, so that they share the one sync to disk.

Who wants to write stands in a queue. The first in it leads: takes what is queued, up to a batch, runs it in its own thread
between one BEGIN and one COMMIT, tells the others what became of theirs, and hands over to whoever is first in the queue by then.
While the disk works, the next batch gathers by itself; nobody waits for company, and who writes alone wakes no other thread.
Rule 1: a caller returns only after the COMMIT that holds its unit.
Rule 2: a unit that raises is undone alone, by its savepoint, and raises in its caller. If the COMMIT fails, all fail.
Rule 3: a unit may be run again from its beginning when the database undid the transaction to resolve a deadlock, and it may run in
        another caller's thread. So it changes nothing outside of the database that it could not change twice.
Rule 4: a unit never calls write() or reserve() of the store: they would wait for the batch that it is part of.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.pool import PoolProxiedConnection

from gateway.errors import Finding, NeedsOperator
from gateway.storage.database import DRIVER_ERRORS, Database, is_busy, passes, telling, told
from gateway.storage.payloads import PayloadFolder
from gateway.storage.transactions import SqlWriting
from gateway.watch.metrics import COMMIT_SECONDS, COMMIT_UNITS

Unit = Callable[[SqlWriting], Any]
BUSY_PATIENCE_S = 60.0
TRIES_ALONE = 6


class Job:
    """One unit on its way, and what became of it."""

    __slots__ = ("problem", "result", "unit")

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.result: Any = None
        self.problem: BaseException | None = None


class _Party:
    """The units that one caller brings together, and how it is woken: they are done, or it is its turn to lead."""

    __slots__ = ("done", "jobs", "woken")

    def __init__(self, units: Sequence[Unit]) -> None:
        self.jobs = [Job(unit) for unit in units]
        self.done = False
        # A bare lock wakes its waiter in half the time of an Event, which matters at thousands a second.
        self.woken = threading.Lock()
        self.woken.acquire()


def _to_nobody() -> None:
    """Nobody wants to hear of commits."""


class Undone(Exception):
    """The database undid the whole transaction; the same again will do."""


class GroupCommit:
    """What orders the writers of one process. Its connection is made with the first write, so a fork before it is safe.

    most: units in one transaction; more of one caller stay together all the same. heard: called behind each commit of this process,
    by a thread that others wait for, so it only takes note.
    """

    def __init__(self, database: Database, payloads: PayloadFolder, most: int) -> None:
        self._database = database
        self._payloads = payloads
        self._most = most
        self._queue: deque[_Party] = deque()
        self._gate = threading.Condition()
        self.heard: Callable[[], None] = _to_nobody
        self._led = False
        self._leader: int | None = None
        self._closed = False
        self._connection: PoolProxiedConnection | None = None
        self._cursor: Any = None

    def run(self, unit: Unit) -> Any:
        """Run unit in a transaction and return what it returned, once that is on disk."""
        (job,) = self.run_each([unit])
        if job.problem is not None:
            raise job.problem
        return job.result

    def run_each(self, units: Sequence[Unit]) -> list[Job]:
        """Run units, each on its own, in as few transactions as can be; their jobs say what became of each."""
        if not units:
            return []
        party = _Party(units)
        if self._leader == threading.get_ident():
            raise RuntimeError("a unit of work must not begin another one")
        with self._gate:
            if self._closed:
                raise RuntimeError("the store is closed")
            self._queue.append(party)
            leads, self._led = not self._led, True
        if not leads:
            party.woken.acquire()
        if not party.done:
            self._lead()
        return party.jobs

    def close(self) -> None:
        """Wait until what is queued is finished, take no more, and let go of the connection."""
        with self._gate:
            self._closed = True
            self._gate.wait_for(lambda: not self._led)
        self._drop_connection()

    def _lead(self) -> None:
        """Commit one batch, wake its callers, and hand over. The leader's own party stands first in the queue."""
        batch = [self._queue.popleft()]
        count = len(batch[0].jobs)
        while self._queue and count + len(self._queue[0].jobs) <= self._most:
            batch.append(self._queue.popleft())
            count += len(batch[-1].jobs)
        self._leader = threading.get_ident()
        begun = time.perf_counter()
        try:
            self._commit([job for party in batch for job in party.jobs])
            self.heard()
        finally:
            COMMIT_UNITS.observe(count)
            COMMIT_SECONDS.observe(time.perf_counter() - begun)
            self._leader = None
            for party in batch:
                party.done = True
            for party in batch[1:]:
                party.woken.release()
            with self._gate:
                if self._queue:
                    self._queue[0].woken.release()
                else:
                    self._led = False
                    self._gate.notify_all()

    def _commit(self, jobs: list[Job]) -> None:
        """Give every job its result or its problem. Never raises."""
        try:
            with self._database.turn():
                if len(jobs) == 1 or not self._together(jobs):
                    for job in jobs:
                        self._alone(job)
        except BaseException as problem:  # noqa: BLE001 - the callers raise it
            self._drop_connection()
            for job in jobs:
                job.problem = _ours(problem)

    def _together(self, jobs: list[Job]) -> bool:
        """One transaction with a savepoint each. False when the database undid it as a whole: nothing has happened."""
        cursor = self._begin()
        writing = SqlWriting(cursor, self._database.name, self._payloads)
        try:
            for job in jobs:
                cursor.execute("SAVEPOINT unit")
                try:
                    job.result = job.unit(writing)
                    job.problem = None
                    cursor.execute("RELEASE SAVEPOINT unit")
                except BaseException as problem:  # noqa: BLE001 - its caller raises it
                    if passes(problem):
                        raise Undone from None
                    job.problem = _ours(problem)
                    cursor.execute("ROLLBACK TO SAVEPOINT unit")
                    cursor.execute("RELEASE SAVEPOINT unit")
            self._end(cursor)
        except Undone:
            cursor.execute("ROLLBACK")
            return False
        return True

    def _alone(self, job: Job) -> None:
        """One unit in a transaction of its own. Never raises: others of its batch may be committed already."""
        try:
            self._try_alone(job)
        except BaseException as problem:  # noqa: BLE001 - its caller raises it
            self._drop_connection()
            job.problem = _ours(problem)

    def _try_alone(self, job: Job) -> None:
        """Runs the unit, again where others stood in its way."""
        for tries_left in reversed(range(TRIES_ALONE)):
            cursor = self._begin()
            try:
                job.result = job.unit(SqlWriting(cursor, self._database.name, self._payloads))
                job.problem = None
            except BaseException as problem:  # noqa: BLE001 - its caller raises it
                cursor.execute("ROLLBACK")
                if passes(problem) and tries_left:
                    time.sleep(random.uniform(0.001, 0.02))  # noqa: S311 - no secret
                    continue
                job.problem = _ours(problem)
                return
            self._end(cursor)
            return

    def _end(self, cursor: Any) -> None:
        with telling():
            cursor.execute("COMMIT")

    def _begin(self) -> Any:
        """Begin to write. Waits while other processes do; reconnects once where the server hung up on us."""
        deadline = time.monotonic() + BUSY_PATIENCE_S
        reconnected = False
        while True:
            try:
                if self._cursor is None:
                    self._connection = self._database.connect()
                    self._cursor = self._connection.cursor()
                self._cursor.execute(self._database.begin_write)
                return self._cursor
            except DRIVER_ERRORS as problem:
                if is_busy(problem):
                    if time.monotonic() < deadline:
                        continue
                    finding = Finding("storage.database.busy", found=f"{BUSY_PATIENCE_S:.0f} s")
                    raise NeedsOperator("another process holds the database", [finding]) from None
                self._drop_connection()
                self._database.forget_connections()
                if reconnected:
                    raise _ours(problem) from None
                reconnected = True

    def _drop_connection(self) -> None:
        connection, self._connection, self._cursor = self._connection, None, None
        if connection is not None:
            connection.invalidate()


def _ours(problem: BaseException) -> BaseException:
    """The problem as callers know it: a driver's error becomes one of gateway.errors."""
    if isinstance(problem, DRIVER_ERRORS):
        return told(problem) or problem
    return problem
