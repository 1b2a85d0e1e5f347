"""The pages: sign in, search, one declaration with all that belongs to it, and one message with everything that is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import flask
import orjson
from werkzeug.wrappers import Response

from gateway.api import reading, views
from gateway.api.parts import Parts, here
from gateway.console import acts, adapters, entrance, lanes, overview, partners, people, showing, sides
from gateway.console.rendering import lang, render, visitor
from gateway.console.safety import Role, page
from gateway.ids import to_text
from gateway.lifecycle import STATES, Status, Track
from gateway.pipeline.reading import Subject, partner_digest, silent_us
from gateway.pipeline.standings import to_enter
from gateway.pipeline.telling import duration
from gateway.pipeline.titles import STATUS_TITLES, said
from gateway.ports import Event, Found, StandingRow

PAGE = 50
FILTERS = ("q", "status", "state", "agreement", "kind")
STATIC = Path(__file__).parent / "static"


def blueprint(parts: Parts) -> flask.Blueprint:
    """The pages of one gateway, under /console."""
    pages = flask.Blueprint("console", __name__, url_prefix="/console", template_folder="templates")
    entrance.guard(pages, parts)

    pages.add_url_rule("/static/<path:filename>", "static", _static)
    pages.add_url_rule("", "start", _start)
    pages.add_url_rule("/", "search", _search)
    pages.add_url_rule("/declarations/<declaration_id>", "declaration", _declaration)
    pages.add_url_rule("/messages/<message_id>", "message", _message)
    for rooms in (overview, acts, lanes, partners, adapters):
        rooms.add(pages)
    people.register(pages)
    pages.add_app_template_filter(lambda text: people.when(parts, text), "when")
    pages.add_app_template_filter(lambda at_us: people.when(parts, to_text(at_us)), "instant")
    pages.add_app_template_filter(lambda text: parts.telling.reason(text, lang()), "reason")
    pages.add_app_template_filter(lambda text, fact: parts.telling.word(fact, text, lang()), "word")
    return pages


@page(role="nobody")
def _static(filename: str) -> Response:
    return flask.send_from_directory(STATIC, filename)


@page(role="viewer")
def _start() -> Response:
    return flask.redirect(flask.url_for("console.overview", lang=lang()), 303)


@page(role="viewer")
def _search() -> str:
    asked = {name: _plain(flask.request.args.get(name, "")) for name in (*FILTERS, "cursor")}
    choices = _choices()
    wanted = {name: asked[name] if asked[name] in dict(choices.get(name, [])) else "" for name in FILTERS} | {
        "q": asked["q"]
    }
    with reading.open_for(visitor()) as view:
        found, cursor = view.search(value=wanted.pop("q"), before_id=asked["cursor"], limit=PAGE, **wanted)
        rows = [_row(each) for each in found]
    return render("search.html", rows=rows, asked=asked, cursor=cursor, choices=choices)


def _choices() -> dict[str, list[tuple[str, str]]]:
    """What the search can be narrowed by: name -> (value, title)."""
    told = here().telling
    declared = [state for state in STATES.values() if state.track is Track.DECLARATION]
    others = [state for state in STATES.values() if state.track is not Track.DECLARATION]
    kinds = sorted({kind for agreement in here().directory.agreements.values() for kind in agreement.documents})
    return {
        "status": [(each.value, said(STATUS_TITLES[each], lang())) for each in Status],
        "state": [(state.name, state.zh if lang() == "zh" else state.en) for state in (*declared, *others)],
        "agreement": [(name, name) for name in sorted(here().directory.agreements)],
        "kind": [(kind, told.word("kind", kind, lang())) for kind in kinds],
    }


def _plain(text: str) -> str:
    """What was typed, without what no keyboard types."""
    return "".join(character for character in text[:200] if character.isprintable())


def _row(found: Found) -> dict[str, Any]:
    """A message as the pages show it: the API's view with the standing of its own document, and how long nothing was heard of it.

    Silence counts only while somebody has to move.
    """
    now_us = here().clock()
    silent = silent_us(found, now_us)
    return {
        **views.found(found, lang(), now_us),
        "kind_title": here().telling.word("kind", found.kind, lang()),
        "silent_for": "" if silent is None else duration(silent / 1_000_000, lang()),
    }


@page(role="viewer")
def _declaration(declaration_id: str) -> str:
    with reading.open_for(visitor()) as view:
        root = view.declaration(declaration_id)
        latest = view.rounds(root)[-1]
        standing = view.standing(root.id)
        return render(
            "declaration.html",
            root=root,
            reference=latest.reference,
            standing=None if standing is None else views.standing(standing, lang(), here().clock()),
            rows=[_row(view.found(each)) for each in view.messages(root.id)],
            events=_events(view.told(root.id)),
            known_ids=view.known_ids(root.id),
            canonical=showing.readable(view.payload(latest.digest)),
            acts=_declaration_acts(standing) if visitor().role.covers(Role.OPERATOR) else [],
            **overview.notice(flask.request.args.get("done", "")),
        )


def _declaration_acts(standing: StandingRow | None) -> list[str]:
    """What may be done to a declaration as it stands: declared again where it was given back, the duty entered where that is asked."""
    if standing is None:
        return []
    given_back = standing.states.get(Track.DECLARATION.value) in overview.GIVEN_BACK
    return [*(["declare_again"] if given_back else []), *(["duty_paid"] if to_enter(standing) else [])]


@page(role="viewer")
def _message(message_id: str) -> str:
    with reading.open_for(visitor()) as view:
        message = view.message(message_id)
        document = view.document_of(message)
        ours, theirs = view.payload(document.digest), view.payload(partner_digest(message))
        mappings = getattr(here().catalogue.adapters.get(message.adapter), "mappings", {})
        return render(
            "message.html",
            acts=acts.of_message(message) if visitor().role.covers(Role.OPERATOR) else [],
            sides=sides.beside(mappings, document.kind, orjson.loads(ours), theirs),
            **overview.notice(flask.request.args.get("done", "")),
            row=_row(view.found(message)),
            events=_events(view.events(message)),
            known_ids=view.known_ids(message.root_id),
            received=[
                {
                    "at": to_text(each.received_us),
                    "reference": each.reference,
                    "status": each.status,
                    "reason": each.reason,
                    "text": showing.readable(view.payload(each.digest)),
                }
                for each in view.received(message)
            ],
            canonical=showing.readable(ours),
            sent=showing.readable(theirs),
            raw=theirs[: showing.LONGEST].decode("utf-8", "replace"),
            which="frozen" if message.frozen_digest else "encoded",
        )


def _events(entries: Iterable[tuple[Event, Subject]]) -> list[dict[str, Any]]:
    telling, spoken = here().telling, lang()
    shown = [views.event(row, subject, telling, spoken) for row, subject in entries]
    return [{**each, "kind_title": telling.word("kind", each.get("kind", ""), spoken)} for each in shown]
