"""What one POST tells: arrived, not arrived, refused, or nobody knows."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gateway.agreements import Agreement
from gateway.errors import GatewayError, NeedsOperator, OutcomeUnknown, PartnerUnavailable, Rejected
from gateway.ports import Alias, Outgoing, Transport
from gateway.transports import open_transport

Make = Callable[..., Agreement]
MESSAGE = Outgoing("01message", "a.xml", b"<a/>", "application/xml", 1)


class Server(ThreadingHTTPServer):
    """A partner that answers as told and remembers what came."""

    daemon_threads = True
    status = 202
    body = b""
    headers: dict[str, str]
    came: list[tuple[str, dict[str, str], bytes]]
    callers: list[Any]
    behave: Callable[[BaseHTTPRequestHandler], bool] | None = None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((self.path, dict(self.headers), data))
        self.server.callers.append(self.client_address)
        if self.server.behave is not None and self.server.behave(self):
            return
        self._answer(self.server.status, self.server.body)

    def do_GET(self) -> None:
        self.server.came.append((self.path, dict(self.headers), b""))
        self._answer(self.server.status, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as one:
        one.came, one.headers, one.callers = [], {}, []
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield one
        one.shutdown()
        thread.join()


@pytest.fixture
def http(agreement: Make, tmp_path: Path, server: Server) -> Iterator[Callable[..., Transport]]:
    opened: list[Transport] = []

    def make(**settings: Any) -> Transport:
        base = f"http://127.0.0.1:{server.server_port}"
        settings = {"url": f"{base}/in", "read_timeout_s": 0.5, "connect_timeout_s": 0.5} | settings
        if settings.get("status_url"):
            settings["status_url"] = f"{base}{settings['status_url']}"
        opened.append(open_transport(agreement("http", **settings), tmp_path))
        return opened[-1]

    yield make
    for transport in opened:
        transport.close()


@pytest.mark.parametrize("body", [b"", b"thank you"])
def test_messages_follow_each_other_on_one_connection(
    http: Callable[..., Transport], server: Server, body: bytes
) -> None:
    server.body = body
    transport = http()
    for _ in range(3):
        transport.send(MESSAGE)
    assert len(set(server.callers)) == 1


def test_a_partner_that_talks_without_end_is_hung_up_on(http: Callable[..., Transport], server: Server) -> None:
    server.body = b"x" * 1_000_000
    transport = http()
    assert transport.send(MESSAGE).note == "HTTP 202"
    assert transport.send(MESSAGE).note == "HTTP 202"
    assert len(set(server.callers)) == 2


def test_an_accepted_message_is_handed_over_with_its_names(http: Callable[..., Transport], server: Server) -> None:
    server.headers, server.body = {"X-Conversation-ID": "C7"}, b"<reply/>"
    transport = http(alias_headers={"conversation": "X-Conversation-ID"}, reply="body", id_header="X-Message")
    handed = transport.send(MESSAGE)
    assert (handed.note, handed.aliases, handed.immediate_reply) == (
        "HTTP 202",
        (Alias("conversation", "C7"),),
        b"<reply/>",
    )
    path, headers, data = server.came[0]
    assert (path, headers["X-Message"], headers["Content-Type"], data) == (
        "/in",
        "01message",
        "application/xml",
        b"<a/>",
    )


def test_a_body_that_is_no_reply_is_not_taken_for_one(http: Callable[..., Transport], server: Server) -> None:
    server.body = b"thank you"
    assert http().send(MESSAGE).immediate_reply is None


def test_a_reply_beyond_the_limit_is_left_and_the_message_is_handed_over_all_the_same(
    http: Callable[..., Transport], server: Server
) -> None:
    server.body = b"x" * 200_000
    handed = http(reply="body", answer_limit_bytes=1000).send(MESSAGE)
    assert handed.immediate_reply is None
    assert "without a readable answer" in handed.note


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, Rejected),
        (400, Rejected),
        (422, Rejected),
        (401, NeedsOperator),
        (404, NeedsOperator),
        (408, PartnerUnavailable),
        (429, PartnerUnavailable),
        (503, PartnerUnavailable),
        (500, OutcomeUnknown),
        (502, OutcomeUnknown),
        (504, OutcomeUnknown),
    ],
)
def test_each_status_says_what_happens_next(
    http: Callable[..., Transport], server: Server, status: int, error: type[GatewayError]
) -> None:
    server.status, server.body = status, b"no such\x00 office"
    server.headers = {"Location": "http://127.0.0.1:1/elsewhere"}
    with pytest.raises(GatewayError) as problem:
        http().send(MESSAGE)
    assert type(problem.value) is error
    assert f"HTTP {status}" in problem.value.detail
    assert "no such  office" in problem.value.detail
    assert len(server.came) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", "120"),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "0"),
        ("soon", None),
        ("+1", None),
        ("1_0", None),
        ("²", None),
        ("9" * 9, None),
    ],
)
def test_the_partner_may_say_when_to_come_back(
    http: Callable[..., Transport], server: Server, text: str, seconds: str | None
) -> None:
    server.status, server.headers = 503, {"Retry-After": text}
    with pytest.raises(PartnerUnavailable) as problem:
        http().send(MESSAGE)
    assert problem.value.findings[0].params.get("retry_after_s") == seconds


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/in", "http://nobody.invalid/in"])
def test_without_a_connection_nothing_has_arrived(http: Callable[..., Transport], url: str) -> None:
    with pytest.raises(PartnerUnavailable):
        http(url=url).send(MESSAGE)


def test_a_partner_whose_certificate_is_not_trusted_gets_nothing(
    http: Callable[..., Transport], server: Server
) -> None:
    with pytest.raises(PartnerUnavailable):
        http(url=f"https://127.0.0.1:{server.server_port}/in").send(MESSAGE)
    assert server.came == []


def test_a_silence_after_sending_is_an_unknown_outcome(http: Callable[..., Transport], server: Server) -> None:
    release = threading.Event()
    server.behave = lambda handler: release.wait(5)
    with pytest.raises(OutcomeUnknown):
        http().send(MESSAGE)
    release.set()
    assert len(server.came) == 1


def test_a_reset_after_sending_is_an_unknown_outcome(http: Callable[..., Transport], server: Server) -> None:
    def reset(handler: BaseHTTPRequestHandler) -> bool:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.close_connection = True
        return True

    server.behave = reset
    with pytest.raises(OutcomeUnknown):
        http().send(MESSAGE)


def test_an_answer_that_is_no_http_is_an_unknown_outcome(agreement: Make, tmp_path: Path) -> None:
    class Babble(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            self.request.sendall(b"\x00\x01 what?\r\n\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Babble) as babbler:
        thread = threading.Thread(target=babbler.handle_request)
        thread.start()
        transport = open_transport(agreement("http", url=f"http://127.0.0.1:{babbler.server_address[1]}/"), tmp_path)
        with pytest.raises(OutcomeUnknown):
            transport.send(MESSAGE)
        thread.join()
        transport.close()


@pytest.mark.parametrize(("status", "there"), [(200, True), (404, False), (500, None), (401, None)])
def test_the_status_address_tells_whether_it_is_there(
    http: Callable[..., Transport], server: Server, status: int, there: bool | None
) -> None:
    server.status = status
    assert http(status_url="/status/{message_id}?name={name}").locate(MESSAGE) is there
    assert server.came[0][0] == "/status/01message?name=a.xml"


def test_without_a_status_address_nobody_can_tell(http: Callable[..., Transport]) -> None:
    assert http().locate(MESSAGE) is None


def test_a_name_cannot_bring_headers_or_paths_of_its_own(http: Callable[..., Transport], server: Server) -> None:
    evil = Outgoing("01m", "a\r\nX-Evil: 1/../b", b"", "application/xml", 1)
    http(name_header="X-Name", status_url="/status/{name}").send(evil)
    assert "X-Evil" not in server.came[0][1]
    http(status_url="/status/{name}").locate(evil)
    assert "/../" not in server.came[1][0]


def test_secrets_come_from_their_place_and_a_missing_one_needs_an_operator(
    http: Callable[..., Transport], server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PARTNER_TOKEN", "Bearer abc")
    (tmp_path / "token").write_text("def\n")
    http(secret_headers={"Authorization": "env:PARTNER_TOKEN", "X-Token": "file:token"}).send(MESSAGE)
    headers = server.came[0][1]
    assert (headers["Authorization"], headers["X-Token"]) == ("Bearer abc", "def")
    with pytest.raises(NeedsOperator) as problem:
        http(secret_headers={"Authorization": "env:NOT_THERE"}).send(MESSAGE)
    assert "abc" not in str(problem.value)


def test_credentials_in_the_address_and_cookies_of_the_partner_go_with_each_message(
    http: Callable[..., Transport], server: Server
) -> None:
    server.headers = {"Set-Cookie": "node=7; Path=/"}
    transport = http(url=f"http://me:secret@127.0.0.1:{server.server_port}/in/ünser")
    transport.send(MESSAGE)
    server.headers = {}
    transport.send(MESSAGE)
    first, second = server.came
    assert first[0] == second[0] == "/in/%C3%BCnser"
    assert first[1]["Authorization"] == second[1]["Authorization"] == "Basic bWU6c2VjcmV0"
    assert (first[1].get("Cookie"), second[1].get("Cookie")) == (None, "node=7")


def test_a_missing_certificate_file_needs_an_operator(http: Callable[..., Transport]) -> None:
    with pytest.raises(NeedsOperator):
        http(ca="nowhere.pem").send(MESSAGE)


def test_the_proxy_environment_is_not_obeyed(
    http: Callable[..., Transport], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert http().send(MESSAGE).note == "HTTP 202"


def test_a_partner_hears_of_our_trace_only_where_the_agreement_says_so(
    http: Callable[..., Transport], server: Server
) -> None:
    traced = replace(MESSAGE, traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    http().send(traced)
    http(traceparent=True).send(traced)
    http(traceparent=True).send(MESSAGE)
    assert [headers.get("traceparent") for _, headers, _ in server.came] == [None, traced.traceparent, None]
