"""``swgate messages redrive | park | expire | stop-waiting | answer | read-again``: what a person does about a message.

Each act needs a reason; who did it, and why, stands on the timeline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from gateway.cli.shell import Shell

Command = Callable[..., Any]


def because(command: Command) -> Command:
    """The option that every act has."""
    return click.option("--why", required=True, help="The reason, for the timeline.")(command)


@click.command()
@click.argument("message_id", metavar="ID")
@because
@click.pass_obj
def redrive(shell: Shell, message_id: str, why: str) -> int:
    """Send a parked message, or one whose outcome is unknown, on its way again, with the same frozen bytes."""
    return _act(shell, "redrive", message_id, why)


@click.command()
@click.argument("message_id", metavar="ID")
@because
@click.pass_obj
def park(shell: Shell, message_id: str, why: str) -> int:
    """Stop a message until a person redrives it."""
    return _act(shell, "park", message_id, why)


@click.command()
@click.argument("message_id", metavar="ID")
@because
@click.pass_obj
def expire(shell: Shell, message_id: str, why: str) -> int:
    """Give a message up for good; it is never sent again."""
    return _act(shell, "expire", message_id, why)


@click.command("stop-waiting")
@click.argument("message_id", metavar="ID")
@because
@click.pass_obj
def stop_waiting(shell: Shell, message_id: str, why: str) -> int:
    """Send a message that waits for another document now."""
    return _act(shell, "stop_waiting", message_id, why)


@click.command()
@click.argument("message_id", metavar="ID")
@click.argument("function")
@click.option("--evidence", default="", help="What shows it, e.g. the number of a receipt; duty_paid needs one.")
@because
@click.pass_obj
def answer(shell: Shell, message_id: str, function: str, evidence: str, why: str) -> int:
    """Enter what the partner said by telephone or on paper.

    FUNCTION is the word of a customs response, e.g. submitted, released, rejected; it counts like an answer over the wire.
    """
    from gateway.cli.wiring import actor, operating

    with operating(shell) as operations:
        operations.answer_by_hand(message_id, function, actor=actor(), reason=why, evidence=evidence)
    return 0


@click.command("read-again")
@click.argument("delivery_id", metavar="DELIVERY")
@because
@click.pass_obj
def read_again(shell: Shell, delivery_id: str, why: str) -> int:
    """Read a refused or unmatched delivery again, e.g. after a certificate was trusted. Exit code 1 when it is refused again."""
    from gateway.cli.shell import EXIT_REFUSED
    from gateway.cli.wiring import actor, operating
    from gateway.lifecycle import InboundStatus

    with operating(shell) as operations:
        received = operations.read_again(delivery_id, actor=actor(), reason=why)
    shell.say(received.status.value)
    shell.show_findings(received.findings)
    return EXIT_REFUSED if received.status is InboundStatus.REFUSED else 0


def _act(shell: Shell, name: str, message_id: str, why: str) -> int:
    """Do what Operator calls name, and say what became of the message."""
    from gateway.cli.wiring import actor, operating
    from gateway.pipeline.titles import STATUS_TITLES, said

    with operating(shell) as operations:
        message = getattr(operations, name)(message_id, actor=actor(), reason=why)
    shell.say(said(STATUS_TITLES[message.status], shell.lang))
    return 0
