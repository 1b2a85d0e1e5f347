"""No log line repeats what an exception says: its text may quote a payload, a value of a declaration, or a secret."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import trace

ROOT = Path(__file__).resolve().parents[2]


def telling_calls(source: str) -> Iterator[int]:
    """Lines that hand a whole exception to a logger: ``.exception(...)``, or ``exc_info=`` other than False."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        shows = any(word.arg == "exc_info" and not _is_false(word.value) for word in node.keywords)
        if node.func.attr == "exception" or shows:
            yield node.lineno


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


@pytest.mark.parametrize("folder", ["gateway", "adapters"])
def test_nothing_logs_an_exception_with_its_text(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in telling_calls(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_check_finds_both_ways_of_telling() -> None:
    planted = "try:\n    go()\nexcept Exception as e:\n    LOG.exception('x')\n    LOG.error('y', exc_info=e)\n"
    assert list(telling_calls(planted)) == [4, 5]


def test_a_trace_says_what_and_where_but_not_what_the_exception_says() -> None:
    def fails() -> None:
        raise ValueError("unit price 4711.00")

    with pytest.raises(ValueError, match="4711") as caught:
        fails()
    told = trace(caught.value)
    assert told.startswith("ValueError at test_logs.py:")
    assert "fails" in told
    assert "4711" not in told
