"""The row of batches: declarations that are filed as lines of one request, durable, by every serving process at once."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.load import MARK
from bench.measure import Measure, Row
from bench.service import FOLDER, filed_with, gateway, loaded

BUDGET = 2000.0  # declarations a second, on two processors
STREAMS = 4  # so that each serving process has some
PATH = "/v1/declarations:batch"
WARM = 400


def rows(count: int) -> dict[str, Measure]:
    """Rows by name, to be run one after the other."""
    return {"accept_batch": lambda: accept_batch(count)}


def accept_batch(count: int) -> Row:
    """Lines in, 202 for each out, with nobody working the lanes."""
    home, scenario, processes = gateway()
    try:
        document = filed_with(scenario, FOLDER)
        loaded(scenario, home, "bench.batch", PATH, STREAMS, WARM, document)
        result = loaded(scenario, home, "bench.batch", PATH, STREAMS, count, document)
    finally:
        processes.stop()
    value = count / result["seconds"]
    return Row("accept_batch", value, "1/s", BUDGET, value / BUDGET, None, None, None)


async def _stream(url: str, key: str, line: bytes, references: range, statuses: Counter[int]) -> None:
    """Send one batch and read its answers at the same time."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.hostname}\r\nX-API-Key: {key}\r\n"
        f"Content-Type: application/x-ndjson\r\nContent-Length: {len(line) * len(references)}\r\n\r\n"
    )
    writer.write(head.encode())
    reading = asyncio.create_task(_answers(reader, len(references), statuses))
    for reference in references:
        writer.write(line.replace(MARK, f"BENCH{reference:013d}".encode()))
        await writer.drain()
    await reading
    writer.close()


async def _answers(reader: asyncio.StreamReader, count: int, statuses: Counter[int]) -> None:
    await reader.readuntil(b"\r\n\r\n")
    told, held = 0, b""
    while told < count:
        size = int(await reader.readline(), 16)
        held += await reader.readexactly(size)
        await reader.readline()
        *ended, held = held.split(b"\n")
        statuses.update(json.loads(line)["status"] for line in ended)
        told += len(ended)


async def _load(url: str, key: str, document: dict[str, Any], streams: int, count: int, first: int) -> dict[str, Any]:
    document["functional_reference_id"] = MARK.decode()
    line = json.dumps({"document": document}, ensure_ascii=False).encode() + b"\n"
    statuses: Counter[int] = Counter()
    shares = [range(first + number, first + count, streams) for number in range(streams)]
    begin = time.perf_counter()
    await asyncio.gather(*(_stream(url, key, line, share, statuses) for share in shares))
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "statuses": {str(status): number for status, number in statuses.items()}}


def main() -> None:
    """``python -m bench.batch URL KEY FILE STREAMS COUNT FIRST``, as bench.load is called."""
    url, key, file, streams, count, first = sys.argv[1:7]
    document = json.loads(Path(file).read_text(encoding="utf-8"))
    print(json.dumps(asyncio.run(_load(url, key, document, int(streams), int(count), int(first)))))


if __name__ == "__main__":
    main()
