"""The feed of events as it grows: one reader for all listeners of a process, and what each of them is given.

The reader asks the store for new positions, at once after a commit of its own process, else a few times a second for what other
processes committed; while nobody listens it asks nothing. What it reads stands in a window of bounded length. Listeners who want the
same share a channel, which knows what of the window is theirs, and only those channels that an event may concern are looked at: a
thousand idle listeners cost an event nothing.
Rule 1: a listener moves on by its place alone. What its channel no longer holds it reads from the store in pages, so nothing is
        skipped and nothing doubled, however far it lags behind and wherever it listened before.
Rule 2: what a channel holds is what it wants of the events behind its floor; below the floor the store knows.
Rule 3: the event loop never waits for the database: the reader is a thread, and pages are read by a few others.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from concurrent.futures import ThreadPoolExecutor

from gateway.errors import trace
from gateway.pipeline import feed_pages
from gateway.pipeline.feed_pages import CHUNK, Page, Wanted
from gateway.ports import Entry, Store

LOG = logging.getLogger(__name__)
WINDOW = 2_000  # events
BATCH = 200  # events given to a listener at once
POLL_S = 0.25  # how late another process's commit may be noticed
ROUND_S = 0.1  # between two rounds of the reader, so that under load many events share one
AFTER_FAILURE_S = 1.0
PAGE_READERS = 4

Key = tuple[str, str]


class Channel:
    """Listeners who want the same. floor: everything behind it that they want, and that came, is in positions."""

    def __init__(self, wanted: Wanted, floor: int) -> None:
        self.wanted = wanted
        self.floor = floor
        self.positions: deque[int] = deque()
        self.ears: set[Ear] = set()

    def forget(self, up_to: int) -> None:
        """Drop what left the window."""
        while self.positions and self.positions[0] <= up_to:
            self.floor = self.positions.popleft()

    def behind(self, place: int) -> list[int]:
        """The positions behind a place; costs as much as there are."""
        found = []
        for position in reversed(self.positions):
            if position <= place:
                break
            found.append(position)
        return found[::-1]


class Ear:
    """One listener. rung: set in its event loop when there may be something for it."""

    def __init__(self, channel: Channel, loop: asyncio.AbstractEventLoop) -> None:
        self.channel = channel
        self.loop = loop
        self.rung = asyncio.Event()


class Feed:
    """One a process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._gate = threading.Lock()
        self._channels: dict[Key, dict[Wanted, Channel]] = {}
        self._window: dict[int, Entry] = {}
        self._head = 0
        # Whether the reader has yet to find out where the feed stands: nobody listened until now.
        self._resting = True
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._ending = False
        self._reader: threading.Thread | None = None
        self._pages = ThreadPoolExecutor(max_workers=PAGE_READERS, thread_name_prefix="feed-page")

    def wake(self) -> None:
        """Something was committed in this process."""
        if self._channels:
            self._woken.set()

    def last(self) -> int:
        """The place behind everything that is committed by now."""
        feed_pages.sequence(self._store)
        with self._store.read() as reading:
            return reading.last_position()

    def page(self, wanted: Wanted, after: int, limit: int) -> Page:
        """What is wanted behind a place, of all that is committed by now."""
        feed_pages.sequence(self._store)
        return feed_pages.page(self._store, wanted, after, limit)

    async def stream(self, wanted: Wanted, after: int, idle_s: float) -> AsyncGenerator[Page]:
        """What is wanted behind a place, as it comes, until the feed ends; an empty page whenever nothing came for idle_s."""
        ear = self._enter(wanted)
        place = after
        try:
            while not self._ending:
                ear.rung.clear()
                page = self._held(ear.channel, place)
                if page is None:
                    page = await self._read_page(wanted, place)
                elif not page.entries:
                    place = page.position
                    if await _rings(ear, idle_s):
                        continue
                place = page.position
                yield page
        finally:
            self._leave(ear)

    def end(self) -> None:
        """Let every stream end. To be called in an event loop, or by any thread that holds nothing of the feed."""
        self._ending = True
        with self._gate:
            ears = [ear for channels in self._channels.values() for each in channels.values() for ear in each.ears]
        _ring(ears)

    def close(self) -> None:
        self.end()
        self._closing.set()
        self._woken.set()
        if self._reader is not None:
            self._reader.join()
        self._pages.shutdown(wait=True)

    def _enter(self, wanted: Wanted) -> Ear:
        with self._gate:
            if not self._channels:
                self._resting = True
                self._woken.set()
            channels = self._channels.setdefault(_key_of(wanted), {})
            channel = channels.get(wanted)
            if channel is None:
                channel = channels[wanted] = Channel(wanted, self._head)
            ear = Ear(channel, asyncio.get_running_loop())
            channel.ears.add(ear)
            if self._reader is None:
                self._reader = threading.Thread(target=self._run, name="feed", daemon=True)
                self._reader.start()
            return ear

    def _leave(self, ear: Ear) -> None:
        with self._gate:
            ear.channel.ears.discard(ear)
            key = _key_of(ear.channel.wanted)
            if not ear.channel.ears:
                del self._channels[key][ear.channel.wanted]
            if not self._channels[key]:
                del self._channels[key]

    def _held(self, channel: Channel, place: int) -> Page | None:
        """What the window holds for a channel behind a place; None where only the store knows."""
        with self._gate:
            if self._resting:
                return Page((), place)
            channel.forget(self._head - WINDOW)
            if place < channel.floor:
                return None
            positions = channel.behind(place)
            entries = tuple(self._window[position] for position in positions[:BATCH])
            more = len(positions) > BATCH
            return Page(entries, entries[-1].position if more else max(self._head, place), more)

    async def _read_page(self, wanted: Wanted, place: int) -> Page:
        ask = asyncio.get_running_loop().run_in_executor
        return await ask(self._pages, feed_pages.page, self._store, wanted, place, BATCH)

    def _run(self) -> None:
        failing = False
        while not self._closing.is_set():
            self._woken.wait(POLL_S if self._channels else None)
            self._woken.clear()
            if not self._channels:
                continue
            began = time.monotonic()
            try:
                self._round()
                failing = False
            except Exception as problem:  # noqa: BLE001 - listeners wait until the database is there again
                if not failing:
                    LOG.warning("the feed of events cannot be read: %s", trace(problem))
                failing = True
            pause_s = AFTER_FAILURE_S if failing else ROUND_S - (time.monotonic() - began)
            self._closing.wait(max(0.0, pause_s))

    def _round(self) -> None:
        """Read what is new and tell those whom it concerns."""
        feed_pages.sequence(self._store)
        while True:
            with self._store.read() as reading:
                last = reading.last_position()
                entries = [] if self._resting else reading.events_after(self._head, last, CHUNK)
            if self._resting:
                self._open(last)
            else:
                self._hand_out(entries)
            if len(entries) < CHUNK:
                return

    def _open(self, last: int) -> None:
        """Begin at the place where the feed stands; what listeners want below it the store has."""
        with self._gate:
            self._resting = False
            self._head = last
            self._window.clear()
            ears: list[Ear] = []
            for channels in self._channels.values():
                for channel in channels.values():
                    channel.floor = last
                    channel.positions.clear()
                    ears += channel.ears
        _ring(ears)

    def _hand_out(self, entries: Iterable[Entry]) -> None:
        with self._gate:
            if self._resting:
                return
            concerned: set[Channel] = set()
            for entry in entries:
                self._head = entry.position
                self._window[entry.position] = entry
                self._window.pop(entry.position - WINDOW, None)
                for key in (("", ""), ("tenant", entry.event.tenant), ("root", entry.event.root_id)):
                    for channel in self._channels.get(key, {}).values():
                        if channel.wanted.takes(entry):
                            channel.positions.append(entry.position)
                            concerned.add(channel)
            for channel in concerned:
                channel.forget(self._head - WINDOW)
            ears = [ear for channel in concerned for ear in channel.ears]
        _ring(ears)


def _key_of(wanted: Wanted) -> Key:
    """Where the channel is looked up when an event comes."""
    if wanted.declaration:
        return ("root", wanted.declaration)
    return ("", "") if wanted.tenant is None else ("tenant", wanted.tenant)


async def _rings(ear: Ear, within_s: float) -> bool:
    # Not wait_for(): up to Python 3.11 it forgets that it was cancelled where the bell rings at the same moment.
    try:
        async with asyncio.timeout(within_s):
            await ear.rung.wait()
    except TimeoutError:
        return False
    return True


def _ring(ears: Iterable[Ear]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[Ear]] = {}
    for ear in ears:
        by_loop.setdefault(ear.loop, []).append(ear)
    for loop, its in by_loop.items():
        try:
            loop.call_soon_threadsafe(_set, its)
        except RuntimeError:  # the loop is closed, and nobody listens there any more
            continue


def _set(ears: Iterable[Ear]) -> None:
    for ear in ears:
        ear.rung.set()
