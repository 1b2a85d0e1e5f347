"""Filing, many at a time: one thread prepares what has come in and stores it in one commit.

Preparing is all processor time, and Python runs one thread at a time. Threads that file side by side would only take the
interpreter from each other, in the middle of a transaction too, while other processes wait for the database. So one thread takes
what is queued, prepares each filing in one snapshot, stores those that nothing speaks against, and hands all answers back at once.
What comes meanwhile is the next batch. A body above LARGE_BYTES takes its time with others of its kind, in a thread of their own,
so that everyday filings do not wait behind it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol

from gateway.pipeline.submission import Accepted, Prepared, Submission

LARGE_BYTES = 128 * 1024
# An answer waits for its whole batch. Of everyday filings so many take a few hundredths of a second.
MOST_TOGETHER, MOST_LARGE = 16, 1

Outcome = Prepared | Accepted


class Submits(Protocol):
    """What is done with a filing, by gateway.pipeline.submit."""

    def prepare_each(self, submissions: Sequence[Submission]) -> list[Prepared | Exception]: ...
    def accept_each(self, prepared: Sequence[Prepared]) -> list[Accepted | BaseException]: ...


@dataclass(frozen=True, slots=True, eq=False)
class _Filed:
    """One filing on its way. answer: of the event loop that waits for it."""

    submission: Submission
    dry_run: bool
    answer: asyncio.Future[Outcome]


class Intake:
    """Takes filings of one process. Its threads begin with the first filing."""

    def __init__(self, submitter: Submits) -> None:
        self._everyday = _Lane(submitter, "filing", MOST_TOGETHER)
        self._large = _Lane(submitter, "filing-large", MOST_LARGE)

    async def rehearse(self, submission: Submission, size: int) -> Prepared:
        """What would be sent; nothing is stored. size: of the body, in bytes. Raises as Submitter.prepare() does."""
        outcome = await self._lane(size).take(submission, dry_run=True)
        assert isinstance(outcome, Prepared)
        return outcome

    async def file(self, submission: Submission, size: int) -> Accepted:
        """What is told once it is on disk. Raises as Submitter.submit() does."""
        outcome = await self._lane(size).take(submission, dry_run=False)
        assert isinstance(outcome, Accepted)
        return outcome

    def close(self) -> None:
        """Finish what was taken."""
        self._everyday.close()
        self._large.close()

    def _lane(self, size: int) -> _Lane:
        return self._large if size > LARGE_BYTES else self._everyday


class _Lane:
    """One thread and what waits for it."""

    def __init__(self, submitter: Submits, name: str, most: int) -> None:
        self._submitter = submitter
        self._name = name
        self._most = most
        self._queue: SimpleQueue[_Filed | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._thread: threading.Thread | None = None

    async def take(self, submission: Submission, *, dry_run: bool) -> Outcome:
        filed = _Filed(submission, dry_run, asyncio.get_running_loop().create_future())
        if self._thread is None:
            self._begin()
        self._queue.put(filed)
        return await filed.answer

    def close(self) -> None:
        with self._gate:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def _begin(self) -> None:
        with self._gate:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
                self._thread.start()

    def _serve(self) -> None:
        ending = False
        while not ending:
            taken = [self._queue.get()]
            try:
                while len(taken) < self._most and taken[-1] is not None:
                    taken.append(self._queue.get_nowait())
            except Empty:
                pass
            ending = taken[-1] is None
            self._answer([filed for filed in taken if filed is not None])

    def _answer(self, filed: Sequence[_Filed]) -> None:
        """Give every filing its outcome, those of one event loop with one call into it."""
        try:
            outcomes = self._outcomes(filed)
        except BaseException as problem:  # noqa: BLE001 - whoever filed raises it
            outcomes = [problem] * len(filed)
        by_loop: dict[asyncio.AbstractEventLoop, list[Callable[[], None]]] = {}
        for one, outcome in zip(filed, outcomes, strict=True):
            by_loop.setdefault(one.answer.get_loop(), []).append(_telling(one.answer, outcome))
        for loop, tells in by_loop.items():
            try:
                loop.call_soon_threadsafe(_each, tells)
            except RuntimeError:
                # The loop was closed: nobody is left to be told, and what was stored stays stored.
                continue

    def _outcomes(self, filed: Sequence[_Filed]) -> list[Outcome | BaseException]:
        outcomes: list[Outcome | BaseException] = list(self._submitter.prepare_each([one.submission for one in filed]))
        kept = {
            number: outcome
            for number, (one, outcome) in enumerate(zip(filed, outcomes, strict=True))
            if isinstance(outcome, Prepared) and not one.dry_run
        }
        for number, accepted in zip(kept, self._submitter.accept_each(list(kept.values())), strict=True):
            outcomes[number] = accepted
        return outcomes


def _telling(answer: asyncio.Future[Outcome], outcome: Outcome | BaseException) -> Callable[[], None]:
    def tell() -> None:
        if answer.cancelled():
            return
        if isinstance(outcome, BaseException):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)

    return tell


def _each(tells: Sequence[Callable[[], None]]) -> None:
    for tell in tells:
        tell()
