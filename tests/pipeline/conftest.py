"""The small house, opened for one test and closed after it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.small_house import LANE, House, Wire


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Opens houses on one home folder: a second one is the gateway after a restart, or a second worker."""
    opened: list[House] = []

    def open_one(**rest: Any) -> House:
        opened.append(House(tmp_path, **rest))
        return opened[-1]

    yield open_one
    for house in opened:
        house.close()


@pytest.fixture
def house(open_house: Callable[..., House]) -> House:
    return open_house()


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def wired(open_house: Callable[..., House], wire: Wire) -> House:
    """A house whose customs lane ends at a wire that tests can break."""
    return open_house(wires={LANE: wire})
