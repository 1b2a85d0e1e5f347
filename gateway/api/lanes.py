"""Lanes: the queue of each agreement, for an operator to look at, to pause and to let go on."""

from __future__ import annotations

from collections.abc import Callable

import flask

from gateway.api import reading, views
from gateway.api.answers import answer
from gateway.api.parts import here, language
from gateway.api.security import Caller, require_operator
from gateway.errors import Finding, NotFound
from gateway.pipeline.reading import Subject
from gateway.ports import Json


def search(user: Caller) -> flask.Response:
    """Every agreement of the partners file, by id."""
    require_operator(user)
    with reading.open_for(user) as view:
        rows = view.lanes()
    agreements = here().directory.agreements
    return answer({"items": [views.lane(agreements[name], rows.get(name)) for name in sorted(agreements)]})


def timeline(agreement_id: str, user: Caller) -> flask.Response:
    """Who paused it and let it go on, when and why."""
    require_operator(user)
    _known(agreement_id)
    with reading.open_for(user) as view:
        events = view.timeline(agreement_id)
    subject = Subject(agreement=agreement_id)
    return answer({"items": [views.event(row, subject, here().telling, language()) for row in events]})


def pause(agreement_id: str, document: Json, user: Caller) -> flask.Response:
    return _act(here().operator.pause_lane, agreement_id, document, user)


def resume(agreement_id: str, document: Json, user: Caller) -> flask.Response:
    return _act(here().operator.resume_lane, agreement_id, document, user)


def _act(act: Callable[..., None], agreement_id: str, document: Json, user: Caller) -> flask.Response:
    require_operator(user)
    act(agreement_id, actor=user.actor, reason=document["reason"])
    with reading.open_for(user) as view:
        row = view.lanes().get(agreement_id)
    return answer(views.lane(here().directory.agreements[agreement_id], row))


def _known(agreement_id: str) -> None:
    if agreement_id not in here().directory.agreements:
        finding = Finding("agreement.unknown", found=agreement_id)
        raise NotFound("there is no such agreement", [finding], code=finding.code)
