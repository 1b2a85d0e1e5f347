"""A load of HTTP posts over keep-alive connections, in a process of its own, so that it shares no interpreter with the server.

``python -m bench.load URL KEY FILE CONNECTIONS COUNT FIRST`` posts the document of FILE, each with a reference counted from FIRST, and
prints a JSON object: seconds, answers by status, and the times of all answers in milliseconds.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MARK = b"BENCHREFERENCE0000"


class Load:
    def __init__(self, url: str, key: str, body: bytes, first: int) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.path, self.key, self.body = parts.path, key, body
        self.times: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.numbers = itertools.count(first)

    async def run(self, connections: int, count: int) -> dict[str, Any]:
        remaining = iter(range(count))
        begin = time.perf_counter()
        await asyncio.gather(*(self._connection(remaining) for _ in range(connections)))
        return {
            "seconds": time.perf_counter() - begin,
            "statuses": {str(status): number for status, number in self.statuses.items()},
            "times_ms": [round(value * 1000, 3) for value in self.times],
        }

    async def _connection(self, remaining: Any) -> None:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        for _ in remaining:
            begin = time.perf_counter()
            writer.write(self._request())
            status = await self._answer(reader)
            self.times.append(time.perf_counter() - begin)
            self.statuses[status] += 1
        writer.close()

    def _request(self) -> bytes:
        body = self.body.replace(MARK, f"BENCH{next(self.numbers):013d}".encode())
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {self.host}\r\nX-API-Key: {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def _answer(self, reader: asyncio.StreamReader) -> int:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next(int(line.partition(":")[2]) for line in lines if line.startswith("content-length:"))
        await reader.readexactly(length)
        return int(head.split(b" ", 2)[1])


def main() -> None:
    url, key, file, connections, count, first = sys.argv[1:7]
    document = json.loads(Path(file).read_text(encoding="utf-8"))
    document["functional_reference_id"] = MARK.decode()
    body = json.dumps(document, ensure_ascii=False).encode()
    print(json.dumps(asyncio.run(Load(url, key, body, int(first)).run(int(connections), int(count)))))


if __name__ == "__main__":
    main()
