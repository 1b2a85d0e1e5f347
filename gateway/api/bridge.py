"""Flask behind ASGI, crossing into its thread once.

The bridge that Connexion brings hops between the event loop and the thread for every chunk in either direction. JSON
bodies are small and already read when Flask's turn comes, so this one takes the whole body, runs the WSGI application
once in a pooled thread, and sends the whole answer. It therefore streams nothing: whatever must stream is a native ASGI
route in front of Connexion (front.py). What the application raises is raised here, so that problems are made in one place.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import io
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.types import Receive, Scope, Send

from gateway.api import bodies

# Writers wait for a shared commit while they hold a thread, so there are more threads than a commit takes units at a time.
THREADS = 32


class BufferedBridge:
    """An ASGI application around a WSGI one. app may be replaced until the first request (Connexion does)."""

    def __init__(self, app: Any, threads: int = THREADS) -> None:
        self.app = app
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="flask")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _stand_by(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        environ = _environ(scope, await bodies.read(receive, scope, scope["gateway.body_limit"]))
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        status, headers, body = await loop.run_in_executor(
            self._pool, functools.partial(context.run, _run, self.app, environ)
        )
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def close(self) -> None:
        self._pool.shutdown(wait=True)


async def _stand_by(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _run(app: Any, environ: dict[str, Any]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Call the WSGI application (PEP 3333) and collect its answer."""
    begun: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
        begun[:] = [int(status.split(" ", 1)[0]), headers]
        return written.append

    written: list[bytes] = []
    chunks: Iterable[bytes] = app(environ, start_response)
    try:
        body = b"".join([*written, *chunks])
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = begun
    return status, [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers], body


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """The WSGI environ of an ASGI scope. asgi.scope is where Connexion looks for what its middlewares found."""
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: dict[str, Any] = {
        "asgi.scope": scope,
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", "").encode().decode("latin-1"),
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        # An underscore would let one header pass for another once both are environ names.
        if b"_" in name:
            continue
        key = name.decode("latin-1").upper().replace("-", "_")
        if key not in ("CONTENT_LENGTH", "CONTENT_TYPE"):
            key = f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    # A chunked body has no length of its own, and what was read is what there is.
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ
