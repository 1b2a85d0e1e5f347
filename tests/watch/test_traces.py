"""Traces: one from the filer's request to the partner and back, told to a collector over a real socket."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from gateway.watch import traces
from tests.system.neighbours import Neighbours, garments
from tests.system.town import wait_for

MARK = "mark4711inside"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01"),
        (f"00-{TRACE}-{PARENT}-00", f"00-{TRACE}-{PARENT}-00"),
        (f"cc-{TRACE}-{PARENT}-01-what-comes-later", f"00-{TRACE}-{PARENT}-01"),
        (f"00-{TRACE}-{PARENT}-01-more", ""),
        (f"ff-{TRACE}-{PARENT}-01", ""),
        (f"00-{'0' * 32}-{PARENT}-01", ""),
        (f"00-{TRACE}-{'0' * 16}-01", ""),
        (f"00-{TRACE.upper()}-{PARENT}-01", ""),
        (f"00-{TRACE}-{PARENT}-01\r\nX: y", ""),
        (f"cc-{TRACE}-{PARENT}-01-{'x' * 100}", ""),
        ("", ""),
    ],
)
def test_a_traceparent_is_read_as_the_standard_says_and_anything_else_is_none(said: str, read: str) -> None:
    assert traces.read(said) == read


def test_without_a_collector_nothing_of_opentelemetry_is_imported_and_the_parent_is_handed_on() -> None:
    code = (
        "import sys\nfrom gateway.watch import traces\ntraces.begin('', 'work')\n"
        f"with traces.span('send', '00-{TRACE}-{PARENT}-01', {{'message_id': 'm'}}) as one: one.fail('x')\n"
        "print(one.traceparent, any(name.startswith('opentelemetry') for name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"00-{TRACE}-{PARENT}-01", "False"]


class Collector:
    """Takes what is told by OTLP over HTTP. spans: in the order of their coming; raw: every byte."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.raw = b""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                data = self.rfile.read(int(self.headers["Content-Length"]))
                told = ExportTraceServiceRequest.FromString(data)
                collector.raw += data
                for resource in told.resource_spans:
                    for scope in resource.scope_spans:
                        collector.spans += scope.spans
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing: the tests read what came."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def named(self, name: str) -> list[Any]:
        return [span for span in self.spans if span.name == name]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """What a collector heard while one declaration went to a neighbour and was answered, and one was refused."""
    collector = Collector()
    town = Neighbours(Path(tmp_path_factory.mktemp("traces")))
    town.environment["SWGATE_OTLP_ENDPOINT"] = collector.address
    try:
        town.run("migrate")
        for name in ("serve", "work", "asked"):
            town.start(name)
        town.wait_until_ready()
        (document,) = garments("asked", 1, [MARK])
        with town.session() as session:
            said = {"X-API-Key": town.key_of(document), "traceparent": f"00-{TRACE}-{PARENT}-01"}
            address = f"{town.url}/v1/declarations"
            assert session.post(address, json=document, headers=said).status_code == 202
            bad = {**document, "functional_reference_id": f"A{MARK}", "type_code": MARK}
            assert session.post(address, json=bad, headers=said).status_code == 422
        names = ("sign", "send", "receive", "translate")
        wait_for(lambda: all(collector.named(name) for name in names), 40, lambda: town.log("work") + town.log("serve"))
        yield collector
    finally:
        town.stop()
        collector.server.shutdown()
        collector.server.server_close()


def test_one_trace_leads_from_the_request_to_the_partner_and_back(told: Collector) -> None:
    filed = next(
        span
        for span in told.named("POST /v1/declarations")
        if any(a.key == "http.response.status_code" and a.value.int_value == 202 for a in span.attributes)
    )
    assert (filed.trace_id.hex(), filed.parent_span_id.hex()) == (TRACE, PARENT)
    for name in ("translate", "sign", "send", "receive"):
        of_the_filing = [span for span in told.named(name) if span.parent_span_id == filed.span_id]
        assert of_the_filing, name
        assert {span.trace_id.hex() for span in of_the_filing} == {TRACE}


def test_an_answer_is_linked_with_the_request_that_brought_it(told: Collector) -> None:
    received = told.named("receive")[0]
    delivered = told.named("POST /v1/partners/{agreement_id}/messages")
    wait_for(
        lambda: any(
            (span.trace_id, span.span_id) == (received.links[0].trace_id, received.links[0].span_id)
            for span in told.named("POST /v1/partners/{agreement_id}/messages")
        ),
        10,
        lambda: str(delivered),
    )


def test_spans_hold_ids_and_codes_and_no_value_of_a_document(told: Collector) -> None:
    assert MARK.encode() not in told.raw
    (sent,) = told.named("send")
    attributes = {one.key: one.value.string_value for one in sent.attributes}
    assert attributes["swgate.agreement"] == "asked"
    assert attributes["swgate.message_id"]
    assert attributes["swgate.declaration_id"]
    assert "http" not in " ".join(attributes.values())
