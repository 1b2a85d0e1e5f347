"""Holding each request against its operation: a Connexion middleware with everything compiled at start.

Connexion's own validation builds its validators anew for each request and stops at the first fault. This one stands at the
same place in the stack, is made from the same operations, and differs in three ways: schemas are compiled once, every wrong
parameter is told at once, and what was read (parameters with their types, the JSON value, the raw bytes) is handed to the
handler, so that nothing is parsed twice. Query parameters that the contract does not name are refused, since a misspelled
filter would answer the wrong question. Documents are not validated here: the pipeline does that, with findings.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs
from connexion.exceptions import UnsupportedMediaTypeProblem
from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api import bodies
from gateway.api.problems import BadRequest
from gateway.errors import Finding

# Where a request keeps what was read of it; Connexion's security puts the caller there, as ``user``.
CONTEXT = "connexion_context"
# Where Connexion's routing, or a native route, says which operation a request is.
ROUTING = "connexion_routing"
# Digits of this script alone, and no more than any number of the contract has: int() would take more.
_WHOLE = re.compile(r"-?[0-9]{1,20}")
_SWITCHES = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation. check: its compiled schema; default: what the handler gets when it is not sent."""

    name: str
    place: str
    required: bool
    type: str
    check: Any
    default: Any

    @classmethod
    def of(cls, spoken: dict[str, Any]) -> Parameter:
        schema = spoken["schema"]
        check = jsonschema_rs.Draft4Validator({name: value for name, value in schema.items() if name != "components"})
        required = bool(spoken.get("required"))
        return cls(spoken["name"], spoken["in"], required, schema.get("type", "string"), check, schema.get("default"))

    def read(self, text: str) -> Any:
        """The value that a text stands for; a text that stands for none stays itself, and breaks the schema."""
        if self.type == "integer" and _WHOLE.fullmatch(text):
            return int(text)
        if self.type == "boolean":
            return _SWITCHES.get(text, text)
        return text

    def findings(self, value: Any) -> Iterator[Finding]:
        for fault in self.check.iter_errors(value):
            yield Finding(
                "api.parameter", found=str(value)[:80], expected=fault.message[:200], params={"name": self.name}
            )


class Parameters:
    """The parameters of one operation. spoken: as the contract says them, references resolved."""

    def __init__(self, spoken: Iterable[dict[str, Any]]) -> None:
        parameters = [Parameter.of(one) for one in spoken]
        self._query = {each.name: each for each in parameters if each.place == "query"}
        self._path = {each.name: each for each in parameters if each.place == "path"}
        self._headers = {each.name.lower().encode(): each for each in parameters if each.place == "header"}

    def read(self, scope: Scope, steps: Mapping[str, Any]) -> dict[str, Any]:
        """Path and query parameters with their types, defaults included. steps: those of the path. BadRequest tells every wrong one."""
        faults: list[Finding] = []
        arguments = {each.name: each.default for each in self._query.values() if each.default is not None}
        given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        # Of a parameter sent twice the last counts, as in Connexion.
        for name, text in dict(given).items():
            parameter = self._query.get(name)
            if parameter is None:
                known = ", ".join(sorted(self._query)) or "none"
                faults.append(Finding("api.parameter.unknown", found=name[:80], expected=known))
                continue
            arguments[name] = parameter.read(text)
            faults += parameter.findings(arguments[name])
        for name, parameter in self._path.items():
            arguments[name] = parameter.read(str(steps[name]))
            faults += parameter.findings(arguments[name])
        for name_bytes, value in scope["headers"]:
            if name_bytes in self._headers:
                faults += self._headers[name_bytes].findings(value.decode("latin-1"))
        missing = [each for each in self._query.values() if each.required and each.name not in arguments]
        faults += [Finding("api.parameter.missing", found=each.name) for each in missing]
        if faults:
            raise BadRequest("a parameter is wrong", faults)
        return arguments


class CheckedOperation:
    """One operation of the contract, ready to hold requests against."""

    def __init__(self, next_app: ASGIApp, operation: Any) -> None:
        self._next = next_app
        self._parameters = Parameters(operation.parameters)
        self._takes_body = operation.is_request_body_defined
        schema = operation.body_schema("application/json") if self._takes_body else {}
        self._body: Any = None
        if self._takes_body and schema.get("x-checked-by") != "documents":
            plain = {name: value for name, value in schema.items() if name != "components"}
            self._body = jsonschema_rs.Draft4Validator(plain)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises BadRequest, NotWellFormed, SchemaBroken, or Connexion's UnsupportedMediaTypeProblem."""
        context = scope.setdefault("extensions", {}).setdefault(CONTEXT, {})
        context.update(self._parameters.read(scope, scope["path_params"]))
        if self._takes_body:
            _require_json(scope)
            raw = await bodies.read(receive, scope, scope["gateway.body_limit"])
            value = bodies.parse(raw)
            if self._body is not None:
                bodies.check(value, self._body)
            context["document"], context["raw"] = value, raw
            receive = _nothing_more
        await self._next(scope, receive, send)


def asked_of(function: Callable[..., Any]) -> Callable[[Mapping[str, Any]], Any]:
    """Calls a handler with those things that were read of the request and that it names."""
    names = tuple(inspect.signature(function).parameters)
    return lambda read: function(**{name: read[name] for name in names if name in read})


def _require_json(scope: Scope) -> None:
    """RFC 8259 section 8.1: JSON is UTF-8; RFC 9110 section 8.3.1: names and charset are written in either case."""
    said = next((value for name, value in scope["headers"] if name == b"content-type"), b"application/json")
    kind, *parameters = (part.strip() for part in said.decode("latin-1").lower().split(";"))
    charsets = [part.partition("=")[2].strip('"') for part in parameters if part.startswith("charset=")]
    if kind != "application/json" or any(charset not in ("utf-8", "utf8", "us-ascii") for charset in charsets):
        raise UnsupportedMediaTypeProblem(detail=f"({kind[:80]})")


async def _nothing_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


class CheckedApi(RoutedAPI):  # type: ignore[misc]
    """Every operation of the contract, by id."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.add_paths()

    def make_operation(self, operation: Any) -> CheckedOperation:
        return CheckedOperation(self.next_app, operation)


class ContractMiddleware(RoutedMiddleware):  # type: ignore[misc]
    """Stands where Connexion's RequestValidationMiddleware stands."""

    api_cls = CheckedApi
