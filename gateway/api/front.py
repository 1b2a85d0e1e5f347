"""The outermost ASGI application: native routes, limits, and the one place where an error becomes an answer.

What streams, waits or is no JSON is answered by a native route (native.py). Everything else goes on to Connexion with the running
gateway's parts and the body limit in its scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api import bodies, problems
from gateway.api.accounts import TRACE, Account, Accounts
from gateway.api.native import Natives
from gateway.api.parts import Parts, accept_language
from gateway.watch import traces
from gateway.watch.context import about


class Closes(Protocol):
    """What finishes its work when the gateway ends."""

    def close(self) -> None: ...


class Front:
    """Wraps Connexion's application. natives: what is answered before it; behind: what ends with it."""

    def __init__(
        self, inner: ASGIApp, parts: Parts, natives: Natives, accounts: Accounts, behind: Sequence[Closes] = ()
    ) -> None:
        self._inner = inner
        self._parts = parts
        self._natives = natives
        self._accounts = accounts
        self._behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        # Middlewares copy the scope; what they note in here is seen by all.
        scope.setdefault("extensions", {})
        scope["gateway.send"] = send
        account = self._accounts.open(scope, send)
        try:
            with about(trace_id=traces.trace_id(scope["extensions"][TRACE])):
                await self._answer(scope, receive, account)
        finally:
            account.close()

    async def _answer(self, scope: Scope, receive: Receive, account: Account) -> None:
        send = account.send
        scope["gateway.parts"] = self._parts
        scope["gateway.body_limit"] = self._parts.settings.body_limit_bytes
        try:
            if not scope["path"].isprintable():
                # Routers disagree about line breaks, and no address of ours has one.
                await self._refuse(HTTPException(404), scope, send)
                return
            native = self._natives.route(self._parts, scope, receive)
            if native is not None:
                await native(send)
            else:
                await self._inner(scope, receive, send)
        except bodies.Gone:
            return
        except Exception as error:
            if account.begun:
                raise
            await self._refuse(error, scope, send)

    def close(self) -> None:
        for one in self._behind:
            one.close()

    async def _refuse(self, error: Exception, scope: Scope, send: Send) -> None:
        language = self._parts.language(accept_language(scope))
        problem = problems.of(error, self._parts.texts, language)
        headers = dict(problem.headers)
        if problem.status in (408, 413, 429):
            # What the caller still sends would be taken for the next request.
            headers["Connection"] = "close"
        await _send(send, problem.status, headers, b"" if scope["method"] == "HEAD" else problem.body)


async def _send(send: Send, status: int, headers: dict[str, Any], body: bytes) -> None:
    lines = [(name.lower().encode("latin-1"), str(value).encode("latin-1")) for name, value in headers.items()]
    lines.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
