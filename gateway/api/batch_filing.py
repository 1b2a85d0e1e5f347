"""Filing many documents in one request: newline-delimited JSON in, one answer for each line out, both as they come.

Rule 1: a line stands for itself. It is filed as a request of its own would be; one that is wrong spoils no other.
Rule 2: answers come in the order of the lines, while further lines are still read.
Rule 3: little is held. Lines are taken in groups, a few groups are under way, and whoever does not read his answers is not read
        either; so a client has to read while it writes.
Rule 4: when the caller hangs up, what is under way is finished, an unfinished line is dropped, and the rest is not begun.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import orjson
from starlette.types import Message, Receive, Send

from gateway.api import bodies, problems
from gateway.api.answers import HEADERS
from gateway.api.declarations import KIND
from gateway.api.filing import Filing, Filings
from gateway.api.intake import Intake, Outcome, Wanted
from gateway.api.native import Asked
from gateway.api.parts import Parts
from gateway.api.security import Caller, require_filer
from gateway.errors import Finding, SchemaBroken
from gateway.pipeline.submission import Accepted, canonical_bytes
from gateway.ports import Json

MEDIA_TYPE = "application/x-ndjson"
# The word of a line -> the kind of document.
KINDS = {
    "declaration": KIND,
    "amendment": "declaration_amendment",
    "cancellation": "declaration_cancellation",
    "presentation": "goods_presentation",
}
# Lines that are answered together. A few groups are under way, so a single filing waits for less than a tenth of a second.
MOST_TOGETHER = 32
# How long nothing may come, and how long an answer may lie unread.
IDLE_S = 120.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line. number: counted from 1, empty ones too; data: None where it is longer than is read."""

    number: int
    size: int
    data: bytes | None


class Lines:
    """Cuts a body into lines as it comes, without ever holding more of one than limit bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._size = self._number = 0

    def of(self, part: bytes) -> Iterator[Line]:
        """The lines that end within this part. Empty ones are passed over."""
        *ended, rest = part.split(b"\n")
        for piece in ended:
            self._hold(piece)
            yield from self.last()
        self._hold(rest)

    def last(self) -> Iterator[Line]:
        """The line that ends here, where there is one."""
        data, size = bytes(self._held), self._size
        self._held.clear()
        self._size = 0
        self._number += 1
        if size > self._limit:
            yield Line(self._number, size, None)
        elif data.strip():
            yield Line(self._number, size, data)

    def _hold(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            self._held.clear()
        else:
            self._held += piece


@dataclass(frozen=True, slots=True)
class _Read:
    """What a line asks for, or why it cannot be read."""

    line: Line
    key: str = ""
    filing: Filing | None = None
    refusal: BaseException | None = None


class BatchFiling:
    """The operation that files many. schema: what a line looks like, as the contract has it."""

    def __init__(self, parts: Parts, filings: Filings, intake: Intake, schema: Json) -> None:
        self._parts = parts
        self._filings = filings
        self._intake = intake
        self._schema = jsonschema_rs.Draft4Validator(schema)
        self._limit = parts.settings.body_limit_bytes

    async def file(self, asked: Asked, send: Send) -> None:
        """Answer each line. Forbidden and UnsupportedMediaType before the first; from there on a line tells its own problem."""
        caller = asked.filer
        require_filer(caller)
        bodies.require_media_type(asked.scope, MEDIA_TYPE)
        answers: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue(maxsize=1)
        await send(_start(asked.lang))
        reading = asyncio.create_task(self._read(asked.receive, caller, asked.lang, answers))
        try:
            while (answer := await answers.get()) is not None:
                await _told(send, await answer)
            await reading
        finally:
            reading.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _read(
        self, receive: Receive, caller: Caller, lang: str, answers: asyncio.Queue[asyncio.Task[bytes] | None]
    ) -> None:
        """Begin what comes, group by group; the queue holds the reading back. Gone when the caller is."""
        lines = Lines(self._limit)
        try:
            more = True
            while more:
                message = await _patiently(receive)
                more = message.get("more_body", False)
                found = list(lines.of(message.get("body", b"")))
                if not more:
                    found += lines.last()
                for first in range(0, len(found), MOST_TOGETHER):
                    read = [self._line(line, caller) for line in found[first : first + MOST_TOGETHER]]
                    await answers.put(asyncio.create_task(self._answered(read, lang)))
        finally:
            await answers.put(None)

    def _line(self, line: Line, caller: Caller) -> _Read:
        if line.data is None:
            return _Read(line, refusal=bodies.too_large(str(line.size), self._limit))
        try:
            value = bodies.parse(line.data)
            bodies.check(value, self._schema)
            filing = _filing(value, caller)
        except Exception as problem:  # noqa: BLE001 - the answer to this line tells it
            return _Read(line, refusal=problem)
        return _Read(line, value.get("idempotency_key", ""), filing)

    async def _answered(self, read: Sequence[_Read], lang: str) -> bytes:
        """The answers to a group of lines."""
        wanted = [
            Wanted(one.filing.submission(one.key), one.line.size, one.filing.dry_run)
            for one in read
            if one.filing is not None
        ]
        outcomes = iter(await self._intake.each(wanted))
        said = [self._said(one, one.refusal or next(outcomes), lang) for one in read]
        return b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in said)

    def _said(self, read: _Read, outcome: Outcome | BaseException, lang: str) -> Json:
        said: Json = {"line": read.line.number}
        if read.key:
            said["idempotency_key"] = read.key
        if isinstance(outcome, BaseException):
            problem = problems.of(outcome, self._parts.texts, lang)
            return said | {"status": problem.status, "problem": orjson.Fragment(problem.body)}
        assert read.filing is not None
        if isinstance(outcome, Accepted):
            if outcome.repeated:
                said["replayed"] = True
            return said | {"status": 202} | self._filings.accepted(read.filing.kind, outcome, lang)
        return said | {"status": 200} | self._filings.rehearsed(outcome, lang)


def _filing(value: Json, caller: Caller) -> Filing:
    kind, root_id = KINDS[value.get("kind", "declaration")], value.get("declaration_id", "")
    if kind != KIND and not root_id:
        finding = Finding("api.batch.declaration", pointer="/declaration_id", found=value["kind"])
        raise SchemaBroken("a request speaks of a declaration", [finding], code=finding.code)
    document = value["document"]
    # A line has more than the document in it, so what an Idempotency-Key is bound to is the document as it is stored.
    raw = canonical_bytes(document) if "idempotency_key" in value else b""
    return Filing(kind, document, raw, caller, value.get("dry_run", False), root_id, value.get("waits_for", ""))


async def _patiently(receive: Receive) -> Message:
    try:
        async with asyncio.timeout(IDLE_S):
            message = await receive()
    except TimeoutError:
        raise bodies.Gone from None
    if message["type"] == "http.disconnect":
        raise bodies.Gone
    return message


async def _told(send: Send, body: bytes) -> None:
    """Gone where nobody reads it."""
    try:
        async with asyncio.timeout(IDLE_S):
            await send({"type": "http.response.body", "body": body, "more_body": True})
    except TimeoutError:
        raise bodies.Gone from None


def _start(lang: str) -> Any:
    said = {"Content-Type": MEDIA_TYPE, **HEADERS, "Content-Language": lang}
    lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in said.items()]
    return {"type": "http.response.start", "status": 200, "headers": lines}
