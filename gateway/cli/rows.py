"""What the commands show of stored things: the members for programs, and a row of words for people, in their language and zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.cli.shell import Shell

if TYPE_CHECKING:
    from gateway.pipeline.reading import Subject, View
    from gateway.ports import Event, Found, InboundRow, MessageRow

HEADINGS = {
    "en": ("Message", "Kind", "Reference", "Agreement", "Filed", "Status", "State", "Move"),
    "zh": ("报文", "单证", "参考号", "协议", "提交时间", "状态", "业务状态", "待办方"),
}
TIMELINE = {
    "en": ("At", "What", "About", "Who", "The partner's words"),
    "zh": ("时间", "事件", "所涉单证", "操作方", "对方原文"),
}
DELIVERIES = {
    "en": ("Delivery", "Received", "Agreement", "File or reference", "Status", "Reason"),
    "zh": ("来文", "收到时间", "协议", "文件名或标识", "状态", "原因"),
}


# What a status says besides, where another message must be settled first.
BEHIND = {"en": "waits behind {}", "zh": "须先处理 {}"}


def message_facts(view: View, message: MessageRow, lang: str) -> dict[str, Any]:
    from gateway.ids import to_text
    from gateway.pipeline.titles import said

    found = view.found(message)
    standing = found.standing
    return {
        "id": message.id,
        "document": message.document_id,
        "declaration": message.root_id,
        "kind": found.kind,
        "reference": found.reference,
        "tenant": message.tenant,
        "agreement": message.agreement,
        "adapter": message.adapter,
        "partner": message.partner,
        "message": f"{message.standard} {message.version} {message.message}",
        "name": message.name,
        "status": message.status.value,
        "attempts": message.attempts,
        "waiting_for": message.waiting_for,
        "waits_behind": found.behind.id if found.behind else "",
        "what_to_do": "\n".join(said(words, lang) for words in _to_do(found)),
        "reason": message.reason,
        "round": standing.round if standing else None,
        "phase": standing.phase if standing else "",
        "states": dict(standing.states) if standing else {},
        "mover": standing.mover if standing else "",
        "aliases": view.known_ids(message.root_id),
        "receipt_due": to_text(message.receipt_due_us) if message.receipt_due_us else None,
        "created": to_text(message.created_us),
        "updated": to_text(message.updated_us),
    }


def _to_do(found: Found) -> list[tuple[str, str]]:
    """What a person does about it, (en, zh) each: about the message that holds this one up, and what is to be entered by hand."""
    from gateway.pipeline.standings import to_enter
    from gateway.pipeline.titles import ENTER_TITLES, SETTLE_TITLES

    enter = to_enter(found.standing) if found.standing else ""
    held_up = [SETTLE_TITLES[found.behind.status]] if found.behind else []
    return held_up + ([ENTER_TITLES[enter]] if enter else [])


def plain(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}: {plain(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def found_as_json(found: Found) -> dict[str, Any]:
    from gateway.ids import to_text

    message, standing = found.message, found.standing
    return {
        "id": message.id,
        "declaration": message.root_id,
        "kind": found.kind,
        "reference": found.reference,
        "tenant": message.tenant,
        "agreement": message.agreement,
        "status": message.status.value,
        "states": dict(standing.states) if standing else {},
        "mover": standing.mover if standing else "",
        "waiting_for": message.waiting_for,
        "waits_behind": found.behind.id if found.behind else "",
        "reason": message.reason,
        "updated": to_text(message.updated_us),
    }


def found_row(found: Found, shell: Shell) -> tuple[str, ...]:
    from gateway.lifecycle import Mover
    from gateway.pipeline.titles import MOVER_TITLES, STATUS_TITLES, said, state_title

    message, standing, lang = found.message, found.standing, shell.lang
    status = said(STATUS_TITLES[message.status], lang)
    if found.behind is not None:
        status = f"{status}, {BEHIND[lang].format(found.behind.id)}"
    return (
        message.id,
        shell.telling.word("kind", found.kind, lang),
        found.reference,
        message.agreement,
        shell.telling.when(message.created_us),
        status,
        ", ".join(state_title(track, name, lang) for track, name in standing.states.items()) if standing else "",
        said(MOVER_TITLES[Mover(standing.mover)], lang) if standing else "",
    )


def delivery_as_json(row: InboundRow) -> dict[str, Any]:
    from gateway.ids import to_text

    return {
        "id": row.id,
        "agreement": row.agreement,
        "partner": row.partner,
        "reference": row.reference,
        "digest": row.digest,
        "status": row.status.value,
        "reason": row.reason,
        "received": to_text(row.received_us),
    }


def delivery_row(row: InboundRow, shell: Shell) -> tuple[str, ...]:
    told = shell.telling
    when, reason = told.when(row.received_us), told.reason(row.reason, shell.lang)
    return (row.id, when, row.agreement, row.reference, row.status.value, reason)


def event_as_json(event: Event, subject: Subject, shell: Shell) -> dict[str, Any]:
    from gateway.ids import to_text

    return {
        "id": event.id,
        "type": event.type.value,
        "at": to_text(event.at_us),
        "text": shell.telling.sentence(event, shell.lang),
        "kind": subject.kind,
        "agreement": subject.agreement,
        "message": event.message_id,
        "document": event.document_id,
        "actor": event.actor,
        "raw_code": event.raw_code,
        "raw_text": event.raw_text,
        "data": dict(event.data),
    }


def event_row(event: Event, subject: Subject, shell: Shell) -> tuple[str, ...]:
    """An entry for people: when, what in words, what it speaks of, who, and the partner's own words."""
    from gateway.events import TITLES
    from gateway.pipeline.titles import said

    told, lang = shell.telling, shell.lang
    title, sentence = said(TITLES[event.type], lang), told.sentence(event, lang)
    about = " → ".join(word for word in (told.word("kind", subject.kind, lang), subject.agreement) if word)
    verbatim = " ".join(word for word in (event.raw_code, event.raw_text) if word)
    what = f"{title}{'。' if lang == 'zh' else '. '}{sentence}" if sentence else title
    return (told.when(event.at_us), what, about, event.actor, verbatim)
