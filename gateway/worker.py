"""A worker process: an engine that runs until it is told to stop. gateway.app wires the engine; this only keeps it company."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType
from typing import Protocol

LOG = logging.getLogger(__name__)
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Runs(Protocol):
    """An engine, as far as its process needs it."""

    def start(self) -> None: ...
    def stop(self, timeout_s: float = 30.0) -> bool: ...


def run(engine: Runs, *, grace_s: float = 30.0) -> int:
    """Run the engine until SIGTERM or SIGINT, then let what is on the wire finish; 0 when it did within grace_s.

    A second signal ends the waiting. What is cut off then is found again by whoever starts next. Main thread only.
    """
    told = threading.Event()
    impatient = threading.Event()

    def stop(number: int, _: FrameType | None) -> None:
        LOG.info("told to stop by signal %d", number)
        (impatient if told.is_set() else told).set()

    before = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
    try:
        engine.start()
        told.wait()
        ended = threading.Event()
        clean: list[bool] = []

        def wind_down() -> None:
            clean.append(engine.stop(grace_s))
            ended.set()

        threading.Thread(target=wind_down, name="wind-down", daemon=True).start()
        while not ended.wait(0.05):
            if impatient.is_set():
                return 1
        return 0 if clean == [True] else 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
