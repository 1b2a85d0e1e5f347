"""What is written down after an attempt: sent, try again, nobody knows, or a person's turn; and what the breaker makes of it.

These are the only places where a message leaves SENDING by our own word. Each runs inside the unit of its caller.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.agreements import Agreement
from gateway.errors import GatewayError, NeedsOperator, OutcomeUnknown, PartnerUnavailable, Rejected
from gateway.events import EventType
from gateway.lifecycle import Rest
from gateway.pipeline import attempts, timeline
from gateway.pipeline.attempts import ASKED_AGAIN
from gateway.ports import BreakerRow, Claim, HandedOver, MessageRow, Writing


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt. problem None: it was handed over, or found at the partner. tried: whether bytes may have left."""

    handed: HandedOver | None = None
    problem: Exception | None = None
    located: bool = False
    tried: bool = True

    @property
    def word(self) -> str:
        """What came of it: ``handed_over``, ``located``, ``not_tried``, or the code of what went wrong."""
        if self.problem is None:
            return "located" if self.located else "handed_over"
        return getattr(self.problem, "code", GatewayError.code) if self.tried else "not_tried"


def not_reached(
    writing: Writing,
    agreement: Agreement,
    worker: str,
    claim: Claim,
    message: MessageRow,
    problem: PartnerUnavailable,
    tried: bool,
    breaker: BreakerRow,
    now: int,
) -> None:
    """Nothing arrived: try again after a wait, or leave it to a person when the attempts are used up. tried: it was attempted."""
    count = message.attempts if tried else message.attempts - 1
    reason = attempts.because("not reached", problem)
    if tried and attempts.exhausted(count, agreement.retry):
        park(writing, message, now, reason)
        return
    due = now + max(attempts.wait_us(count, agreement.retry), attempts.asked_wait_us(problem))
    if not tried and breaker.rest_until_us is not None:
        due = breaker.rest_until_us
    message = writing.advance(message, "not_reached", now_us=now, attempts=count, reason=reason)
    writing.append_event(
        timeline.about(
            message,
            EventType.MESSAGE_NOT_REACHED,
            now,
            attempt=message.attempts,
            tried=tried,
            reason=reason,
            next_us=due,
        )
    )
    writing.release(claim.work_id, worker, due)


def stop(writing: Writing, message: MessageRow, problem: Exception | None, now: int) -> None:
    """An attempt after which nothing more is sent by itself."""
    if isinstance(problem, Rejected):
        reason = attempts.because(attempts.REFUSED, problem)
        writing.advance(message, "refused", now_us=now, reason=reason, receipt_due_us=None, rest=Rest.REFUSED)
        writing.cancel_work(message.id)
        writing.append_event(
            timeline.about(message, EventType.MESSAGE_REFUSED, now, raw_code=problem.code, raw_text=problem.detail)
        )
    elif isinstance(problem, NeedsOperator):
        park(writing, message, now, attempts.because("not sent", problem))
    else:
        text = attempts.because("outcome unknown", problem) if problem is not None else "outcome unknown"
        lose_sight(writing, message, now, text)


def is_failure(outcome: Outcome) -> bool:
    return isinstance(outcome.problem, (PartnerUnavailable, OutcomeUnknown)) and outcome.tried


def beat(breaker: BreakerRow, agreement: Agreement, outcome: Outcome, now: int) -> BreakerRow:
    if not outcome.tried or isinstance(outcome.problem, NeedsOperator):
        return breaker
    if is_failure(outcome):
        return attempts.after_failure(breaker, agreement.partner, now)
    return attempts.closed(agreement.partner)


def tell_breaker(writing: Writing, operator: str, before: BreakerRow, after: BreakerRow, now: int) -> None:
    was_resting, rests = before.rest_until_us is not None, after.rest_until_us is not None
    if was_resting == rests:
        return
    kind = EventType.BREAKER_OPENED if rests else EventType.BREAKER_CLOSED
    writing.append_event(
        timeline.entry(
            kind, now, root_id="", tenant=operator, partner=after.partner, failures=after.failures,
            rest_until_us=after.rest_until_us,
        )
    )  # fmt: skip


def park(writing: Writing, message: MessageRow, now: int, reason: str, actor: str = "gateway") -> None:
    """Leave a message to a person. IllegalMove where its status knows no such step."""
    writing.advance(message, "stuck", now_us=now, reason=reason, receipt_due_us=None)
    writing.hold(message.id)
    writing.append_event(timeline.about(message, EventType.MESSAGE_PARKED, now, actor=actor, reason=reason))


def lose_sight(writing: Writing, message: MessageRow, now: int, reason: str) -> None:
    """A message in SENDING about which nobody knows anything. It keeps its place in its lane; finding out begins."""
    writing.advance(message, "lost_sight", now_us=now, reason=reason)
    writing.hold(message.id)
    writing.append_event(timeline.about(message, EventType.MESSAGE_OUTCOME_UNKNOWN, now, reason=reason))


def enqueue(writing: Writing, agreement: Agreement, message: MessageRow, due_us: int) -> None:
    """Put a message back into its lane, where it never stands twice."""
    key = message.root_id if agreement.ordered_by == "declaration" else ""
    writing.requeue(message.id, agreement.id, key, due_us, message.priority)


def send_again_later(writing: Writing, agreement: Agreement, message: MessageRow, now: int) -> None:
    """The partner wants the same bytes again once another document is there: a delay passes, or a wake-up comes."""
    reason = f"{ASKED_AGAIN}: {message.waiting_for}"[: attempts.LONGEST_REASON]
    message = writing.advance(
        message, "asked_again", now_us=now, reason=reason, receipt_due_us=None, rest=Rest.ASKED_AGAIN
    )
    due = now + attempts.wait_us(message.attempts, agreement.retry)
    enqueue(writing, agreement, message, due)
    writing.append_event(
        timeline.about(message, EventType.MESSAGE_WAITING, now, waiting_for=message.waiting_for, next_us=due)
    )
