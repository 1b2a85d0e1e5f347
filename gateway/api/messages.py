"""Messages: find one by any id people hold, look at it, at what happened, and at both its faces."""

from __future__ import annotations

import flask

from gateway.api import cursors, reading, views
from gateway.api.answers import answer, download
from gateway.api.parts import here, language
from gateway.api.security import Caller
from gateway.errors import Finding, NotFound

LIST = "messages"


def search(
    user: Caller,
    q: str = "",
    status: str = "",
    state: str = "",
    agreement: str = "",
    limit: int = 50,
    cursor: str = "",
) -> flask.Response:
    reading.known_state(state)
    asked = {
        "value": q,
        "status": status,
        "state": state,
        "agreement": agreement,
        "before_id": cursors.opened(LIST, cursor),
    }
    with reading.open_for(user) as view:
        rows, next_cursor = view.search(**asked, limit=limit)
    lang, now_us = language(), here().clock()
    items = [views.found(row, lang, now_us) for row in rows]
    return answer(views.set_only(items=items, next_cursor=cursors.sealed(LIST, next_cursor)))


def show(message_id: str, user: Caller) -> flask.Response:
    with reading.open_for(user) as view:
        found = view.found(view.message(message_id))
    return answer(views.found(found, language(), here().clock()))


def timeline(message_id: str, user: Caller) -> flask.Response:
    with reading.open_for(user) as view:
        message = view.message(message_id)
        entries = view.events(message)
        standing = view.standing(message.root_id)
    told = views.timeline(message.root_id, entries, standing, here().telling, language(), here().clock())
    return answer({"message_id": message.id, **told})


def canonical(message_id: str, user: Caller) -> flask.Response:
    with reading.open_for(user) as view:
        document = view.document_of(view.message(message_id))
        return answer(view.json(document.digest))


def partner(message_id: str, user: Caller, which: str = "encoded") -> flask.Response:
    """The bytes themselves, or a JSON wrapper for who accepts JSON and does not prefer anything else."""
    with reading.open_for(user) as view:
        message = view.message(message_id)
        digest = message.encoded_digest if which == "encoded" else message.frozen_digest
        if not digest:
            raise NotFound("not there yet", [Finding("api.content.absent", found=which)], code="api.content.absent")
        data = view.payload(digest)
    if flask.request.accept_mimetypes.best_match([message.media_type, "application/json"]) == "application/json":
        wrapper = {
            "message_id": message.id,
            "which": which,
            "name": message.name,
            "media_type": message.media_type,
            "digest": digest,
            **views.content(data),
        }
        return answer(wrapper)
    return download(data, message.media_type, message.name)
