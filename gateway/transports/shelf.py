"""A folder of ours that files are moved into, one by one, for good.

It is held open: a link that somebody puts in its place later leads nothing elsewhere. A name that is taken is never overwritten.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
from pathlib import Path, PurePath

from gateway import ids

LONGEST_ENDING = 32  # bytes; a longer one says nothing about the kind of file


class Shelf:
    """ours: the folder lies in one that a partner writes to, so a link in its place is refused; else it is the operator's."""

    def __init__(self, folder: Path, *, ours: bool) -> None:
        self._folder = folder
        self._ours = ours
        self._handle: int | None = None
        self._lock = threading.Lock()  # readers share a shelf, and a number closed by one is soon another file's

    def open_file(self, name: str) -> int:
        """A file of this folder, made where it is missing, for locks. Raises OSError."""
        flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(name, flags, 0o600, dir_fd=self._open())

    def take(self, path: str, name: str) -> None:
        """Move a file here. Nothing happens when it is gone; OSError when it cannot be moved."""
        with self._lock:
            try:
                self._move(path, name)
            except FileNotFoundError:
                if not os.path.lexists(path):
                    return
                self.close()  # the folder itself is gone
                self._move(path, name)

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _open(self) -> int:
        if self._handle is None:
            # The parents of a partner's folder are the partner's: a share that is not mounted is not made here.
            self._folder.mkdir(parents=not self._ours, exist_ok=True)
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (os.O_NOFOLLOW if self._ours else 0)
            self._handle = os.open(self._folder, flags)
        return self._handle

    def _move(self, path: str, name: str) -> None:
        handle = self._open()
        target = self._free(name, handle)
        try:
            os.rename(path, target, dst_dir_fd=handle)
        except OSError as problem:
            if problem.errno != errno.EXDEV:
                raise
            self._copy(path, target, handle)

    def _free(self, name: str, handle: int) -> str:
        """The name, with the time before its ending where there is a file of that name, cut where this disk has shorter names."""
        most = os.fpathconf(handle, "PC_NAME_MAX")
        if len(os.fsencode(name)) <= most:
            try:
                os.stat(name, dir_fd=handle, follow_symlinks=False)
            except FileNotFoundError:
                return name
        ending = PurePath(name).suffix
        if len(os.fsencode(ending)) > LONGEST_ENDING:
            ending = ""
        stem, marked = name.removesuffix(ending), f".{ids.now_us()}{ending}"
        while len(os.fsencode(stem + marked)) > most:
            stem = stem[:-1]  # by characters, which are of different length
        return stem + marked

    def _copy(self, path: str, target: str, handle: int) -> None:
        """To another disk: whole or not at all, and only then is the first one taken away."""
        part = f".{ids.now_us()}.part"
        source = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(source, "rb") as reading:
            made = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o640, dir_fd=handle)
            with os.fdopen(made, "wb") as writing:
                shutil.copyfileobj(reading, writing)
                writing.flush()
                os.fsync(writing.fileno())
        os.rename(part, target, src_dir_fd=handle, dst_dir_fd=handle)
        Path(path).unlink()
