"""The turn to write: one at a time while all goes well, and nobody waits for ever for a process that was stopped."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.settings import load
from gateway.storage import open_store
from gateway.storage.turns import PATIENCE_S, Turnstile

HOLD = """
import sys, time
from pathlib import Path
from gateway.storage.turns import Turnstile
with Turnstile(Path(sys.argv[1])).turn():
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the turn and was stopped."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.send_signal(signal.SIGSTOP)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_stopped_process_with_the_turn_in_its_hand_holds_a_write_up_for_a_while_only(tmp_path: Path) -> None:
    store = open_store(load({"SWGATE_HOME": str(tmp_path)}))
    try:
        with held(tmp_path / "gateway.db-turn"):
            began = time.monotonic()
            assert store.write(lambda writing: writing.reserve("file", 1)) == 1
            assert PATIENCE_S <= time.monotonic() - began < PATIENCE_S + 5
            began = time.monotonic()
            assert store.write(lambda writing: writing.reserve("file", 1)) == 2
            assert time.monotonic() - began < PATIENCE_S / 2
    finally:
        store.close()


def test_the_turn_of_a_process_that_died_is_free_at_once(tmp_path: Path) -> None:
    mine = Turnstile(tmp_path / "turn", patience_s=30)
    with held(tmp_path / "turn") as holder:
        threading.Timer(0.2, holder.kill).start()
        began = time.monotonic()
        with mine.turn():
            assert 0.1 < time.monotonic() - began < 10
    mine.close()


def test_two_take_turns_and_wait_again_once_the_turn_was_free(tmp_path: Path) -> None:
    one, other = (Turnstile(tmp_path / "turn", patience_s=0.3) for _ in range(2))
    with one.turn():
        for least_s in (0.3, 0.0):
            began = time.monotonic()
            with other.turn():
                assert least_s <= time.monotonic() - began < least_s + 0.25
    with other.turn():
        descriptor = os.open(tmp_path / "turn", os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            raise AssertionError("the turn was not held")
        except BlockingIOError:
            pass
        finally:
            os.close(descriptor)
    with one.turn():
        began = time.monotonic()
        with other.turn():
            assert time.monotonic() - began >= 0.3
    one.close()
    other.close()
