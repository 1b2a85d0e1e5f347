"""Accounts made at the machine: their passwords never stand on a command line, and every change is in the audit."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest

from gateway.cli import group
from gateway.console import passwords
from gateway.settings import load
from gateway.storage import open_store
from gateway.testing.directory import PartnersFile
from tests.cli.conftest import Swgate

WHY = ("--why", "for the test")
PASSWORD = "four words nobody guesses"


@pytest.fixture(autouse=True)
def partners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = PartnersFile(operator="port").add_tenant("port", key="key-of-the-port", roles=("filer", "operator"))
    monkeypatch.setenv(
        "SWGATE_PARTNERS", str(file.add_tenant("trader", key="key-of-trader").write(tmp_path / "p.yaml"))
    )


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def stored(name: str) -> str:
    store = open_store(load())
    with store.read() as reading:
        row = reading.account(name)
    store.close()
    assert row is not None
    return row.password


def test_an_account_is_made_with_the_password_of_a_pipe_and_listed_without_it(
    swgate: Swgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, f"{PASSWORD}\n")
    assert swgate("accounts", "add", "Anna", "--role", "administrator", *WHY).code == 0
    assert passwords.is_right(stored("anna"), PASSWORD)
    assert stored("anna").startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    listed = swgate("accounts", "list", "--json")
    (row,) = json.loads(listed.out)
    assert (row["name"], row["role"], row["tenant"]) == ("anna", "administrator", "")
    assert "argon2" not in listed.out + swgate("accounts", "list").out


def test_a_generated_password_is_shown_once_and_has_to_be_changed(swgate: Swgate) -> None:
    made = swgate("accounts", "add", "bert", "--role", "viewer", "--tenant", "trader", "--generate", *WHY)
    assert passwords.is_right(stored("bert"), made.out.strip())
    assert json.loads(swgate("accounts", "list", "--json").out)[0]["must_change"] is True
    assert made.out.strip() not in swgate("audit", "--json").out


@pytest.mark.parametrize("password", ["tiny-one", "password1234", "aaaaaaaaaaaaaaaa", "i am anna and you are not"])
def test_a_bad_password_is_refused_in_words_and_not_repeated(
    swgate: Swgate, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    typed(monkeypatch, password)
    refused = swgate("accounts", "add", "anna", "--role", "viewer", *WHY)
    assert refused.code == 1
    assert "console.password." in refused.err
    assert password not in refused.err


def test_every_fault_of_an_account_is_told_at_once(swgate: Swgate, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "short")
    bad = ("--tenant", "nobody", "--zone", "Moon/Crater")
    refused = swgate("accounts", "add", "../x", "--role", "operator", *bad, *WHY).err
    for code in ("console.account.name", "console.account.tenant", "console.account.zone", "console.password.length"):
        assert code in refused


def test_the_last_administrator_stays_and_every_change_is_audited_with_who_and_why(
    swgate: Swgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, PASSWORD)
    assert swgate("accounts", "add", "anna", "--role", "administrator", *WHY).code == 0
    assert "console.account.last" in swgate("accounts", "disable", "anna", *WHY).err
    assert "console.account.last" in swgate("accounts", "roles", "anna", "viewer", *WHY).err
    swgate("accounts", "add", "bert", "--role", "administrator", "--generate", *WHY)
    assert swgate("accounts", "roles", "anna", "viewer", "--tenant", "trader", "--why", "went to the trader").code == 0
    assert swgate("accounts", "disable", "anna", *WHY).code == 0
    assert swgate("accounts", "enable", "anna", *WHY).code == 0
    acts = json.loads(swgate("audit", "--about", "anna", "--json").out)
    assert [row["act"].split(":", 1)[1] for row in acts] == [
        "account:enabled",
        "account:disabled",
        "role:changed",
        "account:added",
    ]
    changed = acts[2]
    assert re.fullmatch(r"swgate(:\w+)?", changed["actor"])
    assert (changed["reason"], changed["before"], changed["after"]) == (
        "went to the trader",
        "administrator",
        "viewer, tenant trader",
    )
    assert "went to the trader" in swgate("audit").out


def test_no_option_of_these_commands_takes_a_password() -> None:
    accounts = group.commands_by_name["accounts"]
    assert accounts
    from gateway.cli import accounts as module

    for command in (module.add, module.passwd):
        assert not [one.name for one in command.params if "password" in (one.name or "")]
