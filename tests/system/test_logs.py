"""What serve and work log while documents are taken, refused, signed, sent and answered: their ids, and nothing of what they say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.neighbours import Neighbours, garments
from tests.system.town import wait_for

MARK, WRONG_KEY = "mark4711inside", "key-of-nobody-4711"


class Told:
    """A declaration's whole way, two refusals and a forgery, and every line that the processes logged meanwhile."""

    def __init__(self, town: Neighbours) -> None:
        self.town = town
        (document,) = garments("asked", 1, [MARK])
        self.key = town.key_of(document)
        with town.session() as session:
            address = f"{town.url}/v1/declarations"
            answer = session.post(address, json=document, headers={"X-API-Key": self.key})
            assert answer.status_code == 202, answer.text
            self.declaration = answer.json()["id"]
            (self.message,) = answer.json()["message_ids"]
            bad = {**document, "functional_reference_id": f"A{MARK}", "invoice_amount": MARK}
            assert session.post(address, json=bad, headers={"X-API-Key": self.key}).status_code == 422
            broken = ('{"remarks": "' + MARK).encode()
            assert session.post(address, data=broken, headers={"X-API-Key": self.key}).status_code == 400
            assert session.get(f"{address}?q={MARK}", headers={"X-API-Key": WRONG_KEY}).status_code == 401
            session.get(f"{town.url}/v1/messages?q={MARK}", headers={"X-API-Key": self.key}).raise_for_status()
            forged = f"<Declaration><Remarks>{MARK}</Remarks></Declaration>".encode()
            assert session.post(f"{town.url}/v1/partners/asked/messages", data=forged).status_code in (403, 422)
            session.get(f"{town.url}/{MARK}")
        wait_for(lambda: town.count("SELECT COUNT(*) FROM judgements") > 0, 40, lambda: town.log("work"))

    def text(self, name: str) -> str:
        return (self.town.home / f"{name}.log").read_text(encoding="utf-8")

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text(name).splitlines()]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    town = Neighbours(Path(tmp_path_factory.mktemp("logs")))
    try:
        town.run("migrate")
        for name in ("serve", "work", "asked"):
            town.start(name)
        town.wait_until_ready()
        yield Told(town)
    finally:
        town.stop()


@pytest.mark.parametrize("name", ["serve", "work"])
def test_no_log_repeats_a_value_a_key_or_an_address(told: Told, name: str) -> None:
    log = told.text(name)
    for secret in (MARK, WRONG_KEY, told.key, "PRIVATE KEY"):
        assert secret not in log


@pytest.mark.parametrize("name", ["serve", "work"])
def test_every_line_is_an_object_with_the_members_that_all_have(told: Told, name: str) -> None:
    lines = told.lines(name)
    assert lines
    for line in lines:
        assert {"time", "level", "logger", "event", "role", "pid"} <= line.keys()
        assert line["role"] == name


def test_every_request_has_one_line_with_its_route_and_how_it_ended(told: Told) -> None:
    lines = [line for line in told.lines("serve") if line["logger"] == "gateway.access"]
    seen = {(line["method"], line["route"], line["status"]) for line in lines}
    assert {
        ("POST", "/v1/declarations", 202),
        ("POST", "/v1/declarations", 422),
        ("POST", "/v1/declarations", 400),
        ("GET", "/v1/messages", 200),
        ("GET", "none", 404),
    } <= seen
    assert any(line["route"] == "/v1/partners/{agreement_id}/messages" for line in lines)
    (filed,) = [line for line in lines if line["status"] == 202 and line["route"] == "/v1/declarations"]
    assert (filed["declaration_id"], filed["message_id"]) == (told.declaration, told.message)
    assert filed["key"].startswith("filer-asked/")
    assert filed["ms"] > 0
    assert filed["bytes"] > 0


def test_the_worker_tells_what_came_of_an_attempt_with_the_ids(told: Told) -> None:
    lines = [line for line in told.lines("work") if line["event"] == "attempt 1: handed_over"]
    assert [(line["message_id"], line["declaration_id"], line["agreement"]) for line in lines] == [
        (told.message, told.declaration, "asked")
    ]


def test_an_answer_is_told_with_the_message_it_speaks_of(told: Told) -> None:
    lines = [line for line in told.lines("serve") if line["event"] == "received: matched"]
    assert lines
    assert {line["message_id"] for line in lines} == {told.message}
    assert {line["agreement"] for line in lines} == {"asked"}
