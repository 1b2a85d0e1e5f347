"""The simulated office over real sockets: what it takes, what it answers, and that one reference has one effect."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from lxml import etree

from adapters.wco_declaration.simulator import Character, Ledger, Office, Simulator
from gateway.catalogue import Entry
from gateway.errors import NotTrusted
from gateway.testing.partner_side import PartnerSide
from gateway.testing.partners import HttpAnswer, HttpPartner

from .conftest import sample

LRN = b"NMG-2026-CASH-0117"
MRN = b"26GBK7Q2M4X9B1TAR3"
ROOT = Path(__file__).resolve().parents[2]
# mark -> function codes that come, in the order in which they arrive
STORIES = {
    "": ["01", "13", "09"],
    "SIM:REJECT": ["03"],
    "SIM:CONTROL": ["01", "05", "13", "09"],
    "SIM:DOCS": ["01", "06", "13", "09"],
    "SIM:TAX": ["01", "13", "14", "15", "09"],
    "SIM:GER": ["18"],
    "SIM:DOUBLE": ["01", "01", "13", "13", "09", "09"],
    "SIM:REORDER": ["09", "13", "01"],
    "SIM:LOSE": [],
    "SIM:GARBAGE": ["?", "01", "?", "13", "?", "09"],
}


class Callback:
    """Where notifications are taken; refuses the first so many with 503."""

    def __init__(self, refuse: int = 0) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.refuse = refuse
        self.meanwhile: Callable[[], object] = lambda: None
        self.lock = threading.Lock()
        self.server = HttpPartner(self.take)

    def take(self, _method: str, _path: str, headers: Any, body: bytes) -> HttpAnswer:
        self.meanwhile()
        with self.lock:
            if self.refuse:
                self.refuse -= 1
                return HttpAnswer(503)
            self.bodies.append(body)
            self.headers.append(dict(headers))
        return HttpAnswer(202)

    @property
    def codes(self) -> list[str]:
        return [code_of(body) for body in list(self.bodies)]

    def wait(self, count: int) -> list[str]:
        deadline = time.monotonic() + 10
        while len(self.bodies) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.codes


def code_of(body: bytes) -> str:
    try:
        return etree.fromstring(body).findtext(".//{urn:wco:datamodel:WCO:RES-DMS:2}FunctionCode") or ""
    except etree.XMLSyntaxError:
        return "?"


@pytest.fixture
def callback() -> Iterator[Callback]:
    made = Callback()
    with made.server:
        yield made


@pytest.fixture
def office(entry: Entry) -> Office:
    return Office(PartnerSide(entry), Character(speed=200), Ledger(None))


@pytest.fixture
def simulator(office: Office, callback: Callback) -> Iterator[Simulator]:
    with Simulator(office, callback.server.url, "secret") as running:
        yield running


def declaration(mark: str = "", reference: bytes = LRN) -> bytes:
    data = sample("import-cashmere-garments").replace(LRN, reference)
    return data.replace(b">IMPORTER<", f">{mark}<".encode()) if mark else data


def post(simulator: Simulator, path: str, data: bytes, **more: Any) -> requests.Response:
    return requests.post(f"{simulator.url}/{path}", data=data, timeout=5, **more)


@pytest.mark.parametrize(("mark", "codes"), STORIES.items())
def test_a_mark_decides_what_happens(simulator: Simulator, callback: Callback, mark: str, codes: list[str]) -> None:
    answer = post(simulator, "declarations", declaration(mark))
    assert (answer.status_code, answer.content) == (202, b"")
    assert len(answer.headers["X-Conversation-ID"]) == 36
    assert callback.wait(len(codes)) == codes
    time.sleep(0.05)
    assert callback.codes == codes


def test_notifications_are_ours_to_read_and_carry_the_token(
    simulator: Simulator, callback: Callback, entry: Entry
) -> None:
    post(simulator, "messages", declaration("SIM:REJECT"))
    callback.wait(1)
    decoded = entry.adapter.decode(callback.bodies[0], tolerant=False)
    sent = entry.adapter.decode(declaration("SIM:REJECT"), tolerant=False).document
    (reply,) = entry.adapter.replies(decoded.documents[0], received_us=0, sent=sent)
    assert reply.function == "rejected"
    pointer = "/goods_shipment/government_agency_goods_items/0/commodity/classifications/0/id"
    assert reply.document["places"][0]["pointer"] == pointer
    assert callback.headers[0]["authorization"] == "Bearer secret"
    assert callback.headers[0]["x-message-id"] == reply.partner_message_id


def test_the_same_bytes_again_do_nothing_and_are_answered_the_same(
    simulator: Simulator, callback: Callback, office: Office
) -> None:
    first, second = (post(simulator, "declarations", declaration()) for _ in range(2))
    assert first.headers["X-Conversation-ID"] == second.headers["X-Conversation-ID"]
    assert callback.wait(3) == STORIES[""]
    time.sleep(0.05)
    assert callback.codes == STORIES[""]
    assert [row["fact"] for row in office.ledger.facts if row["fact"] != "taken"] == ["effect", "double"]


def test_other_bytes_under_a_used_reference_are_rejected(simulator: Simulator, callback: Callback) -> None:
    post(simulator, "declarations", declaration())
    callback.wait(3)
    post(simulator, "declarations", declaration().replace(b"48260.50", b"48260.51"))
    assert callback.wait(4)[3] == "03"
    assert b"CDS12003" in callback.bodies[3]


def test_what_breaks_the_schema_is_refused_at_the_door(simulator: Simulator, callback: Callback) -> None:
    answer = post(simulator, "declarations", declaration().replace(b"<FunctionCode>9<", b"<FunctionCode>ninety<", 1))
    assert answer.status_code == 400
    assert b"<errorResponse>" in answer.content
    assert post(simulator, "declarations", b"<x/>").status_code == 400
    assert post(simulator, "cancellations", declaration()).status_code == 400
    assert post(simulator, "elsewhere", declaration()).status_code == 404


def test_requests_are_answered_about_the_declaration(simulator: Simulator, callback: Callback, office: Office) -> None:
    post(simulator, "declarations", declaration())
    callback.wait(3)
    number = office.cases[LRN.decode()].number.encode()
    post(simulator, "amendments", sample("amendment-net-weight-and-price").replace(MRN, number))
    assert callback.wait(5)[3:] == ["11", "07"]
    assert b">" + LRN + b"<" in callback.bodies[4]
    post(simulator, "cancellations", sample("cancellation-filed-twice").replace(MRN, number))
    assert callback.wait(7)[5:] == ["11", "10"]


def test_a_request_for_no_declaration_is_rejected(simulator: Simulator, callback: Callback) -> None:
    post(simulator, "amendments", sample("amendment-net-weight-and-price"))
    assert callback.wait(1) == ["03"]


def test_goods_that_were_declared_before_they_came_are_accepted_when_presented(
    simulator: Simulator, callback: Callback, office: Office
) -> None:
    post(simulator, "declarations", sample("export-wheel-sets-prelodged"))
    assert callback.wait(1) == ["02"]
    number = office.cases["MZL-2026-WAGON-0042"].number.encode()
    post(simulator, "presentations", sample("presentation-goods-arrived").replace(b"26GBW3V8P0Z5C6TAR1", number))
    assert callback.wait(4)[1:] == ["01", "08", "16"]


def test_a_notification_is_sent_until_it_is_taken(simulator: Simulator, callback: Callback) -> None:
    callback.refuse = 3
    post(simulator, "declarations", declaration("SIM:REJECT"))
    assert callback.wait(1) == ["03"]


def test_several_declarations_are_answered_at_once_and_each_in_its_order(
    simulator: Simulator, callback: Callback
) -> None:
    together, meetings = threading.Barrier(2), iter(range(2))
    # The first two notifications meet: were they delivered one by one, neither would pass and the test would break.
    callback.meanwhile = lambda: next(meetings, None) is None or together.wait(10)
    references = [b"NMG-2026-CASH-0001", b"NMG-2026-CASH-0002"]
    for reference in references:
        post(simulator, "declarations", declaration(reference=reference))
    callback.wait(6)
    for reference in references:
        assert [code_of(body) for body in callback.bodies if reference in body] == ["01", "13", "09"]


def test_a_busy_office_takes_it_at_the_second_try(simulator: Simulator, callback: Callback) -> None:
    data = declaration("SIM:BUSY")
    assert [post(simulator, "declarations", data).status_code for _ in range(2)] == [503, 202]
    assert callback.wait(3) == STORIES[""]


def test_a_hanging_office_has_taken_it_all_the_same(simulator: Simulator, callback: Callback, office: Office) -> None:
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{simulator.url}/declarations", data=declaration("SIM:HANG"), timeout=0.3)
    assert callback.wait(3) == STORIES[""]
    assert LRN.decode() in office.cases


def test_the_status_of_a_reference_can_be_asked(simulator: Simulator, callback: Callback) -> None:
    address = f"{simulator.url}/declarations/{LRN.decode()}"
    assert requests.get(address, timeout=5).status_code == 404
    post(simulator, "declarations", declaration())
    callback.wait(3)
    assert requests.get(address, timeout=5).json()["answers"] == STORIES[""]


def test_signatures_are_left_to_whoever_starts_it(office: Office, callback: Callback) -> None:
    def verify(data: bytes) -> bytes:
        if not data.startswith(b"signed:"):
            raise NotTrusted("unsigned")
        return data.removeprefix(b"signed:")

    with Simulator(office, callback.server.url, sign=lambda data: b"signed:" + data, verify=verify) as simulator:
        assert post(simulator, "declarations", declaration()).status_code == 401
        assert post(simulator, "declarations", b"signed:" + declaration("SIM:REJECT")).status_code == 202
        callback.wait(1)
    assert callback.bodies[0].startswith(b"signed:")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(ready: Callable[[], bool], why: str) -> None:
    deadline = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < deadline, why
        time.sleep(0.05)


def answers_at(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_killed_process_goes_on_without_a_second_effect(tmp_path: Path, callback: Callback) -> None:
    ledger, port = tmp_path / "ledger.jsonl", free_port()
    command = [sys.executable, "-m", "adapters.wco_declaration.simulator", "--port", str(port), "--speed", "2"]
    command += ["--callback", callback.server.url, "--ledger", str(ledger)]

    def started() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
        until(lambda: answers_at(port), "the office does not open")
        return process

    process = started()
    try:
        address = f"http://127.0.0.1:{port}/declarations"
        assert requests.post(address, data=declaration(), timeout=5).status_code == 202
        callback.wait(1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = started()
        assert requests.post(address, data=declaration(), timeout=5).status_code == 202
        until(lambda: set(callback.codes) == {"01", "13", "09"}, "answers are missing")
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0
    facts = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    assert [row["fact"] for row in facts if row["fact"] != "taken"] == ["effect", "double"]
    numbers = {etree.fromstring(body).findtext(".//{*}Declaration/{*}ID") for body in callback.bodies}
    assert len(numbers) == 1
