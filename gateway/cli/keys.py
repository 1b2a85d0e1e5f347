"""``swgate keys``: development keys for trying things out, and what lies in the folder of keys.

Both work on one folder, SWGATE_CERTS unless another is named; its layout is in certs/README.md. No key is ever shown.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.cli import LazyGroup
from gateway.cli.shell import EXIT_REFUSED, Shell
from gateway.errors import Finding, NeedsOperator

COMMANDS: dict[str, tuple[str, str]] = {
    "dev": ("gateway.cli.keys:dev", "Make development keys for the gateway and its partners."),
    "list": ("gateway.cli.keys:list_keys", "List certificates: whose, until when, and what is wrong."),
}
KEY_ENDING = ".key.pem"

HEADINGS = {
    "en": ("File", "Subject", "Until", "Days", "Key", "Problem"),
    "zh": ("文件", "主体", "有效期至", "剩余天数", "私钥", "问题"),
}
# What may be wrong with a file, and what it is called.
PROBLEMS = {
    "unreadable": ("no certificate can be read", "无法读取证书"),
    "not_yet": ("not valid yet", "尚未生效"),
    "expired": ("has ended", "已过期"),
    "open": ("others may read its key", "他人可读取私钥"),
}

folder_option = click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="Folder of keys; otherwise SWGATE_CERTS."
)


@click.group(cls=LazyGroup, commands_by_name=COMMANDS)
def keys() -> None:
    """Make development keys; see what keys and certificates there are."""


@click.command()
@click.argument("partners", metavar="[PARTNER]...", nargs=-1)
@folder_option
@click.pass_obj
def dev(shell: Shell, partners: tuple[str, ...], folder: Path | None) -> int:
    """Make development keys for the gateway and each PARTNER; without any, for those of the partners file.

    One authority, and for each a key of RSA and one of EC to sign with and one to speak TLS with. Their certificates say
    DEVELOPMENT. What is there already is left as it is. Refused where the partners file is of production.
    """
    from gateway.signing.devkeys import make_development_pki

    folder = folder or shell.settings.certs
    members = _members(shell, partners)
    written = make_development_pki(folder, members)
    for path in written:
        click.echo(path)
    shell.say(f"{len(written)} files for gateway{''.join(f', {name}' for name in members)}")
    return 0


def _members(shell: Shell, partners: tuple[str, ...]) -> list[str]:
    """The partners meant, by their ids. A partners file that is not there names none; NeedsOperator for one of production."""
    from marshmallow import ValidationError

    from gateway import agreements

    if not shell.settings.partners_file.exists():
        known: list[str] = []
    else:
        directory = agreements.load(shell.settings.partners_file)
        if directory.environment != "test":
            finding = Finding("keys.development", found=directory.environment, expected="test")
            raise NeedsOperator("development keys have no place in production", [finding], code=finding.code)
        known = list(directory.partners)
    for name in partners:
        try:
            agreements.IDENTIFIER(name)
        except ValidationError as problem:
            raise click.UsageError(f"{name!r} is no partner's id: {'; '.join(map(str, problem.messages))}") from problem
    return list(dict.fromkeys(partners)) or known


@dataclass(frozen=True, slots=True)
class Held:
    """One file of certificates. subject, until, days: of the first; key: whether its private key lies beside it; problem: a
    word of PROBLEMS or ""."""

    file: str
    subject: str = ""
    until: str = ""
    days: int | None = None
    key: bool = False
    problem: str = ""


@click.command("list")
@folder_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_keys(shell: Shell, folder: Path | None, as_json: bool) -> int:
    """List the certificates of the folder. Exit code 1 when one cannot be used, or others may read a key."""
    rows = list(held(folder or shell.settings.certs, datetime.now(UTC)))
    if as_json:
        shell.show_json([asdict(row) for row in rows])
    else:
        shell.show_table(HEADINGS[shell.lang], (_cells(row, shell.lang) for row in rows))
    return EXIT_REFUSED if any(row.problem for row in rows) else 0


def held(folder: Path, now: datetime) -> Iterator[Held]:
    """Every file of certificates below folder, by name. now carries an offset."""
    for path in sorted(folder.rglob("*.pem")):
        if not path.name.endswith(KEY_ENDING):
            yield _look_at(path, path.relative_to(folder).as_posix(), now)


def _look_at(path: Path, name: str, now: datetime) -> Held:
    from cryptography import x509

    key = path.with_name(path.name.removesuffix(".pem") + KEY_ENDING)
    try:
        first = x509.load_pem_x509_certificates(path.read_bytes())[0]
        subject, start, end = first.subject.rfc4514_string(), first.not_valid_before_utc, first.not_valid_after_utc
    except (OSError, ValueError):
        return Held(name, key=key.exists(), problem="unreadable")
    problem = "not_yet" if now < start else "expired" if now > end else "open" if _is_open(key) else ""
    return Held(name, subject, end.isoformat(), (end - now).days, key.exists(), problem)


def _is_open(key: Path) -> bool:
    """Whether anyone but its owner may read the key: the gateway would not open it then."""
    return os.name == "posix" and key.exists() and bool(key.stat().st_mode & 0o077)


def _cells(row: Held, lang: str) -> tuple[str, ...]:
    problem = PROBLEMS[row.problem][lang == "zh"] if row.problem else ""
    yes = {"en": "yes", "zh": "有"}[lang] if row.key else ""
    return (row.file, row.subject, row.until[:10], "" if row.days is None else str(row.days), yes, problem)
