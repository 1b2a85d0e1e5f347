"""What the console asks of every request before a page is made: a role, a token in every form, and headers that keep browsers strict.

Rule 1: a route says by @page which role it takes; one that says none answers nobody at all.
Rule 2: whoever posts sends the token of his own session, and not from another site; the token is nothing but a digest of the cookie's
        value, so that who can write it knows the cookie.
Rule 3: nothing inline: scripts, styles and fragments come from this host alone (Content Security Policy Level 3), and no other site
        frames a page, opens it or reads what it loads (COOP, CORP). Nobody else is told the address of a page; with no-referrer browsers
        would hide the origin of our own forms from us too (Fetch, "append a request Origin header").
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlsplit

import flask
from markupsafe import Markup

from gateway.api.problems import Forbidden
from gateway.errors import Finding

FIELD = "form_token"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
SAFE = {"GET", "HEAD", "OPTIONS"}
OURS = {"same-origin", "none"}

View = TypeVar("View", bound=Callable[..., Any])


class Role(StrEnum):
    """Who may open a page. Each may do what those before it may."""

    NOBODY = "nobody"  # also who is not signed in
    VIEWER = "viewer"  # looks, at one tenant or at all
    OPERATOR = "operator"  # puts messages and lanes right
    ADMINISTRATOR = "administrator"  # makes accounts, reads the audit

    def covers(self, asked: Role) -> bool:
        ladder = list(Role)
        return ladder.index(self) >= ladder.index(asked)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in. tenant: the one whose things he sees, "" for who belongs to the gateway and sees all; lang and zone: "" where
    the account names none."""

    name: str
    role: Role
    tenant: str = ""
    lang: str = ""
    zone: str = ""

    @property
    def scope(self) -> str | None:
        return self.tenant or None

    @property
    def actor(self) -> str:
        """How timeline and audit name this visitor."""
        return actor_of(self.name)

    def may(self, role: str) -> bool:
        """Whether pages of this role are open to him; templates leave out what is not."""
        return self.role.covers(Role(role))


def actor_of(account: str) -> str:
    return f"console/{account}"


def page(role: str) -> Callable[[View], View]:
    """Declare who may call a view function: viewer, operator, administrator, or nobody for those that need no sign-in."""
    declared = Role(role)

    def mark(view: View) -> View:
        view.console_role = declared  # type: ignore[attr-defined]
        return view

    return mark


def role_of(view: Callable[..., Any] | None) -> Role | None:
    """The role that a view function declares; None where it declares none."""
    role: Role | None = getattr(view, "console_role", None)
    return role


def form_token(cookie: str) -> str:
    """What the forms of this cookie carry."""
    return hashlib.sha256(b"form token\0" + cookie.encode("utf-8", "replace")).hexdigest()


def form_field(cookie: str) -> Markup:
    """The hidden field of a form."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, form_token(cookie))


def check_form(request: flask.Request, cookie: str) -> None:
    """Forbidden for a form that another site sent, or that was not made for this cookie."""
    if request.method in SAFE:
        return
    if request.headers.get("Sec-Fetch-Site", "none") not in OURS or not _from_here(request):
        raise _refused("another site sent this form")
    sent = request.form.get(FIELD, "").encode("utf-8", "replace")
    if not cookie or not hmac.compare_digest(sent, form_token(cookie).encode()):
        raise _refused("a form without the token of this session")


def _from_here(request: flask.Request) -> bool:
    """Whether the Origin, where the browser tells one, is the host that was asked (RFC 6454, section 7)."""
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def _refused(detail: str) -> Forbidden:
    return Forbidden(detail, [Finding("console.form")], code="console.form")


def require(view: Callable[..., Any] | None, held: Role) -> None:
    """Forbidden for who holds less than the view declares, and for everybody where it declares nothing."""
    asked = role_of(view)
    if asked is None or not held.covers(asked):
        finding = Finding("console.role", found=held.value, expected=asked.value if asked else "-")
        raise Forbidden("this role may not open the page", [finding], code="console.role")
