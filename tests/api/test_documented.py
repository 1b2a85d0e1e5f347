"""What the contract says of refusals: which statuses an operation can answer, and with which codes."""

from __future__ import annotations

import fnmatch
from typing import Any

import pytest

from gateway import texts
from gateway.api import bundle, problems
from gateway.api.problems import TooMany
from gateway.errors import GatewayError, NeedsOperator, OutcomeUnknown, PartnerUnavailable
from gateway.settings import PROJECT_ROOT

CONTRACT = bundle.bundled(PROJECT_ROOT / "specs")
OPERATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    operation["operationId"]: (path, operation)
    for path, item in CONTRACT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}
RESPONSES = CONTRACT["components"]["responses"]


def expected(path: str, operation: dict[str, Any]) -> set[str]:
    """The answers that come of how an operation is asked: by a key, a role, an id in its path, a body, or again."""
    statuses = {"400"}
    if operation.get("security", CONTRACT["security"]):
        statuses |= {"401", "429", "503"}
    if operation.get("x-role") or operation.get("x-checked-by"):
        statuses |= {"403"}
    if "{" in path:
        statuses |= {"404"}
    if operation is CONTRACT["paths"][path].get("get") and not operation.get("x-native"):
        statuses |= {"304"}
    if "requestBody" in operation:
        # A native operation takes what it is sent, or answers line by line; the others want one sound JSON document.
        statuses |= {"408"} if operation.get("x-native") else {"408", "409", "413", "415", "422"}
    return statuses


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_documents_every_refusal_that_it_can_answer(name: str) -> None:
    path, operation = OPERATIONS[name]
    assert expected(path, operation) - operation["responses"].keys() == set()
    assert "default" in operation["responses"]


@pytest.mark.parametrize(
    "name", [name for name, said in RESPONSES.items() if "application/problem+json" in said.get("content", ())]
)
def test_every_refusal_names_codes_that_have_words(name: str) -> None:
    known = texts.load(PROJECT_ROOT).codes()
    for pattern in RESPONSES[name]["x-finding-codes"]:
        assert any(fnmatch.fnmatchcase(code, pattern) for code in known), pattern


@pytest.mark.parametrize("name", ["TooMany", "Unavailable"])
def test_a_refusal_that_will_pass_says_when_to_come_back(name: str) -> None:
    assert "Retry-After" in RESPONSES[name]["headers"]


def test_every_code_of_the_http_face_stands_in_the_contract() -> None:
    named = [pattern for said in RESPONSES.values() for pattern in said.get("x-finding-codes", ())]
    ours = [code for code in texts.load(PROJECT_ROOT).codes() if code.startswith(("api.", "http."))]
    assert [code for code in ours if not any(fnmatch.fnmatchcase(code, pattern) for pattern in named)] == []


@pytest.mark.parametrize("error", [NeedsOperator("no"), PartnerUnavailable("no"), OutcomeUnknown("no"), TooMany(7)])
def test_every_such_refusal_does_say_so(error: GatewayError) -> None:
    problem = problems.of(error, texts.load(PROJECT_ROOT), "en")
    assert problem.status in (429, 503)
    assert int(problem.headers["Retry-After"]) > 0
