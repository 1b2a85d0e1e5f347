"""Who guesses keys has to wait, and nobody else."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest

from gateway import app
from gateway.agreements import Directory
from gateway.api.guesses import Guesses
from gateway.api.problems import TooOften, Unauthorized
from gateway.api.security import admitted
from gateway.app import MOST_WRONG_KEYS, WRONG_KEYS_S
from gateway.pipeline.exchange import TOLD_FOR_S, Exchange
from gateway.ports import Store
from gateway.testing.directory import PartnersFile

DOORS = itertools.count(1)
NEAR, FAR = "192.0.2.1", "198.51.100.7"


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def directory() -> Directory:
    return PartnersFile().add_tenant("aa", key="right-key-of-a").add_tenant("bb", key="right-key-of-b").directory()


def test_an_address_waits_after_too_many_wrong_keys_and_then_goes_on(directory: Directory) -> None:
    watch = Watch()
    guesses = Guesses(3, 60, watch)
    admitted(directory, guesses, "right-key-of-a", NEAR)
    for number in range(3):
        watch.now = float(number)
        with pytest.raises(Unauthorized):
            admitted(directory, guesses, f"wrong-key-{number}", NEAR)
    for key in ("wrong-key-9", "right-key-of-b"):
        with pytest.raises(TooOften) as refused:
            admitted(directory, guesses, key, NEAR)
        assert refused.value.retry_after_s == 59
    assert admitted(directory, guesses, "right-key-of-a", NEAR).tenant == "aa"
    assert admitted(directory, guesses, "right-key-of-b", FAR).tenant == "bb"
    watch.now = 60.5
    assert admitted(directory, guesses, "right-key-of-b", NEAR).tenant == "bb"


def test_what_is_remembered_does_not_grow_without_end() -> None:
    guesses = Guesses(2, 60)
    for number in range(12_000):
        guesses.wrong(f"address-{number}")
        guesses.right(f"address-{number}", "a/key")
    assert (len(guesses._wrong), len(guesses._known)) == (10_000, 10_000)


@pytest.mark.parametrize("wrong_keys", [1, 2], ids=["who may go on", "who wait too"])
def test_who_waits_is_not_let_go_by_any_number_of_others(wrong_keys: int) -> None:
    watch = Watch()
    guesses = Guesses(2, 60, watch)
    for address in [NEAR, NEAR, *(f"address-{number}" for number in range(12_000) for _ in range(wrong_keys))]:
        guesses.wrong(address)
    assert guesses.wait_s(NEAR) > 0
    assert len(guesses._wrong) + len(guesses._waiting) == 10_000
    watch.now = 61
    assert guesses.wait_s(NEAR) == 0


def test_newcomers_wait_for_their_own_wrong_keys_also_where_everybody_waits() -> None:
    watch = Watch()
    guesses = Guesses(2, 60, watch)
    for number in range(20_000):
        guesses.wrong(f"address-{number // 2}")
    assert guesses.wait_s(FAR) == 0
    guesses.wrong(FAR)
    guesses.wrong(FAR)
    assert guesses.wait_s(FAR) > 0
    watch.now = 61
    assert guesses.wait_s(FAR) == 0


def test_wrong_keys_count_together_where_one_customer_has_the_addresses(directory: Directory) -> None:
    guesses = Guesses(3, 60)
    for number in range(3):
        with pytest.raises(Unauthorized):
            admitted(directory, guesses, f"wrong-key-{number}", f"2001:db8:1:{number}::{number}")
    with pytest.raises(TooOften):
        admitted(directory, guesses, "wrong-key-9", "2001:db8:1:7::7")
    assert admitted(directory, guesses, "right-key-of-a", "2001:db8:2::7").tenant == "aa"


def test_wrong_keys_beyond_the_number_use_up_what_may_be_tried_later() -> None:
    watch = Watch()
    guesses = Guesses(2, 60, watch)
    for _ in range(4):
        guesses.wrong(NEAR)
    assert guesses.wait_s(NEAR) == 121
    watch.now = 120
    assert guesses.wait_s(NEAR) == 0


def two_processes(store: Store, *, most: int, watch: Watch) -> tuple[list[Guesses], Callable[[], None]]:
    """The guesses of two processes, and what lets each hear the other."""
    exchanges = [Exchange(store) for _ in range(2)]
    # A door of its own: what one test tells is news to the exchanges of all others.
    door = f"door {next(DOORS)}"
    guesses = [Guesses(most, 60, watch).shared(exchange, door) for exchange in exchanges]

    def let_hear() -> None:
        for exchange in (*exchanges, *exchanges):
            exchange.turn()

    return guesses, let_hear


def test_two_processes_together_let_as_much_be_tried_as_one(running: Any, directory: Directory) -> None:
    watch = Watch()
    (here, there), let_hear = two_processes(running.app.parts.store, most=3, watch=watch)
    for number in range(3):
        with pytest.raises(Unauthorized):
            admitted(directory, (here, there)[number % 2], f"wrong-key-{number}", NEAR)
        let_hear()
    for guesses in (here, there):
        with pytest.raises(TooOften):
            admitted(directory, guesses, "wrong-key-9", NEAR)
        assert admitted(directory, guesses, "right-key-of-b", FAR).tenant == "bb"


def test_who_tries_in_both_at_once_waits_twice_as_long_in_both(running: Any) -> None:
    watch = Watch()
    both, let_hear = two_processes(running.app.parts.store, most=3, watch=watch)
    for guesses in both:
        for _ in range(3):
            guesses.wrong(NEAR)
    let_hear()
    watch.now = 100
    assert [guesses.wait_s(NEAR) > 0 for guesses in both] == [True, True]
    watch.now = 125
    assert [guesses.wait_s(NEAR) > 0 for guesses in both] == [False, False]


def test_who_was_let_in_by_one_process_is_let_in_by_the_other_whatever_neighbours_try(
    running: Any, directory: Directory
) -> None:
    (here, there), let_hear = two_processes(running.app.parts.store, most=2, watch=Watch())
    admitted(directory, here, "right-key-of-a", NEAR)
    for _ in range(2):
        here.wrong(NEAR)
    let_hear()
    with pytest.raises(TooOften):
        admitted(directory, there, "right-key-of-b", NEAR)
    assert admitted(directory, there, "right-key-of-a", NEAR).tenant == "aa"


def test_a_right_key_is_told_once_in_hours_and_not_at_each_request(running: Any, directory: Directory) -> None:
    watch = Watch()
    told: list[str] = []
    exchange = Exchange(running.app.parts.store)
    guesses = Guesses(2, 60, watch).shared(exchange, "test")
    guesses._tell_right = lambda name, _amount: told.append(name)
    for _ in range(50):
        admitted(directory, guesses, "right-key-of-a", NEAR)
    assert len(told) == 1
    watch.now = TOLD_FOR_S + 1.0
    admitted(directory, guesses, "right-key-of-a", NEAR)
    assert len(told) == 2


def test_a_second_serving_process_knows_within_seconds_who_guessed_at_the_first(running: Any) -> None:
    parts = running.app.parts
    second = app.create(parts.settings)
    try:
        sender = "203.0.113.78"
        for number in range(MOST_WRONG_KEYS):
            running.api.ask("GET", "/v1/messages", key=f"wrong-key-{number}", X_Forwarded_For=sender)
        patient_until = time.monotonic() + 10
        while not second.parts.guesses.wait_s(sender) and time.monotonic() < patient_until:
            time.sleep(0.05)
        with pytest.raises(TooOften):
            admitted(second.parts.directory, second.parts.guesses, "wrong-key-99", sender)
    finally:
        second.close()


def test_the_api_answers_429_with_retry_after(running: Any) -> None:
    sender = {
        "X_Forwarded_For": "203.0.113.77"
    }  # a proxy on this machine says so; the others of these tests are left alone
    keys = [f"wrong-key-{number}" for number in range(MOST_WRONG_KEYS + 1)]
    statuses = [running.api.ask("GET", "/v1/messages", key=key, **sender).status for key in keys]
    assert statuses == [401] * MOST_WRONG_KEYS + [429]
    refused = running.api.ask("GET", "/v1/messages", key="wrong-key-99", **sender)
    assert 1 <= int(refused.headers["retry-after"]) <= WRONG_KEYS_S + 1
    assert refused.json["code"] == "http.wrong_keys"
    assert running.api.ask("GET", "/v1/messages", **sender).status == 429
    assert running.api.ask("GET", "/health", key="", **sender).status == 200
    assert running.api.get("/v1/messages").status == 200
