"""What the tests run as processes of their own: python -m tests.storage.process <act> <home> <database> <arguments>.

Each act tells what it has by one line on stdout, written at once.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable

from gateway.ports import Claim, Writing
from gateway.settings import load
from gateway.storage import SqlStore, open_store
from tests.storage.support import NOW_US, accept, event


def say(*words: object) -> None:
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


def accept_for_ever(store: SqlStore) -> None:
    """Says the id of each message whose write() has returned, from four threads, until it is killed."""

    def run(thread: int) -> None:
        number = 0
        while True:
            data = b"%d/%d " % (thread, number) * 300  # larger than what stays inline
            say(store.write(lambda writing, data=data: accept(writing, data)))  # type: ignore[misc]
            number += 1

    for thread in range(4):
        threading.Thread(target=run, args=(thread,)).start()


def has_work(store: SqlStore) -> bool:
    with store.read() as reading:
        return any(lane.waiting for lane in reading.lanes())


def finish_all(writing: Writing, claims: list[Claim], worker: str) -> None:
    for claim in claims:
        assert writing.finish(claim.work_id, worker)


def claim_all(store: SqlStore, worker: str) -> None:
    """Claims and finishes until nothing is left; says the number of each work it was given, with its key and message."""
    sys.stdin.readline()
    while has_work(store):
        claims = store.write(lambda writing: writing.claim("customs", worker, 50, NOW_US, 30))
        for claim in claims:
            say(claim.work_id, claim.key, claim.message_id)

        store.write(lambda writing, claims=claims: finish_all(writing, claims, worker))  # type: ignore[misc]


def count_up(store: SqlStore, many: str) -> None:
    """Says numbers of one counter."""
    sys.stdin.readline()
    for _ in range(int(many)):
        say(store.reserve("file"))


def tell(store: SqlStore, root: str, many: str) -> None:
    """Appends events from two threads, in transactions that stay open for a while, so that they end in another order than they began."""
    sys.stdin.readline()
    dice = random.Random(root)

    def run(thread: int) -> None:
        def unit(writing: Writing) -> None:
            writing.append_event(event(f"{root}{thread}"))
            time.sleep(dice.random() / 200)
            writing.append_event(event(f"{root}{thread}"))

        for _ in range(int(many)):
            store.write(unit)

    threads = [threading.Thread(target=run, args=(thread,)) for thread in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


ACTS: dict[str, Callable[..., None]] = {"accept": accept_for_ever, "claim": claim_all, "count": count_up, "tell": tell}

if __name__ == "__main__":
    _, act, home, database, *arguments = sys.argv
    opened = open_store(load({"SWGATE_HOME": home, "SWGATE_DATABASE": database, "SWGATE_PAYLOAD_INLINE_BYTES": "1000"}))
    say("ready")
    ACTS[act](opened, *arguments)
    if act != "accept":
        opened.close()
