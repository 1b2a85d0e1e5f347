"""Deliveries are claimed once and in order, and events are announced once, on either database and by several workers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway import ids
from gateway.errors import Conflict
from gateway.events import EventType
from gateway.pipeline.announcing import Announcer, delivery
from gateway.ports import Event, WebhookDelivery, WebhookRow
from gateway.storage import SqlStore

NOW_US = 1_772_000_000_000_000
SECOND_US = 1_000_000


def webhook(**changes: Any) -> WebhookRow:
    plain: dict[str, Any] = {
        "id": ids.new_id(), "tenant": "grain", "scope": "grain", "url": "https://erp.example.com/", "types": (), "description": "",
        "status": "active", "reason": "", "secret": "whsec_c2VjcmV0", "old_secret": "", "old_until_us": 0, "failures": 0,
        "failing_since_us": None, "rest_until_us": 0, "created_us": NOW_US, "updated_us": NOW_US,
    }  # fmt: skip
    return WebhookRow(**plain | changes)


def on_its_way(to: WebhookRow, key: str, **changes: Any) -> WebhookDelivery:
    made = delivery(to.id, ids.new_id(), key, "document.state.changed", NOW_US, {}, NOW_US)
    return replace(made, **changes)


def event(**changes: Any) -> Event:
    plain = {
        "id": ids.new_id(),
        "type": EventType.DOCUMENT_STATE_CHANGED,
        "at_us": NOW_US,
        "root_id": "r1",
        "tenant": "grain",
    }
    return Event(**{**plain, "document_id": "d1", **changes})  # type: ignore[arg-type]


def keep(store: SqlStore, *rows: WebhookRow | WebhookDelivery | Event) -> None:
    def unit(writing: Any) -> None:
        for row in rows:
            adds = {WebhookRow: writing.add_webhook, WebhookDelivery: writing.add_webhook_delivery}
            adds.get(type(row), writing.append_event)(row)

    store.write(unit)


def claim(store: SqlStore, of: WebhookRow, worker: str = "w", limit: int = 10, now_us: int = NOW_US) -> list[str]:
    taken = store.write(lambda writing: writing.claim_webhook_deliveries(of.id, worker, limit, now_us, 60))
    return [row.id for row in taken]


def settle(store: SqlStore, delivery_id: str, worker: str = "w", **changes: Any) -> bool:
    def unit(writing: Any) -> bool:
        row = writing.webhook_delivery(delivery_id)
        return bool(writing.settle_webhook_delivery(replace(row, **{"status": "delivered", **changes}), worker))

    return store.write(unit)


def test_of_one_key_only_the_oldest_that_waits_is_taken(store: SqlStore) -> None:
    one = webhook()
    first, second, other = (on_its_way(one, key) for key in ("a", "a", "b"))
    keep(store, one, first, second, other)
    assert claim(store, one) == [first.id, other.id]
    assert claim(store, one) == []
    assert settle(store, first.id)
    assert claim(store, one) == [second.id]


def test_what_is_tried_again_later_stays_before_what_came_after_it(store: SqlStore) -> None:
    one = webhook()
    first, second = on_its_way(one, "a"), on_its_way(one, "a")
    keep(store, one, first, second)
    claim(store, one)
    settle(store, first.id, status="waiting", due_us=NOW_US + 300 * SECOND_US)
    assert claim(store, one, now_us=NOW_US + 200 * SECOND_US) == []
    assert claim(store, one, now_us=NOW_US + 300 * SECOND_US) == [first.id]


def test_what_a_dead_worker_held_is_taken_by_another_and_the_dead_one_settles_nothing(store: SqlStore) -> None:
    one = webhook()
    first = on_its_way(one, "a")
    keep(store, one, first)
    assert claim(store, one, "dead") == [first.id]
    assert claim(store, one, "alive", now_us=NOW_US + 59 * SECOND_US) == []
    assert claim(store, one, "alive", now_us=NOW_US + 60 * SECOND_US) == [first.id]
    assert not settle(store, first.id, "dead")
    assert settle(store, first.id, "alive")


def test_workers_that_claim_at_once_take_different_deliveries(new_store: Callable[[], SqlStore]) -> None:
    one = webhook()
    stores = [new_store() for _ in range(4)]
    keep(stores[0], one, *[on_its_way(one, str(number)) for number in range(60)])
    taken: list[str] = []

    def work(store: SqlStore) -> None:
        while found := claim(store, one, worker=str(id(store)), limit=3):
            taken.extend(found)

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    # A look that another was quicker at comes back empty on PostgreSQL; nothing is taken twice, and what is left is there.
    taken += claim(stores[0], one, limit=100)
    assert len(taken) == len(set(taken)) == 60


def test_a_webhook_is_due_while_it_is_active_does_not_rest_and_something_is_due(store: SqlStore) -> None:
    due, disabled, resting, idle = webhook(), webhook(status="disabled"), webhook(rest_until_us=NOW_US + 1), webhook()
    later = on_its_way(idle, "a", due_us=NOW_US + 1)
    keep(
        store,
        due,
        disabled,
        resting,
        idle,
        on_its_way(due, "a"),
        on_its_way(disabled, "a"),
        on_its_way(resting, "a"),
        later,
    )
    with store.read() as reading:
        assert [row.id for row in reading.due_webhooks(NOW_US)] == [due.id]
        assert {row.id for row in reading.due_webhooks(NOW_US + 1)} == {due.id, resting.id, idle.id}


def test_an_event_is_announced_to_a_webhook_once(store: SqlStore) -> None:
    one, happened = webhook(), event()
    keep(store, one, replace(on_its_way(one, "a"), event_id=happened.id))
    with pytest.raises(Conflict):
        keep(store, replace(on_its_way(one, "a"), event_id=happened.id))


def test_a_removed_webhook_takes_its_deliveries_along(store: SqlStore) -> None:
    one, other = webhook(), webhook()
    gone, stays = on_its_way(one, "a"), on_its_way(other, "a")
    keep(store, one, other, gone, stays)
    store.write(lambda writing: writing.remove_webhook(one.id))
    with store.read() as reading:
        assert reading.webhook(one.id) is None
        assert reading.webhook_delivery(gone.id) is None
        assert reading.webhook_delivery(stays.id) is not None


def test_only_deliveries_that_are_over_are_forgotten(store: SqlStore) -> None:
    one = webhook()
    waits, over, fresh = (on_its_way(one, key) for key in "abc")
    keep(store, one, waits, replace(over, status="failed"), replace(fresh, status="delivered", updated_us=NOW_US + 10))
    assert store.write(lambda writing: writing.forget_webhook_deliveries(NOW_US + 10)) == 1
    with store.read() as reading:
        assert {row.id for row in reading.webhook_deliveries(one.id)} == {waits.id, fresh.id}


def announced(store: SqlStore, of: WebhookRow) -> list[str]:
    with store.read() as reading:
        return [row.event_id for row in reversed(reading.webhook_deliveries(of.id, limit=10_000))]


def test_events_go_to_webhooks_of_their_tenant_or_of_every_tenant_by_type_and_not_older_than_they_are(
    store: SqlStore,
) -> None:
    own, every = webhook(), webhook(tenant="port", scope="")
    typed, late = webhook(types=("message.lane.parked",)), webhook(created_us=NOW_US + 1)
    store.write(lambda writing: writing.begin_announcing())
    keep(store, own, every, typed, late)
    mine, others = event(), event(tenant="coal")
    parked = event(type=EventType.MESSAGE_PARKED)
    keep(store, mine, others, parked)
    announcer = Announcer(store, "https://gateway.example.com")
    assert announcer.run_once() == 0, "an event without a position is not announced"
    store.write(lambda writing: writing.sequence_events(100))
    assert announcer.run_once() == 3
    assert announcer.run_once() == 0
    assert sorted(announced(store, own)) == sorted([mine.id, parked.id])
    assert sorted(announced(store, every)) == sorted([mine.id, others.id, parked.id])
    assert announced(store, typed) == [parked.id]
    assert announced(store, late) == []


def test_what_had_a_position_before_there_was_any_webhook_is_not_announced(store: SqlStore) -> None:
    old = event(at_us=NOW_US + 5)
    keep(store, old)
    store.write(lambda writing: writing.sequence_events(100))
    assert Announcer(store, "").run_once() == 0
    store.write(lambda writing: writing.begin_announcing())
    store.write(lambda writing: writing.begin_announcing())
    one, fresh = webhook(), event()
    keep(store, one, fresh)
    store.write(lambda writing: writing.sequence_events(100))
    Announcer(store, "").run_once()
    assert announced(store, one) == [fresh.id]


def test_workers_that_announce_at_once_announce_everything_once(new_store: Callable[[], SqlStore]) -> None:
    stores = [new_store() for _ in range(3)]
    one = webhook()
    stores[0].write(lambda writing: writing.begin_announcing())
    keep(stores[0], one)
    made = [
        event(type=kind) for _ in range(300) for kind in (EventType.DOCUMENT_STATE_CHANGED, EventType.MESSAGE_PARKED)
    ]
    over = threading.Event()

    def work(store: SqlStore) -> None:
        announcer = Announcer(store, "")
        while announcer.run_once() or not over.is_set():
            pass

    threads = [threading.Thread(target=work, args=(store,)) for store in stores[1:]]
    for thread in threads:
        thread.start()
    for first in range(0, 600, 100):
        keep(stores[0], *made[first : first + 100])
        stores[0].write(lambda writing: writing.sequence_events(1_000))
    over.set()
    for thread in threads:
        thread.join(60)
    Announcer(stores[0], "").run_once()
    found = announced(stores[0], one)
    assert sorted(found) == sorted(row.id for row in made)


def test_neither_secrets_nor_the_old_ones_are_in_what_a_log_would_show() -> None:
    shown = repr(webhook(secret="whsec_new", old_secret="whsec_old"))
    assert "whsec" not in shown
