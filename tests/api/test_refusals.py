"""Whatever comes in, the answer is a problem with a code, a place and words in the caller's language; never an echo of a key."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.api import bodies
from gateway.errors import NotWellFormed

BAD_BODIES: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 400, "api.body.empty"),
    "half an object": (b'{"direction": "imp', 400, "api.body.not_json"),
    "not UTF-8": (b'{"direction": "\xff\xfe"}', 400, "api.body.not_json"),
    "UTF-16": ('{"direction": "import"}'.encode("utf-16"), 400, "api.body.not_json"),
    "a byte order mark": (b'\xef\xbb\xbf{"direction": "import"}', 400, "api.body.not_json"),
    "NaN": (b'{"remarks": NaN}', 400, "api.body.not_json"),
    "Infinity": (b'{"remarks": -Infinity}', 400, "api.body.not_json"),
    "a number without an end": (b'{"remarks": 1e99999}', 400, "api.body.not_json"),
    "a huge integer": (b'{"remarks": 1' + b"0" * 5000 + b"}", 400, "api.body.not_json"),
    "a doubled name": (b'{"direction": "import", "direction": "export"}', 400, "api.body.doubled_name"),
    "a doubled name, once escaped": (b'{"direction": "import", "directio\\u006e": "x"}', 400, "api.body.doubled_name"),
    "a lone surrogate": (b'{"remarks": "\\ud800"}', 400, "api.body.unusable"),
    "an abyss of lists": (b"[" * 100_000, 400, "api.body.too_deep"),
    "too many levels": (b'{"extensions": ' + b'{"a":' * 300 + b"1" + b"}" * 301, 400, "api.body.too_deep"),
    "more than is read": (b'{"remarks": "' + b"x" * 300_000 + b'"}', 413, "api.body.too_large"),
    "a list": (b"[1, 2]", 422, "document.refused"),
    "null": (b"null", 422, "document.refused"),
    "a string": (b'"import"', 422, "document.refused"),
    "an empty object": (b"{}", 422, "document.refused"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_body_is_refused_with_its_code(running: Any, name: str) -> None:
    body, status, code = BAD_BODIES[name]
    answer = running.api.post("/v1/declarations", raw=body)
    assert (answer.status, answer.json["code"]) == (status, code), answer.data
    assert answer.headers["content-type"] == "application/problem+json"
    for finding in answer.json["findings"]:
        assert finding["title"]
        assert finding["text"]
        assert finding["action"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=80)
    | st.recursive(st.text(max_size=5), lambda inner: st.dictionaries(st.text(max_size=9), inner)).map(
        lambda value: __import__("json").dumps(value).encode()
    )
)
def test_no_body_makes_the_gateway_fail(running: Any, body: bytes) -> None:
    assert running.api.post("/v1/declarations", raw=body).status in (400, 422)


def test_all_findings_come_at_once_with_pointers(running: Any) -> None:
    document = running.declaration(direction="sideways", wrong_name="x")
    document["goods_shipment"] = {"government_agency_goods_items": [{"commodity": {}}]}
    answer = running.api.post("/v1/declarations", document)
    assert answer.status == 422
    pointers = {finding.get("pointer") for finding in answer.json["findings"]}
    assert {"/direction", "/wrong_name"} <= pointers
    assert len(answer.json["findings"]) >= 3
    assert answer.json["type"] == f"/problems/{answer.json['code']}"


def test_a_finding_of_an_adapter_reaches_the_caller(running: Any) -> None:
    answer = running.api.post("/v1/declarations", running.declaration(remarks="refuse me"))
    assert answer.status == 422
    assert [finding["code"] for finding in answer.json["findings"]] == ["plain.refused"]
    assert answer.json["findings"][0]["source"] == "rule 1"


@pytest.mark.parametrize(
    ("accepts", "lang", "title"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh", "未认证"), ("en-GB,en", "en", "Who are you"), ("fr", "zh", "未认证")],
)
def test_problems_speak_the_callers_language(running: Any, accepts: str, lang: str, title: str) -> None:
    answer = running.api.get("/v1/messages", key="", Accept_Language=accepts)
    assert (answer.status, answer.headers["content-language"], answer.json["title"]) == (401, lang, title)
    assert answer.headers["www-authenticate"].startswith("Bearer")


HTTP_FAULTS: dict[str, tuple[str, str, dict[str, Any], int, str]] = {
    "an unknown address": ("GET", "/v1/nothing", {}, 404, "http.not_found"),
    "a slash too many": ("GET", "/v1/messages/", {}, 404, "http.not_found"),
    "two slashes": ("GET", "/v1//messages", {}, 404, "http.not_found"),
    "another method": ("DELETE", "/v1/messages", {}, 405, "http.method_not_allowed"),
    "another media type": (
        "POST", "/v1/declarations", {"raw": b"<x/>", "Content_Type": "text/xml"}, 415, "http.unsupported_media_type",
    ),
    "another charset": (
        "POST", "/v1/declarations", {"raw": b"{}", "Content_Type": "application/json; charset=gbk"}, 415,
        "http.unsupported_media_type",
    ),
    "no key": ("GET", "/v1/messages", {"key": ""}, 401, "http.unauthorized"),
    "a wrong key": ("GET", "/v1/messages", {"key": "nobody-has-this"}, 401, "http.unauthorized"),
    "a key with a byte of its own": ("GET", "/v1/messages", {"key": "k\xe9y-of-nobody"}, 401, "http.unauthorized"),
    "basic authorization": ("GET", "/v1/messages", {"key": "", "Authorization": "Basic eDp5"}, 401, "http.unauthorized"),
    "half an authorization": ("GET", "/v1/messages", {"key": "", "Authorization": "Bearer"}, 401, "http.unauthorized"),
    "a limit that is no number": ("GET", "/v1/messages?limit=many", {}, 400, "api.parameter"),
    "a limit in digits of another script": ("GET", "/v1/messages?limit=%D9%A1%D9%A0", {}, 400, "api.parameter"),
    "a limit in wide digits": ("GET", "/v1/messages?limit=%EF%BC%91%EF%BC%90", {}, 400, "api.parameter"),
    "a limit with a small digit": ("GET", "/v1/messages?limit=%C2%B2", {}, 400, "api.parameter"),
    "a limit with a sign": ("GET", "/v1/messages?limit=%2B1", {}, 400, "api.parameter"),
    "a limit with a low line": ("GET", "/v1/messages?limit=1_0", {}, 400, "api.parameter"),
    "a limit with a blank": ("GET", "/v1/messages?limit=%2010", {}, 400, "api.parameter"),
    "a limit longer than any number": ("GET", f"/v1/messages?limit={'0' * 30}5", {}, 400, "api.parameter"),
    "a limit too large": ("GET", "/v1/messages?limit=99999999999999999999999", {}, 400, "api.parameter"),
    "a misspelled filter": ("GET", "/v1/messages?statsu=parked", {}, 400, "api.parameter"),
    "a state that no track has": ("GET", "/v1/messages?state=lost", {}, 400, "api.state.unknown"),
    "a NUL in a search": ("GET", "/v1/messages?q=%00", {}, 400, "api.parameter"),
    "a cursor that no list gave": ("GET", "/v1/messages?cursor=%27%20or%201=1", {}, 400, "api.cursor"),
    "an id that is no id": ("GET", "/v1/messages/..%2f..%2fetc%2fpasswd", {}, 404, "http.not_found"),
    "a NUL in an id": ("GET", "/v1/messages/%00", {}, 404, "http.not_found"),
    "a line break in an id": ("GET", "/v1/messages/x%0d%0aSet-Cookie:a", {}, 404, "http.not_found"),
    "an odd idempotency key": (
        "POST", "/v1/declarations", {"raw": b"{}", "Idempotency_Key": "two words"}, 400, "api.parameter",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HTTP_FAULTS)
def test_faults_of_http_look_like_every_other_problem(running: Any, name: str) -> None:
    method, path, more, status, code = HTTP_FAULTS[name]
    answer = running.api.ask(method, path, **more)
    assert (answer.status, answer.json["code"]) == (status, code), answer.data


@pytest.mark.parametrize("size", [b"11", b"9" * 25, b"9" * 5000])
def test_a_size_above_the_limit_is_refused_before_a_byte_is_read(size: bytes) -> None:
    async def nothing() -> Any:
        raise AssertionError("nothing is to be read")

    with pytest.raises(bodies.TooLarge):
        asyncio.run(bodies.read(nothing, {"headers": [(b"content-length", size)]}, 10))


def test_an_allow_header_names_the_methods(running: Any) -> None:
    assert "GET" in running.api.ask("DELETE", "/v1/messages").headers["allow"]


@pytest.mark.parametrize(
    "value", ["' or '1'='1", '"; drop table messages; --', "%", "_", "*", "\\", "x" * 200, "${7*7}", "𠮷"]
)
def test_search_takes_any_text_as_text(running: Any, value: str) -> None:
    from urllib.parse import quote

    answer = running.api.get(f"/v1/messages?q={quote(value)}")
    assert (answer.status, answer.json["items"]) == (200, [])


def test_an_error_of_ours_has_an_incident_id_and_no_insides(running: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        answer = running.api.post("/v1/declarations", running.declaration(remarks="break with secret-4711"))
    assert (answer.status, answer.json["code"]) == (500, "gateway.internal")
    assert answer.json["incident"] in caplog.text
    assert "ZeroDivisionError" in caplog.text
    for place in (answer.data.decode(), caplog.text):
        assert "secret-4711" not in place
    assert "ZeroDivisionError" not in answer.data.decode()
    assert "line" not in answer.data.decode()


def test_keys_are_in_no_answer_and_in_no_log(running: Any, caplog: pytest.LogCaptureFixture) -> None:
    secret = "a-key-that-nobody-has-4711"
    said = ""
    with caplog.at_level(logging.DEBUG):
        for path in ("/v1/messages", "/v1/nothing", "/v1/messages?limit=0", "/v1/partners/plain/messages"):
            said += running.api.ask("GET", path, key=secret).data.decode()
            said += running.api.ask("POST", path, key="", raw=b"{", Authorization=f"Bearer {secret}").data.decode()
        said += running.api.post("/v1/declarations", raw=b"{").data.decode()
    for key in (secret, running.api.key, running.partner_token):
        assert key not in said
        assert key not in caplog.text


def test_a_body_that_never_ends_is_cut_off(running: Any) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as wire:
        wire.sendall(
            b"POST /v1/declarations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"X-API-Key: " + running.api.key.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        try:
            for _ in range(40):
                wire.sendall(b"2710\r\n" + b" " * 10_000 + b"\r\n")
        except OSError:
            pass
        assert b" 413 " in wire.recv(4096).split(b"\r\n")[0]


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": "x", "\\u0061": "x"}',
        b'{"a": "\\u0022\\u0022", "b": {"c": 1, "c": "\\"\\""}}',
        b'{"a\\\\": 1, "a\\\\": "\\\\"}',
        '{"值": [], "值": [{"值": ""}]}'.encode(),
    ],
)
def test_no_way_of_writing_hides_that_a_member_is_named_twice(body: bytes) -> None:
    with pytest.raises(NotWellFormed) as refused:
        bodies.parse(body)
    assert refused.value.code == "api.body.doubled_name"


@given(
    st.recursive(
        st.text() | st.booleans() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_sound_body_is_read_as_the_standard_library_reads_it(value: Any) -> None:
    for ascii_only in (True, False):
        body = json.dumps(value, ensure_ascii=ascii_only).encode(errors="replace")
        try:
            read = bodies.parse(body)
        except NotWellFormed as refused:
            reason = refused.code
        else:
            assert read == json.loads(body)
            continue
        assert reason in {"api.body.control_character", "api.body.unusable", "api.body.not_json"}
