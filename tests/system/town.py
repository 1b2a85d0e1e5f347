"""A whole gateway as an operator runs it: serve, work and simulated partners as processes, one SQLite file, real folders and sockets.

A town has one partner, the import client with its folders; another kind of town (neighbours.py) says for itself who its partners are. Processes are started by ``swgate`` commands, are killed with SIGKILL, and may be started again; nothing of the gateway runs in the
process of the tests. What became of a load is read from the database, opened read-only, and from the partner's own ledger.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import requests

from gateway.cli.demo.processes import Process, free_ports
from gateway.testing.directory import PartnersFile

ROOT = Path(__file__).resolve().parents[2]
DECLARATIONS = ROOT / "adapters" / "cn_declaration" / "demo"
FILER, OTHER, OPERATOR = "filer-key-of-the-system-tests", "other-key-of-the-system-tests", "operator-key-of-the-tests"
LANE = "customs"
KINDS = ("declaration", "declaration_amendment", "declaration_cancellation")
LEASE_S = 3


class Town:
    """One gateway, one filer, one partner. home: an empty folder."""

    scheme = "http"

    def __init__(self, home: Path, *, speed: float = 20.0, lease_s: int = LEASE_S) -> None:
        self.home = home
        self.port = free_ports(1)[0]
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"
        self.environment = {
            "SWGATE_HOME": str(home),
            "SWGATE_PARTNERS": str(home / "partners.yaml"),
            "SWGATE_CERTS": str(home / "certs"),
            "SWGATE_HOST": "127.0.0.1",
            "SWGATE_PORT": str(self.port),
            "SWGATE_LEASE_S": str(lease_s),
            "LC_ALL": "C.UTF-8",
        }
        self.commands: dict[str, tuple[str, ...]] = {"serve": ("serve",), "work": ("work",), "work-2": ("work",)}
        self.running: dict[str, Process] = {}
        self._started: list[Process] = []
        self.settle(speed)

    def settle(self, speed: float) -> None:
        """Write the partners file, make what partners need, and say how each of them is started."""
        self.exchange = self.home / "partner" / "DecCus001"
        self.ledger_file = self.home / "ledger.json"
        simulator = ("sim", "cn_declaration", "--root", str(self.exchange), "--ledger", str(self.ledger_file))
        self.commands["sim"] = (*simulator, "--speed", str(speed), "--seed", "7")
        for folder in ("OutBox", "InBox", "SentBox", "FailBox"):
            (self.exchange / folder).mkdir(parents=True)
        _partners(self.exchange).write(self.home / "partners.yaml")

    def session(self) -> requests.Session:
        """How a filer asks this gateway."""
        session = requests.Session()
        session.headers["Content-Type"] = "application/json"
        return session

    def key_of(self, document: dict[str, Any]) -> str:
        """The API key of whoever files this document."""
        return FILER

    # Processes.

    def run(self, *arguments: str) -> None:
        """One command to its end; NeedsOperator with its last words when it failed."""
        Process(arguments, self.home / f"{arguments[0]}.log", self.environment).finish()

    def start(self, name: str) -> None:
        self.running[name] = Process(self.commands[name], self.home / f"{name}.log", self.environment)
        self._started.append(self.running[name])

    def kill(self, name: str) -> None:
        """SIGKILL to one process, which gets no word in. Whoever served for it must let go of the port by himself."""
        child = self.running.pop(name).child
        assert child.poll() is None, self.log(name)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        if name == "serve":
            wait_for(self._port_is_free, 10, lambda: "serve was killed, and what it had started still listens", 0.05)

    def kill_one_serving(self, dice: random.Random) -> None:
        """SIGKILL to one of the processes that serve has started; to serve itself where it serves alone."""
        serving = _children(self.running["serve"].child.pid)
        if serving:
            os.kill(dice.choice(serving), signal.SIGKILL)
        else:
            self.kill("serve")
            self.start("serve")

    def _port_is_free(self) -> bool:
        with socket.socket() as caller:
            caller.settimeout(1)
            return caller.connect_ex(("127.0.0.1", self.port)) != 0

    def stop(self) -> None:
        """End all that were ever started, and what they started, in haste: nothing of this is what is tested."""
        for process in self._started:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.child.pid, signal.SIGKILL)
            process.child.wait()
        self.running.clear()

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-3000:]

    def wait_until_ready(self) -> None:
        with self.session() as session:

            def ready() -> bool:
                try:
                    return session.get(f"{self.url}/ready", timeout=2).ok
                except requests.RequestException:
                    return False

            wait_for(ready, 30, lambda: f"serve: {self.log('serve')}")

    # What came of it.

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the database, which is opened so that nothing can be changed."""
        with closing(sqlite3.connect(f"file:{self.home / 'gateway.db'}?mode=ro", uri=True, timeout=20)) as database:
            return database.execute(query, values).fetchall()

    def count(self, query: str, *values: Any) -> int:
        return int(self.rows(query, *values)[0][0])

    def ledger(self) -> dict[str, Any]:
        if not self.ledger_file.exists():
            return {"declarations": {}, "doubled": 0, "waiting_answers": 0}
        ledger: dict[str, Any] = json.loads(self.ledger_file.read_text(encoding="utf-8"))
        return ledger

    def files(self, folder: str) -> list[str]:
        return sorted(entry.name for entry in os.scandir(self.exchange / folder) if not entry.name.startswith("."))

    def told(self, root_id: str) -> list[str]:
        return [row[0] for row in self.rows("SELECT type FROM events WHERE root_id = ? ORDER BY serial", root_id)]


def _partners(exchange: Path) -> PartnersFile:
    return (
        PartnersFile(operator="port-operations")
        .add_tenant("northern-frontier", key=FILER)
        .add_tenant("somebody-else", key=OTHER)
        .add_tenant("port-operations", key=OPERATOR, roles=("filer", "operator"))
        .add_agreement(
            LANE,
            partner="cn-customs",
            adapter="cn_declaration",
            documents=KINDS,
            transport={"kind": "folder", "root": str(exchange), "settle_s": 0.02},
            reading="tolerant",
            retry={"first_s": 0.3, "factor": 2, "cap_s": 3, "attempts": 40},
            receipt_timeout_s=60,
        )
    )


def declarations(count: int, *, remarks: Sequence[str] = ("",)) -> Iterator[dict[str, Any]]:
    """Copies of the demonstration's single-step declarations, each with a reference of its own, remarks in turn."""
    models = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(DECLARATIONS.glob("*.json"))]
    whole = [model for model in models if model.get("declaration_type", {}).get("declaration_step") == "single"]
    for number in range(count):
        document = {**whole[number % len(whole)], "functional_reference_id": f"LOAD{number:014d}"}
        mark = remarks[number % len(remarks)]
        yield {**document, "remarks": mark} if mark else document


def _children(pid: int) -> list[int]:
    """The processes that a process has started and that serve; the one that only minds shared things is left out."""
    told = subprocess.run(["ps", "-axo", "pid=,ppid=,command="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in told.splitlines()]
    return [int(row[0]) for row in rows if row[1] == str(pid) and "resource_tracker" not in row[-1]]


def wait_for(reached: Callable[[], bool], within_s: float, told: Callable[[], str], pause_s: float = 0.1) -> None:
    """Return when it is so; AssertionError with what is told after within_s."""
    deadline = time.monotonic() + within_s
    while not reached():
        assert time.monotonic() < deadline, told()
        time.sleep(pause_s)
