"""A project of its own for the catalogue: a new adapter beside the real specs."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import settings
from gateway.catalogue import Catalogue
from gateway.cli import scaffold

ADAPTER = "xx_notice"


def project(folder: Path, root: Path) -> Path:
    """A folder with specs (ours, linked) and adapters; the same folder names as in the real project."""
    (folder / "specs").mkdir(parents=True)
    (folder / "adapters").mkdir()
    for part in (root / "specs").iterdir():
        if part.name != "rules":
            (folder / "specs" / part.name).symlink_to(part)
    # A new adapter puts a file of its own there.
    shutil.copytree(root / "specs" / "rules", folder / "specs" / "rules")
    return folder


def catalogue_of(folder: Path) -> Catalogue:
    environment = {"SWGATE_ADAPTERS": str(folder / "adapters"), "SWGATE_SPECS": str(folder / "specs")}
    return Catalogue.load(settings.load(environment))


@pytest.fixture
def fresh(tmp_path: Path, project_root: Path) -> Path:
    """A project with one new adapter, free to be broken."""
    folder = project(tmp_path, project_root)
    scaffold.write(ADAPTER, folder / "adapters", folder / "specs")
    return folder


@pytest.fixture
def load() -> Callable[[Path], Catalogue]:
    return catalogue_of
