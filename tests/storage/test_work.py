"""Lanes: who may take what, in which order, and when it may be taken again."""

from __future__ import annotations

from gateway.lifecycle import Status
from gateway.ports import BreakerRow, Claim, LaneRow, Writing
from gateway.storage import SqlStore, queries_work
from tests.storage.support import NOW_US, add_filed

LEASE_S = 30
LATER_US = NOW_US + LEASE_S * 1_000_000


def queue(store: SqlStore, *rows: tuple[str, int], due_us: int = NOW_US, lane: str = "customs") -> list[str]:
    """Messages in a lane, one for each (key, priority); their ids in the order of the queue."""

    def unit(writing: Writing) -> list[str]:
        ids = []
        for key, priority in rows:
            message = add_filed(writing)
            writing.enqueue(message.id, lane, key, due_us, priority)
            ids.append(message.id)
        return ids

    return store.write(unit)


def claim(
    store: SqlStore, limit: int = 10, *, worker: str = "one", now_us: int = NOW_US, lane: str = "customs"
) -> list[Claim]:
    return store.write(lambda writing: writing.claim(lane, worker, limit, now_us, LEASE_S))


def ids_of(claims: list[Claim]) -> list[str]:
    return [claim.message_id for claim in claims]


def test_work_is_taken_oldest_first_and_only_once(store: SqlStore) -> None:
    ids = queue(store, ("", 0), ("", 0), ("", 0))
    assert ids_of(claim(store, 2)) == ids[:2]
    assert ids_of(claim(store, worker="two")) == ids[2:]
    assert claim(store) == []


def test_higher_priority_goes_first_however_young(store: SqlStore) -> None:
    ids = queue(store, ("", 0), ("", 5), ("", 9), ("", 5))
    assert ids_of(claim(store)) == [ids[2], ids[1], ids[3], ids[0]]


def test_a_claim_says_what_was_taken_and_until_when(store: SqlStore) -> None:
    (id_,) = queue(store, ("order 17", 0))
    (taken,) = claim(store)
    assert taken == Claim(taken.work_id, id_, "customs", "order 17", attempt=1, lease_until_us=LATER_US)


def test_work_that_is_not_due_waits(store: SqlStore) -> None:
    queue(store, ("", 0), due_us=NOW_US + 1)
    assert claim(store) == []
    assert len(claim(store, now_us=NOW_US + 1)) == 1


def test_of_one_key_one_is_out_at_a_time_and_the_oldest_first(store: SqlStore) -> None:
    a1, a2, b1, a3 = queue(store, ("a", 0), ("a", 9), ("b", 0), ("a", 0))
    first = claim(store)
    assert ids_of(first) == [a1, b1]
    assert claim(store, worker="two") == []
    assert store.write(lambda writing: writing.finish(first[0].work_id, "one"))
    second = claim(store)
    assert ids_of(second) == [a2]
    assert store.write(lambda writing: writing.finish(second[0].work_id, "one"))
    assert ids_of(claim(store)) == [a3]


def test_a_younger_one_of_a_key_waits_while_the_older_waits_for_its_next_attempt(store: SqlStore) -> None:
    a1, _ = queue(store, ("a", 0), ("a", 0))
    (taken,) = claim(store)
    assert store.write(lambda writing: writing.release(taken.work_id, "one", LATER_US))
    assert claim(store) == []
    (again,) = claim(store, now_us=LATER_US)
    assert (again.message_id, again.attempt) == (a1, 2)


def test_the_few_that_are_due_of_a_long_queue_are_taken_as_from_a_short_one(store: SqlStore) -> None:
    queue(store, *[("", 9)] * queries_work.FEW, due_us=LATER_US)
    a1, a2, b1, low, high = queue(store, ("a", 0), ("a", 9), ("b", 0), ("", 0), ("", 5))
    first = claim(store, 2)
    assert ids_of(first) == [high, a1]
    assert ids_of(claim(store, worker="two")) == [b1, low]
    assert store.write(lambda writing: writing.finish(first[1].work_id, "one"))
    store.write(lambda writing: writing.pause_lane("customs", True))
    assert claim(store) == []
    store.write(lambda writing: writing.pause_lane("customs", False))
    assert ids_of(claim(store)) == [a2]


def test_lanes_do_not_wait_for_each_other(store: SqlStore) -> None:
    queue(store, ("a", 0), lane="customs")
    rail = queue(store, ("a", 0), lane="rail")
    claim(store)
    assert ids_of(claim(store, lane="rail")) == rail


def test_a_paused_lane_gives_nothing_until_it_goes_on(store: SqlStore) -> None:
    queue(store, ("", 0))
    store.write(lambda writing: writing.pause_lane("customs", True))
    assert claim(store) == []
    with store.read() as reading:
        assert reading.lanes() == [LaneRow("customs", paused=True, waiting=1, claimed=0, oldest_due_us=NOW_US)]
    store.write(lambda writing: writing.pause_lane("customs", False))
    assert len(claim(store)) == 1
    with store.read() as reading:
        assert reading.lanes() == [LaneRow("customs", paused=False, waiting=0, claimed=1, oldest_due_us=None)]


def test_lanes_with_due_work_are_named_unless_they_are_paused(store: SqlStore) -> None:
    assert due_lanes(store) == []
    queue(store, ("a", 0), ("a", 0), lane="customs")
    queue(store, ("", 0), lane="rail")
    queue(store, ("", 0), lane="road", due_us=LATER_US)
    assert due_lanes(store) == ["customs", "rail"]
    claim(store, lane="rail")
    store.write(lambda writing: writing.pause_lane("customs", True))
    assert due_lanes(store) == []
    # The lease of what was claimed has run out, too.
    assert due_lanes(store, LATER_US) == ["rail", "road"]


def test_what_is_stuck_before_a_message_is_told_by_key_and_place(store: SqlStore) -> None:
    first, other, second, third, free = queue(store, ("a", 0), ("b", 0), ("a", 0), ("a", 9), ("", 0))

    def stuck() -> list[str | None]:
        with store.read() as reading:
            found = [reading.stuck_before(id_) for id_ in (first, other, second, third, free)]
        return [row.id if row else None for row in found]

    def park(id_: str) -> None:
        def unit(writing: Writing) -> None:
            message = writing.message(id_)
            assert message is not None
            writing.advance(message, "stuck", now_us=NOW_US)

        store.write(unit)

    assert stuck() == [None] * 5
    for id_ in (second, other, free):
        park(id_)
    assert stuck() == [None, None, None, second, None]
    park(first)
    assert stuck() == [None, None, first, first, None]
    store.write(lambda writing: writing.cancel_work(first))
    assert stuck() == [None, None, None, second, None]
    # Back again, it stands before what came later.
    store.write(lambda writing: writing.requeue(first, "customs", "a", NOW_US))
    assert stuck() == [None, None, first, first, None]


def due_lanes(store: SqlStore, now_us: int = NOW_US) -> list[str]:
    with store.read() as reading:
        return sorted(reading.due_lanes(now_us))


def test_an_expired_lease_is_taken_by_another_and_the_late_worker_learns_it(store: SqlStore) -> None:
    a1, _ = queue(store, ("a", 0), ("a", 0))
    (late,) = claim(store)
    (taken,) = claim(store, worker="two", now_us=LATER_US)
    assert (taken.message_id, taken.attempt, taken.work_id) == (a1, 2, late.work_id)
    assert not store.write(lambda writing: writing.finish(late.work_id, "one"))
    assert not store.write(lambda writing: writing.release(late.work_id, "one", NOW_US))
    assert store.write(lambda writing: writing.finish(taken.work_id, "two"))


def test_an_extended_lease_is_nobody_elses(store: SqlStore) -> None:
    queue(store, ("", 0), ("", 0))
    taken = [one.work_id for one in claim(store)]
    store.write(lambda writing: writing.extend(taken, "one", NOW_US + 1_000_000, LEASE_S))
    store.write(lambda writing: writing.extend(taken, "a stranger", NOW_US + 9_000_000, LEASE_S))
    assert claim(store, worker="two", now_us=LATER_US) == []
    assert len(claim(store, worker="two", now_us=LATER_US + 1_000_000)) == 2


def test_a_number_of_work_is_never_used_again(store: SqlStore) -> None:
    queue(store, ("", 0))
    (first,) = claim(store)
    store.write(lambda writing: writing.finish(first.work_id, "one"))
    queue(store, ("", 0))
    assert claim(store)[0].work_id > first.work_id


def test_cancelled_work_is_gone_and_woken_work_is_due(store: SqlStore) -> None:
    gone, woken = queue(store, ("", 0), ("", 0), due_us=LATER_US)
    store.write(lambda writing: writing.cancel_work(gone))
    store.write(lambda writing: writing.wake(woken, NOW_US))
    assert ids_of(claim(store)) == [woken]


def test_waking_leaves_claimed_work_to_its_worker(store: SqlStore) -> None:
    (id_,) = queue(store, ("", 0))
    claim(store)
    store.write(lambda writing: writing.wake(id_, NOW_US))
    assert claim(store, worker="two") == []


def test_sending_without_a_living_worker_is_stale(store: SqlStore) -> None:
    (id_,) = queue(store, ("", 0))
    claim(store)

    def unit(writing: Writing) -> None:
        message = writing.message(id_)
        assert message is not None
        writing.advance(message, "signed", "started", now_us=NOW_US)

    store.write(unit)
    with store.read() as reading:
        assert reading.stale_sending(NOW_US, 10) == []
        (stale,) = reading.stale_sending(LATER_US, 10)
    assert (stale.id, stale.status) == (id_, Status.SENDING)
    store.write(lambda writing: writing.cancel_work(id_))
    with store.read() as reading:
        assert [message.id for message in reading.stale_sending(NOW_US, 10)] == [id_]


def test_a_breaker_is_closed_until_it_is_written_otherwise(store: SqlStore) -> None:
    resting = BreakerRow("single-window", failures=5, rest_until_us=LATER_US)
    with store.read() as reading:
        assert reading.breaker("single-window") == BreakerRow("single-window", 0, None)
    store.write(lambda writing: writing.put_breaker(resting))
    with store.read() as reading:
        assert reading.breaker("single-window") == resting
