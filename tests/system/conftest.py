"""Towns to try things in: everything in a temporary folder, every process ended with the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.neighbours import Neighbours
from tests.system.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town whose tables are made and in which nothing runs yet."""
    made = Town(tmp_path)
    try:
        made.run("migrate")
        yield made
    finally:
        made.stop()


@pytest.fixture
def neighbours(tmp_path: Path) -> Iterator[Neighbours]:
    """A town of neighbouring offices whose tables are made and in which nothing runs yet."""
    made = Neighbours(tmp_path)
    try:
        made.run("migrate")
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def open_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town in which everybody is at work; shared by the tests of a module."""
    made = Town(tmp_path_factory.mktemp("town"))
    try:
        made.run("migrate")
        for name in ("serve", "work", "sim"):
            made.start(name)
        made.wait_until_ready()
        yield made
    finally:
        made.stop()
