"""The engine as a whole: it runs by itself, beside others, past dead partners, and through kill -9."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.engine.lanes import Pause
from gateway.lifecycle import Status
from gateway.ports import Incoming, Json, Outgoing
from tests.pipeline.small_house import LANE, House, Wire

Run = Callable[..., Any]
WORKER = Path(__file__).parent / "worker_process.py"


def eventually(true: Callable[[], object], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.03)


class Client(threading.Thread):
    """The import client at the other end of the folders: takes each file, counts it, moves it on, and answers."""

    def __init__(self, root: Path, *, answers: bool = True) -> None:
        super().__init__(daemon=True)
        self.root = root
        self.taken: Counter[str] = Counter()
        self.answers = answers
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            for path in (self.root / "OutBox").glob("[!.]*.json"):
                self._take(path)
            self.ended.wait(0.01)

    def has_taken(self, count: int) -> bool:
        return len(self.taken) >= count

    def _take(self, path: Path) -> None:
        self.taken[path.name] += 1
        path.rename(self.root / "SentBox" / path.name)
        if self.answers:
            answer = {
                "function": "registered",
                "names": [["tiny-name", path.stem]],
                "learned": [["entry", f"E{path.stem}"]],
            }
            fresh = self.root / "InBox" / f".Receipt_{path.stem}_1.json"
            fresh.write_text(json.dumps({"answers": [answer]}))
            fresh.rename(fresh.with_name(fresh.name[1:]))


@pytest.fixture
def client() -> Iterator[Callable[..., Client]]:
    started: list[Client] = []

    def start(root: Path, **rest: Any) -> Client:
        started.append(Client(root, **rest))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.ended.set()
        one.join()


def test_a_declaration_goes_out_and_its_answer_comes_back_without_anybodys_help(
    run_engine: Run, client: Callable[..., Client]
) -> None:
    house, _ = run_engine()
    client(house.home / "client")
    accepted = house.file()
    eventually(lambda: house.status(accepted.message_ids[0]) is Status.DELIVERED)
    assert house.standing(accepted.root_id).states["declaration"] == "registered"
    eventually(lambda: all(event.position for event in house.timeline(accepted.root_id)))


def test_what_another_process_accepted_is_picked_up(run_engine: Run) -> None:
    house, _ = run_engine()
    other = House(house.home)
    try:
        accepted = other.file()
        eventually(lambda: other.status(accepted.message_ids[0]) is Status.SENT, 5)
    finally:
        other.close()


def test_a_hanging_partner_does_not_slow_another(run_engine: Run) -> None:
    wire, release = Wire(), threading.Event()

    def hang(outgoing: Outgoing) -> None:
        release.wait(20)

    wire.on_send = hang
    house, _ = run_engine(wires={LANE: wire})
    stuck = house.file()
    eventually(lambda: house.status(stuck.message_ids[0]) is Status.SENDING)
    began = time.monotonic()
    others = [house.file(direction="transit", goods={"a": {"name": "coal"}}) for _ in range(5)]
    eventually(lambda: all(house.status(one.message_ids[0]) is Status.SENT for one in others), 15)
    assert time.monotonic() - began < 15  # the other hangs for 20
    assert house.status(stuck.message_ids[0]) is Status.SENDING
    release.set()


def test_while_a_partner_that_takes_several_at_once_is_slow_with_one_the_next_goes_out(run_engine: Run) -> None:
    wire, release = Wire(), threading.Event()

    def hang(outgoing: Outgoing) -> None:
        release.wait(20)

    wire.on_send = hang
    house, _ = run_engine(wires={LANE: wire}, change=lambda raw: raw["agreements"][0].update(parallel=2))
    first = house.file()
    eventually(lambda: house.status(first.message_ids[0]) is Status.SENDING)
    second = house.file()
    eventually(lambda: house.status(second.message_ids[0]) is Status.SENDING)
    assert house.status(first.message_ids[0]) is Status.SENDING
    release.set()
    eventually(lambda: all(house.status(one.message_ids[0]) is Status.SENT for one in (first, second)))


MANY = [f"way-{number:02}" for number in range(40)]


def with_many_agreements(partners: Json) -> None:
    """One agreement each for 40 ways, and a route by the direction."""
    plain = next(one for one in partners["agreements"] if one["id"] == LANE)
    partners["agreements"] += [
        plain | {"id": way, "transport": plain["transport"] | {"root": f"roots/{way}"}} for way in MANY
    ]
    partners["routes"] += [{"documents": ["declaration"], "when": {"direction": [way]}, "to": [way]} for way in MANY]


def test_of_forty_agreements_one_that_hangs_slows_none_of_the_others(run_engine: Run) -> None:
    release = threading.Event()
    wires = {way: Wire() for way in MANY}

    def hang(outgoing: Outgoing) -> None:
        release.wait(20)

    wires[MANY[0]].on_send = hang
    house, _ = run_engine(wires=wires, change=with_many_agreements)
    stuck = house.file(direction=MANY[0])
    eventually(lambda: house.status(stuck.message_ids[0]) is Status.SENDING)
    others = [house.file(direction=way) for way in MANY[1:]]
    eventually(lambda: all(house.status(one.message_ids[0]) is Status.SENT for one in others), 10)
    assert house.status(stuck.message_ids[0]) is Status.SENDING
    release.set()


class Mute(Wire):
    """A partner with more answers than there are readers, each of whose confirmations hangs."""

    def __init__(self, release: threading.Event) -> None:
        super().__init__()
        self.release = release

    def collect(self, limit: int) -> Iterator[tuple[Incoming, Callable[[], None]]]:
        while not self.release.is_set():
            yield Incoming(MANY[0], "", b'{"answers": []}', 1), self.hang

    def hang(self) -> None:
        self.release.wait(20)


def test_confirmations_that_hang_keep_no_other_partners_answers_waiting(
    run_engine: Run, client: Callable[..., Client]
) -> None:
    release = threading.Event()
    house, _ = run_engine(wires={MANY[0]: Mute(release)}, change=with_many_agreements)
    client(house.home / "client")
    accepted = house.file()
    eventually(lambda: house.status(accepted.message_ids[0]) is Status.DELIVERED, 10)
    release.set()


def test_stopping_lets_what_is_on_the_wire_finish(run_engine: Run) -> None:
    wire = Wire()
    wire.on_send = lambda outgoing: time.sleep(0.3)
    house, engine = run_engine(wires={LANE: wire})
    accepted = house.file()
    eventually(lambda: house.status(accepted.message_ids[0]) is Status.SENDING)
    assert engine.stop(10)
    assert house.status(accepted.message_ids[0]) is Status.SENT


def test_a_broken_answer_does_not_stop_those_behind_it(run_engine: Run, client: Callable[..., Client]) -> None:
    house, _ = run_engine()
    inbox = house.home / "client" / "InBox"
    (inbox / "a_garbage.json").write_bytes(b"\xff\xfe garbage")
    accepted = house.file()
    client(house.home / "client")
    eventually(lambda: house.status(accepted.message_ids[0]) is Status.DELIVERED)
    eventually((inbox / ".done" / "a_garbage.json").exists)


def test_a_pause_grows_while_nothing_is_found_and_a_wake_up_ends_it() -> None:
    pause = Pause(10.0)
    began = time.monotonic()
    for _ in range(4):
        pause.after(found=False)
    assert 0.1 < time.monotonic() - began < 9  # not the longest pause
    for _ in range(100):
        pause.after(found=True)
    pause.wake()
    pause.after(found=False)
    assert time.monotonic() - began < 9


def start_worker(home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(WORKER), str(home)])


def test_two_worker_processes_send_each_message_once(tmp_path: Path, client: Callable[..., Client]) -> None:
    house = House(tmp_path, lease_s=2)
    try:
        partner = client(tmp_path / "client")
        workers = [start_worker(tmp_path) for _ in range(2)]
        ids = [house.file().message_ids[0] for _ in range(80)]
        eventually(lambda: all(house.status(one) is Status.DELIVERED for one in ids), 30)
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        # One that was still starting, on a busy machine, had nothing to finish.
        assert {worker.wait(15) for worker in workers} <= {0, -signal.SIGTERM}
        assert set(partner.taken.values()) == {1}
        assert len(partner.taken) == 80
    finally:
        house.close()


def test_kill_9_in_the_middle_of_200_messages_loses_none_and_doubles_none(
    tmp_path: Path, client: Callable[..., Client]
) -> None:
    house = House(tmp_path, lease_s=2)
    try:
        partner = client(tmp_path / "client")
        ids = [house.file().message_ids[0] for _ in range(200)]
        worker = start_worker(tmp_path)
        for share in (20, 60, 110, 160):
            eventually(partial(partner.has_taken, share), 30)
            worker.kill()
            worker.wait()
            worker = start_worker(tmp_path)
        eventually(lambda: all(house.status(one) is Status.DELIVERED for one in ids), 40)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(15) == 0
        assert len(partner.taken) == 200
        assert set(partner.taken.values()) == {1}
        told = house.found()
        assert {row.standing.states["declaration"] for row in told if row.standing} == {"registered"}
    finally:
        house.close()
