"""The pages about people: one's own account, all accounts, and what everybody did."""

from __future__ import annotations

from typing import Any

import flask
from werkzeug.wrappers import Response

from gateway import ids, settings
from gateway.api.parts import Parts, here
from gateway.api.senders import sender_of
from gateway.console import audit, entrance, passwords, tries
from gateway.console.accounts import ROLES, Accounts, Doer
from gateway.console.rendering import lang, render, visitor
from gateway.console.safety import page
from gateway.errors import Finding, RuleBroken
from gateway.ports import AccountRow

PAGE = 100


def register(pages: flask.Blueprint) -> None:
    pages.add_url_rule("/account", "account", _account)
    pages.add_url_rule("/account/password", "change_password", _change_password, methods=["POST"])
    pages.add_url_rule("/account/habits", "change_habits", _change_habits, methods=["POST"])
    pages.add_url_rule("/account/sign-out-everywhere", "sign_out_everywhere", _everywhere, methods=["POST"])
    pages.add_url_rule("/accounts", "accounts", _accounts)
    pages.add_url_rule("/accounts", "add_account", _add, methods=["POST"])
    pages.add_url_rule("/accounts/<name>/<act>", "change_account", _change, methods=["POST"])
    pages.add_url_rule("/audit", "audit", _audit)


def when(parts: Parts, text: str) -> str:
    """An instant in the zone of who reads it."""
    signed_in = flask.g.get("visitor")
    zone = settings.zone_of(signed_in.zone) if signed_in and signed_in.zone else None
    return parts.telling.when_text(text, zone)


def _of_gateway() -> Accounts:
    parts = here()
    return Accounts(parts.store, parts.directory.tenants)


def _doer(reason: str = "") -> Doer:
    """Whoever sent this form. What he changes has an entry of its own."""
    flask.g.audited = True
    said = reason or flask.request.form.get("reason", "")
    return Doer(visitor().actor, said.strip(), sender_of(flask.request.remote_addr or ""))


def _said(name: str) -> str:
    return flask.request.form.get(name, "").strip()


@page(role="viewer")
def _account() -> str:
    return render("account.html", row=_stored(visitor().name))


def _stored(name: str) -> AccountRow:
    return next(row for row in _of_gateway().every() if row.name == name)


@page(role="viewer")
def _change_password() -> Response:
    """One's own password: who knows the old one may, and wrong ones count as at the sign-in; then everybody signs in anew."""
    form, accounts, name = flask.request.form, _of_gateway(), visitor().name
    sender, now, store = sender_of(flask.request.remote_addr or ""), here().clock(), here().store
    store.write(lambda writing: tries.take(writing, name, sender, now))
    if not passwords.is_right(_stored(name).password, form.get("old", "")):
        raise RuleBroken("the old password is wrong", [Finding("console.password.old")], code="console.password.old")
    store.write(lambda writing: tries.was_right(writing, name, sender, now))
    accounts.set_password(name, form.get("new", ""), _doer("own password"), must_change=False)
    return entrance.out()


@page(role="viewer")
def _change_habits() -> Response:
    _of_gateway().set_habits(visitor().name, _said("language"), _said("zone"), _doer("own account"))
    return flask.redirect(flask.url_for("console.account"), 303)


@page(role="viewer")
def _everywhere() -> Response:
    _of_gateway().sign_out(visitor().name, _doer("own account"))
    return entrance.out()


@page(role="administrator")
def _accounts() -> str:
    return _listed()


@page(role="administrator")
def _add() -> str:
    """Make an account with a password that is shown once and must be changed."""
    password = passwords.made()
    row = _of_gateway().add(
        _said("name"),
        password,
        _doer(),
        role=_said("role"),
        tenant=_said("tenant"),
        lang=_said("language"),
        must_change=True,
    )
    return _listed(shown=(row.name, password))


@page(role="administrator")
def _change(name: str, act: str) -> Response | str:
    """One act about one account: role, disable, enable, password, sign-out."""
    accounts, doer = _of_gateway(), _doer()
    if act == "role":
        accounts.set_role(name, _said("role"), _said("tenant"), doer)
    elif act in ("disable", "enable"):
        accounts.set_disabled(name, act == "disable", doer)
    elif act == "sign-out":
        accounts.sign_out(name, doer)
    elif act == "password":
        password = passwords.made()
        accounts.set_password(name, password, doer, must_change=True)
        return _listed(shown=(name, password))
    else:
        flask.abort(404)
    return flask.redirect(flask.url_for("console.accounts", lang=lang()), 303)


def _listed(shown: tuple[str, str] | None = None) -> str:
    tenants = sorted(here().directory.tenants)
    return render("accounts.html", rows=_of_gateway().every(), roles=ROLES, tenants=tenants, shown=shown)


@page(role="administrator")
def _audit() -> str:
    """Newest first; each filter is a whole value."""
    arguments = flask.request.args
    asked = {
        name: "".join(filter(str.isprintable, arguments.get(name, "")[:100])) for name in ("actor", "act", "target")
    }
    before = arguments.get("before", "")
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else 0
    with here().store.read() as reading:
        rows = reading.audit(**asked, before_number=number, limit=PAGE)
    shown: list[dict[str, Any]] = [
        {"row": row, "at": ids.to_text(row.at_us), "title": audit.title(row.act, lang())} for row in rows
    ]
    acts = [(act.value, audit.title(act, lang())) for act in audit.Act]
    older = rows[-1].number if len(rows) == PAGE else 0
    return render("audit.html", rows=shown, asked=asked, acts=acts, older=older)
