"""Payloads, stored by content: small ones in the table, larger ones as files.

A file is complete before the row that names it is committed: written under a temporary name, synced, renamed, and the
folder synced. A transaction that is undone may leave a file that no row names; the next of the same content replaces it.
What is read back is measured against its digest every time, wherever it lay.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from gateway.errors import Finding, NeedsOperator

ALGORITHM = "sha256"


def digest_of(data: bytes) -> str:
    """The tagged digest, ``sha256:<64 hex digits>``."""
    return f"{ALGORITHM}:{hashlib.sha256(data).hexdigest()}"


def verified(digest: str, data: bytes) -> bytes:
    """The data, when it is what the digest says; NeedsOperator when it is not."""
    found = digest_of(data)
    if found != digest:
        raise NeedsOperator(
            f"the payload {digest} was changed after it was stored",
            [Finding("storage.payload.damaged", found=found, expected=digest)],
        )
    return data


class PayloadFolder:
    """The files of payloads that are larger than inline_bytes: <folder>/ab/cd/<hex>."""

    __slots__ = ("folder", "inline_bytes")

    def __init__(self, folder: Path, inline_bytes: int) -> None:
        self.folder = folder
        self.inline_bytes = inline_bytes

    def takes(self, size: int) -> bool:
        """Does a payload of this size go to disk?"""
        return size > self.inline_bytes

    def path(self, digest: str) -> Path:
        name = digest.partition(":")[2]
        return self.folder / name[:2] / name[2:4] / name

    def put(self, digest: str, data: bytes) -> None:
        """Returns when the file, its name and its folders are on disk."""
        path = self.path(digest)
        make_folder(path.parent)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)

    def get(self, digest: str) -> bytes:
        """The bytes of the file; NeedsOperator when it is gone."""
        with self.open(digest) as file:
            return file.read()

    def open(self, digest: str) -> BinaryIO:
        """The file, to be read; NeedsOperator when it is gone."""
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError:
            raise NeedsOperator(
                f"the file of payload {digest} is gone", [Finding("storage.payload.absent", expected=digest)]
            ) from None


def make_folder(folder: Path) -> None:
    """Make a folder and what is above it; each new name is synced, or a crash could lose the way to the file."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
