"""A wrong call is told in the language asked for, whichever sentence it is that tells it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.usage import IN_CHINESE
from gateway.phrases import Phrases
from tests.cli.conftest import Swgate

ENGLISH = re.compile(r"\b(?!JSON\b|FILE\b)[A-Za-z]{3,} [a-z]{2,}\b")
REFUSALS = {"UsageError", "BadParameter", "ClickException"}


def sentences(project_root: Path) -> Iterator[str]:
    """What commands say of a wrong call, with 7 for each value."""
    for file in (project_root / "gateway" / "cli").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in REFUSALS:
                yield _with_values(node.args[0])


def _with_values(said: ast.expr) -> str:
    if isinstance(said, ast.JoinedStr):
        return "".join(map(_part, said.values))
    assert isinstance(said, ast.Constant)
    return str(said.value)


def _part(part: ast.expr) -> str:
    if isinstance(part, ast.FormattedValue):
        return "'7'" if part.conversion == ord("r") else "7"
    return _with_values(part)


def test_every_sentence_of_a_command_has_a_row(project_root: Path) -> None:
    known = Phrases({phrase: {"zh": words} for phrase, words in IN_CHINESE.items()})
    said = list(sentences(project_root))
    assert len(said) > 15
    assert [sentence for sentence in said if known.read(sentence, "zh") == sentence] == []


CALLS = {
    "an argument is missing": (("submit",), "缺少 'FILE'"),
    "no such command": (("submti",), "没有命令 'submti'"),
    "no such option": (("migrate", "--fly"), "没有选项 --fly"),
    "no such option in front of the command": (("--fly",), "没有选项 --fly"),
    "an option without its value": (("messages", "list", "--limit"), "选项 '--limit' 须带一个值"),
    "an option with a value that takes none": (("messages", "list", "--json=1"), "选项 '--json' 不带值"),
    "a number out of its range": (("messages", "list", "--limit", "0"), "应为 1 至 1000 的整数"),
    "a choice that is none": (("submit", "x", "--kind", "y"), "之一"),
    "too many arguments": (("migrate", "a", "b"), "多余的参数：a b"),
    "no such file": (("submit", "/absent.json"), "文件 '/absent.json' 不存在"),
    "no JSON": (("submit", "broken.json"), "broken.json 不是 JSON：第 1 行第 2 列有误"),
    "no object": (("submit", "list.json"), "list.json 中没有 JSON 对象"),
    "half of TLS": (("serve", "--tls-cert", "list.json"), "使用 HTTPS 须同时给出 --tls-cert 和 --tls-key"),
    "no TLS": (("serve", "--tls-cert", "list.json", "--tls-key", "list.json"), "list.json 无法使用：OpenSSL"),
    "an address without a key": (("submit", "object.json", "--url", "http://localhost"), "使用 --url 时须给出 --key"),
    "no adapter id": (("adapters", "new", "Bad-Id"), "不能用作适配器编号"),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_wrong_call_is_told_in_chinese_only(
    swgate: Swgate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    for name, content in (("broken", "{"), ("list", "[]"), ("object", "{}")):
        (tmp_path / f"{name}.json").write_text(content)
    monkeypatch.chdir(tmp_path)
    words, told = CALLS[call]
    outcome = swgate("--lang", "zh", *words)
    assert outcome.code == 3
    assert told in outcome.err
    *around, said = outcome.err.splitlines()
    assert ENGLISH.findall(said) == []
    assert re.findall("Usage|Try|OPTIONS|ARGS", " ".join(around)) == []
    english = swgate(*words)
    assert english.code == 3
    assert english.err.isascii()


def test_the_language_is_known_also_where_it_is_written_as_one_word(swgate: Swgate) -> None:
    assert "没有选项 --fly" in swgate("--lang=zh", "--fly").err
    assert "No such option" in swgate("--lang", "en", "migrate", "--fly").err
