"""The demonstration as a reader of the pages has it: started once, in a folder that looks like a clone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

READY_WITHIN_S = 150


@dataclass(frozen=True)
class Demonstration:
    """folder: where a reader stands; words: what the demonstration printed for him, by name."""

    folder: Path
    words: dict[str, str]


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    folder = tmp_path_factory.mktemp("clone")
    for part in ("adapters", "specs", "docs"):
        (folder / part).symlink_to(ROOT / part)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SWGATE_")}
    printed = folder / "printed.txt"
    with printed.open("w") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", "demo", "--home", str(folder / "var" / "demo")],
            cwd=ROOT,
            env={**clean, "COLUMNS": "200", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Demonstration(folder, _told(child, printed))
    finally:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(30)
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def _told(child: subprocess.Popen[bytes], printed: Path) -> dict[str, str]:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and child.poll() is None:
        text = printed.read_text(encoding="utf-8")
        if "stays up until Ctrl-C" in text:
            return dict(re.findall(r"^  (URL|KEY)=(\S+)$", text, re.MULTILINE))
        time.sleep(0.2)
    raise AssertionError(printed.read_text(encoding="utf-8")[-3000:])
