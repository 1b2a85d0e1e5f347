"""The folder of a new adapter: small, but whole, so that it passes check, the contract suite and a round trip at once.

What it writes are the files under templates/: those of adapter/ into the adapters folder, those of specs/ beside the other
element tables, and the rows of its rules into specs/rules. A person then replaces the invented partner by the real one, file by file, with the checks green all the way.
"""

from __future__ import annotations

from pathlib import Path
from string import Template

from gateway.errors import Conflict, Finding

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = ".txt"  # keeps linters, packagers and collectors from taking a template for the thing itself


def write(adapter_id: str, adapters: Path, specs: Path) -> list[Path]:
    """Write both folders and the rows, and return the files. Conflict when one of them exists: nothing is written over."""
    folder, tables, rows = adapters / adapter_id, specs / adapter_id, specs / "rules" / f"{adapter_id}.yaml"
    present = [str(path) for path in (folder, tables, rows) if path.exists()]
    if present:
        finding = Finding("catalogue.adapter.exists", found=", ".join(present), params={"adapter": adapter_id})
        raise Conflict(f"{adapter_id} is there already", [finding], code=finding.code)
    values = {"adapter_id": adapter_id, "title": adapter_id.replace("_", " ").capitalize()}
    return [
        *_fill(TEMPLATES / "specs", tables, values),
        *_fill(TEMPLATES / "adapter", folder, values),
        _write(TEMPLATES / f"rules.yaml{SUFFIX}", rows, values),
    ]


def _fill(source: Path, target: Path, values: dict[str, str]) -> list[Path]:
    return [
        _write(template, target / template.relative_to(source).as_posix().removesuffix(SUFFIX), values)
        for template in sorted(source.rglob(f"*{SUFFIX}"))
    ]


def _write(template: Path, path: Path, values: dict[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(Template(template.read_text(encoding="utf-8")).substitute(values), encoding="utf-8")
    return path
