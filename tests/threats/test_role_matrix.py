"""Threat 52: every operation and every page, asked by everybody there is.

Both tables are generated: operations from the contract, pages from Flask's routes. What the contract says of an operation: none asks
for a key where ``security`` is empty; a partner's token opens what has a security of its own; ``x-role`` names the role, ``any`` for each that a key may have; without it any key may read. Anything but a read that names no role fails here, and so does a page without @page.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flask
import pytest

from gateway.api import bundle
from gateway.console import pages
from gateway.console.safety import Role, role_of
from gateway.settings import PROJECT_ROOT

CONTRACT = bundle.bundled(PROJECT_ROOT / "specs")
METHODS = ("get", "post", "put", "patch", "delete")
PEOPLE = {
    "nobody": Role.NOBODY,
    "viewer": Role.VIEWER,
    "overseer": Role.VIEWER,
    "operator": Role.OPERATOR,
    "administrator": Role.ADMINISTRATOR,
}
KEYS = {"nobody": (), "filer": ("filer",), "operator": ("operator",)}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in CONTRACT["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, {**item[method], "shared": item.get("parameters", [])}


OPERATIONS = {operation["operationId"]: (method, path, operation) for method, path, operation in operations()}


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        inner: Any = CONTRACT
        for step in node["$ref"].removeprefix("#/").split("/"):
            inner = inner[step]
        node = inner
    return node


def role_for(name: str) -> str:
    """nobody, partner, any, filer or operator."""
    method, _, operation = OPERATIONS[name]
    security = operation.get("security", CONTRACT["security"])
    if not security:
        return "nobody"
    if security != CONTRACT["security"]:
        return "partner"
    assert method == "get" or "x-role" in operation, f"{name} changes something and names no x-role"
    return str(operation.get("x-role", "any"))


@pytest.fixture(scope="module")
def ids(running: Any) -> dict[str, str]:
    filed = running.file()
    running.deliver(b"not to be read")
    delivery = running.operator.get("/v1/deliveries?limit=1").json["items"][0]["id"]
    return {
        "declaration_id": filed["id"],
        "message_id": filed["message_ids"][0],
        "amendment_id": filed["id"],
        "delivery_id": delivery,
        **running.example_ids,
    }


def address(name: str, ids: dict[str, str]) -> str:
    _, path, operation = OPERATIONS[name]
    for parameter in map(resolve, [*operation["shared"], *operation.get("parameters", [])]):
        if parameter["in"] == "path":
            value = ids.get(parameter["name"], str(parameter.get("example")))
            path = path.replace(f"{{{parameter['name']}}}", value)
    return path


def body_of(name: str) -> Any:
    content = OPERATIONS[name][2].get("requestBody", {}).get("content", {}).get("application/json", {})
    return next((resolve(example)["value"] for example in content.get("examples", {}).values()), None)


@pytest.mark.parametrize("who", KEYS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_open_to_its_role_alone(running: Any, ids: dict[str, str], name: str, who: str) -> None:
    key = {"nobody": "", "filer": running.api.key, "operator": running.operator.key}[who]
    answer = running.api.ask(OPERATIONS[name][0].upper(), address(name, ids), body_of(name), key=key)
    asked = role_for(name)
    if asked == "nobody" or (who != "nobody" and (asked == "any" or asked in KEYS[who])):
        assert answer.status not in (401, 403), answer.data
        assert answer.status < 500 or asked == "nobody"
    elif who == "nobody" or asked == "partner":
        assert answer.status == 401, answer.data
    else:
        assert answer.status == 403, answer.data


@pytest.mark.parametrize(
    "name", [n for n, (_, path, _) in OPERATIONS.items() if "declaration_id" in path or "message_id" in path]
)
def test_what_belongs_to_another_tenant_is_not_there(running: Any, ids: dict[str, str], name: str) -> None:
    """Neither to be read nor to be changed; and it looks as what does not exist looks."""
    method, body = OPERATIONS[name][0].upper(), body_of(name)
    theirs = running.other.ask(method, address(name, ids), body)
    absent = {**ids, "declaration_id": "0" * 26, "message_id": "0" * 26, "amendment_id": "0" * 26}
    nothing = running.other.ask(method, address(name, absent), body)
    assert theirs.status == nothing.status == (403 if role_for(name) == "operator" else 404), theirs.data
    assert theirs.json["code"] == nothing.json["code"]


def routes(running: Any) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, path with its places filled in) of every page."""
    made = flask.Flask("routes", static_folder=None)
    made.register_blueprint(pages.blueprint(running.app.parts))
    filed = running.file()
    known = {
        "declaration_id": filed["id"],
        "message_id": filed["message_ids"][0],
        "filename": "console.css",
        "name": "viewer",
        **running.example_ids,
    }
    for rule in made.url_map.iter_rules():
        role = role_of(made.view_functions[rule.endpoint])
        assert role is not None, f"{rule.endpoint} declares no role: @page(role=...)"
        with made.test_request_context():
            arguments = {name: known.get(name, "unknown-thing") for name in rule.arguments}
            path = flask.url_for(rule.endpoint, **arguments) if rule.endpoint.startswith("console.") else rule.rule
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            yield rule.endpoint, method, path


def role_of_endpoint(running: Any, endpoint: str) -> Role:
    made = flask.Flask("routes", static_folder=None)
    made.register_blueprint(pages.blueprint(running.app.parts))
    role = role_of(made.view_functions[endpoint])
    assert role is not None
    return role


@pytest.mark.parametrize("who", PEOPLE)
def test_a_page_is_open_to_its_role_and_those_above(running: Any, desks: dict[str, Any], who: str) -> None:
    from tests.api.conftest import Desk

    desk = desks.get(who) or Desk(running.api)
    seen = 0
    for endpoint, method, path in routes(running):
        if who != "nobody" and desk.get("/console/account").status == 303:
            # A form before this one has ended the session.
            desk.cookie = running.signed_in(who).cookie
        role = role_of_endpoint(running, endpoint)
        answer = desk.get(path) if method == "GET" else desk.post(path)
        to_the_door = answer.status == 303 and "/console/sign-in" in answer.headers["location"]
        if PEOPLE[who].covers(role):
            assert answer.status not in (403, 405), (endpoint, method, answer.status)
            assert answer.status < 500, (endpoint, method, answer.data)
            assert not to_the_door or "sign_out" in endpoint, (endpoint, method)
        elif who == "nobody":
            assert to_the_door, (endpoint, method, answer.status)
        else:
            assert answer.status == 403, (endpoint, method, answer.status)
        seen += 1
    assert seen > 12


def test_every_form_asks_for_the_token_of_the_session_and_comes_from_here(running: Any, desks: dict[str, Any]) -> None:
    desk, other = desks["administrator"], desks["operator"]
    for endpoint, method, path in routes(running):
        if method == "POST":
            for token in ("", "0" * 64, other.token()):
                assert desk.post(path, token=token).status == 403, endpoint
            for said in ({"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}, {"Origin": "null"}):
                raw = f"form_token={desk.token()}".encode()
                form = {"Content_Type": "application/x-www-form-urlencoded", "Cookie": desk.cookie}
                answer = running.api.ask("POST", path, key="", raw=raw, **form, **said)
                assert answer.status == 403, (endpoint, said)
    assert desk.get("/console/accounts").status == 200


def test_a_page_about_anothers_thing_is_not_there(running: Any, desks: dict[str, Any]) -> None:
    filed = running.file()
    for path in (f"/console/declarations/{filed['id']}", f"/console/messages/{filed['message_ids'][0]}"):
        assert desks["stranger"].get(path).status == 404
        for name in ("viewer", "overseer", "operator", "administrator"):
            assert desks[name].get(path).status == 200
    assert "/console/messages/" not in desks["stranger"].get(f"/console/?q={filed['id']}").data.decode()
    assert "/console/messages/" in desks["viewer"].get(f"/console/?q={filed['id']}").data.decode()


def test_an_api_key_opens_no_page_and_an_account_no_operation(running: Any, desks: dict[str, Any]) -> None:
    assert running.operator.get("/console/").status == 303
    assert running.api.ask("GET", "/v1/declarations", key="", Cookie=desks["administrator"].cookie).status == 401
