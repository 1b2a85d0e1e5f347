"""``swgate messages``: find a message by any id that people hold, read its timeline and its bytes, put it right.

It works on the database of the settings, for who has the machine; a tenant's view is the API's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.shell import Shell, write_bytes
from gateway.errors import Finding, NotFound

if TYPE_CHECKING:
    from gateway.pipeline.reading import View
    from gateway.ports import Event, Found, MessageRow, Store

HEADINGS = {
    "en": ("Message", "Kind", "Reference", "Agreement", "Status", "State", "Move", "Updated"),
    "zh": ("报文", "单证", "参考号", "协议", "状态", "业务状态", "待办方", "更新时间"),
}
TIMELINE = {
    "en": ("At", "What", "Who", "Code", "Text"),
    "zh": ("时间", "事件", "操作方", "代码", "原文"),
}


@click.group()
def messages() -> None:
    """Find messages, read them, put them right."""


@messages.command("list")
@click.argument("value", required=False, default="")
@click.option("--status", default="", help="Only messages of this status, e.g. parked.")
@click.option("--state", default="", help="Only documents in this state, e.g. returned.")
@click.option("--agreement", default="", help="Only messages of this agreement.")
@click.option("--kind", default="", help="Only this kind of document.")
@click.option("--tenant", default=None, help="Only what this tenant filed.")
@click.option("--before", default="", help="Only messages older than this id: the last one of the page before.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_messages(shell: Shell, /, as_json: bool, value: str, before: str, tenant: str | None, **filters: Any) -> int:
    """List messages, newest first; VALUE is any id people hold: plate, container, SeqNo, declaration number, ours."""
    with _view(shell, tenant) as view:
        found, _ = view.search(value=value, before_id=before, **filters)
    if as_json:
        shell.show_json([_found_as_json(row) for row in found])
    else:
        shell.show_table(HEADINGS[shell.lang], (_found_row(row) for row in found))
    return 0


@messages.command()
@click.argument("message_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(shell: Shell, message_id: str, as_json: bool) -> int:
    """Show one message and where its document stands."""
    with _view(shell) as view:
        facts = _facts(view, _message(view, message_id))
    if as_json:
        shell.show_json(facts)
    else:
        shell.show_table(
            ("", ""), ((name, _plain(value)) for name, value in facts.items() if value not in ("", None, {}))
        )
    return 0


@messages.command()
@click.argument("message_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def timeline(shell: Shell, message_id: str, as_json: bool) -> int:
    """Print everything that happened to the document of a message, oldest first."""
    with _view(shell) as view:
        events = view.timeline(_message(view, message_id).root_id)
    if as_json:
        shell.show_json([_event_as_json(event) for event in events])
    else:
        shell.show_table(TIMELINE[shell.lang], (_event_row(event, shell.lang) for event in events))
    return 0


@messages.command()
@click.argument("message_id", metavar="ID")
@click.option(
    "--partner", "which", flag_value="partner", help="The bytes that the partner gets; the default.", default=True
)
@click.option("--canonical", "which", flag_value="canonical", help="The document as it was filed.")
@click.pass_obj
def content(shell: Shell, message_id: str, which: str) -> int:
    """Write what a message carries to standard output, byte for byte."""
    from gateway.pipeline.reading import partner_digest

    with _view(shell) as view:
        message = _message(view, message_id)
        digest = partner_digest(message) if which == "partner" else view.document_of(message).digest
        write_bytes(view.payload(digest))
    return 0


@messages.command()
@click.argument("message_id", metavar="ID")
@click.option("--why", required=True, help="The reason, for the timeline.")
@click.pass_obj
def redrive(shell: Shell, message_id: str, why: str) -> int:
    """Send a parked message on its way again, with the same frozen bytes."""
    from gateway.cli.wiring import actor, operating

    with operating(shell) as operations:
        operations.redrive(message_id, actor=actor(), reason=why)
    return 0


@messages.command()
@click.argument("message_id", metavar="ID")
@click.option("--why", required=True, help="The reason, for the timeline.")
@click.pass_obj
def park(shell: Shell, message_id: str, why: str) -> int:
    """Stop a message until a person redrives it."""
    from gateway.cli.wiring import actor, operating

    with operating(shell) as operations:
        operations.park(message_id, actor=actor(), reason=why)
    return 0


@contextmanager
def _view(shell: Shell, tenant: str | None = None) -> Iterator[View]:
    from gateway.pipeline.reading import View
    from gateway.storage import open_store

    store: Store = open_store(shell.settings)
    try:
        with store.read() as reading:
            yield View(reading, tenant)
    finally:
        store.close()


def _message(view: View, any_id: str) -> MessageRow:
    message = view.message_named(any_id)
    if message is None:
        raise NotFound("there is no such message", [Finding("message.unknown", found=any_id)], code="message.unknown")
    return message


def _facts(view: View, message: MessageRow) -> dict[str, Any]:
    from gateway.ids import to_text

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


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}: {inner}" for name, inner in value.items())
    return str(value)


def _found_as_json(found: Found) -> dict[str, Any]:
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
        "reason": message.reason,
        "updated": to_text(message.updated_us),
    }


def _found_row(found: Found) -> tuple[str, ...]:
    facts = _found_as_json(found)
    states = ", ".join(facts["states"].values())
    return (
        facts["id"],
        found.kind,
        found.reference,
        facts["agreement"],
        facts["status"],
        states,
        facts["mover"],
        facts["updated"][:19] + "Z",
    )


def _event_as_json(event: Event) -> dict[str, Any]:
    from gateway.ids import to_text

    return {
        "id": event.id,
        "type": event.type.value,
        "at": to_text(event.at_us),
        "message": event.message_id,
        "document": event.document_id,
        "actor": event.actor,
        "raw_code": event.raw_code,
        "raw_text": event.raw_text,
        "data": dict(event.data),
    }


def _event_row(event: Event, lang: str) -> tuple[str, ...]:
    from gateway.events import TITLES
    from gateway.ids import to_text

    title = TITLES[event.type][("en", "zh").index(lang)]
    told = ", ".join(f"{name}={value}" for name, value in event.data.items())
    text = event.raw_text or told
    return (to_text(event.at_us)[:23] + "Z", title, event.actor, event.raw_code, text)
