"""Requests that nobody wrote: schemathesis makes them of the contract, right ones and wrong ones, and holds each answer against it.

The gateway runs on a real socket. An answer has a documented status (``default`` does not count here), its media type, headers
and schema, only finding codes that the contract names for that status, and is no 5xx. Examples are few and always the same, so
that a failure can be looked into.
"""

from __future__ import annotations

import copy
import fnmatch
import json
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.api import bundle
from gateway.settings import PROJECT_ROOT

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CONTRACT = bundle.bundled(PROJECT_ROOT / "specs")


def strict() -> dict[str, Any]:
    """The contract without the answers that stand for any status, and without the large schemas of documents.

    Documents are written at random by tests of the adapters; here the examples stand for the right ones.
    """
    contract = copy.deepcopy(CONTRACT)
    for item in contract["paths"].values():
        for method, operation in item.items():
            if method == "parameters":
                continue
            operation["responses"].pop("default", None)
            if operation.get("x-checked-by") == "documents":
                operation["requestBody"]["content"]["application/json"]["schema"] = {"type": "object"}
    return contract


# What examples have in the place of an id.
EXAMPLES = {"01kahd3v5e8x2m4n6p7q9r0stz", "customs-import", "customs-notify", "cn_declaration"}


def as_it_is(_context: Any, value: Any) -> bytes:
    """The bytes of a file; of a batch the one line that it has."""
    return value if isinstance(value, bytes) else json.dumps(value).encode() + b"\n"


KNOWN = {"application/json", "text/plain", "application/xml", "text/xml"}
for item in CONTRACT["paths"].values():
    for operation in item.values():
        for media_type in operation.get("requestBody", {}).get("content", ()) if isinstance(operation, dict) else ():
            if media_type not in KNOWN and "*" not in media_type:
                schemathesis.serializer(media_type)(as_it_is)

schema = schemathesis.openapi.from_dict(strict())


def key_for(running: Any, operation: dict[str, Any]) -> str:
    if "webhooks" in operation["tags"]:
        return str(running.other.key)  # they are made and removed without end, and other tests have theirs
    if {"partnerToken": []} in operation.get("security", []):
        return str(running.partner_token)
    return str((running.operator if operation.get("x-role") == "operator" else running.api).key)


def undocumented(answer: dict[str, Any], response: dict[str, Any]) -> set[str]:
    """The codes of a problem that the contract does not name for its status."""
    if "$ref" in response:
        response = CONTRACT["components"]["responses"][response["$ref"].rpartition("/")[2]]
    patterns = response["x-finding-codes"]
    codes = {answer["code"], *(finding["code"] for finding in answer["findings"])}
    return {code for code in codes if not any(fnmatch.fnmatchcase(code, pattern) for pattern in patterns)}


@schema.parametrize()
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
def test_an_answer_to_any_request_is_as_documented(running: Any, known: dict[str, str], case: Any) -> None:
    operation = case.operation.definition.raw
    for name, value in (case.path_parameters or {}).items():
        if value in EXAMPLES:
            case.path_parameters[name] = running.example_ids.get(name) or known[name]
    answer = case.call_and_validate(
        base_url=f"http://127.0.0.1:{running.port}",
        headers={"Authorization": f"Bearer {key_for(running, operation)}"},
        checks=CHECKS,
        timeout=20,
    )
    if answer.status_code >= 400 and case.method != "HEAD":
        # Another method at the same address is no operation, and only its default speaks of it.
        other = {"$ref": "#/components/responses/Other"}
        assert undocumented(answer.json(), operation["responses"].get(str(answer.status_code), other)) == set()
