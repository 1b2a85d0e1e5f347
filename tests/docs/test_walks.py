"""The pages that a stranger walks through do what they say, command by command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.docs.conftest import Demonstration
from tests.docs.pages import ROOT, blocks, run

pytestmark = pytest.mark.timeout(400)


def test_the_quick_start_files_follows_amends_and_cancels_by_curl_and_from_a_shell(
    demonstration: Demonstration,
) -> None:
    commands = [block.text for block in blocks(ROOT / "docs" / "quickstart.md") if block.language == "sh"]
    start, *others = commands
    assert start.startswith("make demo")
    assert len(others) == 7
    said = run("\n".join(others), demonstration.folder, demonstration.words, 300)
    assert re.search(r'"state": *"granted"', said)
    assert '"request": "granted"' in said
    assert re.search(r'"state": *"cancelled"', said)
    told = json.loads((demonstration.folder / "timeline.json").read_text(encoding="utf-8"))
    assert told[0]["type"] == "document:submission:accepted"


def test_every_case_of_the_filing_guide_reaches_its_end(demonstration: Demonstration) -> None:
    page = ROOT / "docs" / "cases.md"
    said = run(
        "\n".join(block.text for block in blocks(page) if block.language == "sh"),
        demonstration.folder,
        demonstration.words,
        300,
    )
    ends = [line.rpartition(" ")[2] for line in said.splitlines() if " is " in line]
    assert ends == ["closed", "closed", "released", "closed", "released", "granted", "cancelled"]
    assert '"waiting_for":"manifest:8765432"' in said.replace(" ", "")


def test_every_example_file_is_used_by_a_page() -> None:
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md"))
    examples = sorted((ROOT / "docs" / "examples").glob("*.json"))
    assert examples
    assert [path.name for path in examples if path.name not in pages] == []


def test_the_adapter_of_the_guide_is_built_from_its_page_and_passes_check(tmp_path: Path) -> None:
    (tmp_path / "adapters").mkdir()
    (tmp_path / "specs").mkdir()
    for part in (ROOT / "specs").iterdir():
        (tmp_path / "specs" / part.name).symlink_to(part)
    words = {"SWGATE_ADAPTERS": str(tmp_path / "adapters"), "SWGATE_SPECS": str(tmp_path / "specs")}
    said = ""
    for block in blocks(ROOT / "docs" / "first-adapter.md"):
        if block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
        else:
            assert block.language == "sh"
            said += run(block.text, tmp_path, words, 120)
    assert "steppe_yard: right" in said
    assert (tmp_path / "adapters/steppe_yard/samples/notice.json").exists()
