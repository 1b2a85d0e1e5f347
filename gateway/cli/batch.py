"""``swgate submit --batch``: the lines of a file to a gateway, and its answers as they come, on one connection.

A gateway does not read on while its answers lie unread, so writing and reading go on side by side; that is why this speaks HTTP/1.1 by
itself (RFC 9112), over the streams of asyncio.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

PATH = "/v1/declarations:batch"
MEDIA_TYPE = "application/x-ndjson"
PART_BYTES = 65_536


class NoBatch(Exception):
    """The gateway refused the batch as a whole. status: of HTTP; body: the problem as it told it."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


async def file_lines(url: str, key: str, lang: str, file: Path, told: Callable[[dict[str, Any]], None]) -> None:
    """Send the file; told gets each answer. NoBatch, or OSError and its like (EOFError among them) when the connection ends early."""
    parts = urlsplit(url)
    secure = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure)
    writer.write(_head(parts, key, lang, file))
    sending = asyncio.create_task(_send(writer, file))
    try:
        async for line in _answers(reader):
            told(json.loads(line))
        await sending
    finally:
        sending.cancel()
        writer.close()


def _head(parts: SplitResult, key: str, lang: str, file: Path) -> bytes:
    return (
        f"POST {parts.path.rstrip('/')}{PATH} HTTP/1.1\r\nHost: {parts.hostname}\r\nX-API-Key: {key}\r\n"
        f"Content-Type: {MEDIA_TYPE}\r\nAccept-Language: {lang}\r\nContent-Length: {file.stat().st_size}\r\n\r\n"
    ).encode("latin-1")


async def _send(writer: asyncio.StreamWriter, file: Path) -> None:
    with file.open("rb") as lines:
        while part := lines.read(PART_BYTES):
            writer.write(part)
            await writer.drain()


async def _answers(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The lines of the answer, whose body comes in chunks."""
    start, *fields = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    said = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    status = int(start.split(" ")[1])
    if status != 200:
        raise NoBatch(status, await reader.readexactly(int(said.get("content-length", "0"))))
    held = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        *ended, held = (held + await reader.readexactly(size)).split(b"\n")
        await reader.readexactly(2)
        for line in ended:
            yield line
