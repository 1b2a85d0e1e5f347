"""Bytes made readable: JSON and XML with indentation, anything else as it is. Only for eyes; what counts are the bytes."""

from __future__ import annotations

import json

from lxml import etree

from gateway.errors import NotWellFormed
from gateway.syntax import xml

LONGEST = 200_000


def readable(data: bytes) -> tuple[str, bool]:
    """The text, and whether it was cut."""
    text = _pretty(data) if len(data) <= LONGEST else data.decode("utf-8", "replace")
    return text[:LONGEST], len(text) > LONGEST


def whole(data: bytes) -> str:
    """The text, however long: for a form in which all of it is changed and sent back."""
    return _pretty(data)


def _pretty(data: bytes) -> str:
    start = data.lstrip()[:1]
    try:
        if start in (b"{", b"["):
            return json.dumps(json.loads(data), ensure_ascii=False, indent=2)
        if start == b"<":
            return etree.tostring(xml.parse(data), pretty_print=True, encoding="unicode")
    except (ValueError, RecursionError, NotWellFormed):
        pass
    return data.decode("utf-8", "replace")
