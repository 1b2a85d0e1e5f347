"""Pages of the documentation as those who try them out read them: blocks of code, in order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(
    r"(?:^\*\*(?P<file>[\w./-]+)\*\*\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """One block of code. file: the bold name on a line of its own above it, "" where there is none."""

    language: str
    text: str
    file: str


def blocks(page: Path) -> Iterator[Block]:
    for match in BLOCK.finditer(page.read_text(encoding="utf-8")):
        yield Block(match["language"], match["text"], match["file"] or "")


def run(script: str, folder: Path, words: Mapping[str, str], within_s: float) -> str:
    """Run shell lines in a folder, as one script that stops at the first that fails; what they print.

    ``swgate`` is the command of this tree.
    """
    tools = folder / ".venv" / "bin"
    if not tools.exists():
        tools.mkdir(parents=True)
        command = tools / "swgate"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gateway.cli "$@"\n', encoding="utf-8")
        command.chmod(0o755)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SWGATE_")}
    done = subprocess.run(
        ["bash", "-xeuo", "pipefail", "-c", script],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "PATH": f"{tools}:{clean['PATH']}", **words},
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout
