"""What partners deliver: proven, bounded, once."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("agreement", "headers"),
    [("plain", {}), ("plain", {"Authorization": "Bearer another-token"}), ("plain", {"Authorization": "Basic eDp5"}),
     ("nobody", {"Authorization": "Bearer another-token"})],
)  # fmt: skip
def test_who_has_not_the_token_is_refused_alike(running: Any, agreement: str, headers: dict[str, str]) -> None:
    answer = running.api.ask("POST", f"/v1/partners/{agreement}/messages", raw=b"<x/>", key="", **headers)
    assert (answer.status, answer.json["code"]) == (401, "http.unauthorized")


def test_an_api_key_is_no_token(running: Any) -> None:
    assert running.operator.ask("POST", "/v1/partners/plain/messages", raw=b"<x/>").status == 401


def test_a_delivery_is_taken_once_and_confirmed_each_time(running: Any) -> None:
    filed = running.file()
    data = running.reply(filed["id"], "registered")
    first, second = (running.deliver(data, X_Message_Id="delivery-1") for _ in range(2))
    assert (first.status, second.status) == (202, 202)
    assert first.json["id"] == second.json["id"]
    timeline = running.api.get(f"/v1/messages/{filed['message_ids'][0]}/timeline").json["items"]
    assert [each["type"] for each in timeline].count("partner:reply:received") == 1


def test_the_same_reference_with_other_bytes_is_refused(running: Any) -> None:
    filed = running.file()
    assert running.deliver(running.reply(filed["id"], "registered"), X_Message_Id="delivery-2").status == 202
    other = running.deliver(running.reply(filed["id"], "released"), X_Message_Id="delivery-2")
    assert (other.status, other.json["code"]) == (409, "receive.conflict")


def test_the_same_content_signed_anew_is_no_other_content(running: Any, sign: Callable[[str, bytes], bytes]) -> None:
    """A partner that signs at each try, as ECDSA lets it, sends other bytes and says the same."""

    def deliver(data: bytes) -> Any:
        said = {"Authorization": f"Bearer {running.partner_token}", "X_Message_Id": "signed-1"}
        return running.api.ask("POST", "/v1/partners/signed-with-token/messages", raw=data, key="", **said)

    data = b'<Reply ref="nobody" function="registered" code="1" at="1">said</Reply>'
    first, second = sign("signer", data), sign("signer", data)
    assert first != second
    answers = [deliver(first), deliver(second)]
    assert [answer.status for answer in answers] == [202, 202]
    assert answers[0].json["id"] == answers[1].json["id"]
    other = deliver(sign("signer", data.replace(b"said", b"says")))
    assert (other.status, other.json["code"]) == (409, "receive.conflict")
    assert deliver(sign("stranger", data)).status == 409


def test_what_cannot_be_read_is_kept_and_refused_however_often_it_comes(running: Any) -> None:
    for _ in range(3):
        answer = running.deliver(b"\x00garbage", X_Message_Id="delivery-3")
        assert (answer.status, answer.json["code"]) == (422, "syntax.not_well_formed")


def test_what_refuses_a_delivery_is_its_reason_and_stands_before_what_only_warns(running: Any) -> None:
    answer = running.deliver(b"odd", X_Message_Id="delivery-4")
    assert (answer.status, answer.json["code"]) == (422, "syntax.not_well_formed")
    assert [finding["severity"] for finding in answer.json["findings"]] == ["error", "warning"]


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [(b"", {}, 400), (b"<x/>", {"X_Message_Id": "two words"}, 400)],
)
def test_unusable_deliveries_are_refused(running: Any, data: bytes, headers: dict[str, str], status: int) -> None:
    assert running.deliver(data, **headers).status == status


def test_a_delivery_larger_than_agreed_is_refused_before_it_is_read(running: Any) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as wire:
        wire.sendall(
            f"POST /v1/partners/plain/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {running.partner_token}\r\n"
            f"Content-Length: 99000000\r\n\r\n".encode()
        )
        assert b" 413 " in wire.recv(4096).split(b"\r\n")[0]


def test_only_deliveries_are_taken_there(running: Any) -> None:
    answer = running.api.get("/v1/partners/plain/messages")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
