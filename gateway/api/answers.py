"""How a handler answers: JSON by orjson, with the headers that every answer of the API carries."""

from __future__ import annotations

import hashlib
from typing import Any

import flask
import orjson
from starlette.types import Send

from gateway.api.parts import language

JSON = "application/json"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Vary": "Accept, Accept-Language"}


def answer(body: Any, status: int = 200, *, headers: dict[str, str] | None = None) -> flask.Response:
    """A JSON answer in the caller's language."""
    said = {**HEADERS, "Content-Language": language(), **(headers or {})}
    return _unless_known(orjson.dumps(body), status, said, JSON)


def _unless_known(data: bytes, status: int, headers: dict[str, str], media_type: str) -> flask.Response:
    """The answer; to a read whose reader has these bytes already, 304 without them (RFC 9110, 13.1.2 and 15.4.5).

    The tag is strong: it is made of the bytes, so that another language or state has another one. Cache-Control stays no-store: the tag is
    for a program that keeps what it has read, never for a cache on the way.
    """
    if flask.request.method == "GET" and status == 200:
        tag = hashlib.sha256(data).hexdigest()[:32]
        headers["ETag"] = f'"{tag}"'
        if flask.request.if_none_match.contains_weak(tag):
            known = flask.Response(None, 304, headers)
            del known.headers["Content-Type"]
            return known
    return flask.Response(data, status, headers, content_type=media_type)


async def send_answer(
    send: Send, status: int, body: Any, lang: str, headers: dict[str, str] | None = None, media_type: str = JSON
) -> None:
    """The same from a native route. body: what is made JSON of, or bytes as they are sent."""
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    said = {"Content-Type": media_type, **HEADERS, "Content-Language": lang, **(headers or {})}
    lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in said.items()]
    lines.append((b"content-length", str(len(data)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": data})


def disposition(name: str) -> str:
    """Content-Disposition of what is saved and never shown, under so much of its name as any system takes."""
    safe = "".join(
        character for character in name if character.isascii() and (character.isalnum() or character in "._-")
    )
    return f'attachment; filename="{safe or "message"}"'


def download(data: bytes, media_type: str, name: str) -> flask.Response:
    """Bytes exactly as they are stored. Never shown by a browser as a page of ours: they are a partner's."""
    headers = {
        **HEADERS,
        "Content-Disposition": disposition(name),
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return _unless_known(data, 200, headers, media_type)
