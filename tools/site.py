"""Builds the documentation site: every page of the project, those that are generated, and the table that holds them together.

Pages are gathered into one folder, laid out as the project is, so that a link that works in the repository works on the site.
Sphinx builds from there; a warning (a page nobody lists, a link that leads nowhere) is an error.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from gateway import settings
from gateway.catalogue import Catalogue
from gateway.cli import pages

ROOT = Path(__file__).resolve().parent.parent
# Whatever else pages of docs/ link to is offered for download, as it is.
BESIDE = (
    "README*.md",
    "LICENSE",
    "certs/README.md",
    "adapters/*/README.md",
    "specs/openapi/openapi.yaml",
    "specs/*/SOURCES.md",
)
ENTRANCE = """<!doctype html>
<meta charset="utf-8"><title>Single Window Gateway</title>
<meta http-equiv="refresh" content="0; url=docs/index.html"><a href="docs/index.html">Single Window Gateway</a>
"""


def gather(to: Path) -> None:
    """Every page, written or generated, in an empty folder."""
    shutil.copytree(ROOT / "docs", to / "docs", ignore=shutil.ignore_patterns("generated", "__pycache__"))
    chosen = settings.load({})
    pages.write_pages(to / pages.DEFAULT_FOLDER, pages.all_pages(chosen, Catalogue.load(chosen)))
    for pattern in BESIDE:
        for path in sorted(ROOT.glob(pattern)):
            place = to / path.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


def build(site: Path) -> int:
    """Build the site into a folder, which is emptied first; the exit code of Sphinx."""
    with tempfile.TemporaryDirectory() as gathered:
        source = Path(gathered)
        gather(source)
        shutil.rmtree(site, ignore_errors=True)
        words = (
            "-W",
            "--keep-going",
            "-q",
            "-E",
            "-b",
            "html",
            "-c",
            str(source / "docs"),
            "-d",
            str(source / ".doctrees"),
        )
        done = subprocess.run([sys.executable, "-m", "sphinx", *words, gathered, str(site)], check=False)  # noqa: S603 - ours
    if done.returncode == 0:
        (site / "index.html").write_text(ENTRANCE, encoding="utf-8")
    return done.returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", nargs="?", type=Path, default=ROOT / "build" / "site", help="folder of the site")
    return build(parser.parse_args().site)


if __name__ == "__main__":
    sys.exit(main())
