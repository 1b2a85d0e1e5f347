"""What processes tell each other: two exchanges over one database, as two serving processes have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway import settings
from gateway.errors import NeedsOperator
from gateway.pipeline import exchange as exchange_module
from gateway.pipeline.exchange import NAMES_A_ROW, Exchange
from gateway.pipeline.strangers import Allowances
from gateway.ports import Store
from gateway.storage import SqlStore, open_store
from gateway.storage.database import Database
from gateway.testing.clock import FrozenClock

Heard = list[tuple[str, float, float]]


@pytest.fixture
def open_one(tmp_path: Path) -> Iterator[Callable[[], SqlStore]]:
    """Opens stores of one gateway, as each of its processes does."""
    opened: list[SqlStore] = []

    def call() -> SqlStore:
        opened.append(open_store(settings.load({"SWGATE_HOME": str(tmp_path)})))
        return opened[-1]

    yield call
    for store in opened:
        store.close()


def listening(exchange: Exchange, topic: str = "a") -> tuple[exchange_module.Tell, Heard]:
    heard: Heard = []
    return exchange.topic(topic, lambda name, amount, ago_s: heard.append((name, amount, ago_s))), heard


def test_one_hears_what_the_other_told_once_and_never_itself(open_one: Callable[[], SqlStore]) -> None:
    clock = FrozenClock()
    here, there = Exchange(open_one(), clock), Exchange(open_one(), clock)
    (tell, heard_here), (_, heard_there) = listening(here), listening(there)
    tell("192.0.2.1", 1)
    tell("192.0.2.1", 1)
    tell("192.0.2.2", 0.5)
    here.turn()
    clock.advance(3)
    for one in (there, here, there):
        one.turn()
    assert heard_there == [("192.0.2.1", 2, 3), ("192.0.2.2", 0.5, 3)]
    assert heard_here == []


def test_topics_are_apart_and_one_that_nobody_listens_to_is_passed_by(open_one: Callable[[], SqlStore]) -> None:
    here, there = Exchange(open_one()), Exchange(open_one())
    tells = [listening(here, topic)[0] for topic in ("a", "b", "only here")]
    for number, tell in enumerate(tells):
        tell(f"name-{number}", 1)
    heard = [listening(there, topic)[1] for topic in ("a", "b")]
    here.turn()
    there.turn()
    assert [[name for name, _, _ in one] for one in heard] == [["name-0"], ["name-1"]]


def test_who_starts_later_hears_what_was_told_before_also_of_a_process_that_ended(
    open_one: Callable[[], SqlStore],
) -> None:
    before = Exchange(open_one())
    tell, _ = listening(before)
    tell("192.0.2.1", 1)
    before.turn()
    after = Exchange(open_one())
    _, heard = listening(after)
    after.turn()
    assert [name for name, _, _ in heard] == ["192.0.2.1"]


def test_much_is_told_in_several_turns_and_nothing_of_it_twice(open_one: Callable[[], SqlStore]) -> None:
    here, there = Exchange(open_one()), Exchange(open_one())
    tell, _ = listening(here)
    _, heard = listening(there)
    names = [f"address-{number}" for number in range(NAMES_A_ROW + 7)]
    for name in names:
        tell(name, 1)
    for _ in range(3):
        here.turn()
        there.turn()
    assert [name for name, _, _ in heard] == names


def test_what_waits_to_be_told_is_bounded(open_one: Callable[[], SqlStore], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_module, "MOST_WAITING", 2)
    here, there = Exchange(open_one()), Exchange(open_one())
    tell, _ = listening(here)
    _, heard = listening(there)
    for name in ("a", "b", "c", "a"):
        tell(name, 1)
    here.turn()
    there.turn()
    assert [(name, amount) for name, amount, _ in heard] == [("a", 2), ("b", 1)]


def test_what_could_not_be_written_is_told_when_the_database_is_there_again(
    open_one: Callable[[], SqlStore], tmp_path: Path
) -> None:
    here, there = Exchange(open_one()), Exchange(open_one())
    tell, _ = listening(here)
    _, heard = listening(there)
    rename = "ALTER TABLE {} RENAME TO {}"
    database = Database(settings.load({"SWGATE_HOME": str(tmp_path)}).database_url)
    with database.engine.connect() as connection:
        connection.exec_driver_sql(rename.format("sightings", "gone"))
        tell("192.0.2.1", 1)
        with pytest.raises(NeedsOperator):
            here.turn()
        connection.exec_driver_sql(rename.format("gone", "sightings"))
    database.close()
    here.turn()
    there.turn()
    assert [(name, amount) for name, amount, _ in heard] == [("192.0.2.1", 1)]


def test_nothing_is_written_while_there_is_nothing_to_tell(open_one: Callable[[], SqlStore]) -> None:
    store = open_one()
    exchange = Exchange(store)
    listening(exchange)
    for _ in range(3):
        exchange.turn()
    assert of_the_counter(store) == 1


def of_the_counter(store: Store) -> int:
    return store.write(lambda writing: writing.reserve("sightings.number", 1))


def test_what_is_paid_in_one_process_is_taken_off_in_the_other_and_paying_twice_is_owed(
    open_one: Callable[[], SqlStore],
) -> None:
    clock = FrozenClock()
    exchanges = [Exchange(open_one(), clock) for _ in range(2)]
    one, other = (Allowances(3, 0.5, clock).shared(exchange, "senders") for exchange in exchanges)
    assert [one.pay("a") for _ in range(2)] == [True] * 2
    for exchange in exchanges:
        exchange.turn()
    assert [other.pay("a") for _ in range(2)] == [True, False]
    # Both at once, before either hears of the other: together four, where three are allowed.
    assert [allowances.pay("b") for allowances in (one, one, other, other)] == [True] * 4
    for exchange in (*exchanges, *exchanges):
        exchange.turn()
    assert one.wait_s("b") == other.wait_s("b") == 4
    clock.advance(4)
    assert one.wait_s("b") == 0
