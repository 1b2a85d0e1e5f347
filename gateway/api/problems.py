"""Every refusal in one shape: application/problem+json (RFC 9457) with all findings, in the reader's language.

Rule 1: what a caller sees names what was wrong, where, and what to do next; it never holds a key, a header or our insides.
Rule 2: an error of ours becomes 500 with an incident id; the log has the same id, the type and the place in our code,
        but not the error's text, which may quote a document.
Rule 3: what HTTP or Connexion refuses (400, 401, 404, 405, 413, 415) looks the same as what the gateway refuses.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from starlette.exceptions import HTTPException

from gateway import ids
from gateway.api.bodies import TooLarge, TooSlow, UnsupportedMediaType
from gateway.errors import (
    Conflict,
    Finding,
    GatewayError,
    IllegalMove,
    NeedsOperator,
    NotFound,
    NotTrusted,
    NotWellFormed,
    OutcomeUnknown,
    PartnerUnavailable,
    Rejected,
    Severity,
)
from gateway.texts import own

log = logging.getLogger("gateway.api")

MEDIA_TYPE = "application/problem+json"

# First match wins, so a subclass stands before its base.
STATUSES: tuple[tuple[type[GatewayError], int], ...] = (
    (TooLarge, 413),
    (TooSlow, 408),
    (UnsupportedMediaType, 415),
    (NotWellFormed, 400),
    (NotTrusted, 403),
    (Rejected, 422),
    (NotFound, 404),
    (Conflict, 409),
    (IllegalMove, 409),
    (PartnerUnavailable, 503),
    (OutcomeUnknown, 503),
    (NeedsOperator, 503),
)
# What a status of HTTP itself is called here.
HTTP_CODES = {
    400: "http.bad_request",
    401: "http.unauthorized",
    403: "http.forbidden",
    404: "http.not_found",
    405: "http.method_not_allowed",
    408: "http.timeout",
    413: "http.too_large",
    414: "http.uri_too_long",
    415: "http.unsupported_media_type",
    429: "http.too_many",
    431: "http.headers_too_large",
    503: "http.unavailable",
}
INTERNAL = Finding("gateway.internal")
# When to come back where nobody knows how long it takes (RFC 9110, 10.2.3): a database that restarts is there by then.
UNAVAILABLE_S = 10
_SEVERAL = {
    "en": {
        "error": "{count} errors",
        "warning": "{count} warnings",
        "first": "{counts}; the first: {first}",
        "and": ", ",
    },
    "zh": {
        "error": "{count} 处错误",
        "warning": "{count} 处警告",
        "first": "共 {counts}；第一处：{first}",
        "and": "、",
    },
}
_ONE = {"{count} errors": "1 error", "{count} warnings": "1 warning"}


class Texts(Protocol):
    """Says a finding in words: title, text and action in a language."""

    def render(self, finding: Finding, lang: str) -> Mapping[str, str]: ...
    def localised(self, finding: Finding, lang: str) -> Finding: ...
    def written(self, code: str, language: str) -> Mapping[str, str]: ...
    def known(self, code: str) -> bool: ...
    def codes(self) -> tuple[str, ...]: ...


class Unauthorized(GatewayError):
    """Nobody we know is asking."""

    code = "http.unauthorized"


class Forbidden(GatewayError):
    """We know who asks, and this key may not."""

    code = "http.forbidden"


class TooMany(GatewayError):
    """Whoever asks has asked for too much; retry_after_s: when he may come back."""

    code = "http.too_many"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("not now", [Finding(self.code, expected=f"{retry_after_s} s")])
        self.retry_after_s = retry_after_s


class Crowded(TooMany):
    """Others have taken every place; whoever asks did nothing wrong."""

    code = "http.crowded"


class TooOften(TooMany):
    """Too many wrong keys came from one address."""

    code = "http.wrong_keys"


class BadRequest(NotWellFormed):
    """A parameter is wrong; every wrong one is a finding."""

    code = "api.parameter"


@dataclass(frozen=True, slots=True)
class Problem:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def of(error: BaseException, texts: Texts, lang: str) -> Problem:
    """The answer to an error, whichever it is."""
    incident = ""
    headers: dict[str, str] = {}
    if isinstance(error, GatewayError):
        status = status_of(error)
        code, findings = error.code, error.findings
        if status == 500:
            incident = _report(error)
            code, findings = INTERNAL.code, (INTERNAL,)
    elif isinstance(error, HTTPException):
        # An address that is nearly right is not right: nobody is sent elsewhere.
        status = error.status_code if error.status_code >= 400 else 404
        code = HTTP_CODES.get(status, "http.other")
        findings = (_http_finding(code, error),)
        headers.update({name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"})
    else:
        incident = _report(error)
        status, code, findings = 500, INTERNAL.code, (INTERNAL,)
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after_s)
    elif status == 503:
        headers["Retry-After"] = str(UNAVAILABLE_S)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="single-window-gateway"'
    members = _members(status, code, findings, texts, lang)
    if incident:
        members["incident"] = incident
    return Problem(status, orjson.dumps(members), {**headers, **_general(lang)})


def shown(findings: Iterable[Finding], texts: Texts, lang: str) -> list[dict[str, Any]]:
    """Findings as callers get them: the machine's part and the words."""
    return [{**texts.localised(finding, lang).as_dict(), **texts.render(finding, lang)} for finding in findings]


def _members(status: int, code: str, findings: tuple[Finding, ...], texts: Texts, lang: str) -> dict[str, Any]:
    said = shown(findings, texts, lang)
    return {
        "type": f"/problems/{code}",
        "title": texts.render(Finding(code), lang)["title"],
        "status": status,
        "detail": _detail(findings, said, lang),
        "code": code,
        "findings": said,
    }


def _detail(findings: tuple[Finding, ...], said: list[dict[str, Any]], lang: str) -> str:
    """The one finding, or how many of them refuse and how many only warn, and the first that refuses."""
    if len(said) == 1:
        return str(said[0]["text"])
    words = _SEVERAL[own(lang)]
    warnings = sum(finding.severity is not Severity.ERROR for finding in findings)
    counts = [
        (_ONE.get(words[kind], words[kind]) if count == 1 else words[kind]).format(count=count)
        for kind, count in (("error", len(said) - warnings), ("warning", warnings))
        if count
    ]
    first = next((row for row in said if row["severity"] == Severity.ERROR), said[0])
    return words["first"].format(counts=words["and"].join(counts), first=first["text"])


def status_of(error: GatewayError) -> int:
    """The HTTP status of an error of ours; 500 for one that no caller can do anything about."""
    if isinstance(error, Unauthorized):
        return 401
    if isinstance(error, Forbidden):
        return 403
    if isinstance(error, TooMany):
        return 429
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def _http_finding(code: str, error: HTTPException) -> Finding:
    # Only what Connexion says of a media type is worth repeating; other texts may quote what the caller sent.
    detail = str(error.detail)[:200] if error.status_code == 415 and error.detail else None
    return Finding(code, found=detail)


def _general(lang: str) -> dict[str, str]:
    return {
        "Content-Type": MEDIA_TYPE,
        "Content-Language": lang,
        "Vary": "Accept-Language",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


def _report(error: BaseException) -> str:
    incident = ids.new_id()
    places = "".join(traceback.format_tb(error.__traceback__))
    log.error("incident %s: %s\n%s", incident, type(error).__qualname__, places)
    return incident
