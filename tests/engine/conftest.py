"""The small house of the pipeline's tests, and an engine that runs in it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "pipeline"))

from small_house import House

from gateway.engine.lanes import Engine, Pace


@pytest.fixture
def run_engine(tmp_path: Path) -> Iterator[Callable[..., tuple[House, Engine]]]:
    """Opens a house and starts an engine in it."""
    opened: list[tuple[House, Engine]] = []

    def run(*, pace: Pace | None = None, **rest: Any) -> tuple[House, Engine]:
        house = House(tmp_path, **rest)
        engine = Engine(
            house.store,
            house.directory.agreements,
            house.dispatcher,
            house.receiver,
            house.sweeper,
            house.transports,
            pace=pace or Pace(sweep_s=0.1, longest_pause_s=0.1),
        )
        house.submitter.woken = engine.wake
        engine.start()
        opened.append((house, engine))
        return house, engine

    yield run
    for house, engine in opened:
        engine.stop(10)
        house.close()
