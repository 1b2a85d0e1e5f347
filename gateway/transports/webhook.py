"""One POST to a webhook's target: bounded in time and size, whatever the target does.

The connection is made to an address that was checked just before, by number; Host and TLS keep the name. Redirects are an answer like
any other and are not followed; no proxy of the environment is asked, since the standard library's sockets know none. The deadline
counts for connection, request and answer together, so that bytes that drip do not lengthen it; of the answer only the beginning is read.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from gateway.errors import Rejected
from gateway.ports import Called
from gateway.transports.targets import UNRESOLVED, Rules, Target

ANSWER_LIMIT = 64 * 1024
HEAD_BYTES = 1_024
# How long the beginning of a body is waited for once the status is known.
HEAD_S = 2.0
LONGEST_RETRY_AFTER_S = 86_400


class Poster:
    """Fulfils ports.WebhookTargets. deadline_s: of one call; trust: whom TLS believes."""

    def __init__(self, rules: Rules, *, deadline_s: float = 15.0, trust: ssl.SSLContext | None = None) -> None:
        self._rules = rules
        self._deadline_s = deadline_s
        self._trust = trust or ssl.create_default_context()

    def check(self, url: str) -> None:
        """Rejected says why nothing may be sent there."""
        self._rules.check(url)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Called:
        """Never raises for what the target does. Called.fault says why there is no answer."""
        began = time.monotonic()
        status, head, retry_after_s, fault = 0, "", None, ""
        try:
            target = self._rules.read(url)
            addresses = self._rules.resolve(target)
            wire = self._connect(target, addresses, time.monotonic() + self._deadline_s)
            with wire:
                wire.send(_request(target, headers, body))
                answer = http.client.HTTPResponse(wire, method="POST")  # type: ignore[arg-type]
                try:
                    answer.begin()
                    status, retry_after_s = answer.status, _retry_after_s(answer.getheader("Retry-After"))
                    head = _head(answer, wire)
                finally:
                    answer.close()
        except Rejected as problem:
            fault = "unresolved" if problem.code == UNRESOLVED else "forbidden"
        except TimeoutError:
            fault = "timeout"
        except ssl.SSLError:
            fault = "tls"
        except (http.client.HTTPException, ValueError):
            fault = "unreadable"
        except OSError:
            fault = "connection"
        return Called(status, "" if status else fault, head, retry_after_s, round((time.monotonic() - began) * 1000))

    def _connect(self, target: Target, addresses: list[str], deadline: float) -> _Wire:
        """A connection to the first of the addresses that answers."""
        for address in addresses[:-1]:
            try:
                return self._connect_to(target, address, deadline)
            except OSError:
                if time.monotonic() >= deadline:
                    raise
        return self._connect_to(target, addresses[-1], deadline)

    def _connect_to(self, target: Target, address: str, deadline: float) -> _Wire:
        connection = socket.create_connection((address, target.port), timeout=_left(deadline))
        try:
            if target.scheme == "https":
                connection.settimeout(_left(deadline))
                connection = self._trust.wrap_socket(connection, server_hostname=target.host)
        except BaseException:
            connection.close()
            raise
        return _Wire(connection, deadline)


class _Wire(io.RawIOBase):
    """A socket that ends at its deadline and after so many bytes; http.client reads from it as from a file."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        super().__init__()
        self._connection = connection
        self._room = ANSWER_LIMIT
        self.deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Shared(self))

    def send(self, data: bytes) -> None:
        self._connection.settimeout(_left(self.deadline))
        self._connection.sendall(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._room:
            raise http.client.LineTooLong("answer")
        self._connection.settimeout(_left(self.deadline))
        taken = self._connection.recv_into(memoryview(buffer)[: self._room])
        self._room -= taken
        return taken

    def close(self) -> None:
        self._connection.close()
        super().close()


class _Shared(io.RawIOBase):
    """What http.client may close; the wire stays open for whoever opened it."""

    def __init__(self, wire: _Wire) -> None:
        super().__init__()
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._wire.readinto(buffer)


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: {target.host_header}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "User-Agent: single-window-gateway",
        "Accept: */*",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _head(answer: http.client.HTTPResponse, wire: _Wire) -> str:
    """The beginning of the body as text; what cannot be read of it is left out: the status was said already."""
    wire.deadline = min(wire.deadline, time.monotonic() + HEAD_S)
    read = b""
    try:
        while len(read) < HEAD_BYTES and (more := answer.read1(HEAD_BYTES - len(read))):
            read += more
    except (OSError, ValueError, http.client.HTTPException):
        pass
    text = read.decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in text)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _retry_after_s(value: str | None) -> int | None:
    """Seconds to wait (RFC 9110 section 10.2.3), at most a day; None where it says nothing readable."""
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return min(int(value[:9]), LONGEST_RETRY_AFTER_S)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    now = datetime.now(UTC) if at.tzinfo else datetime.now(UTC).replace(tzinfo=None)
    return min(max(0, round((at - now).total_seconds())), LONGEST_RETRY_AFTER_S)
