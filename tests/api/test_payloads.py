"""Attachments over a real socket: whole or not at all, one's own, in bounded memory, and given back as they came."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from gateway.api import bodies
from gateway.api import payloads as operations
from gateway.api.attachments import MEDIA_TYPES, SIGNATURES, is_what_it_says
from gateway.api.ranges import Span, asked_span
from gateway.cli import main
from tests.api.conftest import FILER, OPERATOR, Answer, partners, serving

PATH = "/v1/payloads"
PDF = b"%PDF-1.7\n"


def pdf(size: int) -> bytes:
    """Some file of its own of this size."""
    return PDF + os.urandom(24).hex().encode() + b"\n" * (size - len(PDF) - 48)


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def field_of(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


def upload(api: Any, data: bytes, media_type: str = "application/pdf", query: str = "", **headers: str) -> Answer:
    answer: Answer = api.ask("POST", PATH + query, raw=data, Content_Type=media_type, **headers)
    return answer


def lying_about(running: Any) -> list[Path]:
    """What lies half written."""
    return list((running.app.parts.settings.home / "payloads" / "incoming").glob(".incoming-*"))


@pytest.mark.parametrize("size", [100, 65_536, 65_537, 3_000_000])
def test_a_file_comes_back_as_it_was_sent(running: Any, size: int) -> None:
    data = pdf(size)
    stored = upload(running.api, data, query="?name=%E5%90%88%E5%90%8C-1.pdf", Repr_Digest=field_of(data))
    assert stored.status == 201, stored.data
    assert (stored.json["digest"], stored.json["size"]) == (digest_of(data), size)
    assert stored.json["name"] == "合同-1.pdf"
    place = stored.headers["location"]
    assert place == f"{PATH}/{digest_of(data)}"
    given = running.api.get(place)
    assert given.data == data
    assert given.headers["content-type"] == "application/pdf"
    assert given.headers["content-disposition"] == 'attachment; filename="-1.pdf"'
    assert given.headers["x-content-type-options"] == "nosniff"
    assert given.headers["repr-digest"] == field_of(data)
    head = running.api.ask("HEAD", place)
    assert (head.status, head.data, head.headers["content-length"]) == (200, b"", str(size))
    assert head.headers["etag"] == given.headers["etag"]
    assert running.api.get(place, If_None_Match=given.headers["etag"]).status == 304


def test_the_same_bytes_twice_are_one_file_and_one_answer(running: Any) -> None:
    data = pdf(200_000)
    first, again = upload(running.api, data), upload(running.api, data)
    assert (first.status, again.status) == (201, 200)
    assert first.json == again.json
    assert lying_about(running) == []


def test_a_payload_of_another_tenant_does_not_exist(running: Any) -> None:
    data = pdf(100_000)
    place = upload(running.api, data).headers["location"]
    theirs, nobodys = running.other.get(place), running.other.get(f"{PATH}/sha256:{'0' * 64}")
    assert (theirs.status, theirs.data) == (404, nobodys.data)
    assert running.other.ask("HEAD", place).status == 404
    assert running.operator.get(place).data == data
    assert upload(running.other, data).status == 201
    assert running.other.get(place).data == data


def test_a_message_of_a_partner_is_no_upload(running: Any) -> None:
    filed = running.file()
    content = running.api.get(f"/v1/messages/{filed['message_ids'][0]}/content/partner").data
    assert running.api.get(f"{PATH}/{digest_of(content)}").status == 404


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("bytes=0-8", (206, PDF, "bytes 0-8/70000")),
        ("bytes=-3", (206, b"\n\n\n", "bytes 69997-69999/70000")),
        ("bytes=69999-", (206, b"\n", "bytes 69999-69999/70000")),
        ("bytes=69999-80000", (206, b"\n", "bytes 69999-69999/70000")),
        ("bytes=70000-", (416, b"", "bytes */70000")),
    ],
)
def test_a_range_is_given_as_it_is_asked_for(running: Any, said: str, expected: tuple[int, bytes, str]) -> None:
    place = upload(running.api, pdf(70_000)).headers["location"]
    answer = running.api.get(place, Range=said)
    assert (answer.status, answer.data, answer.headers["content-range"]) == expected
    other = running.api.get(place, Range=said, If_Range='"another"')
    assert (other.status, len(other.data)) == (200, 70_000)


@pytest.mark.parametrize("said", ["", "bytes=", "bytes=-", "lines=0-1", "bytes=0-1,3-4", "bytes=5-3", "bytes=a-b"])
def test_a_range_that_is_none_is_passed_over(said: str) -> None:
    assert asked_span(said, 10) == Span(0, 9, is_part=False)


def test_what_lies_about_its_type_is_refused(running: Any) -> None:
    cases = {
        "application/pdf": b"PK\x03\x04",
        "image/png": PDF,
        "image/jpeg": b"\x89PNG\r\n\x1a\n",
        "application/zip": b"MZ\x90",
        "text/csv": b"a,b\x00c",
        "text/plain": b"\x7fELF",
        "application/xml": b"plain words",
    }
    for media_type, data in cases.items():
        refused = upload(running.api, data, media_type)
        assert (refused.status, refused.json["code"]) == (422, "api.payload.type"), media_type
        assert running.api.get(f"{PATH}/{digest_of(data)}").status == 404
    for media_type in ("text/html", "application/octet-stream", "image/svg+xml", ""):
        assert upload(running.api, b"<html>", media_type).status == 415
    assert upload(running.api, b"", "text/plain").json["code"] == "api.body.empty"


def test_each_type_that_is_taken_is_known_by_its_beginning() -> None:
    for media_type in MEDIA_TYPES:
        signatures = SIGNATURES.get(media_type, (b"\xef\xbb\xbf <a/>",))
        assert all(is_what_it_says(media_type, each + b"...") for each in signatures), media_type


def test_a_wrong_digest_is_refused_and_nothing_kept(running: Any) -> None:
    data = pdf(300_000)
    for field in ("Repr_Digest", "Content_Digest"):
        refused = upload(running.api, data, **{field: field_of(b"other")})
        assert (refused.status, refused.json["code"]) == (422, "api.payload.digest")
    old = f"SHA-256={base64.b64encode(hashlib.sha256(b'other').digest()).decode()}"
    assert upload(running.api, data, Digest=old).status == 422
    unread = upload(running.api, data, Repr_Digest="md5=:AAAA:")
    assert (unread.status, unread.json["code"]) == (400, "api.payload.digest_field")
    assert running.api.get(f"{PATH}/{digest_of(data)}").status == 404
    assert lying_about(running) == []
    assert upload(running.api, data, Digest=old.replace(old[8:], field_of(data)[9:-1])).status == 201


def begin(port: int, size: int, sent: bytes) -> socket.socket:
    """An upload of a declared size of which only so much is sent."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(
        f"POST {PATH} HTTP/1.1\r\nHost: gateway\r\nX-API-Key: {FILER}\r\nContent-Type: application/pdf\r\n"
        f"Content-Length: {size}\r\n\r\n".encode()
        + sent
    )
    return connection


def test_a_body_that_ends_early_leaves_nothing(running: Any) -> None:
    data = pdf(3_000_000)
    connection = begin(running.port, len(data), data[:2_000_000])
    deadline = time.monotonic() + 10
    while not lying_about(running) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert lying_about(running)
    connection.close()
    while lying_about(running) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert lying_about(running) == []
    for found in (data, data[:2_000_000]):
        assert running.api.get(f"{PATH}/{digest_of(found)}").status == 404


def test_a_client_that_dawdles_is_refused(running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "PACE", bodies.Pace(grace_s=0.3, bytes_a_s=1_000_000))
    connection = begin(running.port, 3_000_000, pdf(200_000))
    assert connection.recv(100).startswith(b"HTTP/1.1 408")
    connection.close()


def test_a_key_that_may_not_file_may_not_upload(running: Any) -> None:
    assert upload(running.api, PDF, key="").status == 401
    assert upload(running.api, PDF, key=OPERATOR).status == 403


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, examples: dict[str, Any], project_root: Path) -> Iterator[Any]:
    """A gateway that takes 1 MB a file and 2 MB a tenant."""
    home = tmp_path_factory.mktemp("small")
    said = {
        "SWGATE_HOME": str(home),
        "SWGATE_PARTNERS": str(partners(home)),
        "SWGATE_CERTS": str(home / "certs"),
        "SWGATE_ADAPTERS": str(project_root / "tests" / "api" / "adapters"),
        "SWGATE_PAYLOAD_LIMIT_BYTES": "1000000",
        "SWGATE_PAYLOAD_QUOTA_BYTES": "2000000",
    }
    with serving(said, examples) as running:
        yield running


def test_a_file_above_the_limit_is_refused_by_its_declared_size_and_while_it_comes(small: Any) -> None:
    connection = begin(small.port, 1_000_001, b"")
    assert connection.recv(100).startswith(b"HTTP/1.1 413")
    connection.close()
    chunked = HTTPConnection("127.0.0.1", small.port, timeout=20)
    chunked.request(
        "POST",
        PATH,
        body=iter([pdf(500_000), pdf(500_001)]),
        headers={"X-API-Key": FILER, "Content-Type": "application/pdf"},
        encode_chunked=True,
    )
    assert chunked.getresponse().status == 413
    chunked.close()
    assert lying_about(small) == []


def test_a_tenant_keeps_no_more_than_its_quota_however_many_come_at_once(small: Any) -> None:
    with ThreadPoolExecutor(8) as crowd:
        statuses = [one.status for one in crowd.map(lambda _: upload(small.api, pdf(700_000)), range(8))]
    assert set(statuses) <= {201, 413}
    assert statuses.count(201) <= 2
    assert upload(small.other, pdf(700_000)).status == 201
    over = [upload(small.api, pdf(700_000)) for _ in range(3)]
    assert (over[-1].status, over[-1].json["code"]) == (413, "api.payload.quota")
    with small.app.parts.store.read() as reading:
        assert reading.uploaded_bytes("filer") == 1_400_000


def test_a_file_that_was_changed_on_disk_is_never_given_out_whole(running: Any) -> None:
    data = pdf(1_000_000)
    place = upload(running.api, data).headers["location"]
    name = digest_of(data).removeprefix("sha256:")
    file = running.app.parts.settings.home / "payloads" / name[:2] / name[2:4] / name
    file.write_bytes(data[:-1] + b"x")
    connection = HTTPConnection("127.0.0.1", running.port, timeout=20)
    connection.request("GET", place, headers={"X-API-Key": FILER})
    response = connection.getresponse()
    with pytest.raises(Exception, match="IncompleteRead"):
        response.read()
    connection.close()


def resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def test_twenty_uploads_at_once_are_held_in_bounded_memory_and_others_go_on_filing(running: Any) -> None:
    size, count = 24_000_000, 20
    head = [pdf(1_000) for _ in range(count)]
    rest = b"\n" * 1_000_000

    def send(number: int) -> int:
        connection = HTTPConnection("127.0.0.1", running.port, timeout=100)
        parts = [head[number], *[rest] * (size // len(rest))]
        length = str(sum(map(len, parts)))
        said = {"X-API-Key": FILER, "Content-Type": "application/pdf", "Content-Length": length}
        connection.request("POST", PATH, body=iter(parts), headers=said)
        status = connection.getresponse().status
        connection.close()
        return status

    running.file()
    before, most, filed = resident_bytes(), 0, 0
    with ThreadPoolExecutor(count) as crowd:
        uploads = [crowd.submit(send, number) for number in range(count)]
        while not all(one.done() for one in uploads):
            running.file()
            filed += 1
            most = max(most, resident_bytes())
    assert [one.result() for one in uploads] == [201] * count
    assert filed > 5
    # Client and gateway are one process here.
    assert most - before < 100_000_000
    for path in (running.app.parts.settings.home / "payloads").rglob("*"):
        if path.is_file() and path.stat().st_size > size:
            path.unlink()


def test_swgate_uploads_and_downloads_a_file(
    running: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEY_OF_TEST", FILER)
    there = ["--url", f"http://127.0.0.1:{running.port}", "--key", "env:KEY_OF_TEST"]
    source, target = tmp_path / "invoice.pdf", tmp_path / "back.pdf"
    source.write_bytes(pdf(150_000))
    assert main(["payloads", "put", str(source), *there]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["digest"], told["name"]) == (digest_of(source.read_bytes()), "invoice.pdf")
    assert main(["payloads", "get", told["digest"], "-o", str(target), *there]) == 0
    assert target.read_bytes() == source.read_bytes()
    assert main(["payloads", "get", f"sha256:{'0' * 64}", "-o", str(tmp_path / "none"), *there]) == 1
    assert main(["payloads", "put", str(source), "--type", "image/png", *there]) == 1
    assert "application/pdf" in capfd.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back.pdf", "invoice.pdf"]
