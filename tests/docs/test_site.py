"""The site: it builds without a warning, every page is in it, and it asks nobody else for anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.settings import SETTINGS
from tests.docs.pages import ROOT
from tools import site

FETCHED = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=["']((?:https?:)?//[^"']+)""")
OF_STYLES = re.compile(r"""(?:@import\s+|url\()\s*["']?((?:https?:)?//[^"')]+)""")

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    assert site.build(folder) == 0
    return folder


def test_every_page_of_the_project_is_on_the_site(built: Path) -> None:
    written = [path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md") if "generated" not in path.parts]
    assert len(written) > 15
    assert [str(page) for page in written if not (built / page).with_suffix(".html").is_file()] == []
    assert (built / "README.zh-CN.html").is_file()
    assert "docs/index.html" in (built / "index.html").read_text(encoding="utf-8")


def test_settings_commands_and_findings_are_on_pages_of_their_own(built: Path) -> None:
    generated = built / "docs" / "generated"
    settings = (generated / "settings.html").read_text(encoding="utf-8")
    assert [row.env for row in SETTINGS if row.env not in settings] == []
    assert "swgate messages stop-waiting" in (generated / "commands.html").read_text(encoding="utf-8")
    assert 'id="syntax.schema"' in (generated / "errors" / "syntax.html").read_text(encoding="utf-8")


def test_no_page_fetches_anything_from_elsewhere(built: Path) -> None:
    pages = {path.name: FETCHED.findall(path.read_text(encoding="utf-8")) for path in built.rglob("*.html")}
    assert {name: found for name, found in pages.items() if found} == {}
    styles = {path.name: OF_STYLES.findall(path.read_text(encoding="utf-8")) for path in built.rglob("*.css")}
    assert styles
    assert {name: found for name, found in styles.items() if found} == {}
