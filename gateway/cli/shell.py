"""What every command prints, and how: tables for people, JSON for programs, findings in words of the reader's language.

Results go to standard output, everything said about them to standard error, so that output can be piped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from gateway.catalogue import Catalogue
    from gateway.errors import Finding, GatewayError
    from gateway.pipeline.telling import Telling
    from gateway.settings import Settings
    from gateway.texts import Texts

EXIT_REFUSED = 1
EXIT_DIFFERENT = 2
EXIT_USAGE = 3

UNFOLDED = 10_000  # columns

HEADINGS = {
    "en": ("What", "Where", "Found", "Expected", "What to do"),
    "zh": ("问题", "位置", "实际值", "要求", "处理办法"),
}


@dataclass
class Shell:
    """One call of swgate. lang: ``en`` or ``zh``."""

    lang: str = "en"

    @classmethod
    def of_environment(cls, environ: Mapping[str, str]) -> Shell:
        """The language that POSIX says counts: the first of LC_ALL, LC_MESSAGES and LANG that is set."""
        told = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
        return cls("zh" if told.lower().startswith("zh") else "en")

    @cached_property
    def settings(self) -> Settings:
        from gateway import settings

        return settings.load()

    @cached_property
    def catalogue(self) -> Catalogue:
        from gateway.catalogue import Catalogue

        return Catalogue.load(self.settings)

    @cached_property
    def telling(self) -> Telling:
        """Puts entries of the timeline, and instants, into words."""
        from gateway.pipeline.telling import Telling

        return Telling.load(self.settings.specs, self._texts, self.settings.time_zone)

    def show_json(self, value: Any) -> None:
        click.echo(json.dumps(value, ensure_ascii=False, indent=2))

    def show_table(self, headings: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
        console_for(sys.stdout).print(_table(headings, rows, title))

    def say(self, text: str) -> None:
        """A word about the work, to standard error."""
        click.echo(text, err=True)

    def tell(self, text: str) -> None:
        """A word about a process that runs for long: a line of its log."""
        from gateway.watch import logs

        logs.LOG.info(text)

    def show_error(self, error: GatewayError) -> None:
        """An error in words: its findings, or where they say nothing more, itself."""
        self.say(f"{error.code}: {self._headline(error)}")
        self.show_findings(error.findings)

    def _headline(self, error: GatewayError) -> str:
        """What happened, in the reader's language: the titles of the findings, each once; a detail is English and for programs."""
        titles = dict.fromkeys(self.words(finding)["title"] for finding in error.findings)
        first, *others = titles
        return f"{first} (+{len(others)})" if others else first

    def show_findings(self, findings: Iterable[Finding], *, title: str = "") -> None:
        """Findings as a table on standard error: what, where, found, expected, what to do."""
        rows = [self._finding_row(finding) for finding in findings]
        if rows:
            console_for(sys.stderr).print(_table(HEADINGS[self.lang], rows, title))

    def findings_as_json(self, findings: Iterable[Finding]) -> list[dict[str, Any]]:
        """Findings for programs, with their words in the reader's language."""
        return [{**self._localised(finding).as_dict(), **self.words(finding)} for finding in findings]

    def words(self, finding: Finding) -> dict[str, str]:
        """title, text and action of a finding in the reader's language."""
        return self._texts.render(finding, self.lang)

    def _localised(self, finding: Finding) -> Finding:
        return self._texts.localised(finding, self.lang)

    @cached_property
    def _texts(self) -> Texts:
        from gateway import texts
        from gateway.errors import NeedsOperator
        from gateway.settings import PROJECT_ROOT

        for root in (self._specs_root, PROJECT_ROOT):
            try:
                return texts.load(root, self._overlay)
            except NeedsOperator:
                continue
        # Even a broken catalogue must not keep anybody from reading what is wrong: codes and values are left.
        return texts.Texts({})

    @property
    def _overlay(self) -> Path | None:
        """What the operator adds; nothing where the settings themselves are what is wrong."""
        from gateway.errors import NeedsOperator

        try:
            return self.settings.overlay
        except NeedsOperator:
            return None

    @property
    def _specs_root(self) -> Path:
        """The folder that holds specs/ and adapters/; ours where the settings themselves are what is wrong."""
        from gateway.errors import NeedsOperator
        from gateway.settings import PROJECT_ROOT

        try:
            return self.settings.specs.parent
        except NeedsOperator:
            return PROJECT_ROOT

    def _finding_row(self, finding: Finding) -> tuple[str, ...]:
        words, finding = self.words(finding), self._localised(finding)
        where = finding.partner_place or finding.pointer or ""
        code = f"{finding.code}, {finding.agreement}" if finding.agreement else finding.code
        return (f"{words['text']}\n{code}", where, finding.found or "", finding.expected or "", words["action"])


def console_for(stream: Any) -> Console:
    """A console as wide as the terminal; where there is none, nothing is folded, so that a line can be searched."""
    from rich.console import Console

    return Console(file=stream, width=None if stream.isatty() else UNFOLDED, highlight=False)


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], title: str) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, show_lines=False, box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        # Text, never markup: values come from partners.
        table.add_row(*(Text(cell) for cell in row))
    return table


def read_json(path: Path | str) -> Any:
    """The JSON in a file, or on standard input for ``-``. A usage error names what is wrong with it."""
    name = str(path)
    data = read_bytes(path)
    try:
        return json.loads(data)
    except ValueError as problem:
        raise click.UsageError(f"{name} is not JSON: {problem}") from problem


def read_bytes(path: Path | str) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as problem:
        raise click.UsageError(f"cannot read {path}: {problem.strerror}") from problem


def write_bytes(data: bytes) -> None:
    """Bytes to standard output, as they are."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
