"""Group commit: what write() promises to each of its callers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from gateway.errors import Conflict, IllegalMove
from gateway.ports import Writing
from gateway.settings import Settings
from gateway.storage import SqlStore
from tests.storage.support import NOW_US, accept, add_filed, document


def together(store: SqlStore, units: list[Callable[[Writing], Any]]) -> list[Any]:
    """Run units at once, all in one batch: a first unit holds the writer until the others are queued."""
    results: list[Any] = [None] * len(units)
    queued, entered = threading.Semaphore(0), threading.Event()

    def hold(writing: Writing) -> None:
        entered.set()
        for _ in units:
            queued.acquire()

    def run(place: int) -> None:
        queued.release()
        try:
            results[place] = store.write(units[place])
        except Exception as problem:
            results[place] = problem

    holder = threading.Thread(target=store.write, args=(hold,))
    holder.start()
    entered.wait()
    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(units))]
    for thread in [*threads, holder]:
        if thread is not holder:
            thread.start()
    for thread in [*threads, holder]:
        thread.join()
    return results


def test_a_write_returns_what_its_unit_returned(store: SqlStore) -> None:
    assert store.write(lambda writing: writing.reserve("file", 1)) == 1


def test_a_unit_that_raises_is_undone_alone_and_raises_in_its_caller(store: SqlStore) -> None:
    def failing(writing: Writing) -> None:
        accept(writing, b"the lost one")
        raise ValueError("no")

    results = together(store, [lambda w: accept(w, b"a"), failing, lambda w: accept(w, b"b"), failing])
    assert [type(result) for result in results] == [str, ValueError, str, ValueError]
    with store.read() as reading:
        assert reading.counts() == {"accepted": 2}
        assert {found.message.id for found in reading.search(tenant=None)} == {results[0], results[2]}


def test_a_unit_alone_that_raises_leaves_nothing_behind(store: SqlStore) -> None:
    def failing(writing: Writing) -> None:
        accept(writing, b"the lost one")
        raise IllegalMove("no")

    with pytest.raises(IllegalMove):
        store.write(failing)
    with store.read() as reading:
        assert reading.counts() == {}


def test_a_unit_that_breaks_the_tables_fails_alone_with_a_conflict(store: SqlStore) -> None:
    paper = document()
    store.write(lambda writing: writing.add_document(paper))
    results = together(
        store,
        [
            lambda writing: accept(writing, b"a"),
            lambda writing: writing.add_document(paper),
            lambda writing: writing.enqueue("no such message", "customs", "", NOW_US),
        ],
    )
    assert [type(result) for result in results] == [str, Conflict, Conflict]
    assert paper.tenant not in str(results[1])


def test_many_threads_share_commits_and_lose_nothing(store: SqlStore) -> None:
    ids: list[str] = []

    def run() -> None:
        for number in range(20):
            ids.append(store.write(lambda writing, data=b"%d" % number: accept(writing, data)))  # type: ignore[misc]

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 160
    with store.read() as reading:
        assert reading.counts() == {"accepted": 160}


def test_a_unit_that_writes_by_itself_is_told_so_instead_of_waiting_for_ever(store: SqlStore) -> None:
    with pytest.raises(RuntimeError, match="another one"):
        store.write(lambda _: store.write(lambda writing: writing.counts()))


def test_a_closed_store_finishes_what_it_took_and_takes_no_more(store: SqlStore) -> None:
    message_id = store.write(lambda writing: accept(writing, b"a"))
    store.close()
    assert message_id
    with pytest.raises(RuntimeError, match="closed"):
        store.write(lambda writing: writing.counts())


def test_a_reading_sees_one_moment_however_long_it_lasts(store: SqlStore) -> None:
    store.write(add_filed)
    with store.read() as reading:
        before = reading.counts()
        store.write(add_filed)
        assert reading.counts() == before == {"accepted": 1}
    with store.read() as reading:
        assert reading.counts() == {"accepted": 2}


def test_units_of_two_processes_that_block_each_other_both_come_through(new_store: Callable[[], SqlStore]) -> None:
    # Each takes one counter and then wants the other's: PostgreSQL undoes one of them, which then runs again.
    both_began = threading.Barrier(2)

    def taking(*counters: str) -> Callable[[Writing], None]:
        def unit(writing: Writing) -> None:
            for counter in counters:
                writing.reserve(counter, 1)
                with suppress(threading.BrokenBarrierError):
                    both_began.wait(timeout=0.3)

        return unit

    stores = [new_store(), new_store()]
    units = [taking("a", "b"), taking("b", "a")]
    threads = [threading.Thread(target=store.write, args=(unit,)) for store, unit in zip(stores, units, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [stores[0].write(lambda w, name=name: w.reserve(name, 1)) for name in "ab"] == [3, 3]  # type: ignore[misc]


def hang_up(configured: Settings) -> None:
    """End every connection from the other side; SQLite has no other side."""
    if configured.database.startswith("postgresql"):
        with psycopg.connect(configured.database, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


def test_a_store_goes_on_after_the_server_hung_up(store: SqlStore, configured: Settings) -> None:
    store.write(add_filed)
    with store.read() as one, store.read() as two:
        assert one.counts() == two.counts() == {"accepted": 1}
    hang_up(configured)
    with store.read() as one, store.read() as two:
        assert one.counts() == two.counts() == {"accepted": 1}
    hang_up(configured)
    store.write(add_filed)
    with store.read() as reading:
        assert reading.counts() == {"accepted": 2}


def test_a_reader_that_raises_harms_no_later_one(store: SqlStore) -> None:
    def read() -> None:
        with store.read() as reading:
            reading.counts()
            raise ValueError("mine")

    for _ in range(50):
        with pytest.raises(ValueError, match="mine"):
            read()
    store.write(add_filed)
    with store.read() as reading:
        assert reading.counts() == {"accepted": 1}


def test_units_brought_together_fail_alone_and_say_so_in_their_order(store: SqlStore) -> None:
    def failing(writing: Writing) -> str:
        accept(writing, b"the lost one")
        raise ValueError("no")

    results = store.write_each([lambda w: accept(w, b"a"), failing, lambda w: accept(w, b"b")])
    assert [type(result) for result in results] == [str, ValueError, str]
    with store.read() as reading:
        assert {found.message.id for found in reading.search(tenant=None)} == {results[0], results[2]}
    assert store.write_each([]) == []


def test_more_units_than_a_batch_holds_are_all_done_while_others_write(configured: Settings) -> None:
    store = SqlStore(configured.database_url, configured.home / "narrow", payload_inline_bytes=1000, commit_batch=2)
    results: list[Any] = []

    def run(name: bytes) -> None:
        results.extend(store.write_each([lambda w, n=number: accept(w, name + b"%d" % n) for number in range(5)]))  # type: ignore[misc]

    threads = [threading.Thread(target=run, args=(b"%d-" % number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as reading:
        assert reading.counts() == {"accepted": 30}
    assert len(set(results)) == 30
    store.close()
