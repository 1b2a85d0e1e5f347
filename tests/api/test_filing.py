"""Filing: 202 means stored, the same key means the same answer, and nobody sees what is another's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest


def test_filing_answers_where_to_look(running: Any) -> None:
    answer = running.api.post("/v1/declarations", running.declaration())
    assert answer.status == 202
    assert answer.headers["location"] == f"/v1/declarations/{answer.json['id']}"
    shown = running.api.get(answer.headers["location"]).json
    assert [each["id"] for each in shown["messages"]] == answer.json["message_ids"]
    assert shown["standing"]["states"][0]["state"] == "filed"
    assert shown["document"]["goods_shipment"]["importer"]["name"] == "巴彦淖尔市草原之光矿业贸易有限公司"


def test_a_dry_run_shows_the_message_and_stores_nothing(running: Any) -> None:
    document = running.declaration()
    answer = running.api.post("/v1/declarations?dry_run=true", document, Idempotency_Key="dry")
    assert answer.status == 200
    assert document["functional_reference_id"] in answer.json["messages"][0]["content"]
    assert answer.json["messages"][0]["report"]["lost"] == []
    found = running.api.get(f"/v1/messages?q={document['functional_reference_id']}").json["items"]
    assert found == []


def test_the_same_key_with_the_same_body_gets_the_same_answer(running: Any) -> None:
    document = running.declaration()
    first, second = (running.api.post("/v1/declarations", document, Idempotency_Key="same-1") for _ in range(2))
    assert (first.status, second.status) == (202, 202)
    assert first.json == second.json
    assert second.headers["idempotent-replayed"] == "true"


def test_the_same_key_with_another_body_is_a_conflict(running: Any) -> None:
    running.api.post("/v1/declarations", running.declaration(), Idempotency_Key="other-1")
    answer = running.api.post("/v1/declarations", running.declaration(), Idempotency_Key="other-1")
    assert (answer.status, answer.json["code"]) == (409, "idempotency.other_body")


def test_the_same_key_of_another_tenant_is_another_key(running: Any) -> None:
    document = running.declaration()
    mine = running.api.post("/v1/declarations", document, Idempotency_Key="shared-1")
    theirs = running.other.post("/v1/declarations", document, Idempotency_Key="shared-1")
    assert (mine.status, theirs.status) == (202, 202)
    assert mine.json["id"] != theirs.json["id"]


def test_one_key_sent_many_times_at_once_files_once(running: Any) -> None:
    document = running.declaration()

    def file(_: int) -> Any:
        return running.api.post("/v1/declarations", document, Idempotency_Key="crowd-1")

    with ThreadPoolExecutor(12) as crowd:
        answers = list(crowd.map(file, range(12)))
    assert {answer.status for answer in answers} == {202}
    assert len({answer.data for answer in answers}) == 1
    found = running.api.get(f"/v1/messages?q={document['functional_reference_id']}").json["items"]
    assert len(found) == 1


def test_a_message_is_found_by_what_people_hold(running: Any) -> None:
    shipment = {**running.documents["ImportByRoad"]["goods_shipment"]}
    shipment["consignment"] = {"transport_equipments": [{"id": "TGHU7654320", "fullness": "full"}]}
    filed = running.file(goods_shipment=shipment)
    items = running.api.get("/v1/messages?q=tghu7654320").json["items"]
    assert [item["message"]["id"] for item in items] == filed["message_ids"]
    assert running.api.get("/v1/declarations?q=TGHU7654320").json["items"][0]["id"] == filed["id"]


def test_pages_follow_each_other_without_gap_or_double(running: Any) -> None:
    filed = [running.file()["id"] for _ in range(5)]
    running.answer(filed[1], "returned")
    again = running.api.ask("PUT", f"/v1/declarations/{filed[1]}", running.declaration())
    assert again.status == 202
    for path, place in (("/v1/messages", "message"), ("/v1/declarations", "")):
        seen: list[str] = []
        cursor = ""
        while len(seen) < 6:
            page = running.api.get(f"{path}?limit=2{cursor}").json
            seen += [item[place]["id"] if place else item["id"] for item in page["items"]]
            cursor = f"&cursor={page['next_cursor']}"
        assert len(set(seen)) == len(seen)
    assert seen[:5] == [filed[1], filed[4], filed[3], filed[2], filed[0]]


def test_what_a_partner_says_is_on_the_timeline_verbatim(running: Any) -> None:
    filed = running.file()
    running.answer(filed["id"], "returned", "申报要素不符 &lt;规格&gt;")
    timeline = running.api.get(f"/v1/messages/{filed['message_ids'][0]}/timeline").json
    told = [event for event in timeline["items"] if event["type"] == "partner:reply:received"]
    assert [event["raw_text"] for event in told] == ["申报要素不符 &lt;规格&gt;"]
    assert timeline["standing"]["mover"] == "declarant"
    kinds = [event["type"] for event in timeline["items"]]
    assert kinds.index("document:submission:accepted") < kinds.index("partner:reply:received")


def test_a_returned_declaration_is_declared_again_under_its_id(running: Any) -> None:
    filed = running.file()
    path = f"/v1/declarations/{filed['id']}"
    early = running.api.ask("PUT", path, running.declaration())
    assert (early.status, early.json["code"]) == (409, "declaration.round_open")
    running.answer(filed["id"], "returned")
    again = running.api.ask("PUT", path, running.declaration(remarks="corrected"))
    assert (again.status, again.json["id"]) == (202, filed["id"])
    shown = running.api.get(path).json
    assert [each["round"] for each in shown["rounds"]] == [1, 2]
    assert shown["document"]["remarks"] == "corrected"


def test_a_request_shows_what_became_of_it(running: Any) -> None:
    filed = running.file()
    path = f"/v1/declarations/{filed['id']}/amendments"
    document = {**running.documents["AmendOneField"], "functional_reference_id": "AM-1"}
    asked = running.api.post(path, document)
    assert asked.status == 202
    assert asked.headers["location"] == f"{path}/{asked.json['id']}"
    reply = b'<Reply ref="AM-1" function="request_granted" code="ok" at="4000000000000000">yes</Reply>'
    assert running.deliver(reply).json["status"] == "matched"
    shown = running.api.get(asked.headers["location"]).json
    assert shown["request"]["state"] == "granted"
    assert [each["raw_code"] for each in shown["request"]["replies"]] == ["ok"]
    assert shown["document"]["functional_reference_id"] == "AM-1"
    assert [each["state"] for each in running.api.get(path).json["items"]] == ["granted"]


def test_partner_content_is_verbatim_bytes_or_a_wrapper(running: Any) -> None:
    filed = running.file()
    path = f"/v1/messages/{filed['message_ids'][0]}/content/partner"
    raw = running.api.get(path, Accept="*/*")
    assert raw.headers["content-type"].startswith("application/xml")
    assert raw.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in raw.headers["content-security-policy"]
    wrapped = running.api.get(path, Accept="application/json").json
    assert wrapped["content"].encode() == raw.data
    frozen = running.api.get(f"{path}?which=frozen")
    assert (frozen.status, frozen.json["code"]) == (404, "api.content.absent")


def test_an_operator_parks_and_redrives_and_a_filer_does_not(running: Any) -> None:
    filed = running.file()
    path = f"/v1/messages/{filed['message_ids'][0]}"
    assert running.api.post(f"{path}/park", {"reason": "x"}).status == 403
    parked = running.operator.post(f"{path}/park", {"reason": "asked by the filer"})
    assert parked.json["message"]["status"] == "parked"
    twice = running.operator.post(f"{path}/park", {"reason": "again"})
    assert twice.status == 409
    assert running.operator.post(f"{path}/redrive", {"reason": ""}).status == 422
    driven = running.operator.post(f"{path}/redrive", {"reason": "go on"})
    assert driven.json["message"]["status"] == "signed"
    events = running.api.get(f"{path}/timeline").json["items"]
    assert [each["actor"] for each in events if each["type"] == "message:lane:parked"] == ["operator/operator-key"]


@pytest.fixture(scope="module")
def foreign(running: Any) -> dict[str, str]:
    """Ids of things that belong to the first tenant."""
    filed = running.file()
    asked = running.api.post(f"/v1/declarations/{filed['id']}/amendments", running.documents["AmendOneField"])
    return {"declaration": filed["id"], "message": filed["message_ids"][0], "amendment": asked.json["id"]}


TAKES_IDS = [
    ("GET", "/v1/declarations/{declaration}", None),
    ("PUT", "/v1/declarations/{declaration}", "ImportByRoad"),
    ("GET", "/v1/declarations/{declaration}/timeline", None),
    ("GET", "/v1/declarations/{declaration}/amendments", None),
    ("POST", "/v1/declarations/{declaration}/amendments", "AmendOneField"),
    ("GET", "/v1/declarations/{declaration}/amendments/{amendment}", None),
    ("GET", "/v1/declarations/{declaration}/cancellation", None),
    ("POST", "/v1/declarations/{declaration}/cancellation", "CancelGoodsNotArrived"),
    ("GET", "/v1/declarations/{declaration}/presentation", None),
    ("POST", "/v1/declarations/{declaration}/presentation", "PresentAtTheYard"),
    ("POST", "/v1/declarations/{declaration}/duty-paid", "DutyReceipt"),
    ("GET", "/v1/messages/{message}", None),
    ("GET", "/v1/messages/{message}/timeline", None),
    ("GET", "/v1/messages/{message}/content/canonical", None),
    ("GET", "/v1/messages/{message}/content/partner", None),
]


@pytest.mark.parametrize(("method", "path", "example"), TAKES_IDS)
def test_what_is_anothers_does_not_exist(
    running: Any, foreign: dict[str, str], method: str, path: str, example: str | None
) -> None:
    body = running.documents[example] if example else None
    absent = dict.fromkeys(foreign, "0" * 26)
    theirs = running.other.ask(method, path.format(**foreign), body)
    nobodys = running.other.ask(method, path.format(**absent), body)
    assert theirs.status == nobodys.status == 404
    assert theirs.json["code"] == nobodys.json["code"]
    assert theirs.data.replace(foreign["declaration"].encode(), b"0" * 26) == nobodys.data


def test_searches_show_only_ones_own_and_an_operator_sees_all(running: Any, foreign: dict[str, str]) -> None:
    for path in ("/v1/messages", "/v1/declarations"):
        assert running.other.get(f"{path}?q={foreign['declaration']}").json["items"] == []
        assert len(running.operator.get(f"{path}?q={foreign['declaration']}").json["items"]) >= 1


def test_every_route_with_an_id_is_in_the_table_above(running: Any) -> None:
    served = running.api.get("/v1/openapi.json").json["paths"]
    named = {path.replace("_id}", "}") for path in served if "_id}" in path}
    operators_only = {
        f"/v1/messages/{{message}}/{act}" for act in ("redrive", "park", "expire", "stop-waiting", "answer")
    }
    operators_only |= {path for path in named if path.startswith(("/v1/lanes/", "/v1/deliveries/"))}
    # Webhooks have tests of their own (test_webhooks.py).
    named = {path for path in named if not path.startswith("/v1/webhooks/")}
    public = {"/v1/adapters/{adapter}", "/v1/partners/{agreement}/messages"}
    assert named - operators_only - public == {path for _, path, _ in TAKES_IDS}


def test_a_declaration_may_wait_for_another_document(running: Any) -> None:
    answer = running.api.post("/v1/declarations?waits_for=manifest:8765432", running.declaration())
    assert answer.status == 202
    message = running.api.get(f"/v1/messages/{answer.json['message_ids'][0]}").json["message"]
    assert message["waiting_for"] == "manifest:8765432"
    assert running.api.post("/v1/declarations?waits_for=8765432", running.declaration()).status == 400


def test_a_declaration_has_one_timeline_over_its_requests_and_messages(running: Any) -> None:
    filed = running.file()
    running.answer(filed["id"], "accepted", "审结")
    path = f"/v1/declarations/{filed['id']}"
    asked = running.api.post(f"{path}/amendments", running.documents["AmendOneField"]).json
    told = running.api.get(f"{path}/timeline").json
    assert told["declaration_id"] == filed["id"]
    assert {each["message_id"] for each in told["items"] if "message_id" in each} == {*filed["message_ids"]}
    kinds = [(each["type"], each.get("kind")) for each in told["items"]]
    assert kinds[0] == ("document:submission:accepted", "declaration")
    assert kinds[-1] == ("document:submission:accepted", "declaration_amendment")
    answer = next(each for each in told["items"] if each["type"] == "partner:reply:received")
    assert (answer["kind"], answer["agreement"], answer["raw_text"]) == ("declaration", "plain", "审结")
    assert answer["text"].startswith("It means: accepted. Issued 20")
    assert running.api.get(path).json["links"]["timeline"] == f"{path}/timeline"
    chinese = running.api.get(f"{path}/timeline", Accept_Language="zh").json["items"]
    assert chinese[-1]["text"] == "修改申请，第 1 轮，修改。"
    assert asked["id"] == chinese[-1]["document_id"]


def repeated(running: Any, document: dict[str, Any], path: str = "/v1/declarations", **headers: str) -> list[str]:
    """Which declarations of the filer's a second filing is told of."""
    answer = running.api.post(path, document, **headers)
    assert answer.status in (200, 202), answer.data
    warnings = [one for one in answer.json["warnings"] if one["code"] == "declaration.filed_before"]
    assert all(one["pointer"] == "/functional_reference_id" and one["found"] in one["text"] for one in warnings)
    return [one["found"] for one in warnings]


def test_a_reference_that_was_filed_before_is_told_with_the_declaration_that_has_it(running: Any) -> None:
    document = running.declaration()
    first = running.api.post("/v1/declarations", document, Idempotency_Key="twice-1").json
    assert repeated(running, document, "/v1/declarations?dry_run=true") == [first["id"]]
    assert repeated(running, document, Idempotency_Key="twice-2") == [first["id"]]
    # The stored answer says it again, and so says nobody who had no part in it.
    assert repeated(running, document, Idempotency_Key="twice-2") == [first["id"]]
    assert repeated(running, document, Idempotency_Key="twice-1") == []


def test_a_reference_of_another_tenant_is_nobodys_business(running: Any) -> None:
    document = running.declaration()
    assert running.other.post("/v1/declarations", document).status == 202
    assert repeated(running, document) == []


def test_a_cancelled_declaration_is_followed_by_a_new_one_of_its_reference(running: Any) -> None:
    document = running.declaration()
    filed = running.api.post("/v1/declarations", document).json
    running.answer(filed["id"], "cancelled")
    assert repeated(running, document) == []


def test_another_round_under_the_same_id_is_no_second_filing(running: Any) -> None:
    document = running.declaration()
    filed = running.api.post("/v1/declarations", document).json
    running.answer(filed["id"], "returned")
    again = running.api.ask("PUT", f"/v1/declarations/{filed['id']}", document)
    assert (again.status, again.json["warnings"]) == (202, [])


def test_of_two_filings_at_once_the_later_is_told_of_the_earlier(running: Any) -> None:
    document = running.declaration()

    def file(_: int) -> Any:
        return running.api.post("/v1/declarations", document).json

    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(file, range(8)))
    told = [[one["found"] for one in each["warnings"] if one["code"].endswith("filed_before")] for each in answers]
    assert sorted(map(len, told)) == [0] + [1] * 7


def test_a_request_is_listed_under_the_reference_of_its_declaration(running: Any) -> None:
    document = running.declaration()
    filed = running.api.post("/v1/declarations", document).json
    path = f"/v1/declarations/{filed['id']}"
    asked = running.api.post(f"{path}/amendments", running.documents["AmendOneField"])
    own = running.api.post(
        f"{path}/cancellation", {**running.documents["CancelGoodsNotArrived"], "functional_reference_id": "C-own"}
    )
    assert (asked.status, own.status) == (202, 202), (asked.data, own.data)
    items = running.api.get(f"/v1/messages?q={filed['id']}").json["items"]
    told = {item["kind"]: item["reference"] for item in items}
    assert told == {
        "declaration": document["functional_reference_id"],
        "declaration_amendment": document["functional_reference_id"],
        "declaration_cancellation": "C-own",
    }
    shown = running.api.get(f"/v1/messages/{asked.json['message_ids'][0]}").json
    assert shown["reference"] == document["functional_reference_id"]
