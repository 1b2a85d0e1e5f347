"""Debian's Chromium at the console: what was said on its console, whom it asked, and how often somebody clicked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

CHROMIUM = shutil.which("chromium")
SIZES = {"desk": {"width": 1200, "height": 900}, "phone": {"width": 390, "height": 844}}


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a head; the test is skipped where there is none, unless skips are not allowed."""
    if CHROMIUM is None:
        if os.environ.get("SWGATE_NO_SKIPS"):
            pytest.fail("chromium is absent and skips are not allowed")
        pytest.skip("chromium is absent (tools/system_packages.sh)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@dataclass
class Visit:
    """Somebody at a page. complaints: errors of scripts, of the policy, of loading; hosts: all that were asked."""

    page: Page
    home: str
    clicks: int = 0
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(20_000)
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type != "log" else None)
        self.page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.home}{path}")
        return self.page

    def sign_in(self, name: str, password: str) -> None:
        self.open("/console/sign-in")
        self.page.fill("[name=name]", name)
        self.page.fill("[name=password]", password)
        self.page.click("main button")
        self.page.wait_for_url(lambda url: "sign-in" not in url)

    def click(self, what: Locator) -> None:
        self.clicks += 1
        what.click()

    def too_wide(self) -> int:
        """By how many points the page is wider than the window."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return wide


@contextmanager
def visit(browser: Browser, port: int, lang: str = "en", size: str = "desk", **more: Any) -> Iterator[Visit]:
    """A new visitor, who leaves no complaint and asked nobody but us."""
    locale = {"en": "en-GB", "zh": "zh-CN"}[lang]
    context = browser.new_context(locale=locale, viewport=SIZES[size], **more)  # type: ignore[arg-type]
    visitor = Visit(context.new_page(), f"http://127.0.0.1:{port}")
    yield visitor
    context.close()
    assert visitor.complaints == []
    assert visitor.hosts == {f"127.0.0.1:{port}"}
