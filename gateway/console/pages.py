"""The pages: sign in, search, one declaration with all that belongs to it, and one message with everything that is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import flask
from werkzeug.wrappers import Response

from gateway.api import problems, reading, views
from gateway.api.parts import Parts, here, language
from gateway.api.problems import Forbidden, TooOften, Unauthorized
from gateway.api.security import Caller
from gateway.console import showing
from gateway.console.sessions import Sessions
from gateway.console.words import LANGUAGES, words
from gateway.errors import Finding, GatewayError
from gateway.ids import to_text
from gateway.lifecycle import Status
from gateway.pipeline.reading import Subject, partner_digest, silent_us
from gateway.pipeline.telling import duration
from gateway.pipeline.titles import STATUS_TITLES, said
from gateway.ports import Event, Found

PAGE = 50
FOREIGN = {"cross-site", "same-site"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def blueprint(parts: Parts) -> flask.Blueprint:
    """The pages of one gateway, under /console."""
    pages = flask.Blueprint("console", __name__, url_prefix="/console", template_folder="templates")
    pages.static_folder = "static"
    pages.add_url_rule("/static/<path:filename>", "static", pages.send_static_file)
    sessions = Sessions(
        parts.settings.home, parts.directory, parts.exchange, secure=parts.settings.public_url.startswith("https:")
    )

    @pages.before_request
    def sign_in_first() -> Response | None:
        if flask.request.method == "POST" and flask.request.headers.get("Sec-Fetch-Site") in FOREIGN:
            raise Forbidden("another site sent this form", [Finding(Forbidden.code)])
        flask.g.caller = sessions.caller(flask.request)
        open_to_all = ("console.sign_in", "console.static")
        if flask.g.caller is None and flask.request.endpoint not in open_to_all:
            return flask.redirect(flask.url_for("console.sign_in", lang=lang()), 303)
        return None

    @pages.after_request
    def guard(response: flask.Response) -> flask.Response:
        response.headers.update(HEADERS)
        return response

    @pages.errorhandler(GatewayError)
    def failed(error: GatewayError) -> tuple[str, int]:
        status = problems.status_of(error)
        return _page("error.html", said=here().texts.render(error.findings[0], lang())), status

    @pages.route("/sign-in", methods=["GET", "POST"])
    def sign_in() -> Response | tuple[str, int] | str:
        if flask.request.method == "GET":
            return _page("sign_in.html", wrong="")
        address = flask.request.remote_addr or ""
        response = flask.redirect(flask.url_for("console.search", lang=lang()), 303)
        try:
            sessions.open(flask.request.form.get("key", "").strip(), address, response)  # type: ignore[arg-type]
        except TooOften:
            return _page("sign_in.html", wrong="too_often"), 429
        except Unauthorized:
            return _page("sign_in.html", wrong="key_wrong"), 401
        return response

    @pages.post("/sign-out")
    def sign_out() -> Response:
        response = flask.redirect(flask.url_for("console.sign_in", lang=lang()), 303)
        sessions.close(response)  # type: ignore[arg-type]
        return response

    pages.add_url_rule("", "start", lambda: flask.redirect(flask.url_for("console.search", lang=lang()), 303))
    pages.add_url_rule("/", "search", _search)
    pages.add_url_rule("/declarations/<declaration_id>", "declaration", _declaration)
    pages.add_url_rule("/messages/<message_id>", "message", _message)
    pages.add_app_template_filter(parts.telling.when_text, "when")
    pages.add_app_template_filter(lambda text: parts.telling.reason(text, lang()), "reason")
    pages.add_app_template_filter(lambda text, fact: parts.telling.word(fact, text, lang()), "word")
    return pages


def lang() -> str:
    """What ?lang= says, else what the browser prefers."""
    asked = flask.request.args.get("lang", "")
    return asked if asked in LANGUAGES else language()


def _page(template: str, **shown: Any) -> str:
    spoken = lang()
    other = "en" if spoken == "zh" else "zh"
    arguments = {**flask.request.args.to_dict(), **(flask.request.view_args or {}), "lang": other}
    endpoint = flask.request.endpoint or "console.search"
    other_url = flask.url_for(endpoint, **arguments) if flask.request.method == "GET" else ""
    return flask.render_template(
        template, w=words(spoken), lang=spoken, other_url=other_url, caller=flask.g.get("caller"), **shown
    )


def _search() -> str:
    asked = {name: _plain(flask.request.args.get(name, "")) for name in ("q", "status", "cursor")}
    status = asked["status"] if asked["status"] in set(Status) else ""
    with reading.open_for(_caller()) as view:
        found, cursor = view.search(value=asked["q"], status=status, before_id=asked["cursor"], limit=PAGE)
        rows = [_row(each) for each in found]
    statuses = [(each.value, said(STATUS_TITLES[each], lang())) for each in Status]
    return _page("search.html", rows=rows, asked=asked, cursor=cursor, statuses=statuses)


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


def _declaration(declaration_id: str) -> str:
    with reading.open_for(_caller()) as view:
        root = view.declaration(declaration_id)
        latest = view.rounds(root)[-1]
        standing = view.standing(root.id)
        return _page(
            "declaration.html",
            root=root,
            reference=latest.reference,
            standing=None if standing is None else views.standing(standing, lang(), here().clock()),
            rows=[_row(view.found(each)) for each in view.messages(root.id)],
            events=_events(view.told(root.id)),
            known_ids=view.known_ids(root.id),
            canonical=showing.readable(view.payload(latest.digest)),
        )


def _message(message_id: str) -> str:
    with reading.open_for(_caller()) as view:
        message = view.message(message_id)
        document = view.document_of(message)
        return _page(
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


def _caller() -> Caller:
    caller: Caller = flask.g.caller
    return caller
