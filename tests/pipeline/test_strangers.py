"""The allowances of callers who are not believed yet: so much at once, so much a second, and never more memory than agreed."""

from __future__ import annotations

from gateway.pipeline.strangers import Allowances
from gateway.testing.clock import FrozenClock


def test_who_paid_for_everything_waits_until_the_time_has_earned_it_again() -> None:
    clock = FrozenClock()
    allowances = Allowances(3, 0.5, clock)
    assert [allowances.pay("a") for _ in range(4)] == [True, True, True, False]
    assert allowances.wait_s("a") == 2
    clock.advance(2)
    assert allowances.wait_s("a") == 0
    assert [allowances.pay("a") for _ in range(2)] == [True, False]


def test_an_hour_of_silence_earns_no_more_than_was_there_at_first() -> None:
    clock = FrozenClock()
    allowances = Allowances(3, 0.5, clock)
    allowances.pay("a")
    clock.advance(3_600)
    assert [allowances.pay("a") for _ in range(4)] == [True, True, True, False]


def test_what_one_pays_another_keeps() -> None:
    allowances = Allowances(1, 0.5, FrozenClock())
    assert allowances.pay("a")
    assert allowances.wait_s("a") > 0
    assert allowances.wait_s("b") == 0


def test_small_costs_add_up() -> None:
    allowances = Allowances(1, 0.5, FrozenClock())
    assert [allowances.pay("a", 0.25) for _ in range(5)] == [True] * 4 + [False]


def test_of_many_keys_those_not_seen_for_longest_are_forgotten() -> None:
    allowances = Allowances(1, 0.001, FrozenClock(), most_keys=2)
    for key in ("a", "b", "c"):
        allowances.pay(key)
    assert [allowances.wait_s(key) > 0 for key in ("a", "b", "c")] == [False, True, True]
