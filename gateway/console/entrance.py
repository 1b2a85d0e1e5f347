"""The way in: who is signed in, whether he may open the page, and signing in and out.

Before the sign-in the cookie holds a token that opens nothing: it is what the form of the sign-in is made for.
"""

from __future__ import annotations

import secrets

import flask
from werkzeug.wrappers import Response

from gateway.api import problems
from gateway.api.parts import Parts, here
from gateway.api.problems import TooOften, Unauthorized
from gateway.console import audit, safety
from gateway.console.audit import Act
from gateway.console.rendering import lang, render, visitor
from gateway.console.safety import Role, page
from gateway.console.sessions import HOST_COOKIE, LASTS_US, PLAIN_COOKIE, SECOND_US, Sessions
from gateway.errors import GatewayError
from gateway.ports import Writing

# Where somebody may go whose password was chosen by somebody else.
BEFORE_CHANGE = {"console.account", "console.sign_in", "console.change_password", "console.sign_out", "console.static"}


def guard(pages: flask.Blueprint, parts: Parts) -> None:
    """Stand before every page of a blueprint, answer what is refused, and write down every form that was sent."""
    sessions = Sessions(parts.store)

    @pages.before_request
    def admit() -> Response | None:
        flask.g.cookie = flask.request.cookies.get(_cookie_name(), "")
        known = sessions.visitor(flask.g.cookie)
        flask.g.visitor, must_change = known or (None, False)
        view = flask.current_app.view_functions.get(flask.request.endpoint or "")
        if flask.g.visitor is None and safety.role_of(view) is not Role.NOBODY:
            return flask.redirect(flask.url_for("console.sign_in", lang=lang()), 303)
        safety.require(view, flask.g.visitor.role if flask.g.visitor else Role.NOBODY)
        safety.check_form(flask.request, flask.g.cookie)
        if must_change and flask.request.endpoint not in BEFORE_CHANGE:
            return flask.redirect(flask.url_for("console.account", lang=lang()), 303)
        return None

    @pages.after_request
    def strictly(response: flask.Response) -> flask.Response:
        response.headers.update(safety.HEADERS)
        if flask.request.method not in safety.SAFE and flask.g.get("visitor") and not flask.g.get("audited"):
            _write_down(parts, response.status_code)
        return response

    @pages.errorhandler(GatewayError)
    def failed(error: GatewayError) -> tuple[str, int]:
        said = [here().texts.render(finding, lang()) for finding in error.findings]
        return render("error.html", said=said), problems.status_of(error)

    @pages.route("/sign-in", methods=["GET", "POST"])
    @page(role="nobody")
    def sign_in() -> Response | tuple[str, int]:
        if flask.request.method == "GET":
            return _form("", 200)
        name, password = (flask.request.form.get(field, "") for field in ("name", "password"))
        try:
            token, account = sessions.open(name, password, flask.request.remote_addr or "")
        except TooOften:
            return _form("too_often", 429)
        except Unauthorized:
            return _form("sign_in_wrong", 401)
        return _with_cookie(flask.redirect(flask.url_for("console.start", lang=account.lang or lang()), 303), token)

    @pages.post("/sign-out")
    @page(role="viewer")
    def sign_out() -> Response:
        sessions.close(flask.g.cookie, visitor(), flask.request.remote_addr or "")
        flask.g.audited = True
        return out()


def out() -> Response:
    """To the sign-in, with a cookie that opens nothing."""
    return _with_cookie(flask.redirect(flask.url_for("console.sign_in", lang=lang()), 303), "")


def _form(wrong: str, status: int) -> Response:
    """The form of the sign-in; whoever brings no cookie gets one that the form is made for."""
    fresh = "" if flask.g.cookie else secrets.token_urlsafe(32)
    flask.g.cookie = flask.g.cookie or fresh
    response = flask.make_response(render("sign_in.html", wrong=wrong), status)
    return _with_cookie(response, fresh) if fresh else response


def _with_cookie(response: Response, token: str) -> Response:
    """Set the cookie, or take it away for "". No script reads it and no other site sends it; over TLS its name keeps it to this very
    host (RFC 6265bis, section 4.1.3.2)."""
    response.set_cookie(
        _cookie_name(),
        token,
        max_age=LASTS_US // SECOND_US if token else 0,
        path="/",
        secure=_over_tls(),
        httponly=True,
        samesite="Strict",
    )
    return response


def _cookie_name() -> str:
    return HOST_COOKIE if _over_tls() else PLAIN_COOKIE


def _over_tls() -> bool:
    return here().settings.public_url.startswith("https:")


def _write_down(parts: Parts, status: int) -> None:
    """Who sent a form that no entry of its own tells of: which, about what, why, and how it was answered."""
    asked, signed_in = flask.request, visitor()
    named = [*(asked.view_args or {}).values(), asked.form.get("target", "")]

    def unit(writing: Writing) -> None:
        audit.note(
            writing,
            Act.FORM_SENT,
            at_us=parts.clock(),
            actor=signed_in.actor,
            address=asked.remote_addr or "",
            target=" ".join([(asked.endpoint or "").removeprefix("console."), *filter(None, map(str, named))]),
            reason=asked.form.get("reason", ""),
            after=str(status),
        )

    parts.store.write(unit)
