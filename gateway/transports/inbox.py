"""The InBox: which of its files are read, in what order, and where each goes afterwards.

Fresh files come first, oldest first. What could not be taken stands behind them and waits longer each time, so that neither
ten thousand bad files nor one that always fails keeps a good one from being read.
Rule 1: a file is read when it has been left alone for a while, is a plain file, and is not cut off in the middle. XML that
        stops before its root ends is looked at again until it has not changed for patience_s; only then is it handed over as it is.
Rule 2: a file that is confirmed goes to the archive. One that cannot be read is reported as such, and goes to `.aside` when the
        report is stored. One that is not confirmed stays. Nothing is deleted and nothing is overwritten.
Rule 3: no link is followed, neither in place of a file nor in place of a folder of ours.
Rule 4: of several processes one collects, held by a lock that dies with its process.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from gateway import ids
from gateway.errors import Finding, NotWellFormed, PartnerUnavailable
from gateway.ports import Incoming
from gateway.syntax.xml import parse
from gateway.transports.shelf import Shelf

LOG = logging.getLogger(__name__)
ARCHIVE, ASIDE = ".done", ".aside"
UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload")
SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.25, 60.0
CLOCK_AHEAD_S = 2.0  # a file from further in the future was stamped by another clock
LISTED_FOR_S = 1.0  # how old a list of the folder may be while there is something left on it
# Faults of our own house, which say nothing about the file.
OURS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)

_FIRST_TAG = re.compile(rb"<([^\s<>/!?][^\s<>/]*)")
# Markup begins it, or nothing does yet; in UTF-8 and the two UTF-16.
_MARKUP_FIRST = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<|\Z)|\xff\xfe(?:\s\0)*(?:<\0|\Z)|\xfe\xff(?:\0\s)*(?:\0<|\Z)")


class Waiting(NamedTuple):
    """A file that may be read; sorted, those that were tried before come last."""

    tried: bool
    mtime_ns: int
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Delay:
    """A file that could not be taken, and as what; it is no candidate before until. Times are those of time.time()."""

    since: float
    until: float
    tries: int
    size: int
    mtime_ns: int


class Inbox:
    """One InBox. collect() and what it yields belong to one poller and its readers."""

    def __init__(
        self, agreement_id: str, folder: Path, archive: Path | None, *, settle_s: float, patience_s: float, largest: int
    ) -> None:
        self._agreement_id = agreement_id
        self._folder = str(folder)
        self._archive = Shelf(folder / ARCHIVE if archive is None else archive, ours=archive is None)
        self._aside = Shelf(folder / ASIDE, ours=True)
        self._settle_s = settle_s
        self._patience_s = patience_s
        self._largest = largest
        self._lock: int | None = None
        self._delays: dict[str, Delay] = {}
        self._listed: deque[Waiting] = deque()
        self._list_again = 0.0

    def collect(self, limit: int) -> Iterator[tuple[Incoming, Callable[[], None]]]:
        """Answers that wait, each put away when it is confirmed. Empty while another process collects.

        Raises PartnerUnavailable when the folder is not there.
        """
        if not self._may_collect():
            return
        now = time.time()
        if not self._listed or not now < self._list_again:
            self._list(now)
        while limit > 0 and self._listed:
            found = self._taken(self._listed.popleft())
            if found is not None:
                limit -= 1
                yield found

    def close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        self._archive.close()
        self._aside.close()

    # Which files.

    def _list(self, now: float) -> None:
        """Look through the folder, with one stat a file; of a file that waits only its name is looked at."""
        known, self._delays = self._delays, {}
        try:
            with os.scandir(self._folder) as entries:
                found = [one for entry in entries if (one := self._candidate(entry, known, now)) is not None]
        except OSError as problem:
            self._delays = known
            raise unavailable(problem) from problem
        self._listed = deque(sorted(found))
        # A long folder takes long to look through: then it is done less often.
        ended = time.time()
        self._list_again = ended + max(LISTED_FOR_S, 10 * (ended - now))

    def _candidate(self, entry: os.DirEntry[str], known: dict[str, Delay], now: float) -> Waiting | None:
        name = entry.name
        if name[0] == "." or name.lower().endswith(UNFINISHED):
            return None
        delay = known.get(name)
        if delay is not None and now < delay.until:
            self._delays[name] = delay
            return None
        try:
            facts = entry.stat(follow_symlinks=False)
        except OSError:  # gone
            return None
        if not stat.S_ISREG(facts.st_mode):  # a link could point anywhere; the client writes files
            return None
        if delay is not None and (delay.size, delay.mtime_ns) != (facts.st_size, facts.st_mtime_ns):
            delay = None  # it has grown: a fresh file again
        waiting = Waiting(delay is not None, facts.st_mtime_ns, name, facts.st_size)
        if delay is not None:
            self._delays[name] = delay
        elif facts.st_mtime > now + CLOCK_AHEAD_S:
            self._later(waiting, now, max(self._settle_s, SHORTEST_WAIT_S))
            return None
        elif facts.st_mtime > now - self._settle_s:
            return None
        return waiting

    def _later(self, waiting: Waiting, now: float, first_s: float = SHORTEST_WAIT_S) -> Delay:
        """Not before a while: first_s, then three times as long each time."""
        known = self._delays.get(waiting.name)
        tries = known.tries + 1 if known is not None else 1
        wait_s = first_s if tries == 1 else min(LONGEST_WAIT_S, SHORTEST_WAIT_S * 3.0 ** min(tries - 2, 8))
        delay = Delay(known.since if known else now, now + wait_s, tries, waiting.size, waiting.mtime_ns)
        self._delays[waiting.name] = delay
        return delay

    # One file.

    def _taken(self, waiting: Waiting) -> tuple[Incoming, Callable[[], None]] | None:
        """The file and the call that puts it away; None when it is gone, or is to be looked at again later."""
        now = time.time()
        if waiting.size > self._largest:
            return self._unreadable(waiting, now, f"{waiting.size} bytes, more than the {self._largest} that are read")
        try:
            data = self._read(waiting)
        except FileNotFoundError:
            return None
        except OSError as problem:
            delay = self._later(waiting, now)
            if problem.errno in OURS or now - delay.since < self._patience_s:
                return None
            return self._unreadable(waiting, now, f"it cannot be opened: {problem.strerror}")
        if data is None:
            self._later(waiting, now)
            return None
        if is_cut_off(data) and now - self._later(waiting, now).since < self._patience_s:
            return None
        return self._offered(waiting, now, data, "", self._archive)

    def _read(self, waiting: Waiting) -> bytes | None:
        """The bytes, None when they are changing under our eyes."""
        handle = os.open(f"{self._folder}/{waiting.name}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            data = os.read(handle, waiting.size + 1)
            while len(data) < waiting.size and (more := os.read(handle, waiting.size - len(data))):
                data += more
            facts = os.fstat(handle)
        finally:
            os.close(handle)
        same = len(data) == facts.st_size == waiting.size and facts.st_mtime_ns == waiting.mtime_ns
        return data if same and stat.S_ISREG(facts.st_mode) else None

    def _unreadable(self, waiting: Waiting, now: float, why: str) -> tuple[Incoming, Callable[[], None]]:
        LOG.error("agreement %s: a file in the InBox is set aside: %s", self._agreement_id, why)
        return self._offered(waiting, now, b"", why, self._aside)

    def _offered(
        self, waiting: Waiting, now: float, data: bytes, unreadable: str, shelf: Shelf
    ) -> tuple[Incoming, Callable[[], None]]:
        """Handed over. Until it is confirmed it counts as not taken: it comes again, behind the others."""
        self._later(waiting, now, 0.0)
        shown = {"file-name": readable(waiting.name)}
        incoming = Incoming(self._agreement_id, reference(waiting.name), data, ids.now_us(), shown, unreadable)
        return incoming, partial(self._put_away, waiting.name, shelf)

    def _put_away(self, name: str, shelf: Shelf) -> None:
        """Move a stored answer out of the InBox."""
        try:
            shelf.take(f"{self._folder}/{name}", name)
        except OSError as problem:
            # It is stored, and comes again as a double: not before an hour, since nobody needs it.
            LOG.error(
                "agreement %s: a stored answer could not be put away: errno %s", self._agreement_id, problem.errno
            )
            delay = self._delays.get(name)
            if delay is not None:
                self._delays[name] = Delay(delay.since, time.time() + 3600, delay.tries, delay.size, delay.mtime_ns)
            return
        self._delays.pop(name, None)

    # One process.

    def _may_collect(self) -> bool:
        if self._lock is not None:
            return True
        try:
            handle = self._archive.open_file(".collecting")
        except OSError as problem:
            raise unavailable(problem) from problem
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._lock = handle
        return True


def is_cut_off(data: bytes) -> bool:
    """Whether an answer stops in the middle: nothing at all, or XML that does not end with its root.

    Nearly every whole message ends with the end tag of its first element; the others are parsed. Other formats count as whole.
    """
    if not _MARKUP_FIRST.match(data):
        return False
    first = _FIRST_TAG.search(data)
    if first is not None and data.rstrip().endswith(b"</" + first[1] + b">"):
        return False
    try:
        parse(data)
    except NotWellFormed as refusal:
        # A character cut in two is an error of encoding. Every other refusal will not change with what may follow.
        return refusal.code in ("syntax.xml.not_well_formed", "syntax.xml.encoding")
    return False


def reference(name: str) -> str:
    """A file name as text that can be stored, another one for each name: whatever is no printable UTF-8, and the backslash, is
    escaped byte by byte."""
    return "".join(
        one if one.isprintable() and one != "\\" else "".join(f"\\x{byte:02x}" for byte in os.fsencode(one))
        for one in name
    )


def readable(name: str) -> str:
    """A file name as people read it; two may read alike. Names in the code page of a Chinese Windows are read as such, controls escaped."""
    if name.isprintable():
        return name
    raw = os.fsencode(name)
    for encoding in ("utf-8", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)
    return raw.decode("utf-8", "backslashreplace")


def unavailable(problem: OSError) -> PartnerUnavailable:
    finding = Finding("transport.folder", found=problem.strerror, expected="a folder that can be read and written")
    return PartnerUnavailable(f"InBox: {problem.strerror}", [finding])
