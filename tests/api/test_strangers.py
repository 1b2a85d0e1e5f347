"""Who has no token and only a signature to show: believed for it, and without it nothing is kept and not much is read."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from gateway.api import bodies
from gateway.api.problems import Crowded, TooMany
from gateway.api.senders import ALL_AT_A_TIME, AT_A_TIME, Places, sender_of
from gateway.pipeline.exchange import Exchange
from gateway.pipeline.strangers import ALLOWED, NOTES

PATH = "/v1/partners/signed/messages"
TABLES = ("inbound", "payloads", "documents")
ADDRESSES = (f"192.0.2.{number}" for number in itertools.count(1))

Sign = Callable[[str, bytes], bytes]


@pytest.fixture
def address() -> str:
    """An address that nobody has called from yet; a proxy on this machine says so."""
    return next(ADDRESSES)


@pytest.fixture
def deliver(running: Any, address: str) -> Callable[..., Any]:
    def call(data: bytes, **headers: str) -> Any:
        return running.api.ask("POST", PATH, raw=data, key="", **{"X_Forwarded_For": address, **headers})

    return call


@pytest.fixture
def filed(running: Any) -> dict[str, Any]:
    """A declaration of the tenant whose partner signs."""
    answer = running.other.post("/v1/declarations", running.declaration())
    assert answer.status == 202, answer.data
    return dict(answer.json)


def rows(running: Any, query: str) -> list[tuple[Any, ...]]:
    path = Path(running.app.parts.settings.home) / "gateway.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as database:
        return database.execute(query).fetchall()


def stored(running: Any) -> list[tuple[Any, ...]]:
    return [rows(running, f"SELECT COUNT(*) FROM {table}")[0] for table in TABLES]


def notes(running: Any) -> list[dict[str, Any]]:
    """What was written down of deliveries of this agreement that were turned away."""
    found = [
        json.loads(row[0]) for row in rows(running, "SELECT data FROM events WHERE type = 'partner:reply:refused'")
    ]
    return [note for note in found if note["agreement"] == "signed"]


def test_what_the_partner_signed_is_taken(running: Any, filed: Any, sign: Sign, deliver: Any) -> None:
    answer = deliver(sign("signer", running.reply(filed["id"], "registered")))
    assert (answer.status, answer.json["status"]) == (202, "matched")


@pytest.mark.parametrize(
    ("data", "signer", "status", "code"),
    [
        (b"\x00garbage", "", 400, "syntax.xml.encoding"),
        (b"<Reply secret='of nobody'/>", "", 403, "trust.signature.missing"),
        (b"<Reply secret='of nobody'/>", "stranger", 403, "trust.certificate.unknown"),
    ],
    ids=["no XML", "unsigned", "signed by somebody else"],
)
def test_of_what_the_partner_did_not_sign_no_byte_is_kept(
    running: Any, sign: Sign, deliver: Any, address: str, data: bytes, signer: str, status: int, code: str
) -> None:
    data = sign(signer, data) if signer else data
    before, noted = stored(running), len(notes(running))
    answer = deliver(data)
    assert (answer.status, [finding["code"] for finding in answer.json["findings"]]) == (status, [code])
    assert stored(running) == before
    (note,) = notes(running)[noted:]
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert (note["sender"], note["size"], note["digest"], note["findings"]) == (address, len(data), digest, [code])
    assert "of nobody" not in json.dumps(note)


def test_the_signed_content_is_known_again_under_any_id_and_any_signature(
    running: Any, filed: Any, sign: Sign, deliver: Any
) -> None:
    data = running.reply(filed["id"], "registered")
    caught = sign("signer", data)
    assert sign("signer", data) != caught
    answers = [
        deliver(caught, X_Message_Id="first"),
        deliver(caught, X_Message_Id="second"),
        deliver(caught + b"<!-- not signed -->"),
        deliver(sign("signer", data)),
    ]
    assert [answer.status for answer in answers] == [202] * 4
    assert len({answer.json["id"] for answer in answers}) == 1
    timeline = running.other.get(f"/v1/messages/{filed['message_ids'][0]}/timeline").json["items"]
    assert [each["type"] for each in timeline].count("partner:reply:received") == 1


def test_nobody_takes_the_id_of_a_message_that_is_still_to_come(
    running: Any, filed: Any, sign: Sign, deliver: Any
) -> None:
    caught = sign("signer", running.reply(filed["id"], "registered"))
    assert deliver(caught, X_Message_Id="of-the-next").status == 202
    answer = deliver(sign("signer", running.reply(filed["id"], "released")), X_Message_Id="of-the-next")
    assert (answer.status, answer.json["status"]) == (202, "matched")


def test_who_is_refused_too_often_waits_and_nobody_else_does(
    running: Any, filed: Any, sign: Sign, deliver: Any
) -> None:
    answers = [deliver(b"<unsigned/>") for _ in range(ALLOWED + 20)]
    refused = [answer.status for answer in answers].index(429)
    assert refused >= ALLOWED
    last = answers[refused]
    assert last.json["code"] == "http.too_many"
    assert int(last.headers["retry-after"]) >= 1
    good = sign("signer", running.reply(filed["id"], "registered"))
    assert running.api.ask("POST", PATH, raw=good, key="", X_Forwarded_For=next(ADDRESSES)).status == 202


def test_notes_of_refusals_are_bounded_however_many_senders_there_are(running: Any) -> None:
    before = len(notes(running))
    for _ in range(NOTES + 50):
        running.api.ask("POST", PATH, raw=b"<unsigned/>", key="", X_Forwarded_For=next(ADDRESSES))
    assert len(notes(running)) - before <= NOTES + 5


def head(address: str, length: int) -> bytes:
    return f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {address}\r\nContent-Length: {length}\r\n\r\n".encode()


def test_much_from_a_stranger_is_refused_before_it_is_read(running: Any, address: str) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as wire:
        wire.sendall(head(address, 2_000_000))
        assert b" 413 " in wire.recv(4096).split(b"\r\n")[0]


def test_a_stranger_who_opens_many_bodies_is_stopped_and_may_come_back(
    running: Any, filed: Any, sign: Sign, deliver: Any, address: str
) -> None:
    with ExitStack() as open_bodies:
        for _ in range(AT_A_TIME):
            wire = open_bodies.enter_context(socket.create_connection(("127.0.0.1", running.port), timeout=10))
            wire.sendall(head(address, 1_000) + b"<")
        good = sign("signer", running.reply(filed["id"], "registered"))
        wait_until(lambda: deliver(good).status == 429)
    wait_until(lambda: deliver(good).status == 202)


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_crowd_that_dawdles_takes_no_place_of_who_was_believed_before_and_is_cut_off(
    running: Any, filed: Any, sign: Sign, deliver: Any
) -> None:
    def signed(function: str) -> bytes:
        return sign("signer", running.reply(filed["id"], function))

    assert deliver(signed("registered")).status == 202
    with ExitStack() as open_bodies:
        wires = []
        for dawdler in [next(ADDRESSES) for _ in range(ALL_AT_A_TIME // AT_A_TIME)] * AT_A_TIME:
            wires.append(open_bodies.enter_context(socket.create_connection(("127.0.0.1", running.port), timeout=10)))
            wires[-1].sendall(head(dawdler, 1_000) + b"<")
        new = {"key": "", "X_Forwarded_For": next(ADDRESSES)}
        wait_until(lambda: running.api.ask("POST", PATH, raw=b"<unsigned/>", **new).status == 429)
        refused = running.api.ask("POST", PATH, raw=b"<unsigned/>", **new)
        assert (refused.json["code"], refused.headers["retry-after"]) == ("http.crowded", "5")
        assert "nothing is wrong with yours" in refused.json["detail"]
        assert deliver(signed("released")).status == 202
        assert b" 408 " in wires[0].recv(4096).split(b"\r\n")[0]
        wait_until(lambda: running.api.ask("POST", PATH, raw=signed("registered"), **new).status == 202)


@pytest.mark.parametrize(("part", "whole"), [(b"x" * 40, True), (b"x", False)], ids=["keeps pace", "drips"])
def test_a_body_is_read_as_long_as_it_keeps_pace(part: bytes, whole: bool) -> None:
    """40 parts, one each hundredth of a second: longer than the grace, and 4000 or 100 bytes a second."""
    left = 40

    async def receive() -> Any:
        nonlocal left
        await asyncio.sleep(0.01)
        left -= 1
        return {"type": "http.request", "body": part, "more_body": left > 0}

    reading = bodies.read(
        receive, {"type": "http", "headers": []}, 10_000, 20, bodies.Pace(grace_s=0.2, bytes_a_s=1_000)
    )
    if whole:
        assert asyncio.run(reading) == part * 40
    else:
        with pytest.raises(bodies.TooSlow):
            asyncio.run(reading)
        assert left > 0


def test_a_crowd_at_one_agreement_leaves_the_others_their_places() -> None:
    places = Places(5)
    with ExitStack() as taken:
        for number in range(ALL_AT_A_TIME):
            taken.enter_context(places.taken("one", f"sender-{number // AT_A_TIME}"))
        with pytest.raises(Crowded), places.taken("one", "late"):
            pass
        taken.enter_context(places.taken("two", "late"))
        places.prove("one", "late")
        for _ in range(AT_A_TIME):
            taken.enter_context(places.taken("one", "late"))
        with pytest.raises(TooMany) as refused, places.taken("one", "late"):
            pass
        assert not isinstance(refused.value, Crowded)
    with places.taken("one", "anybody"):
        pass
    assert (places._own.total(), places._shared.total()) == (0, 0)


def test_who_was_believed_by_one_process_is_no_stranger_to_another(running: Any) -> None:
    exchanges = [Exchange(running.app.parts.store) for _ in range(2)]
    here, there = (Places(5).shared(exchange) for exchange in exchanges)
    here.prove("one", "198.51.100.9")
    for exchange in exchanges:
        exchange.turn()
    with ExitStack() as taken:
        for number in range(ALL_AT_A_TIME):
            taken.enter_context(there.taken("one", f"sender-{number // AT_A_TIME}"))
        taken.enter_context(there.taken("one", "198.51.100.9"))
        with pytest.raises(Crowded), there.taken("one", "late"):
            pass


def test_to_send_again_what_the_partner_signed_earns_no_place(running: Any, filed: Any, sign: Sign) -> None:
    data = sign("signer", running.reply(filed["id"], "registered"))
    partner, thief = next(ADDRESSES), next(ADDRESSES)
    for address in (partner, thief):
        assert running.api.ask("POST", PATH, raw=data, key="", X_Forwarded_For=address).status == 202
    proven = running.app.asgi._behind[0]._places._proven
    assert (("signed", partner) in proven, ("signed", thief) in proven) == (True, False)


def test_the_addresses_of_one_network_of_ipv6_count_as_one() -> None:
    assert sender_of("2001:db8:1:2::7") == sender_of("2001:db8:1:ff::1") != sender_of("2001:db8:2::7")
    assert sender_of("192.0.2.7") == sender_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert sender_of("") == "unknown"
