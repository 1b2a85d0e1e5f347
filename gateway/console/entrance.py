"""The way in: who is signed in, whether he may open the page, and signing in and out."""

from __future__ import annotations

import flask
from werkzeug.wrappers import Response

from gateway.api import problems
from gateway.api.parts import Parts, here
from gateway.api.problems import TooOften, Unauthorized
from gateway.console import safety
from gateway.console.rendering import lang, render
from gateway.console.safety import Role, Visitor, page
from gateway.console.sessions import COOKIE, Sessions
from gateway.errors import GatewayError


def guard(pages: flask.Blueprint, parts: Parts) -> None:
    """Stand before every page of a blueprint, and answer what is refused."""
    sessions = Sessions(
        parts.settings.home, parts.directory, parts.exchange, secure=parts.settings.public_url.startswith("https:")
    )

    @pages.before_request
    def admit() -> Response | None:
        flask.g.cookie = flask.request.cookies.get(COOKIE, "")
        caller = sessions.caller(flask.request)
        flask.g.visitor = None
        if caller is not None:
            role = Role.OPERATOR if caller.is_operator else Role.VIEWER
            flask.g.visitor = Visitor(caller.actor, role, caller.scope or "")
        view = flask.current_app.view_functions.get(flask.request.endpoint or "")
        if flask.g.visitor is None and safety.role_of(view) is not Role.NOBODY:
            return flask.redirect(flask.url_for("console.sign_in", lang=lang()), 303)
        safety.require(view, flask.g.visitor.role if flask.g.visitor else Role.NOBODY)
        if flask.request.endpoint != "console.sign_in":
            safety.check_form(flask.request, flask.g.cookie)
        return None

    @pages.after_request
    def strictly(response: flask.Response) -> flask.Response:
        response.headers.update(safety.HEADERS)
        return response

    @pages.errorhandler(GatewayError)
    def failed(error: GatewayError) -> tuple[str, int]:
        status = problems.status_of(error)
        return render("error.html", said=here().texts.render(error.findings[0], lang())), status

    @pages.route("/sign-in", methods=["GET", "POST"])
    @page(role="nobody")
    def sign_in() -> Response | tuple[str, int] | str:
        if flask.request.method == "GET":
            return render("sign_in.html", wrong="")
        address = flask.request.remote_addr or ""
        response = flask.redirect(flask.url_for("console.search", lang=lang()), 303)
        try:
            sessions.open(flask.request.form.get("key", "").strip(), address, response)  # type: ignore[arg-type]
        except TooOften:
            return render("sign_in.html", wrong="too_often"), 429
        except Unauthorized:
            return render("sign_in.html", wrong="key_wrong"), 401
        return response

    @pages.post("/sign-out")
    @page(role="viewer")
    def sign_out() -> Response:
        response = flask.redirect(flask.url_for("console.sign_in", lang=lang()), 303)
        sessions.close(response)  # type: ignore[arg-type]
        return response
