"""Where a document stands after any replies in any order, and whose move it is."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.lifecycle import FUNCTIONS, Judgement, Mover, Phase, Track, project, project_request


def judged(*functions: str, round: int = 1, phase: Phase = Phase.SINGLE) -> list[Judgement]:
    return [Judgement(round, phase, function, 1_000 + index) for index, function in enumerate(functions)]


def test_released_never_overwrites_closed_even_when_both_carry_the_same_second() -> None:
    replies = [Judgement(1, Phase.SINGLE, function, 7) for function in ("closed", "released", "accepted")]
    for order in itertools.permutations(replies):
        standing = project(order, round=1, phase=Phase.SINGLE)
        assert standing.states == {Track.DECLARATION: "closed", Track.RELEASE: "released"}
        assert (standing.final, standing.mover) == (True, Mover.NOBODY)


@given(st.lists(st.sampled_from(sorted(FUNCTIONS)), max_size=6), st.randoms())
def test_the_order_of_arrival_and_doubles_change_nothing(functions: list[str], dice: object) -> None:
    replies = judged(*functions)
    shuffled = [*replies, *replies]
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    told = project(replies, round=1, phase=Phase.SINGLE)
    assert project(shuffled, round=1, phase=Phase.SINGLE) == told


def test_a_late_reply_of_an_earlier_round_moves_nothing() -> None:
    replies = [*judged("submitted", "returned"), *judged("submitted", round=2)]
    standing = project(replies, round=2, phase=Phase.SINGLE)
    assert (standing.states[Track.DECLARATION], standing.round_ended) == ("submitted", False)


@pytest.mark.parametrize(
    ("phase", "functions", "mover"),
    [
        (Phase.SINGLE, (), Mover.GATEWAY),
        (Phase.SINGLE, ("received",), Mover.CARD_HOLDER),
        (Phase.SINGLE, ("received", "submitted"), Mover.CUSTOMS),
        (Phase.SINGLE, ("accepted", "under_control"), Mover.DECLARANT),
        (Phase.SINGLE, ("accepted", "payment_required", "released"), Mover.DECLARANT),
        (Phase.SINGLE, ("accepted", "payment_required", "duty_paid", "released"), Mover.NOBODY),
        (Phase.SINGLE, ("accepted", "released"), Mover.NOBODY),
        (Phase.SUMMARY, ("accepted", "released"), Mover.DECLARANT),
        (Phase.FULL, ("accepted", "released"), Mover.NOBODY),
        (Phase.SINGLE, ("accepted", "conditionally_released"), Mover.CUSTOMS),
        (Phase.SINGLE, ("returned",), Mover.DECLARANT),
        (Phase.SINGLE, ("cancelled",), Mover.NOBODY),
    ],
)
def test_it_is_always_somebodys_move(phase: Phase, functions: tuple[str, ...], mover: Mover) -> None:
    standing = project(judged(*functions, phase=phase), round=1, phase=phase)
    assert standing.mover is mover
    assert (standing.silent_after_s is None) == (mover is Mover.NOBODY)


def test_a_released_summary_owes_its_complete_declaration_within_fourteen_days() -> None:
    standing = project(judged("released", phase=Phase.SUMMARY), round=1, phase=Phase.SUMMARY)
    assert standing.silent_after_s == 14 * 24 * 3600


@pytest.mark.parametrize(
    ("functions", "state"),
    [
        ((), "filed"),
        (("received",), "stashed"),
        (("request_granted", "received"), "granted"),
        (("rejected",), "refused"),
    ],
)
def test_a_request_is_told_by_the_highest_ranking_answer(functions: tuple[str, ...], state: str) -> None:
    assert project_request(functions) == state
