"""The contract: one bundle that is valid and current, and every operation of it answers as its examples say."""

from __future__ import annotations

import importlib
import itertools
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jsonschema_rs
import pytest
from connexion.exceptions import ResolverError
from openapi_spec_validator import OpenAPIV30SpecValidator

from gateway.api import bundle, server
from gateway.settings import PROJECT_ROOT

METHODS = ("get", "post", "put", "patch", "delete")
CONTRACT = bundle.bundled(PROJECT_ROOT / "specs")


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in CONTRACT["paths"].items():
        for method in METHODS:
            if method in item:
                shared = item.get("parameters", [])
                yield (
                    method.upper(),
                    path,
                    {**item[method], "parameters": [*shared, *item[method].get("parameters", [])]},
                )


OPERATIONS = {operation["operationId"]: (method, path, operation) for method, path, operation in operations()}


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        inner: Any = CONTRACT
        for step in node["$ref"].removeprefix("#/").split("/"):
            inner = inner[step]
        node = inner
    return node


def holds(body: Any, schema: dict[str, Any]) -> None:
    whole = {**schema, "components": CONTRACT["components"]}
    problems = [error.message for error in jsonschema_rs.Draft4Validator(whole).iter_errors(body)]
    assert not problems, problems


def test_the_bundle_is_valid_openapi() -> None:
    assert not list(OpenAPIV30SpecValidator(CONTRACT).iter_errors())


def test_the_committed_bundle_is_current() -> None:
    committed = PROJECT_ROOT / "specs" / bundle.BUNDLE
    assert committed.read_bytes() == bundle.as_bytes(CONTRACT), "run python -m gateway.api.bundle"


def test_the_bundle_keeps_titles_of_canonical_schemas() -> None:
    declaration = CONTRACT["components"]["schemas"]["DeclarationPartContent"]["properties"]["functional_reference_id"]
    assert declaration["x-title-zh"] == "客户端报关单编号"
    assert declaration["x-wco-id"] == "D026"


def test_the_served_contract_is_the_bundle(running: Any) -> None:
    assert running.api.get("/v1/openapi.json", key="").json == json.loads(bundle.as_bytes(CONTRACT))


def test_every_operation_has_a_handler() -> None:
    native = {name for name, (_, _, operation) in OPERATIONS.items() if operation.get("x-native")}
    others = {"gateway.api.partners.deliver", "gateway.api.events.listen", "gateway.api.batch_filing.file"}
    assert native == others | PAYLOADS | {"gateway.api.finding_pages.show", "gateway.api.metrics.scrape"}
    for name in OPERATIONS.keys() - native:
        module, _, function = name.rpartition(".")
        assert callable(getattr(importlib.import_module(module), function)), name


def test_a_contract_without_a_handler_does_not_start(running: Any, tmp_path: Path) -> None:
    shutil.copytree(PROJECT_ROOT / "specs" / "openapi", tmp_path / "openapi")
    source = tmp_path / bundle.SOURCE
    source.write_text(source.read_text().replace("gateway.api.service.health", "gateway.api.service.absent"))
    parts = replace(running.app.parts, settings=replace(running.app.parts.settings, specs=tmp_path))
    with pytest.raises(ResolverError):
        server.build(parts)


PAYLOADS = {"gateway.api.payloads.put", "gateway.api.payloads.get"}
NDJSON = "application/x-ndjson"


def examples_of(operation: dict[str, Any], media_type: str = "application/json") -> list[Any]:
    content = operation.get("requestBody", {}).get("content", {}).get(media_type, {})
    return [resolve(example)["value"] for example in content.get("examples", {}).values()] or [None]


def example_of(parameter: dict[str, Any]) -> str:
    """As it is written in an address or header."""
    example = parameter["example"]
    return str(example).lower() if isinstance(example, bool) else str(example)


CALLS = [
    (name, number) for name, (_, _, operation) in OPERATIONS.items() for number in range(len(examples_of(operation)))
]
fresh = itertools.count()


def prepared(running: Any, name: str, known: dict[str, str]) -> dict[str, str]:
    """Some operations need a thing in a certain state, so they get one of their own."""
    if name == "gateway.api.webhooks.remove":
        return {**known, "webhook_id": running.api.post("/v1/webhooks", {"url": "https://erp.example.com/"}).json["id"]}
    filed = running.file()
    own = {"declaration_id": filed["id"], "message_id": filed["message_ids"][0]}
    if name == "gateway.api.declarations.declare_again":
        running.answer(filed["id"], "returned")
    elif name == "gateway.api.operations.answer":
        running.hand_over(own["message_id"])
    elif name == "gateway.api.declarations.duty_paid":
        running.hand_over(own["message_id"])
        running.answer(filed["id"], "payment_required")
    elif name == "gateway.api.operations.redrive":
        act = running.operator.post(f"/v1/messages/{own['message_id']}/park", {"reason": "for the test"})
        assert act.status == 200, act.data
    elif name == "gateway.api.operations.stop_waiting":
        waits = running.api.post(f"/v1/declarations?waits_for=manifest:{filed['id']}", running.declaration()).json
        own = {"declaration_id": waits["id"], "message_id": waits["message_ids"][0]}
    elif not name.startswith(("gateway.api.operations", "gateway.api.requests")):
        return known
    return {**known, **own} if not name.endswith(".amendment") else known


@pytest.mark.parametrize(("name", "number"), CALLS, ids=[f"{name}-{number}" for name, number in CALLS])
def test_the_examples_of_an_operation_run(running: Any, known: dict[str, str], name: str, number: int) -> None:
    method, path, operation = OPERATIONS[name]
    ids = prepared(running, name, known)
    query: dict[str, str] = {}
    headers = {"Accept": "application/json"}
    for parameter in map(resolve, operation["parameters"]):
        example = ids.get(parameter["name"], example_of(parameter))
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", running.example_ids.get(parameter["name"], example))
        elif parameter["in"] == "query":
            query[parameter["name"]] = running.example_ids.get(parameter["name"], example)
        else:
            headers[parameter["name"]] = f"{example}-{next(fresh)}" if "Key" in parameter["name"] else example
    address = f"{path}?{urlencode(query)}" if query else path
    api = running.operator if operation.get("x-role") == "operator" else running.api
    if name == "gateway.api.batch_filing.file":
        answer = api.ask(method, address, examples_of(operation, NDJSON)[number], Content_Type=NDJSON)
        content = resolve(operation["responses"]["200"])["content"]
        for line in answer.data.splitlines():
            holds(json.loads(line), content[NDJSON]["schema"])
    elif name in PAYLOADS:
        running.api.ask("POST", "/v1/payloads", raw=b"Packing list", Content_Type="text/plain")
        body = b"Packing list" if method == "POST" else None
        answer = api.ask(method, address, raw=body, **headers | {"Content-Type": "text/plain"})
    elif name == "gateway.api.partners.deliver":
        answer = api.ask(
            method,
            address,
            raw=running.reply(ids["declaration_id"], "registered"),
            key="",
            Authorization=f"Bearer {running.partner_token}",
        )
    else:
        answer = api.ask(method, address, examples_of(operation)[number], **headers)
    assert str(answer.status) in operation["responses"], answer.data
    assert 200 <= answer.status < 300, answer.data
    response = resolve(operation["responses"][str(answer.status)])
    content = response["content"]
    if answer.headers["content-type"] == "application/json":
        holds(answer.json, content["application/json"]["schema"])
    else:
        assert answer.data


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_asks_for_a_key_and_for_the_role_it_names(running: Any, known: dict[str, str], name: str) -> None:
    method, path, operation = OPERATIONS[name]
    for parameter in map(resolve, operation["parameters"]):
        if parameter["in"] == "path":
            value = {**running.example_ids, **known}.get(parameter["name"]) or example_of(parameter)
            path = path.replace(f"{{{parameter['name']}}}", value)
    body = examples_of(operation)[0]
    unknown = running.api.ask(method, path, body, key="")
    assert (unknown.status == 401) == (operation.get("security", CONTRACT["security"]) != []), unknown.data
    if operation.get("x-role") == "operator":
        assert running.api.ask(method, path, body).json["code"] == "http.forbidden"
