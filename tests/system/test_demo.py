"""``swgate demo --once``: it tells the truth about every document, and its exit code repeats it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

TITLE = "Where each declaration ended"
COLUMNS = 400


def demo(root: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """The demonstration of the project at root, as a user starts it; wide enough that no row of a table is folded."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SWGATE_")}
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", "demo", "--once", "--home", str(home)],
        cwd=root,
        env={**environment, "COLUMNS": str(COLUMNS), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def ends(output: str) -> dict[str, str]:
    """Title -> verdict, as the table of ends says."""
    assert TITLE in output, output
    table = output.split(TITLE, 1)[1].split("Timeline of", 1)[0]
    rows = [
        [cell.strip() for cell in line.strip("│ ").split("│")] for line in table.splitlines() if line.startswith("│")
    ]
    return {row[0]: row[-1] for row in rows}


def parts(root: Path) -> list[Path]:
    """What each adapter shows of itself."""
    return sorted((root / "adapters").glob("*/demo.yaml"))


@pytest.mark.timeout(300)
def test_every_declaration_of_the_demonstration_reaches_its_expected_end(project_root: Path, tmp_path: Path) -> None:
    told = demo(project_root, tmp_path / "home")
    assert told.returncode == 0, told.stdout + told.stderr
    filed = [yaml.safe_load(part.read_text(encoding="utf-8"))["declarations"] for part in parts(project_root)]
    assert ends(told.stdout) == {entry["title"]: "yes" for entries in filed for entry in entries}
    assert "Timeline of" in told.stdout
    for address in ("/v1/declarations", "/v1/openapi.json", "/console"):
        assert re.search(rf"http://127\.0\.0\.1:\d+{address}", told.stdout), address
    assert re.search(r"Account    demo   password [\w-]{20}", told.stdout)


@pytest.mark.timeout(300)
def test_an_end_that_is_not_reached_is_told_and_fails(project_root: Path, tmp_path: Path) -> None:
    """A copy of the project that shows one adapter, and expects of customs what it does not do."""
    copy = tmp_path / "project"
    for folder in ("gateway", "adapters", "specs"):
        shutil.copytree(project_root / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shown, *others = parts(copy)
    for part in others:
        part.unlink()
    frame = copy / "gateway" / "cli" / "demo" / "scenario.yaml"
    frame.write_text(re.sub("within_s: .*", "within_s: 8", frame.read_text(encoding="utf-8")), encoding="utf-8")
    content = yaml.safe_load(shown.read_text(encoding="utf-8"))
    met, unmet = content["declarations"][0], dict(content["declarations"][0])
    unmet |= {"title": "copper concentrate, hoped to be rejected", "expect": {"declaration": "rejected"}}
    content |= {"declarations": [met, unmet]}
    shown.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    told = demo(copy, tmp_path / "home")
    assert told.returncode == 1, told.stdout + told.stderr
    verdicts = ends(told.stdout + told.stderr)
    assert verdicts[met["title"]] == "yes"
    assert verdicts[unmet["title"]] == "no expected declaration rejected"
