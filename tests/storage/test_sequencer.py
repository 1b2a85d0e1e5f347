"""Positions of events: without gaps, without doubles, and never below one that was seen already."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from gateway.ports import Writing
from gateway.storage import SqlStore
from tests.storage.support import event


def positions(store: SqlStore, root: str) -> list[int | None]:
    with store.read() as reading:
        return [one.position for one in reading.events_of(root, limit=10_000)]


def sequence(store: SqlStore, limit: int = 1000) -> int:
    return store.write(lambda writing: writing.sequence_events(limit))


def test_an_event_has_no_position_until_the_sequencer_came(store: SqlStore) -> None:
    for _ in range(3):
        store.write(lambda writing: writing.append_event(event("r")))
    assert positions(store, "r") == [None, None, None]
    assert sequence(store, limit=2) == 2
    assert positions(store, "r") == [1, 2, None]
    assert sequence(store) == 1
    assert sequence(store) == 0
    assert positions(store, "r") == [1, 2, 3]


def test_an_undone_sequencing_leaves_no_gap(store: SqlStore) -> None:
    store.write(lambda writing: writing.append_event(event("r")))

    def failing(writing: Writing) -> None:
        writing.sequence_events(10)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.write(failing)
    assert sequence(store) == 1
    assert positions(store, "r") == [1]


def test_two_sequencers_beside_busy_writers_leave_no_gap_and_no_reader_behind(
    new_store: Callable[[], SqlStore],
) -> None:
    first, second = new_store(), new_store()
    writing_on = threading.Event()
    steps_back: list[tuple[int, int]] = []
    problems: list[Exception] = []

    def write(store: SqlStore, root: str) -> None:
        def unit(writing: Writing) -> None:
            writing.append_event(event(root))
            writing.append_event(event(root))

        for _ in range(60):
            store.write(unit)

    def sequence_all(store: SqlStore) -> None:
        while sequence(store, limit=7) or not writing_on.is_set():
            pass

    def watch(store: SqlStore) -> None:
        # Whoever has seen position n must have been shown all below it: the highest is the count, at every moment.
        while not writing_on.is_set():
            with store.read() as reading:
                seen = [one.position for root in "abcd" for one in reading.events_of(root) if one.position]
            if seen and max(seen) != len(seen):
                steps_back.append((max(seen), len(seen)))

    def kept(act: Callable[..., None], *arguments: object) -> threading.Thread:
        def run() -> None:
            try:
                act(*arguments)
            except Exception as problem:
                problems.append(problem)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    writers = [kept(write, store, root) for store, root in zip((first, second) * 2, "abcd", strict=True)]
    others = [kept(sequence_all, first), kept(sequence_all, second), kept(watch, first)]
    for thread in writers:
        thread.join()
    writing_on.set()
    for thread in others:
        thread.join()
    sequence(first)
    given = sorted(position or 0 for root in "abcd" for position in positions(first, root))
    assert (problems, steps_back) == ([], [])
    assert given == list(range(1, 481))
