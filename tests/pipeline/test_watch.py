"""What people see and do: silence, timelines, search, tenant isolation, and the acts of an operator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.errors import Conflict, NotFound
from gateway.lifecycle import Status
from gateway.pipeline.questions import Questions
from gateway.pipeline.reading import silent_us
from gateway.pipeline.sweep import WAITING_FOLD, Sweeper
from gateway.pipeline.waiting import Settled, unmet
from gateway.ports import Alias, Outgoing, Writing
from tests.pipeline.small_house import LANE, House, Wire, silent


def test_silence_of_a_document_is_told_when_it_is_due_and_seldom_afterwards(house: House) -> None:
    accepted, message = house.file_and_send()
    house.answer(message, "submitted")
    for _ in range(4):
        house.clock.forward(1_000)
        house.sweeper.run_once()
    told = house.told(accepted.root_id)
    assert told.count("document:silence:overdue") == 1
    with house.view("acme") as view:
        found = view.found(message)
    assert found.standing is not None
    assert found.standing.mover == "customs"
    silence = silent_us(found, house.clock())
    assert silence is not None
    assert 3_990 <= silence / 1_000_000 <= 4_010


def test_what_is_late_stays_late_until_the_awaited_move_is_made(house: House) -> None:
    accepted, message = house.file_and_send()
    house.answer(message, "submitted")
    due_us = house.standing(accepted.root_id).silence_due_us
    house.clock.forward(4_000)
    house.sweeper.run_once()
    house.answer(message, "information", issued_us=house.clock())
    late = house.standing(accepted.root_id)
    assert late.silence_due_us == due_us
    assert late.alarm_us is not None
    assert late.alarm_us > house.clock()
    house.answer(message, "registered", issued_us=house.clock())
    moved = house.standing(accepted.root_id)
    assert moved.silence_due_us is not None
    assert moved.silence_due_us > house.clock()
    assert moved.alarm_us == moved.silence_due_us


def test_nobody_is_silent_about_what_is_over(house: House) -> None:
    accepted, message = house.file_and_send()
    house.answer(message, "closed")
    amendment = house.file("declaration_amendment", accepted.root_id)
    with house.view("acme") as view:
        assert silent_us(view.found(view.message(message.id)), house.clock()) is None
        asked = view.found(view.message(amendment.message_ids[0]))
        own = replace(asked, standing=view.standing(amendment.document_id))
        assert silent_us(own, house.clock()) is not None


def test_a_request_that_nobody_answers_is_silence_too(house: House) -> None:
    accepted, _ = house.file_and_send()
    house.file("declaration_amendment", accepted.root_id)
    house.clock.forward(3_700)
    house.sweeper.run_once()
    silent_ones = [e for e in house.timeline(accepted.root_id) if e.type == "document:silence:overdue"]
    assert len({event.document_id for event in silent_ones}) == 2


def test_another_tenant_finds_nothing(house: House) -> None:
    accepted, message = house.file_and_send(container="C1")
    house.answer(message, "registered")
    amendment = house.file("declaration_amendment", accepted.root_id)
    with house.view("other") as foreign, house.view("acme") as own:
        root = own.declaration(accepted.root_id)
        assert own.request(root, "declaration_amendment", amendment.document_id).state == "filed"
        assert own.message_named("C1") is not None
        assert own.payload(own.received(message)[0].digest)
        assert foreign.search(value="C1", limit=5) == ([], None)
        assert foreign.declarations("C1", state="", limit=5, cursor="") == ([], None)
        assert foreign.message_named("C1") is foreign.message_named(message.id) is None
        for ask in (
            lambda: foreign.message(message.id),
            lambda: foreign.document_of(message),
            lambda: foreign.declaration(accepted.root_id),
            lambda: foreign.document(accepted.document_id),
            lambda: foreign.request(root, "declaration_amendment", amendment.document_id),
        ):
            with pytest.raises(NotFound):
                ask()


def test_a_declaration_shows_everything_that_belongs_to_it(house: House) -> None:
    accepted, message = house.file_and_send(container="C1")
    house.answer(message, "registered", learned=[["entry", "E1"]])
    amendment = house.file("declaration_amendment", accepted.root_id)
    with house.view("acme") as view:
        root = view.declaration(accepted.root_id)
        assert [row.id for row in view.rounds(root)] == [accepted.root_id]
        assert view.known_ids(root.id)["entry"] == ["E1"]
        (request,) = view.requests(root)
        assert (request.document.id, request.state) == (amendment.document_id, "filed")
        assert [row.id for row in request.messages] == list(amendment.message_ids)
        assert [row.id for row in view.messages(root.id)] == [*amendment.message_ids, message.id]
        assert [row.reason for row in view.received(message)] == [""]


def test_a_person_redrives_an_unknown_message_and_the_partner_is_asked_before_it_goes(wired: House, wire: Wire) -> None:
    wire.breaks, wire.tells, wire.arrives_anyway = silent, False, True
    _, message = wired.file_and_send()
    wire.breaks, wire.tells = (lambda outgoing: None), True
    wired.operator.redrive(message.id, actor="ann", reason="the partner's help desk says no")
    wired.run()
    assert (wired.status(message.id), wire.has[message.name]) == (Status.SENT, 1)


def test_a_refused_message_that_is_redriven_goes_out_again(wired: House, wire: Wire) -> None:
    _, message = wired.file_and_send()
    wired.answer(message, "failed", receipt=False)
    wired.operator.redrive(message.id, actor="ann", reason="the partner mended its list")
    wired.run()
    assert (wired.status(message.id), wire.has[message.name]) == (Status.SENT, 2)


def test_a_parked_message_stays_until_somebody_acts_and_an_expired_one_for_good(wired: House) -> None:
    accepted = wired.file()
    message_id = accepted.message_ids[0]
    wired.operator.park(message_id, actor="ann", reason="look at it first")
    assert wired.run() == 0
    wired.operator.expire(message_id, actor="ann", reason="filed on paper")
    assert wired.status(message_id) is Status.EXPIRED
    for act in (wired.operator.redrive, wired.operator.park, wired.operator.expire, wired.operator.stop_waiting):
        with pytest.raises(Conflict):
            act(message_id, actor="ann", reason="again")


def test_a_paused_lane_sends_nothing_and_goes_on_when_resumed(wired: House) -> None:
    accepted = wired.file()
    wired.operator.pause_lane(LANE, actor="ann", reason="the partner asked us to")
    assert wired.run() == 0
    wired.operator.resume_lane(LANE, actor="ann", reason="done")
    wired.run()
    assert wired.status(accepted.message_ids[0]) is Status.SENT


def test_idempotency_keys_are_forgotten_after_their_time(house: House) -> None:
    first = house.file(idempotency_key="k")
    house.clock.forward(49 * 3_600)
    assert house.sweeper.run_once().forgotten == 1
    assert house.file(idempotency_key="k").root_id != first.root_id


def test_positions_have_no_gaps(house: House) -> None:
    accepted, _ = house.file_and_send()
    house.sweeper.run_once()
    positions = [event.position for event in house.timeline(accepted.root_id)]
    assert positions == list(range(1, len(positions) + 1))


def sweeper_of_few(house: House) -> Sweeper:
    return Sweeper(house.store, house.directory, house.dispatcher, limit=2, clock=house.clock)


def test_messages_long_in_doubt_do_not_keep_a_newer_one_from_being_asked_about(wired: House, wire: Wire) -> None:
    sweeper = sweeper_of_few(wired)
    wire.breaks, wire.tells = silent, False
    old = [wired.file_and_send()[1] for _ in range(2)]
    for _ in range(12):
        sweeper.run_once()
        wired.clock.forward(100)
    wired.clock.forward(600)
    sweeper.run_once()
    wire.arrives_anyway = True
    _, newer = wired.file_and_send()
    assert {wired.status(one.id) for one in (*old, newer)} == {Status.UNKNOWN}
    wire.tells = True
    wire.has = {newer.name: 1}
    wired.clock.forward(5)
    sweeper.run_once()
    assert wired.status(newer.id) is Status.SENT


class Vague(Wire):
    """A partner who can only tell what is there; of all else he cannot say that it is not."""

    def locate(self, outgoing: Outgoing) -> bool | None:
        return outgoing.name in self.has or None


def test_a_pass_that_used_up_its_questions_is_followed_by_one_that_goes_on_behind_it(
    open_house: Callable[..., House],
) -> None:
    wire = Vague(breaks=silent)
    house = open_house(wires={LANE: wire})
    sweeper = sweeper_of_few(house)
    messages = []
    for _ in range(5):
        messages.append(house.file_and_send()[1])
        house.clock.forward(10)
    assert {message.status for message in messages} == {Status.UNKNOWN}
    wire.has[messages[-1].name] = 1
    for _ in range(3):
        # All of them are due again before each pass.
        house.clock.forward(1_300)
        sweeper.run_once()
    assert house.status(messages[-1].id) is Status.SENT


def test_of_who_was_asked_about_only_so_many_are_remembered() -> None:
    questions = Questions(most_remembered=3)
    for number in range(10):
        questions.asked(str(number), 0)
    assert len(questions) == 3
    assert [questions.is_due(str(number), 1) for number in (6, 7, 9)] == [True, False, False]
    questions.settled("9")
    assert questions.is_due("9", 1)


def test_many_that_wait_in_vain_do_not_keep_a_later_one_waiting(house: House) -> None:
    sweeper = sweeper_of_few(house)
    for _ in range(2 * WAITING_FOLD + 1):
        house.file(waits_for=(Alias("manifest", "NEVER"),))
    late = house.file(waits_for=(Alias("manifest", "M77"),))
    house.answer_bytes(b'{"manifest": "M77"}', reference="manifest-1")
    assert sum(sweeper.run_once().woken for _ in range(2)) == 1
    assert house.message(late.message_ids[0]).waiting_for == ""
    # From the beginning again once it was at the end.
    house.answer_bytes(b'{"manifest": "NEVER"}', reference="manifest-2")
    assert sum(sweeper.run_once().woken for _ in range(3)) == 2 * WAITING_FOLD + 1


def test_a_manifest_that_no_declaration_names_belongs_to_the_operator_and_frees_who_waits_for_it(house: House) -> None:
    accepted = house.file(waits_for=(Alias("manifest", "M77"),))
    house.answer_bytes(b'{"manifest": "M77"}', reference="manifest-1")
    with house.view("port") as view:
        assert [row.tenant for row in (view.document(root) for root in roots_named(house, "M77"))] == ["port"]
    assert house.sweeper.run_once().woken == 1
    second = house.file(waits_for=(Alias("manifest", "M77"),), tenant="other")
    assert house.message(second.message_ids[0]).waiting_for == ""
    assert house.message(accepted.message_ids[0]).waiting_for == ""


def test_what_sixty_declarations_wait_for_frees_every_one_of_them_however_early_it_was_filed(house: House) -> None:
    _, manifest = house.file_and_send(manifest="M77")
    waiting = [house.file(manifest="M77", waits_for=(Alias("manifest", "M77"),)).message_ids[0] for _ in range(60)]
    assert all(house.message(one).waiting_for for one in waiting)
    house.answer(manifest, "accepted")
    assert house.sweeper.run_once().woken == 60
    assert not any(house.message(one).waiting_for for one in waiting)
    late = house.file(manifest="M77", waits_for=(Alias("manifest", "M77"),))
    assert house.message(late.message_ids[0]).waiting_for == ""


def test_what_only_the_waiting_declaration_itself_carries_is_not_there(house: House) -> None:
    accepted = house.file(manifest="M77", waits_for=(Alias("manifest", "M77"),))
    house.operator.stop_waiting(accepted.message_ids[0], actor="ann", reason="told by telephone")
    house.run()
    house.answer(house.message(accepted.message_ids[0]), "waiting", prerequisite="manifest:M77")
    house.answer(house.message(accepted.message_ids[0]), "registered", issued_us=house.clock())
    with house.store.read() as reading:
        assert reading.settled_roots("acme", "M77", 2) == [accepted.root_id]
        settled = Settled(reading)
        assert unmet(settled, [Alias("manifest", "M77")], accepted.root_id, {"acme"}) == [Alias("manifest", "M77")]
        assert unmet(settled, [Alias("manifest", "M77")], "another", {"acme"}) == []


@pytest.mark.parametrize(("function", "is_there"), [("submitted", False), ("registered", True), ("returned", False)])
def test_a_declaration_is_there_once_customs_has_stored_it_and_while_it_is_not_given_back(
    house: House, function: str, is_there: bool
) -> None:
    _, message = house.file_and_send(manifest="M77")
    house.answer(message, function)
    with house.store.read() as reading:
        assert bool(reading.settled_roots("acme", "m77", 2)) is is_there
        assert reading.settled_roots("other", "m77", 2) == []


def roots_named(house: House, value: str) -> list[str]:
    with house.store.read() as reading:
        return reading.find_roots(None, value, 10)


def test_of_many_whose_worker_died_each_is_asked_for_by_its_own_id(wired: House, wire: Wire) -> None:
    messages = [wired.message(wired.file().message_ids[0]) for _ in range(3)]

    def begin(writing: Writing) -> None:
        for message in messages:
            writing.advance(message, "signed", "started", now_us=wired.clock())

    wired.store.write(begin)
    with wired.store.read() as reading:
        now = wired.clock()
        assert [one.id for one in reading.stale_sending(now, 10)] == [one.id for one in messages]
        assert reading.stale_message(messages[1].id, now) == reading.stale_sending(now, 10)[1]
    assert wired.sweeper.look().lost == 3
    with wired.store.read() as reading:
        assert reading.stale_message(messages[1].id, wired.clock()) is None
