"""``swgate messages``: find a message by any id that people hold, read its timeline and its bytes, put it right.

It works on the database of the settings, for who has the machine; a tenant's view is the API's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from gateway.cli import LazyGroup
from gateway.cli.rows import (
    DELIVERIES,
    HEADINGS,
    TIMELINE,
    delivery_as_json,
    delivery_row,
    event_as_json,
    event_row,
    found_as_json,
    found_row,
    message_facts,
    plain,
)
from gateway.cli.shell import Shell, write_bytes
from gateway.errors import Finding, NotFound, Rejected

if TYPE_CHECKING:
    from gateway.pipeline.reading import Subject, View
    from gateway.ports import Event, MessageRow, Store

COMMANDS: dict[str, tuple[str, str]] = {
    "list": ("gateway.cli.messages:list_messages", "List messages, or find them by any id people hold."),
    "show": ("gateway.cli.messages:show", "Show one message and where its document stands."),
    "timeline": ("gateway.cli.messages:timeline", "Print everything that happened to a declaration."),
    "content": ("gateway.cli.messages:content", "Write what a message carries, byte for byte."),
    "deliveries": ("gateway.cli.messages:deliveries", "List what partners delivered and nobody could place."),
    "redrive": ("gateway.cli.acts:redrive", "Send a parked message on its way again."),
    "park": ("gateway.cli.acts:park", "Stop a message until a person redrives it."),
    "expire": ("gateway.cli.acts:expire", "Give a message up for good."),
    "stop-waiting": ("gateway.cli.acts:stop_waiting", "Send a message that waits for another document now."),
    "answer": ("gateway.cli.acts:answer", "Enter what the partner said by telephone or on paper."),
    "read-again": ("gateway.cli.acts:read_again", "Read a refused or unmatched delivery again."),
}
NOTHING = {
    "en": "Nothing like that is stored in {place}.",
    "zh": "{place} 中没有符合条件的内容。",
}


@click.group(cls=LazyGroup, commands_by_name=COMMANDS)
def messages() -> None:
    """Find messages, read them, put them right."""


@click.command("list")
@click.argument("value", required=False, default="")
@click.option("--status", default="", help="Only messages of this status, e.g. parked.")
@click.option("--state", default="", help="Only documents in this state, e.g. returned.")
@click.option("--agreement", default="", help="Only messages of this agreement.")
@click.option("--kind", default="", help="Only this kind of document.")
@click.option("--tenant", default=None, help="Only what this tenant filed.")
@click.option("--before", default="", help="Only messages older than this id: the last one of the page before.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_messages(shell: Shell, /, as_json: bool, value: str, before: str, tenant: str | None, **filters: Any) -> int:
    """List messages, newest first; VALUE is any id people hold: plate, container, SeqNo, declaration number, ours."""
    _must_be_known(filters)
    with looking(shell, tenant) as view:
        found, _ = view.search(value=value, before_id=before, **filters)
    if as_json:
        shell.show_json([found_as_json(row) for row in found])
    elif found:
        shell.show_table(HEADINGS[shell.lang], (found_row(row, shell) for row in found))
    else:
        _say_nothing(shell)
    return 0


def _must_be_known(filters: Mapping[str, str]) -> None:
    """Rejected names every state, status and kind of document that there is not: it would find nothing and look like an answer."""
    from gateway.lifecycle import REQUEST_PHASES, STATES, Status
    from gateway.pipeline.places import DECLARATION
    from gateway.pipeline.titles import REQUEST_TITLES

    known = {
        "state": {name for _, name in STATES} | REQUEST_TITLES.keys(),
        "status": {status.value for status in Status},
        "kind": {DECLARATION, *REQUEST_PHASES},
    }
    findings = [
        Finding(f"api.{name}.unknown", None, filters[name], ", ".join(sorted(there)))
        for name, there in known.items()
        if filters[name] and filters[name] not in there
    ]
    if findings:
        raise Rejected("nothing can be found so", findings, code=findings[0].code)


@click.command()
@click.argument("message_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(shell: Shell, message_id: str, as_json: bool) -> int:
    """Show one message and where its document stands."""
    with looking(shell) as view:
        facts = message_facts(view, _message(view, message_id), shell.lang)
    if as_json:
        shell.show_json(facts)
    else:
        shell.show_table(
            ("", ""), ((name, plain(value)) for name, value in facts.items() if value not in ("", None, {}))
        )
    return 0


@click.command()
@click.argument("any_id", metavar="ID")
@click.option("--only", is_flag=True, help="Leave out the entries of other messages than this one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def timeline(shell: Shell, any_id: str, only: bool, as_json: bool) -> int:
    """Print everything that happened to a declaration, its requests and all their messages, oldest first.

    ID is any id that people hold for it: of the declaration, of one of its messages, a plate, a number that customs gave. The id
    of a delivery that could not be placed gives the timeline of that delivery.
    """
    with looking(shell) as view:
        entries = _entries(view, any_id, only=only)
    if as_json:
        shell.show_json([event_as_json(event, subject, shell) for event, subject in entries])
    else:
        shell.show_table(TIMELINE[shell.lang], (event_row(event, subject, shell) for event, subject in entries))
    return 0


@click.command()
@click.argument("message_id", metavar="ID")
@click.option(
    "--partner", "which", flag_value="partner", help="The bytes that the partner gets; the default.", default=True
)
@click.option("--canonical", "which", flag_value="canonical", help="The document as it was filed.")
@click.pass_obj
def content(shell: Shell, message_id: str, which: str) -> int:
    """Write what a message carries to standard output, byte for byte."""
    from gateway.pipeline.reading import partner_digest

    with looking(shell) as view:
        message = _message(view, message_id)
        digest = partner_digest(message) if which == "partner" else view.document_of(message).digest
        write_bytes(view.payload(digest))
    return 0


@click.command()
@click.option("--before", default="", help="Only deliveries older than this id: the last one of the page before.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def deliveries(shell: Shell, before: str, limit: int, as_json: bool) -> int:
    """List what partners delivered and nobody could place, newest first: refused, or fitting no message yet."""
    with looking(shell) as view:
        rows, _ = view.kept(limit=limit, cursor=before)
    if as_json:
        shell.show_json([delivery_as_json(row) for row in rows])
    elif rows:
        shell.show_table(DELIVERIES[shell.lang], (delivery_row(row, shell) for row in rows))
    else:
        _say_nothing(shell)
    return 0


@contextmanager
def looking(shell: Shell, tenant: str | None = None) -> Iterator[View]:
    """What is stored, as a tenant sees it, or all of it. NeedsOperator where no gateway has stored anything."""
    from gateway.pipeline.reading import View
    from gateway.storage import open_store

    store: Store = open_store(shell.settings, make=False)
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


def _entries(view: View, any_id: str, *, only: bool) -> list[tuple[Event, Subject]]:
    message = view.message_named(any_id)
    if message is not None:
        return view.events(message) if only else view.told(message.root_id)
    # A delivery that fits nothing is a root of its own; whatever else has no entry is not there.
    return view.told(any_id) or view.events(_message(view, any_id))


def _say_nothing(shell: Shell) -> None:
    from sqlalchemy import make_url

    place = make_url(shell.settings.database_url).render_as_string(hide_password=True)
    shell.say(NOTHING[shell.lang].format(place=place))
