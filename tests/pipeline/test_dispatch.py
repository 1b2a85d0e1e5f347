"""Sending: once by intent, never blind, and one bad message or partner holds up nobody else."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from gateway.errors import Finding, NeedsOperator, PartnerUnavailable, Rejected
from gateway.lifecycle import Status
from gateway.pipeline import attempts
from gateway.pipeline.dispatch import MOST_IN_DOUBT
from gateway.ports import Alias, HandedOver, Outgoing
from tests.pipeline.small_house import LANE, House, Wire, silent, unavailable


class Killed(BaseException):
    """Stands for kill -9: nothing in the gateway catches it."""


def kill(outgoing: Outgoing) -> None:
    raise Killed


def test_a_message_goes_from_accepted_to_sent_with_every_step_told(house: House) -> None:
    accepted, message = house.file_and_send()
    assert (message.status, message.attempts) == (Status.SENT, 1)
    assert (house.home / "client" / "OutBox" / message.name).exists()
    assert house.told(accepted.root_id) == [
        "document:submission:accepted",
        "message:bytes:signed",
        "message:attempt:started",
        "message:attempt:handed-over",
    ]


def test_sending_is_on_disk_before_the_first_byte_leaves(wired: House, wire: Wire) -> None:
    seen: list[Status] = []
    wire.on_send = lambda outgoing: seen.append(wired.status(outgoing.message_id))
    wired.file_and_send()
    assert seen == [Status.SENDING]


def test_every_attempt_sends_the_same_frozen_bytes(wired: House, wire: Wire) -> None:
    wire.breaks, wire.arrives_anyway, wire.tells = unavailable, True, False
    _, message = wired.file_and_send()
    assert message.status is Status.SIGNED
    wired.clock.forward(1)
    wire.breaks = lambda outgoing: None
    wired.run()
    assert wired.status(message.id) is Status.SENT
    assert wired.stamp.signed == 1
    assert len(wire.bytes_of[message.name]) == 1


def test_a_partner_out_of_reach_is_tried_again_with_growing_waits_and_parked_at_last(wired: House, wire: Wire) -> None:
    wire.breaks = unavailable
    accepted = wired.file()
    for _ in range(20):
        wired.run()
        wired.clock.forward(10)
    message = wired.message(accepted.message_ids[0])
    assert (message.status, message.attempts) == (Status.PARKED, 4)
    assert message.reason == "not reached: partner.unavailable: nobody is there"
    events = wired.timeline(message.id)
    waits = [event.data["next_us"] - event.at_us for event in events if event.type == "message:attempt:not-reached"]
    assert waits == [50_000, 100_000, 200_000]


def test_waits_grow_up_to_the_cap_and_start_again_after_a_redrive(wired: House) -> None:
    retry = wired.directory.agreements[LANE].retry
    assert [attempts.wait_us(count, retry) for count in (1, 2, 3, 4, 5)] == [50_000, 100_000, 200_000, 400_000, 50_000]


def test_a_partner_that_names_a_time_is_left_alone_until_then(wired: House, wire: Wire) -> None:
    finding = Finding("partner.http", params={"retry_after_s": "120"})
    wire.breaks = lambda outgoing: PartnerUnavailable("busy", [finding])
    accepted = wired.file()
    wired.run()
    wired.clock.forward(100)
    assert wired.run() == 0
    wired.clock.forward(30)
    assert wired.run() == 1
    assert wired.message(accepted.message_ids[0]).attempts == 2


def test_a_refused_message_is_parked_in_the_partners_words_and_the_batch_goes_on(wired: House, wire: Wire) -> None:
    first, second = wired.file(), wired.file()
    bad = wired.message(first.message_ids[0]).name
    wire.breaks = lambda outgoing: Rejected("HTTP 422: no such office") if outgoing.name == bad else None
    wired.run()
    assert wired.status(first.message_ids[0]) is Status.PARKED
    assert "HTTP 422: no such office" in wired.message(first.message_ids[0]).reason
    assert wired.status(second.message_ids[0]) is Status.SENT


def test_without_a_key_a_message_is_parked_and_goes_out_when_redriven(house: House) -> None:
    house.stamp.problem = NeedsOperator("the signing key is locked", code="signing.locked")
    _accepted, message = house.file_and_send()
    assert (message.status, message.frozen_digest) == (Status.PARKED, "")
    house.stamp.problem = None
    house.operator.redrive(message.id, actor="ann", reason="key unlocked")
    house.run()
    assert house.status(message.id) is Status.SENT
    redriven = [event for event in house.timeline(message.id) if event.type == "message:lane:redriven"]
    assert [(event.actor, event.data["reason"]) for event in redriven] == [("ann", "key unlocked")]


def test_a_fault_of_ours_while_signing_parks_one_message_only(house: House) -> None:
    house.stamp.problem = ZeroDivisionError()
    _, message = house.file_and_send()
    assert message.status is Status.PARKED
    house.stamp.problem = None
    assert house.file_and_send()[1].status is Status.SENT


def test_a_silence_after_sending_is_unknown_and_never_sent_again_blind(wired: House, wire: Wire) -> None:
    wire.breaks, wire.tells, wire.arrives_anyway = silent, False, True
    _accepted, message = wired.file_and_send()
    assert message.status is Status.UNKNOWN
    for _ in range(3):
        wired.clock.forward(3_600)
        wired.sweeper.run_once()
        wired.run()
    assert wired.status(message.id) is Status.UNKNOWN
    assert wire.has == {message.name: 1}


def test_an_unknown_message_is_located_where_the_partner_tells(wired: House, wire: Wire) -> None:
    wire.breaks, wire.arrives_anyway = silent, True
    _, message = wired.file_and_send()
    assert wired.sweeper.run_once().found_out == 1
    assert wired.status(message.id) is Status.SENT
    assert wire.has == {message.name: 1}


def test_an_unknown_message_that_is_not_there_goes_again_with_the_same_bytes(wired: House, wire: Wire) -> None:
    wire.breaks = silent
    accepted, message = wired.file_and_send()
    wire.breaks = lambda outgoing: None
    wired.sweeper.run_once()
    wired.run()
    assert wired.status(message.id) is Status.SENT
    assert wire.has == {message.name: 1}
    assert "message:status:not-there" in wired.told(accepted.root_id)


def test_a_partner_that_drops_doubles_gets_the_same_bytes_again(open_house: Callable[..., House], wire: Wire) -> None:
    house = open_house(wires={LANE: wire}, change=lambda raw: raw["agreements"][0].update(drops_doubles=True))
    wire.breaks, wire.tells, wire.arrives_anyway = silent, False, True
    _, message = house.file_and_send()
    wire.breaks = lambda outgoing: None
    house.sweeper.run_once()
    house.run()
    assert house.status(message.id) is Status.SENT
    assert wire.has == {message.name: 2}
    assert len(wire.bytes_of[message.name]) == 1


@pytest.mark.parametrize("arrived", [True, False])
def test_a_crash_between_sending_and_its_outcome_ends_as_sent_once(
    open_house: Callable[..., House], wire: Wire, arrived: bool
) -> None:
    house = open_house(wires={LANE: wire})
    accepted = house.file()
    name = house.message(accepted.message_ids[0]).name
    if arrived:
        wire.has[name] = 1
    wire.on_send = kill
    with pytest.raises(Killed):
        house.run()
    assert house.status(accepted.message_ids[0]) is Status.SENDING
    wire.on_send = lambda outgoing: None
    restarted = open_house(wires={LANE: wire})
    assert restarted.sweeper.run_once().lost == 0, "its lease still runs"
    restarted.clock.forward(31)
    assert restarted.sweeper.run_once().lost == 1
    restarted.run()
    assert restarted.status(accepted.message_ids[0]) is Status.SENT
    assert wire.has == {name: 1}


def test_a_claim_that_ran_out_while_sending_is_unknown_to_the_next_worker(
    open_house: Callable[..., House], wire: Wire
) -> None:
    house = open_house(wires={LANE: wire})
    accepted = house.file()
    wire.on_send = kill
    with pytest.raises(Killed):
        house.run()
    other = open_house(wires={LANE: wire})
    other.clock.forward(31)
    other.run(worker="w2")
    assert other.status(accepted.message_ids[0]) is Status.UNKNOWN


def test_two_workers_send_each_message_once(open_house: Callable[..., House], wire: Wire) -> None:
    houses = [open_house(wires={LANE: wire}), open_house(wires={LANE: wire})]
    ids = [houses[0].file().message_ids[0] for _ in range(60)]

    def work(house: House, worker: str) -> None:
        while house.run(worker=worker, limit=7):
            pass

    threads = [threading.Thread(target=work, args=(house, f"w{place}")) for place, house in enumerate(houses)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {houses[0].status(message_id) for message_id in ids} == {Status.SENT}
    assert len(wire.has) == 60
    assert set(wire.has.values()) == {1}


def test_a_resting_partner_gets_nothing_then_one_trial_then_all(wired: House, wire: Wire) -> None:
    ids = [wired.file().message_ids[0] for _ in range(6)]
    tries: list[str] = []
    wire.breaks = unavailable
    wire.on_send = lambda outgoing: tries.append(outgoing.name)
    wired.run()
    assert len(tries) == 3, "the third failure in a row opens the breaker"
    assert {wired.status(message_id) for message_id in ids} == {Status.SIGNED}
    wired.clock.forward(2)
    assert wired.run() == 0
    wired.clock.forward(4)
    wired.run()
    assert len(tries) == 4, "one trial, which fails"
    wired.clock.forward(2)
    assert wired.run() == 0
    wire.breaks = lambda outgoing: None
    wired.clock.forward(10)
    wired.run()
    assert len(wire.has) == 1, "one trial, which succeeds"
    wired.run()
    assert {wired.status(message_id) for message_id in ids} == {Status.SENT}
    assert set(wire.has.values()) == {1}


def test_a_resting_partner_does_not_hold_up_another(open_house: Callable[..., House], wire: Wire) -> None:
    house = open_house(wires={LANE: wire})
    wire.breaks = unavailable
    for _ in range(5):
        house.file()
    abroad = house.file(direction="transit", goods={"a": {"name": "coal"}})
    house.run()
    house.run("abroad-tiny")
    assert house.status(abroad.message_ids[0]) is Status.SENT


def test_messages_of_one_declaration_keep_their_order(wired: House, wire: Wire) -> None:
    wire.breaks = unavailable
    accepted = wired.file()
    amendment = wired.file("declaration_amendment", accepted.root_id)
    wired.run()
    assert wired.status(amendment.message_ids[0]) is Status.ACCEPTED
    wire.breaks = lambda outgoing: None
    wired.clock.forward(1)
    wired.run()
    wired.run()
    assert list(wire.has) == [wired.message(one.message_ids[0]).name for one in (accepted, amendment)]


def test_an_immediate_reply_is_stored_with_the_message_it_came_for(wired: House, wire: Wire) -> None:
    wire.immediate = lambda outgoing: (
        b'{"answers": [{"function": "received", "receipt": true, "names": [["tiny-name", "%s"]]}]}'
        % outgoing.name.removesuffix(".json").encode()
    )
    accepted, message = wired.file_and_send()
    assert message.status is Status.DELIVERED
    assert wired.standing(accepted.root_id).states["declaration"] == "stashed"


def test_ids_told_when_handing_over_find_answers_that_came_before(wired: House, wire: Wire) -> None:
    accepted = wired.file()
    early = b'{"answers": [{"function": "registered", "names": [["conversation", "C9"]]}]}'
    assert wired.answer_bytes(early, reference="early").status == "unmatched"
    wire.send = lambda outgoing: HandedOver("taken", aliases=(Alias("conversation", "C9"),))  # type: ignore[method-assign]
    wired.run()
    assert wired.standing(accepted.root_id).states["declaration"] == "registered"


def test_a_kept_answer_that_cannot_be_applied_undoes_no_outcome_of_the_batch_that_frees_it(
    wired: House, wire: Wire
) -> None:
    early = b'{"answers": [{"function": "registered", "names": [["conversation", "C9"]]}]}'
    kept = wired.answer_bytes(early, reference="early").inbound_id
    with closing(sqlite3.connect(wired.home / "gateway.db")) as tables, tables:
        tables.execute("DELETE FROM payloads WHERE digest = (SELECT digest FROM inbound WHERE id = ?)", (kept,))
    sent = [wired.file(goods=str(number)).message_ids[0] for number in range(3)]
    wire.send = lambda outgoing: HandedOver("taken", aliases=(Alias("conversation", "C9"),))  # type: ignore[method-assign]
    wired.run()
    assert [wired.status(message_id) for message_id in sent] == [Status.SENT] * 3
    with wired.store.read() as reading:
        row = reading.inbound(kept)
    assert row is not None
    assert row.status == "unmatched"
    assert row.reason.startswith("cannot be read now: ")


def test_leases_of_what_is_being_sent_are_kept(open_house: Callable[..., House], wire: Wire) -> None:
    house = open_house(wires={LANE: wire}, lease_s=5)
    accepted = house.file()
    found: list[int] = []

    def slow(outgoing: Outgoing) -> None:
        for _ in range(3):
            house.clock.forward(3)
            house.dispatcher.keep_leases()
            found.append(house.sweeper.run_once().lost)

    wire.on_send = slow
    house.run()
    assert found == [0, 0, 0]
    assert house.status(accepted.message_ids[0]) is Status.SENT


@pytest.mark.parametrize(("tells", "begun"), [(True, 20), (False, 4)])
def test_a_crash_leaves_few_in_doubt_where_nobody_can_be_asked(
    wired: House, wire: Wire, tells: bool, begun: int
) -> None:
    for _ in range(20):
        wired.file()
    wire.tells, wire.on_send = tells, kill
    with pytest.raises(Killed):
        wired.run()
    with wired.store.read() as reading:
        assert reading.counts()["sending"] == begun


def test_what_is_not_begun_when_the_gateway_stops_goes_back_without_counting_as_an_attempt(
    wired: House, wire: Wire
) -> None:
    ids = [wired.file().message_ids[0] for _ in range(3)]
    wire.on_send = lambda outgoing: wired.dispatcher.halt()
    wired.run()
    assert [wired.status(one) for one in ids] == [Status.SENT, Status.SIGNED, Status.SIGNED]
    assert wired.message(ids[1]).attempts == 0


def test_as_many_messages_are_on_the_way_at_once_as_the_agreement_says(
    open_house: Callable[..., House], wire: Wire
) -> None:
    house = open_house(wires={LANE: wire}, change=lambda raw: raw["agreements"][0].update(parallel=3))
    accepted = [house.file() for _ in range(6)]
    together = threading.Barrier(3)
    # Nobody passes the barrier alone or in twos: three are on the way at once, or the wait breaks and the test with it.

    def with_others(outgoing: Outgoing) -> None:
        together.wait(30)

    wire.on_send = with_others
    assert house.run() == 6
    assert [house.status(one.message_ids[0]) for one in accepted] == [Status.SENT] * 6
    assert sorted(wire.has.values()) == [1] * 6


class Crowd:
    """Counts what is on the way at the same moment."""

    def __init__(self, house: House) -> None:
        self.most_on_the_way = self.most_in_doubt = self._now = 0
        self._house = house
        self._gate = threading.Lock()

    def __call__(self, outgoing: Outgoing) -> None:
        with self._gate:
            self._now += 1
            self.most_on_the_way = max(self.most_on_the_way, self._now)
        time.sleep(0.01)
        with self._house.store.read() as reading:
            in_doubt = reading.counts()["sending"]
        with self._gate:
            self._now -= 1
            self.most_in_doubt = max(self.most_in_doubt, in_doubt)


def sent_by_two_hands(house: House, wire: Wire, count: int) -> Crowd:
    """What happens while two threads send for one lane."""
    accepted = [house.file() for _ in range(count)]
    wire.on_send = crowd = Crowd(house)

    def run() -> None:
        while house.dispatcher.run_lane(LANE, "worker", 6):
            pass

    hands = [threading.Thread(target=run) for _ in range(2)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(60)
    assert [house.status(one.message_ids[0]) for one in accepted] == [Status.SENT] * count
    assert sorted(wire.has.values()) == [1] * count
    return crowd


def test_two_hands_together_put_no_more_on_the_way_than_the_agreement_says(
    open_house: Callable[..., House], wire: Wire
) -> None:
    house = open_house(wires={LANE: wire}, change=lambda raw: raw["agreements"][0].update(parallel=3))
    crowd = sent_by_two_hands(house, wire, 24)
    assert crowd.most_on_the_way == 3
    assert crowd.most_in_doubt > MOST_IN_DOUBT


def test_two_hands_together_leave_few_in_doubt_where_nobody_can_be_asked(
    open_house: Callable[..., House], wire: Wire
) -> None:
    wire.tells = False
    house = open_house(wires={LANE: wire}, change=lambda raw: raw["agreements"][0].update(parallel=3))
    assert sent_by_two_hands(house, wire, 24).most_in_doubt <= MOST_IN_DOUBT


def test_a_failing_partner_gets_no_more_than_what_is_on_the_way_already(
    open_house: Callable[..., House], wire: Wire
) -> None:
    house = open_house(wires={LANE: wire}, change=lambda raw: raw["agreements"][0].update(parallel=2))
    most = house.directory.partners["customs"].failures_before_rest
    accepted = [house.file() for _ in range(3 * most)]
    tried: list[str] = []
    wire.on_send = lambda outgoing: tried.append(outgoing.name)
    wire.breaks = unavailable
    house.run()
    assert most <= len(tried) <= most + 1
    assert {house.status(one.message_ids[0]) for one in accepted} == {Status.SIGNED}


def test_a_message_whose_immediate_reply_cannot_be_kept_is_in_doubt_and_not_simply_sent(
    wired: House, wire: Wire
) -> None:
    wire.immediate = lambda outgoing: b'{"answers": []}'

    def no_key(data: bytes, agreement: object) -> bytes:
        raise NeedsOperator("the trust store cannot be read")

    wired.stamp.verify = no_key  # type: ignore[method-assign]
    accepted, message = wired.file_and_send()
    assert (message.status, wire.has) == (Status.UNKNOWN, {message.name: 1})
    assert "message:attempt:outcome-unknown" in wired.told(accepted.root_id)


@pytest.mark.parametrize(
    "why", ["looks odd", "refused by the shift lead for now", "asked again by phone", "receipt overdue"]
)
def test_what_a_person_writes_decides_nothing_about_sending(wired: House, wire: Wire, why: str) -> None:
    wire.breaks, wire.arrives_anyway = silent, True
    _, message = wired.file_and_send()
    wired.operator.park(message.id, actor="ann", reason=why)
    wire.breaks = lambda outgoing: None
    wired.operator.redrive(message.id, actor="ann", reason="go on")
    wired.run()
    assert wire.has == {message.name: 1}
    assert wired.status(message.id) is Status.SENT


def test_an_amendment_waits_behind_a_declaration_of_which_nobody_knows(wired: House, wire: Wire) -> None:
    wire.breaks, wire.tells = silent, False
    accepted, message = wired.file_and_send()
    amendment = wired.file("declaration_amendment", accepted.root_id)
    wire.breaks = lambda outgoing: None
    assert wired.run() == 0
    assert wired.status(amendment.message_ids[0]) is Status.ACCEPTED
    wired.answer(message, "registered")
    assert wired.run() == 1
    assert wired.status(amendment.message_ids[0]) is Status.SENT


def test_nothing_waits_behind_what_the_partner_refused(wired: House, wire: Wire) -> None:
    wire.breaks = lambda outgoing: Rejected("no")
    accepted, message = wired.file_and_send()
    wire.breaks = lambda outgoing: None
    amendment = wired.file("declaration_amendment", accepted.root_id)
    wired.run()
    assert (wired.status(message.id), wired.status(amendment.message_ids[0])) == (Status.PARKED, Status.SENT)


def test_a_declaration_that_is_asked_for_again_goes_before_its_amendment(wired: House, wire: Wire) -> None:
    sent: list[str] = []
    wire.on_send = lambda outgoing: sent.append(outgoing.name)
    accepted, message = wired.file_and_send()
    amendment = wired.file("declaration_amendment", accepted.root_id)
    wired.answer(message, "waiting", prerequisite="manifest:M5")
    assert wired.run() == 0
    wired.clock.forward(10)
    wired.run()
    wired.run()
    assert sent == [message.name, message.name, wired.message(amendment.message_ids[0]).name]


def test_a_redriven_message_keeps_the_priority_of_its_route(wired: House, wire: Wire) -> None:
    wire.breaks = lambda outgoing: NeedsOperator("no key")
    first = wired.file(goods="plain")
    wired.run()
    with wired.store.read() as reading:
        row = reading.message(first.message_ids[0])
    assert row is not None
    wired.store.write(lambda writing: writing.update_message(row.id, row.updated_us, priority=7))
    wired.operator.redrive(row.id, actor="ann", reason="the key is there")
    wire.breaks = lambda outgoing: None
    second = wired.file(goods="later")
    order: list[str] = []
    wire.on_send = lambda outgoing: order.append(outgoing.message_id)
    wired.run()
    assert order == [first.message_ids[0], second.message_ids[0]]


def test_a_parked_message_that_is_woken_keeps_its_place(wired: House, wire: Wire) -> None:
    accepted = wired.file(waits_for=(Alias("manifest", "M9"),))
    (message_id,) = accepted.message_ids
    wired.operator.park(message_id, actor="ann", reason="the trader calls back")
    amendment = wired.file("declaration_amendment", accepted.root_id)
    wired.operator.stop_waiting(message_id, actor="ann", reason="the manifest is there")
    wired.run()
    wired.run()
    assert wire.has == {}
    wired.operator.redrive(message_id, actor="ann", reason="go on")
    wired.run()
    wired.run()
    assert list(wire.has) == [wired.message(one).name for one in (message_id, *amendment.message_ids)]
