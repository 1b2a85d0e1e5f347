"""--help is read in one language: every text of every command has its Chinese, and no line is wider than the page."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from gateway.cli import group
from gateway.cli.helping import columns, folded, read, rows
from tests.cli.conftest import Swgate

# Names that stay what they are: those of files, of settings, of arguments and of commands.
PROSE = re.compile(r"[a-z]{3,} [a-z]{3,}|\b(?:TEXT|INTEGER|OPTIONS|ARGS|COMMAND|Usage|Options|Commands)\b")


def commands(command: click.Command, context: click.Context, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words of every command that there is."""
    yield words
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, click.Context(inner, parent=context, info_name=name), (*words, name))


def command_of(words: tuple[str, ...]) -> click.Command:
    found: click.Command = group
    for word in words:
        assert isinstance(found, click.Group)
        inner = found.get_command(click.Context(found), word)
        assert inner is not None
        found = inner
    return found


EVERY = list(commands(group, click.Context(group), ()))


def texts() -> Iterator[str]:
    yield from ("Usage:", "Options", "Commands", "Show this message and exit.")
    for words in EVERY:
        command = command_of(words)
        yield command.help or ""
        yield from (one.help or "" for one in command.params if isinstance(one, click.Option))
        for _, text in getattr(command, "commands_by_name", {}).values():
            yield text


def test_every_text_of_the_help_has_its_row_and_every_row_its_text() -> None:
    said = {" ".join(text.split()) for text in texts()}
    assert len(said) > 80
    assert sorted(said - rows().keys()) == []
    assert sorted(rows().keys() - said) == []


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_the_help_of_a_command_is_chinese_where_chinese_is_read(swgate: Swgate, words: tuple[str, ...]) -> None:
    chinese = swgate("--lang", "zh", *words, "--help")
    assert chinese.code == 0
    assert "用法：swgate" in chinese.out
    own = chinese.out.replace("export-", "")
    assert PROSE.findall(re.sub(r"(?m)^用法：.*$|adapters decode", "", own)) == []
    assert max(columns(line) for line in chinese.out.splitlines() if "|" not in line) <= 80
    english = swgate(*words, "--help")
    assert english.code == 0
    assert english.out.isascii()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("收发报文，直到停止。", ["收发", "报", "文，", "直到", "停", "止。"]),
        ("写到 FILE 中", ["写到", "FILE", "中"]),
        ("SWGATE_CERTS", ["SWGATE_CERTS"]),
        ("", []),
    ],
)
def test_lines_are_folded_by_columns_and_a_stop_begins_none(text: str, lines: list[str]) -> None:
    assert folded(text, 5) == lines


def test_what_has_no_row_stays_as_it_is() -> None:
    assert read("Nobody wrote this.") == "Nobody wrote this."
