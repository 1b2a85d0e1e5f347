"""Declarations: file, find, look at, declare again."""

from __future__ import annotations

import flask

from gateway.api import cursors, reading, views
from gateway.api.answers import answer
from gateway.api.filing import Filing
from gateway.api.parts import here, language
from gateway.api.security import Caller, require_filer
from gateway.ids import to_text
from gateway.ports import Json

KIND = "declaration"
LIST = "declarations"


def file(document: Json, raw: bytes, user: Caller, dry_run: bool = False, waits_for: str = "") -> Filing:
    return Filing(KIND, document, raw, user, dry_run, waits_for=waits_for)


def declare_again(
    declaration_id: str, document: Json, raw: bytes, user: Caller, dry_run: bool = False, waits_for: str = ""
) -> Filing:
    return Filing(KIND, document, raw, user, dry_run, declaration_id, waits_for)


def search(user: Caller, q: str = "", state: str = "", limit: int = 50, cursor: str = "") -> flask.Response:
    """Declarations, newest first, one entry each even where several messages carry it."""
    reading.known_state(state)
    with reading.open_for(user) as view:
        page, next_cursor = view.declarations(q, state, limit, cursors.opened(LIST, cursor))
    lang, now_us = language(), here().clock()
    items = [
        views.set_only(
            id=row.message.root_id,
            kind=row.kind,
            reference=row.reference or "-",
            standing=None if row.standing is None else views.standing(row.standing, lang, now_us),
            links=views.declaration_links(row.message.root_id),
        )
        for row in page
    ]
    return answer(views.set_only(items=items, next_cursor=cursors.sealed(LIST, next_cursor)))


def show(declaration_id: str, user: Caller) -> flask.Response:
    """The document as last declared, where it stands, its rounds, requests and messages."""
    lang, now_us = language(), here().clock()
    with reading.open_for(user) as view:
        root = view.declaration(declaration_id)
        rounds = view.rounds(root)
        latest = rounds[-1]
        standing = view.standing(root.id)
        return answer(
            views.set_only(
                id=root.id,
                kind=root.kind,
                tenant=root.tenant,
                reference=latest.reference or "-",
                created_at=to_text(root.created_us),
                document=view.json(latest.digest),
                standing=None if standing is None else views.standing(standing, lang, now_us),
                rounds=[views.round_of(row) for row in rounds],
                messages=[views.message(row, lang, view.behind(row)) for row in view.messages(root.id)],
                requests=[views.request(asked, lang, now_us) for asked in view.requests(root)],
                known_ids=view.known_ids(root.id),
                links=views.declaration_links(root.id),
            )
        )


def duty_paid(declaration_id: str, document: Json, user: Caller) -> flask.Response:
    """The filer, who holds customs' receipt, or an operator enters that the duty is paid; the declaration as it stands then."""
    if not user.is_operator:
        require_filer(user)
    with reading.open_for(user) as view:
        view.declaration(declaration_id)
    said = {"reason": document["reason"], "evidence": document["evidence"]}
    here().operator.duty_paid(declaration_id, actor=user.actor, **said)
    return show(declaration_id, user)


def timeline(declaration_id: str, user: Caller) -> flask.Response:
    """Everything that happened to the declaration, its requests and all their messages, in one order."""
    with reading.open_for(user) as view:
        root = view.declaration(declaration_id)
        entries = view.told(root.id)
        standing = view.standing(root.id)
    return answer(views.timeline(root.id, entries, standing, here().telling, language(), here().clock()))
