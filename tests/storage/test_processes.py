"""What holds between processes, and after one of them was killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import pytest

from gateway.ports import Writing
from gateway.settings import Settings
from gateway.storage import SqlStore
from tests.storage.support import NOW_US, document, message

Process = subprocess.Popen[str]
Start = Callable[..., Process]


@pytest.fixture
def start(configured: Settings, project_root: Path) -> Iterator[Start]:
    """Starts an act of tests.storage.process and waits until it is ready."""
    running: list[Process] = []

    def starting(act: str, *arguments: str) -> Process:
        command = [sys.executable, "-m", "tests.storage.process", act, str(configured.home), configured.database]
        process = subprocess.Popen(
            [*command, *arguments], cwd=project_root, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield starting
    for process in running:
        process.kill()
        process.communicate()


def heard(*processes: Process) -> list[list[str]]:
    """Let waiting processes go together; the lines that each has said when it ended."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0].splitlines() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return said


def fill_lane(store: SqlStore, keys: list[str]) -> list[str]:
    """One piece of work for each key, all of one message each; message ids in the order of the lane."""

    def unit(writing: Writing) -> list[str]:
        paper = document()
        writing.add_document(paper)
        rows = [message(paper) for _ in keys]
        for row, key in zip(rows, keys, strict=True):
            writing.add_message(row)
            writing.enqueue(row.id, "customs", key, NOW_US)
        return [row.id for row in rows]

    return store.write(unit)


def test_what_was_confirmed_survives_the_kill_of_its_process(store: SqlStore, start: Start) -> None:
    process = start("accept")
    assert process.stdout is not None
    confirmed = [process.stdout.readline().strip() for _ in range(100)]
    process.kill()
    confirmed += [line for line in process.communicate()[0].split("\n")[:-1] if line]
    with store.read() as reading:
        for message_id in confirmed:
            row = reading.message(message_id)
            assert row is not None
            assert reading.payload(row.encoded_digest).endswith(b"encoded -->")
            assert len(reading.events_of(row.root_id)) == 1
            assert reading.find_roots(row.tenant, message_id, 2) == [row.root_id]
    assert len(confirmed) == len(set(confirmed)) >= 100
    claims = store.write(lambda writing: writing.claim("customs", "after", 100_000, NOW_US, 30))
    assert {claim.message_id for claim in claims} >= set(confirmed)


def test_two_processes_never_claim_the_same_work(store: SqlStore, start: Start) -> None:
    ids = fill_lane(store, [""] * 5000)
    one, two = heard(start("claim", "one"), start("claim", "two"))
    taken = [line.split(" ")[2] for line in chain(one, two)]
    assert len(taken) == 5000
    assert set(taken) == set(ids)
    assert one
    assert two


def test_two_processes_keep_the_order_of_every_key(store: SqlStore, start: Start) -> None:
    keys = [f"key-{number % 20}" for number in range(400)]
    ids = fill_lane(store, keys)
    said = heard(start("claim", "one"), start("claim", "two"))
    per_key: dict[tuple[int, str], list[int]] = {}
    for place, lines in enumerate(said):
        for work_id, key, _ in (line.split(" ") for line in lines):
            per_key.setdefault((place, key), []).append(int(work_id))
    assert all(mine == sorted(mine) for mine in per_key.values())
    taken = [line.split(" ")[2] for line in chain(*said)]
    assert len(taken) == len(set(taken))
    assert set(taken) == set(ids)


def test_blocks_of_numbers_never_repeat_across_processes(store: SqlStore, start: Start) -> None:
    said = heard(start("count", "1200"), start("count", "700"))
    numbers = [[int(line) for line in lines] for lines in said]
    assert all(mine == sorted(mine) for mine in numbers)
    together = [*chain(*numbers), store.reserve("file"), store.reserve("file")]
    assert len(set(together)) == 1902
    assert store.reserve("another") == 1
