"""What the processes of one gateway tell each other: small facts about who calls, by way of the store.

Whoever serves counts wrong keys, remembers whom it let in and takes off allowances in its own memory, where asking costs nothing. Here
the others learn of it: twice a second what is new is written in one row for each topic, and what others wrote is read. While there is
nothing to tell nothing is written, and no request ever waits for any of this.

Rule 1: what is told are names (addresses, senders, how the timeline names a caller) and amounts; never a key nor anything of a message.
Rule 2: rows and what waits to be told are bounded. Where too many are named at once, those beyond count in the process that saw them.
Rule 3: what is heard is acted on at once and may be late by a turn or two; whoever listens makes sure that this wins nobody anything.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable

from gateway import ids
from gateway.errors import trace
from gateway.ports import Sighting, Store, Writing

LOG = logging.getLogger(__name__)
TURN_S = 0.5
NAMES_A_ROW, MOST_WAITING = 100, 10_000
# Whoever remembers somebody for good tells it again after this time while he comes: rows are forgotten after a day.
TOLD_FOR_S = 6 * 3_600
SECOND_US = 1_000_000

# name, amount
Tell = Callable[[str, float], None]
# name, amount, how many seconds ago
Hear = Callable[[str, float, float], None]


def to_nobody(_name: str, _amount: float) -> None:
    """Tells nobody: for what is not shared."""


class Topic:
    """One sort of facts. Amounts of one name that were not told yet add up."""

    def __init__(self, name: str, hear: Hear) -> None:
        self.name = name
        self.hear = hear
        self._waiting: dict[str, float] = {}
        self._gate = threading.Lock()

    def tell(self, name: str, amount: float) -> None:
        with self._gate:
            if name in self._waiting or len(self._waiting) < MOST_WAITING:
                self._waiting[name] = self._waiting.get(name, 0.0) + amount

    def next_row(self) -> dict[str, float]:
        """What is told next; it waits on until it is told()."""
        with self._gate:
            names = [name for name, _ in zip(self._waiting, range(NAMES_A_ROW), strict=False)]
            return {name: self._waiting[name] for name in names}

    def told(self, row: dict[str, float]) -> None:
        with self._gate:
            for name, amount in row.items():
                left = self._waiting.pop(name) - amount
                if left > 0:
                    self._waiting[name] = left


class Exchange:
    """One a process that serves. Topics are opened before it starts."""

    def __init__(self, store: Store, clock: Callable[[], int] = ids.now_us) -> None:
        self._store = store
        self._clock = clock
        # Of each start: what the process before this one told is news.
        self._origin = secrets.token_hex(8)
        self._topics: dict[str, Topic] = {}
        self._read_up_to = 0
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def topic(self, name: str, hear: Hear) -> Tell:
        """Open a topic; what is given back tells the others, hear is called with what they tell."""
        topic = self._topics[name] = Topic(name, hear)
        return topic.tell

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="exchange", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def turn(self) -> None:
        """Tell what is new here, and hear what is new elsewhere."""
        self._tell()
        self._hear()

    def _tell(self) -> None:
        told = [(topic, row) for topic in self._topics.values() if (row := topic.next_row())]
        if told:
            now = self._clock()
            rows = [Sighting(self._origin, topic.name, now, row) for topic, row in told]

            def write(writing: Writing) -> None:
                for row in rows:
                    writing.add_sighting(row)

            self._store.write(write)
            for topic, row in told:
                topic.told(row)

    def _hear(self) -> None:
        with self._store.read() as reading:
            sightings, self._read_up_to = reading.sightings(self._read_up_to)
        now = self._clock()
        for sighting in sightings:
            listening = self._topics.get(sighting.topic)
            if listening is None or sighting.origin == self._origin:
                continue
            ago_s = max(0.0, (now - sighting.at_us) / SECOND_US)
            for name, amount in sighting.seen.items():
                listening.hear(name, amount, ago_s)

    def _run(self) -> None:
        failing = False
        while not self._ending.wait(TURN_S):
            try:
                self.turn()
                failing = False
            except Exception as problem:  # noqa: BLE001 - this process counts on alone until the database is there again
                if not failing:
                    LOG.warning("other processes are not heard: %s", trace(problem))
                failing = True
