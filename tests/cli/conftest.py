"""A project with one new adapter, made once; and a way to call swgate as a shell would."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.cli import main, scaffold

ADAPTER = "xx_notice"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Swgate = Callable[..., Outcome]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Path:
    """specs (ours, linked) and adapters with one new adapter; not to be changed."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "specs").mkdir()
    (folder / "adapters").mkdir()
    for part in (project_root / "specs").iterdir():
        if part.name != "rules":
            (folder / "specs" / part.name).symlink_to(part)
    # A new adapter puts a file of its own there.
    shutil.copytree(project_root / "specs" / "rules", folder / "specs" / "rules")
    scaffold.write(ADAPTER, folder / "adapters", folder / "specs")
    return folder


@pytest.fixture
def samples(made: Path) -> Path:
    return made / "adapters" / ADAPTER / "samples"


@pytest.fixture
def swgate(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Swgate:
    """Call it with the words of a command line; it works on the made project, in English, with a home of its own."""
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("SWGATE_ADAPTERS", str(made / "adapters"))
    monkeypatch.setenv("SWGATE_SPECS", str(made / "specs"))
    monkeypatch.setenv("SWGATE_HOME", str(tmp_path / "var"))

    def call(*words: object) -> Outcome:
        capfd.readouterr()
        code = main([str(word) for word in words])
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
