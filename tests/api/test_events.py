"""The feed of events over real sockets: pages, long polls and streams, their filters, their ends, and that nothing is lost between them."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway import ids
from gateway.api.events import Events
from gateway.events import EventType
from gateway.pipeline.feed_pages import cursor_of, position_of
from gateway.pipeline.timeline import entry
from gateway.ports import Writing
from tests.api.conftest import FILER, HERE, OPERATOR, OTHER, Running, partners, serving
from tests.api.listener import Listener, until

HEARTBEAT_S = 1
PLACES = 400


def speak_at_length(writing: Writing) -> None:
    """A thousand entries of 2 kB."""
    for _ in range(1_000):
        now_us = ids.now_us()
        kind = EventType.REPLY_RECEIVED
        writing.append_event(entry(kind, now_us, root_id="lengthy", tenant="operator", raw_text="long " * 400))


def places_of(running: Running) -> Counter[str]:
    """How many streams and waiting requests each caller has open."""
    (events,) = (one for one in running.app.asgi._behind if isinstance(one, Events))
    return events._places


def is_held_by_server(port: int, others: int) -> bool:
    """Whether the server's side of a connection is established, by proc(5), net/tcp."""
    rows = [line.split()[1:4] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [f"0100007F:{port:04X}", f"0100007F:{others:04X}", "01"] in rows


@contextmanager
def listening(running: Running, query: str = "", **more: Any) -> Iterator[Listener]:
    listener = Listener(running.port, query, **{"key": FILER, **more})
    try:
        assert listener.status == 200
        until(lambda: listener.comments > 0)
        yield listener
    finally:
        listener.close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, examples: dict[str, Any]) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("events")
    said = {
        "SWGATE_HOME": str(home),
        "SWGATE_PARTNERS": str(partners(home)),
        "SWGATE_CERTS": str(home / "certs"),
        "SWGATE_ADAPTERS": str(HERE / "adapters"),
        "SWGATE_HEARTBEAT_S": str(HEARTBEAT_S),
        "SWGATE_LISTENERS": str(PLACES),
    }
    with serving(said, examples) as running:
        yield running


def test_pages_hold_every_event_once_in_the_order_of_positions(gateway: Running) -> None:
    mine = [gateway.file()["id"] for _ in range(5)]
    seen: list[dict[str, Any]] = []
    after, more = "start", True
    while more:
        page = gateway.api.get(f"/v1/events?after={after}&limit=3").json
        assert len(page["items"]) <= 3
        seen += page["items"]
        after, more = page["next_cursor"], page["more"]
    positions = [event["position"] for event in seen]
    assert positions == sorted(set(positions))
    accepted = [event["declaration_id"] for event in seen if event["type"] == "document:submission:accepted"]
    assert accepted[-5:] == mine
    assert gateway.api.get(f"/v1/events?after={after}").json["items"] == []
    assert [event["cursor"] for event in seen] == [cursor_of(position) for position in positions]


def test_an_event_says_what_the_timeline_says_in_either_language(gateway: Running) -> None:
    filed = gateway.file()["id"]
    for lang in ("en", "zh"):
        told = gateway.api.get(f"/v1/events?declaration={filed}", Accept_Language=lang).json["items"]
        timeline = gateway.api.get(f"/v1/declarations/{filed}/timeline", Accept_Language=lang).json["items"]
        assert [{name: event[name] for name in row} for event, row in zip(told, timeline, strict=True)] == timeline
        assert {event["tenant"] for event in told} == {"filer"}


def test_a_tenant_sees_its_own_events_and_an_operator_all_or_those_of_one(gateway: Running) -> None:
    now = gateway.operator.get("/v1/events?after=now").json["next_cursor"]
    mine, others = gateway.file()["id"], gateway.other.post("/v1/declarations", gateway.declaration()).json["id"]

    def seen(api: Any, more: str = "") -> set[str]:
        items = api.get(f"/v1/events?after={now}&limit=200{more}").json["items"]
        return {event["declaration_id"] for event in items if "declaration_id" in event}

    assert (seen(gateway.api), seen(gateway.other)) == ({mine}, {others})
    assert seen(gateway.operator) >= {mine, others}
    assert seen(gateway.operator, "&tenant=other") == {others}
    assert gateway.api.get("/v1/events?tenant=other").status == 403
    assert gateway.api.get(f"/v1/events?declaration={others}").status == 404
    message = gateway.operator.get("/v1/messages?limit=1").json["items"][0]["message"]
    assert message["tenant"] == "other"
    assert gateway.api.get(f"/v1/events?message={message['id']}").status == 404
    assert gateway.api.get("/v1/events", Accept="text/event-stream", key="").status == 401


def test_filters_by_type_message_and_agreement_name_what_comes(gateway: Running) -> None:
    filed = gateway.file()
    gateway.hand_over(filed["message_ids"][0])
    gateway.answer(filed["id"], "registered")

    def types(more: str) -> list[str]:
        items = gateway.api.get(f"/v1/events?declaration={filed['id']}{more}").json["items"]
        return [event["type"] for event in items]

    every = types("")
    assert types("&types=partner:reply:received,document:submission:accepted") == [
        name for name in every if name in ("partner:reply:received", "document:submission:accepted")
    ]
    of_message = gateway.api.get(f"/v1/events?message={filed['message_ids'][0]}").json["items"]
    assert {event["message_id"] for event in of_message} == {filed["message_ids"][0]}
    assert 0 < len(of_message) < len(every)
    assert {event["agreement"] for event in gateway.api.get("/v1/events?agreement=plain").json["items"]} == {"plain"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("after=no-such-cursor", "api.cursor.unknown"),
        (f"after={cursor_of(10**9)}", "api.cursor.unknown"),
        (f"after={cursor_of(1)[:-1]}A", "api.cursor.unknown"),
        ("types=document:submission:eaten", "api.event_type.unknown"),
        ("agreement=nobody", "agreement.unknown"),
        ("limit=0", "api.parameter"),
        ("wait_s=61", "api.parameter"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_code_in_both_forms(gateway: Running, query: str, code: str) -> None:
    for accept in ("application/json", "text/event-stream"):
        answer = gateway.api.get(f"/v1/events?{query}", Accept=accept)
        assert (answer.status, answer.json["findings"][0]["code"]) == (400, code)


def test_every_wrong_value_is_told_at_once(gateway: Running) -> None:
    answer = gateway.api.get("/v1/events?after=nowhere&types=a:b:c&agreement=nobody")
    assert {finding["code"] for finding in answer.json["findings"]} == {
        "api.cursor.unknown",
        "api.event_type.unknown",
        "agreement.unknown",
    }


def test_a_cursor_is_read_back_as_it_was_written() -> None:
    assert [position_of(cursor_of(number)) for number in (0, 1, 2**40)] == [0, 1, 2**40]


def test_a_long_poll_answers_when_something_comes_and_empty_when_the_time_is_over(gateway: Running) -> None:
    now = gateway.api.get("/v1/events?after=now").json["next_cursor"]
    began = time.monotonic()
    empty = gateway.api.get(f"/v1/events?after={now}&wait_s=1").json
    assert (empty["items"], empty["next_cursor"]) == ([], now)
    assert 0.9 < time.monotonic() - began < 5
    filed: list[str] = []
    later = threading.Timer(0.5, lambda: filed.append(gateway.file()["id"]))
    later.start()
    began = time.monotonic()
    page = gateway.api.get(f"/v1/events?after={now}&wait_s=15").json
    later.join()
    assert time.monotonic() - began < 5
    assert {event["declaration_id"] for event in page["items"]} == set(filed)


def test_a_long_poll_is_not_woken_by_what_it_did_not_ask_for(gateway: Running) -> None:
    now = gateway.api.get("/v1/events?after=now").json["next_cursor"]
    threading.Timer(0.3, gateway.file).start()
    page = gateway.api.get(f"/v1/events?after={now}&wait_s=1&types=operator:lane:paused").json
    assert page["items"] == []
    assert position_of(page["next_cursor"]) >= position_of(now)


def test_a_stream_gives_events_as_they_come_and_says_in_between_that_it_is_there(gateway: Running) -> None:
    with listening(gateway) as listener:
        assert listener.headers["content-type"] == "text/event-stream"
        filed = gateway.file()["id"]
        until(lambda: bool(listener.told_of(filed)), 3)
        before = listener.comments
        until(lambda: listener.comments > before, 4 * HEARTBEAT_S)
        assert listener.ids[-1] == cursor_of(listener.events[-1]["position"])


def test_who_comes_back_with_the_last_id_loses_and_doubles_nothing(gateway: Running) -> None:
    filed: list[str] = []
    stop = threading.Event()

    def file() -> None:
        while not stop.is_set():
            filed.append(gateway.file()["id"])

    filer = threading.Thread(target=file)
    with listening(gateway) as first:
        last = first.ids[-1]
    filer.start()
    seen: list[dict[str, Any]] = []
    for _ in range(6):
        with listening(gateway, last=last) as listener:
            time.sleep(0.3)
        listener.thread.join(5)
        seen += listener.events
        last = listener.ids[-1]
    stop.set()
    filer.join()
    rest = gateway.api.get(f"/v1/events?after={last}&limit=200").json
    positions = [event["position"] for event in seen + rest["items"]]
    assert positions == sorted(set(positions))
    accepted = [e["declaration_id"] for e in seen + rest["items"] if e["type"] == "document:submission:accepted"]
    assert rest["more"] or accepted == filed
    assert len(seen) > 20


def test_a_stream_from_the_start_passes_from_the_store_to_what_comes(gateway: Running) -> None:
    with listening(gateway, "?after=start", key=OPERATOR) as listener:
        filed = gateway.file()["id"]
        until(lambda: bool(listener.told_of(filed)))
    positions = [event["position"] for event in listener.events]
    assert positions == list(range(1, positions[-1] + 1))


def test_streams_are_told_in_the_language_of_each_listener(gateway: Running) -> None:
    with listening(gateway) as english, listening(gateway, lang="zh") as chinese:
        filed = gateway.file()["id"]
        until(lambda: bool(english.told_of(filed)) and bool(chinese.told_of(filed)))
    assert english.told_of(filed)[0]["title"] == "Accepted by the gateway and stored"
    assert chinese.told_of(filed)[0]["title"] == "网关已受理并入库"


def test_three_hundred_idle_listeners_hear_nothing_and_cost_filings_little(gateway: Running) -> None:
    def rate() -> float:
        began = time.monotonic()
        for _ in range(40):
            gateway.file()
        return 40 / (time.monotonic() - began)

    rate()
    alone = max(rate(), rate())
    with ExitStack() as stack:
        idle = [stack.enter_context(listening(gateway, key=OTHER)) for _ in range(300)]
        awake = stack.enter_context(listening(gateway, key=FILER))
        crowded = max(rate(), rate(), rate())
        last = gateway.file()["id"]
        until(lambda: bool(awake.told_of(last)))
        assert [listener.events for listener in idle if listener.events] == []
        assert [listener.ended for listener in idle if listener.ended] == []
    # Beside a noisy machine, what is held here is that the speed does not fall with the number of listeners.
    assert crowded > alone / 2


def test_a_key_has_so_many_places_and_a_place_is_free_again_when_its_listener_leaves(gateway: Running) -> None:
    until(lambda: not places_of(gateway))
    with ExitStack() as stack:
        for _ in range(PLACES):
            stack.enter_context(listening(gateway))
        refused = gateway.api.get("/v1/events?after=now&wait_s=1")
        assert (refused.status, refused.json["code"]) == (429, "api.events.places")
        assert int(refused.headers["retry-after"]) > 0
        assert gateway.api.get("/v1/events?after=now").status == 200
        assert gateway.other.get("/v1/events?after=now&wait_s=1").status == 200
    until(lambda: gateway.api.get("/v1/events?after=now&wait_s=1").status == 200)


def test_listeners_who_leave_while_events_come_leave_nothing_behind(gateway: Running) -> None:
    places = places_of(gateway)
    until(lambda: not places)
    stop = threading.Event()

    def file() -> None:
        while not stop.is_set():
            gateway.file()

    filer = threading.Thread(target=file)
    filer.start()
    for _ in range(10):
        with ExitStack() as stack:
            for _ in range(10):
                stack.enter_context(listening(gateway))
    stop.set()
    filer.join()
    until(lambda: not places)
    assert gateway.app.parts.feed._channels == {}


def test_a_listener_who_takes_nothing_is_cut_off_after_two_heartbeats(gateway: Running) -> None:
    stalled = socket.create_connection(("127.0.0.1", gateway.port))
    try:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        places = places_of(gateway)
        until(lambda: not places)
        ask = f"GET /v1/events?after=start HTTP/1.1\r\nHost: here\r\nX-API-Key: {OPERATOR}\r\n"
        stalled.sendall(f"{ask}Accept: text/event-stream\r\n\r\n".encode())
        until(lambda: bool(places))
        assert is_held_by_server(gateway.port, stalled.getsockname()[1])
        # More than the buffers of both systems hold.
        for _ in range(6):
            gateway.app.parts.store.write(speak_at_length)
        until(lambda: not places)
        # The server let go of its side too, though the other one never took what was on its way.
        until(lambda: not is_held_by_server(gateway.port, stalled.getsockname()[1]))
    finally:
        stalled.close()


def test_the_end_of_the_feed_ends_streams_in_order(tmp_path: Path, examples: dict[str, Any]) -> None:
    said = {
        "SWGATE_HOME": str(tmp_path),
        "SWGATE_PARTNERS": str(partners(tmp_path)),
        "SWGATE_CERTS": str(tmp_path / "certs"),
        "SWGATE_ADAPTERS": str(HERE / "adapters"),
    }
    with serving(said, examples) as running, listening(running) as listener:
        running.app.parts.feed.end()
        until(lambda: listener.ended == "in order", 3)
