"""``swgate lanes``: the queue of each agreement, for who has the machine."""

from __future__ import annotations

from typing import Any

import click

from gateway.cli import LazyGroup
from gateway.cli.acts import because
from gateway.cli.messages import looking
from gateway.cli.rows import TIMELINE, event_as_json, event_row
from gateway.cli.shell import Shell

HEADINGS = {
    "en": ("Agreement", "Partner", "Waiting", "In hand", "Paused"),
    "zh": ("协议", "对方", "等待", "处理中", "已暂停"),
}
YES = {"en": "yes", "zh": "是"}


COMMANDS = {
    "list": ("gateway.cli.lanes:list_lanes", "List the queues: how many messages wait, and which are paused."),
    "timeline": ("gateway.cli.lanes:timeline", "Print who paused a lane and let it go on, when and why."),
    "pause": ("gateway.cli.lanes:pause", "Send nothing more of an agreement."),
    "resume": ("gateway.cli.lanes:resume", "Let a paused lane go on."),
}


@click.group(cls=LazyGroup, commands_by_name=COMMANDS)
def lanes() -> None:
    """Look at the queue of each agreement, pause it, let it go on."""


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_lanes(shell: Shell, as_json: bool) -> int:
    """List the agreements of the partners file: how many messages wait, and whether the lane is paused."""
    from gateway import agreements

    known = agreements.load(shell.settings.partners_file).agreements
    with looking(shell) as view:
        rows = view.lanes()
    facts = [
        {
            "agreement": name,
            "partner": known[name].partner.id,
            "waiting": rows[name].waiting if name in rows else 0,
            "claimed": rows[name].claimed if name in rows else 0,
            "paused": name in rows and rows[name].paused,
        }
        for name in sorted(known)
    ]
    if as_json:
        shell.show_json(facts)
    else:
        shell.show_table(HEADINGS[shell.lang], (_row(each, shell.lang) for each in facts))
    return 0


def _row(facts: dict[str, Any], lang: str) -> tuple[str, ...]:
    told = [str(facts[name]) for name in ("agreement", "partner", "waiting", "claimed")]
    return (*told, YES[lang] if facts["paused"] else "")


@click.command()
@click.argument("agreement")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def timeline(shell: Shell, agreement: str, as_json: bool) -> int:
    """Print who paused a lane and let it go on, when and why."""
    from gateway.pipeline.reading import Subject

    with looking(shell) as view:
        events = view.timeline(agreement)
    subject = Subject(agreement=agreement)
    if as_json:
        shell.show_json([event_as_json(event, subject, shell) for event in events])
    else:
        shell.show_table(TIMELINE[shell.lang], (event_row(event, subject, shell) for event in events))
    return 0


@click.command()
@click.argument("agreement")
@because
@click.pass_obj
def pause(shell: Shell, agreement: str, why: str) -> int:
    """Send nothing more of an agreement; what is accepted waits, answers are taken in all the same."""
    from gateway.cli.wiring import actor, operating

    with operating(shell) as operations:
        operations.pause_lane(agreement, actor=actor(), reason=why)
    return 0


@click.command()
@click.argument("agreement")
@because
@click.pass_obj
def resume(shell: Shell, agreement: str, why: str) -> int:
    """Let a paused lane go on."""
    from gateway.cli.wiring import actor, operating

    with operating(shell) as operations:
        operations.resume_lane(agreement, actor=actor(), reason=why)
    return 0
