"""What people did with the gateway by way of console and command line: who, when, from where, what, to what, why, before and after.

Rule 1: a change of accounts and its entry are one commit. What a page does to messages and lanes stands on their timeline in the
        commit of the act itself; the entry here says who sent that form, and what became of it, also where it was refused.
Rule 2: entries are only added; the database refuses all else (gateway.storage.tables).
Rule 3: no entry holds a password, a token or a payload: what is compared before and after are roles, tenants and languages.
"""

from __future__ import annotations

from enum import StrEnum

from gateway.ports import AccountRow, AuditRow, Writing


class Act(StrEnum):
    """source:subject:action, as the timeline names its entries."""

    SIGNED_IN = "account:session:opened"
    SIGN_IN_REFUSED = "account:session:refused"
    SIGNED_OUT = "account:session:closed"
    SIGNED_OUT_EVERYWHERE = "account:sessions:closed"
    ADDED = "account:account:added"
    ROLE_CHANGED = "account:role:changed"
    DISABLED = "account:account:disabled"
    ENABLED = "account:account:enabled"
    PASSWORD_CHANGED = "account:password:changed"  # noqa: S105 - the name of an act
    HABITS_CHANGED = "account:habits:changed"
    FORM_SENT = "console:form:sent"


# (en, zh)
TITLES: dict[Act, tuple[str, str]] = {
    Act.SIGNED_IN: ("Signed in", "登录"),
    Act.SIGN_IN_REFUSED: ("Wrong password", "密码错误"),
    Act.SIGNED_OUT: ("Signed out", "退出"),
    Act.SIGNED_OUT_EVERYWHERE: ("Signed out everywhere", "在所有位置退出"),
    Act.ADDED: ("Account added", "新建账户"),
    Act.ROLE_CHANGED: ("Role changed", "更改角色"),
    Act.DISABLED: ("Account disabled", "停用账户"),
    Act.ENABLED: ("Account enabled", "启用账户"),
    Act.PASSWORD_CHANGED: ("Password changed", "更改密码"),
    Act.HABITS_CHANGED: ("Language or time zone changed", "更改语言或时区"),
    Act.FORM_SENT: ("Form sent", "提交表单"),
}
LONGEST = 500


def title(act: str, lang: str) -> str:
    """What an act is called; one of another version is called by its name."""
    return TITLES[Act(act)][lang == "zh"] if act in set(Act) else act


def told(account: AccountRow | None) -> str:
    """An account as entries show it."""
    if account is None:
        return ""
    facts = [account.role, account.tenant and f"tenant {account.tenant}", account.lang, account.zone]
    return ", ".join([*filter(None, facts), *(["disabled"] if account.disabled else [])])


def note(
    writing: Writing,
    act: Act,
    *,
    at_us: int,
    actor: str,
    address: str = "",
    target: str = "",
    reason: str = "",
    before: str = "",
    after: str = "",
) -> None:
    """Write one entry in the commit of the act."""
    said = (address, act.value, target, reason, before, after)
    writing.add_audit(AuditRow(0, at_us, actor, *(text[:LONGEST] for text in said)))
