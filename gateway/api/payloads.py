"""Attachments: contracts, invoices, packing lists, proofs, of any size up to a setting, streamed both ways in bounded memory.

Rule 1: what is kept is whole: its digest is taken while it comes, held against what the caller says, and is its name from then on.
Rule 2: the same bytes are stored once, whoever brings them; who may know of them is a row of each tenant.
Rule 3: what is refused is refused as early as can be: by its declared size, its type, its first bytes, the tenant's quota.
Rule 4: what is given out is measured again; the last part of a file that was changed is held back and the connection ended.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, TypeVar

from starlette.types import Send

from gateway.api import bodies
from gateway.api.answers import HEADERS, disposition, send_answer
from gateway.api.attachments import HEAD_BYTES, MEDIA_TYPES, found_type, is_what_it_says
from gateway.api.native import Asked
from gateway.api.parts import Parts
from gateway.api.problems import BadRequest
from gateway.api.ranges import Span, asked_span
from gateway.api.security import require_filer
from gateway.api.views import set_only
from gateway.errors import Finding, NeedsOperator, NotFound, Rejected
from gateway.ids import to_text
from gateway.ports import IncomingPayload, Json, UploadRow, Writing

T = TypeVar("T")

PART_BYTES = 1024 * 1024
OUT_BYTES = 256 * 1024
# A body that dawdles holds a place; a caller who does not read holds a file.
PACE = bodies.Pace(grace_s=30, bytes_a_s=8_000)
UNREAD_S = 60.0
# Of what is too large so much is still read, so that the caller gets to read why.
PASSED_OVER_BYTES, PASSED_OVER_S = 16 * 1024 * 1024, 5.0
# RFC 9530 section 2 and 3; section 7 for the field that came before them (RFC 3230).
_FIELDS = ("repr-digest", "content-digest", "digest")
_SHA256 = re.compile(r"(?:^|,)\s*sha-256=:?([A-Za-z0-9+/]{43}=):?\s*(?:,|$)", re.IGNORECASE)


class QuotaReached(bodies.TooLarge):
    """The tenant's attachments would come to more than it may keep."""

    code = "api.payload.quota"


@dataclass(frozen=True, slots=True)
class _Told:
    """What a caller says of an upload. digest: "" where it says none."""

    tenant: str
    media_type: str
    name: str
    digest: str
    declared: int


class Payloads:
    """The operations of attachments."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._limit = parts.settings.payload_limit_bytes
        self._quota = parts.settings.payload_quota_bytes
        self._disk = ThreadPoolExecutor(max_workers=4, thread_name_prefix="payload")
        self._under_way: Counter[str] = Counter()
        self._keeping = threading.Lock()

    def close(self) -> None:
        """Finish what is being written."""
        self._disk.shutdown(wait=True)

    async def put(self, asked: Asked, send: Send) -> None:
        """Take an attachment: 201 with where it is, 200 where this tenant brought the same bytes before."""
        try:
            upload, is_new = await self._taken(asked)
        except bodies.TooLarge:
            await bodies.pass_over(asked.receive, PASSED_OVER_BYTES, PASSED_OVER_S)
            raise
        body = _shown(upload)
        await send_answer(send, 201 if is_new else 200, body, asked.lang, {"Location": body["links"]["self"]})

    async def _taken(self, asked: Asked) -> tuple[UploadRow, bool]:
        """What was uploaded, and whether it is new to its tenant."""
        caller = asked.filer
        require_filer(caller)
        told = _Told(
            caller.tenant,
            bodies.require_media_type(asked.scope, *MEDIA_TYPES),
            str(asked.values.get("name", "")),
            _said_digest(asked),
            bodies.declared_size(asked.scope, self._limit),
        )
        stored = await self._on_disk(self._uploaded_bytes, told.tenant)
        self._within_quota(told.tenant, stored, told.declared)
        incoming = await self._on_disk(self._parts.store.incoming)
        came = 0
        try:
            async for part in bodies.parts(asked.receive, self._limit, PACE, PART_BYTES):
                if not came and not is_what_it_says(told.media_type, part[:HEAD_BYTES]):
                    raise _lies(told.media_type, part[:HEAD_BYTES])
                came += len(part)
                self._under_way[told.tenant] += len(part)
                self._within_quota(told.tenant, stored, 0)
                await self._on_disk(incoming.write, part)
            if not came:
                raise BadRequest("nothing was uploaded", [Finding("api.body.empty")], code="api.body.empty")
            if told.digest and told.digest != incoming.digest:
                finding = Finding("api.payload.digest", found=incoming.digest, expected=told.digest)
                raise Rejected("not the bytes that were meant", [finding], code=finding.code)
            return await self._on_disk(self._keep, incoming, told, came)
        finally:
            self._under_way[told.tenant] -= came
            # The one who asked may be gone; what was half written is not to stay for that.
            await asyncio.shield(self._on_disk(incoming.discard))

    async def get(self, asked: Asked, send: Send) -> None:
        """Give out an attachment, or a range of it; for HEAD only what it is."""
        caller, digest = asked.filer, str(asked.values["digest"])
        upload = await self._on_disk(self._upload, caller.scope, digest)
        if upload is None:
            raise NotFound("no such payload for this caller")
        tag = f'"{digest}"'
        headers = {
            "Content-Type": upload.media_type,
            **HEADERS,
            "Cache-Control": "private, no-cache",
            "ETag": tag,
            "Accept-Ranges": "bytes",
            "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(digest.partition(':')[2])).decode()}:",
            "Content-Disposition": disposition(upload.name or digest.partition(":")[2]),
            "Content-Security-Policy": "sandbox; default-src 'none'",
        }
        if tag in asked.header("if-none-match").split(", ") or asked.header("if-none-match") == "*":
            await _head(send, 304, headers)
            await send({"type": "http.response.body", "body": b""})
            return
        condition = asked.header("if-range")
        span = asked_span(asked.header("range") if condition in ("", tag) else "", upload.size)
        if span is None:
            await _head(send, 416, headers | {"Content-Range": f"bytes */{upload.size}", "Content-Length": "0"})
            await send({"type": "http.response.body", "body": b""})
            return
        headers["Content-Length"] = str(span.size)
        if span.is_part:
            headers["Content-Range"] = f"bytes {span.first}-{span.last}/{upload.size}"
        file = None if asked.scope["method"] == "HEAD" else await self._on_disk(self._parts.store.open_payload, digest)
        await _head(send, 206 if span.is_part else 200, headers)
        if file is None:
            await send({"type": "http.response.body", "body": b""})
            return
        try:
            await self._give(send, file, span, digest)
        finally:
            await asyncio.shield(self._on_disk(file.close))

    async def _give(self, send: Send, file: BinaryIO, span: Span, digest: str) -> None:
        measured = hashlib.sha256()
        await self._on_disk(file.seek, span.first)
        left = span.size
        while left:
            part = await self._on_disk(file.read, min(OUT_BYTES, left))
            left -= len(part)
            if not span.is_part:
                await self._on_disk(measured.update, part)
            if not part or (not left and not span.is_part and measured.hexdigest() != digest.partition(":")[2]):
                raise NeedsOperator(
                    f"the payload {digest} was changed", [Finding("storage.payload.damaged", expected=digest)]
                )
            try:
                async with asyncio.timeout(UNREAD_S):
                    await send({"type": "http.response.body", "body": part, "more_body": left > 0})
            except TimeoutError:
                raise bodies.Gone from None

    def _keep(self, incoming: IncomingPayload, told: _Told, size: int) -> tuple[UploadRow, bool]:
        """Store what came whole; whether it is new to this tenant. One after the other, so that a quota is counted once for each.

        Of several serving processes each may go beyond a quota by one file.
        """
        with self._keeping:
            return self._kept(incoming, told, size)

    def _kept(self, incoming: IncomingPayload, told: _Told, size: int) -> tuple[UploadRow, bool]:
        digest, store = incoming.digest, self._parts.store
        known = self._upload(told.tenant, digest)
        if known is not None:
            return known, False
        # Others of this tenant may have been kept meanwhile; what came here is not yet among them.
        if self._uploaded_bytes(told.tenant) + size > self._quota:
            raise self._too_much()
        data = incoming.keep()
        row = UploadRow(told.tenant, digest, told.media_type, size, told.name, self._parts.clock())

        def unit(writing: Writing) -> tuple[UploadRow, bool]:
            before = writing.upload(told.tenant, digest)
            if before is not None:
                return before, False
            if data is None:
                writing.name_payload(digest, told.media_type, size)
            else:
                writing.put_payload(data, told.media_type)
            writing.add_upload(row)
            return row, True

        return store.write(unit)

    def _upload(self, tenant: str | None, digest: str) -> UploadRow | None:
        with self._parts.store.read() as reading:
            return reading.upload(tenant, digest)

    def _uploaded_bytes(self, tenant: str) -> int:
        with self._parts.store.read() as reading:
            return reading.uploaded_bytes(tenant)

    def _within_quota(self, tenant: str, stored: int, more: int) -> None:
        if stored + self._under_way[tenant] + more > self._quota:
            raise self._too_much()

    def _too_much(self) -> QuotaReached:
        return QuotaReached("the quota is reached", [Finding(QuotaReached.code, expected=f"{self._quota} bytes")])

    async def _on_disk(self, do: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, do, *arguments)


def _shown(row: UploadRow) -> Json:
    return set_only(
        digest=row.digest,
        media_type=row.media_type,
        size=row.size,
        name=row.name,
        uploaded_at=to_text(row.created_us),
        links={"self": f"/v1/payloads/{row.digest}"},
    )


def _said_digest(asked: Asked) -> str:
    """The SHA-256 that a caller says his bytes have, "" where he says none. BadRequest where he says one that we cannot hold them
    against."""
    for field in _FIELDS:
        said = asked.header(field)
        if not said:
            continue
        match = _SHA256.search(said)
        if match is None:
            finding = Finding("api.payload.digest_field", found=said[:80], expected="sha-256=:...:")
            raise BadRequest(
                "a digest that cannot be read", [replace(finding, params={"name": field})], code=finding.code
            )
        return f"sha256:{base64.b64decode(match[1]).hex()}"
    return ""


def _lies(media_type: str, head: bytes) -> Rejected:
    finding = Finding("api.payload.type", found=found_type(head) or "-", expected=media_type)
    return Rejected("not what it says", [finding], code=finding.code)


async def _head(send: Send, status: int, headers: dict[str, str]) -> None:
    lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
