"""What an operator may do through the API, and that each act says who did it and why."""

from __future__ import annotations

from typing import Any

import pytest

from gateway import ids
from gateway.api import views

WHY = {"reason": "for the test"}


def acts(running: Any, path: str, kind: str) -> list[tuple[str, str]]:
    """Who did it and why, of the entries of one type."""
    events = running.operator.get(path).json["items"]
    return [(each["actor"], each["text"]) for each in events if each["type"] == kind]


def test_a_message_is_given_up_for_good(running: Any) -> None:
    filed = running.file()
    path = f"/v1/messages/{filed['message_ids'][0]}"
    assert running.operator.post(f"{path}/expire", WHY).json["message"]["status"] == "expired"
    assert acts(running, f"{path}/timeline", "message:lane:expired") == [
        ("operator/operator-key", "Why: for the test.")
    ]
    again = running.operator.post(f"{path}/expire", WHY)
    assert (again.status, again.json["code"]) == (409, "message.status")
    assert "declare again" in again.json["findings"][0]["action"]


def test_an_act_that_is_not_possible_names_those_that_are(running: Any) -> None:
    path = f"/v1/messages/{running.file()['message_ids'][0]}"
    refused = running.operator.post(f"{path}/redrive", WHY)
    assert refused.json["findings"][0]["text"] == "The message is accepted. Possible now: park, expire."
    chinese = running.operator.post(f"{path}/redrive", WHY, Accept_Language="zh")
    assert "当前可用操作：停放（park）、放弃（expire）" in chinese.json["findings"][0]["text"]


def test_a_message_that_waits_is_sent_at_once(running: Any) -> None:
    declared = running.api.post("/v1/declarations?waits_for=manifest:77001", running.declaration())
    path = f"/v1/messages/{declared.json['message_ids'][0]}"
    assert running.api.get(path).json["message"]["waiting_for"] == "manifest:77001"
    assert "waiting_for" not in running.operator.post(f"{path}/stop-waiting", WHY).json["message"]
    assert acts(running, f"{path}/timeline", "message:prerequisite:met") == [
        ("operator/operator-key", "Why: for the test.")
    ]
    assert running.operator.post(f"{path}/stop-waiting", WHY).json["code"] == "message.not_waiting"


def test_a_lane_is_paused_and_goes_on(running: Any) -> None:
    assert running.operator.post("/v1/lanes/plain/pause", WHY).json["paused"] is True
    lanes = {each["agreement"]: each for each in running.operator.get("/v1/lanes").json["items"]}
    assert (lanes["plain"]["paused"], lanes["plain"]["partner"]) == (True, "customs")
    assert running.operator.post("/v1/lanes/plain/resume", {"reason": "go on"}).json["paused"] is False
    told = acts(running, "/v1/lanes/plain/timeline", "operator:lane:resumed")
    assert told[-1] == ("operator/operator-key", "Lane plain. Why: go on.")
    assert running.operator.post("/v1/lanes/nobody/pause", WHY).json["code"] == "agreement.unknown"


def test_a_delivery_that_nobody_could_read_is_found_and_read_again(running: Any) -> None:
    assert running.deliver(b"<what is this").status == 422
    found = running.operator.get("/v1/deliveries?limit=1").json["items"][0]
    assert (found["status"], found["agreement"]) == ("refused", "plain")
    path = f"/v1/deliveries/{found['id']}"
    assert running.operator.get(f"{path}/content").data == b"<what is this"
    assert running.operator.post(f"{path}/read-again", WHY).json["delivery"]["status"] == "refused"
    [(actor, text)] = acts(running, path, "operator:reply:read-again")
    assert actor == "operator/operator-key"
    assert "Why: for the test." in text


def test_a_kept_answer_that_fits_is_read_again_onto_the_timeline_of_its_declaration(running: Any) -> None:
    filed = running.file()
    answer = running.reply(filed["id"], "accepted")
    early = answer.replace(b'ref="', b'ref="not-yet-')
    assert running.deliver(early).json["status"] == "unmatched"
    found = running.operator.get("/v1/deliveries?limit=1").json["items"][0]
    assert found["status"] == "unmatched"
    again = running.operator.post(f"/v1/deliveries/{found['id']}/read-again", WHY).json
    assert again["delivery"]["status"] == "unmatched"
    assert [each["type"] for each in again["items"]] == ["partner:reply:unmatched", "operator:reply:read-again"]


@pytest.mark.parametrize(
    "path", ["/v1/lanes", "/v1/lanes/plain/timeline", "/v1/deliveries", f"/v1/deliveries/{'0' * 26}"]
)
def test_lanes_and_deliveries_are_for_operators(running: Any, path: str) -> None:
    assert running.api.get(path).status == 403


def test_a_message_says_which_one_of_its_declaration_must_be_settled_first(running: Any) -> None:
    filed = running.file()
    (first,) = filed["message_ids"]
    running.operator.post(f"/v1/messages/{first}/park", WHY)
    asked = running.api.post(f"/v1/declarations/{filed['id']}/amendments", running.documents["AmendOneField"]).json
    (held_up,) = asked["message_ids"]
    shown = running.api.get(f"/v1/messages/{held_up}").json
    behind = shown["message"]["waits_behind"]
    assert (behind["message_id"], behind["status"], behind["reason"]) == (first, "parked", "for the test")
    assert "redrive it, or give it up" in behind["action"]
    assert shown["standing"]["mover"] == "operator"
    listed = running.api.get(f"/v1/declarations/{filed['id']}").json["messages"]
    assert [each["id"] for each in listed if "waits_behind" in each] == [held_up]
    running.operator.post(f"/v1/messages/{first}/redrive", WHY)
    shown = running.api.get(f"/v1/messages/{held_up}").json
    assert "waits_behind" not in shown["message"]
    assert shown["standing"]["mover"] == "gateway"


def test_a_request_stands_as_a_declaration_does_with_who_must_move_and_whether_he_is_late(running: Any) -> None:
    filed = running.file()
    running.answer(filed["id"], "closed")
    asked = running.api.post(f"/v1/declarations/{filed['id']}/amendments", running.documents["AmendOneField"]).json
    here = f"/v1/declarations/{filed['id']}"
    with running.app.parts.store.read() as reading:
        due_us = reading.standing(asked["id"]).silence_due_us
    shown = (
        running.api.get(asked["links"]["self"]).json["request"],
        running.api.get(f"{here}/amendments").json["items"][0],
        running.api.get(here).json["requests"][0],
    )
    for view in shown:
        standing = view["standing"]
        assert standing["states"] == [{"track": "request", "state": "filed", "title": "filed with the gateway"}]
        assert (standing["mover"], standing["overdue"], standing["final"]) == ("gateway", False, False)
        assert standing["silence_due_at"] == ids.to_text(due_us)
    late = reading_late(running, asked["id"])
    assert (late["mover"], late["overdue"]) == ("gateway", True)
    running.operator.post(f"/v1/messages/{asked['message_ids'][0]}/park", WHY)
    parked = running.api.get(asked["links"]["self"]).json["request"]["standing"]
    assert (parked["mover"], parked["mover_title"]) == ("operator", "the operator of the gateway")


PAID = {"evidence": "A01-0708", "reason": "paid on Friday"}


def test_the_filer_enters_from_customs_receipt_that_the_duty_is_paid(running: Any) -> None:
    filed = running.file()
    here = f"/v1/declarations/{filed['id']}"
    running.hand_over(filed["message_ids"][0])
    assert running.api.post(f"{here}/duty-paid", PAID).json["code"] == "declaration.no_duty"
    running.answer(filed["id"], "released")
    running.answer(filed["id"], "payment_required")
    standing = running.api.get(here).json["standing"]
    assert (standing["mover"], standing["enter"]) == ("declarant", "duty_paid")
    assert "POST /v1/declarations/ID/duty-paid" in standing["action"]
    assert running.other.post(f"{here}/duty-paid", PAID).status == 404
    for faulty in ({"reason": "x"}, {"evidence": "x"}, {**PAID, "evidence": ""}):
        assert running.api.post(f"{here}/duty-paid", faulty).status == 422
    entered = running.api.post(f"{here}/duty-paid", PAID)
    assert (entered.status, entered.json["standing"]["mover"]) == (200, "nobody")
    assert "enter" not in entered.json["standing"]
    assert acts(running, f"{here}/timeline", "operator:reply:entered") == [
        ("filer/filer-key", "It means: duty paid, says customs. Shown by: A01-0708.")
    ]


def test_an_operator_answers_that_duty_is_paid_with_the_paper_that_shows_it(running: Any) -> None:
    filed = running.file()
    path = f"/v1/messages/{filed['message_ids'][0]}/answer"
    running.hand_over(filed["message_ids"][0])
    running.answer(filed["id"], "payment_required")
    said = {"function": "duty_paid", "reason": "seen in the Single Window"}
    refused = running.operator.post(path, said)
    assert (refused.status, refused.json["code"]) == (422, "operator.evidence")
    answered = running.operator.post(path, {**said, "evidence": "A01-0708"}).json
    assert {"track": "duty", "state": "paid", "title": "duty paid, says customs"} in answered["standing"]["states"]


def reading_late(running: Any, request_id: str) -> Any:
    """The standing of a request as it is shown once its hour has passed."""
    with running.app.parts.store.read() as reading:
        row = reading.standing(request_id)
    return views.standing(row, "en", row.silence_due_us + 1)
