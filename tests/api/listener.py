"""One who listens to a stream of events over a socket of his own, byte by byte as the standards of HTTP and server-sent events say."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def until(true: Callable[[], bool], within_s: float = 15) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


class Listener:
    """A stream that is read in a thread of its own."""

    def __init__(self, port: int, query: str = "", *, key: str, last: str = "", lang: str = "en") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        head = f"GET /v1/events{query} HTTP/1.1\r\nHost: here\r\nX-API-Key: {key}\r\nAccept: text/event-stream\r\n"
        head += f"Accept-Language: {lang}\r\n" + (f"Last-Event-ID: {last}\r\n" if last else "") + "\r\n"
        self.socket.sendall(head.encode())
        self.file = self.socket.makefile("rb")
        try:
            self.status = int(self.file.readline().split()[1])
            self.headers = dict(line.decode().rstrip().split(": ", 1) for line in iter(self.file.readline, b"\r\n"))
        except (OSError, ValueError, IndexError):
            self.close()
            raise
        self.events: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.comments = 0
        self.ended = ""
        self.thread = threading.Thread(target=self._read, daemon=True)
        if self.status == 200:
            self.thread.start()

    def _read(self) -> None:
        try:
            rest, data, last = b"", b"", ""
            while size := int(self.file.readline() or b"0", 16):
                *lines, rest = (rest + self.file.read(size + 2)[:-2]).split(b"\n")
                for line in lines:
                    name, _, value = line.partition(b":")
                    if name == b"id":
                        last = value.strip().decode()
                    elif name == b"data":
                        data = value
                    elif line.startswith(b":"):
                        self.comments += 1
                    elif not line:
                        # Only the empty line makes an event, and its id the last one, of what came before it.
                        self.ids.append(last)
                        self.events += [json.loads(data)] if data else []
                        data = b""
            self.ended = "in order"
        except (OSError, ValueError) as problem:
            self.ended = type(problem).__name__

    def told_of(self, declaration_id: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("declaration_id") == declaration_id]

    def close(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.file.close()
        self.socket.close()
