"""The generated page of commands: what ``swgate ... --help`` says, of every command, in one place."""

from __future__ import annotations

from collections.abc import Iterator

import click

NOTE = "<!-- Written by `swgate adapters docs`; do not edit. -->"
WIDTH = 110  # columns of the help as it is printed


def commands_page() -> str:
    """Markdown: exit codes, then a section a command with its help as it is printed."""
    from gateway.cli import group

    sections = "\n\n".join(_sections(group, "swgate", None))
    return (
        f"# Commands\n\n{NOTE}\n\nExit codes are the same everywhere: 0 done, 1 refused or failed (the findings are shown), 2 different "
        f"(only round trips), 3 the command was called wrongly. `--lang` or `LANG` chooses the language.\n\n{sections}\n"
    )


def _sections(command: click.Command, name: str, above: click.Context | None) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=above, terminal_width=WIDTH, max_content_width=WIDTH)
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```"
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None:
                yield from _sections(found, below, context)
