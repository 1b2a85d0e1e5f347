"""How the gateway is served: in one piece, checked at start, by ASGI and by WSGI alike."""

from __future__ import annotations

import io
import re
import shutil
import threading
from dataclasses import replace
from typing import Any

import pytest
from a2wsgi import ASGIMiddleware

from gateway import app
from gateway.errors import NeedsOperator
from gateway.pipeline.submission import Submission
from gateway.settings import PROJECT_ROOT
from gateway.testing.directory import PartnersFile


def call(application: Any, path: str, **environ: str) -> tuple[str, bytes]:
    """One WSGI call (PEP 3333)."""
    begun: list[str] = []
    whole = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "x", "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http", **environ,
    }  # fmt: skip
    body = b"".join(application(whole, lambda status, headers, exc_info=None: begun.append(status)))
    return begun[0], body


def test_the_wsgi_application_keeps_the_contract_too(running: Any) -> None:
    application = ASGIMiddleware(running.app)
    assert call(application, "/health") == ("200 OK", b'{"status":"ok"}')
    assert call(application, "/v1/messages")[0].startswith("401")
    status, body = call(application, "/v1/messages", HTTP_X_API_KEY=running.api.key, QUERY_STRING="limit=0")
    assert status.startswith("400")
    assert b"api.parameter" in body


def test_ready_tells_what_is_missing(running: Any) -> None:
    answer = running.api.get("/ready", key="")
    assert answer.json["checks"] == {"database": "ok", "disk": "ok", "adapters": "ok"}


def test_a_full_disk_is_not_ready(running: Any, tmp_path: Any) -> None:
    settings = replace(running.app.parts.settings, home=tmp_path, free_disk_mb=10**9)
    made: Any = app.create(settings)
    try:
        status, body = call(ASGIMiddleware(made), "/ready")
        assert status.startswith("503")
        assert re.search(rb'"disk":"nearly full: \d+ MiB free, 1000000000 wanted"', body)
        shutil.rmtree(tmp_path)
        assert b'"disk":"cannot be written to: No such file or directory"' in call(ASGIMiddleware(made), "/ready")[1]
    finally:
        made.close()


@pytest.mark.parametrize(
    ("transport", "expected"),
    [
        ({"inbound_token_sha256": "the-token-itself"}, "/agreements/0/transport/inbound_token_sha256"),
        ({"inbound_tokn": "x"}, "/agreements/0/transport/inbound_tokn"),
        ({"inbound_limit_bytes": 0}, "/agreements/0/transport/inbound_limit_bytes"),
        ({"rooot": "x"}, "/agreements/0/transport/rooot"),
    ],
)
def test_wrong_transport_settings_stop_the_start_and_are_not_repeated(
    running: Any, tmp_path: Any, transport: dict[str, Any], expected: str
) -> None:
    settings = {"kind": "folder", "root": "exchange", **transport}
    file = PartnersFile().add_agreement(
        "plain", partner="customs", adapter="plain_notice", documents=["declaration"], transport=settings
    )
    path = file.write(tmp_path / "partners.yaml")
    with pytest.raises(NeedsOperator) as refused:
        app.build(replace(running.app.parts.settings, home=tmp_path, partners_file=path))
    assert [finding.pointer for finding in refused.value.findings] == [expected]
    assert "the-token-itself" not in str(refused.value.findings)


@pytest.mark.parametrize(
    ("jurisdiction", "zone", "faults"),
    [("CN", "", 0), ("KZ", "", 1), ("KZ", "+05:00", 0), ("CN", "Asia/Atlantis", 1)],
)
def test_a_tenant_for_whom_nobody_knows_the_day_stops_the_start(
    running: Any, tmp_path: Any, jurisdiction: str, zone: str, faults: int
) -> None:
    file = PartnersFile().add_tenant("filer", jurisdiction=jurisdiction)
    file.tenants[0]["zone"] = zone
    settings = replace(running.app.parts.settings, home=tmp_path, partners_file=file.write(tmp_path / "partners.yaml"))
    try:
        app.build(settings).store.close()
        found = []
    except NeedsOperator as refused:
        found = [(finding.code, finding.pointer) for finding in refused.findings]
    assert found == [("partners.zone", "/tenants/0/zone")] * faults


def test_a_deadline_that_cannot_run_stops_the_start(running: Any, tmp_path: Any) -> None:
    overlay = tmp_path / "overlay"
    (overlay / "deadlines").mkdir(parents=True)
    ours = (PROJECT_ROOT / "specs" / "deadlines" / "cn.yaml").read_text(encoding="utf-8")
    (overlay / "deadlines" / "cn.yaml").write_text(ours.replace("track: duty", "track: tax"), encoding="utf-8")
    with pytest.raises(NeedsOperator) as refused:
        app.build(replace(running.app.parts.settings, home=tmp_path / "home", overlay=overlay))
    assert [(one.code, one.partner_place) for one in refused.value.findings] == [
        ("specs.deadline.broken", "deadlines/cn.duty.payment")
    ]


def test_the_example_of_the_contract_is_accepted_by_the_adapter_it_is_meant_for(running: Any, tmp_path: Any) -> None:
    file = PartnersFile().add_tenant("filer").add_agreement(
        "import", partner="customs", adapter="cn_declaration", documents=["declaration"],
        transport={"kind": "folder", "root": "exchange"},
    )  # fmt: skip
    settings = replace(
        running.app.parts.settings,
        home=tmp_path,
        partners_file=file.write(tmp_path / "partners.yaml"),
        adapters=PROJECT_ROOT / "adapters",
    )
    parts = app.build(settings)
    try:
        submission = Submission("declaration", running.documents["ImportByRoad"], "filer", "filer/key")
        prepared = parts.submitter.prepare(submission)
    finally:
        parts.store.close()
    assert prepared.encoded["import"].report.lost == ()


def test_what_a_manifest_says_of_a_transport_holds_unless_the_agreement_says_otherwise(
    running: Any, tmp_path: Any
) -> None:
    adapters = tmp_path / "adapters"
    shutil.copytree(running.app.parts.settings.adapters, adapters)
    with (adapters / "plain_notice" / "manifest.yaml").open("a", encoding="utf-8") as manifest:
        manifest.write("transport_settings: {folder: {answer_names: [receipt]}}\n")
    file = PartnersFile().add_tenant("filer")
    for name, own in (("usual", {}), ("own", {"answer_names": ["{name}.ok"]})):
        transport = {"kind": "folder", "root": name} | own
        file.add_agreement(name, partner=name, adapter="plain_notice", documents=["declaration"], transport=transport)
    partners = file.write(tmp_path / "partners.yaml")
    settings = replace(running.app.parts.settings, home=tmp_path, partners_file=partners, adapters=adapters)
    with pytest.raises(NeedsOperator) as refused:
        app.build(settings)
    assert [finding.pointer for finding in refused.value.findings] == ["/agreements/0/transport/answer_names/0"]


def test_a_worker_sends_what_the_api_accepted(running: Any) -> None:
    exchange = running.app.parts.settings.home / "exchange"
    for name in ("OutBox", "InBox", "SentBox", "FailBox"):
        (exchange / name).mkdir(parents=True)
    worker = app.build_engine(running.app.parts)
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        filed = running.file()
        path = f"/v1/messages/{filed['message_ids'][0]}"
        for _ in range(200):
            if running.api.get(path).json["message"]["status"] == "sent":
                break
            threading.Event().wait(0.02)
        message = running.api.get(path).json["message"]
        assert message["status"] == "sent"
        assert running.api.get(f"{path}/content/partner?which=frozen").status == 200
        assert (exchange / "OutBox" / message["name"]).is_file()
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
