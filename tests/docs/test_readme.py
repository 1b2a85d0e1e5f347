"""The README in Chinese says what the README says: same headings, same commands, same blocks, same links."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT

ENGLISH, CHINESE = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HAN = re.compile(r"[\u4e00-\u9fff]")


def prose(page: str) -> str:
    return FENCED.sub("", page)


def headings(page: str) -> list[str]:
    return re.findall(r"^(#+) ", prose(page), re.MULTILINE)


def rows(page: str) -> int:
    return len(re.findall(r"^\|", prose(page), re.MULTILINE))


def paragraphs(page: str) -> int:
    return len(re.findall(r"\n{2,}(?=[^\n])", prose(page).strip()))


def test_both_have_the_same_blocks_of_code_to_the_letter() -> None:
    assert FENCED.findall(ENGLISH) == FENCED.findall(CHINESE)
    assert len(FENCED.findall(ENGLISH)) >= 4


@pytest.mark.parametrize("count", [headings, rows, paragraphs], ids=lambda count: count.__name__)
def test_both_have_the_same_headings_rows_and_paragraphs(count) -> None:
    assert count(ENGLISH) == count(CHINESE)


def test_both_name_the_same_commands_and_settings() -> None:
    said = [sorted(set(re.findall(r"`([^`\n]+)`", prose(page)))) for page in (ENGLISH, CHINESE)]
    assert said[0] == said[1]


def test_both_lead_to_the_same_pages_and_to_each_other() -> None:
    links = [set(re.findall(r"\]\(([^)\s]+)\)", prose(page))) for page in (ENGLISH, CHINESE)]
    assert links[0] - links[1] == {"README.zh-CN.md"}
    assert links[1] - links[0] == {"README.md"}


def test_every_heading_and_row_of_the_chinese_one_is_chinese() -> None:
    lines = re.findall(r"^(?:#+ .+|\| .+)$", prose(CHINESE), re.MULTILINE)
    assert [line for line in lines if not HAN.search(line)] == []


def test_it_is_read_within_ten_minutes() -> None:
    assert len(ENGLISH.split()) <= 10 * 200
