"""What --help prints, in the reader's language: click's page, in Chinese where Chinese is read.

The words stand in help.zh.yaml, one row for each English text of the source. click folds lines at blanks and counts signs; Chinese
has no blanks, and its signs are two columns wide, so lines are folded here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import click

from gateway.cli.shell import Shell

ROWS = Path(__file__).parent / "help.zh.yaml"
# What click writes for words that the caller chooses, and of what an option takes.
PLACEHOLDERS = {
    "[OPTIONS]": "[选项]",
    "COMMAND [ARGS]...": "命令 [参数]...",
    "INTEGER RANGE": "整数",
    "INTEGER": "整数",
    "TEXT": "文本",
    "DIRECTORY": "文件夹",
}
_EXTRA = {"required": "必填", "default: ": "默认 "}
_WITH_EXTRA = re.compile(r"(?P<text>.*?)\s*(?P<extra>\[[^\[\]]*\])?", re.DOTALL)
# Pieces that stay on one line: a word of Latin letters, or one sign with the stops behind it.
_PIECES = re.compile(r"[!-~]+[，。；：、）]*|\s+|.[，。；：、）]*")
_NARROWEST = 20  # columns


class ReadersContext(click.Context):
    """A call whose help is read in the language of its shell."""

    def make_formatter(self) -> click.HelpFormatter:
        plain = super().make_formatter()
        shell = self.find_object(Shell)
        return ChineseFormatter(width=plain.width) if shell is not None and shell.lang == "zh" else plain


class ChineseFormatter(click.HelpFormatter):
    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, placeholders_read(args), read("Usage:"))

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':{self.current_indent}}{read(heading)}：\n")

    def write_text(self, text: str) -> None:
        for line in folded(read(text), self.width - self.current_indent):
            self.write(f"{'':{self.current_indent}}{line}\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        named = [(placeholders_read(name), _said(text)) for name, text in rows]
        column = min(max(columns(name) for name, _ in named), col_max) + col_spacing
        left = max(self.width - self.current_indent - column, _NARROWEST)
        for name, text in named:
            first, *others = folded(text, left) or [""]
            gap = column - columns(name)
            self.write(f"{'':{self.current_indent}}{name}")
            self.write(
                f"{'':{gap}}{first}\n" if gap >= col_spacing else f"\n{'':{self.current_indent + column}}{first}\n"
            )
            for line in others:
                self.write(f"{'':{self.current_indent + column}}{line}\n")


@cache
def rows() -> dict[str, str]:
    """English -> Chinese."""
    import yaml  # for readers of Chinese help only

    found: dict[str, str] = yaml.safe_load(ROWS.read_text(encoding="utf-8"))
    return found


def read(text: str) -> str:
    """A text of the help in Chinese; as it stands where it has no row."""
    return rows().get(" ".join(text.split()), text)


def placeholders_read(text: str) -> str:
    for word, words in PLACEHOLDERS.items():
        text = re.sub(rf"(?<![A-Z]){re.escape(word)}(?![A-Z])", words, text)
    return text


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def folded(text: str, width: int) -> list[str]:
    """The text in lines that are at most so many columns wide, unless one word alone is wider."""
    lines, line = [], ""
    for piece in _PIECES.findall(text):
        if line and columns(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return [*lines, line] if line else lines


def _said(text: str) -> str:
    """What an option is for, and what click adds to it: whether it must be given, its default, its range."""
    match = _WITH_EXTRA.fullmatch(text)
    if match is None or match["extra"] is None:
        return read(text)
    extra = match["extra"]
    for word, words in _EXTRA.items():
        extra = extra.replace(word, words)
    return f"{read(match['text'])}  {extra}".lstrip()
