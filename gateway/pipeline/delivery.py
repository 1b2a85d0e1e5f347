"""Reading a delivery: its signature checked, its bytes decoded, its answers made, all of it outside of any write.

Others wait for a write, and a fault of an adapter must not undo one. What a unit needs of a delivery and finds not yet worked out
(how an answer reads beside the document it speaks of, whether two deliveries say the same) it asks for by raising Wanted: the
unit is undone, that is worked out, and the unit runs again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import orjson

from gateway import ids
from gateway.agreements import Agreement, Directory
from gateway.errors import GatewayError, NeedsOperator, NotFound, Rejected, trace
from gateway.pipeline.submission import canonical_bytes
from gateway.ports import Adapter, Alias, DecodedDocument, Json, MessageSecurity, Reply, Store

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Part:
    """One document of a delivery as far as it could be read; refusal says why it could not.

    content and named: of a document that answers nothing, its canonical bytes and the ids that people hold for it.
    beside: its answers as they read beside a document of ours, by that document's digest.
    """

    decoded: DecodedDocument
    replies: list[Reply] = field(default_factory=list)
    content: bytes = b""
    named: tuple[Alias, ...] = ()
    beside: dict[str, list[Reply]] = field(default_factory=dict)
    refusal: Rejected | None = None


@dataclass(slots=True)
class Delivery:
    """A delivery as far as it could be read; refusal says why nothing of it could, fault that we are not ready to read it.

    parts: its documents, in their order. unread: places of it that are in no table.
    same_as: whether it says what another delivery of this digest says.
    """

    agreement: Agreement
    adapter: Adapter
    verified: bytes | None = None
    parts: list[Part] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    same_as: dict[str, bool] = field(default_factory=dict)
    refusal: GatewayError | None = None
    fault: NeedsOperator | None = None
    received_us: int = 0

    @property
    def aliases(self) -> list[Alias]:
        replies = (reply for part in self.parts for reply in part.replies)
        return list(dict.fromkeys(alias for reply in replies for alias in reply.aliases))


class Wanted(Exception):
    """A unit needs to know what nobody has worked out yet: work_out() does, once the unit is undone."""

    def __init__(self, work_out: Callable[[], None]) -> None:
        super().__init__()
        self.work_out = work_out


class Reader:
    """Reads deliveries of all agreements; safe to use from threads."""

    def __init__(
        self, store: Store, directory: Directory, adapters: Mapping[str, Adapter], security: MessageSecurity
    ) -> None:
        self._store = store
        self._directory = directory
        self._adapters = adapters
        self._security = security

    def read(self, agreement_id: str, data: bytes, received_us: int) -> Delivery:
        """What a delivery says. NotFound and NeedsOperator where it is for no agreement or adapter of ours; else its faults are in it."""
        agreement = self._directory.agreements.get(agreement_id)
        if agreement is None:
            raise NotFound(f"there is no agreement {agreement_id}", code="agreement.unknown")
        adapter = self._adapters.get(agreement.adapter)
        if adapter is None:
            raise NeedsOperator(f"agreement {agreement.id} names adapter {agreement.adapter}, which is not installed")
        read = Delivery(agreement, adapter, received_us=received_us)
        try:
            read.verified = self._security.verify(data, agreement)
            decoded = adapter.decode(read.verified, tolerant=agreement.reading == "tolerant", agreement=agreement)
            read.unread = [leaf.place for one in decoded.documents for leaf in one.report.unmapped]
            read.parts = [_part(adapter, one, received_us) for one in decoded.documents]
        except NeedsOperator as fault:
            read.fault = fault
        except Rejected as refusal:
            read.refusal = refusal
        except Exception as problem:  # noqa: BLE001 - a fault of an adapter must not lose what the partner said
            read.refusal = _fault_of_reading(problem)
        refused = [part.refusal for part in read.parts if part.refusal is not None]
        if refused and len(refused) == len(read.parts):
            findings = [finding for refusal in refused for finding in refusal.findings]
            read.refusal = Rejected(refused[0].detail, findings, code=refused[0].code)
        return read

    def signed_anew(self, read: Delivery, digest: str) -> bool:
        """Whether both say the same under signatures of their own, as those of a partner who signs at each try (ECDSA never signs alike)."""
        if read.verified is None:
            return False
        if digest not in read.same_as:
            raise Wanted(partial(self._compare, read, digest))
        return read.same_as[digest]

    def _compare(self, read: Delivery, digest: str) -> None:
        try:
            with self._store.read() as reading:
                first = reading.payload(digest)
            read.same_as[digest] = self._security.verify(first, read.agreement) == read.verified
        except GatewayError:
            read.same_as[digest] = False

    def beside(self, read: Delivery, part: Part, place: int, digest: str) -> Reply:
        """The same answer read beside the document it speaks of, so that its places become pointers into that document."""
        if digest not in part.beside:
            raise Wanted(partial(self._read_beside, read, part, digest))
        return part.beside[digest][place]

    def _read_beside(self, read: Delivery, part: Part, digest: str) -> None:
        with self._store.read() as reading:
            sent: Json = orjson.loads(reading.payload(digest))
        try:
            pointed = read.adapter.replies(part.decoded, received_us=read.received_us, sent=sent)
        except Exception as problem:  # noqa: BLE001 - the answer counts, also without its pointers
            LOG.error("an answer could be read alone, but not beside its document: %s", trace(problem))
            pointed = []
        part.beside[digest] = pointed if len(pointed) == len(part.replies) else part.replies


def _part(adapter: Adapter, decoded: DecodedDocument, received_us: int) -> Part:
    """What one document says; what is wrong with it is its own affair."""
    part = Part(decoded, refusal=decoded.refusal)
    if decoded.refusal is not None:
        return part
    try:
        replies = adapter.replies(decoded, received_us=received_us, sent=None)
        _check_storable(replies)
        if not replies:
            part.content = canonical_bytes(decoded.document)
            part.named = tuple(adapter.aliases(decoded.document))
        part.replies = replies
    except NeedsOperator:
        raise
    except Rejected as refusal:
        part.refusal = refusal
    except Exception as problem:  # noqa: BLE001 - a fault of an adapter must not lose what the partner said
        part.refusal = _fault_of_reading(problem)
    return part


def _fault_of_reading(problem: Exception) -> Rejected:
    LOG.error("a delivery could not be read: %s", trace(problem))
    return Rejected(f"{type(problem).__name__} while reading", code="receive.unreadable")


def _check_storable(replies: Sequence[Reply]) -> None:
    """Raises whatever shows that a reply cannot be stored, e.g. a time of issue beyond all calendars."""
    for reply in replies:
        ids.to_text(reply.issued_us)
        canonical_bytes(reply.document)
