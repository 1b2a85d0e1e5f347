"""The night shift at the console, in Chromium: what is stuck is found on the overview and put right from there."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from gateway import app as gateway_app
from gateway.console.accounts import Doer
from gateway.console.words import words
from gateway.testing.directory import PartnersFile, key_digest
from tests.api.browser import Visit, chromium, visit
from tests.api.conftest import FILER, HERE, KINDS, OPERATOR, OTHER, PARTNER, password_of, serving

DOER = Doer("tests", "for a test")
MOST_CLICKS = 5
LANGUAGES = ("en", "zh")
PATIENCE_MS = 30_000


class Hanging(BaseHTTPRequestHandler):
    """A partner that takes what is sent and says nothing, until it is well again."""

    well = threading.Event()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if not self.well.is_set():
            time.sleep(1.5)
        try:
            self.send_response(202)
            self.end_headers()
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def hanging() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hanging)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, examples: dict[str, Any], hanging: int) -> Iterator[Any]:
    """A gateway with a worker: the filer's partner has a client that does not run, the other's partner hangs."""
    home = tmp_path_factory.mktemp("night")
    shutil.copytree(HERE / "adapters", home / "adapters")
    file = PartnersFile(operator="operator")
    file.add_tenant("filer", key=FILER).add_tenant("other", key=OTHER)
    file.add_tenant("operator", key=OPERATOR, roles=("operator",))
    folder = {
        "kind": "folder",
        "root": str(home / "exchange"),
        "create": True,
        "inbound_token_sha256": key_digest(PARTNER),
    }
    file.add_agreement(
        "plain", partner="customs", adapter="plain_notice", documents=KINDS, transport=folder, silence_s={"filed": 1}
    )
    file.add_agreement(
        "hanging",
        partner="neighbour",
        adapter="plain_notice",
        documents=KINDS,
        transport={"kind": "http", "url": f"http://127.0.0.1:{hanging}/messages", "read_timeout_s": 0.3},
        routed=False,
        signing={"profile": "none"},
    )
    file.routes.insert(0, {"documents": list(KINDS), "when": {"tenant": ["other"]}, "to": ["hanging"]})
    said = {
        "SWGATE_HOME": str(home),
        "SWGATE_PARTNERS": str(file.write(home / "partners.yaml")),
        "SWGATE_ADAPTERS": str(home / "adapters"),
    }
    with serving(said, examples) as running:
        worker = gateway_app.build_engine(running.app.parts)
        worker.start()
        running.accounts.add("nora", password_of("nora"), DOER, role="operator", tenant="")
        yield running
        worker.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def status(night: Any, message_id: str) -> str:
    with night.app.parts.store.read() as reading:
        return str(reading.message(message_id).status)


def row(visitor: Visit, heading: str, reference: str) -> Locator:
    """The row of the overview that speaks of a reference; it comes by itself, without anybody reloading the page."""
    visitor.open("/console/overview")
    found = visitor.page.locator(f"#need-{heading} + table tr", has_text=reference)
    expect(found).to_be_visible(timeout=PATIENCE_MS)
    return found


def gone(visitor: Visit, reference: str) -> None:
    expect(visitor.page.locator("#needs")).to_be_visible()
    expect(visitor.page.locator("#needs tr", has_text=reference)).to_have_count(0, timeout=PATIENCE_MS)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_client_that_stopped_is_found_and_what_it_says_by_telephone_entered(
    night: Any, browser: Browser, lang: str
) -> None:
    filed = night.file()
    until(lambda: status(night, filed["message_ids"][0]) == "sent")
    with visit(browser, night.port, lang) as visitor:
        visitor.sign_in("nora", password_of("nora"))
        found = row(visitor, "overdue", reference(night, filed))
        visitor.click(found.locator(".button"))
        expect(visitor.page.locator(".effect")).to_contain_text(words(lang)["act_answer_effect"])
        visitor.clicks += 1
        visitor.page.select_option("#function", "submitted")
        visitor.page.fill("#reason", "seen in their client")
        visitor.click(visitor.page.locator("form.act button"))
        expect(visitor.page.locator("[role=status]")).to_contain_text(words(lang)["act_answer"])
        expect(visitor.page.locator("#facts")).to_contain_text("seen in their client")
        visitor.click(visitor.page.locator("[role=status] a"))
        gone(visitor, reference(night, filed))
        assert visitor.clicks <= MOST_CLICKS


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_a_hanging_partner_may_or_may_not_have_is_sent_again_once_it_is_well(
    night: Any, browser: Browser, lang: str
) -> None:
    Hanging.well.clear()
    answer = night.other.post("/v1/declarations", night.declaration())
    (message_id,) = answer.json["message_ids"]
    until(lambda: status(night, message_id) == "unknown")
    Hanging.well.set()
    with visit(browser, night.port, lang) as visitor:
        visitor.sign_in("nora", password_of("nora"))
        found = row(visitor, "unknown", reference(night, answer.json))
        visitor.click(found.locator(".button"))
        visitor.page.fill("#reason", "they restarted it and have nothing")
        visitor.click(visitor.page.locator("form.act button"))
        until(lambda: status(night, message_id) == "sent")
        visitor.click(visitor.page.locator("[role=status] a"))
        gone(visitor, reference(night, answer.json))
        assert visitor.clicks <= MOST_CLICKS


@pytest.mark.parametrize("lang", LANGUAGES)
def test_returned_papers_are_corrected_and_declared_again(night: Any, browser: Browser, lang: str) -> None:
    filed = night.file()
    night.answer(filed["id"], "returned", "规格不符")
    with visit(browser, night.port, lang) as visitor:
        visitor.sign_in("nora", password_of("nora"))
        found = row(visitor, "returned", reference(night, filed))
        visitor.click(found.locator(".button"))
        box = visitor.page.locator("#document")
        right = box.input_value()
        box.fill(right[:-3])
        visitor.page.fill("#reason", "specification corrected")
        visitor.click(visitor.page.locator("form.act button"))
        expect(visitor.page.locator("[role=alert]")).to_be_visible()
        assert visitor.page.input_value("#reason") == "specification corrected"
        visitor.complaints.clear()  # the browser tells of every answer 400
        box.fill(right)
        visitor.click(visitor.page.locator("form.act button"))
        expect(visitor.page.locator("#facts")).to_contain_text("specification corrected")
        visitor.click(visitor.page.locator("[role=status] a"))
        expect(visitor.page.locator("#need-returned + table tr", has_text=reference(night, filed))).to_have_count(0)
        assert visitor.clicks <= MOST_CLICKS


def reference(night: Any, filed: dict[str, Any]) -> str:
    with night.app.parts.store.read() as reading:
        return str(reading.document(filed["id"]).reference)


PAGES = ("overview", "", "lanes", "deliveries", "partners", "adapters")


@pytest.mark.parametrize("size", ["desk", "phone"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_fits_the_screen_and_speaks_one_language(
    customs: Any, browser: Browser, lang: str, size: str
) -> None:
    name = f"{lang}-{size}"
    customs.accounts.add(name, password_of(name), DOER, role="operator", tenant="")
    filed = customs.file()
    paths = [*PAGES, f"messages/{filed['message_ids'][0]}", f"declarations/{filed['id']}", "adapters/cn_declaration"]
    paths += ["adapters/cn_declaration/mappings/DECLARATION", "adapters/cn_declaration/losses/DECLARATION"]
    paths.append(f"acts/redrive/{filed['message_ids'][0]}")
    with visit(browser, customs.port, lang, size) as visitor:
        visitor.sign_in(name, password_of(name))
        for path in paths:
            visitor.open(f"/console/{path}")
            assert visitor.page.locator("html").get_attribute("lang") == {"en": "en", "zh": "zh-CN"}[lang]
            assert visitor.too_wide() <= 0, path


def test_a_value_leads_to_what_it_became_on_the_other_side(customs: Any, browser: Browser) -> None:
    customs.accounts.add("sides", password_of("sides"), DOER, role="viewer", tenant="")
    filed = customs.file()
    with visit(browser, customs.port) as visitor:
        visitor.sign_in("sides", password_of("sides"))
        page = visitor.open(f"/console/messages/{filed['message_ids'][0]}")
        ours = page.locator(".joined section:first-child a", has_text='"direction": "import"')
        ours.hover()
        theirs = page.locator(".joined section:last-child a.lit")
        expect(theirs).to_have_count(1)
        assert theirs.inner_text() == "I"
        ours.click()
        assert re.search(r"#p\d+$", page.url)
        expect(page.locator(".joined section:last-child a:target")).to_have_text("I")


def test_pages_read_and_act_as_well_without_scripts(customs: Any, browser: Browser) -> None:
    customs.accounts.add("plain", password_of("plain"), DOER, role="operator", tenant="")
    filed = customs.file()
    with visit(browser, customs.port, java_script_enabled=False) as visitor:
        visitor.sign_in("plain", password_of("plain"))
        page = visitor.open(f"/console/messages/{filed['message_ids'][0]}")
        page.get_by_role("link", name="Park").click()
        page.fill("#reason", "held for the morning")
        page.locator("form.act button").click()
        expect(page.locator("#facts")).to_contain_text("held for the morning")
        page.goto(f"{visitor.home}/console/overview")
        expect(page.locator("#need-parked + table")).to_contain_text("held for the morning")
        assert page.locator("figure.chart svg title").count() >= 2
