"""Where the rooms meet: the shapes that cross between pipeline, storage, transports, signing, engine and adapters.

Nothing here does anything. Storage, transports and adapters fulfil these protocols; the pipeline is written against them and
imports none of them; gateway.app puts concrete pieces together. Instants are microseconds since the epoch, UTC (gateway.ids).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeVar

from gateway.agreements import Agreement as Agreement  # noqa: PLC0414 - adapters name it, and do not see its room
from gateway.errors import Finding, Rejected
from gateway.events import EventType
from gateway.lifecycle import InboundStatus, Phase, Rest, Status
from gateway.mapping.report import DecodeReport, LossReport

if TYPE_CHECKING:
    from gateway.documents import Documents
    from gateway.syntax.registry import SchemaRegistry

T = TypeVar("T")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Alias:
    """An id that people or partners hold for a message: scheme is a name such as ``cn-seq-no``, ``container``, ``plate``."""

    scheme: str
    value: str


@dataclass(frozen=True, slots=True)
class EncodeContext:
    """Everything an encoder may know beyond the document; it opens nothing itself.

    reserve(name) gives the next number of a named counter, never the same twice, gaps allowed.
    known: aliases of the declaration that partners have told us so far (scheme -> value), e.g. the unified number that an
    amendment or a corrected declaration has to repeat. declaration: the one that a request speaks of, where it is at hand.
    message: which of several messages to write, "" where the document decides. as_received: write a document again that was
    read from the partner's own message, as its bag says and without numbers of ours. further: documents of the same kind that
    stand behind this one in one message, as they were read; Encoded.documents says whether they were written.
    """

    agreement: Agreement
    message_id: str
    now_us: int
    reserve: Callable[[str], int]
    kind: str = "declaration"
    phase: Phase = Phase.SINGLE
    round: int = 1
    known: Mapping[str, str] = field(default_factory=dict)
    declaration: Json | None = None
    message: str = ""
    as_received: bool = False
    further: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Encoded:
    """A partner message, not yet signed. name: the file name or message reference, fixed for the message's whole life.

    documents: how many documents the bytes hold.
    """

    data: bytes
    standard: str
    version: str
    message: str
    name: str
    media_type: str
    aliases: tuple[Alias, ...]
    report: LossReport
    documents: int = 1


@dataclass(frozen=True, slots=True)
class DecodedDocument:
    """One document of ours that a partner message holds. message: the partner's name of what it was read from.

    report: what became of its leaves; its places are those of the whole message. refusal: why a strict reading could not
    read it, while others of the same message could be; then the document is empty.
    """

    kind: str
    document: Json
    message: str
    report: DecodeReport
    refusal: Rejected | None = None


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a partner message says: the documents it holds, in their order, never none.

    kind, document and message are those of the first, which most messages have alone; report is that of the whole message.
    """

    documents: tuple[DecodedDocument, ...]

    @classmethod
    def alone(cls, kind: str, document: Json, message: str, report: DecodeReport) -> Decoded:
        """A message that holds one document."""
        return cls((DecodedDocument(kind, document, message, report),))

    @property
    def kind(self) -> str:
        return self.documents[0].kind

    @property
    def document(self) -> Json:
        return self.documents[0].document

    @property
    def message(self) -> str:
        return self.documents[0].message

    @property
    def report(self) -> DecodeReport:
        return DecodeReport.together([one.report for one in self.documents])


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of a partner, as the lifecycle and the correlation need it.

    aliases: every id it names, most telling first; correlation tries them in order. learned: ids that become aliases of the
    message once it is matched. receipt: it confirms (True) or denies (False) that this very message arrived and was
    taken by the technical front; None when it only speaks of the business. prerequisite: what must be there first.
    names_places: it speaks of places in the document, so it is read once more beside that, for their pointers.
    """

    document: Json
    function: str
    raw_code: str
    raw_text: str
    issued_us: int
    aliases: tuple[Alias, ...]
    learned: tuple[Alias, ...] = ()
    receipt: bool | None = None
    prerequisite: str = ""
    partner_message_id: str = ""
    names_places: bool = False


@dataclass(frozen=True, slots=True)
class AdapterKit:
    """What an adapter is made from: the canonical documents with their code lists, the schema registry, its own folder."""

    documents: Documents
    schemas: SchemaRegistry
    root: Path


class Adapter(Protocol):
    """One partner message family. Pure: no socket, file, clock or database. ADAPTER of its package makes one from a kit."""

    @property
    def id(self) -> str: ...
    @property
    def root(self) -> Path: ...

    def check(self, document: Json, context: EncodeContext) -> list[Finding]:
        """The partner's numbered rules that no schema can say."""
        ...

    def encode(self, document: Json, context: EncodeContext) -> Encoded:
        """Translate. Raises Rejected with all findings; never loses in silence (the report says what did not arrive)."""
        ...

    def decode(self, data: bytes, *, tolerant: bool, agreement: Agreement | None = None) -> Decoded:
        """Read any message of the family. Raises NotWellFormed or SchemaBroken; tolerant reads more and reports it.

        agreement: the one it came under, whose parameters may say how to read it; None at the command line.
        """
        ...

    def replies(self, decoded: DecodedDocument, *, received_us: int, sent: Json | None) -> list[Reply]:
        """The answers in a received document, [] where it answers nothing; sent is the document it speaks of where that is
        known already (for pointers).
        """
        ...

    def aliases(self, document: Json) -> Iterable[Alias]:
        """The ids that people hold for a document of ours: containers, plates, bills, contract, references."""
        ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Frozen bytes on their way. headers: what the adapter or the signing step wants on the wire beside the bytes.

    traceparent: of this sending; the partner hears it only where the agreement says so.
    """

    message_id: str
    name: str
    data: bytes
    media_type: str
    attempt: int
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The partner's front took the bytes. note: what a person wants to read (file name, HTTP status, conversation id)."""

    note: str
    aliases: tuple[Alias, ...] = ()
    immediate_reply: bytes | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """Bytes a partner gave us. reference: the partner's id of this delivery (file name, message id), for finding doubles.

    unreadable: why there are no bytes, e.g. a file that cannot be opened; it is recorded as a refused delivery.
    traceparent: of our own work that took it.
    """

    agreement_id: str
    reference: str
    data: bytes
    received_us: int
    headers: Mapping[str, str] = field(default_factory=dict)
    unreadable: str = ""
    traceparent: str = ""


class Transport(Protocol):
    """Moves bytes, knows no document. One instance an agreement; used by one lane at a time."""

    def send(self, outgoing: Outgoing) -> HandedOver:
        """Raises PartnerUnavailable when nothing can have arrived, OutcomeUnknown when something may have."""
        ...

    def locate(self, outgoing: Outgoing) -> bool | None:
        """Does the partner have it? True, False, or None when this transport cannot tell."""
        ...

    def collect(self, limit: int) -> Iterator[tuple[Incoming, Callable[[], None]]]:
        """What waits to be read, with a call that confirms it once it is stored. Empty for transports that are called."""
        ...

    def close(self) -> None: ...


class MessageSecurity(Protocol):
    """Signs what leaves and verifies what comes, as the agreement says."""

    def protect(self, data: bytes, agreement: Agreement) -> bytes:
        """The bytes with everything that is signed, in the order of the agreement's steps. NeedsOperator without a key."""
        ...

    def verify(self, data: bytes, agreement: Agreement) -> bytes:
        """The verified bytes, which are what gets decoded. Raises NotTrusted; never returns what was not verified."""
        ...

    def certificates(self, agreement: Agreement) -> list[tuple[str, int]]:
        """The certificates of an agreement, its own and those it trusts: (name, when it ends), the first to end first."""
        ...


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A business document. root_id: the declaration an amendment, cancellation, response or later round belongs to."""

    id: str
    root_id: str
    kind: str
    tenant: str
    round: int
    phase: str
    digest: str
    created_us: int
    reference: str = ""


@dataclass(frozen=True, slots=True)
class StandingRow:
    """Where a root document stands now. states: track -> state.

    silence_due_us: by when the next move is awaited, or None where nothing is; it stays until that move is made. alarm_us: when
    silence is said next; it is moved on each time that it was said.
    """

    root_id: str
    tenant: str
    round: int
    phase: str
    states: Mapping[str, str]
    mover: str
    silence_due_us: int | None
    final: bool
    round_opened_us: int
    updated_us: int
    alarm_us: int | None


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One document on its way to one partner. priority: higher ones of a lane go first. reason: for people; rest: for us.

    traceparent: the trace that its filing belongs to, as gateway.watch.traces reads it, "" for none.
    """

    id: str
    document_id: str
    root_id: str
    tenant: str
    agreement: str
    adapter: str
    partner: str
    standard: str
    version: str
    message: str
    name: str
    media_type: str
    status: Status
    attempts: int
    encoded_digest: str
    frozen_digest: str
    waiting_for: str
    reason: str
    receipt_due_us: int | None
    created_us: int
    updated_us: int
    priority: int = 0
    rest: Rest = Rest.NONE
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class InboundRow:
    """Bytes a partner gave us and what became of them."""

    id: str
    agreement: str
    partner: str
    reference: str
    digest: str
    status: InboundStatus
    document_id: str
    message_id: str
    root_id: str
    reason: str
    received_us: int


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the timeline. data holds small facts only: never a payload, never a secret. position: given by the sequencer."""

    id: str
    type: EventType
    at_us: int
    root_id: str
    tenant: str
    document_id: str = ""
    message_id: str = ""
    actor: str = "gateway"
    raw_code: str = ""
    raw_text: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    position: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """An event that has its position, with what it speaks of beside it; "" where of nothing.

    agreement: of its message; kind: of its document, or that of its message; root_kind: of the document that its root is.
    """

    position: int
    event: Event
    agreement: str
    kind: str
    root_kind: str


@dataclass(frozen=True, slots=True)
class JudgementRow:
    """A stored reply as the lifecycle reads it."""

    document_id: str
    root_id: str
    message_id: str
    round: int
    phase: str
    function: str
    raw_code: str
    issued_us: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Work taken by one worker until lease_until_us: one message of one lane. attempt counts the takings."""

    work_id: int
    message_id: str
    lane: str
    key: str
    attempt: int
    lease_until_us: int


@dataclass(frozen=True, slots=True)
class LaneRow:
    lane: str
    paused: bool
    waiting: int
    claimed: int
    oldest_due_us: int | None


@dataclass(frozen=True, slots=True)
class BreakerRow:
    """A partner's breaker: failures in a row, and until when nothing is sent (None: closed)."""

    partner: str
    failures: int
    rest_until_us: int | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is left lying: deliveries that fit no message, standings that are overdue, events without a position."""

    unmatched: int
    overdue: int
    unsequenced: int


@dataclass(frozen=True, slots=True)
class IdempotencyRow:
    tenant: str
    key: str
    request_digest: str
    status: int
    body: bytes
    created_us: int


@dataclass(frozen=True, slots=True)
class UploadRow:
    """A payload that a tenant uploaded. name: what its file was called, "" where nobody said."""

    tenant: str
    digest: str
    media_type: str
    size: int
    name: str
    created_us: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one serving process tells the others in one turn. origin: which process, of one start. seen: name -> amount."""

    origin: str
    topic: str
    at_us: int
    seen: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class AccountRow:
    """Somebody who may sign in to the console. tenant: the one whose things are seen, "" for all; password: as Argon2 writes it
    (PHC string format); lang and zone: "" where the account names none; must_change: the password was chosen by somebody else."""

    name: str
    role: str
    tenant: str
    password: str
    lang: str
    zone: str
    must_change: bool
    disabled: bool
    created_us: int
    changed_us: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One sign-in that lasts. digest: SHA-256 of the cookie's value, which is kept nowhere."""

    digest: str
    account: str
    opened_us: int
    seen_us: int


@dataclass(frozen=True, slots=True)
class TriesRow:
    """Wrong passwords of late. digest: SHA-256 of whom they are counted for; what was typed as a name may have been a password."""

    digest: str
    wrong: int
    last_us: int


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act of a person. number: 0 until it is stored; address: from where, "" for this machine; before, after: what it changed."""

    number: int
    at_us: int
    actor: str
    address: str
    act: str
    target: str
    reason: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """An address that events are posted to. scope: the tenant whose events it gets, "" for those of every tenant.

    types: names of events as webhooks say them, none for all. status: active or disabled; reason: why it is disabled.
    old_secret is signed with too until old_until_us. failures: in a row, the first of them at failing_since_us (None: none);
    nothing is sent before rest_until_us. The secrets are never shown, logged or put into an event.
    """

    id: str
    tenant: str
    scope: str
    url: str
    types: tuple[str, ...]
    description: str
    status: str
    reason: str
    secret: str = field(repr=False)
    old_secret: str = field(repr=False)
    old_until_us: int
    failures: int
    failing_since_us: int | None
    rest_until_us: int
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """One event on its way to one webhook. key: of those with the same one a later waits for an earlier.

    body: the bytes of every attempt. status: waiting, delivered or failed. log: each attempt, as small facts.
    """

    id: str
    webhook_id: str
    event_id: str
    key: str
    type: str
    body: str
    status: str
    attempts: int
    due_us: int
    log: tuple[Json, ...]
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True)
class Called:
    """How a call of a webhook ended. status: of the answer, 0 where there is none, and then fault says why, as one word of
    gateway.pipeline.webhook_calls.FAULT_TITLES. head: the beginning of the answer's body."""

    status: int
    fault: str
    head: str
    retry_after_s: int | None
    took_ms: int


@dataclass(frozen=True, slots=True)
class Found:
    """One row of a search: a message with a standing, and the message that must be settled before this one is sent."""

    message: MessageRow
    kind: str
    reference: str
    standing: StandingRow | None
    behind: MessageRow | None = None


class Reading(Protocol):
    """Named queries inside one snapshot. Those that look for one thing return None when it is not there."""

    def document(self, document_id: str) -> DocumentRow | None: ...
    def documents_of(self, root_id: str) -> list[DocumentRow]: ...
    def standing(self, root_id: str) -> StandingRow | None: ...
    def message(self, message_id: str) -> MessageRow | None: ...
    def messages_of(self, root_id: str) -> list[MessageRow]: ...
    def inbound_of(self, root_id: str) -> list[InboundRow]: ...
    def inbound(self, inbound_id: str) -> InboundRow | None: ...
    def inbound_by_reference(self, agreement: str, reference: str) -> InboundRow | None: ...
    def unmatched_inbound(self, agreement: str, aliases: Sequence[Alias], limit: int) -> list[InboundRow]: ...
    def kept_inbound(self, *, before_id: str = "", limit: int = 50) -> list[InboundRow]:
        """Deliveries that speak of nothing yet: refused or unmatched, newest first, older than before_id."""
        ...

    def matchable_inbound(self, *, before_id: str = "", limit: int = 50) -> list[InboundRow]:
        """Unmatched deliveries that name an id which a message bears by now, newest first, older than before_id."""
        ...

    def payload(self, digest: str) -> bytes: ...
    def small_payload(self, digest: str) -> bytes | None:
        """The bytes that lie in the database itself; None where they are on disk. NotFound for a digest nobody stored."""
        ...

    def upload(self, tenant: str | None, digest: str) -> UploadRow | None:
        """What a tenant uploaded; tenant None: whoever did."""
        ...

    def uploaded_bytes(self, tenant: str) -> int: ...
    def events_of(self, root_id: str, *, after_id: str = "", limit: int = 1000) -> list[Event]: ...
    def events_after(
        self, position: int, up_to: int, limit: int, *, tenant: str | None = None, root_id: str = ""
    ) -> list[Entry]:
        """Events by position, those behind one and up to another; of one root, else of one tenant, else of all."""
        ...

    def last_position(self) -> int:
        """The highest position that was given; 0 before the first."""
        ...

    def has_unsequenced(self) -> bool:
        """Whether events are committed that have no position yet."""
        ...

    def aliases_of(self, root_id: str) -> dict[str, dict[str, str]]:
        """agreement -> scheme -> latest value: what each partner calls a declaration is told to that partner only."""
        ...

    def aliases_by_message(self, root_id: str) -> dict[str, dict[str, str]]:
        """message id ("" for the declaration as such) -> scheme -> latest value."""
        ...

    def every_alias_of(self, root_id: str) -> dict[str, list[str]]:
        """scheme -> every value, the latest first."""
        ...

    def find_messages(self, agreement: str, alias: Alias) -> list[MessageRow]:
        """Messages of one agreement that carry this alias, newest first."""
        ...

    def find_roots(self, tenant: str | None, value: str, limit: int) -> list[str]:
        """Root ids that any alias value or id equals (ASCII case-insensitive), newest first; tenant None: every tenant."""
        ...

    def settled_roots(self, tenant: str, value: str, limit: int) -> list[str]:
        """Those of find_roots that others need not wait for: stored by customs and not given back, or given to us by a partner."""
        ...

    def search(
        self,
        *,
        tenant: str | None,
        value: str = "",
        status: str = "",
        state: str = "",
        agreement: str = "",
        kind: str = "",
        before_id: str = "",
        limit: int = 50,
    ) -> list[Found]:
        """Messages, newest first, older than before_id (the cursor)."""
        ...

    def overdue(self, tenant: str | None, now_us: int, limit: int) -> list[StandingRow]:
        """Standings whose next move is awaited for longer than it may take, the oldest first; tenant None: of all."""
        ...

    def hours(self, tenant: str | None, first_id: str) -> list[tuple[int, str, int]]:
        """(hour since the epoch, kind, how many) of the documents whose ids do not sort before first_id."""
        ...

    def open_states(self, tenant: str | None) -> dict[str, int]:
        """State of the track declaration -> how many that are not final stand there."""
        ...

    def judgements_of(self, root_id: str) -> list[JudgementRow]: ...
    def idempotency(self, tenant: str, key: str) -> IdempotencyRow | None: ...
    def lanes(self) -> list[LaneRow]: ...
    def due_lanes(self, now_us: int) -> list[str]:
        """Lanes that are not paused and have work that is due; however long the queues are, this costs little."""
        ...

    def breaker(self, partner: str) -> BreakerRow: ...
    def silent_standings(self, now_us: int, limit: int) -> list[StandingRow]: ...
    def open_standings(self, after_root_id: str, limit: int) -> list[StandingRow]:
        """Standings that are not final, by id, those behind after_root_id; what is over costs nothing here."""
        ...

    def overdue_receipts(self, now_us: int, limit: int) -> list[MessageRow]: ...
    def stale_sending(self, now_us: int, limit: int) -> list[MessageRow]:
        """Messages in SENDING whose work is claimed by nobody alive: a worker died on the wire."""
        ...

    def stale_message(self, message_id: str, now_us: int) -> MessageRow | None:
        """The message, if it is one of stale_sending."""
        ...

    def stuck_before(self, message_id: str) -> MessageRow | None:
        """The first message in doubt, or parked, that stands before this one of the same key in their lane."""
        ...

    def ids_in(self, status: Status, agreement: str, after_id: str, limit: int) -> list[str]:
        """Ids of messages, oldest first, those behind after_id (the cursor)."""
        ...

    def waiting_messages(self, after_id: str, limit: int) -> list[MessageRow]:
        """Messages that wait for another document, oldest first, those behind after_id (the cursor)."""
        ...

    def counts(self) -> Mapping[str, int]:
        """Messages per status, for the overview and readiness."""
        ...

    def account(self, name: str) -> AccountRow | None: ...
    def accounts(self) -> list[AccountRow]: ...
    def session(self, digest: str) -> SessionRow | None: ...
    def tries(self, digest: str) -> TriesRow | None: ...
    def audit(
        self, *, actor: str = "", act: str = "", target: str = "", before_number: int = 0, limit: int = 50
    ) -> list[AuditRow]:
        """Acts, newest first; before_number: 0, or the number of the last one seen."""
        ...

    def acted_from(self, actor: str, act: str, address: str, since_us: int) -> bool:
        """Whether somebody did something from an address since an instant."""
        ...

    def backlog(self, now_us: int) -> Backlog:
        """How much is left lying, for those who watch."""
        ...

    def sightings(self, after: int) -> tuple[list[Sighting], int]:
        """What serving processes told behind a number, in their order, and the number up to which that is."""
        ...

    def webhook(self, webhook_id: str) -> WebhookRow | None: ...
    def webhooks(self, tenant: str | None, *, after_id: str = "", limit: int = 50) -> list[WebhookRow]:
        """By id; tenant None: of every tenant."""
        ...

    def active_webhooks(self) -> list[WebhookRow]: ...
    def due_webhooks(self, now_us: int) -> list[WebhookRow]:
        """Those that are active, do not rest and have a delivery that is due."""
        ...

    def webhook_delivery(self, delivery_id: str) -> WebhookDelivery | None: ...
    def webhook_deliveries(
        self, webhook_id: str, *, status: str = "", before_id: str = "", limit: int = 50
    ) -> list[WebhookDelivery]:
        """Newest first, older than before_id (the cursor)."""
        ...

    def announced(self) -> int | None:
        """The position up to which events were given to webhooks; None where there never was a webhook."""
        ...

    def events_behind(self, position: int, limit: int) -> list[Event]:
        """Events of every tenant with a higher position, in the order of their positions."""
        ...


class Writing(Reading, Protocol):
    """Named queries inside one write transaction."""

    def put_payload(self, data: bytes, media_type: str) -> str:
        """Store by content and return the tagged digest, ``sha256:<hex>``; the same content is stored once."""
        ...

    def add_document(self, row: DocumentRow) -> None: ...
    def put_standing(self, row: StandingRow, before: StandingRow | None = None) -> None:
        """Write where something stands. before: what this unit read there, which spares work where no state changes."""
        ...

    def add_message(self, row: MessageRow) -> None: ...
    def advance(self, message: MessageRow, *steps: str, now_us: int, **changes: Any) -> MessageRow:
        """Move a message, as this unit has read it, along lifecycle.MOVES and set further columns.

        IllegalMove when the table says no, NotFound when it is gone.
        """
        ...

    def update_message(self, message_id: str, now_us: int, **changes: Any) -> None: ...
    def add_aliases(
        self, root_id: str, message_id: str, agreement: str, tenant: str, aliases: Iterable[Alias]
    ) -> None: ...
    def append_event(self, event: Event) -> None: ...
    def add_judgement(self, row: JudgementRow) -> None: ...
    def add_inbound(self, row: InboundRow, aliases: Iterable[Alias]) -> None:
        """aliases are what the bytes name; they let a later message find an unmatched one."""
        ...

    def name_inbound(self, row: InboundRow, aliases: Iterable[Alias]) -> None:
        """The same for a delivery that is stored already."""
        ...

    def update_inbound(self, inbound_id: str, **changes: Any) -> None: ...
    def put_idempotency(self, row: IdempotencyRow) -> None: ...
    def forget_idempotency(self, before_us: int) -> int: ...
    def enqueue(self, message_id: str, lane: str, key: str, due_us: int, priority: int = 0) -> None: ...
    def requeue(self, message_id: str, lane: str, key: str, due_us: int, priority: int = 0) -> None:
        """The same for a message that was in the lane before: it keeps its place before what came later of its key."""
        ...

    def claim(self, lane: str, worker: str, limit: int, now_us: int, lease_s: int) -> list[Claim]:
        """Take due work of one lane in one statement. Of one key at most one is out at a time, oldest first, and none
        while an older one of that key is unfinished; key "" orders nothing. Paused lanes give nothing."""
        ...

    def finish(self, work_id: int, worker: str) -> bool:
        """Remove the work; False when the claim is no longer this worker's."""
        ...

    def release(self, work_id: int, worker: str, due_us: int) -> bool: ...
    def extend(self, work_ids: Sequence[int], worker: str, now_us: int, lease_s: int) -> None: ...
    def cancel_work(self, message_id: str) -> None: ...
    def hold(self, message_id: str) -> None:
        """Let the work of a message rest where it stands in its lane: nobody takes it, and nothing of its key passes it."""
        ...

    def wake(self, message_id: str, due_us: int) -> None: ...
    def pause_lane(self, lane: str, paused: bool) -> None: ...
    def put_breaker(self, row: BreakerRow) -> None: ...
    def sequence_events(self, limit: int) -> int:
        """Give positions, without gaps, to committed events that have none; returns how many."""
        ...

    def reserve(self, counter: str, count: int) -> int:
        """First of count consecutive numbers of a named counter."""
        ...

    def add_upload(self, row: UploadRow) -> None: ...
    def name_payload(self, digest: str, media_type: str, size: int) -> None:
        """Name a payload that IncomingPayload.keep() has put on disk."""
        ...

    def add_sighting(self, row: Sighting) -> None:
        """Tell the other serving processes; of all that was told the latest is kept, a bounded number of rows."""
        ...

    def forget_sightings(self, before_us: int) -> int: ...
    def put_account(self, row: AccountRow) -> None: ...
    def put_session(self, row: SessionRow) -> None: ...
    def end_session(self, digest: str) -> None: ...
    def end_sessions(self, account: str) -> int: ...
    def forget_sessions(self, *, opened_before_us: int, seen_before_us: int) -> int: ...
    def put_tries(self, row: TriesRow) -> None: ...
    def forget_tries(self, *, digest: str = "", before_us: int = 0) -> int:
        """Forget those of one, and all whose last was before an instant."""
        ...

    def add_audit(self, row: AuditRow) -> None:
        """Add an act; the database itself refuses to change or delete one."""

    def begin_announcing(self) -> None:
        """With the first webhook: what has a position now is not announced."""
        ...

    def announce(self, position: int, before: int) -> bool:
        """Move announced() from before to position; False where it is elsewhere, because another worker did it."""
        ...

    def add_webhook(self, row: WebhookRow) -> None: ...
    def change_webhook(self, webhook_id: str, now_us: int, **changes: Any) -> bool:
        """Set columns; False when it is gone."""
        ...

    def remove_webhook(self, webhook_id: str) -> None:
        """With its deliveries."""
        ...

    def add_webhook_delivery(self, row: WebhookDelivery) -> None: ...
    def claim_webhook_deliveries(
        self, webhook_id: str, worker: str, limit: int, now_us: int, lease_s: int
    ) -> list[WebhookDelivery]:
        """Take due deliveries, oldest first, of one key only the oldest that waits; each taking counts as an attempt."""
        ...

    def settle_webhook_delivery(self, row: WebhookDelivery, worker: str) -> bool:
        """Write what became of a claimed delivery; False when the claim is no longer this worker's."""
        ...

    def change_webhook_delivery(self, delivery_id: str, now_us: int, **changes: Any) -> bool: ...
    def move_webhook_key(self, webhook_id: str, key: str, due_us: int) -> None:
        """Set when the unclaimed waiting deliveries of a key are due."""
        ...

    def forget_webhook_deliveries(self, before_us: int) -> int:
        """Forget what was settled before an instant; how many."""
        ...


class IncomingPayload(Protocol):
    """A payload that comes in piece by piece; keep() or discard() ends it. Its methods wait for the disk."""

    @property
    def digest(self) -> str:
        """Of what came so far, ``sha256:<hex>``."""
        ...

    def write(self, data: bytes) -> None: ...
    def keep(self) -> bytes | None:
        """All of it where it is small and goes to put_payload(); None where it is on disk and name_payload() names it."""
        ...

    def discard(self) -> None: ...


class Store(Protocol):
    """The database and the payload folder. A write returns only when it is on disk; many share one commit."""

    def read(self) -> AbstractContextManager[Reading]: ...
    def write(self, unit: Callable[[Writing], T]) -> T:
        """Run unit inside a write transaction (begun as IMMEDIATE on SQLite) and commit. Units of several threads share a
        commit; one that raises is undone alone and raises here."""
        ...

    def write_each(self, units: Sequence[Callable[[Writing], T]]) -> list[T | BaseException]:
        """Run each unit as write() does, all in one commit: what it returned, or what it raised."""
        ...

    def reserve(self, counter: str) -> int:
        """The next number of a counter, from a block reserved in the database."""
        ...

    def incoming(self) -> IncomingPayload: ...
    def open_payload(self, digest: str) -> BinaryIO:
        """The bytes of a stored payload, to be read from any place; whoever reads measures them."""
        ...

    def close(self) -> None: ...


class WebhookTargets(Protocol):
    """The addresses that webhooks are sent to."""

    def check(self, url: str) -> None:
        """Rejected says why nothing may be sent there."""
        ...

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Called:
        """Never raises for what the target does."""
        ...
