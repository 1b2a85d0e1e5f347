"""An account of each request: which operation, how it ended, how long it took, and whose and what it was about.

Of an address only its template is told, of a key its id, of what was filed the ids it got. Query values, bodies and headers are
somebody else's business.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import flask
from starlette.types import Message, Scope, Send

from gateway.api.contract import CONTEXT, ROUTING
from gateway.ports import Json
from gateway.watch import metrics, traces

LOG = logging.getLogger("gateway.access")
# Where a filing says which ids it got, and a page which route it is.
ABOUT, PAGE = "gateway.about", "gateway.page"
# Where a request says which trace it belongs to.
TRACE = "gateway.traceparent"
# Asked every few seconds by machines: worth no trace.
UNTRACED = frozenset({"/health", "/ready", "/metrics"})
# Parameters of an address that are ids of ours, and what they are called in the log.
IDS = {"declaration_id": "declaration_id", "message_id": "message_id", "agreement_id": "agreement"}
UNKNOWN_ROUTE = "none"
HTTP_FAULT = 500
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def note_page() -> None:
    """Before a page of the console: say which route it is."""
    rule = flask.request.url_rule
    flask.request.environ["asgi.scope"]["extensions"][PAGE] = UNKNOWN_ROUTE if rule is None else rule.rule


class Accounts:
    """Opens the accounts of one gateway. contract: as written, with the path of every operation."""

    def __init__(self, contract: Json) -> None:
        self._routes = {
            operation["operationId"]: path
            for path, item in contract["paths"].items()
            for operation in item.values()
            if isinstance(operation, dict) and "operationId" in operation
        }

    def open(self, scope: Scope, send: Send) -> Account:
        return Account(self, scope, send)

    def route(self, told: dict[str, Any]) -> str:
        """The template of an address that is known here; told: what the request's scope was extended with."""
        operation = told.get(ROUTING, {}).get("operation_id")
        return self._routes.get(operation) or str(told.get(PAGE, UNKNOWN_ROUTE))


class Account:
    """One request. begun: its answer has begun."""

    __slots__ = ("_accounts", "_began", "_scope", "_send", "_sent", "_span", "_status", "begun")

    def __init__(self, accounts: Accounts, scope: Scope, send: Send) -> None:
        self._accounts = accounts
        self._scope = scope
        self._send = send
        self._began = time.perf_counter()
        self._status = 0
        self._sent = 0
        self.begun = False
        parent = _traceparent(scope)
        self._span = None
        if traces.are_told() and scope["path"] not in UNTRACED:
            self._span = traces.span(scope["method"], parent, kind=traces.SERVER)
            parent = self._span.traceparent
        scope["extensions"][TRACE] = parent

    async def send(self, message: Message) -> None:
        self.begun = True
        if message["type"] == "http.response.start":
            self._status = message["status"]
        else:
            self._sent += len(message.get("body", b""))
        await self._send(message)

    def close(self) -> None:
        """Tell of it. A status of 0 says that the caller went away before there was an answer."""
        seconds = time.perf_counter() - self._began
        told = self._scope["extensions"]
        route = self._accounts.route(told)
        method = self._scope["method"] if self._scope["method"] in METHODS else "other"
        metrics.REQUESTS.count(method, route, str(self._status))
        metrics.REQUEST_SECONDS.observe(seconds, route)
        if self._span is not None:
            facts_of_http = {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": self._status,
            }
            self._span.name(f"{method} {route}", facts_of_http)
            if self._status >= HTTP_FAULT:
                self._span.fail(str(self._status))
            self._span.finish()
        if not LOG.isEnabledFor(logging.INFO):
            return
        context = told.get(CONTEXT, {})
        caller = context.get("user")
        facts: dict[str, Any] = {
            "method": method,
            "route": route,
            "status": self._status,
            "ms": round(seconds * 1000, 1),
            "bytes": self._sent,
            "key": getattr(caller, "actor", ""),
            **{word: context[name] for name, word in IDS.items() if name in context},
            **told.get(ABOUT, {}),
            "trace_id": traces.trace_id(told.get(TRACE, "")),
        }
        LOG.info("answered", extra=facts)


def _traceparent(scope: Scope) -> str:
    """The trace that a caller says his request belongs to, "" where he says none that can be read."""
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return traces.read(value.decode("latin-1"))
    return ""
