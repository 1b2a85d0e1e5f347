"""Who guesses keys has to wait, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.agreements import Directory
from gateway.api.guesses import Guesses
from gateway.api.problems import TooOften, Unauthorized
from gateway.api.security import admitted
from gateway.app import MOST_WRONG_KEYS, WRONG_KEYS_S
from gateway.testing.directory import PartnersFile

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
