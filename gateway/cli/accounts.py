"""``swgate accounts`` and ``swgate audit``: who may sign in to the console, and what people did.

A password never stands on a command line: it is asked for at the terminal, read as the first line of standard input where that is
none, or made and shown once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from gateway.cli import LazyGroup
from gateway.cli.acts import because
from gateway.cli.shell import Shell

if TYPE_CHECKING:
    from gateway.console.accounts import Accounts, Doer
    from gateway.ports import AccountRow, Store

COMMANDS = {
    "add": ("gateway.cli.accounts:add", "Make an account."),
    "list": ("gateway.cli.accounts:list_accounts", "List accounts: role, tenant, and whether they may sign in."),
    "passwd": ("gateway.cli.accounts:passwd", "Give an account another password; unlocks it."),
    "disable": ("gateway.cli.accounts:disable", "Let an account sign in no more."),
    "enable": ("gateway.cli.accounts:enable", "Let a disabled account sign in again."),
    "roles": ("gateway.cli.accounts:roles", "Give an account another role or tenant."),
}
HEADINGS = {
    "en": ("Account", "Role", "Tenant", "Language", "Zone", "May sign in", "Changed"),
    "zh": ("账户", "角色", "租户", "语言", "时区", "可登录", "更改时间"),
}
AUDIT = {
    "en": ("When", "Who", "Address", "What", "About", "Reason", "Before", "After"),
    "zh": ("时间", "操作方", "地址", "事项", "对象", "原因", "更改前", "更改后"),
}
WORDS = {
    "en": {
        "password": "Password",
        "again": "Once more",
        "once": "This password is shown once:",
        "yes": "yes",
        "no": "no",
    },
    "zh": {"password": "密码", "again": "再次输入", "once": "此密码仅显示一次：", "yes": "是", "no": "否"},
}
ROLES = ("viewer", "operator", "administrator")

generate_option = click.option("--generate", is_flag=True, help="Make a password, show it once, have it changed.")
tenant_option = click.option("--tenant", default="", help="The one tenant that a viewer sees; otherwise all.")


@click.group(cls=LazyGroup, commands_by_name=COMMANDS)
def accounts() -> None:
    """Say who may sign in to the console."""


@click.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the account may do.")
@tenant_option
@click.option("--language", type=click.Choice(("en", "zh")), default=None, help="Language of its pages.")
@click.option("--zone", default="", help="Its time zone: +08:00, or a name such as Asia/Ulaanbaatar.")
@generate_option
@because
@click.pass_obj
def add(
    shell: Shell, name: str, role: str, tenant: str, language: str | None, zone: str, generate: bool, why: str
) -> int:
    """Make an account. Its password is asked for, or read as the first line of standard input."""
    password = _password(shell, generate)
    with _changing(shell) as accounts:
        accounts.add(
            name,
            password,
            _doer(why),
            role=role,
            tenant=tenant,
            lang=language or "",
            zone=zone,
            must_change=generate,
        )
    _show_once(shell, password, generate)
    return 0


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_accounts(shell: Shell, as_json: bool) -> int:
    """List accounts: role, tenant, and whether they may sign in."""
    with _changing(shell) as accounts:
        rows = accounts.every()
    if as_json:
        # Everything but the password's hash.
        shell.show_json([{k: v for k, v in asdict(row).items() if k != "password"} for row in rows])
    else:
        shell.show_table(HEADINGS[shell.lang], (_row(shell, row) for row in rows))
    return 0


def _row(shell: Shell, row: AccountRow) -> tuple[str, ...]:
    may = WORDS[shell.lang]["no" if row.disabled else "yes"]
    return (row.name, row.role, row.tenant, row.lang, row.zone, may, shell.telling.when(row.changed_us))


@click.command()
@click.argument("name")
@generate_option
@because
@click.pass_obj
def passwd(shell: Shell, name: str, generate: bool, why: str) -> int:
    """Give an account another password, end its sessions, and let it be tried again where wrong passwords have locked it."""
    password = _password(shell, generate)
    with _changing(shell) as accounts:
        accounts.set_password(name, password, _doer(why), must_change=generate)
    _show_once(shell, password, generate)
    return 0


@click.command()
@click.argument("name")
@because
@click.pass_obj
def disable(shell: Shell, name: str, why: str) -> int:
    """Let an account sign in no more, and end its sessions."""
    return _change(shell, lambda accounts: accounts.set_disabled(name, True, _doer(why)))


@click.command()
@click.argument("name")
@because
@click.pass_obj
def enable(shell: Shell, name: str, why: str) -> int:
    """Let a disabled account sign in again."""
    return _change(shell, lambda accounts: accounts.set_disabled(name, False, _doer(why)))


@click.command()
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
@tenant_option
@because
@click.pass_obj
def roles(shell: Shell, name: str, role: str, tenant: str, why: str) -> int:
    """Give an account another role or tenant, and end its sessions."""
    return _change(shell, lambda accounts: accounts.set_role(name, role, tenant, _doer(why)))


@click.command()
@click.option("--actor", default="", help="Only what this one did, e.g. console/anna.")
@click.option("--act", default="", help="Only this act, e.g. account:role:changed.")
@click.option("--about", default="", help="Only what was done to this.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many entries.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def audit(shell: Shell, actor: str, act: str, about: str, limit: int, as_json: bool) -> int:
    """Print what people did, newest first: sign-ins, changes of accounts, forms sent to the console."""
    from gateway import ids
    from gateway.console.audit import title

    with _store(shell) as store, store.read() as reading:
        rows = reading.audit(actor=actor, act=act, target=about, limit=limit)
    if as_json:
        shell.show_json([{**asdict(row), "at": ids.to_text(row.at_us)} for row in rows])
        return 0
    shown = (
        (
            shell.telling.when(row.at_us),
            row.actor,
            row.address,
            title(row.act, shell.lang),
            row.target,
            row.reason,
            row.before,
            row.after,
        )
        for row in rows
    )
    shell.show_table(AUDIT[shell.lang], shown)
    return 0


def _change(shell: Shell, change: Callable[[Accounts], Any]) -> int:
    with _changing(shell) as accounts:
        change(accounts)
    return 0


def _doer(why: str) -> Doer:
    from gateway.cli.wiring import actor
    from gateway.console.accounts import Doer

    return Doer(actor(), why)


@contextmanager
def _store(shell: Shell) -> Iterator[Store]:
    from gateway.storage import open_store

    shell.settings.make_home()
    store: Store = open_store(shell.settings)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _changing(shell: Shell) -> Iterator[Accounts]:
    from gateway import agreements
    from gateway.console.accounts import Accounts

    tenants = agreements.load(shell.settings.partners_file).tenants
    with _store(shell) as store:
        yield Accounts(store, tenants)


def _password(shell: Shell, generate: bool) -> str:
    from gateway.console import passwords

    if generate:
        return passwords.made()
    words = WORDS[shell.lang]
    if sys.stdin.isatty():
        typed: str = click.prompt(words["password"], hide_input=True, confirmation_prompt=words["again"], err=True)
        return typed
    return sys.stdin.readline().rstrip("\r\n")


def _show_once(shell: Shell, password: str, generate: bool) -> None:
    """The words to standard error and the password to standard output, so that it can be piped to where it is kept."""
    if generate:
        shell.say(WORDS[shell.lang]["once"])
        click.echo(password)
