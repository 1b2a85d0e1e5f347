"""A set of folders shared with a partner's client: OutBox, InBox, SentBox and FailBox below one root.

We write into OutBox, under a name that is fixed for the message's whole life; the client picks a file up, and moves it to
SentBox or FailBox by itself. Answers appear in InBox; inbox.py reads them, archives what we have stored and deletes nothing.
Rule 1: a file appears in OutBox whole or not at all: temporary name, fsync, link without overwriting, fsync of the folder.
Rule 2: before a file is written a second time, OutBox, SentBox and FailBox are looked at, in the order in which the client moves
        it, so that a file on its way cannot be missed; then InBox, where an answer may name it.
Rule 3: a name is a plain file name. Nothing that a partner or a document says chooses a folder.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from gateway.agreements import Agreement
from gateway.errors import Finding, NeedsOperator, OutcomeUnknown, PartnerUnavailable, Rejected
from gateway.ports import HandedOver, Incoming, Outgoing
from gateway.transports.inbox import Inbox

LOG = logging.getLogger(__name__)
LONGEST_NAME_BYTES = 200
# Names that Windows, where the client runs, gives to devices whatever their extension.
_RESERVED = re.compile(r"^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$", re.IGNORECASE)
_ANSWER_NAME = validate.Regexp(r"^[^/]*\{(name|stem)\}[^/]*$", error="a file name that says where ours stands")
_FOLDER_NAME = validate.Regexp(r"^[A-Za-z0-9_-]{1,64}$", error="a plain folder name")


class FolderSettings(Schema):
    """root: folder that holds the four. archive: where stored answers go, InBox/.done when empty. settle_s: how long an
    answer must have been left alone before it is read, for clients that write it in place. patience_s: how long an answer that is
    cut off, or cannot be opened, is looked at again before it is taken as it is. largest_bytes: of an answer. answer_names: what
    the partner calls its answers to our file {name}, or {stem} without the ending; ``*`` stands for any text."""

    class Meta:
        unknown = RAISE

    root = fields.Str(required=True)
    outbox = fields.Str(load_default="OutBox", validate=_FOLDER_NAME)
    inbox = fields.Str(load_default="InBox", validate=_FOLDER_NAME)
    sentbox = fields.Str(load_default="SentBox", validate=_FOLDER_NAME)
    failbox = fields.Str(load_default="FailBox", validate=_FOLDER_NAME)
    archive = fields.Str(load_default="")
    create = fields.Bool(load_default=False)
    settle_s = fields.Float(load_default=0.2, validate=validate.Range(min=0, max=60))
    patience_s = fields.Float(load_default=300.0, validate=validate.Range(min=0, max=86_400))
    answer_names = fields.List(fields.Str(validate=_ANSWER_NAME), load_default=list)
    largest_bytes = fields.Int(load_default=64 * 1024 * 1024, validate=validate.Range(min=1))


def make(agreement: Agreement, settings: Mapping[str, Any], home: Path) -> FolderTransport:
    return FolderTransport(agreement.id, home / settings["root"], settings, home)


class FolderTransport:
    """One folder set. send() and locate() belong to the lane, collect() to the poller; they share nothing but the disk."""

    def __init__(self, agreement_id: str, root: Path, settings: Mapping[str, Any], home: Path) -> None:
        self._outbox = root / settings["outbox"]
        self._inbox = root / settings["inbox"]
        self._kept = (self._outbox, root / settings["sentbox"], root / settings["failbox"])
        self._answer_names: list[str] = settings["answer_names"]
        self._answers = Inbox(
            agreement_id,
            self._inbox,
            home / settings["archive"] if settings["archive"] else None,
            settle_s=settings["settle_s"],
            patience_s=settings["patience_s"],
            largest=settings["largest_bytes"],
        )
        if settings["create"]:
            for folder in (*self._kept, self._inbox):
                folder.mkdir(parents=True, exist_ok=True)

    def send(self, outgoing: Outgoing) -> HandedOver:
        """Drop the file. PartnerUnavailable when the folder is missing or full, Rejected for a name that is no file name."""
        name = plain_name(outgoing.name)
        if outgoing.attempt > 1 and self.locate(outgoing):
            return HandedOver(f"{name} is there already")
        temporary = self._outbox / f".{name}.{outgoing.message_id}.tmp"
        try:
            _write(temporary, outgoing.data)
            self._show(temporary, name)
        except FileExistsError:
            return self._same_file(name, outgoing)
        except OSError as problem:
            raise PartnerUnavailable(f"OutBox: {problem.strerror}", _finding(problem, name)) from problem
        finally:
            _forget(temporary)
        try:
            _sync_folder(self._outbox)
        except OSError as problem:
            raise OutcomeUnknown(f"OutBox could not be synced: {problem.strerror}") from problem
        return HandedOver(f"written to OutBox as {name}")

    def _show(self, temporary: Path, name: str) -> None:
        """Give the finished file its name. A link, unlike a rename, never overwrites what is there."""
        try:
            os.link(temporary, self._outbox / name)
        except OSError as problem:
            if problem.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                raise
            # A share that knows no links: the name is this message's alone, so a look before the rename suffices.
            if (self._outbox / name).exists():
                raise FileExistsError(errno.EEXIST, "a file of this name is there") from None
            temporary.rename(self._outbox / name)

    def _same_file(self, name: str, outgoing: Outgoing) -> HandedOver:
        try:
            same = (self._outbox / name).read_bytes() == outgoing.data
        except FileNotFoundError:
            return HandedOver(f"{name} was there and has just been picked up")
        if same:
            return HandedOver(f"{name} is in OutBox already")
        raise NeedsOperator(f"OutBox holds another file called {name}", code="transport.name_taken")

    def locate(self, outgoing: Outgoing) -> bool | None:
        """Whether the file is in OutBox, SentBox or FailBox, or an answer in InBox names it. PartnerUnavailable without folders."""
        name = plain_name(outgoing.name)
        if not self._outbox.is_dir():
            raise PartnerUnavailable("the OutBox is not there", code="transport.folder_missing")
        # Twice, since a client that copies and then deletes shows the file nowhere for an instant.
        for pause_s in (0.0, 0.02):
            time.sleep(pause_s)
            if any((folder / name).exists() for folder in self._kept):
                return True
        try:
            with os.scandir(self._inbox) as entries:
                return any(map(self._names_of_answers(name).fullmatch, (entry.name for entry in entries)))
        except FileNotFoundError:
            return False

    def _names_of_answers(self, name: str) -> re.Pattern[str]:
        """What an answer to our file can be called: what the partner calls it, or the very same."""
        known = {"{name}": re.escape(name), "{stem}": re.escape(Path(name).stem), "*": ".*"}
        patterns = (
            re.sub(r"\{name\}|\{stem\}|.", lambda part: known.get(part[0], re.escape(part[0])), template)
            for template in ("{name}", *self._answer_names)
        )
        return re.compile("|".join(patterns), re.DOTALL)

    def collect(self, limit: int) -> Iterator[tuple[Incoming, Callable[[], None]]]:
        """Answers that wait, see inbox.py. PartnerUnavailable when the InBox is not there."""
        return self._answers.collect(limit)

    def close(self) -> None:
        self._answers.close()


def plain_name(name: str) -> str:
    """The name, when it is a plain file name on every system. Rejected when it is a path, a device, hidden or too long."""
    faults = (
        not name
        or name != name.strip()
        or name[0] == "."
        or name[-1] == "."
        or any(sign in '/\\:*?"<>|' or ord(sign) < 32 for sign in name)
        or len(name.encode()) > LONGEST_NAME_BYTES
        or _RESERVED.match(name)
    )
    if faults:
        finding = Finding("transport.name", found=repr(name[:80]), expected="a plain file name")
        raise Rejected("the message's name cannot be a file name", [finding], code=finding.code)
    return name


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, 0o640)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _forget(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        LOG.warning("a temporary file could not be removed: %s", temporary.name)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _finding(problem: OSError, name: str) -> list[Finding]:
    return [
        Finding("transport.folder", found=f"{name} {problem.strerror}".strip(), expected="a folder that can be written")
    ]
