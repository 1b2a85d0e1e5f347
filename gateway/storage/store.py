"""The store: snapshots to read in, group commit to write in, and numbers given in blocks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypeVar

from gateway.ports import Reading, Writing
from gateway.storage import incoming
from gateway.storage.commits import GroupCommit
from gateway.storage.database import Database, telling
from gateway.storage.incoming import IncomingPayload
from gateway.storage.payloads import PayloadFolder
from gateway.storage.transactions import SqlReading

T = TypeVar("T")

# Numbers taken from the database at once. A process that ends leaves the rest of its block unused: gaps are allowed.
COUNTER_BLOCK = 500


class SqlStore:
    """Fulfils ports.Store on SQLite or PostgreSQL. Open it after a fork, or at least write nothing before it."""

    def __init__(self, url: str, folder: Path, *, payload_inline_bytes: int, commit_batch: int) -> None:
        self._database = Database(url)
        self._payloads = PayloadFolder(folder, payload_inline_bytes)
        self._commits = GroupCommit(self._database, self._payloads, commit_batch)
        incoming.sweep(self._payloads)
        self._blocks: dict[str, range] = {}
        self._blocks_gate = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Reading]:
        """Named queries in one snapshot, on a connection of its own."""
        connection, cursor = self._database.begin_reading()
        try:
            with telling():
                yield SqlReading(cursor, self._database.name, self._payloads)
                cursor.execute("COMMIT")
        finally:
            # What is left of a snapshot whose reader raised is rolled back by the pool.
            connection.close()

    def write(self, unit: Callable[[Writing], T]) -> T:
        """Run unit in a write transaction and return its result once it is on disk; see gateway.storage.commits."""
        result: T = self._commits.run(unit)
        return result

    def write_each(self, units: Sequence[Callable[[Writing], T]]) -> list[T | BaseException]:
        """Run each unit as write() does, all in one transaction: what it returned, or what it raised."""
        return [job.result if job.problem is None else job.problem for job in self._commits.run_each(units)]

    def tell_of_commits(self, heard: Callable[[], None]) -> None:
        """Call heard behind each commit of this process; it only takes note, since writers wait for it."""
        self._commits.heard = heard

    def reserve(self, counter: str) -> int:
        """The next number of a counter: unique among all processes, rising within this one."""
        with self._blocks_gate:
            block = self._blocks.get(counter)
            if not block:
                first = self.write(lambda writing: writing.reserve(counter, COUNTER_BLOCK))
                block = range(first, first + COUNTER_BLOCK)
            self._blocks[counter] = block[1:]
            return block[0]

    def incoming(self) -> IncomingPayload:
        """Takes a payload piece by piece. What killed processes left half written is swept on the way."""
        incoming.sweep(self._payloads)
        return IncomingPayload(self._payloads)

    def open_payload(self, digest: str) -> BinaryIO:
        """The stored bytes, to be read from any place, and not measured against the digest; raises as payload() does."""
        with self.read() as reading:
            small = reading.small_payload(digest)
        return BytesIO(small) if small is not None else self._payloads.open(digest)

    def close(self) -> None:
        """Finish queued writes and let go of every connection."""
        self._commits.close()
        self._database.close()
