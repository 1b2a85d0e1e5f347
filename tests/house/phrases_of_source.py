"""What the source says in prose to whoever reads a finding: every text that may become found, expected or a reason."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from gateway.settings import PROJECT_ROOT

NAMES = frozenset({"expected", "found", "reason"})
SOURCES = sorted(path for top in ("gateway", "adapters") for path in (PROJECT_ROOT / top).rglob("*.py"))
# A conversion tells what it expected by the text of its ValueError.
READING = ("gateway/mapping/", "adapters/")  # elsewhere a reason is why a message waits, no part of a finding
CONVERTING = ("gateway/mapping/conversions.py", "adapters/")


def said() -> dict[tuple[str, str], str]:
    """(found or expected, the text with {} for each value) -> where."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
    places = _places(trees.values())
    heard: dict[tuple[str, str], str] = {}
    for path, tree in trees.items():
        if path.name == "simulator.py":
            continue
        where = path.relative_to(PROJECT_ROOT).as_posix()
        for node in ast.walk(tree):
            for name, value in _given(node, places, raises=where.startswith(CONVERTING)):
                if name == "reason" and not where.startswith(READING):
                    continue
                heading = "found" if name == "found" else "expected"
                for text in _texts(value):
                    heard.setdefault((heading, text), f"{where}:{value.lineno}")
    return heard


def every_text() -> set[str]:
    """Every constant and every template in the source, with {} for each value."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES)
    return {text for tree in trees for node in ast.walk(tree) if isinstance(node, ast.expr) for text in _texts(node)}


def _places(trees: Iterable[ast.Module]) -> dict[str, set[tuple[int, str]]]:
    """Function or class -> positions of its parameters that are called found, expected or reason."""
    known: dict[str, set[tuple[int, str]]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            if isinstance(node, ast.FunctionDef):
                names = [each.arg for each in node.args.args]
                names = names[1:] if names[:1] in (["self"], ["cls"]) else names
            else:
                fields = [part.target for part in node.body if isinstance(part, ast.AnnAssign)]
                names = [each.id for each in fields if isinstance(each, ast.Name)]
            for position, name in enumerate(names):
                if name in NAMES:
                    known.setdefault(node.name, set()).add((position, name))
    return known


def _given(node: ast.AST, places: dict[str, set[tuple[int, str]]], *, raises: bool) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Call):
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        yield from ((word.arg, word.value) for word in node.keywords if word.arg is not None and word.arg in NAMES)
        yield from ((name, node.args[at]) for at, name in places.get(called, ()) if at < len(node.args))
        if called == "ValueError" and raises:
            yield from (("expected", argument) for argument in node.args[:1])
    elif isinstance(node, ast.Assign):
        yield from ((each.id, node.value) for each in node.targets if isinstance(each, ast.Name) and each.id in NAMES)


def _texts(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in value.values)
    elif isinstance(value, ast.IfExp):
        yield from _texts(value.body)
        yield from _texts(value.orelse)
    elif isinstance(value, ast.BoolOp):
        for part in value.values:
            yield from _texts(part)
