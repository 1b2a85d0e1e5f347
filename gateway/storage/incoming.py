"""A payload that comes in piece by piece, of any size: hashed as it is written, kept under its digest when it is whole.

A small one stays in memory. A larger one is a file of <folder>/incoming, locked for as long as its writer lives; so what a killed
process left there is known by its lock being free, and is swept by whoever comes next. Nothing looks at ages or process numbers.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import tempfile
from pathlib import Path

from gateway.errors import Finding, NeedsOperator
from gateway.storage.payloads import ALGORITHM, PayloadFolder, make_folder, sync_folder

PREFIX = ".incoming-"
# So much may wait to be written out. More would come at once with the last sync, and every commit of the database behind it.
UNSYNCED_BYTES = 16 * 1024 * 1024


class IncomingPayload:
    """Fulfils ports.IncomingPayload. For one thread at a time; keep() or discard() ends it."""

    def __init__(self, folder: PayloadFolder) -> None:
        self._folder = folder
        self._hash = hashlib.sha256()
        self._held = bytearray()
        self._file: int | None = None
        self._path: Path | None = None
        self._unsynced = 0
        self.size = 0

    @property
    def digest(self) -> str:
        """Of what came so far."""
        return f"{ALGORITHM}:{self._hash.hexdigest()}"

    def write(self, data: bytes) -> None:
        """NeedsOperator when the disk is full."""
        self._hash.update(data)
        self.size += len(data)
        if self._file is None:
            self._held += data
            if not self._folder.takes(self.size):
                return
            data = bytes(self._held)
            self._held.clear()
            self._file, self._path = _locked_file(self._folder.folder / "incoming")
        _write(self._file, data)
        self._unsynced += len(data)
        if self._unsynced > UNSYNCED_BYTES:
            os.fdatasync(self._file)
            self._unsynced = 0

    def keep(self) -> bytes | None:
        """All of it where it is small; None where it is on disk by now, under its digest and synced."""
        if self._file is None or self._path is None:
            return bytes(self._held)
        os.fsync(self._file)
        path = self._folder.path(self.digest)
        make_folder(path.parent)
        self._path.replace(path)
        sync_folder(path.parent)
        self._path = None
        self.discard()
        return None

    def discard(self) -> None:
        """Let go of what was not kept."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        if self._file is not None:
            os.close(self._file)
        self._file = self._path = None
        self._held.clear()


def sweep(folder: PayloadFolder) -> int:
    """Remove what was half written when its process was killed; how many files."""
    swept = 0
    for path in (folder.folder / "incoming").glob(f"{PREFIX}*"):
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
            swept += 1
        except BlockingIOError:
            continue
        finally:
            os.close(file)
    return swept


def _locked_file(folder: Path) -> tuple[int, Path]:
    """A new file that is ours. One that was swept between its making and its locking has no name any more: then another."""
    make_folder(folder)
    while True:
        file, name = tempfile.mkstemp(dir=folder, prefix=PREFIX)
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file).st_nlink:
            return file, Path(name)
        os.close(file)


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(file, rest) :]
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        finding = Finding("storage.payload.full")
        raise NeedsOperator("no space for payloads", [finding], code=finding.code) from None
