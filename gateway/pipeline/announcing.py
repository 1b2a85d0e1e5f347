"""From the timeline to webhooks: each event becomes a delivery for every webhook that wants it, once.

Events are taken by their positions, so none is passed over, and how far this went is stored in the same commit as what it made. Of
several workers one makes a step; the others find it made. Where nobody wants anything nothing is written for a while: each worker
remembers for itself how far it has looked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import orjson

from gateway import ids
from gateway.events import EventType
from gateway.ports import Event, Json, Store, WebhookDelivery, WebhookRow, Writing

PAGE = 500
# So far a worker looks ahead of what is stored, where nobody wants anything.
UNWRITTEN = 5_000
WAITING, DELIVERED, FAILED = "waiting", "delivered", "failed"
DAY_US = 86_400 * 1_000_000
# Deliveries that are over are kept so long, for those who look for what they missed.
KEPT_DAYS = 30


def name_of(kind: EventType) -> str:
    """How webhooks call an event: ``document.state.changed`` (Standard Webhooks, "Event types": full stops, no other marks)."""
    return kind.value.replace(":", ".").replace("-", "_")


NAMES = frozenset(name_of(kind) for kind in EventType)


class Announcer:
    """Looks for events that were not announced yet. base: where links begin."""

    def __init__(self, store: Store, base: str, clock: Callable[[], int] = ids.now_us) -> None:
        self._store = store
        self._base = base.rstrip("/")
        self._clock = clock
        self._looked = 0

    def run_once(self) -> int:
        """One step; how many events were looked at."""
        with self._store.read() as reading:
            stored = reading.announced()
            if stored is None:
                return 0
            events = reading.events_behind(max(stored, self._looked), PAGE)
            webhooks = reading.active_webhooks() if events else []
        if not events:
            return 0
        last = events[-1].position or 0
        made = [self._delivery(webhook, event) for event in events for webhook in wanting(webhooks, event)]

        def unit(writing: Writing) -> bool:
            moved = writing.announce(last, stored)
            for row in made if moved else ():
                writing.add_webhook_delivery(row)
            return moved

        if made or last - stored > UNWRITTEN:
            self._looked = last if self._store.write(unit) else 0
        else:
            self._looked = last
        return len(events)

    def forget(self) -> int:
        """Forget deliveries that were over long ago; how many."""
        total = 0
        before_us = self._clock() - KEPT_DAYS * DAY_US
        while done := self._store.write(lambda writing: writing.forget_webhook_deliveries(before_us)):
            total += done
        return total

    def _delivery(self, webhook: WebhookRow, event: Event) -> WebhookDelivery:
        now = self._clock()
        return delivery(webhook.id, event.id, event.root_id, name_of(event.type), event.at_us, self._data(event), now)

    def _data(self, event: Event) -> Json:
        """Ids, states and links, and nothing else of what the event knows: a webhook's host may stand anywhere, so whoever may see
        more asks for it with a key."""
        links = {}
        if event.document_id or event.message_id:
            links["declaration"] = f"{self._base}/v1/declarations/{event.root_id}"
            links["timeline"] = f"{self._base}/v1/declarations/{event.root_id}/timeline"
        if event.message_id:
            links["message"] = f"{self._base}/v1/messages/{event.message_id}"
        told = {
            "event_id": event.id,
            "position": event.position,
            "declaration_id": event.root_id if links else "",
            "document_id": event.document_id,
            "message_id": event.message_id,
            "states": {track: moved[1] for track, moved in event.data.get("changed", {}).items()},
            "links": links,
        }
        return {name: value for name, value in told.items() if value}


def wanting(webhooks: Iterable[WebhookRow], event: Event) -> list[WebhookRow]:
    """Those that get this event: of its tenant or of every one, of its type or of any, not older than they are, nor about themselves."""
    name = name_of(event.type)
    return [
        one
        for one in webhooks
        if one.scope in ("", event.tenant)
        and (not one.types or name in one.types)
        and event.at_us >= one.created_us
        and event.root_id != one.id
    ]


def delivery(
    webhook_id: str, event_id: str, key: str, name: str, at_us: int, data: Json, now_us: int
) -> WebhookDelivery:
    """A delivery that is due at once; its body is fixed from here on."""
    body = {"type": name, "timestamp": ids.to_text(at_us), "data": data}
    return WebhookDelivery(
        id=ids.new_id(now_us),
        webhook_id=webhook_id,
        event_id=event_id,
        key=key,
        type=name,
        body=orjson.dumps(body).decode(),
        status=WAITING,
        attempts=0,
        due_us=now_us,
        log=(),
        created_us=now_us,
        updated_us=now_us,
    )
