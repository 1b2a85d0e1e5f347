"""A real browser signs in, changes an account and signs out under the strict headers: what they refuse would show here alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import password_of

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
def tab(running: Any, desks: dict[str, Any]) -> Iterator[Any]:
    """A page of Chromium at the sign-in, and what it must not complain of: anything but the icon that nobody made."""
    if not CHROMIUM.exists():
        if os.environ.get("SWGATE_NO_SKIPS"):
            pytest.fail("no Chromium, and skips are not allowed")
        pytest.skip("no Chromium")
    from playwright.sync_api import sync_playwright

    assert desks
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(locale="en-GB")
        page.on(
            "console",
            lambda said: None if said.location["url"].endswith("favicon.ico") else complaints.append(said.text),
        )
        page.goto(f"http://127.0.0.1:{running.port}/console")
        yield page
        browser.close()
    assert complaints == []


def sign_in(tab: Any, name: str) -> None:
    tab.get_by_label("Account").fill(name)
    tab.get_by_label("Password").fill(password_of(name))
    tab.get_by_role("button", name="Sign in").click()


def test_an_administrator_makes_an_account_and_reads_of_it_in_the_audit(tab: Any) -> None:
    sign_in(tab, "administrator")
    tab.get_by_role("link", name="Accounts").click()
    form = tab.locator("form", has=tab.get_by_role("button", name="Add account"))
    form.get_by_label("Account").fill("browser-made")
    form.get_by_label("Role").select_option("operator")
    form.get_by_label("Reason").fill("joined the desk")
    form.get_by_role("button", name="Add account").click()
    assert len(tab.locator("code").inner_text()) == 20
    tab.get_by_role("link", name="Audit").click()
    row = tab.locator("tr", has_text="browser-made")
    assert "joined the desk" in row.inner_text()
    tab.get_by_role("link", name="中文").click()
    assert "新建账户" in tab.locator("tr", has_text="browser-made").inner_text()
    tab.get_by_role("button", name="退出").click()
    assert "/console/sign-in" in tab.url


def test_a_viewer_is_offered_only_what_he_may_open(tab: Any) -> None:
    sign_in(tab, "viewer")
    assert tab.get_by_role("link", name="My account").count() == 1
    assert tab.get_by_role("link", name="Audit").count() == 0
    assert tab.get_by_role("link", name="Accounts").count() == 0
    tab.get_by_role("link", name="My account").click()
    tab.get_by_label("Time zone").fill("Asia/Ulaanbaatar")
    tab.get_by_role("button", name="Save").click()
    assert tab.get_by_label("Time zone").input_value() == "Asia/Ulaanbaatar"
