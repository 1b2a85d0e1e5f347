"""The feed beside busy writers: whoever follows it, in any process, sees every event once and in one order."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import aclosing

import pytest

from gateway.pipeline.feed import WINDOW, Feed
from gateway.pipeline.feed_pages import Wanted
from gateway.ports import Writing
from gateway.settings import Settings
from gateway.storage import SqlStore
from tests.storage.support import event

WRITERS, UNITS, IDLE_S = 3, 60, 0.5
EVERY = WRITERS * 2 * UNITS * 2  # processes, threads, units, events a unit
Seen = list[int]


async def follow(feed: Feed, wanted: Wanted, most: int, *, leave_after: int = 0) -> Seen:
    """Positions as they come, until there are most; going away and coming back after every so many pages, where said."""
    seen: Seen = []
    place = pages = 0
    async with asyncio.timeout(60):
        while len(seen) < most:
            async with aclosing(feed.stream(wanted, place, IDLE_S)) as stream:
                async for page in stream:
                    seen += [entry.position for entry in page.entries]
                    place, pages = page.position, pages + 1
                    if len(seen) >= most or (leave_after and pages % leave_after == 0):
                        break
    return seen


def writer_of(configured: Settings, root: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.storage.process", "tell", str(configured.home), configured.database_url]
    pipe = subprocess.PIPE
    return subprocess.Popen([*command, root, str(UNITS)], stdin=pipe, stdout=pipe, text=True)


def test_no_follower_misses_or_sees_twice_what_several_processes_write(
    configured: Settings, new_store: Callable[[], SqlStore]
) -> None:
    feeds = [Feed(new_store()) for _ in range(2)]
    writers = [writer_of(configured, f"root-{number}-") for number in range(WRITERS)]
    one = Wanted(declaration="root-1-0")

    async def listen() -> list[Seen]:
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        follows = [follow(feed, Wanted(), EVERY, leave_after=times) for feed in feeds for times in (0, 0, 1, 3)]
        return await asyncio.gather(*follows, *(follow(feed, one, 2 * UNITS) for feed in feeds))

    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        *everything, first, second = asyncio.run(listen())
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
        for feed in feeds:
            feed.close()
    assert everything == [list(range(1, EVERY + 1))] * len(everything)
    assert first == second == sorted(set(first))


def test_who_lags_behind_the_window_reads_the_rest_from_the_store(new_store: Callable[[], SqlStore]) -> None:
    writer, feed = new_store(), Feed(new_store())
    many = WINDOW + 500

    async def lag() -> Seen:
        seen: Seen = []
        async with asyncio.timeout(60), aclosing(feed.stream(Wanted(), 0, IDLE_S)) as stream:
            async for page in stream:
                seen += [entry.position for entry in page.entries]
                if not seen:
                    await asyncio.to_thread(write)
                    # Another listener makes the reader go on meanwhile.
                    assert len(await follow(feed, Wanted(), many)) == many
                if len(seen) >= many:
                    break
        assert len(feed._window) <= WINDOW
        return seen

    def hundred(writing: Writing) -> None:
        for _ in range(100):
            writing.append_event(event("r"))

    def write() -> None:
        for _ in range(many // 100):
            writer.write(hundred)

    try:
        assert asyncio.run(lag()) == list(range(1, many + 1))
    finally:
        feed.close()


def test_a_feed_without_listeners_asks_the_store_for_nothing(store: SqlStore) -> None:
    feed = Feed(store)
    store.tell_of_commits(feed.wake)

    async def come_and_go() -> None:
        async with aclosing(feed.stream(Wanted(), 0, 0.1)) as stream:
            async for _ in stream:
                break

    try:
        asyncio.run(come_and_go())
        store.write(lambda writing: writing.append_event(event("r")))
        with store.read() as reading:
            assert reading.has_unsequenced()
        assert feed.last() == 1
    finally:
        feed.close()


@pytest.mark.parametrize("limit", [1, 7, 5_000])
def test_pages_of_a_rare_kind_pass_over_all_others(store: SqlStore, limit: int) -> None:
    for number in range(20):
        root = "rare" if number % 5 == 0 else "frequent"
        store.write(lambda writing, root=root: writing.append_event(event(root)))  # type: ignore[misc]
    feed = Feed(store)
    place, more, seen = 0, True, []
    while more:
        page = feed.page(Wanted(declaration="rare"), place, limit)
        seen += [entry.position for entry in page.entries]
        place, more = page.position, page.more
    feed.close()
    assert seen == [1, 6, 11, 16]
