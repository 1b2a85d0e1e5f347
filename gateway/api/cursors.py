"""Where the next page of a list begins: an opaque text that says of which list it is.

It holds the id of the last entry seen and a checksum over that id and the list's name, so that a mistyped cursor, or one of another list,
is refused instead of answering another question. It is no secret and gives no right: what a reader may see is decided by the reading.
"""

from __future__ import annotations

import hashlib
import re

from gateway.api.problems import BadRequest
from gateway.errors import Finding

CODE = "api.cursor"
_CURSOR = re.compile(r"([0-9a-hjkmnp-tv-z]{26})([0-9a-f]{12})")


def sealed(of: str, last_id: str | None) -> str | None:
    """The cursor behind an entry of a list; None where no page follows. of: the list's name."""
    return None if last_id is None else last_id + _check(of, last_id)


def opened(of: str, cursor: str) -> str:
    """The id behind which a page of this list begins, "" for the first one. BadRequest for what this list never gave."""
    if not cursor:
        return ""
    match = _CURSOR.fullmatch(cursor)
    if match is None or match[2] != _check(of, match[1]):
        raise BadRequest("no cursor of this list", [Finding(CODE, found=cursor[:80])], code=CODE)
    return match[1]


def _check(of: str, last_id: str) -> str:
    return hashlib.sha256(f"{of} {last_id}".encode()).hexdigest()[:12]
