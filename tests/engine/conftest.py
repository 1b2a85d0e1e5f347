"""The small house of the pipeline's tests, and an engine that runs in it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.engine.lanes import Engine, Pace
from tests.pipeline.small_house import House


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
