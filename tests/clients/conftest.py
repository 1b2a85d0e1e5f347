"""The whole way: a gateway on a real socket, its worker, and behind it China customs and a neighbour, simulated, in one process."""

from __future__ import annotations

import itertools
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn

from adapters.cn_declaration.simulator import Simulator as China
from adapters.wco_declaration.simulator import Character, Ledger, Office
from adapters.wco_declaration.simulator import Simulator as Neighbour
from gateway import app as gateway_app
from gateway import settings as gateway_settings
from gateway.api import bundle
from gateway.testing.directory import PartnersFile, key_digest
from gateway.testing.partner_side import PartnerSide

KEY, TOKEN = "filer-key-000001", "partner-token-04"
KINDS = ("declaration", "declaration_amendment", "declaration_cancellation")
LONGEST_S = 20


@dataclass(frozen=True)
class WholeWay:
    """Where the gateway answers, a key of a filer, and an example that goes to China and one that goes to the neighbour."""

    url: str
    key: str
    declaration: dict[str, Any]
    neighbour: dict[str, Any]
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, self.url + path, json=body, headers={"X-API-Key": self.key}, timeout=20)
        assert answer.ok, answer.text
        return answer.json()

    def file(self, document: dict[str, Any], mark: str) -> str:
        """File a document with a mark where its partner's simulator looks: for China the remarks, else the reference; its id."""
        own = {"functional_reference_id": f"SIM-{mark}-{next(self.numbers):04d}"}
        if document is self.declaration:
            own["remarks"] = f"SIM:{mark}"
        return str(self.ask("POST", "/v1/declarations", document | own)["id"])

    def states(self, declaration_id: str) -> dict[str, str]:
        shown = self.ask("GET", f"/v1/declarations/{declaration_id}")["standing"]["states"]
        return {one["track"]: one["state"] for one in shown}

    def reached(self, declaration_id: str, **wanted: str) -> dict[str, str]:
        """The states, once these are among them; as they are when that takes too long."""
        until = time.monotonic() + LONGEST_S
        while not wanted.items() <= (states := self.states(declaration_id)).items() and time.monotonic() < until:
            time.sleep(0.05)
        return states


@pytest.fixture(scope="session")
def whole_way(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Iterator[WholeWay]:
    home = tmp_path_factory.mktemp("whole-way")
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    office = Office(PartnerSide.of("wco_declaration"), Character("MN", 20), Ledger(None))
    neighbour = Neighbour(office, f"{url}/v1/partners/neighbour/messages", TOKEN)
    china = China(home / "china", specs=project_root / "specs", speed=20)
    made = gateway_app.create(settings(home, neighbour.url))
    worker, stop = gateway_app.build_engine(made.parts), threading.Event()
    server = uvicorn.Server(uvicorn.Config(made, log_level="warning", access_log=False, lifespan="off"))
    threads = [
        threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True),
        threading.Thread(target=china.run, args=(stop,), daemon=True),
        threading.Thread(target=worker.run, args=(stop,), daemon=True),
    ]
    for thread in threads:
        thread.start()
    while not server.started:
        time.sleep(0.01)
    contract = bundle.bundled(project_root / "specs")
    example = contract["components"]["examples"]["ImportByRoad"]["value"]
    abroad = project_root / "adapters" / "wco_declaration" / "demo" / "import-cashmere-garments-neighbour.json"
    with neighbour:
        yield WholeWay(url, KEY, example, json.loads(abroad.read_bytes()))
        stop.set()
        server.should_exit = True
        for thread in threads:
            thread.join(20)
    made.close()


def settings(home: Path, neighbour_url: str) -> gateway_settings.Settings:
    """What goes to the offices 06 and 07 is for China; all else for the neighbour."""
    file = PartnersFile().add_tenant("filer", key=KEY).add_partner("neighbour", jurisdiction="MN")
    folders = {"kind": "folder", "root": str(home / "china"), "settle_s": 0.02}
    file.add_agreement("china", partner="customs", adapter="cn_declaration", documents=KINDS, transport=folders)
    address = f"{neighbour_url}/messages"
    file.add_agreement(
        "neighbour",
        partner="neighbour",
        adapter="wco_declaration",
        documents=KINDS,
        transport={"kind": "http", "url": address, "inbound_token_sha256": key_digest(TOKEN)},
        parameters={"responsible_country": "MN", "responsible_agency": "A", "party_identifier_scheme": "EORI"},
        may_leave=["*", "obligation_guarantees.access_code"],
        signing={"profile": "none"},
        legal_basis="protocol of 2020",
    )
    file.routes[0]["when"] = {"office": ["06*", "07*"]}
    said = {"SWGATE_HOME": str(home), "SWGATE_PARTNERS": str(file.write(home / "partners.yaml"))}
    return gateway_settings.load(said)


def skip_or_fail(why: str) -> None:
    """Skip, or fail where skips are not allowed."""
    if os.environ.get("SWGATE_NO_SKIPS"):
        pytest.fail(f"{why}, and skips are not allowed")
    pytest.skip(why)


@pytest.fixture(scope="session")
def unavailable() -> Callable[[str], None]:
    """What a test calls when something it needs is not there."""
    return skip_or_fail
