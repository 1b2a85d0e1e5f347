"""Every book of numbered rules, whoever's it is: its rows in specs/rules, the places it names, and an operator's word."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from gateway import documents
from gateway.documents.library import BOOKS
from gateway.documents.rules import Book
from gateway.settings import PROJECT_ROOT

ADAPTERS = sorted(path.parent.name for path in (PROJECT_ROOT / "adapters").glob("*/rules.py"))
AREAS: dict[str, list[Book[Any]]] = {
    "documents": list(BOOKS),
    **{name: [importlib.import_module(f"adapters.{name}.rules").BOOK] for name in ADAPTERS},
}


@pytest.fixture(scope="module")
def library() -> documents.Documents:
    return documents.load(PROJECT_ROOT / "specs")


@pytest.mark.parametrize("area", AREAS)
def test_every_rule_has_a_row_with_a_source_and_every_row_a_rule(library: documents.Documents, area: str) -> None:
    rows = {number: row for number, row in library.rules_data.rows.items() if row.area == area}
    assert set(rows) == {number for book in AREAS[area] for number in book.rules}
    assert [number for number, row in rows.items() if not row.source] == []


def test_no_number_is_given_by_two_books() -> None:
    numbers = [number for books in AREAS.values() for book in books for number in book.rules]
    assert len(numbers) == len(set(numbers)) > 50


@pytest.mark.parametrize("area", AREAS)
def test_the_places_that_a_row_names_are_places_of_its_documents(library: documents.Documents, area: str) -> None:
    astray = [
        f"{number} {pointer}"
        for book in AREAS[area]
        for number, rule in book.rules.items()
        for pointer in library.rules_data.row(number).pointers
        if "**" not in pointer and not any(library.has_place(kind, pointer.replace("*", "0")) for kind in rule.kinds)
    ]
    assert astray == []


@pytest.mark.parametrize("area", AREAS)
def test_an_operator_switches_off_every_rule_of_an_area(area: str, tmp_path: Path) -> None:
    """Without a release: by one file of the overlay."""
    numbers = [number for book in AREAS[area] for number in book.rules]
    (tmp_path / "rules").mkdir()
    off = "".join(f"  {number}: {{enabled: false}}\n" for number in numbers)
    (tmp_path / "rules" / "ours.yaml").write_text(f"rules:\n{off}", encoding="utf-8")
    data = documents.load(PROJECT_ROOT / "specs", tmp_path).rules_data
    assert not any(data.row(number).enabled for number in numbers)
    others = [row for row in data.rows.values() if row.area != area]
    assert all(row.enabled for row in others)
