"""swgate events: the feed in a shell, by page and as it goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import ids, settings
from gateway.events import EventType
from gateway.pipeline.timeline import entry
from gateway.ports import Store, Writing
from gateway.storage import open_store
from tests.cli.conftest import Swgate


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """The store that swgate works on in these tests, with five events."""
    opened = open_store(settings.load({"SWGATE_HOME": str(tmp_path / "var")}))
    for number in range(5):
        tell(opened, f"root-{number}", EventType.LANE_PAUSED if number == 2 else EventType.DOCUMENT_ACCEPTED)
    yield opened
    opened.close()


def tell(store: Store, root: str, kind: EventType = EventType.DOCUMENT_ACCEPTED) -> None:
    def unit(writing: Writing) -> None:
        writing.append_event(entry(kind, ids.now_us(), root_id=root, tenant="filer", document_id=root))

    store.write(unit)


def test_the_latest_are_shown_and_where_to_go_on(swgate: Swgate, store: Store) -> None:
    shown = swgate("events", "--json", "--limit", 2)
    first = [json.loads(line) for line in shown.out.splitlines()]
    assert [event["document"] for event in first] == ["root-3", "root-4"]
    tell(store, "root-5")
    after = shown.err.split()[-1]
    more = swgate("events", "--json", "--after", after)
    assert [json.loads(line)["document"] for line in more.out.splitlines()] == ["root-5"]
    assert after == first[-1]["cursor"]


def test_a_type_and_a_start_choose_what_is_shown_in_either_language(swgate: Swgate, store: Store) -> None:
    asked = ("events", "--after", "start", "--type", "operator:lane:paused")
    assert "The lane was paused" in swgate(*asked).out
    assert "通道已暂停" in swgate("--lang", "zh", *asked).out
    assert "Accepted by the gateway" not in swgate(*asked).out


@pytest.mark.parametrize(
    ("words", "code"), [(("--after", "nowhere"), "api.cursor.unknown"), (("--type", "a:b"), "api.event_type.unknown")]
)
def test_what_there_is_not_is_refused(swgate: Swgate, store: Store, words: tuple[str, ...], code: str) -> None:
    outcome = swgate("events", *words)
    assert (outcome.code, code in outcome.err) == (1, True)


def test_follow_prints_what_comes_until_it_is_interrupted(store: Store, tmp_path: Path) -> None:
    environment = {**os.environ, "SWGATE_HOME": str(tmp_path / "var"), "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "gateway.cli", "events", "--follow", "--json", "--limit", "1"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        try:
            assert json.loads(following.stdout.readline())["document"] == "root-4"
            tell(store, "root-5")
            assert json.loads(following.stdout.readline())["document"] == "root-5"
            following.send_signal(signal.SIGINT)
            assert following.wait(10) == 0
        finally:
            following.kill()
