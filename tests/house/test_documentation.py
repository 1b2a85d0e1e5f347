"""What the pages say is so: links lead somewhere, commands and settings exist, and nothing speaks of one machine."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli import COMMANDS
from gateway.settings import PROJECT_ROOT, SETTINGS

NOT_OURS = {
    ".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache", "__pycache__", "var", "build",
    "node_modules",
}  # fmt: skip
# In two halves each, since this file is looked at as well.
OF_A_MACHINE = ("/ro" + "ot/", "/ho" + "me/", "/wo" + "rk/", "/Us" + "ers/")
REGISTRIES = re.compile("|".join(("pypi" + r"\.", "python" + "hosted", "npm" + r"js\.", "arti" + "factory", r"\bnexu" + r"s\.", "index" + r"-url\s*[=:]\s*http")))  # fmt: skip
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def files() -> Iterator[Path]:
    for path in sorted(PROJECT_ROOT.rglob("*")):
        if not NOT_OURS & set(path.relative_to(PROJECT_ROOT).parts) and path.is_file():
            yield path


PAGES = [path for path in files() if path.suffix == ".md"]


def told(path: Path) -> str:
    return str(path.relative_to(PROJECT_ROOT))


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The names under which the headings of a page are found."""
    headings = re.findall(r"^#+ +(.+?)\s*$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=told)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    lost = []
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


def test_files_that_pages_name_are_there() -> None:
    """Paths in backticks that begin with a folder of ours, written without a placeholder."""
    lost = []
    for page in PAGES:
        for path in re.findall(
            r"`((?:gateway|adapters|specs|docs|tests|tools|bench|certs)/[\w./-]+)`", page.read_text("utf-8")
        ):
            if not (PROJECT_ROOT / path).exists() and "generated" not in path:
                lost.append(f"{told(page)}: {path}")
    assert lost == []


def test_every_setting_is_documented_with_its_default_and_its_purpose() -> None:
    page = (PROJECT_ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    rows = {row[1]: row for row in re.findall(r"^(\| `(SWGATE_\w+)` \| (.*?) \| (.*?) \|)$", page, re.MULTILINE)}
    assert set(rows) == {row.env for row in SETTINGS}
    for row in SETTINGS:
        default = row.default.replace(str(PROJECT_ROOT), "<project>")
        assert rows[row.env][2].strip("` ") == default, row.env
        assert rows[row.env][3] == row.en


def test_every_command_of_swgate_that_a_page_shows_exists() -> None:
    shown = {
        name: told(page)
        for page in PAGES
        for name in re.findall(r"^swgate ([a-z]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert {name: page for name, page in shown.items() if name not in COMMANDS} == {}
    mentioned = re.findall(
        r"`swgate ([a-z]+)[ `]", "".join(page.read_text("utf-8") for page in PAGES if "docs" in page.parts)
    )
    assert set(mentioned) <= set(COMMANDS) | {"keys"}


def test_every_make_command_that_a_page_shows_is_a_target() -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    shown = {
        (told(page), name)
        for page in PAGES
        for name in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert {("README.md", "demo"), ("README.md", "test")} <= shown
    assert {(page, name) for page, name in shown if name not in targets} == set()
    phony = set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split())
    assert {name for name in targets if not (PROJECT_ROOT / name).is_file()} <= phony


def test_what_the_distribution_installs_is_what_the_lock_is_made_of() -> None:
    parser = configparser.ConfigParser()
    parser.read(PROJECT_ROOT / "setup.cfg", encoding="utf-8")
    installed = [line for line in parser["options"]["install_requires"].splitlines() if line]
    listed = [
        line
        for line in (PROJECT_ROOT / "requirements.in").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert installed == listed
    for name in ("requirements.lock", "requirements-dev.lock"):
        lock = (PROJECT_ROOT / name).read_text(encoding="utf-8").lower()
        for line in listed:
            package = re.escape(re.split(r"[\[<>=~! ]", line)[0].lower())
            assert re.search(rf"^{package}(\[[^\]]*\])?==", lock, re.MULTILINE), f"{package} is not in {name}"


def test_every_locked_package_has_hashes() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        entries = re.split(r"\n(?=[a-z0-9])", (PROJECT_ROOT / name).read_text(encoding="utf-8").lower())
        without = [entry.split("==")[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry]
        assert without == [], name


def test_no_file_speaks_of_one_machine_or_of_a_registry() -> None:
    found = []
    for path in files():
        text = path.read_bytes().decode("utf-8", "ignore")
        found += [f"{told(path)}: {word}" for word in OF_A_MACHINE if word in text]
        found += [f"{told(path)}: {match[0]}" for match in REGISTRIES.finditer(text)]
    assert found == []
