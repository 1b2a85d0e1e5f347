"""When to try again, and when to leave a partner in peace: the arithmetic of retries and breakers, without a clock."""

from __future__ import annotations

import random
from dataclasses import dataclass

from gateway.agreements import Agreement, Partner, Retry
from gateway.errors import GatewayError
from gateway.lifecycle import AFRESH
from gateway.ports import BreakerRow, MessageRow

SECOND_US = 1_000_000
LONGEST_REASON = 1_000
_MOST_DIGITS = 8  # of seconds that a partner may ask us to wait: a hundred days
# A reason begins with the word that says why a message rests; people read the rest.
REFUSED = "refused"
ASKED_AGAIN = "asked again"
RECEIPT_OVERDUE = "receipt overdue"


def because(word: str, problem: BaseException) -> str:
    """A reason of a message: the word, the code, and what the partner or our own settings said, cut to a decent length."""
    code = problem.code if isinstance(problem, GatewayError) else type(problem).__name__
    detail = problem.detail if isinstance(problem, GatewayError) else "a fault of the gateway, see its log"
    return f"{word}: {code}: {detail}"[:LONGEST_REASON]


def goes_afresh(message: MessageRow) -> bool:
    """Whether it is sent without asking first whether the partner has it."""
    return message.rest in AFRESH


def exhausted(attempts: int, retry: Retry) -> bool:
    """Whether a run of attempts is used up. A redriven message begins the next run and keeps its count."""
    return attempts > 0 and attempts % retry.attempts == 0


def wait_us(attempts: int, retry: Retry) -> int:
    """How long to wait after this many attempts: first_s, growing by factor up to cap_s, give or take the jitter."""
    place = (max(attempts, 1) - 1) % retry.attempts
    # Above this exponent the cap has long been reached; a float would overflow.
    seconds = min(retry.cap_s, retry.first_s * retry.factor ** min(place, 64))
    return int(seconds * (1 + retry.jitter * random.uniform(-1, 1)) * SECOND_US)  # noqa: S311 - no secret


def asked_wait_us(problem: GatewayError) -> int:
    """How long the partner itself asked us to wait (Retry-After), 0 where it did not say."""
    asked = [finding.params["retry_after_s"] for finding in problem.findings if "retry_after_s" in finding.params]
    plain = bool(asked) and asked[0].isascii() and asked[0].isdigit() and len(asked[0]) < _MOST_DIGITS
    return int(asked[0]) * SECOND_US if plain else 0


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a partner's breaker lets through now: limit messages, or one on trial."""

    limit: int
    trial: bool = False


def pulse(breaker: BreakerRow, now_us: int, limit: int) -> Pulse:
    if breaker.rest_until_us is None:
        return Pulse(limit)
    return Pulse(0) if now_us < breaker.rest_until_us else Pulse(1, trial=True)


def after_failure(breaker: BreakerRow, partner: Partner, now_us: int) -> BreakerRow:
    """One more failure in a row; after the agreed number, and after a failed trial, the partner rests."""
    failures = breaker.failures + 1
    rests = failures >= partner.failures_before_rest or breaker.rest_until_us is not None
    until = now_us + partner.rest_s * SECOND_US if rests else None
    return BreakerRow(partner.id, failures, until)


def closed(partner: Partner) -> BreakerRow:
    return BreakerRow(partner.id, 0, None)


def receipt_due_us(agreement: Agreement, now_us: int) -> int:
    return now_us + agreement.receipt_timeout_s * SECOND_US
