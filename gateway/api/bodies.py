"""Reading JSON bodies: bounded, once, and refusing what two readers could understand differently.

A body is read up to a size and within a time; it is UTF-8 JSON without NaN, without an object that names a member twice,
and not nested deeper than any document of ours (RFC 8259 section 4 leaves doubled names open, so we refuse them).
Documents are not validated here: the pipeline does that once and with findings. Small bodies, such as an operator's
answer, are checked against the contract's schema.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
from starlette.types import Message, Receive, Scope

from gateway.errors import Finding, NotWellFormed, SchemaBroken

READ_S = 30
MOST_FINDINGS = 100


class TooLarge(NotWellFormed):
    """The body is larger than this gateway reads. found: bytes seen so far; expected: the most that is read."""

    code = "api.body.too_large"


class TooSlow(NotWellFormed):
    code = "api.body.too_slow"


class UnsupportedMediaType(NotWellFormed):
    """The body is said to be of a media type that this operation does not take."""

    code = "api.media_type"


class Gone(Exception):
    """The caller hung up before the body was complete; nobody is left to answer."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow a body may come: for grace_s seconds as it likes, from then on bytes_a_s for every second more."""

    grace_s: float
    bytes_a_s: float


async def read(receive: Receive, scope: Scope, limit: int, within_s: float = READ_S, pace: Pace | None = None) -> bytes:
    """The whole body. TooLarge before more than limit bytes are held, TooSlow after within_s seconds or when it falls behind pace."""
    declared_size(scope, limit)
    began = asyncio.get_running_loop().time()
    allowed_s = within_s

    def allow(held: int) -> float:
        """Until when the body may take, by the loop's clock, with so many bytes of it here."""
        nonlocal allowed_s
        if pace is not None:
            allowed_s = min(within_s, pace.grace_s + held / pace.bytes_a_s)
        return began + allowed_s

    try:
        async with asyncio.timeout_at(allow(0)) as patience:
            return await _chunks(receive, limit, lambda held: patience.reschedule(allow(held)))
    except TimeoutError:
        raise TooSlow("the body took too long", [Finding(TooSlow.code, expected=f"{allowed_s:.3g} s")]) from None


def declared_size(scope: Scope, limit: int) -> int:
    """What Content-Length says, 0 where it says nothing. TooLarge where that is more than limit."""
    declared: bytes = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    # Bytes are digits in ASCII alone. int() refuses very long texts, and a size of more than 20 digits is none.
    if not declared.isdigit():
        return 0
    if len(declared) > 20 or int(declared) > limit:
        raise too_large(declared[:20].decode(), limit)
    return int(declared)


async def parts(receive: Receive, limit: int, pace: Pace, size: int) -> AsyncIterator[bytes]:
    """A body in parts of about size bytes, as it comes; what takes the parts may take its time.

    TooLarge before more than limit bytes are given, TooSlow when it falls behind pace, Gone when the caller is.
    """
    clock = asyncio.get_running_loop().time
    held, came, waited_s, more = bytearray(), 0, 0.0, True
    while more:
        allowed_s = pace.grace_s + came / pace.bytes_a_s
        began = clock()
        try:
            async with asyncio.timeout(allowed_s - waited_s):
                message = await receive()
        except TimeoutError:
            raise TooSlow("the body took too long", [Finding(TooSlow.code, expected=f"{allowed_s:.3g} s")]) from None
        waited_s += clock() - began
        if message["type"] == "http.disconnect":
            raise Gone
        held += message.get("body", b"")
        came += len(message.get("body", b""))
        more = message.get("more_body", False)
        if came > limit:
            raise too_large(str(came), limit)
        if held and (len(held) >= size or not more):
            yield bytes(held)
            held.clear()


async def pass_over(receive: Receive, most: int, within_s: float) -> None:
    """Read so much of a refused body and forget it.

    A connection that is closed while bytes of it are still unread is reset, and the refusal itself is lost on its way.
    """
    came, more = 0, True
    try:
        async with asyncio.timeout(within_s):
            while more and came < most:
                message = await receive()
                came += len(message.get("body", b""))
                more = message.get("more_body", False)
    except TimeoutError:
        return


async def _chunks(receive: Receive, limit: int, came: Callable[[int], None]) -> bytes:
    """The body, put together. came: is told after each part how many bytes there are."""
    message: Message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    if not message.get("more_body", False) and len(message.get("body", b"")) <= limit:
        return bytes(message.get("body", b""))
    held = bytearray()
    while True:
        held += message.get("body", b"")
        if len(held) > limit:
            raise too_large(str(len(held)), limit)
        if not message.get("more_body", False):
            return bytes(held)
        came(len(held))
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone


def require_media_type(scope: Scope, *taken: str) -> str:
    """The media type of the body, without its parameters. UnsupportedMediaType where it is none of those taken."""
    said = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    # RFC 9110 section 8.3.1: names are written in either case.
    found: str = said.decode("latin-1").partition(";")[0].strip().lower()
    if found not in taken:
        finding = Finding(UnsupportedMediaType.code, found=found[:80] or "-", expected=", ".join(taken))
        raise UnsupportedMediaType("not a media type of this operation", [finding])
    return found


def too_large(found: str, limit: int) -> TooLarge:
    return TooLarge(
        "the body is too large", [Finding(TooLarge.code, found=f"{found} bytes", expected=f"{limit} bytes")]
    )


# Every escape of a JSON text, one after the other; group 1 where it is a control character other than tab, line feed and carriage
# return. No partner's message can hold one, and JSON must write it so.
ESCAPES = re.compile(rb"\\(?:(u00(?:0[0-8bcefBCEF]|1[0-9a-fA-F])|[bf])|.)", re.DOTALL)


def parse(body: bytes) -> Any:
    """The JSON value of a body. NotWellFormed says what and where, and names every doubled member."""
    if not body:
        raise _refused("api.body.empty")
    plain = _plain(body)
    value = plain[0] if plain else _explained(body)
    if b"\\" in body and any(found[1] for found in ESCAPES.finditer(body)):
        raise _refused("api.body.control_character")
    return value


def _plain(body: bytes) -> tuple[Any] | None:
    """The value of a body that nothing speaks against, in a fraction of the time; None where the slow reader has to look.

    orjson keeps the last of two members of one name. Written back, such a value has fewer quotation marks than the body, since none
    of those in the body stands inside of a text. (Of numbers, which no document has, it may take a very long integer for a float.)
    """
    if b'\\"' in body or b"\\u0022" in body:
        return None
    try:
        value = orjson.loads(body)
        return (value,) if orjson.dumps(value).count(b'"') == body.count(b'"') else None
    except (ValueError, TypeError):
        return None


def _explained(body: bytes) -> Any:
    """The value, or every reason why there is none."""
    members = _Members()
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=members, parse_constant=_no_number, parse_float=_finite
        )
        # What orjson cannot write back (a lone surrogate, 65-bit integers, 255 levels) could not be stored either.
        orjson.dumps(value)
    except json.JSONDecodeError as problem:
        raise _not_json(f"line {problem.lineno} column {problem.colno}", problem.msg) from None
    except UnicodeDecodeError as problem:
        raise _not_json(f"byte {problem.start}", "UTF-8") from None
    except RecursionError:
        raise _refused("api.body.too_deep") from None
    except ValueError as problem:
        raise _not_json(str(problem)[:80], "RFC 8259") from None
    except TypeError as problem:
        deep = "Recursion" in str(problem)
        raise _refused("api.body.too_deep" if deep else "api.body.unusable", str(problem)[:80]) from None
    if members.doubled:
        names = list(dict.fromkeys(members.doubled))[:MOST_FINDINGS]
        findings = [Finding("api.body.doubled_name", found=name[:80]) for name in names]
        raise NotWellFormed("a member is named twice", findings, code="api.body.doubled_name")
    return value


class _Members:
    """Makes an object of its members and remembers the names that came twice."""

    def __init__(self) -> None:
        self.doubled: list[str] = []

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            self.doubled += [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
        return members


def _no_number(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is out of range")
    return number


def _not_json(found: str, expected: str) -> NotWellFormed:
    return _refused("api.body.not_json", found, expected)


def _refused(code: str, found: str | None = None, expected: str | None = None) -> NotWellFormed:
    return NotWellFormed(code, [Finding(code, found=found, expected=expected)], code=code)


def check(value: Any, schema: Any) -> None:
    """SchemaBroken with every place where value breaks a compiled schema of the contract."""
    faults = list(islice(schema.iter_errors(value), MOST_FINDINGS))
    if faults:
        raise SchemaBroken("the body breaks its schema", [_fault(fault) for fault in faults])


def _fault(fault: Any) -> Finding:
    pointer = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in fault.instance_path)
    return Finding("api.body.schema", pointer=pointer, expected=fault.message[:200])
