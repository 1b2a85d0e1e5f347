"""Listeners to the stream of events, in a process of their own, so that they share no interpreter with the server.

``python -m bench.listeners URL KEY LISTENERS COUNT`` opens streams of accepted documents, prints a line when all of them are open, and when
each has heard of COUNT prints a JSON object: seconds from the first event to the last, and how late events came, in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import datetime
from urllib.parse import urlsplit

TYPE = "document:submission:accepted"
WITHIN_S = 120
SAMPLE = 25  # of so many events of a listener one is looked at, how late it came


class Listeners:
    def __init__(self, url: str, key: str, count: int) -> None:
        parts = urlsplit(url)
        self.host, self.port, self.key, self.count = parts.hostname or "127.0.0.1", parts.port or 80, key, count
        self.first, self.last = float("inf"), 0.0
        self.late_ms: list[float] = []

    async def run(self, many: int) -> None:
        streams = [await self._open() for _ in range(many)]
        print("open", flush=True)
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(*(self._hear(*stream) for stream in streams))
        print(json.dumps({"seconds": self.last - self.first, "late_ms": self.late_ms}))

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=1 << 20)
        head = f"GET /v1/events?after=now&types={TYPE} HTTP/1.1\r\nHost: {self.host}\r\nX-API-Key: {self.key}\r\n"
        writer.write(f"{head}Accept: text/event-stream\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        return reader, writer

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = 0
        while heard < self.count:
            line = await reader.readline()
            if line.startswith(b"data:"):
                if heard % SAMPLE == 0:
                    at = datetime.fromisoformat(json.loads(line[5:])["at"]).timestamp()
                    self.late_ms.append(round((time.time() - at) * 1000, 1))
                heard += 1
                self.first = min(self.first, time.perf_counter())
        self.last = max(self.last, time.perf_counter())
        writer.close()


def main() -> None:
    url, key, listeners, count = sys.argv[1:5]
    asyncio.run(Listeners(url, key, int(count)).run(int(listeners)))


if __name__ == "__main__":
    main()
