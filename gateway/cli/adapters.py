"""``swgate adapters``: what adapters there are, whether their folders are whole, and a new one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from gateway.catalogue import Entry
from gateway.catalogue.manifest import ADAPTER_ID
from gateway.cli import LazyGroup
from gateway.cli.shell import EXIT_REFUSED, Shell
from gateway.errors import Finding, GatewayError

COMMANDS: dict[str, tuple[str, str]] = {
    "list": ("gateway.cli.adapters:list_adapters", "List the adapters of this installation."),
    "check": ("gateway.cli.adapters:check", "Check the folder of one adapter, or of all."),
    "new": ("gateway.cli.adapters:new", "Make the folder of a new adapter that passes check."),
    "decode": ("gateway.cli.translate:decode", "Read a partner message and print it as a document."),
    "encode": ("gateway.cli.translate:encode", "Write a document as the partner's message."),
    "roundtrip": ("gateway.cli.translate:roundtrip", "Decode, encode again, compare; one line a file."),
    "docs": ("gateway.cli.pages:docs", "Write the generated pages of the documentation."),
}

HEADINGS = {
    "en": ("Id", "Title", "Versions", "Direction", "Documents", "Transports", "Status"),
    "zh": ("编号", "名称", "版本", "方向", "单证", "通道", "状态"),
}


@click.group(cls=LazyGroup, commands_by_name=COMMANDS)
def adapters() -> None:
    """List, check, make and try adapters."""


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_adapters(shell: Shell, as_json: bool) -> int:
    """List the adapters of this installation. Exit code 1 when a manifest cannot be read."""
    entries = list(shell.catalogue.entries.values())
    rows = [_facts(entry) for entry in entries]
    if as_json:
        shell.show_json(rows)
    else:
        shell.show_table(HEADINGS[shell.lang], (_row(facts, shell.lang) for facts in rows))
    return EXIT_REFUSED if any("fault" in facts for facts in rows) else 0


@click.command()
@click.argument("adapter_id", metavar="[ID]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def check(shell: Shell, adapter_id: str | None, as_json: bool) -> int:
    """Check the folder of one adapter, or of all. Exit code 1 when anything is wrong."""
    ids = [adapter_id] if adapter_id else list(shell.catalogue.entries)
    results = {name: shell.catalogue.check(name) for name in ids}
    if as_json:
        shell.show_json({name: shell.findings_as_json(findings) for name, findings in results.items()})
    else:
        _show_results(shell, results.items())
    return EXIT_REFUSED if any(results.values()) else 0


@click.command()
@click.argument("adapter_id", metavar="ID")
@click.pass_obj
def new(shell: Shell, adapter_id: str) -> int:
    """Make the folder of a new adapter, with an element table in specs/, that passes check."""
    from gateway.cli import scaffold

    if not re.fullmatch(ADAPTER_ID, adapter_id):
        raise click.UsageError(f"{adapter_id!r} is no adapter id: use a-z, 0-9 and single _, e.g. mn_rail_manifest")
    for path in scaffold.write(adapter_id, shell.settings.adapters, shell.settings.specs):
        click.echo(_seen_from_here(path))
    return 0


def _facts(entry: Entry) -> dict[str, Any]:
    try:
        return entry.manifest.as_dict()
    except GatewayError as problem:
        return {"id": entry.id, "fault": [finding.as_dict() for finding in problem.findings]}


def _row(facts: dict[str, Any], lang: str) -> tuple[str, ...]:
    if "fault" in facts:
        broken = {"en": "manifest is wrong: swgate adapters check", "zh": "清单有误：swgate adapters check"}[lang]
        return (facts["id"], broken, "", "", "", "", "")
    documents = sorted({*facts["files"], *facts["understands"]})
    return (
        facts["id"],
        facts["title"][lang],
        ", ".join(facts["versions"]),
        facts["direction"],
        ", ".join(documents),
        ", ".join(facts["transports"]),
        facts["status"],
    )


def _show_results(shell: Shell, results: Iterable[tuple[str, list[Finding]]]) -> None:
    right, wrong = {"en": ("right", "{} findings"), "zh": ("通过", "{} 项问题")}[shell.lang]
    for name, findings in results:
        click.echo(f"{name}: {wrong.format(len(findings)) if findings else right}")
        shell.show_findings(findings)


def _seen_from_here(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
