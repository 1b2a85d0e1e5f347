"""The feed of events of a gateway as an operator runs it: several processes serve, some of them are killed, all of them are stopped."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from typing import Any

from tests.api.listener import Listener, until
from tests.system.load import Filer
from tests.system.town import FILER, Town, declarations

LISTENERS, LOAD, MOST_KILLS, SEED = 24, 150, 12, 20261122


class Follower(threading.Thread):
    """Comes back with the id that it saw last whenever its stream ends, until it is told to stop."""

    def __init__(self, town: Town) -> None:
        super().__init__(daemon=True)
        self.town = town
        self.events: list[dict[str, Any]] = []
        self.last = "start"
        self.came_back = -1
        self.listener: Listener | None = None
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                listener = Listener(self.town.port, key=FILER, last=self.last)
            except (OSError, ValueError, IndexError):
                time.sleep(0.1)
                continue
            self.listener = listener
            self.came_back += 1
            while listener.thread.is_alive() and not self.stopping.is_set():
                time.sleep(0.02)
            listener.close()
            listener.thread.join(5)
            self.events += listener.events
            self.listener = None
            self.last = listener.ids[-1] if listener.ids else self.last

    def seen(self) -> int:
        listener = self.listener
        return len(self.events) + (len(listener.events) if listener else 0)

    def positions(self) -> list[int]:
        return [event["position"] for event in self.events]


def test_kills_of_serving_processes_lose_and_double_nothing_for_who_comes_back(town: Town) -> None:
    for name in ("serve", "work", "sim"):
        town.start(name)
    town.wait_until_ready()
    followers = [Follower(town) for _ in range(LISTENERS)]
    for follower in followers:
        follower.start()
    until(lambda: all(follower.came_back == 0 for follower in followers), 60)
    dice = random.Random(SEED)
    filer = Filer(town, list(declarations(LOAD)))
    filing = threading.Thread(target=filer.file_all)
    filing.start()
    kills = 0
    while kills < MOST_KILLS and (filing.is_alive() or not all(follower.came_back > 0 for follower in followers)):
        time.sleep(1)
        town.kill_one_serving(dice)
        kills += 1
    filing.join()
    town.wait_until_ready()
    until(lambda: all(follower.seen() >= LOAD for follower in followers), 60)
    for follower in followers:
        follower.stopping.set()
    for follower in followers:
        follower.join(20)
    assert any(follower.came_back > 0 for follower in followers), "no kill met a listener"
    mine = "SELECT position FROM events WHERE tenant = 'northern-frontier' AND position <= ? ORDER BY position"
    for follower in followers:
        assert follower.positions() == [row[0] for row in town.rows(mine, follower.positions()[-1])]
        assert len(follower.events) >= LOAD


def test_serve_ends_at_once_when_told_to_and_its_streams_end_in_order(town: Town) -> None:
    town.start("serve")
    town.wait_until_ready()
    listeners = [Listener(town.port, key=FILER) for _ in range(LISTENERS)]
    until(lambda: all(listener.comments for listener in listeners))
    child = town.running["serve"].child
    began = time.monotonic()
    os.kill(child.pid, signal.SIGTERM)
    assert child.wait(20) == 0, town.log("serve")
    assert time.monotonic() - began < 10
    for listener in listeners:
        listener.thread.join(5)
        listener.close()
    assert {listener.ended for listener in listeners} == {"in order"}
