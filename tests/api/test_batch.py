"""Many documents in one request: newline-delimited JSON both ways, over a real socket."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.api.batch_filing import Line, Lines
from gateway.cli import main
from tests.api.conftest import FILER, OPERATOR

NDJSON = "application/x-ndjson"
PATH = "/v1/declarations:batch"


def batch(running: Any, *lines: Any, **headers: str) -> list[Any]:
    """The answers to lines, each a value or bytes as they are sent."""
    body = b"\n".join(
        line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in lines
    )
    answer = running.api.ask("POST", PATH, raw=body, Content_Type=NDJSON, **headers)
    assert (answer.status, answer.headers["content-type"]) == (200, NDJSON), answer.data
    return [json.loads(line) for line in answer.data.splitlines()]


def references(running: Any, prefix: str) -> int:
    """How many declarations with a reference of this beginning are stored."""
    with running.app.parts.store.read() as reading:
        cursor = reading._cursor
        cursor.execute("SELECT COUNT(*) FROM documents WHERE reference LIKE :like", {"like": f"{prefix}%"})
        return int(cursor.fetchone()[0])


class Caller:
    """A connection on which a batch is sent piece by piece, in chunks."""

    def __init__(self, port: int, **options: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._answers = self.socket.makefile("rb")
        self.socket.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: gateway\r\nX-API-Key: {FILER}\r\nContent-Type: {NDJSON}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )

    def send(self, data: bytes) -> None:
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(data), data))

    def answers(self) -> Iterator[Any]:
        """The answers, as they come."""
        while self._answers.readline().strip():
            continue
        held = b""
        while size := int(self._answers.readline() or b"0", 16):
            held += self._answers.read(size)
            self._answers.readline()
            *ended, held = held.split(b"\n")
            yield from map(json.loads, ended)

    def close(self) -> None:
        self._answers.close()
        self.socket.close()


@pytest.fixture
def caller(running: Any) -> Iterator[Caller]:
    made = Caller(running.port)
    yield made
    made.close()


def taken(caller: Caller, data: bytes) -> Iterator[None]:
    """Sends the same until it is not taken any more, or has been so often that it never will be."""
    for _ in range(4_000):
        try:
            caller.send(data)
        except TimeoutError:
            return
        yield


def line(running: Any, **changes: Any) -> bytes:
    return json.dumps({"document": running.declaration(**changes)}, ensure_ascii=False).encode()


def test_of_five_hundred_lines_each_tenth_bad_one_spoils_no_other(running: Any) -> None:
    bad = [
        b"{not json",
        b'{"document": {}, "document": {}}',
        json.dumps({"document": {"remarks": "x" * 200_000}}).encode(),
        b'{"document": {"direction": "upwards"}}',
        b'{"dokument": {}}',
        b"[]",
        b'{"document": {}, "kind": "amendment"}',
        b'{"document": {}, "declaration_id": "00000000000000000000000000"}',
    ]
    statuses = [400, 400, 413, 422, 422, 422, 422, 422]
    lines: list[Any] = []
    expected = []
    for number in range(1, 501):
        wrong = number // 10 % len(bad)
        lines.append(bad[wrong] if number % 10 == 0 else {"document": running.declaration()})
        expected.append(statuses[wrong] if number % 10 == 0 else 202)
    answers = batch(running, *lines)
    assert [one["line"] for one in answers] == list(range(1, 501))
    told = [one["status"] for one in answers]
    assert [one if one != 404 else 422 for one in told] == expected
    for one in answers:
        if one["status"] == 202:
            assert one["links"]["self"] == f"/v1/declarations/{one['id']}"
            assert len(one["message_ids"]) == 1
        else:
            assert one["problem"]["status"] == one["status"]
            assert one["problem"]["findings"][0]["text"]


def test_a_key_means_the_same_in_a_line_as_in_a_request(running: Any) -> None:
    first, other = running.declaration(), running.declaration()
    lines = [
        {"document": first, "idempotency_key": "line-1"},
        {"document": first, "idempotency_key": "line-1"},
        {"document": other, "idempotency_key": "line-1"},
    ]
    filed, again, conflict = batch(running, *lines)
    assert (filed["status"], filed["idempotency_key"]) == (202, "line-1")
    assert (again["status"], again["replayed"], again["id"]) == (202, True, filed["id"])
    assert (conflict["status"], conflict["problem"]["code"]) == (409, "idempotency.other_body")
    later, *_ = batch(running, lines[0])
    assert (later["replayed"], later["id"]) == (True, filed["id"])
    canonical = json.dumps(first, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    alone = running.api.ask("POST", "/v1/declarations", raw=canonical, Idempotency_Key="line-1")
    assert (alone.status, alone.json["id"]) == (202, filed["id"])


def test_a_line_is_tried_declared_again_amended_or_made_to_wait(running: Any) -> None:
    filed = running.file()
    amendment = {**running.documents["AmendOneField"], "functional_reference_id": "BATCH-AM"}
    tried, waiting, amended, early = batch(
        running,
        {"document": running.declaration(), "dry_run": True},
        {"document": running.declaration(), "waits_for": "manifest:7654321"},
        {"document": amendment, "kind": "amendment", "declaration_id": filed["id"]},
        {"document": running.declaration(), "declaration_id": filed["id"]},
    )
    assert (tried["status"], tried["dry_run"], "id" in tried) == (200, True, False)
    message = running.api.get(f"/v1/messages/{waiting['message_ids'][0]}").json["message"]
    assert message["waiting_for"] == "manifest:7654321"
    assert amended["links"]["self"] == f"/v1/declarations/{filed['id']}/amendments/{amended['id']}"
    assert (early["status"], early["problem"]["code"]) == (409, "declaration.round_open")


def test_problems_of_lines_are_told_in_the_callers_language(running: Any) -> None:
    [answer] = batch(running, b"{", Accept_Language="zh")
    assert answer["problem"]["title"] == "不是 JSON"


def test_what_cannot_be_a_batch_is_refused_before_its_first_line(running: Any) -> None:
    assert running.api.ask("POST", PATH, raw=b"{}", Content_Type=NDJSON, key="").status == 401
    assert running.api.ask("POST", PATH, raw=b"{}", Content_Type=NDJSON, key=OPERATOR).status == 403
    refused = running.api.ask("POST", PATH, raw=b"{}")
    assert (refused.status, refused.json["code"]) == (415, "api.media_type")
    assert running.api.ask("GET", PATH).status == 405


def test_empty_lines_are_counted_and_not_answered(running: Any) -> None:
    answers = batch(running, b"", {"document": running.declaration()}, b"\r", b"{", b"")
    assert [(one["line"], one["status"]) for one in answers] == [(2, 202), (4, 400)]
    assert batch(running, b"") == []


def test_a_line_is_answered_before_the_next_is_sent(running: Any, caller: Caller) -> None:
    answers = caller.answers()
    for number in range(1, 4):
        data = line(running)
        caller.send(data[:100])
        caller.send(data[100:] + b"\n")
        assert (answer := next(answers))["status"] == 202
        assert answer["line"] == number
    caller.send(b"{")
    caller.socket.sendall(b"0\r\n\r\n")
    assert [one["status"] for one in answers] == [400]


def test_after_a_connection_ends_half_way_what_was_answered_is_stored_and_the_rest_not_begun(running: Any) -> None:
    caller = Caller(running.port)
    answers = caller.answers()
    caller.send(b"".join(line(running, functional_reference_id=f"HALF-{n}") + b"\n" for n in range(5)))
    told = [next(answers)["status"] for _ in range(5)]
    unfinished = line(running, functional_reference_id="HALF-unfinished")
    caller.send(unfinished)
    caller.close()
    time.sleep(0.5)
    assert told == [202] * 5
    assert references(running, "HALF-") == 5


def test_who_does_not_read_is_not_read_and_others_are_served(running: Any) -> None:
    caller = Caller(running.port)
    caller.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    caller.socket.settimeout(1)
    refused = b'{"document": {"direction": "upwards", "remarks": 5}}\n' * 500
    sent = sum(len(refused) for _ in taken(caller, refused))
    assert running.api.get("/v1/declarations?limit=1").status == 200
    caller.close()
    assert sent < 50_000_000


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_lines_are_the_same_however_the_body_is_cut(size: int) -> None:
    body = b"one\n\nthree\r\n" + b"x" * 21 + b"\n" + b"y" * 20 + b"\nlast"
    lines = Lines(20)
    found = [one for at in range(0, len(body), size) for one in lines.of(body[at : at + size])]
    found += lines.last()
    assert found == [
        Line(1, 3, b"one"),
        Line(3, 6, b"three\r"),
        Line(4, 21, None),
        Line(5, 20, b"y" * 20),
        Line(6, 4, b"last"),
    ]


def test_swgate_files_the_lines_of_a_file_and_says_what_became_of_each(
    running: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEY_OF_TEST", FILER)
    file = tmp_path / "many.ndjson"
    lines = [line(running) for _ in range(100)]
    lines[49] = b"{"
    file.write_bytes(b"\n".join(lines))
    words = ["submit", str(file), "--batch", "--url", f"http://127.0.0.1:{running.port}", "--key", "env:KEY_OF_TEST"]
    assert main(words) == 1
    shown = capfd.readouterr()
    told = [json.loads(one) for one in shown.out.splitlines()]
    assert [one["line"] for one in told if one["status"] != 202] == [50]
    assert len(told) == 100
    assert "202: 99, 400: 1" in shown.err
    file.write_bytes(lines[0])
    assert main(words) == 0
    monkeypatch.setenv("KEY_OF_TEST", "nobody-has-this-key")
    assert main(words) == 1
    assert main([*words, "--dry-run"]) == 3
