"""A client of types that openapi-typescript makes of the bundle files a declaration and follows it to its end."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.api import bundle

HERE = Path(__file__).parent / "typescript"


def run(*command: str, cwd: Path, timeout_s: float = 90) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(command), cwd=cwd, capture_output=True, text=True, timeout=timeout_s, check=False)


@pytest.fixture(scope="module")
def packages(project_root: Path, unavailable: Callable[[str], None]) -> Path:
    """The folder with the locked packages of npm, installed once a lock and kept in build/."""
    if not (shutil.which("node") and shutil.which("npm")):
        unavailable("node and npm are absent")
    digest = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = project_root / "build" / "clients" / f"typescript-{digest}"
    if not (folder / "complete").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copyfile(HERE / name, folder / name)
        installed = run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)
        if installed.returncode:
            unavailable(f"npm ci cannot install: {installed.stderr[-300:]}")
        (folder / "complete").touch()
    return folder


@pytest.fixture(scope="module")
def compiled(packages: Path, project_root: Path) -> Path:
    """The program of this test, checked against the generated types and compiled."""
    tools = packages / "node_modules" / ".bin"
    contract = str(project_root / "specs" / bundle.BUNDLE)
    generated = run(str(tools / "openapi-typescript"), contract, "-o", str(packages / "contract.d.ts"), cwd=packages)
    assert generated.returncode == 0, generated.stderr
    shutil.copyfile(HERE / "file_and_follow.ts", packages / "file_and_follow.ts")
    made = run(
        str(tools / "tsc"), "--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck", "--lib",
        "es2022,dom", "--outDir", "compiled", "file_and_follow.ts", cwd=packages,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout
    return packages


def test_the_client_files_a_declaration_and_follows_it_to_its_end(compiled: Path, whole_way: Any) -> None:
    document = {**whole_way.declaration, "functional_reference_id": "TYPESCRIPT-CLIENT-1"}
    file = compiled / "declaration.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    ended = run("node", "compiled/file_and_follow.js", whole_way.url, whole_way.key, str(file), cwd=compiled)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {"declaration": "closed", "release": "released", "refused": 422}
