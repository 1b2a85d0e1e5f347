"""What its owner does with a webhook: each act is on the timeline, by the webhook's id, and no entry knows a secret or an address.

A filer has the webhooks of its tenant and gets that tenant's events. A webhook that an operator makes gets those of every tenant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from gateway import ids
from gateway.errors import Conflict, Finding, Rejected
from gateway.events import EventType
from gateway.pipeline import timeline
from gateway.pipeline.announcing import NAMES, WAITING, delivery
from gateway.pipeline.reading import absent
from gateway.pipeline.webhook_calls import ACTIVE, DISABLED
from gateway.ports import Reading, Store, WebhookDelivery, WebhookRow, WebhookTargets, Writing

SECOND_US = 1_000_000
MOST_OF_A_TENANT = 20
PING = "webhook.ping"


class Webhooks:
    """Keeps webhooks. scope, as below: the tenant whose webhooks may be seen, None for all of them. new_secret: makes one."""

    def __init__(
        self,
        store: Store,
        targets: WebhookTargets,
        new_secret: Callable[[], str],
        clock: Callable[[], int] = ids.now_us,
    ) -> None:
        self._store = store
        self._targets = targets
        self._new_secret = new_secret
        self._clock = clock

    def create(
        self, tenant: str, scope: str | None, url: str, types: Sequence[str], description: str, *, actor: str
    ) -> WebhookRow:
        """Rejected names every fault of address and types; Conflict where the tenant has as many as it may."""
        self._check(url, types)
        now = self._clock()
        row = WebhookRow(
            id=ids.new_id(now),
            tenant=tenant,
            scope=scope or "",
            url=url,
            types=tuple(dict.fromkeys(types)),
            description=description,
            status=ACTIVE,
            reason="",
            secret=self._new_secret(),
            old_secret="",
            old_until_us=0,
            failures=0,
            failing_since_us=None,
            rest_until_us=0,
            created_us=now,
            updated_us=now,
        )

        def unit(writing: Writing) -> None:
            if len(writing.webhooks(tenant, limit=MOST_OF_A_TENANT)) >= MOST_OF_A_TENANT:
                finding = Finding("webhook.too_many", found=str(MOST_OF_A_TENANT))
                raise Conflict("the tenant has many webhooks already", [finding], code=finding.code)
            writing.begin_announcing()
            writing.add_webhook(row)
            self._tell(writing, row, "created", actor)

        self._store.write(unit)
        return row

    def change(self, webhook_id: str, scope: str | None, changes: dict[str, Any], *, actor: str) -> WebhookRow:
        """Set url, types, description or status. Active again, it goes on with what waits; what happened meanwhile is not sent."""
        self._check(changes.get("url"), changes.get("types", ()))
        if changes.get("status") == ACTIVE:
            changes = changes | {"reason": "", "failures": 0, "failing_since_us": None, "rest_until_us": 0}
        elif changes.get("status") == DISABLED:
            changes = changes | {"reason": "by_hand"}

        def unit(writing: Writing) -> WebhookRow:
            row = seen(writing, webhook_id, scope)
            writing.change_webhook(row.id, self._clock(), **changes)
            self._tell(writing, row, "changed", actor)
            return seen(writing, webhook_id, scope)

        return self._store.write(unit)

    def remove(self, webhook_id: str, scope: str | None, *, actor: str) -> None:
        """With everything that waits for it."""

        def unit(writing: Writing) -> None:
            row = seen(writing, webhook_id, scope)
            writing.remove_webhook(row.id)
            self._tell(writing, row, "removed", actor)

        self._store.write(unit)

    def rotate(self, webhook_id: str, scope: str | None, overlap_s: int, *, actor: str) -> WebhookRow:
        """Give it a new secret; calls are signed with the old one too for so long. 0: not any more."""
        secret = self._new_secret()

        def unit(writing: Writing) -> WebhookRow:
            row, now = seen(writing, webhook_id, scope), self._clock()
            old = {"old_secret": row.secret if overlap_s else "", "old_until_us": now + overlap_s * SECOND_US}
            writing.change_webhook(row.id, now, secret=secret, **old)
            self._tell(writing, row, "rotated", actor)
            return seen(writing, webhook_id, scope)

        return self._store.write(unit)

    def ping(self, webhook_id: str, scope: str | None) -> WebhookDelivery:
        """Send an event that says nothing, to see whether it arrives."""

        def unit(writing: Writing) -> WebhookDelivery:
            row, now = self._active(writing, webhook_id, scope), self._clock()
            made = delivery(row.id, "", "", PING, now, {"webhook_id": row.id}, now)
            # Nothing waits for a ping, nor it for anything.
            made = replace(made, event_id=made.id, key=made.id)
            writing.add_webhook_delivery(made)
            return made

        return self._store.write(unit)

    def resend(self, webhook_id: str, delivery_id: str, scope: str | None) -> WebhookDelivery:
        """Send a delivery again, under its id and from its first attempt on; outside of the order of its declaration.

        One that still waits is due now and keeps its place.
        """

        def unit(writing: Writing) -> WebhookDelivery:
            webhook, now = self._active(writing, webhook_id, scope), self._clock()
            row = seen_delivery(writing, webhook, delivery_id)
            if row.status == WAITING:
                # One that is on the wire is left to its worker.
                writing.move_webhook_key(webhook.id, row.key, now)
            else:
                again = {"status": WAITING, "due_us": now, "attempts": 0, "key": row.id}
                writing.change_webhook_delivery(row.id, now, **again)
            writing.change_webhook(webhook.id, now, rest_until_us=0)
            return seen_delivery(writing, webhook, delivery_id)

        return self._store.write(unit)

    def _active(self, reading: Reading, webhook_id: str, scope: str | None) -> WebhookRow:
        row = seen(reading, webhook_id, scope)
        if row.status != ACTIVE:
            finding = Finding("webhook.disabled")
            raise Conflict("the webhook is disabled", [finding], code=finding.code)
        return row

    def _check(self, url: str | None, types: Sequence[str]) -> None:
        known = ", ".join(sorted(NAMES))
        faults = [
            Finding("webhook.type.unknown", f"/types/{index}", name[:80], known)
            for index, name in enumerate(types)
            if name not in NAMES
        ]
        try:
            if url is not None:
                self._targets.check(url)
        except Rejected as problem:
            faults += problem.findings
        if faults:
            raise Rejected("the webhook cannot be kept so", faults, code=faults[0].code)

    def _tell(self, writing: Writing, row: WebhookRow, act: str, actor: str) -> None:
        kind = EventType.WEBHOOK_CHANGED
        writing.append_event(
            timeline.entry(kind, self._clock(), root_id=row.id, tenant=row.tenant, actor=actor, webhook_act=act)
        )


def seen(reading: Reading, webhook_id: str, scope: str | None) -> WebhookRow:
    """NotFound where there is none for this reader."""
    row = reading.webhook(webhook_id)
    if row is None or scope not in (None, row.tenant):
        raise absent()
    return row


def seen_delivery(reading: Reading, webhook: WebhookRow, delivery_id: str) -> WebhookDelivery:
    row = reading.webhook_delivery(delivery_id)
    if row is None or row.webhook_id != webhook.id:
        raise absent()
    return row
