"""What is asked about a filed declaration: amendment, cancellation, presentation; and what became of it."""

from __future__ import annotations

import flask

from gateway.api import reading, views
from gateway.api.answers import answer
from gateway.api.filing import Filing
from gateway.api.parts import here, language
from gateway.api.security import Caller
from gateway.lifecycle import REQUEST_PHASES
from gateway.ports import Json

AMENDMENT, CANCELLATION, PRESENTATION = REQUEST_PHASES


def amend(declaration_id: str, document: Json, raw: bytes, user: Caller, dry_run: bool = False) -> Filing:
    return Filing(AMENDMENT, document, raw, user, dry_run, declaration_id)


def cancel(declaration_id: str, document: Json, raw: bytes, user: Caller, dry_run: bool = False) -> Filing:
    return Filing(CANCELLATION, document, raw, user, dry_run, declaration_id)


def present(declaration_id: str, document: Json, raw: bytes, user: Caller, dry_run: bool = False) -> Filing:
    return Filing(PRESENTATION, document, raw, user, dry_run, declaration_id)


def amendments(declaration_id: str, user: Caller) -> flask.Response:
    return _listed(declaration_id, AMENDMENT, user)


def cancellation(declaration_id: str, user: Caller) -> flask.Response:
    return _listed(declaration_id, CANCELLATION, user)


def presentation(declaration_id: str, user: Caller) -> flask.Response:
    return _listed(declaration_id, PRESENTATION, user)


def amendment(declaration_id: str, amendment_id: str, user: Caller) -> flask.Response:
    with reading.open_for(user) as view:
        root = view.declaration(declaration_id)
        asked = view.request(root, AMENDMENT, amendment_id)
        return answer(
            {"request": views.request(asked, language(), here().clock()), "document": view.json(asked.document.digest)}
        )


def _listed(declaration_id: str, kind: str, user: Caller) -> flask.Response:
    with reading.open_for(user) as view:
        found = view.requests(view.declaration(declaration_id), kind)
    lang, now_us = language(), here().clock()
    return answer({"items": [views.request(asked, lang, now_us) for asked in found]})
