"""The pages: only for who signed in, escaping everything, with no script but the one of their own."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"
OUR_SCRIPT = b'<script src="/console/static/console.js" defer></script>'
FORM = {"Content_Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def cookie(desks: dict[str, Any]) -> str:
    """Of somebody who sees the things of the filer."""
    return str(desks["viewer"].cookie)


def page(running: Any, path: str, cookie: str, **headers: str) -> Any:
    return running.api.get(path, key="", Cookie=cookie, **headers)


def test_nothing_is_shown_before_signing_in(running: Any) -> None:
    for path in ("/console", "/console/", f"/console/messages/{running.file()['message_ids'][0]}"):
        answer = running.api.get(path)
        assert answer.status == 303
        assert "/console/sign-in" in answer.headers["location"]


@pytest.mark.parametrize("path", ["/console/", "/console/sign-in", "/console/static/console.css"])
def test_pages_allow_no_script_but_ours_and_no_frame(running: Any, cookie: str, path: str) -> None:
    answer = page(running, path, cookie)
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert b"<script" not in answer.data.replace(OUR_SCRIPT, b"", 1)
    assert not re.search(rb"\son[a-z]+=|\sstyle=", answer.data)


def test_hostile_values_are_text_on_every_page(running: Any, cookie: str) -> None:
    shipment = {**running.documents["ImportByRoad"]["goods_shipment"], "consignor": {"foreign_name": HOSTILE}}
    filed = running.file(functional_reference_id=HOSTILE, goods_shipment=shipment)
    reference = HOSTILE.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    assert reference
    with running.app.parts.store.read() as reading:
        assert any(HOSTILE in told.values() for told in reading.aliases_of(filed["id"]).values())
    paths = ["/console/", f"/console/?{urlencode({'q': HOSTILE, 'status': HOSTILE, 'lang': HOSTILE})}"]
    paths.append(f"/console/messages/{filed['message_ids'][0]}")
    for path in paths:
        answer = page(running, path, cookie)
        assert answer.status == 200
        assert b"<script" not in answer.data.replace(OUR_SCRIPT, b"", 1)
        assert b"<img" not in answer.data
        assert b"49" not in re.findall(rb"onerror=alert\(1\)&gt;(..)", answer.data)
    assert b"&lt;script&gt;" in answer.data


@pytest.mark.parametrize(("lang", "word"), [("en", "Whose move"), ("zh", "待谁处理")])
def test_a_message_page_shows_both_faces_and_whose_move_it_is(running: Any, cookie: str, lang: str, word: str) -> None:
    filed = running.file()
    running.answer(filed["id"], "returned", "规格不符")
    answer = page(running, f"/console/messages/{filed['message_ids'][0]}?lang={lang}", cookie)
    shown = answer.data.decode()
    for expected in (
        word,
        "规格不符",
        "&lt;Notice",
        "巴彦淖尔市草原之光矿业贸易有限公司",
        "&lt;Reply",
        "partner:reply:received",
    ):
        assert expected in shown


def test_anothers_message_has_no_page(running: Any, desks: dict[str, Any]) -> None:
    filed = running.file()
    answer = desks["stranger"].get(f"/console/messages/{filed['message_ids'][0]}")
    assert answer.status == 404
    assert filed["id"] not in answer.data.decode()


def test_search_finds_by_any_id_and_says_when_nothing_is_there(running: Any, cookie: str) -> None:
    filed = running.file()
    assert filed["message_ids"][0] in page(running, f"/console/?q={filed['id']}", cookie).data.decode()
    assert "Nothing was found" in page(running, "/console/?q=nothing-at-all&lang=en", cookie).data.decode()


def test_a_form_from_another_site_is_refused(running: Any, cookie: str) -> None:
    form = {**FORM, "Sec_Fetch_Site": "cross-site"}
    answer = running.api.ask("POST", "/console/sign-out", key="", raw=b"", Cookie=cookie, **form)
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


def test_what_is_over_is_not_shown_as_silent(running: Any, cookie: str) -> None:
    filed = running.file()
    path = f"/console/messages/{filed['message_ids'][0]}"
    assert b"Silent for" in page(running, path, cookie).data
    running.answer(filed["id"], "closed")
    assert b"Silent for" not in page(running, path, cookie).data


def test_a_declaration_page_tells_its_requests_and_all_messages_in_one_order(running: Any, cookie: str) -> None:
    filed = running.file()
    running.answer(filed["id"], "accepted")
    asked = running.api.post(f"/v1/declarations/{filed['id']}/amendments", running.documents["AmendOneField"]).json
    shown = page(running, f"/console/declarations/{filed['id']}?lang=en", cookie).data.decode()
    for message_id in (*filed["message_ids"], *asked["message_ids"]):
        assert f"/console/messages/{message_id}?lang=en" in shown
    order = [shown.index(text) for text in ("Declaration T-", "It means: accepted.", "Amendment, round 1, amendment.")]
    assert order == sorted(order)
    chinese = page(running, f"/console/declarations/{filed['id']}?lang=zh", cookie).data.decode()
    assert "修改申请，第 1 轮，修改。" in chinese
    assert page(running, f"/console/declarations/{'0' * 26}", cookie).status == 404


def test_the_list_shows_kind_local_time_and_whose_move_it_is(running: Any, cookie: str) -> None:
    filed = running.file()
    shown = page(running, f"/console/?q={filed['id']}&lang=en", cookie).data.decode()
    for heading in ("Kind", "Filed", "Whose move", "Silent for"):
        assert f"<th>{heading}</th>" in shown
    assert f"/console/declarations/{filed['id']}?lang=en" in shown
    assert re.search(r"<td data-label=\"Filed\" class=\"time\">20\d\d-\d\d-\d\d \d\d:\d\d:\d\d \+08:00</td>", shown)
    assert "the gateway" in shown
    assert not re.search(r"\d\d:\d\d:\d\d\.\d+Z", shown)


def silences(shown: str) -> list[str]:
    """The last cell of each row of the list."""
    return [row[1] for row in re.finditer(r"<td[^>]*>([^<]*)</td>\n</tr>", shown)]


def test_nothing_is_silent_once_nobody_has_to_move(running: Any, cookie: str) -> None:
    filed = running.file()
    path = f"/console/?q={filed['id']}&lang=en"
    assert re.fullmatch(r"\d+ (s|min)", silences(page(running, path, cookie).data.decode())[0])
    running.answer(filed["id"], "closed")
    assert silences(page(running, path, cookie).data.decode()) == [""]
    running.api.post(f"/v1/declarations/{filed['id']}/amendments", running.documents["AmendOneField"])
    shown = page(running, path, cookie).data.decode()
    # An amendment is known by the reference of its declaration.
    first, second = re.findall(
        r"<td data-label=\"Reference\" class=\"id\">([^<]+)</td>\n<td data-label=\"Message\" class=\"id\"><a", shown
    )
    assert first == second
    amendment, declaration = silences(shown)
    assert amendment.endswith((" s", " min"))
    assert declaration == ""


def test_a_message_that_is_held_up_leads_to_the_one_that_must_be_settled(running: Any, cookie: str) -> None:
    filed = running.file()
    running.operator.post(f"/v1/messages/{filed['message_ids'][0]}/park", {"reason": "for the test"})
    asked = running.api.post(f"/v1/declarations/{filed['id']}/amendments", running.documents["AmendOneField"]).json
    (held_up,) = asked["message_ids"]
    for path in (f"/console/declarations/{filed['id']}", f"/console/messages/{held_up}", f"/console/?q={held_up}"):
        shown = page(running, f"{path}{'&' if '?' in path else '?'}lang=en", cookie).data.decode()
        assert "the operator of the gateway" in shown, path
        link = rf"Waits behind.{{0,20}}<a href=\"/console/messages/{filed['message_ids'][0]}\?lang=en\""
        assert re.search(link, shown, re.DOTALL), path
    shown = page(running, f"/console/messages/{held_up}?lang=zh", cookie).data.decode()
    for expected in ("须先处理", "网关值班人员", "请按其原因处理后重新投递（redrive）"):
        assert expected in shown


@pytest.mark.parametrize(("lang", "what", "act"), [("en", "What to do", "Pay it."), ("zh", "处理办法", "请缴税。")])
def test_a_declaration_that_owes_duty_says_what_ends_that(
    running: Any, cookie: str, lang: str, what: str, act: str
) -> None:
    filed = running.file()
    running.hand_over(filed["message_ids"][0])
    for function in ("released", "payment_required"):
        running.answer(filed["id"], function)
    for path in (f"/console/declarations/{filed['id']}", f"/console/messages/{filed['message_ids'][0]}"):
        shown = page(running, f"{path}?lang={lang}", cookie).data.decode()
        assert re.search(rf"<dt>{what}</dt><dd>{re.escape(act)}.*/duty-paid", shown), path
    said = {"evidence": "A01-0708", "reason": "paid on Friday"}
    assert running.api.post(f"/v1/declarations/{filed['id']}/duty-paid", said).status == 200
    shown = page(running, f"/console/declarations/{filed['id']}?lang={lang}", cookie).data.decode()
    assert f"<dt>{what}</dt>" not in shown
    assert "A01-0708" in shown
    assert "paid on Friday" in shown
