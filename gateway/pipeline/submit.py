"""Taking a document from a filer: everything that can be refused is refused in prepare(), everything kept is kept in accept().

prepare() reads and reserves numbers, and changes nothing else: a dry run is prepare() alone. It collects the findings of
every stage that can run and raises them together. accept() stores document, standing, messages, bytes, aliases, timeline,
work and the idempotency key in one write; when it returns, all of that is on disk and the rest is our duty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Protocol

import orjson

from gateway import ids
from gateway.agreements import Agreement, Directory, Facts
from gateway.documents.capped import capped
from gateway.errors import Conflict, Finding, NeedsOperator, NoRoute, Rejected, Severity, WouldLose, errors_only
from gateway.events import EventType
from gateway.lifecycle import Phase, Status
from gateway.pipeline import amended, offices, places, standings, timeline, waiting
from gateway.pipeline.allowances import aliases_for, losses
from gateway.pipeline.filing import Footing, footing
from gateway.pipeline.leaving import Border, KnowsClasses
from gateway.pipeline.submission import (
    JSON,
    Accepted,
    Prepared,
    PreparedMessage,
    Submission,
    body_digest,
    canonical_bytes,
    dump,
    stored_answer,
)
from gateway.ports import (
    Adapter,
    DocumentRow,
    EncodeContext,
    Encoded,
    IdempotencyRow,
    Json,
    MessageRow,
    Reading,
    Store,
    Writing,
)
from gateway.watch.traces import span

__all__ = ["Accepted", "Prepared", "PreparedMessage", "Submission", "Submitter", "body_digest", "canonical_bytes"]

FILED_BEFORE = "declaration.filed_before"
_MOST_UNMATCHED = 20
# Declarations that an id names, newest first; other ids than a reference may have the same text.
_MOST_NAMED = 20
# What the partner's form says of a value that a rule has refused already: that it cannot be written, or is not there.
_OF_THE_FORM = frozenset({"mapping.value", "syntax.element.missing"})


class DocumentChecks(KnowsClasses, amended.KnowsLeaves, offices.KnowsOffices, Protocol):
    """What gateway.documents offers: every finding of one document on one day, what its values are, and clocks."""

    def zone(self, place: str) -> tzinfo:
        """The clock of a jurisdiction or zone."""
        ...


@dataclass(slots=True)
class _Stage:
    """Findings as they come in, and the kind of refusal when all errors are of one kind."""

    findings: list[Finding] = field(default_factory=list)
    kinds: set[type[Rejected]] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    _wrong: set[tuple[str | None, str]] = field(default_factory=set)

    def add(
        self, findings: Iterable[Finding], kind: type[Rejected], code: str = "", agreement: Agreement | None = None
    ) -> None:
        """agreement: the one whose partner says so; each finding names it."""
        found = [replace(finding, agreement=agreement.id) for finding in findings] if agreement else list(findings)
        found = [finding for finding in found if not self._is_said(finding)]
        self.findings += found
        errors = errors_only(found)
        for error in errors:
            if error.pointer:
                self._wrong.add((error.agreement, error.pointer))
        if errors:
            self.kinds.add(kind)
            self.codes.add(code or kind.code)

    def _is_said(self, finding: Finding) -> bool:
        """Whether a value that cannot be written is said to be wrong already; each partner speaks for itself."""
        if finding.code not in _OF_THE_FORM or not finding.pointer:
            return False
        return any((whose, finding.pointer) in self._wrong for whose in (None, finding.agreement))

    def told(self) -> list[Finding]:
        """What the filer reads: of very many the worst, and how many more there are."""
        return capped(self.findings, complete=True)

    def raise_errors(self) -> None:
        if self.kinds:
            kind = next(iter(self.kinds)) if len(self.kinds) == 1 else Rejected
            code = next(iter(self.codes)) if len(self.codes) == 1 else kind.code
            # What refuses it comes first; warnings follow.
            self.findings.sort(key=lambda finding: finding.severity is not Severity.ERROR)
            raise kind("the document is refused", self.told(), code=code)


class Submitter:
    """The use case of filing. woken(agreement ids) is called after a commit; aliased(inbound ids) for kept answers
    that name what was just stored."""

    def __init__(
        self,
        documents: DocumentChecks,
        adapters: Mapping[str, Adapter],
        directory: Directory,
        store: Store,
        clock: Callable[[], int] = ids.now_us,
        *,
        woken: Callable[[Sequence[str]], None] | None = None,
        aliased: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        self._documents = documents
        self._border = Border(documents)
        self._adapters = adapters
        self._directory = directory
        self._store = store
        self._clock = clock
        self.woken = woken
        self.aliased = aliased

    def submit(self, submission: Submission) -> Accepted:
        """prepare() and accept() in one go."""
        return self.accept(self.prepare(submission))

    def declare_again(
        self,
        root_id: str,
        document: Json,
        *,
        tenant: str,
        actor: str,
        idempotency_key: str = "",
        request_digest: str = "",
    ) -> Prepared:
        """Prepare the corrected declaration after a return, or the complete one after a two-step summary."""
        return self.prepare(
            Submission(places.DECLARATION, document, tenant, actor, root_id, idempotency_key, request_digest)
        )

    def prepare(self, submission: Submission) -> Prepared:
        """Everything that can refuse. Raises Rejected with every finding, NotFound, or Conflict."""
        with self._store.read() as reading:
            return self._prepare(reading, submission)

    def prepare_each(self, submissions: Iterable[Submission]) -> list[Prepared | Exception]:
        """prepare() of each, in one snapshot: what it returned, or what it raised."""
        with self._store.read() as reading:
            return [self._prepared_or_refused(reading, submission) for submission in submissions]

    def _prepared_or_refused(self, reading: Reading, submission: Submission) -> Prepared | Exception:
        try:
            return self._prepare(reading, submission)
        except Exception as problem:  # noqa: BLE001 - whoever filed it is told; the others are none the worse
            return problem

    def _prepare(self, reading: Reading, submission: Submission) -> Prepared:
        now = self._clock()
        document_id = ids.new_id(now)
        answered = stored_answer(reading, submission)
        if answered is not None:
            return Prepared(submission, document_id, answered.root_id, 0, Phase.SINGLE, answered=answered)
        ground = _footing(reading, submission, document_id)
        known_to = reading.aliases_of(ground.root_id) if submission.root_id else {}
        declared = _json(reading, ground.declaration)
        stage = _Stage()
        tenant = self._directory.tenant_or_operator(submission.tenant)
        # The day that decides which codes and laws are valid is the day where the declaration is made.
        on = datetime.fromtimestamp(now / 1_000_000, UTC).astimezone(self._documents.zone(tenant.clock)).date()
        checked = self._documents.check(submission.kind, submission.document, on=on, follows=bool(submission.root_id))
        stage.add(checked, Rejected, "document.refused")
        if _breaks_its_shape(checked):
            stage.raise_errors()
        if ground.phase is Phase.AMENDMENT and ground.declaration is not None and declared is not None:
            since = amended.since(reading, ground.declaration)
            old = amended.contradictions(places.DECLARATION, submission.document, declared, since, self._documents)
            stage.add(old, Rejected, "document.refused")
        seen = places.facts_of(submission.kind, submission.tenant, submission.document, declared)
        agreements = self._agreements(submission, ground, seen, on, stage)
        messages = [
            message
            for agreement in agreements
            if (message := self._traced(submission, ground, agreement, known_to, declared, now, on, stage)) is not None
        ]
        stage.raise_errors()
        for message in messages:
            _refuse_taken_name(reading, message, submission.tenant)
        stage.add(_filed_before(reading, submission), Rejected)
        return Prepared(
            submission,
            document_id,
            ground.root_id,
            ground.round,
            ground.phase,
            tuple(messages),
            tuple(stage.told()),
            priority=self._directory.priority_of(seen),
        )

    def _agreements(
        self, submission: Submission, ground: Footing, facts: Facts, on: date, stage: _Stage
    ) -> tuple[Agreement, ...]:
        """Who gets it: those who have the declaration already where they take this kind, else whom the routes name."""
        kind = submission.kind
        if submission.root_id:
            holders = dict.fromkeys(message.agreement for message in reversed(ground.messages))
            known = [self._directory.agreements[name] for name in holders if name in self._directory.agreements]
            takers = tuple(agreement for agreement in known if kind in agreement.documents)
            if takers:
                return takers
        takers = tuple(one for one in self._directory.agreements_for(facts) if kind in one.documents)
        office = offices.astray(submission.document, facts, self._directory, takers, self._documents.offices(on))
        if office is not None:
            stage.add([office], NoRoute)
        elif not takers:
            seen = ", ".join(f"{name} {getattr(facts, name)!r}" for name in places.FACTS)
            stage.add([Finding("route.none", pointer="", found=f"{kind}: {seen}", expected="a route")], NoRoute)
        return takers

    def _traced(
        self, submission: Submission, ground: Footing, agreement: Agreement, *further: Any
    ) -> PreparedMessage | None:
        with span("translate", submission.traceparent, {"agreement": agreement.id, "declaration_id": ground.root_id}):
            return self._translate(submission, ground, agreement, *further)

    def _translate(
        self,
        submission: Submission,
        ground: Footing,
        agreement: Agreement,
        known_to: Mapping[str, Mapping[str, str]],
        declared: Json | None,
        now: int,
        on: date,
        stage: _Stage,
    ) -> PreparedMessage | None:
        adapter = self._adapters.get(agreement.adapter)
        if adapter is None:
            raise NeedsOperator(f"agreement {agreement.id} names adapter {agreement.adapter}, which is not installed")
        document = submission.document
        known = known_to.get(agreement.id, {})
        context = EncodeContext(
            agreement=agreement,
            message_id=ids.new_id(now),
            now_us=now,
            reserve=self._store.reserve,
            kind=submission.kind,
            phase=ground.phase,
            round=ground.round,
            known=known,
            declaration=declared,
        )
        stage.add(adapter.check(document, context), Rejected, "partner.refused", agreement)
        encoded: Encoded | None = None
        try:
            encoded = adapter.encode(document, context)
        except Rejected as refusal:
            stage.add(refusal.findings, type(refusal), refusal.code, agreement)
        if encoded is None:
            return None
        stage.add(losses(document, agreement, encoded), WouldLose, agreement=agreement)
        if agreement.abroad(self._directory.tenant_or_operator(submission.tenant).jurisdiction):
            encoded, findings = self._border.pass_through(
                document, adapter, context, encoded, on=on, follows=bool(submission.root_id)
            )
            stage.add(findings, Rejected, "leaving.refused", agreement)
            if encoded is None:
                return None
        return PreparedMessage(
            message_id=context.message_id,
            agreement=agreement,
            adapter=adapter.id,
            encoded=encoded,
            aliases=aliases_for(adapter, document, encoded, known if ground.opens_round else {}),
        )

    def accept(self, prepared: Prepared) -> Accepted:
        """Store it all in one write. Conflict when somebody else's filing, or the same key with another body, came first."""
        (accepted,) = self.accept_each([prepared])
        if isinstance(accepted, BaseException):
            raise accepted
        return accepted

    def accept_each(self, prepared: Sequence[Prepared]) -> list[Accepted | BaseException]:
        """accept() of each, in one commit: what it returned, or what it raised."""
        units = [_Acceptance(self, one) for one in prepared]
        stored = iter(self._store.write_each([unit for unit in units if unit.prepared.answered is None]))
        results = [one.answered or next(stored) for one in prepared]
        fresh = [
            unit
            for unit, result in zip(units, results, strict=True)
            if isinstance(result, Accepted) and not result.repeated
        ]
        if self.woken is not None and fresh:
            self.woken([message.agreement.id for unit in fresh for message in unit.prepared.messages])
        unmatched = [inbound_id for unit in fresh for inbound_id in unit.unmatched]
        if self.aliased is not None and unmatched:
            self.aliased(unmatched)
        return results

    def store_all(self, writing: Writing, prepared: Prepared, unmatched: list[str]) -> Accepted:
        """Inside of a write: everything that is kept of a filing. unmatched gets the ids of kept answers that name it."""
        submission, now = prepared.submission, self._clock()
        ground = _footing(writing, submission, prepared.document_id)
        if (ground.round, ground.phase) != (prepared.round, prepared.phase):
            finding = Finding("declaration.moved_on", found=f"round {ground.round}", expected=f"round {prepared.round}")
            raise Conflict("another filing came first", [finding], code=finding.code)
        # Another filing of the same reference may have come first; then nobody was told of it when this one was prepared.
        told = any(warning.code == FILED_BEFORE for warning in prepared.warnings)
        before = [] if told else _filed_before(writing, submission)
        document = self._store_document(writing, prepared, ground, now)
        if ground.opens_round and ground.round > 1:
            _retire(writing, ground, now)
        for message in prepared.messages:
            self._store_message(writing, prepared, document, message, now)
            found = writing.unmatched_inbound(message.agreement.id, message.aliases, _MOST_UNMATCHED)
            unmatched += [row.id for row in found]
        message_ids = tuple(message.message_id for message in prepared.messages)
        accepted = Accepted(document.id, document.root_id, message_ids, (*prepared.warnings, *before))
        if submission.idempotency_key:
            writing.put_idempotency(
                IdempotencyRow(
                    tenant=submission.tenant,
                    key=submission.idempotency_key,
                    request_digest=submission.request_digest,
                    status=202,
                    body=dump(accepted),
                    created_us=now,
                )
            )
        return accepted

    def _store_document(self, writing: Writing, prepared: Prepared, ground: Footing, now: int) -> DocumentRow:
        submission = prepared.submission
        document = DocumentRow(
            id=prepared.document_id,
            root_id=ground.root_id,
            kind=submission.kind,
            tenant=submission.tenant,
            round=ground.round,
            phase=ground.phase,
            digest=writing.put_payload(canonical_bytes(submission.document), JSON),
            created_us=now,
            reference=places.text_at(submission.document, places.REFERENCE),
        )
        writing.add_document(document)
        silence_s: dict[str, int] = {}
        for message in prepared.messages:
            silence_s |= message.agreement.silence_s
        if ground.opens_round:
            opened = standings.opening(ground.root_id, submission.tenant, ground.round, ground.phase, now, silence_s)
            writing.put_standing(opened)
        elif ground.phase in standings.PHASES_OF_REQUESTS:
            writing.put_standing(standings.opening_request(document, now, silence_s))
        about = {"root_id": document.root_id, "tenant": document.tenant, "document_id": document.id}
        if ground.opens_round and ground.round > 1:
            writing.append_event(
                timeline.entry(
                    EventType.DOCUMENT_ROUND_OPENED,
                    now,
                    actor=submission.actor,
                    round=ground.round,
                    phase=ground.phase,
                    reason=submission.reason,
                    **about,
                )
            )
        writing.append_event(
            timeline.entry(
                EventType.DOCUMENT_ACCEPTED,
                now,
                actor=submission.actor,
                kind=document.kind,
                reference=document.reference,
                round=ground.round,
                phase=ground.phase,
                **about,
            )
        )
        return document

    def _store_message(
        self, writing: Writing, prepared: Prepared, document: DocumentRow, message: PreparedMessage, now: int
    ) -> None:
        submission, agreement, encoded = prepared.submission, message.agreement, message.encoded
        _refuse_taken_name(writing, message, submission.tenant)
        tenants = {document.tenant, self._directory.operator}
        missing = waiting.unmet(waiting.Settled(writing), submission.waits_for, document.root_id, tenants)
        row = MessageRow(
            id=message.message_id,
            document_id=document.id,
            root_id=document.root_id,
            tenant=document.tenant,
            agreement=agreement.id,
            adapter=message.adapter,
            partner=agreement.partner.id,
            standard=encoded.standard,
            version=encoded.version,
            message=encoded.message,
            name=encoded.name,
            media_type=encoded.media_type,
            status=Status.ACCEPTED,
            attempts=0,
            encoded_digest=writing.put_payload(encoded.data, encoded.media_type),
            frozen_digest="",
            waiting_for=waiting.write(missing),
            reason="",
            receipt_due_us=None,
            created_us=now,
            updated_us=now,
            priority=prepared.priority,
            traceparent=submission.traceparent,
        )
        writing.add_message(row)
        writing.add_aliases(row.root_id, row.id, row.agreement, row.tenant, message.aliases)
        # What waits stands in its lane all the same, so that nothing later of the same declaration overtakes it.
        key = row.root_id if agreement.ordered_by == "declaration" else ""
        writing.enqueue(row.id, agreement.id, key, ids.NEVER_US if missing else now, prepared.priority)
        if encoded.report.withheld:
            writing.append_event(
                timeline.about(row, EventType.MESSAGE_WITHHELD, now, withheld=dict(encoded.report.withheld))
            )
        if missing:
            writing.append_event(timeline.about(row, EventType.MESSAGE_WAITING, now, waiting_for=row.waiting_for))


class _Acceptance:
    """The unit of work that stores one prepared filing. unmatched: kept answers that name what it stored."""

    def __init__(self, submitter: Submitter, prepared: Prepared) -> None:
        self._submitter = submitter
        self.prepared = prepared
        self.unmatched: list[str] = []

    def __call__(self, writing: Writing) -> Accepted:
        self.unmatched.clear()
        answered = stored_answer(writing, self.prepared.submission)
        if answered is not None:
            return answered
        return self._submitter.store_all(writing, self.prepared, self.unmatched)


def _refuse_taken_name(reading: Reading, message: PreparedMessage, tenant: str) -> None:
    """A partner that knows messages by a reference of the filer's choice would take a second one for the first.

    The filer's own message is named. Of another's nothing is said, not even that there is one.
    """
    name = message.encoded.name
    for alias in message.aliases:
        if alias.value == name and (taken := reading.find_messages(message.agreement.id, alias)):
            own = next(({"message": row.id} for row in taken if row.tenant == tenant), {})
            finding = Finding("message.name_taken", found=name, params={"agreement": message.agreement.id} | own)
            raise Conflict("this reference is in use", [finding], code=finding.code)


def _filed_before(reading: Reading, submission: Submission) -> list[Finding]:
    """A warning that names the filer's own declaration of this reference, unless that is cancelled: a new one follows it then.

    Two filings of one reference may be two declarations, so it stops nothing; where the partner knows messages by the reference
    the second is refused (message.name_taken).
    """
    reference = places.text_at(submission.document, places.REFERENCE)
    if submission.kind != places.DECLARATION or submission.root_id or not reference:
        return []
    for root_id in reading.find_roots(submission.tenant, reference, _MOST_NAMED):
        of_reference = [
            row
            for row in reading.documents_of(root_id)
            if (row.kind, row.tenant, row.reference) == (submission.kind, submission.tenant, reference)
        ]
        standing = reading.standing(root_id)
        if of_reference and standing is not None and not standings.is_cancelled(standing):
            params = {"reference": reference}
            return [Finding(FILED_BEFORE, places.REFERENCE, root_id, severity=Severity.WARNING, params=params)]
    return []


def _footing(reading: Reading, submission: Submission, document_id: str) -> Footing:
    return footing(reading, submission.kind, submission.document, submission.tenant, submission.root_id, document_id)


def _json(reading: Reading, row: DocumentRow | None) -> Json | None:
    if row is None:
        return None
    document: Json = orjson.loads(reading.payload(row.digest))
    return document


def _breaks_its_shape(findings: Iterable[Finding]) -> bool:
    """Rules of partners may take the schema for granted, so they run only where it holds."""
    return any(
        one.severity is Severity.ERROR and one.code.startswith(("document.schema", "document.shape"))
        for one in findings
    )


def _retire(writing: Writing, ground: Footing, now: int) -> None:
    """Messages of earlier rounds that wait for a person have been overtaken: nobody shall send them any more."""
    for message in ground.messages:
        if message.status is Status.PARKED:
            reason = f"replaced by round {ground.round}"
            writing.advance(message, "gave_up", now_us=now, reason=reason)
            writing.cancel_work(message.id)
            writing.append_event(timeline.about(message, EventType.MESSAGE_EXPIRED, now, reason=reason))
