"""The console's accounts: who may sign in, in which role, and every change of that.

Rule 1: each change has somebody who did it and a reason, and stands in the audit in the same commit (gateway.console.audit).
Rule 2: whose role, tenant or password changes is signed out everywhere: no session outlives what it was opened with.
Rule 3: operators and administrators belong to the gateway and see all tenants; a viewer may belong to one tenant and sees that alone.
Rule 4: there is always somebody left who may mend accounts: the last administrator is neither disabled nor made less.
All faults of one call are told at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from gateway import ids, settings
from gateway.console import audit, passwords, tries
from gateway.console.audit import Act
from gateway.console.safety import Role
from gateway.errors import Conflict, Finding, NotFound, RuleBroken
from gateway.ports import AccountRow, Store, Writing

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
LANGUAGES = ("", "en", "zh")
ROLES = tuple(role.value for role in Role if role is not Role.NOBODY)


@dataclass(frozen=True, slots=True)
class Doer:
    """Who changes accounts, from where, and why."""

    actor: str
    reason: str
    address: str = ""


class Accounts:
    """Accounts of one gateway. tenants: the ids that the partners file knows."""

    def __init__(self, store: Store, tenants: Iterable[str], clock: Callable[[], int] = ids.now_us) -> None:
        self._store = store
        self._tenants = set(tenants)
        self._clock = clock

    def every(self) -> list[AccountRow]:
        with self._store.read() as reading:
            return reading.accounts()

    def add(
        self,
        name: str,
        password: str,
        doer: Doer,
        *,
        role: str,
        tenant: str = "",
        lang: str = "",
        zone: str = "",
        must_change: bool = False,
    ) -> AccountRow:
        """Make an account. RuleBroken names every fault, Conflict a name that is taken."""
        now, name = self._clock(), folded(name)
        found = [*self._faults(role, tenant, lang, zone), *passwords.faults(password, name), *_unreasoned(doer)]
        if not NAME.fullmatch(name):
            found.insert(0, Finding("console.account.name", found=name[:40]))
        _refuse(found)
        row = AccountRow(name, role, tenant, passwords.kept(password), lang, zone, must_change, False, now, now)

        def unit(writing: Writing) -> None:
            if writing.account(name) is not None:
                finding = Finding("console.account.taken", found=name)
                raise Conflict("there is such an account", [finding], code=finding.code)
            self._write(writing, Act.ADDED, None, row, doer)

        self._store.write(unit)
        return row

    def set_role(self, name: str, role: str, tenant: str, doer: Doer) -> AccountRow:
        """Give another role, or bind a viewer to another tenant."""
        _refuse([*self._faults(role, tenant), *_unreasoned(doer)])
        return self._change(name, Act.ROLE_CHANGED, doer, lambda row: replace(row, role=role, tenant=tenant))

    def set_disabled(self, name: str, disabled: bool, doer: Doer) -> AccountRow:
        _refuse(_unreasoned(doer))
        act = Act.DISABLED if disabled else Act.ENABLED
        return self._change(name, act, doer, lambda row: replace(row, disabled=disabled))

    def set_password(self, name: str, password: str, doer: Doer, *, must_change: bool) -> AccountRow:
        """Give another password, also where wrong ones have locked the account."""
        _refuse([*passwords.faults(password, folded(name)), *_unreasoned(doer)])
        kept = passwords.kept(password)
        change = lambda row: replace(row, password=kept, must_change=must_change)  # noqa: E731
        return self._change(name, Act.PASSWORD_CHANGED, doer, change)

    def set_habits(self, name: str, lang: str, zone: str, doer: Doer) -> AccountRow:
        """Language and time zone; no reason is asked, and nobody is signed out for them."""
        _refuse(self._faults(Role.VIEWER, "", lang, zone))
        return self._change(
            name, Act.HABITS_CHANGED, doer, lambda row: replace(row, lang=lang, zone=zone), keep_signed_in=True
        )

    def sign_out(self, name: str, doer: Doer) -> None:
        """End every session of an account."""
        self._change(name, Act.SIGNED_OUT_EVERYWHERE, doer, lambda row: row)

    def _change(
        self,
        name: str,
        act: Act,
        doer: Doer,
        change: Callable[[AccountRow], AccountRow],
        *,
        keep_signed_in: bool = False,
    ) -> AccountRow:
        name = folded(name)

        def unit(writing: Writing) -> AccountRow:
            before = writing.account(name)
            if before is None:
                finding = Finding("console.account.unknown", found=name[:40])
                raise NotFound("no such account", [finding], code=finding.code)
            after = replace(change(before), changed_us=self._clock())
            if _rules(before) and not _rules(after) and not any(_rules(row) for row in _others(writing, name)):
                finding = Finding("console.account.last", found=name)
                raise Conflict("the last administrator", [finding], code=finding.code)
            self._write(writing, act, before, after, doer)
            if act is Act.PASSWORD_CHANGED:
                tries.unlock(writing, name)
            if not keep_signed_in:
                writing.end_sessions(name)
            return after

        return self._store.write(unit)

    def _write(self, writing: Writing, act: Act, before: AccountRow | None, after: AccountRow, doer: Doer) -> None:
        writing.put_account(after)
        told = {"before": audit.told(before), "after": audit.told(after)}
        audit.note(
            writing,
            act,
            at_us=after.changed_us,
            actor=doer.actor,
            address=doer.address,
            target=after.name,
            reason=doer.reason,
            **(told if told["before"] != told["after"] else {}),
        )

    def _faults(self, role: str, tenant: str, lang: str = "", zone: str = "") -> list[Finding]:
        found = []
        if role not in ROLES:
            found.append(Finding("console.account.role", found=role[:40], expected=", ".join(ROLES)))
        if tenant and tenant not in self._tenants:
            found.append(Finding("console.account.tenant", found=tenant[:40]))
        elif tenant and role != Role.VIEWER:
            found.append(Finding("console.account.bound", found=role[:40]))
        if lang not in LANGUAGES:
            found.append(Finding("console.account.language", found=lang[:40], expected="en, zh"))
        if zone:
            try:
                settings.zone_of(zone)
            except ValueError:
                found.append(Finding("console.account.zone", found=zone[:40]))
        return found


def folded(name: str) -> str:
    """A name as it is kept: however it was typed, A-Z are a-z."""
    return name.strip().lower()


def _rules(row: AccountRow) -> bool:
    return row.role == Role.ADMINISTRATOR and not row.disabled


def _others(writing: Writing, name: str) -> list[AccountRow]:
    return [row for row in writing.accounts() if row.name != name]


def _unreasoned(doer: Doer) -> list[Finding]:
    return [] if doer.reason.strip() else [Finding("console.reason")]


def _refuse(found: list[Finding]) -> None:
    if found:
        raise RuleBroken("the account cannot be so", found, code=found[0].code)
