"""The tables that the house stands on agree with each other: lifecycle, timeline, canonical schemas, OpenAPI."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from gateway.api import native
from gateway.events import TITLES, EventType
from gateway.lifecycle import FUNCTIONS, MOVES, REQUEST_RANKS, REQUESTS, STATES, Mover, Status, Track
from gateway.settings import PROJECT_ROOT

METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}
WITH_BODY = {"put", "post", "patch"}
# Acts that need no word more than their address.
WITHOUT_WORDS = {"gateway.api.webhooks.ping", "gateway.api.webhooks.resend"}


def test_every_status_can_be_reached_and_final_ones_have_no_exit() -> None:
    assert set(MOVES) == set(Status)
    reached, frontier = {Status.ACCEPTED}, [Status.ACCEPTED]
    while frontier:
        for status in MOVES[frontier.pop()].values():
            if status not in reached:
                reached.add(status)
                frontier.append(status)
    assert reached == set(Status)
    assert {status for status, row in MOVES.items() if not row} == {Status.DELIVERED, Status.EXPIRED}


def test_from_every_status_an_end_can_be_reached() -> None:
    ends = {Status.DELIVERED, Status.EXPIRED}
    while more := {status for status, row in MOVES.items() if status not in ends and set(row.values()) & ends}:
        ends |= more
    assert ends == set(Status)


def test_nothing_in_doubt_is_sent_again_but_by_way_of_being_known_absent() -> None:
    assert [step for step, status in MOVES[Status.UNKNOWN].items() if status is Status.SIGNED] == ["not_there"]
    assert Status.SENDING not in MOVES[Status.UNKNOWN].values()
    assert [status for status, row in MOVES.items() if Status.SENDING in row.values()] == [Status.SIGNED]


def test_every_function_leads_to_a_state_and_every_state_is_led_to() -> None:
    targets = {target for target in FUNCTIONS.values() if target is not None}
    assert targets <= set(STATES)
    assert set(STATES) - targets == {(Track.DECLARATION, "filed")}


def test_a_reply_may_say_exactly_what_the_lifecycle_understands() -> None:
    shared = json.loads((PROJECT_ROOT / "specs" / "documents" / "common.json").read_text(encoding="utf-8"))
    assert set(shared["$defs"]["response_function"]["enum"]) == set(FUNCTIONS)


def test_states_are_named_in_both_languages_ranked_and_told_whose_move_they_are() -> None:
    for track in Track:
        ranks = [state.rank for state in STATES.values() if state.track is track]
        assert len(ranks) == len(set(ranks)), track
    for key, state in STATES.items():
        assert key == (state.track, state.name)
        assert state.en
        assert state.zh
        assert state.silent_after_s is not None or state.mover is Mover.NOBODY, key
        assert not state.final or (state.mover is Mover.NOBODY and state.silent_after_s is None), key


def test_every_answer_to_a_request_has_a_rank_and_is_a_function() -> None:
    assert set(REQUESTS) <= set(FUNCTIONS)
    assert set(REQUESTS.values()) | {"filed"} == set(REQUEST_RANKS)
    assert len(set(REQUEST_RANKS.values())) == len(REQUEST_RANKS)


def test_every_entry_of_the_timeline_has_a_title_in_both_languages() -> None:
    assert set(TITLES) == set(EventType)
    for en, zh in TITLES.values():
        assert en.isascii()
        assert any("\u4e00" <= sign <= "\u9fff" for sign in zh)
    assert all(len(event.value.split(":")) == 3 for event in EventType)


# OpenAPI.

BUNDLE: dict[str, Any] = json.loads((PROJECT_ROOT / "specs" / "openapi" / "bundle.json").read_bytes())


def operations() -> Iterator[Any]:
    for path, item in BUNDLE["paths"].items():
        for method in sorted(METHODS & item.keys()):
            yield pytest.param(method, path, item[method], id=f"{method} {path}")


OPERATIONS = list(operations())


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        inner: Any = BUNDLE
        for step in node["$ref"].removeprefix("#/").split("/"):
            inner = inner[step]
        node = inner
    return node


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_has_a_handler(method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    if operation.get("x-native"):  # a gateway does not start without a handler for it, which the next test shows
        return
    module, _, name = operation["operationId"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


def test_native_operations_and_their_handlers_are_the_same() -> None:
    async def answers(asked: native.Asked, send: Any) -> None:
        raise AssertionError("nobody asks")

    spoken = [one for item in BUNDLE["paths"].values() for one in item.values() if isinstance(one, dict)]
    names = {operation["operationId"]: answers for operation in spoken if operation.get("x-native")}
    assert names
    native.Natives(BUNDLE, names)
    for wrong in ({}, names | {"gateway.api.nowhere.nothing": answers}):
        with pytest.raises(ValueError, match="without a handler"):
            native.Natives(BUNDLE, wrong)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_that_takes_a_body_shows_one(method: str, path: str, operation: dict[str, Any]) -> None:
    assert ("requestBody" in operation) == (method in WITH_BODY and operation["operationId"] not in WITHOUT_WORDS)
    for media in operation.get("requestBody", {}).get("content", {}).values():
        if resolved(media["schema"]).get("format") == "binary":
            continue  # a partner's own bytes, of any kind
        shown = media.get("examples") or media.get("example") or resolved(media.get("schema", {})).get("example")
        assert shown, f"{method} {path}"
        for example in (media.get("examples") or {}).values():
            assert resolved(example).get("value") or resolved(example).get("externalValue")


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_says_what_it_answers(method: str, path: str, operation: dict[str, Any]) -> None:
    answers = {status: resolved(answer) for status, answer in operation["responses"].items()}
    assert any(status.startswith("2") for status in answers)
    assert all(answer["description"] for answer in answers.values())
    refused = [answer for status, answer in answers.items() if status[0] in "45" and answer.get("content")]
    assert all("application/problem+json" in answer["content"] for answer in refused if status_is_problem(answer))


def status_is_problem(answer: dict[str, Any]) -> bool:
    """A refusal that carries JSON carries a problem; a service that is not ready may tell its own state."""
    return "application/json" not in answer["content"]


def test_the_written_contract_and_its_bundle_name_the_same_operations() -> None:
    written = yaml.safe_load((PROJECT_ROOT / "specs" / "openapi" / "openapi.yaml").read_text(encoding="utf-8"))
    assert written["openapi"] == BUNDLE["openapi"] == "3.0.3"
    assert {path: METHODS & item.keys() for path, item in written["paths"].items()} == {
        path: METHODS & item.keys() for path, item in BUNDLE["paths"].items()
    }
