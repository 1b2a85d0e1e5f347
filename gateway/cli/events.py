"""``swgate events``: everything that happens, in one order, for who has the machine; and as it goes on, like the end of a log.

It reads the same feed as ``GET /v1/events``, from the database of the settings, and its cursors are the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.rows import TIMELINE, event_as_json, event_row
from gateway.cli.shell import Shell
from gateway.errors import Finding, Rejected

if TYPE_CHECKING:
    from gateway.pipeline.feed import Feed
    from gateway.pipeline.feed_pages import Page, Wanted
    from gateway.ports import Entry

LOOK_AGAIN_S = 0.5
NEXT = {"en": "Go on with --after {}", "zh": "继续查看：--after {}"}


@click.command()
@click.option("--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--after", default="", help="Begin behind this cursor, or at start; otherwise with the latest.")
@click.option("--type", "types", multiple=True, help="Only events of this type; may be given several times.")
@click.option("--tenant", default=None, help="Only events of this tenant.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one event a line.")
@click.pass_obj
def events(
    shell: Shell, follow: bool, after: str, types: tuple[str, ...], tenant: str | None, limit: int, as_json: bool
) -> int:
    """Print what happened, oldest first: of all declarations, messages and lanes, in one order."""
    from gateway.pipeline.feed_pages import Wanted, cursor_of

    wanted = Wanted(tenant, types=frozenset(types))
    with _feed(shell) as feed:
        place = _begin(feed, wanted, after, limit)
        page = feed.page(wanted, place, limit)
        _show(page, shell, as_json)
        with suppress(KeyboardInterrupt):
            while follow:
                page = feed.page(wanted, page.position, limit)
                _show(page, shell, as_json, goes_on=True)
                if not page.more:
                    time.sleep(LOOK_AGAIN_S)
    shell.say(NEXT[shell.lang].format(cursor_of(page.position)))
    return 0


@contextmanager
def _feed(shell: Shell) -> Iterator[Feed]:
    from gateway.pipeline.feed import Feed
    from gateway.storage import open_store

    store = open_store(shell.settings, make=False)
    try:
        yield Feed(store)
    finally:
        store.close()


def _begin(feed: Feed, wanted: Wanted, after: str, limit: int) -> int:
    """The place to begin at. Rejected names every type that there is not, and a cursor that nobody gave."""
    from gateway.events import EventType
    from gateway.pipeline.feed_pages import position_of

    known = {kind.value for kind in EventType}
    findings = [
        Finding("api.event_type.unknown", found=one, expected=", ".join(sorted(known)))
        for one in sorted(wanted.types - known)
    ]
    last, place = feed.last(), 0
    if not after:
        place = max(0, last - limit)
    elif after != "start":
        try:
            place = position_of(after)
        except ValueError:
            place = last + 1
        if place > last:
            findings.append(Finding("api.cursor.unknown", found=after[:80]))
    if findings:
        raise Rejected("the feed cannot be read so", findings, code=findings[0].code)
    return place


def _show(page: Page, shell: Shell, as_json: bool, *, goes_on: bool = False) -> None:
    """A table, to which what comes later is added line by line; or JSON."""
    import json

    from gateway.pipeline.feed_pages import subject

    if as_json:
        lines = [json.dumps(_as_json(entry, shell), ensure_ascii=False) for entry in page.entries]
    else:
        rows = [event_row(entry.event, subject(entry), shell) for entry in page.entries]
        lines = ["  ".join(filter(None, row)) for row in rows] if goes_on else []
        if not goes_on:
            shell.show_table(TIMELINE[shell.lang], rows)
    for line in lines:
        click.echo(line)


def _as_json(entry: Entry, shell: Shell) -> dict[str, Any]:
    from gateway.pipeline.feed_pages import cursor_of, declaration_of, subject

    told = event_as_json(entry.event, subject(entry), shell)
    place = {"cursor": cursor_of(entry.position), "position": entry.position}
    return {**place, **told, "declaration": declaration_of(entry), "tenant": entry.event.tenant}
