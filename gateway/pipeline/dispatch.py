"""Sending what was accepted: claim, sign, freeze, commit "sending", send, write down what came of it.

Rule 1: the bytes are frozen once; every later attempt sends the same.
Rule 2: "sending" is on disk before the first byte leaves. Who finds it stale knows nothing, so the message is UNKNOWN.
Rule 3: before anything is sent a second time, the transport is asked whether the partner has it.
Rule 4: what one message or one partner does never stops the batch, nor another partner.
A batch costs three commits: the claim, "sending", the outcomes; the partner's immediate replies are stored before the last.
Where nobody can say afterwards what arrived, a batch is sent in small portions, since a crash leaves each begun one in doubt.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Protocol

from gateway import ids
from gateway.agreements import Agreement, Directory
from gateway.errors import NeedsOperator, OutcomeUnknown, PartnerUnavailable, Rejected, trace
from gateway.events import EventType
from gateway.lifecycle import ASKED_IN_VAIN, WAS_THERE, Rest, Status
from gateway.pipeline import attempts, timeline
from gateway.pipeline.kept import MOST_AT_ONCE
from gateway.pipeline.outcomes import (
    Outcome,
    beat,
    enqueue,
    is_failure,
    lose_sight,
    not_reached,
    park,
    send_again_later,
    stop,
    tell_breaker,
)
from gateway.ports import (
    BreakerRow,
    Claim,
    HandedOver,
    InboundRow,
    Incoming,
    MessageRow,
    MessageSecurity,
    Outgoing,
    Store,
    Transport,
    Writing,
)
from gateway.watch import traces
from gateway.watch.context import about
from gateway.watch.metrics import ATTEMPTS, SEND_SECONDS

LOG = logging.getLogger(__name__)
# Where nobody can be asked afterwards, few messages are risked at once; elsewhere a commit is shared by many.
MOST_IN_DOUBT, MOST_IN_FLIGHT = 4, 64
READY = frozenset({Status.ACCEPTED, Status.SIGNED})
# These keep their place, so that nothing later of the same declaration passes them.
IN_DOUBT = frozenset({Status.UNKNOWN, Status.PARKED})


class ReplySink(Protocol):
    """Where replies on the open connection go, and who tries kept replies again once a message has new ids; that never raises."""

    def receive(self, incoming: Incoming) -> object: ...
    def retry_kept(self, inbound_ids: Sequence[str]) -> None: ...


@dataclass(slots=True)
class _Job:
    claim: Claim
    message: MessageRow
    data: bytes = b""
    afresh: bool = False


class _Run:
    """Failures in a row while a portion is sent; too many, and the rest is not tried. trial: one message that is tried anyway."""

    def __init__(self, failures: int, most: int, trial: bool) -> None:
        self._failures = failures
        self._most = most
        self._trial = trial
        self._gate = threading.Lock()

    @property
    def over(self) -> bool:
        return self._failures >= self._most and not self._trial

    def note(self, *, failed: bool) -> None:
        with self._gate:
            self._failures = self._failures + 1 if failed else 0


class Dispatcher:
    """One for all lanes of a process; run_lane() may be called by many threads, also for one lane."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        transports: Mapping[str, Transport],
        security: MessageSecurity,
        receiver: ReplySink,
        *,
        lease_s: int = 30,
        clock: Callable[[], int] = ids.now_us,
    ) -> None:
        self._store = store
        self._directory = directory
        self._transports = transports
        self._security = security
        self._receiver = receiver
        self._lease_s = lease_s
        self._clock = clock
        self._held: dict[int, str] = {}
        self._gate = threading.Lock()
        self._halted = threading.Event()
        self._telling: set[str] = set()
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._risks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def halt(self) -> None:
        """Send nothing more from now on; what is claimed and not yet begun goes back to its lane."""
        self._halted.set()

    def run_lane(self, agreement_id: str, worker: str, limit: int) -> int:
        """Send up to limit due messages of one agreement; how many claims were dealt with."""
        agreement = self._directory.agreements[agreement_id]
        jobs, settled, trial = self._claim(agreement, worker, limit)
        if not jobs:
            return settled
        with self._gate:
            self._held |= {job.claim.work_id: worker for job in jobs}
        try:
            signed = self._signed(agreement, jobs)
            portion = self._portion(agreement, jobs[0])
            for first in range(0, len(signed), portion):
                with self._risk(agreement, portion):
                    ready = self._begin(agreement, worker, signed[first : first + portion])
                    self._conclude(agreement, worker, self._send_all(agreement, ready, trial=trial))
        finally:
            with self._gate:
                for job in jobs:
                    self._held.pop(job.claim.work_id, None)
        return settled + len(jobs)

    def keep_leases(self) -> None:
        """Lengthen the leases of everything being sent right now; called more often than a lease lasts."""
        with self._gate:
            by_worker: dict[str, list[int]] = {}
            for work_id, worker in self._held.items():
                by_worker.setdefault(worker, []).append(work_id)
        if not by_worker:
            return

        def unit(writing: Writing) -> None:
            for worker, work_ids in by_worker.items():
                writing.extend(work_ids, worker, self._clock(), self._lease_s)

        self._store.write(unit)

    def _claim(self, agreement: Agreement, worker: str, limit: int) -> tuple[list[_Job], int, bool]:
        """Due messages that can be sent; what cannot any more is settled in the same write."""

        def unit(writing: Writing) -> tuple[list[_Job], int, bool]:
            now = self._clock()
            breaker = writing.breaker(agreement.partner.id)
            allowed = attempts.pulse(breaker, now, limit)
            if not allowed.limit:
                return [], 0, False
            claims = writing.claim(agreement.id, worker, allowed.limit, now, self._lease_s)
            jobs, settled = [], 0
            for claim in claims:
                message = writing.message(claim.message_id)
                if message is not None and message.status in READY:
                    jobs.append(_Job(claim, message, afresh=attempts.goes_afresh(message)))
                    continue
                settled += 1
                if message is not None and message.status is Status.SENDING:
                    lose_sight(writing, message, now, "the worker that sent it died")
                elif message is not None and message.status in IN_DOUBT:
                    # Woken, because what it waited for has come, while a person or an answer is still awaited.
                    writing.hold(message.id)
                else:
                    writing.finish(claim.work_id, worker)
            if jobs and allowed.trial:
                # The others go on resting while this one message is on trial.
                writing.put_breaker(replace(breaker, rest_until_us=now + self._lease_s * attempts.SECOND_US))
            return jobs, settled, allowed.trial

        return self._store.write(unit)

    def _portion(self, agreement: Agreement, job: _Job) -> int:
        """How many messages may be on the wire at once: as many of them are in doubt when this process dies."""
        if agreement.drops_doubles or agreement.id in self._telling:
            return MOST_IN_FLIGHT
        try:
            tells = self._transports[agreement.id].locate(_outgoing(job.message, job.data, afresh=False)) is not None
        except Exception:  # noqa: BLE001 - sending will say what is wrong
            return MOST_IN_DOUBT
        if tells:
            self._telling.add(agreement.id)
        return MOST_IN_FLIGHT if tells else MOST_IN_DOUBT

    def _risk(self, agreement: Agreement, portion: int) -> AbstractContextManager[object]:
        """Where few messages may be in doubt, one portion at a time, whoever sends it."""
        if portion != MOST_IN_DOUBT:
            return nullcontext()
        with self._gate:
            return self._risks[agreement.id]

    def _signed(self, agreement: Agreement, jobs: list[_Job]) -> list[tuple[_Job, Exception | None]]:
        signed: list[tuple[_Job, Exception | None]] = []
        with self._store.read() as reading:
            for job in jobs:
                job.data = reading.payload(job.message.frozen_digest or job.message.encoded_digest)
        for job in jobs:
            problem: Exception | None = None
            if not job.message.frozen_digest:
                try:
                    with _span("sign", job.message):
                        job.data = self._security.protect(job.data, agreement)
                except Exception as failure:  # noqa: BLE001 - one message's failure never stops the batch
                    _log_surprise(job.message, failure)
                    problem = failure
            signed.append((job, problem))
        return signed

    def _begin(self, agreement: Agreement, worker: str, signed: list[tuple[_Job, Exception | None]]) -> list[_Job]:
        """Freeze and say "sending", all in one write; those that somebody else has moved meanwhile are left alone."""

        def unit(writing: Writing) -> list[_Job]:
            now, ready = self._clock(), []
            for job, problem in signed:
                message = writing.message(job.message.id)
                if message is None or message.status not in READY:
                    writing.release(job.claim.work_id, worker, now + self._lease_s * attempts.SECOND_US)
                elif problem is not None:
                    park(writing, message, now, attempts.because("not signed", problem))
                else:
                    ready.append(replace_message(job, _start(writing, message, job, now)))
            # A fresh claim has most of its lease before it, and keep_leases() sees to the rest.
            soon = now + self._lease_s * attempts.SECOND_US // 2
            ending = [job.claim.work_id for job in ready if job.claim.lease_until_us < soon]
            writing.extend(ending, worker, now, self._lease_s)
            return ready

        return self._store.write(unit)

    def _send_all(self, agreement: Agreement, jobs: list[_Job], *, trial: bool) -> list[tuple[_Job, Outcome]]:
        """Send them all, as many at a time as the agreement says, whoever sends; no two of one key are ever out together."""
        if not jobs:
            return []
        with self._store.read() as reading:
            run = _Run(reading.breaker(agreement.partner.id).failures, agreement.partner.failures_before_rest, trial)
        if agreement.parallel == 1:
            return [(job, self._attempt(agreement, job, run)) for job in jobs]
        outcomes = self._senders(agreement).map(lambda job: self._attempt(agreement, job, run), jobs)
        return list(zip(jobs, outcomes, strict=True))

    def _senders(self, agreement: Agreement) -> ThreadPoolExecutor:
        with self._gate:
            found = self._pools.get(agreement.id)
            if found is None:
                found = ThreadPoolExecutor(agreement.parallel, thread_name_prefix=f"send-{agreement.id}")
                self._pools[agreement.id] = found
            return found

    def _attempt(self, agreement: Agreement, job: _Job, run: _Run) -> Outcome:
        if self._halted.is_set():
            return Outcome(problem=PartnerUnavailable("the gateway is stopping"), tried=False)
        if run.over:
            return Outcome(problem=PartnerUnavailable("the partner is resting"), tried=False)
        message = job.message
        trace_id = traces.trace_id(message.traceparent)
        with about(message_id=message.id, declaration_id=message.root_id, agreement=agreement.id, trace_id=trace_id):
            begun = time.perf_counter()
            with _span("send", job.message, traces.CLIENT) as sending:
                outcome = self._send(agreement, job, sending.traceparent)
                if outcome.problem is not None:
                    sending.fail(outcome.word)
            SEND_SECONDS.observe(time.perf_counter() - begun, agreement.id)
            ATTEMPTS.count(agreement.id, outcome.word)
            LOG.info("attempt %d: %s", job.message.attempts, outcome.word)
        run.note(failed=is_failure(outcome))
        return outcome

    def _send(self, agreement: Agreement, job: _Job, traceparent: str) -> Outcome:
        transport = self._transports[agreement.id]
        outgoing = replace(_outgoing(job.message, job.data, afresh=job.afresh), traceparent=traceparent)
        try:
            if outgoing.attempt > 1 and transport.locate(outgoing):
                return Outcome(HandedOver("found at the partner, not sent again"), located=True)
            handed = transport.send(outgoing)
        except (PartnerUnavailable, OutcomeUnknown, Rejected, NeedsOperator) as problem:
            return Outcome(problem=problem)
        except Exception as problem:  # noqa: BLE001 - a fault of ours says nothing about what arrived
            _log_surprise(job.message, problem)
            return Outcome(problem=OutcomeUnknown(f"{type(problem).__name__} while sending"))
        if handed.immediate_reply is not None and not self._keeps_reply(agreement, job.message, handed.immediate_reply):
            return Outcome(problem=OutcomeUnknown("it was taken, but the answer that came with it could not be kept"))
        return Outcome(handed)

    def _keeps_reply(self, agreement: Agreement, message: MessageRow, data: bytes) -> bool:
        """Store what came back on the open connection, before we write down that it was handed over: nobody sends it again.

        Where that fails, the message must not pass for simply sent: what the partner said of it is lost, and a person must know.
        """
        reference = f"{message.id}/{message.attempts}"
        try:
            self._receiver.receive(Incoming(agreement.id, reference, data, self._clock()))
        except Exception as problem:  # noqa: BLE001 - whatever it is, the message is in doubt and the batch goes on
            _log_surprise(message, problem)
            return False
        return True

    def _conclude(self, agreement: Agreement, worker: str, outcomes: list[tuple[_Job, Outcome]]) -> None:
        if not outcomes:
            return

        def unit(writing: Writing) -> list[str]:
            now = self._clock()
            breaker = before = writing.breaker(agreement.partner.id)
            freed: list[str] = []
            for job, outcome in outcomes:
                breaker = beat(breaker, agreement, outcome, now)
                freed += self._write_down(writing, agreement, worker, job, outcome, breaker, now)
            if breaker != before:
                writing.put_breaker(breaker)
            tell_breaker(writing, self._directory.operator, before, breaker, now)
            return list(dict.fromkeys(freed))

        # One kept answer must not undo the outcomes of a batch, so these are on disk first.
        self._receiver.retry_kept(self._store.write(unit))

    def _write_down(
        self,
        writing: Writing,
        agreement: Agreement,
        worker: str,
        job: _Job,
        outcome: Outcome,
        breaker: BreakerRow,
        now: int,
    ) -> list[str]:
        """What came of one message; the kept deliveries that name an id which it has now."""
        message, problem = writing.message(job.message.id), outcome.problem
        if message is None:
            writing.finish(job.claim.work_id, worker)
        elif problem is None and outcome.handed is not None:
            return self._handed_over(writing, agreement, job, message, outcome, now)
        elif isinstance(problem, PartnerUnavailable) and message.status is Status.SENDING:
            not_reached(writing, agreement, worker, job.claim, message, problem, outcome.tried, breaker, now)
        elif message.status is Status.SENDING:
            stop(writing, message, problem, now)
        else:
            writing.finish(job.claim.work_id, worker)
        return []

    def _handed_over(
        self,
        writing: Writing,
        agreement: Agreement,
        job: _Job,
        message: MessageRow,
        outcome: Outcome,
        now: int,
    ) -> list[str]:
        assert outcome.handed is not None
        due = attempts.receipt_due_us(agreement, now)
        # Its lease ran out and somebody called it UNKNOWN, or a receipt overtook this note: both are in order.
        step = {Status.SENDING: "handed_over", Status.UNKNOWN: "located"}.get(message.status)
        if step is not None:
            message = writing.advance(message, step, now_us=now, receipt_due_us=due, reason="", rest=Rest.NONE)
        kind = EventType.MESSAGE_LOCATED if outcome.located else EventType.MESSAGE_HANDED_OVER
        writing.append_event(
            timeline.about(
                message, kind, now, note=outcome.handed.note, name=message.name, attempt=job.message.attempts
            )
        )
        if message.status in (Status.SENT, Status.DELIVERED):
            # Not by the claim: who lost its lease finds the work held for a message that was called UNKNOWN meanwhile.
            writing.cancel_work(message.id)
        freed: list[InboundRow] = []
        if outcome.handed.aliases:
            writing.add_aliases(message.root_id, message.id, agreement.id, message.tenant, outcome.handed.aliases)
            freed = writing.unmatched_inbound(agreement.id, outcome.handed.aliases, MOST_AT_ONCE)
        if message.waiting_for and message.status is Status.SENT:
            # The partner asked for another document while we were still sending this one.
            send_again_later(writing, agreement, message, now)
        return [row.id for row in freed]

    def find_out(self, message_id: str) -> Status | None:
        """Ask where an UNKNOWN message is and act on the answer; the status afterwards."""
        with self._store.read() as reading:
            message = reading.message(message_id)
            if message is None or message.agreement not in self._directory.agreements:
                return None
            if message.status is not Status.UNKNOWN:
                return message.status
            data = reading.payload(message.frozen_digest)
            breaker = reading.breaker(message.partner)
        if breaker.rest_until_us is not None and breaker.rest_until_us > self._clock():
            return message.status
        agreement = self._directory.agreements[message.agreement]
        try:
            there = self._transports[agreement.id].locate(_outgoing(message, data, afresh=False))
        except (PartnerUnavailable, OutcomeUnknown, NeedsOperator, Rejected) as problem:
            LOG.info("cannot ask for a message: %s", problem.code, extra={"message_id": message_id})
            return message.status
        return self._store.write(lambda writing: self._found_out(writing, agreement, message_id, there))

    def _found_out(self, writing: Writing, agreement: Agreement, message_id: str, there: bool | None) -> Status | None:
        now, message = self._clock(), writing.message(message_id)
        if message is None or message.status is not Status.UNKNOWN:
            return None if message is None else message.status
        overdue = message.rest in WAS_THERE
        if there:
            due = None if overdue else attempts.receipt_due_us(agreement, now)
            message = writing.advance(message, "located", now_us=now, receipt_due_us=due, reason="", rest=Rest.NONE)
            writing.cancel_work(message.id)
            writing.append_event(timeline.about(message, EventType.MESSAGE_LOCATED, now, name=message.name))
            return message.status
        # What was handed over once and is not found later may have been tidied away: absence proves nothing there.
        absent = there is False and not overdue
        if absent or agreement.drops_doubles:
            note = "not found there" if absent else "nobody can tell; the partner drops doubles"
            message = writing.advance(message, "not_there", now_us=now, reason=note, rest=Rest.NONE)
            enqueue(writing, agreement, message, now)
            writing.append_event(timeline.about(message, EventType.MESSAGE_NOT_THERE, now, note=note))
            return Status.SIGNED
        if message.rest not in ASKED_IN_VAIN:
            # Written once; from now on it is a person's move.
            writing.update_message(message.id, now, rest=Rest.NOT_FOUND if overdue else Rest.NOBODY_TELLS)
        return message.status


def replace_message(job: _Job, message: MessageRow) -> _Job:
    job.message = message
    return job


def _start(writing: Writing, message: MessageRow, job: _Job, now: int) -> MessageRow:
    attempt = message.attempts + 1
    if message.frozen_digest:
        message = writing.advance(message, "started", now_us=now, attempts=attempt, waiting_for="")
    else:
        digest = writing.put_payload(job.data, message.media_type)
        steps = ("signed", "started") if message.status is Status.ACCEPTED else ("started",)
        message = writing.advance(message, *steps, now_us=now, frozen_digest=digest, attempts=attempt, waiting_for="")
        writing.append_event(timeline.about(message, EventType.MESSAGE_SIGNED, now, digest=digest))
    writing.append_event(timeline.about(message, EventType.MESSAGE_SENDING, now, attempt=attempt, name=message.name))
    return message


def _outgoing(message: MessageRow, data: bytes, *, afresh: bool) -> Outgoing:
    """The bytes for the transport. attempt 1 says that no copy over there counts: none was sent, or they asked again."""
    return Outgoing(
        message_id=message.id,
        name=message.name,
        data=data,
        media_type=message.media_type,
        attempt=1 if afresh else max(message.attempts, 1),
        message=message.message,
    )


def _span(name: str, message: MessageRow, kind: str = traces.INTERNAL) -> traces.span:
    ids_of_it = {"message_id": message.id, "declaration_id": message.root_id, "agreement": message.agreement}
    return traces.span(name, message.traceparent, ids_of_it, kind=kind)


def _log_surprise(message: MessageRow, problem: Exception) -> None:
    if not isinstance(problem, (Rejected, NeedsOperator)):
        LOG.error("a fault of ours: %s", trace(problem), extra={"message_id": message.id})
