"""The whole way: a gateway on a real socket, its worker, and the simulated China customs behind the folders, in one process."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from adapters.cn_declaration.simulator import Simulator
from gateway import app as gateway_app
from gateway import settings as gateway_settings
from gateway.api import bundle
from gateway.testing.directory import PartnersFile

KEY = "filer-key-000001"
KINDS = ("declaration", "declaration_amendment", "declaration_cancellation")


@dataclass(frozen=True)
class WholeWay:
    """Where the gateway answers, a key of a filer, and the example of the contract."""

    url: str
    key: str
    declaration: dict[str, Any]


@pytest.fixture(scope="session")
def whole_way(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Iterator[WholeWay]:
    home = tmp_path_factory.mktemp("whole-way")
    simulator = Simulator(home / "china", specs=project_root / "specs", speed=20)
    file = PartnersFile().add_tenant("filer", key=KEY)
    file.add_agreement(
        "china",
        partner="customs",
        adapter="cn_declaration",
        documents=KINDS,
        transport={"kind": "folder", "root": str(home / "china"), "settle_s": 0.02},
    )
    said = {"SWGATE_HOME": str(home), "SWGATE_PARTNERS": str(file.write(home / "partners.yaml"))}
    made = gateway_app.create(gateway_settings.load(said))
    worker, stop = gateway_app.build_engine(made.parts), threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(made, log_level="warning", access_log=False, lifespan="off"))
    threads = [
        threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True),
        threading.Thread(target=simulator.run, args=(stop,), daemon=True),
        threading.Thread(target=worker.run, args=(stop,), daemon=True),
    ]
    for thread in threads:
        thread.start()
    while not server.started:
        time.sleep(0.01)
    contract = bundle.bundled(project_root / "specs")
    example = contract["components"]["examples"]["ImportByRoad"]["value"]
    yield WholeWay(f"http://127.0.0.1:{listener.getsockname()[1]}", KEY, example)
    stop.set()
    server.should_exit = True
    for thread in threads:
        thread.join(20)
    made.close()


def skip_or_fail(why: str) -> None:
    """Skip, or fail where skips are not allowed."""
    if os.environ.get("SWGATE_NO_SKIPS"):
        pytest.fail(f"{why}, and skips are not allowed")
    pytest.skip(why)


@pytest.fixture(scope="session")
def unavailable() -> Any:
    """What a test calls when something it needs is not there."""
    return skip_or_fail
