"""One delivery after the other to a webhook's target, and what follows from each answer.

2xx: delivered. 410: the target wants no more, so the webhook is disabled. Anything else, a redirect and a silence included: again
later, by the table of Standard Webhooks ("Delivery retries"), each wait lengthened at random by up to a fifth, and not before the time
that the target names (Retry-After). What has failed at the last attempt stays failed until somebody sends it again. A target that
fails again and again rests as a whole, so that a backlog does not hammer it; one that did nothing else for three days is disabled.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway import ids
from gateway.events import EventType
from gateway.pipeline import timeline
from gateway.pipeline.announcing import DELIVERED, FAILED, WAITING
from gateway.ports import Called, Event, Store, WebhookDelivery, WebhookRow, WebhookTargets, Writing

SECOND_US = 1_000_000
MINUTE_S, HOUR_S = 60, 3_600
# Waits before the second, third ... attempt; with the first they are ten.
WAITS_S = (5, 5 * MINUTE_S, 30 * MINUTE_S, *(hours * HOUR_S for hours in (2, 5, 10, 14, 20, 24)))
JITTER = 0.2
# From so many failures in a row on a target rests, for 2, 4, 8 ... seconds and at most so long.
PATIENT_FOR, LONGEST_REST_S = 5, 300
DISABLED_AFTER_S = 72 * HOUR_S
# Longer than any call takes; then a delivery of a dead worker is taken by another.
LEASE_S = 120
# A target gets its turn for so long, then others that wait for a thread.
TURN_S = 10
GONE = 410
ACTIVE, DISABLED = "active", "disabled"
FAULT_TITLES = {
    "forbidden": ("The target may not be called any more", "目标地址已不允许访问"),
    "unresolved": ("The name of the target has no address", "目标域名无法解析"),
    "connection": ("No connection, or it broke", "无法连接或连接中断"),
    "tls": ("TLS failed, the certificate perhaps", "TLS 失败，可能是证书问题"),
    "timeout": ("No answer in time", "超时未应答"),
    "unreadable": ("The answer was no HTTP", "应答不是有效的 HTTP"),
}

# Why a webhook is disabled.
DISABLED_TITLES = {
    "gone": ("The target wants no more (410)", "目标地址不再接收（410）"),
    "failing": ("Nothing arrived there for three days", "连续三天推送失败"),
    "by_hand": ("By its owner", "由所有者停用"),
}

Headers = Callable[[Sequence[str], str, int, bytes], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of a turn. sent: attempts; slowest_ms: the longest of them."""

    sent: int
    slowest_ms: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from an answer: the delivery, columns of the webhook, and what is said on the timeline."""

    delivery: WebhookDelivery
    changes: dict[str, Any]
    event: Event | None = None


class WebhookCalls:
    """Makes the calls of one worker. headers: signs (gateway.signing.standard_webhooks.signed_headers)."""

    def __init__(
        self,
        store: Store,
        targets: WebhookTargets,
        headers: Headers,
        worker: str,
        *,
        clock: Callable[[], int] = ids.now_us,
    ) -> None:
        self._store = store
        self._targets = targets
        self._headers = headers
        self._worker = worker
        self._clock = clock
        self._halted = threading.Event()

    def halt(self) -> None:
        """Begin no further call."""
        self._halted.set()

    def run(self, webhook_id: str) -> Turn:
        """Deliver what is due, one after the other, for the time of a turn. Several threads may do so for one webhook."""
        until_us = self._clock() + TURN_S * SECOND_US
        sent = slowest_ms = 0
        taken = self._store.write(lambda writing: self._take(writing, webhook_id))
        while taken:
            webhook, row = taken
            answer = self._call(webhook, row)
            sent, slowest_ms = sent + 1, max(slowest_ms, answer.took_ms)
            go_on = not self._halted.is_set() and self._clock() < until_us
            taken = self._settle(row, answer, go_on)
        return Turn(sent, slowest_ms)

    def _take(self, writing: Writing, webhook_id: str) -> tuple[WebhookRow, WebhookDelivery] | None:
        now, webhook = self._clock(), writing.webhook(webhook_id)
        if self._halted.is_set() or webhook is None or webhook.status != ACTIVE or webhook.rest_until_us > now:
            return None
        claimed = writing.claim_webhook_deliveries(webhook_id, self._worker, 1, now, LEASE_S)
        return (webhook, claimed[0]) if claimed else None

    def _call(self, webhook: WebhookRow, row: WebhookDelivery) -> Called:
        now, body = self._clock(), row.body.encode()
        secrets = [webhook.secret, *([webhook.old_secret] if webhook.old_until_us > now else [])]
        return self._targets.post(webhook.url, self._headers(secrets, row.id, now // SECOND_US, body), body)

    def _settle(self, row: WebhookDelivery, answer: Called, go_on: bool) -> tuple[WebhookRow, WebhookDelivery] | None:
        """Write what came of a call, and take the next in the same commit."""

        def unit(writing: Writing) -> tuple[WebhookRow, WebhookDelivery] | None:
            webhook = writing.webhook(row.webhook_id)
            if webhook is None:
                return None
            verdict = judge(webhook, row, answer, self._clock(), random.SystemRandom().random())
            if writing.settle_webhook_delivery(verdict.delivery, self._worker):
                self._follow(writing, webhook, verdict)
            return self._take(writing, webhook.id) if go_on else None

        return self._store.write(unit)

    def _follow(self, writing: Writing, webhook: WebhookRow, verdict: Verdict) -> None:
        settled = verdict.delivery
        if verdict.changes:
            writing.change_webhook(webhook.id, settled.updated_us, **verdict.changes)
        # Who waits behind it is not looked at before it may go.
        next_us = settled.due_us if settled.status == WAITING else settled.updated_us
        writing.move_webhook_key(webhook.id, settled.key, next_us)
        if verdict.event is not None:
            writing.append_event(verdict.event)


def judge(webhook: WebhookRow, row: WebhookDelivery, answer: Called, now_us: int, chance: float) -> Verdict:
    """What follows from an answer. chance: from 0 to 1, how much a wait is lengthened."""
    row = replace(row, updated_us=now_us, log=(*row.log, _attempt(row, answer, now_us)))
    if 200 <= answer.status < 300:
        good = {"failures": 0, "failing_since_us": None, "rest_until_us": 0} if webhook.failures else {}
        return Verdict(replace(row, status=DELIVERED, due_us=now_us), good)
    since_us = now_us if webhook.failing_since_us is None else webhook.failing_since_us
    changes = {"failures": webhook.failures + 1, "failing_since_us": since_us}
    if answer.status == GONE:
        failed = replace(row, status=FAILED, due_us=now_us)
        return Verdict(failed, changes | _disabled("gone"), _told(webhook, "gone", now_us))
    changes["rest_until_us"] = now_us + _rest_s(webhook.failures + 1, answer) * SECOND_US
    if row.attempts > len(WAITS_S):
        row = replace(row, status=FAILED, due_us=now_us)
    else:
        wait_s = max(WAITS_S[row.attempts - 1], answer.retry_after_s or 0)
        row = replace(row, status=WAITING, due_us=now_us + round(wait_s * (1 + JITTER * chance) * SECOND_US))
    if webhook.status == ACTIVE and now_us - since_us >= DISABLED_AFTER_S * SECOND_US:
        return Verdict(row, changes | _disabled("failing"), _told(webhook, "failing", now_us))
    return Verdict(row, changes)


def _rest_s(failures: int, answer: Called) -> int:
    """How long the target is left alone altogether."""
    if answer.retry_after_s:
        return answer.retry_after_s
    beyond = failures - PATIENT_FOR
    return min(2 ** min(beyond + 1, 16), LONGEST_REST_S) if beyond >= 0 else 0


def _attempt(row: WebhookDelivery, answer: Called, now_us: int) -> dict[str, Any]:
    members = {
        "number": row.attempts,
        "at_us": now_us,
        "status": answer.status,
        "fault": answer.fault,
        "took_ms": answer.took_ms,
        "head": answer.head,
    }
    return {name: value for name, value in members.items() if value not in (0, "") or name == "took_ms"}


def _disabled(reason: str) -> dict[str, Any]:
    return {"status": DISABLED, "reason": reason}


def _told(webhook: WebhookRow, reason: str, now_us: int) -> Event:
    return timeline.entry(
        EventType.WEBHOOK_DISABLED, now_us, root_id=webhook.id, tenant=webhook.tenant, disabled=reason
    )
