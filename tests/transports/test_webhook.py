"""A call to an address that somebody else chose: where it may go, what the target sees, and how little a bad target can do.

The attacks are those that a server is tricked with into calling its own house, and those of a target that keeps its caller busy.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway.errors import Rejected
from gateway.ports import Called
from gateway.transports.targets import Rules
from gateway.transports.webhook import ANSWER_LIMIT, HEAD_BYTES, Poster

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
ANY_PORT = ((1, 65_535),)
OPEN = Rules(("https", "http"), ANY_PORT, LOOPBACK)
NAME = "hooks.example"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntaken"
Serve = Callable[[socket.socket], None]


class Target:
    """A listener. seen: the bytes of each request; connections: how often somebody connected."""

    def __init__(self, serve: Serve | None, answer: bytes, context: ssl.SSLContext | None) -> None:
        self._serve, self._answer, self._context = serve, answer, context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.seen: list[bytes] = []
        self.connections = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def url(self, host: str = "127.0.0.1", scheme: str = "http", path: str = "/hook?a=1") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with contextlib.suppress(OSError), connection:
                connection.settimeout(10)
                if self._context:
                    connection = self._context.wrap_socket(connection, server_side=True)
                with connection:
                    self.seen.append(_request(connection))
                    if self._serve:
                        self._serve(connection)
                    else:
                        connection.sendall(self._answer)


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextmanager
def target(answer: bytes = OK, serve: Serve | None = None, context: ssl.SSLContext | None = None) -> Iterator[Target]:
    one = Target(serve, answer, context)
    try:
        yield one
    finally:
        one.close()


def post(url: str, rules: Rules = OPEN, **settings: Any) -> Called:
    return Poster(rules, **settings).post(url, {"webhook-id": "01abc"}, '{"城": 1}'.encode())


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """A resolver of these tests: name -> what it answers, one list of addresses a look-up, the last for ever."""
    known: dict[str, list[list[str]]] = {}
    usual = socket.getaddrinfo

    def look_up(host: str, port: int, *arguments: Any, **named: Any) -> Any:
        if host not in known:
            return usual(host, port, *arguments, **named)
        addresses = known[host].pop(0) if len(known[host]) > 1 else known[host][0]
        return [found for address in addresses for found in usual(address, port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


FORBIDDEN = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.100.100.200",
    "169.254.169.254", "192.0.0.192", "168.63.129.16", "224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "203.0.113.7",
    "[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[2001:db8::1]", "[fec0::1]",
    "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost",
]  # fmt: skip


@pytest.mark.parametrize("host", FORBIDDEN)
def test_what_is_not_public_is_refused_at_registration_and_again_when_it_is_called(host: str) -> None:
    poster = Poster(Rules(("https", "http"), ANY_PORT))
    url = f"https://{host}/latest/meta-data"
    with pytest.raises(Rejected) as refused:
        poster.check(url)
    assert refused.value.code == "webhook.target.forbidden"
    assert poster.post(url, {}, b"{}").fault == "forbidden"


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700::1111]", "[::ffff:8.8.8.8]"])
def test_what_is_public_may_be_registered(host: str) -> None:
    Poster(Rules()).check(f"https://{host}/hook")


def test_networks_that_the_operator_allows_are_exempt_and_their_neighbours_are_not() -> None:
    rules = Rules(networks=(ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/16")))
    for host in ("10.1.2.3", "[fd00::5]", "[::ffff:10.1.2.3]"):
        rules.check(f"https://{host}/")
    for host in ("10.2.0.1", "[fd01::5]"):
        with pytest.raises(Rejected):
            rules.check(f"https://{host}/")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://8.8.8.8/", "scheme"), ("ftp://8.8.8.8/", "scheme"), ("file:///etc/passwd", "unreadable"),
        ("gopher://8.8.8.8/", "scheme"), ("8.8.8.8", "unreadable"), ("", "unreadable"), ("https://", "unreadable"),
        ("https://user:secret@8.8.8.8/", "credentials"), ("https://8.8.8.8@127.0.0.1/", "credentials"),
        ("https://8.8.8.8:22/", "port"), ("https://8.8.8.8:0/", "port"), ("https://8.8.8.8:99999/", "unreadable"),
        ("https://8.8.8.8/#x", "unreadable"), ("https://8.8.8.8/a b", "unreadable"), ("https://8.8.8.8\\@127.0.0.1/", "unreadable"),
        ("https://8.8.8.8/\r\nX: y", "unreadable"), ("https://例子.cn/", "unreadable"), ("https://8.8.8.8/" + "a" * 2048, "unreadable"),
        ("https://[fe80::1%25eth0]/", "unreadable"),
    ],
)  # fmt: skip
def test_an_address_of_another_form_is_refused(url: str, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        Poster(Rules()).check(url)
    assert refused.value.code == f"webhook.url.{code}"
    assert "secret" not in str(refused.value.findings)


def test_of_a_name_with_several_addresses_one_that_is_forbidden_forbids_it(names: dict[str, list[list[str]]]) -> None:
    names[NAME] = [["8.8.8.8", "169.254.169.254"]]
    with pytest.raises(Rejected):
        Poster(Rules()).check(f"https://{NAME}/")


def test_a_name_that_leads_elsewhere_when_it_is_called_is_not_called(names: dict[str, list[list[str]]]) -> None:
    """DNS rebinding: public at registration, ours at the call."""
    with target() as one:
        names[NAME] = [["8.8.8.8"], ["127.0.0.1"]]
        poster = Poster(Rules(("http",), ANY_PORT))
        poster.check(one.url(NAME))
        assert poster.post(one.url(NAME), {}, b"{}").fault == "forbidden"
        assert one.connections == 0


def test_the_address_that_was_checked_is_the_one_that_is_called(names: dict[str, list[list[str]]]) -> None:
    """A resolver that answers otherwise a moment later is not asked a second time."""
    with target() as one:
        names[NAME] = [["127.0.0.1"], ["127.0.0.9"]]
        assert post(one.url(NAME)).status == 200
        assert f"Host: {NAME}:{one.port}".encode() in one.seen[0]
        assert names[NAME] == [["127.0.0.9"]]


def test_the_target_gets_the_body_and_the_headers_and_its_answer_is_told() -> None:
    with target() as one:
        called = post(one.url())
        assert (called.status, called.fault, called.head) == (200, "", "taken")
        head, _, body = one.seen[0].partition(b"\r\n\r\n")
        assert head.startswith(b"POST /hook?a=1 HTTP/1.1\r\n")
        assert b"webhook-id: 01abc" in head
        assert body == '{"城": 1}'.encode()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(status: int) -> None:
    with target() as inner:
        moved = f"HTTP/1.1 {status} Moved\r\nLocation: {inner.url()}\r\nContent-Length: 0\r\n\r\n".encode()
        with target(moved) as one:
            assert post(one.url()).status == status
        assert inner.connections == 0


def test_the_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with target() as proxy, target() as one:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.url(path=""))
        assert post(one.url()).status == 200
        assert (proxy.connections, one.connections) == (0, 1)


def _drip(first: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.sendall(first)
        while True:
            connection.sendall(b"a")
            time.sleep(0.05)

    return serve


@pytest.mark.parametrize(
    ("serve", "fault"),
    [(lambda connection: time.sleep(2), "timeout"), (_drip(b"HTTP/1.1 200"), "timeout"), (_drip(b"HTTP/1.1 200 OK\r\nX: "), "timeout")],
    ids=["silence", "a status that drips", "headers that drip"],
)  # fmt: skip
def test_a_target_that_takes_its_time_is_left_when_the_deadline_comes(serve: Serve, fault: str) -> None:
    with target(serve=serve) as one:
        began = time.monotonic()
        called = post(one.url(), deadline_s=0.5)
        assert (called.status, called.fault) == (0, fault)
        assert time.monotonic() - began < 1.5


def test_a_body_that_drips_does_not_take_back_the_status_nor_hold_the_caller() -> None:
    with target(serve=_drip(b"HTTP/1.1 200 OK\r\n\r\n")) as one:
        began = time.monotonic()
        assert post(one.url(), deadline_s=0.5).status == 200
        assert time.monotonic() - began < 1.5


def test_of_a_large_answer_only_the_beginning_is_read() -> None:
    sent = []

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 500 No\r\n\r\n")
        for _ in range(2_000):
            connection.sendall(b"x" * 65_536)
            sent.append(65_536)

    with target(serve=serve) as one:
        called = post(one.url())
        assert (called.status, len(called.head)) == (500, HEAD_BYTES)
    assert sum(sent) < 64 * 1024 * 1024


def test_headers_without_end_are_given_up() -> None:
    lines = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 1_000) for number in range(90))
    assert len(lines) > ANSWER_LIMIT
    with target(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n") as one:
        assert post(one.url()).fault == "unreadable"


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"\x00\x01\x02\r\n\r\n"])
def test_what_is_no_answer_is_told(answer: bytes) -> None:
    with target(answer) as one:
        called = post(one.url())
        assert called.status == 0
        assert called.fault in ("unreadable", "connection")


def test_nobody_listening_is_told() -> None:
    with target() as one:
        url = one.url()
    assert post(url).fault == "connection"


def test_control_characters_of_an_answer_do_not_reach_a_log() -> None:
    with target(b"HTTP/1.1 400 No\r\n\r\na\x1b[31m\x00\xff\nb") as one:
        assert post(one.url()).head == "a\ufffd[31m\ufffd\ufffd\nb"


@pytest.mark.parametrize(("value", "seconds"), [("120", 120), ("999999999", 86_400), ("soon", None), ("-5", None)])
def test_when_to_come_back_is_read(value: str, seconds: int | None) -> None:
    with target(f"HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\n\r\n".encode()) as one:
        assert post(one.url()).retry_after_s == seconds


def test_when_to_come_back_may_be_a_date() -> None:
    at = (datetime.now(UTC) + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    with target(f"HTTP/1.1 429 Slow\r\nRetry-After: {at}\r\n\r\n".encode()) as one:
        retry_after_s = post(one.url()).retry_after_s
    assert retry_after_s is not None
    assert 80 <= retry_after_s <= 91


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate of NAME and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(plain)
    return folder / "cert.pem", folder / "key.pem"


def test_tls_asks_for_the_name_and_holds_the_certificate_against_it(
    certificate: tuple[Path, Path], names: dict[str, list[list[str]]]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)  # type: ignore[assignment,return-value]
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    names[NAME] = names["other.example"] = [["127.0.0.1"]]
    with target(context=context) as one:
        assert post(one.url(NAME, "https"), trust=trust).status == 200
        assert post(one.url("other.example", "https"), trust=trust).fault == "tls"
        assert post(one.url(NAME, "https")).fault == "tls"
        assert len(one.seen) == 1
    assert asked == [NAME, "other.example", NAME]
