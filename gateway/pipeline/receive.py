"""Taking what a partner gives us: once each, verified, read, matched, and stored with everything it changes in one write.

Rule 1: the same reference with the same bytes, or the same content signed anew, has one effect and is confirmed each time; with
        anything else it is refused and alarmed, and the first one stays untouched.
Rule 2: nothing that comes here is thrown away (of callers who prove nothing, little does: strangers.py). Bytes that cannot be trusted or
        read are kept as refused; answers that fit no message yet are kept and tried again whenever a message learns an id they name.
Rule 3: the decoder gets exactly the bytes that were verified.
Rule 4: signatures are checked, and adapters run, before the write: others wait for it, and a fault of theirs must not undo it. What
        shows only inside of the unit to be needed is worked out outside, and the unit runs again.
Rule 5: of several documents in one delivery each goes its own way: one that cannot be read, or fits nothing yet, stops no other, and
        what had its effect has none when the delivery is read again for the sake of those.
Rule 6: answers that were kept are tried again after the commit that taught an id of theirs, each in a write of its own. What fails
        is noted on its row, and tried again by kept.py, as is what a crash kept from being tried.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from gateway import ids
from gateway.agreements import Directory
from gateway.errors import Conflict, Finding, GatewayError, NotFound, Rejected, RuleBroken, trace
from gateway.events import EventType
from gateway.lifecycle import ENTERED_BY_HAND, FUNCTIONS, InboundStatus
from gateway.pipeline import attempts, places, timeline
from gateway.pipeline.apply import apply
from gateway.pipeline.case import Case
from gateway.pipeline.correlate import Match, correlate
from gateway.pipeline.delivery import Delivery, Part, Reader, Wanted
from gateway.pipeline.kept import MOST_AT_ONCE
from gateway.pipeline.submission import JSON
from gateway.ports import (
    Adapter,
    Alias,
    DocumentRow,
    Event,
    InboundRow,
    Incoming,
    Json,
    MessageSecurity,
    Reading,
    Reply,
    Store,
    Writing,
)
from gateway.watch import traces
from gateway.watch.context import about
from gateway.watch.metrics import ANSWERS, DELIVERIES

LOG = logging.getLogger(__name__)
RAW = "application/octet-stream"
CHANGED = ("status", "document_id", "message_id", "root_id", "reason")
FITS_NOTHING = "fits no message yet"
_MOST_PLACES, _LONGEST_PLACE = 20, 200


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a delivery. doubled: it was here before; conflicting: its reference was, with other bytes.

    freed: kept deliveries that name an id which this one has taught. functions: of its answers that were matched.
    """

    inbound_id: str
    status: InboundStatus
    message_ids: tuple[str, ...] = ()
    document_ids: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    doubled: bool = False
    conflicting: bool = False
    freed: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """What became of it, in one word."""
        if self.conflicting:
            return "conflicting"
        return "doubled" if self.doubled else self.status.value


@dataclass(frozen=True, slots=True)
class _Settled:
    """What became of a delivery: its row as it shall stand, and what it taught."""

    row: InboundRow
    message_ids: tuple[str, ...] = ()
    document_ids: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    learned: tuple[Alias, ...] = ()
    functions: tuple[str, ...] = ()


@dataclass(slots=True)
class _Done:
    """What the parts of a delivery did: matched answers with the stored document's id, ids of documents stored for themselves,
    answers that fit nothing yet, refusals, and the ids that were learned.
    """

    matches: list[tuple[Match, str]] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    waiting: list[Reply] = field(default_factory=list)
    refusals: list[Rejected] = field(default_factory=list)
    learned: list[Alias] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)

    @property
    def documents(self) -> list[str]:
        return [document_id for _, document_id in self.matches] + self.stored

    @property
    def status(self) -> InboundStatus:
        """What is left to do comes first: answers that wait, then what somebody must look at."""
        if self.waiting:
            return InboundStatus.UNMATCHED
        if self.refusals:
            return InboundStatus.REFUSED
        return InboundStatus.MATCHED if self.matches else InboundStatus.STORED

    @property
    def reason(self) -> str:
        if self.waiting and not self.documents:
            return FITS_NOTHING
        if self.waiting:
            return f"{len(self.matches)} of {len(self.matches) + len(self.waiting)} answers matched"
        return _reason(self.refusals[0]) if self.refusals else ""

    def row(self, row: InboundRow) -> InboundRow:
        """The row with what its first matched answer speaks of, else with the first document that was stored."""
        if self.matches:
            match, document_id = self.matches[0]
            return replace(row, document_id=document_id, message_id=match.message.id, root_id=match.message.root_id)
        if self.stored:
            return replace(row, document_id=self.stored[0], root_id=self.stored[0])
        return row


def _gives_way(first: InboundRow, digest: str) -> bool:
    """Bytes that were refused do not own the reference they came under: a broken or forged delivery keeps no true one out.

    One of which a part was taken had an effect, and stays.
    """
    return first.status is InboundStatus.REFUSED and first.digest != digest and not first.root_id


def _told_to_watchers(incoming: Incoming, result: Received | BaseException) -> None:
    if not isinstance(result, Received):
        DELIVERIES.count(incoming.agreement_id, "failed")
        return
    DELIVERIES.count(incoming.agreement_id, result.word)
    for function in result.functions:
        ANSWERS.count(incoming.agreement_id, function if function in FUNCTIONS else "other")
    ids_of_it = {"agreement": incoming.agreement_id, "message_id": ",".join(result.message_ids)}
    LOG.info("received: %s", result.word, extra=ids_of_it)


class Receiver:
    """The use case of receiving; one for all agreements, called by pollers, by endpoints and by the dispatcher."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        adapters: Mapping[str, Adapter],
        security: MessageSecurity,
        *,
        clock: Callable[[], int] = ids.now_us,
    ) -> None:
        self._store = store
        self._directory = directory
        self._reader = Reader(store, directory, adapters, security)
        self._clock = clock

    def receive(self, incoming: Incoming) -> Received:
        """Take one delivery. NeedsOperator when the fault is ours (a key, a disk): then it is not confirmed, and comes again."""
        (received,) = self.receive_each([incoming])
        if isinstance(received, BaseException):
            raise received
        return received

    def receive_each(self, incoming: Sequence[Incoming]) -> list[Received | BaseException]:
        """receive() of each, in their order and in one commit: what it returned, or what it raised."""
        begun_ns = time.time_ns()
        results: dict[int, Received | BaseException] = {}
        units: dict[int, Callable[[Writing], Received]] = {}
        for place, one in enumerate(incoming):
            try:
                with about(agreement=one.agreement_id):
                    units[place] = self._unit(one)
            except Exception as problem:  # noqa: BLE001 - it strikes this delivery alone; whoever brought it is told
                results[place] = problem
        results.update(self._write_each(units))
        ordered = [results[place] for place in range(len(incoming))]
        for one, result in zip(incoming, ordered, strict=True):
            _told_to_watchers(one, result)
        if traces.are_told():
            self._trace(incoming, ordered, begun_ns)
        self.retry_kept([name for one in ordered if isinstance(one, Received) for name in one.freed])
        return ordered

    def _trace(self, incoming: Sequence[Incoming], results: Sequence[Received | BaseException], begun_ns: int) -> None:
        """Tell of each answer in the trace of the message that it speaks of, linked with the work that took it."""
        with self._store.read() as reading:
            for one, result in zip(incoming, results, strict=True):
                for message_id in result.message_ids if isinstance(result, Received) else ():
                    message = reading.message(message_id)
                    if message is not None:
                        about_it = {"message_id": message.id, "declaration_id": message.root_id}
                        traces.span(
                            "receive",
                            message.traceparent,
                            about_it | {"agreement": message.agreement},
                            kind=traces.CONSUMER,
                            links=[one.traceparent],
                            started_ns=begun_ns,
                        ).finish()

    def _unit(self, incoming: Incoming) -> Callable[[Writing], Received]:
        """The unit of work that takes a delivery, which is read here."""
        digest = f"sha256:{hashlib.sha256(incoming.data).hexdigest()}"
        reference = incoming.reference or digest
        read = self._reader.read(incoming.agreement_id, incoming.data, incoming.received_us)
        if incoming.unreadable:
            finding = Finding("receive.unreadable", found=incoming.unreadable)
            read.refusal = Rejected(incoming.unreadable, [finding], code=finding.code)

        def unit(writing: Writing) -> Received:
            first = writing.inbound_by_reference(incoming.agreement_id, reference)
            if first is not None and _gives_way(first, digest):
                writing.update_inbound(first.id, reference=f"{reference}#{first.id}")
            elif first is not None:
                return self._again(writing, read, first, incoming, digest)
            return self._store_first(writing, read, incoming, reference, digest)

        return unit

    def _write(self, unit: Callable[[Writing], Received]) -> Received:
        ((_, received),) = self._write_each({0: unit})
        if isinstance(received, BaseException):
            raise received
        return received

    def _write_each(
        self, units: Mapping[int, Callable[[Writing], Received]]
    ) -> Iterator[tuple[int, Received | BaseException]]:
        """Run the units, those again that wanted something worked out: stored bytes never change, so they want each thing once."""
        left = dict(units)
        while left:
            outcomes = self._store.write_each(list(left.values()))
            for place, outcome in zip(tuple(left), outcomes, strict=True):
                if isinstance(outcome, Wanted):
                    try:
                        outcome.work_out()
                    except Exception as problem:  # noqa: BLE001 - as above
                        outcome = problem  # noqa: PLW2901
                    else:
                        continue
                del left[place]
                yield place, outcome

    def _again(self, writing: Writing, read: Delivery, first: InboundRow, incoming: Incoming, digest: str) -> Received:
        same = first.digest == digest or self._reader.signed_anew(read, first.digest)
        now = self._clock()
        kind = EventType.REPLY_DOUBLED if same else EventType.REPLY_CONFLICTING
        if not same:
            # Kept as evidence under its digest; the first delivery and what it did stay as they are.
            writing.put_payload(incoming.data, RAW)
            LOG.error("agreement %s: a reference came again with other bytes", first.agreement)
        writing.append_event(
            _about_inbound(kind, now, first, self._tenant_of(writing, first), reference=first.reference, digest=digest)
        )
        status = first.status if same else InboundStatus.REFUSED
        found = _why(first) if same else (Finding("receive.conflict", found=digest, expected=first.digest),)
        return Received(
            first.id,
            status,
            tuple(filter(None, [first.message_id])),
            tuple(filter(None, [first.document_id])),
            found,
            doubled=same,
            conflicting=not same,
        )

    def _tenant_of(self, reading: Reading, row: InboundRow) -> str:
        document = reading.document(row.root_id) if row.root_id else None
        return self._directory.operator if document is None else document.tenant

    def _store_first(
        self, writing: Writing, read: Delivery, incoming: Incoming, reference: str, digest: str
    ) -> Received:
        if read.fault is not None:
            raise read.fault
        now = self._clock()
        writing.put_payload(incoming.data, RAW)
        row = InboundRow(
            id=ids.new_id(now),
            agreement=read.agreement.id,
            partner=read.agreement.partner.id,
            reference=reference,
            digest=digest,
            status=InboundStatus.UNMATCHED,
            document_id="",
            message_id="",
            root_id="",
            reason="",
            received_us=incoming.received_us,
        )
        settled = self._settle(writing, row, read, now)
        # The ids it names are wanted for as long as something in it waits for its message.
        waits = settled.row.status is InboundStatus.UNMATCHED
        writing.add_inbound(settled.row, read.aliases if waits else ())
        self._tell_unread(writing, read, settled.row, now)
        return self._told(writing, settled)

    def _tell_unread(self, writing: Writing, read: Delivery, row: InboundRow, now: int) -> None:
        """Say on the timeline which places of a message were left aside; what stood there is in the stored bytes."""
        if not read.unread:
            return
        LOG.warning("agreement %s: %d places of a delivery are in no table", row.agreement, len(read.unread))
        event = _about_inbound(
            EventType.REPLY_PARTLY_READ,
            now,
            row,
            self._tenant_of(writing, row),
            reference=row.reference,
            count=len(read.unread),
            places=[place[:_LONGEST_PLACE] for place in read.unread[:_MOST_PLACES]],
        )
        writing.append_event(event)

    def _settle(self, writing: Writing, row: InboundRow, read: Delivery, now: int) -> _Settled:
        """What this delivery does: refused, stored, matched or kept. Its row is written by the caller, with what is found here."""
        if read.refusal is not None:
            return self._refuse(writing, row, read.refusal, now)
        done = _Done()
        for place, part in enumerate(read.parts):
            if part.refusal is not None:
                done.refusals.append(part.refusal)
            elif part.replies:
                self._apply_part(writing, row, read, part, done, now)
            else:
                done.stored.append(self._store_document(writing, row, read, place, now))
        waiting = len(done.waiting)
        if waiting and not done.documents:
            self._tell_unmatched(writing, row, done.waiting[0], read, now)
        settled = replace(done.row(row), status=done.status, reason=done.reason)
        told_before = row.reason and row.status is InboundStatus.UNMATCHED
        if done.refusals and not told_before:
            self._tell_refused(writing, settled, done.refusals[0], now)
        return _Settled(
            settled,
            tuple(dict.fromkeys(match.message.id for match, _ in done.matches)),
            tuple(done.documents),
            tuple(finding for refusal in done.refusals for finding in refusal.findings),
            tuple(done.learned),
            tuple(done.functions),
        )

    def _tell_unmatched(self, writing: Writing, row: InboundRow, first: Reply, read: Delivery, now: int) -> None:
        """Nothing it names is known: it waits for a message that learns one of these ids. Told once."""
        if row.reason and row.status is InboundStatus.UNMATCHED:
            return
        writing.append_event(
            _about_inbound(
                EventType.REPLY_UNMATCHED,
                now,
                row,
                self._directory.operator,
                raw_code=first.raw_code,
                raw_text=first.raw_text,
                reference=row.reference,
                names=[f"{alias.scheme}:{alias.value}" for alias in read.aliases],
            )
        )

    def _told(self, writing: Writing, settled: _Settled) -> Received:
        """The settled delivery as its bringer hears of it, once its row is written; the ids it taught free other kept answers."""
        row = settled.row
        freed = writing.unmatched_inbound(row.agreement, settled.learned, MOST_AT_ONCE) if settled.learned else ()
        return Received(
            row.id,
            row.status,
            settled.message_ids,
            settled.document_ids,
            settled.findings,
            freed=tuple(one.id for one in freed if one.id != row.id),
            functions=settled.functions,
        )

    def _refuse(self, writing: Writing, row: InboundRow, refusal: GatewayError, now: int) -> _Settled:
        self._tell_refused(writing, row, refusal, now)
        return _Settled(replace(row, status=InboundStatus.REFUSED, reason=_reason(refusal)), findings=refusal.findings)

    def _tell_refused(self, writing: Writing, row: InboundRow, refusal: GatewayError, now: int) -> None:
        writing.append_event(
            _about_inbound(
                EventType.REPLY_REFUSED,
                now,
                row,
                self._tenant_of(writing, row),
                reference=row.reference,
                code=refusal.code,
                findings=[finding.code for finding in refusal.findings[:20]],
            )
        )

    def _store_document(self, writing: Writing, row: InboundRow, read: Delivery, place: int, now: int) -> str:
        """A document nobody asked for: it is a root of its own, and belongs to the one tenant its ids lead to, else to us; its id."""
        part = read.parts[place]
        document_id = ids.derived_id(row.id, place)
        if writing.document(document_id) is not None:
            return document_id  # stored when the delivery was read before
        tenants = {
            message.tenant for alias in part.named for message in writing.find_messages(read.agreement.id, alias)
        }
        document = DocumentRow(
            id=document_id,
            root_id=document_id,
            kind=part.decoded.kind,
            tenant=tenants.pop() if len(tenants) == 1 else self._directory.operator,
            round=1,
            phase="single",
            digest=writing.put_payload(part.content, JSON),
            created_us=now,
            reference=places.text_at(part.decoded.document, places.REFERENCE),
        )
        writing.add_document(document)
        writing.add_aliases(document_id, "", read.agreement.id, document.tenant, part.named)
        writing.append_event(
            timeline.entry(
                EventType.DOCUMENT_ACCEPTED,
                now,
                root_id=document_id,
                tenant=document.tenant,
                document_id=document_id,
                actor=row.partner,
                kind=part.decoded.kind,
                reference=row.reference,
            )
        )
        return document_id

    def _apply_part(self, writing: Writing, row: InboundRow, read: Delivery, part: Part, done: _Done, now: int) -> None:
        """Apply every answer of a part that fits a message."""
        for place, reply in enumerate(part.replies):
            match = correlate(writing, read.agreement.id, reply)
            if match is None:
                done.waiting.append(reply)
                continue
            pointed = self._reader.beside(read, part, place, match.document.digest) if reply.names_places else reply
            applied = apply(writing, read.agreement, row, pointed, match, now)
            done.matches.append((match, applied.document_id))
            done.learned += applied.learned
            done.functions.append(reply.function)

    def retry_kept(self, inbound_ids: Sequence[str]) -> None:
        """Try these kept answers again, and those that they free, each in a write of its own. Never raises: what fails is noted."""
        waiting = deque(inbound_ids)
        while waiting:
            waiting += self._retry_one(waiting.popleft())

    def _retry_one(self, inbound_id: str) -> tuple[str, ...]:
        try:
            return self._read_anew(inbound_id).freed
        except GatewayError as problem:
            LOG.warning("kept answer %s cannot be read now: %s", inbound_id, problem.code)
            reason = attempts.because("cannot be read now", problem)
        except Exception as problem:  # noqa: BLE001 - whatever it is, it strikes this answer alone
            LOG.error("kept answer %s cannot be applied: %s", inbound_id, trace(problem))
            reason = attempts.because("cannot be applied", problem)
        try:
            self._store.write(partial(_note, inbound_id, reason))
        except Exception as problem:  # noqa: BLE001 - it stays unmatched, which is what matters
            LOG.error("nor can that be noted of %s: %s", inbound_id, trace(problem))
        return ()

    def read_again(self, inbound_id: str, noted: Callable[[Writing, InboundRow], None] | None = None) -> Received:
        """Read a kept or refused delivery again, e.g. after a key was trusted or an adapter was mended. NotFound, else as receive().

        noted: called in the same write with what the delivery is then.
        """
        received = self._read_anew(inbound_id, noted)
        self.retry_kept(received.freed)
        return received

    def _read_anew(self, inbound_id: str, noted: Callable[[Writing, InboundRow], None] | None = None) -> Received:
        with self._store.read() as reading:
            row = _delivery(reading, inbound_id)
            data = b"" if _is_done(row) else reading.payload(row.digest)
        read = None if _is_done(row) else self._reader.read(row.agreement, data, row.received_us)
        if read is not None and read.fault is not None:
            raise read.fault

        def unit(writing: Writing) -> Received:
            row = _delivery(writing, inbound_id)
            # What is done stays so; another may have done it while we read.
            if read is None or _is_done(row):
                received = Received(row.id, row.status, doubled=True)
            else:
                received = self._settle_again(writing, row, read)
            if noted is not None:
                noted(writing, _delivery(writing, inbound_id))
            return received

        return self._write(unit)

    def _settle_again(self, writing: Writing, row: InboundRow, read: Delivery) -> Received:
        settled = self._settle(writing, row, read, self._clock())
        changes = {name: value for name in CHANGED if (value := getattr(settled.row, name)) != getattr(row, name)}
        if changes:
            writing.update_inbound(row.id, **changes)
        if settled.row.status is InboundStatus.UNMATCHED:
            # A delivery that was refused at first names its ids only now.
            writing.name_inbound(settled.row, read.aliases)
        return self._told(writing, settled)

    def answer_by_hand(self, message_id: str, function: str, reason: str, actor: str, evidence: str = "") -> str:
        """Enter what a partner said by telephone or on paper, e.g. a release; the id of the stored answer.

        evidence: what shows it, e.g. the number of a receipt. What was entered before in the same words counts once. Raises RuleBroken for a word that is no answer, NotFound for a
        message that is not there, Conflict for one that was never sent: nobody can have answered that.
        """
        if function not in FUNCTIONS:
            finding = Finding("receive.function", found=function[:40], expected=", ".join(sorted(FUNCTIONS)))
            raise RuleBroken("no partner can answer that", [finding], code=finding.code)
        if function in ENTERED_BY_HAND.values() and not evidence:
            finding = Finding("operator.evidence", found="", expected="the number of the paper that shows it")
            raise RuleBroken("evidence is needed", [finding], code=finding.code)

        def unit(writing: Writing) -> str:
            now = self._clock()
            message = writing.message(message_id)
            document = None if message is None else writing.document(message.document_id)
            if message is None or document is None:
                raise NotFound(f"there is no message {message_id}", code="message.unknown")
            if not message.attempts:
                finding = Finding("message.never_sent", found=str(message.status))
                raise Conflict("nobody can have answered what was never sent", [finding], code=finding.code)
            said: Json = {"function": function, "raw_code": "by hand", "raw_text": reason}
            shown = {"raw_detail": evidence} if evidence else {}
            reply = Reply(said | shown, function, "by hand", reason, now, ())
            writing.append_event(
                timeline.about(
                    message,
                    EventType.ANSWERED_BY_HAND,
                    now,
                    actor=actor,
                    raw_text=reason,
                    function=function,
                    evidence=evidence,
                )
            )
            match = Match.of(Case(writing, message.root_id), message, document)
            return apply(writing, self._directory.agreements[message.agreement], None, reply, match, now).document_id

        return self._store.write(unit)


def _delivery(reading: Reading, inbound_id: str) -> InboundRow:
    row = reading.inbound(inbound_id)
    if row is None:
        raise NotFound(f"there is no delivery {inbound_id}", code="inbound.unknown")
    return row


def _reason(refusal: GatewayError) -> str:
    return f"{refusal.code}: {refusal.detail}"[:1000]


def _is_done(row: InboundRow) -> bool:
    return row.status in (InboundStatus.MATCHED, InboundStatus.STORED)


def _note(inbound_id: str, reason: str, writing: Writing) -> None:
    """Say on the row of a kept answer why it is kept still."""
    if _delivery(writing, inbound_id).status is InboundStatus.UNMATCHED:
        writing.update_inbound(inbound_id, reason=reason)


def _why(row: InboundRow) -> tuple[Finding, ...]:
    """What a refused delivery was told, as far as its row remembers it; nothing for one that was not refused."""
    if row.status is not InboundStatus.REFUSED:
        return ()
    code, _, detail = row.reason.partition(": ")
    return (Finding(code, found=detail[:200] or None),)


def _about_inbound(
    kind: EventType, now: int, row: InboundRow, tenant: str, *, raw_code: str = "", raw_text: str = "", **data: Any
) -> Event:
    """An entry on the timeline of the declaration where that is known, else on one of the delivery's own."""
    return timeline.entry(
        kind,
        now,
        root_id=row.root_id or row.id,
        tenant=tenant,
        message_id=row.message_id,
        actor=row.partner,
        raw_code=raw_code,
        raw_text=raw_text,
        inbound_id=row.id,
        agreement=row.agreement,
        **data,
    )
