"""What every page is made with: its language, its visitor, and what the base layout wants to know.

A template has ``w`` (words), ``lang``, ``visitor`` (None before the sign-in), ``form_field()`` for each form that posts, and
``other_url`` for the same page in the other language. The navigation lists the endpoints of NAVIGATION that the visitor may open.
"""

from __future__ import annotations

from typing import Any

import flask

from gateway.api.parts import language
from gateway.console import safety
from gateway.console.safety import Visitor
from gateway.console.words import LANGUAGES, words

# Endpoint -> the word that leads there, in the order of the menu. A route that does not exist is left out.
NAVIGATION = {
    "console.overview": "overview",
    "console.search": "search",
    "console.lanes": "lanes",
    "console.deliveries": "deliveries",
    "console.partners": "partners",
    "console.adapters": "adapters",
    "console.accounts": "accounts",
    "console.audit": "audit",
    "console.account": "my_account",
}


def visitor() -> Visitor:
    """Who is signed in; only for pages that somebody has to be signed in for."""
    signed_in: Visitor = flask.g.visitor
    return signed_in


def lang() -> str:
    """What ?lang= says, else what the account says, else what the browser prefers."""
    asked = flask.request.args.get("lang", "")
    if asked in LANGUAGES:
        return asked
    signed_in: Visitor | None = flask.g.get("visitor")
    return signed_in.lang if signed_in and signed_in.lang in LANGUAGES else language()


def word(name: str) -> str:
    """One word of the pages in the reader's language."""
    return words(lang())[name]


def render(template: str, **shown: Any) -> str:
    """A page in the reader's language."""
    spoken = lang()
    return flask.render_template(
        template,
        w=words(spoken),
        lang=spoken,
        other_url=_in_the_other_language(spoken),
        visitor=flask.g.get("visitor"),
        navigation=_navigation(),
        form_field=lambda: safety.form_field(flask.g.get("cookie", "")),
        **shown,
    )


def _in_the_other_language(spoken: str) -> str:
    if flask.request.method != "GET":
        return ""
    other = "en" if spoken == "zh" else "zh"
    arguments = {**flask.request.args.to_dict(), **(flask.request.view_args or {}), "lang": other}
    return flask.url_for(flask.request.endpoint or "console.search", **arguments)


def _navigation() -> list[tuple[str, str]]:
    """(endpoint, word) of what this visitor may open."""
    signed_in: Visitor | None = flask.g.get("visitor")
    views = flask.current_app.view_functions
    return [
        (endpoint, word)
        for endpoint, word in NAVIGATION.items()
        if signed_in and (asked := safety.role_of(views.get(endpoint))) and signed_in.role.covers(asked)
    ]
