"""Native ASGI routes: operations that stream, wait, or carry what is no JSON, answered in front of Connexion.

They stand in the same contract, marked ``x-native``. A route is made of such an operation: its path and method, its parameters, checked as
Connexion's are, and its security. So a caller sees no difference: same keys, same problems, same documentation. A handler is given
what was read of the request and answers by itself, in as many parts as it likes.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from gateway.api.contract import CONTEXT, ROUTING, Parameters
from gateway.api.parts import Parts, accept_language
from gateway.api.security import Caller, caller_who_asks
from gateway.ports import Json

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_IN_BRACES = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, held against its operation. caller: None where the operation proves its callers by itself.

    values: its path and query parameters by name, with their types and defaults.
    """

    parts: Parts
    caller: Caller | None
    values: Mapping[str, Any]
    scope: Scope
    receive: Receive
    lang: str

    @property
    def filer(self) -> Caller:
        """The caller of an operation that asks for a key."""
        assert self.caller is not None
        return self.caller

    def header(self, name: str) -> str:
        """The last value of a header, "" where it was not sent. name: in lower case."""
        wanted = name.encode("latin-1")
        values: list[bytes] = [value for key, value in self.scope["headers"] if key == wanted]
        return values[-1].decode("latin-1") if values else ""


Handler = Callable[[Asked, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Operation:
    name: str
    handler: Handler
    parameters: Parameters
    asks_for_a_key: bool


class Natives:
    """Every native operation of a contract. handlers: by operationId; ValueError where one is missing or one too many."""

    def __init__(self, contract: Json, handlers: Mapping[str, Handler]) -> None:
        self._paths: list[tuple[re.Pattern[str], dict[str, _Operation]]] = []
        found = set()
        for path, item in contract["paths"].items():
            operations = {}
            for method in METHODS:
                operation = item.get(method)
                if operation is None or not operation.get("x-native"):
                    continue
                name = operation["operationId"]
                found.add(name)
                if name in handlers:
                    spoken = [
                        _resolved(contract, one)
                        for one in (*item.get("parameters", ()), *operation.get("parameters", ()))
                    ]
                    security = operation.get("security", contract.get("security", []))
                    keys = any(scheme in ("apiKey", "bearer") for one in security for scheme in one)
                    operations[method.upper()] = _Operation(name, handlers[name], Parameters(spoken), keys)
            if operations:
                self._paths.append((re.compile(_IN_BRACES.sub(r"(?P<\1>[^/]+)", path)), operations))
        if found != set(handlers):
            raise ValueError(
                f"native operations without a handler, or the other way round: {sorted(found ^ set(handlers))}"
            )

    def route(self, parts: Parts, scope: Scope, receive: Receive) -> Callable[[Send], Awaitable[None]] | None:
        """What answers this request; None where no native path is meant. HTTPException 405 where its path knows other methods."""
        for pattern, operations in self._paths:
            match = pattern.fullmatch(scope["path"])
            if match is None:
                continue
            operation = operations.get(scope["method"])
            if operation is None:
                raise HTTPException(405, headers={"Allow": ", ".join(sorted(operations))})
            return lambda send: _answer(operation, match.groupdict(), parts, scope, receive, send)
        return None


async def _answer(
    operation: _Operation, steps: Mapping[str, str], parts: Parts, scope: Scope, receive: Receive, send: Send
) -> None:
    told = scope["extensions"]
    told[ROUTING] = {"operation_id": operation.name}
    caller = caller_who_asks(parts, scope) if operation.asks_for_a_key else None
    told[CONTEXT] = {"user": caller}
    values = operation.parameters.read(scope, steps)
    told[CONTEXT] |= values
    await operation.handler(Asked(parts, caller, values, scope, receive, parts.language(accept_language(scope))), send)


def _resolved(contract: Json, parameter: Json) -> Json:
    """A parameter itself, where the operation only refers to it, its schema too."""
    if "$ref" in parameter:
        parameter = _at(contract, parameter["$ref"])
    if "$ref" in parameter["schema"]:
        parameter = parameter | {"schema": _at(contract, parameter["schema"]["$ref"])}
    return parameter


def _at(contract: Json, reference: str) -> Json:
    found: Json = contract
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found
