"""The pages: sign in, search, one declaration with all that belongs to it, and one message with everything that is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import flask
from werkzeug.wrappers import Response

from gateway.api import reading, views
from gateway.api.parts import Parts, here
from gateway.console import entrance, people, showing
from gateway.console.rendering import lang, render, visitor
from gateway.console.safety import page
from gateway.ids import to_text
from gateway.lifecycle import Status
from gateway.pipeline.reading import Subject, partner_digest, silent_us
from gateway.pipeline.telling import duration
from gateway.pipeline.titles import STATUS_TITLES, said
from gateway.ports import Event, Found

PAGE = 50
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
    people.register(pages)
    pages.add_app_template_filter(lambda text: people.when(parts, text), "when")
    pages.add_app_template_filter(lambda text: parts.telling.reason(text, lang()), "reason")
    pages.add_app_template_filter(lambda text, fact: parts.telling.word(fact, text, lang()), "word")
    return pages


@page(role="nobody")
def _static(filename: str) -> Response:
    return flask.send_from_directory(STATIC, filename)


@page(role="viewer")
def _start() -> Response:
    return flask.redirect(flask.url_for("console.search", lang=lang()), 303)


@page(role="viewer")
def _search() -> str:
    asked = {name: _plain(flask.request.args.get(name, "")) for name in ("q", "status", "cursor")}
    status = asked["status"] if asked["status"] in set(Status) else ""
    with reading.open_for(visitor()) as view:
        found, cursor = view.search(value=asked["q"], status=status, before_id=asked["cursor"], limit=PAGE)
        rows = [_row(each) for each in found]
    statuses = [(each.value, said(STATUS_TITLES[each], lang())) for each in Status]
    return render("search.html", rows=rows, asked=asked, cursor=cursor, statuses=statuses)


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
        )


@page(role="viewer")
def _message(message_id: str) -> str:
    with reading.open_for(visitor()) as view:
        message = view.message(message_id)
        document = view.document_of(message)
        return render(
            "message.html",
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
            canonical=showing.readable(view.payload(document.digest)),
            sent=showing.readable(view.payload(partner_digest(message))),
            which="frozen" if message.frozen_digest else "encoded",
        )


def _events(entries: Iterable[tuple[Event, Subject]]) -> list[dict[str, Any]]:
    telling, spoken = here().telling, lang()
    shown = [views.event(row, subject, telling, spoken) for row, subject in entries]
    return [{**each, "kind_title": telling.word("kind", each.get("kind", ""), spoken)} for each in shown]
