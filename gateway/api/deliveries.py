"""Deliveries that speak of nothing yet: what a partner gave us and nobody could read, trust or match. For an operator only."""

from __future__ import annotations

import flask

from gateway.api import cursors, reading, views
from gateway.api.answers import answer, download
from gateway.api.parts import here, language
from gateway.api.security import Caller, require_operator
from gateway.pipeline.reading import Subject
from gateway.ports import Json

LIST = "deliveries"


def search(user: Caller, limit: int = 50, cursor: str = "") -> flask.Response:
    require_operator(user)
    with reading.open_for(user) as view:
        rows, next_cursor = view.kept(limit=limit, cursor=cursors.opened(LIST, cursor))
    return answer(
        views.set_only(items=[views.delivery(row) for row in rows], next_cursor=cursors.sealed(LIST, next_cursor))
    )


def show(delivery_id: str, user: Caller) -> flask.Response:
    """The delivery, and its timeline: its own, or that of the declaration it speaks of."""
    require_operator(user)
    with reading.open_for(user) as view:
        row = view.delivery(delivery_id)
        events = [each for each in view.timeline(row.root_id or row.id) if each.data.get("inbound_id") == row.id]
    subject = Subject(agreement=row.agreement)
    items = [views.event(each, subject, here().telling, language()) for each in events]
    return answer({"delivery": views.delivery(row), "items": items})


def content(delivery_id: str, user: Caller) -> flask.Response:
    """The bytes as they came."""
    require_operator(user)
    with reading.open_for(user) as view:
        row = view.delivery(delivery_id)
        return download(view.payload(row.digest), "application/octet-stream", row.reference)


def read_again(delivery_id: str, document: Json, user: Caller) -> flask.Response:
    require_operator(user)
    with reading.open_for(user) as view:
        view.delivery(delivery_id)
    here().operator.read_again(delivery_id, actor=user.actor, reason=document["reason"])
    return show(delivery_id, user)
