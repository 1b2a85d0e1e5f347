"""Every finding that the code can make has its words in both languages, and nobody has to guess what a code means."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from gateway import texts
from gateway.settings import PROJECT_ROOT
from gateway.texts import Texts
from tests.house.phrases_of_source import every_text
from tests.house.test_rules import AREAS

CODE = re.compile(r"(?!__)[a-z_]+(\.(?!py$|yaml$|md$|json$)[a-z0-9_]+)+")
SOURCES = sorted(path for top in ("gateway", "adapters") for path in (PROJECT_ROOT / top).rglob("*.py"))


@pytest.fixture(scope="module")
def catalogue() -> Texts:
    return texts.load(PROJECT_ROOT)


def constants(node: ast.AST | None) -> Iterator[str]:
    """The texts that an expression may be: a constant, or either side of a choice."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from constants(node.body)
        yield from constants(node.orelse)


def codes(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every code of a source and its line: what makes a finding is given, what is named ``code``, and what a class is called."""
    for node in ast.walk(tree):
        places: list[ast.AST | None] = []
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            places += [word.value for word in node.keywords if word.arg == "code"]
            if name.lower().endswith(("finding", "fault")):
                places += node.args
        elif isinstance(node, ast.ClassDef):
            places += [
                line.value
                for line in node.body
                if isinstance(line, ast.Assign) and getattr(line.targets[0], "id", "") == "code"
            ]
        for place in places:
            yield from ((code, getattr(place, "lineno", 0)) for code in constants(place) if CODE.fullmatch(code))


def test_every_row_has_title_text_and_action_in_both_languages(catalogue: Texts) -> None:
    assert catalogue.incomplete() == []


def test_every_code_that_the_source_uses_has_a_row(catalogue: Texts) -> None:
    used: dict[str, list[str]] = {}
    for path in SOURCES:
        for code, line in codes(ast.parse(path.read_text(encoding="utf-8"))):
            used.setdefault(code, []).append(f"{path.relative_to(PROJECT_ROOT)}:{line}")
    assert len(used) > 100
    missing = [f"{code} ({used[code][0]})" for code in catalogue.without_row(set(used))]
    assert missing == [], "\n".join(missing)


def test_chinese_words_are_chinese_and_english_words_are_english(catalogue: Texts) -> None:
    """Names of fields and values stay what they are; a whole sentence in the other language is a slip."""
    han = re.compile(r"[\u4e00-\u9fff]")
    rows = catalogue._rows
    assert [code for code, row in rows.items() if not han.search(row["zh"]["title"] + row["zh"]["text"])] == []
    assert [code for code, row in rows.items() if han.search(row["en"]["title"] + row["en"]["text"])] == []


def test_what_was_found_is_told_in_both_languages_or_in_neither(catalogue: Texts) -> None:
    """What was expected may be words of one language; what was found stands in the document itself."""
    named = {
        code: ["{found}" in " ".join(row[language].values()) for language in ("en", "zh")]
        for code, row in catalogue._rows.items()
    }
    assert [code for code, (en, zh) in named.items() if en != zh] == []


def test_every_row_is_of_a_code_that_the_source_can_make(catalogue: Texts) -> None:
    """Written out, put together from a family and its last part, or that of a numbered rule."""
    known = every_text()
    rules = {rule.code for books in AREAS.values() for book in books for rule in book.rules.values()}
    families = [
        re.compile(re.escape(text).replace(r"\{\}", "[a-z_]+"))
        for text in known
        if re.fullmatch(r"[a-z_]+\.([a-z_]+\.)*\{\}(\.[a-z_]+)?", text)
    ]
    idle = [
        code
        for code in catalogue.codes()
        if code not in known | rules and not any(family.fullmatch(code) for family in families)
    ]
    assert idle == []
    assert [code for code in rules if code not in catalogue.codes()] == []
