"""Work that threads would only take the interpreter from each other for: one thread does it, what has come in meanwhile at once.

Python runs one thread at a time. Threads that prepare, verify and decode side by side are no faster, and they interrupt each other in the
middle of a transaction too, while other processes wait for the database. So one thread takes what is queued, does it in one commit,
and hands all outcomes back to the event loop with one call. What comes meanwhile is the next batch.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Batches(Generic[T, R]):
    """One thread and what waits for it; it begins with the first. do: the outcome of each, or what it raises; most: so many at once."""

    def __init__(self, name: str, do: Callable[[Sequence[T]], Sequence[R | BaseException]], most: int) -> None:
        self._name = name
        self._do = do
        self._most = most
        self._queue: SimpleQueue[_Waiting[T, R] | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._thread: threading.Thread | None = None

    async def take(self, task: T) -> R:
        """The outcome of one task, once it is done; raises what doing it raised."""
        return await self.put(task)

    def put(self, task: T) -> asyncio.Future[R]:
        """Queue one task; its outcome is to be awaited."""
        waiting: _Waiting[T, R] = _Waiting(task)
        if self._thread is None:
            self._begin()
        self._queue.put(waiting)
        return waiting.answer

    def close(self) -> None:
        """Finish what was taken."""
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
            self._answer([one for one in taken if one is not None])

    def _answer(self, taken: Sequence[_Waiting[T, R]]) -> None:
        """Give every task its outcome, those of one event loop with one call into it."""
        try:
            outcomes = self._do([one.task for one in taken])
        except BaseException as problem:  # noqa: BLE001 - whoever waits raises it
            outcomes = [problem] * len(taken)
        by_loop: dict[asyncio.AbstractEventLoop, list[Callable[[], None]]] = {}
        for one, outcome in zip(taken, outcomes, strict=True):
            by_loop.setdefault(one.answer.get_loop(), []).append(_telling(one.answer, outcome))
        for loop, tells in by_loop.items():
            try:
                loop.call_soon_threadsafe(_each, tells)
            except RuntimeError:
                # The loop was closed: nobody is left to be told, and what was stored stays stored.
                continue


class _Waiting(Generic[T, R]):
    """One task on its way. answer: of the event loop that waits for it."""

    __slots__ = ("answer", "task")

    def __init__(self, task: T) -> None:
        self.task = task
        self.answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()


def _telling(answer: asyncio.Future[R], outcome: R | BaseException) -> Callable[[], None]:
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
