"""That duty is paid no public answer tells: a person enters it from customs' receipt, and the alarms say so until then."""

from __future__ import annotations

from datetime import UTC

import pytest

from gateway import texts
from gateway.errors import Conflict, RuleBroken
from gateway.lifecycle import Mover
from gateway.pipeline import standings
from gateway.pipeline.telling import Telling
from gateway.ports import MessageRow
from gateway.settings import PROJECT_ROOT
from tests.pipeline.small_house import House

DAY_S = 86_400
RECEIPT = "A01-0708"


@pytest.fixture
def telling() -> Telling:
    return Telling.load(PROJECT_ROOT / "specs", texts.load(PROJECT_ROOT), UTC)


def released_with_duty(house: House, *more: str) -> tuple[str, MessageRow]:
    """The declaration's id and its message, once customs has released the goods and asked for the duty."""
    accepted, message = house.file_and_send()
    for function in ("accepted", "released", *more, "payment_required"):
        house.answer(message, function, issued_us=house.clock())
    return accepted.root_id, message


def enter(house: House, root_id: str, evidence: str = RECEIPT) -> str:
    return house.operator.duty_paid(root_id, actor="acme/erp-1", reason="paid on Friday", evidence=evidence)


def test_the_alarm_about_duty_names_the_act_that_ends_it_in_both_languages(house: House, telling: Telling) -> None:
    root_id, _ = released_with_duty(house)
    house.clock.forward(15 * DAY_S + 1)
    house.sweeper.run_once()
    event = [one for one in house.timeline(root_id) if one.type == "document:silence:overdue"][-1]
    assert (event.data["mover"], event.data["enter"]) == ("declarant", "duty_paid")
    assert "What to do: Pay it." in telling.sentence(event, "en")
    assert "POST /v1/declarations/ID/duty-paid" in telling.sentence(event, "en")
    assert "处理办法：请缴税。" in telling.sentence(event, "zh")


def test_duty_that_is_entered_as_paid_ends_the_asking_and_says_who_entered_it_from_what(
    house: House, telling: Telling
) -> None:
    root_id, _ = released_with_duty(house)
    response = enter(house, root_id)
    standing = house.standing(root_id)
    assert (standing.states["duty"], standing.mover, standing.alarm_us) == ("paid", Mover.NOBODY, None)
    assert standings.to_enter(standing) == ""
    (event,) = [one for one in house.timeline(root_id) if one.type == "operator:reply:entered"]
    assert (event.actor, event.raw_text, event.data["evidence"]) == ("acme/erp-1", "paid on Friday", RECEIPT)
    assert f"Shown by: {RECEIPT}." in telling.sentence(event, "en")
    assert f"凭证：{RECEIPT}。" in telling.sentence(event, "zh")
    with house.view("acme") as view:
        stored = view.json(view.document(response).digest)
    assert stored == {
        "function": "duty_paid",
        "raw_code": "by hand",
        "raw_text": "paid on Friday",
        "raw_detail": RECEIPT,
    }
    house.clock.forward(40 * DAY_S)
    house.sweeper.run_once()
    assert "document:silence:overdue" not in house.told(root_id)


@pytest.mark.parametrize("evidence", ["", "  "])
def test_duty_is_not_entered_as_paid_without_the_paper_that_shows_it(house: House, evidence: str) -> None:
    root_id, message = released_with_duty(house)
    with pytest.raises(RuleBroken) as refused:
        enter(house, root_id, evidence)
    assert refused.value.findings[0].code == "operator.evidence"
    with pytest.raises(RuleBroken):
        house.operator.answer_by_hand(message.id, "duty_paid", actor="ann", reason="they say so")
    assert house.standing(root_id).states["duty"] == "due"
    assert "operator:reply:entered" not in house.told(root_id)


def test_nothing_is_entered_where_no_duty_is_asked_for_or_it_is_paid_already(house: House) -> None:
    accepted, message = house.file_and_send()
    house.answer(message, "accepted")
    for _ in range(2):
        with pytest.raises(Conflict) as refused:
            enter(house, accepted.root_id)
        assert refused.value.findings[0].code == "declaration.no_duty"
        house.answer(message, "payment_required", issued_us=house.clock())
        house.answer(message, "duty_paid", issued_us=house.clock())


def test_duty_of_an_earlier_round_is_not_that_of_this_one(house: House) -> None:
    root_id, message = released_with_duty(house)
    house.answer(message, "returned", issued_us=house.clock())
    assert standings.to_enter(house.standing(root_id)) == "", "a returned declaration is declared again first"
    house.file(root_id=root_id)
    with pytest.raises(Conflict):
        enter(house, root_id)


def test_duty_that_customs_asks_for_after_it_closed_the_declaration_is_owed_until_it_is_entered(house: House) -> None:
    root_id, _ = released_with_duty(house, "closed")
    standing = house.standing(root_id)
    assert (standing.mover, standing.final) == (Mover.DECLARANT, False)
    house.clock.forward(15 * DAY_S + 1)
    house.sweeper.run_once()
    assert "document:silence:overdue" in house.told(root_id)
    with pytest.raises(Conflict) as refused:
        house.file(root_id=root_id)
    assert refused.value.code == "declaration.finished", "it is over for customs all the same"
    enter(house, root_id)
    after = house.standing(root_id)
    assert (after.states["duty"], after.mover, after.final) == ("paid", Mover.NOBODY, True)


def test_a_closing_after_the_notice_ends_the_asking(house: House) -> None:
    root_id, message = released_with_duty(house)
    house.answer(message, "closed", issued_us=house.clock())
    standing = house.standing(root_id)
    assert (standing.mover, standing.final, standings.to_enter(standing)) == (Mover.NOBODY, True, "")
