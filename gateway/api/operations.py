"""What an operator may do with a message or a lane: each act with a name and a reason on the timeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask

from gateway.api import reading, views
from gateway.api.answers import answer as answered
from gateway.api.parts import here, language
from gateway.api.security import Caller, require_operator
from gateway.ports import Json


def redrive(message_id: str, document: Json, user: Caller) -> flask.Response:
    return _act(here().operator.redrive, message_id, user, reason=document["reason"])


def park(message_id: str, document: Json, user: Caller) -> flask.Response:
    return _act(here().operator.park, message_id, user, reason=document["reason"])


def expire(message_id: str, document: Json, user: Caller) -> flask.Response:
    return _act(here().operator.expire, message_id, user, reason=document["reason"])


def stop_waiting(message_id: str, document: Json, user: Caller) -> flask.Response:
    return _act(here().operator.stop_waiting, message_id, user, reason=document["reason"])


def answer(message_id: str, document: Json, user: Caller) -> flask.Response:
    """What the partner said by telephone or on paper; it counts like an answer that came over the wire."""
    said = {"function": document["function"], "reason": document["reason"], "evidence": document.get("evidence", "")}
    return _act(here().operator.answer_by_hand, message_id, user, **said)


def _act(act: Callable[..., Any], message_id: str, user: Caller, **said: str) -> flask.Response:
    """Do it and show the message as it is then."""
    require_operator(user)
    with reading.open_for(user) as view:
        view.message(message_id)
    act(message_id, actor=user.actor, **said)
    with reading.open_for(user) as view:
        found = view.found(view.message(message_id))
    return answered(views.found(found, language(), here().clock()))
