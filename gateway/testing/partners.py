"""What every simulated partner needs: mischief in its answers, folders to watch, a socket to answer on, a way to stop.

A simulator beside its adapter (adapters/<id>/simulator.py) knows the messages; this module only knows how answers come
late, doubled, out of order, broken, or not at all. Mischief is drawn from a seed, so that a run can be repeated.

Rule 1: a file appears whole: it is written under another name and renamed.
Rule 2: nothing waits for ever: run() returns soon after stop is set, by SIGTERM or SIGINT where it runs as a process.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import random
import signal
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from gateway.errors import trace

LOG = logging.getLogger(__name__)
BODY_LIMIT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mischief:
    """How a partner misbehaves. Shares are between 0 and 1, of its answers; delays are seconds, drawn evenly."""

    delay_s: tuple[float, float] = (0.0, 0.0)
    lose: float = 0.0
    double: float = 0.0
    reorder: float = 0.0
    garbage: float = 0.0
    seed: int = 1


@dataclass(order=True, slots=True)
class _Due:
    at: float
    turn: int
    name: str = field(compare=False)
    data: bytes = field(compare=False)


class Answers:
    """Answers on their way to the gateway; safe to use from several threads. clock: seconds, rising."""

    def __init__(self, mischief: Mischief = Mischief(), clock: Callable[[], float] = time.monotonic) -> None:
        self._mischief = mischief
        self._random = random.Random(mischief.seed)
        self._clock = clock
        self._turn = itertools.count()
        self._waiting: list[_Due] = []
        self._lock = threading.Lock()

    def post(self, name: str, data: bytes, *, after_s: float = 0.0) -> None:
        """Answer with these bytes, not before after_s, subject to mischief. A doubled answer keeps its bytes, not its name."""
        with self._lock:
            dice, mischief = self._random, self._mischief
            if dice.random() < mischief.lose:
                return
            at = self._clock() + after_s + dice.uniform(*mischief.delay_s)
            if dice.random() < mischief.reorder:
                at += 2 * max(mischief.delay_s[1], 0.05)
            if dice.random() < mischief.garbage:
                data = bytes(dice.randrange(256) for _ in range(64))
            self._add(at, name, data)
            if dice.random() < mischief.double:
                stem, dot, suffix = name.rpartition(".")
                self._add(
                    at + dice.uniform(*mischief.delay_s), f"{stem}-again{dot}{suffix}" if dot else f"{name}-again", data
                )

    def due(self) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of every answer whose time has come, earliest first."""
        while True:
            with self._lock:
                if not self._waiting or self._waiting[0].at > self._clock():
                    return
                answer = heapq.heappop(self._waiting)
            yield answer.name, answer.data

    def __len__(self) -> int:
        with self._lock:
            return len(self._waiting)

    def _add(self, at: float, name: str, data: bytes) -> None:
        heapq.heappush(self._waiting, _Due(at, next(self._turn), name, data))


def write_whole(folder: Path, name: str, data: bytes) -> Path:
    """Put a file into a folder so that who watches it sees it whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    part, path = folder / f".{name}.part", folder / name
    part.write_bytes(data)
    return part.replace(path)


def waiting_files(folder: Path, suffix: str = "") -> list[Path]:
    """The files of a folder that are whole, oldest first; an absent folder has none."""
    if not folder.is_dir():
        return []
    found = []
    for path in folder.iterdir():
        try:
            if path.is_file() and not path.name.startswith(".") and path.name.endswith(suffix):
                found.append((path.stat().st_mtime_ns, path))
        except FileNotFoundError:
            continue  # its owner has moved it meanwhile
    return [path for _, path in sorted(found)]


class Partner:
    """A simulated partner as a loop: turn() does what there is to do now; run() turns until stop is set."""

    def __init__(self, mischief: Mischief = Mischief(), *, pause_s: float = 0.05) -> None:
        self.answers = Answers(mischief)
        self.stop = threading.Event()
        self.pause_s = pause_s
        self._thread: threading.Thread | None = None

    def turn(self) -> None:
        """Take what came, post answers, deliver those that are due."""
        raise NotImplementedError

    def run(self) -> None:
        """Turn until stop is set."""
        while not self.stop.is_set():
            self.turn()
            self.stop.wait(self.pause_s)

    def run_as_process(self) -> int:
        """run() until SIGTERM or SIGINT; returns the process's exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop.set())
        self.run()
        return 0

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.run, name=type(self).__name__, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a simulated server answers. hang_s: seconds it stays silent first, as a dead partner does."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_s: float = 0.0


Answerer = Callable[[str, str, Mapping[str, str], bytes], HttpAnswer]


class _Server(ThreadingHTTPServer):
    """A thread a caller, TLS included: who is slow in his handshake holds up nobody else."""

    daemon_threads = True
    request_queue_size = 128

    def speak_tls(self, context: ssl.SSLContext) -> None:
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up, or whose certificate is refused, is nothing to write about."""
        problem = sys.exc_info()[1]
        if problem is not None and not isinstance(problem, OSError):
            LOG.error("a caller could not be answered: %s", trace(problem))


class HttpPartner:
    """A simulated partner that is called: a server on a local port, answering each request with answer(...).

    answer gets method, path, headers (names in lower case) and body. Port 0 means any free one; url tells which.
    """

    def __init__(
        self, answer: Answerer, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self._server = _Server((host, port), _handler_for(answer))
        if tls is not None:
            self._server.speak_tls(tls)
        scheme = "https" if tls is not None else "http"
        self.url = f"{scheme}://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="http-partner", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(timeout=10)
        self._server.server_close()


def _handler_for(answer: Answerer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            if not 0 <= length <= BODY_LIMIT_BYTES:
                self.send_error(413)
                return
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            given = answer(self.command, self.path, headers, body)
            if given.hang_s:
                time.sleep(given.hang_s)
            self.send_response(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(given.body)))
            self.end_headers()
            self.wfile.write(given.body)

        do_GET = do_PUT = do_POST  # noqa: N815 - named by http.server

        def log_message(self, *_: Any) -> None:
            """Nothing: a request line may carry what belongs into no log."""

    return Handler
