"""What an adapter's own source says: imports that it may not have, and findings that nobody wrote words for.

An adapter is pure: it opens no socket and knows no room of ours but those named here. Only its simulator, which is the
partner and not the adapter, may reach outside and use the test kit; of our other rooms it sees no more than the adapter.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.catalogue.manifest import read_yaml
from gateway.errors import Finding

ROOMS = ("documents", "errors", "lifecycle", "mapping", "ports", "syntax")
SIMULATOR_ROOMS = (*ROOMS, "testing")
SIMULATOR = "simulator"
WHOLE = ("gateway", "adapters")  # of these it is the module imported from them that counts
# What would let an adapter reach a disk, a network, another process or the threads of this one.
OUTSIDE_WORLD = frozenset(
    """asyncio ftplib glob http multiprocessing requests select selectors shutil smtplib socket sqlalchemy sqlite3 ssl
    subprocess tempfile threading urllib""".split()  # noqa: SIM905 - a list of names reads better without quotes
)


def findings(adapter_id: str, root: Path, specs: Path) -> Iterator[Finding]:
    """What its source says: imports that an adapter may not have, and finding codes without words."""
    texts = _texts(specs, root)
    for path in sorted(root.glob("*.py")):
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError) as problem:
            yield _finding(
                adapter_id, "catalogue.adapter.broken", path.name, found=f"{type(problem).__name__}: {problem}"
            )
            continue
        for name in _forbidden_imports(tree, adapter_id, simulator=path.stem == SIMULATOR):
            yield _finding(adapter_id, "catalogue.import", path.name, found=name)
        for code in _finding_codes(tree):
            if not _has_words(texts.get(code)):
                yield _finding(adapter_id, "catalogue.texts", path.name, found=code, expected="findings.yaml")


def _forbidden_imports(tree: ast.Module, adapter_id: str, *, simulator: bool) -> Iterator[str]:
    rooms = SIMULATOR_ROOMS if simulator else ROOMS
    for name in imported(tree, f"adapters.{adapter_id}"):
        first, _, rest = name.partition(".")
        room = rest.split(".")[0]
        of_ours = (first == "gateway" and room not in rooms) or (first == "adapters" and room != adapter_id)
        plays = name.startswith(f"adapters.{adapter_id}.{SIMULATOR}")
        if of_ours or (not simulator and (first in OUTSIDE_WORLD or plays)):
            yield name


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Every module that a module of package imports, in full; ``from gateway import x`` is gateway.x."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: -(node.level - 1) or None] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names) if base in WHOLE else (base,)


def _finding_codes(tree: ast.Module) -> set[str]:
    """The codes written as first argument, or as ``code=``, of Finding(...), and those of numbered rules."""
    codes = set(_rule_codes(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
            arguments = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "code")]
            codes |= {
                part.value for part in arguments if isinstance(part, ast.Constant) and isinstance(part.value, str)
            }
    return codes


def _rule_codes(tree: ast.Module) -> Iterator[str]:
    """``@BOOK.rule(number, name, ...)`` in a module with ``BOOK = Book(family)``: family.name."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    families = [call.args[:1] for call in calls if _called(call) == "Book"]
    names = [call.args[1:2] for call in calls if _called(call) == "rule"]
    return (f"{family}.{name}" for family in _constants(families) for name in _constants(names))


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "id", getattr(call.func, "attr", "")))


def _constants(arguments: Iterable[list[ast.expr]]) -> list[str]:
    return [str(part.value) for parts in arguments for part in parts if isinstance(part, ast.Constant)]


def _texts(specs: Path, root: Path) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for path in [*sorted((specs / "findings").glob("*.yaml")), *root.glob("findings.yaml")]:
        content = read_yaml(path)
        known |= content if isinstance(content, dict) else {}
    return known


def _has_words(row: Any) -> bool:
    return isinstance(row, Mapping) and all(
        isinstance(row.get(language), Mapping) and all(row[language].get(part) for part in ("title", "text", "action"))
        for language in ("en", "zh")
    )


def _finding(adapter_id: str, code: str, place: str, *, found: str, expected: str | None = None) -> Finding:
    return Finding(code, found=found, expected=expected, partner_place=place, params={"adapter": adapter_id})
