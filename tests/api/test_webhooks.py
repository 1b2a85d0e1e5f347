"""Webhooks from the registration to the receiver: a whole gateway, a worker, and listeners on real sockets."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from gateway import app as gateway_app
from gateway import settings as gateway_settings
from gateway.errors import NeedsOperator

PATIENCE_S = 30.0
Answers = Callable[[int], int]


@dataclass
class Call:
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """An ERP that is called. answers: the number of a call, from 1 on, -> the status it gets."""

    def __init__(self, answers: Answers) -> None:
        self.calls: list[Call] = []
        self.answers = answers
        self._gate = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver._gate:
                    receiver.calls.append(Call({name.lower(): value for name, value in self.headers.items()}, body))
                    number = len(receiver.calls)
                self.send_response(receiver.answers(number))
                self.end_headers()
                self.wfile.write(b"heard")

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@contextmanager
def receiver(answers: Answers = lambda number: 200) -> Iterator[Receiver]:
    one = Receiver(answers)
    try:
        yield one
    finally:
        one.close()


@contextmanager
def working(running: Any) -> Iterator[None]:
    worker = gateway_app.build_engine(running.app.parts)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def until(holds: Callable[[], Any]) -> Any:
    """What holds() says once it says something. Fails after a while."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
    return found


@pytest.fixture
def register(hooked: Any) -> Iterator[Callable[..., dict[str, Any]]]:
    """Registers webhooks, which are gone after the test."""
    made: list[str] = []

    def call(url: str, api: Any = None, **more: Any) -> dict[str, Any]:
        answer = (api or hooked.api).post("/v1/webhooks", {"url": url, **more})
        assert answer.status == 201, answer.data
        made.append(answer.json["id"])
        return dict(answer.json)

    yield call
    for webhook_id in made:
        hooked.operator.ask("DELETE", f"/v1/webhooks/{webhook_id}")


def deliveries(hooked: Any, webhook: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    answer = hooked.api.get(f"/v1/webhooks/{webhook['id']}/deliveries{query}")
    assert answer.status == 200, answer.data
    return list(answer.json["items"])


def test_what_happens_to_a_declaration_is_posted_signed_thin_and_in_order(hooked: Any, register: Any) -> None:
    with receiver() as erp, working(hooked):
        webhook = register(erp.url)
        filed = [hooked.file() for _ in range(5)]
        for each in filed:
            hooked.answer(each["id"], "registered")
        wanted = {
            each["id"]: [row["id"] for row in hooked.api.get(f"/v1/declarations/{each['id']}/timeline").json["items"]]
            for each in filed
        }
        ids = {event_id for rows in wanted.values() for event_id in rows}
        until(lambda: ids <= {call.json["data"]["event_id"] for call in list(erp.calls)})
        for call in erp.calls:
            assert Webhook(webhook["secret"]).verify(call.body, call.headers)
        told = defaultdict(list)
        for call in erp.calls:
            told[call.json["data"].get("declaration_id")].append(call.json["data"]["event_id"])
        for root_id, rows in wanted.items():
            assert told[root_id][: len(rows)] == rows
        changed = next(call.json for call in erp.calls if call.json["type"] == "document.state.changed")
        assert set(changed) == {"type", "timestamp", "data"}
        assert changed["data"]["states"]
        link = changed["data"]["links"]["declaration"]
        assert link.endswith(f"/v1/declarations/{changed['data']['declaration_id']}")
        everything = b"".join(call.body for call in erp.calls)
        assert b"T-" not in everything, "not even a reference of the document leaves"


def test_another_tenant_hears_nothing_and_an_operator_everything(hooked: Any, register: Any) -> None:
    with receiver() as own, receiver() as other, receiver() as every, working(hooked):
        register(own.url, types=["document.submission.accepted"])
        register(other.url, hooked.other, types=["document.submission.accepted"])
        assert register(every.url, hooked.operator, types=["document.submission.accepted"])["every_tenant"]
        filed = hooked.file()["id"]
        until(lambda: own.calls and every.calls)
        assert [call.json["data"]["declaration_id"] for call in own.calls] == [filed]
        assert other.calls == []


def test_a_call_that_fails_is_made_again_with_the_same_id_and_body_and_holds_back_what_follows(
    hooked: Any, register: Any
) -> None:
    with receiver(lambda number: 500 if number == 1 else 200) as erp, working(hooked):
        webhook = register(erp.url, types=["document.submission.accepted", "document.state.changed"])
        filed = hooked.file()["id"]
        hooked.answer(filed, "registered")
        until(lambda: len(erp.calls) >= 3)
        first, second, third = erp.calls[:3]
        assert (first.json["type"], third.json["type"]) == ("document.submission.accepted", "document.state.changed")
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body
        assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) >= 4
        Webhook(webhook["secret"]).verify(second.body, second.headers)
        row = next(row for row in deliveries(hooked, webhook) if row["id"] == first.headers["webhook-id"])
        assert [attempt["status"] for attempt in row["attempts"]] == [500, 200]
        assert row["attempts"][0]["head"] == "heard"


def test_gone_disables_the_webhook_and_that_is_an_event_to_see(hooked: Any, register: Any) -> None:
    with receiver(lambda number: 410) as erp, receiver() as watching, working(hooked):
        webhook = register(erp.url)
        register(watching.url, types=["webhook.target.disabled"])
        hooked.file()
        place = f"/v1/webhooks/{webhook['id']}"
        until(lambda: hooked.api.get(place).json["status"] == "disabled")
        assert hooked.api.get(place).json["reason"] == "gone"
        assert hooked.api.get(place, Accept_Language="zh").json["reason_title"] == "目标地址不再接收（410）"
        assert until(lambda: watching.calls)[0].json["type"] == "webhook.target.disabled"
        assert hooked.api.post(f"{place}/ping").json["code"] == "webhook.disabled"
        erp.answers = lambda number: 200
        assert hooked.api.ask("PATCH", place, {"status": "active"}).json["status"] == "active"
        before = len(erp.calls)
        assert hooked.api.post(f"{place}/ping").status == 202
        until(lambda: any(call.json["type"] == "webhook.ping" for call in erp.calls[before:]))


def test_a_new_secret_is_believed_at_once_and_the_old_one_until_the_overlap_ends(hooked: Any, register: Any) -> None:
    with receiver() as erp, working(hooked):
        webhook = register(erp.url, types=["message.lane.expired"])
        place = f"/v1/webhooks/{webhook['id']}"
        new = hooked.api.post(f"{place}/rotate-secret", {"overlap_s": 600}).json["secret"]
        hooked.api.post(f"{place}/ping")
        both = until(lambda: erp.calls)[0]
        for secret in (webhook["secret"], new):
            Webhook(secret).verify(both.body, both.headers)
        newest = hooked.api.post(f"{place}/rotate-secret", {"overlap_s": 0}).json["secret"]
        hooked.api.post(f"{place}/ping")
        alone = until(lambda: len(erp.calls) > 1 and erp.calls)[1]
        Webhook(newest).verify(alone.body, alone.headers)
        for secret in (webhook["secret"], new):
            with pytest.raises(WebhookVerificationError):
                Webhook(secret).verify(alone.body, alone.headers)


def test_a_delivery_is_sent_again_on_demand_under_its_id(hooked: Any, register: Any) -> None:
    with receiver() as erp, working(hooked):
        webhook = register(erp.url, types=["document.submission.accepted"])
        hooked.file()
        until(lambda: erp.calls)
        row = until(lambda: deliveries(hooked, webhook, "?delivery_status=delivered"))[0]
        again = hooked.api.post(f"/v1/webhooks/{webhook['id']}/deliveries/{row['id']}/resend")
        assert (again.status, again.json["status"]) == (202, "waiting")
        until(lambda: len(erp.calls) == 2)
        assert erp.calls[0].headers["webhook-id"] == erp.calls[1].headers["webhook-id"] == row["id"]
        assert erp.calls[0].body == erp.calls[1].body


def test_a_delivery_that_waits_for_its_next_attempt_is_made_due_by_a_resend(hooked: Any, register: Any) -> None:
    """The third attempt is five minutes away, and nobody here waits so long."""
    with receiver(lambda number: 500 if number < 3 else 200) as erp, working(hooked):
        webhook = register(erp.url, types=["document.submission.accepted"])
        hooked.file()
        for number in (1, 2):
            until(lambda: len(erp.calls) == number)  # noqa: B023 - it is called within the round
            row = until(lambda: [one for one in deliveries(hooked, webhook) if len(one["attempts"]) == number])[0]  # noqa: B023
            assert hooked.api.post(f"/v1/webhooks/{webhook['id']}/deliveries/{row['id']}/resend").status == 202
        until(lambda: deliveries(hooked, webhook, "?delivery_status=delivered"))
        assert len(erp.calls) == 3


def test_a_target_that_hangs_slows_neither_another_target_nor_a_lane(hooked: Any, register: Any) -> None:
    free = threading.Event()

    def hang(_: int) -> int:
        free.wait(PATIENCE_S)
        return 200

    with receiver(hang) as dead, receiver() as erp, working(hooked):
        try:
            hanging = [register(f"{dead.url}/{number}") for number in range(10)]
            register(erp.url, types=["message.attempt.handed_over"])
            filed = [hooked.file() for _ in range(5)]
            until(lambda: len(erp.calls) >= len(filed))
            assert dead.calls
            attempts = [row["attempts"] for webhook in hanging for row in deliveries(hooked, webhook)]
            assert not any(attempts), "all of them are waited for still"
        finally:
            free.set()


def test_secrets_are_shown_at_creation_and_rotation_and_nowhere_else(hooked: Any, register: Any) -> None:
    webhook = register("https://erp.example.com/hook")
    place = f"/v1/webhooks/{webhook['id']}"
    new = hooked.api.post(f"{place}/rotate-secret", {}).json["secret"]
    assert new != webhook["secret"]
    answers = [
        hooked.api.get(place),
        hooked.operator.get("/v1/webhooks"),
        hooked.api.ask("PATCH", place, {"description": "ERP"}),
        hooked.api.post(f"{place}/ping"),
        hooked.api.get(f"{place}/deliveries"),
    ]
    for answer in answers:
        assert b"whsec_" not in answer.data
        assert answer.status < 300
    with closing(sqlite3.connect(hooked.app.parts.settings.home / "gateway.db")) as database:
        events = database.execute("SELECT data, actor FROM events WHERE root_id = ?", (webhook["id"],)).fetchall()
    assert [json.loads(data)["webhook_act"] for data, _ in events] == ["created", "rotated", "changed"]
    assert "whsec_" not in str(events)
    assert "erp.example.com" not in str(events)


def test_what_belongs_to_another_tenant_is_not_there(hooked: Any, register: Any) -> None:
    """Threat 48."""
    webhook = register("https://erp.example.com/hook")
    place = f"/v1/webhooks/{webhook['id']}"
    delivery = hooked.api.post(f"{place}/ping").json["id"]
    foreign = register("https://erp.example.com/other", hooked.other)
    asked = [
        ("GET", place, None),
        ("PATCH", place, {"description": "mine"}),
        ("DELETE", place, None),
        ("POST", f"{place}/rotate-secret", {}),
        ("POST", f"{place}/ping", None),
        ("GET", f"{place}/deliveries", None),
        ("POST", f"{place}/deliveries/{delivery}/resend", None),
        ("POST", f"/v1/webhooks/{foreign['id']}/deliveries/{delivery}/resend", None),
    ]
    for method, path, body in asked:
        assert hooked.other.ask(method, path, body).status == 404, (method, path)
    assert webhook["id"] not in [row["id"] for row in hooked.other.get("/v1/webhooks").json["items"]]
    assert webhook["id"] in [row["id"] for row in hooked.operator.get("/v1/webhooks?limit=200").json["items"]]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"url": "https://169.254.169.254/latest"}, 422, "webhook.target.forbidden"),
        ({"url": "https://[::1]/"}, 422, "webhook.target.forbidden"),
        ({"url": "ftp://erp.example.com/"}, 422, "webhook.url.scheme"),
        ({"url": "https://a:b@erp.example.com/"}, 422, "webhook.url.credentials"),
        ({"url": "https://erp.example.com/", "types": ["no.such.event"]}, 422, "webhook.type.unknown"),
        ({"url": "https://erp.example.com/", "secret": "whsec_mine"}, 422, "document.schema"),
        ({}, 422, "document.schema"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_cannot_be_registered_is_told_in_both_languages(
    hooked: Any, body: dict[str, Any], status: int, code: str, lang: str
) -> None:
    answer = hooked.api.post("/v1/webhooks", body, Accept_Language=lang)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.json["findings"][0]["text"]


def test_every_fault_is_told_at_once_and_a_change_is_held_against_the_same_rules(hooked: Any, register: Any) -> None:
    bad = {"url": "https://10.0.0.1/", "types": ["no.such.event", "nor.this"]}
    answer = hooked.api.post("/v1/webhooks", bad)
    assert [finding["pointer"] for finding in answer.json["findings"]] == ["/types/0", "/types/1", "/url"]
    webhook = register("https://erp.example.com/")
    assert hooked.api.ask("PATCH", f"/v1/webhooks/{webhook['id']}", bad).status == 422
    assert hooked.api.get(f"/v1/webhooks/{webhook['id']}").json["url"] == "https://erp.example.com/"


def test_a_tenant_has_so_many_webhooks_and_no_more(hooked: Any, register: Any) -> None:
    for number in range(20):
        register(f"https://erp.example.com/{number}", hooked.other)
    answer = hooked.other.post("/v1/webhooks", {"url": "https://erp.example.com/"})
    assert (answer.status, answer.json["code"]) == (409, "webhook.too_many")
    register("https://erp.example.com/")
    first = hooked.other.get("/v1/webhooks?limit=15").json
    second = hooked.other.get(f"/v1/webhooks?limit=15&cursor={first['next_cursor']}").json
    assert len({row["id"] for row in first["items"] + second["items"]}) == 20
    assert "next_cursor" not in second


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOW", "10.1.0.0/33"), ("ALLOW", "10.1.2.3/16"), ("ALLOW", "erp.example.com"), ("PORTS", ""), ("PORTS", "0"),
        ("PORTS", "70000"), ("PORTS", "900-800"), ("PORTS", "443,x"), ("SCHEMES", ""), ("SCHEMES", "https,file"),
    ],
)  # fmt: skip
def test_a_setting_that_would_open_something_else_than_it_says_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(NeedsOperator) as refused:
        gateway_settings.load({f"SWGATE_WEBHOOK_{name}": value})
    assert [finding.code for finding in refused.value.findings] == ["settings.value"]


def test_without_settings_only_https_to_its_usual_port_on_public_hosts_is_open() -> None:
    usual = gateway_settings.load({})
    assert (usual.webhook_schemes, usual.webhook_ports, usual.webhook_allow) == (("https",), ((443, 443),), ())


WORKER = """
import sys, threading
from gateway import app, settings
worker = app.build_engine(app.build(settings.load()))
worker.start()
print("working", flush=True)
threading.Event().wait()
"""


def test_a_worker_killed_while_it_calls_loses_nothing(
    hooked: Any, register: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9 between the call and its end in the database: after the lease another worker calls again, under the same id."""
    hold = threading.Event()

    def answers(number: int) -> int:
        if number == 1:
            hold.wait(PATIENCE_S)
        return 200

    said = hooked.app.parts.settings
    for name, value in {
        "SWGATE_HOME": said.home, "SWGATE_PARTNERS": said.partners_file, "SWGATE_CERTS": said.certs, "SWGATE_ADAPTERS": said.adapters,
        "SWGATE_WEBHOOK_ALLOW": "127.0.0.0/8", "SWGATE_WEBHOOK_PORTS": "1-65535", "SWGATE_WEBHOOK_SCHEMES": "https,http",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    with receiver(answers) as erp:
        webhook = register(erp.url, types=["document.submission.accepted"])
        process = subprocess.Popen([sys.executable, "-c", WORKER], stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"working\n"
            hooked.file()
            until(lambda: erp.calls)
        finally:
            process.kill()
            process.wait(10)
            if process.stdout:
                process.stdout.close()
            hold.set()
        row = deliveries(hooked, webhook)[0]
        assert (row["status"], row["attempts"]) == ("waiting", [])
        with closing(sqlite3.connect(said.home / "gateway.db")) as database, database:
            # The lease is over.
            database.execute("UPDATE webhook_deliveries SET due_us = 0 WHERE id = ?", (row["id"],))
        with working(hooked):
            until(lambda: deliveries(hooked, webhook)[0]["status"] == "delivered")
        assert [call.headers["webhook-id"] for call in erp.calls] == [row["id"]] * 2
        assert erp.calls[0].body == erp.calls[1].body
