"""The command ``swgate``: everything an operator or a developer does from a shell.

Exit codes are the same everywhere: 0 done, 1 refused or failed (the findings are shown), 2 different (only round trips),
3 the command was called wrongly. Start-up is kept short: a command's module is imported when that command runs.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from gateway.cli.helping import ReadersContext
from gateway.cli.shell import EXIT_REFUSED, EXIT_USAGE, Shell

DISTRIBUTION = "single-window-gateway"

LANGUAGES = ("en", "zh")

# Command -> where it is, and what the list of commands says of it.
COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("gateway.cli.run:serve", "Serve the API and the console."),
    "work": ("gateway.cli.run:work", "Send and collect messages until told to stop."),
    "submit": ("gateway.cli.submit:submit", "File a document, here or at a gateway elsewhere."),
    "payloads": ("gateway.cli.payloads:payloads", "Upload attachments to a gateway, and download them."),
    "messages": ("gateway.cli.messages:messages", "Find messages, read them, put them right."),
    "events": ("gateway.cli.events:events", "Print what happens, in one order, as it happens."),
    "keys": ("gateway.cli.keys:keys", "Make development keys, list certificates."),
    "lanes": ("gateway.cli.lanes:lanes", "Look at the queue of each agreement, pause it, let it go on."),
    "accounts": ("gateway.cli.accounts:accounts", "Say who may sign in to the console."),
    "audit": ("gateway.cli.accounts:audit", "Print what people did, and why."),
    "migrate": ("gateway.cli.run:migrate", "Bring the database to this version."),
    "sim": ("gateway.cli.run:sim", "Run the simulated partner of an adapter."),
    "demo": ("gateway.cli.run:demo", "Show the whole gateway at work, with simulated partners."),
    "adapters": ("gateway.cli.adapters:adapters", "List, check, make and try adapters."),
}


class LazyGroup(click.Group):
    """A group that imports a command when it runs, not when it is listed."""

    context_class = ReadersContext

    def __init__(self, *args: object, commands_by_name: dict[str, tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.commands_by_name = commands_by_name

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands_by_name)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands_by_name:
            return None
        module, _, name = self.commands_by_name[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        command.context_class = ReadersContext
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in self.commands_by_name.items()])


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            click.echo(f"swgate {version(DISTRIBUTION)}")
        except PackageNotFoundError:
            click.echo("swgate, from a folder that is not installed")
        ctx.exit()


@click.group(cls=LazyGroup, commands_by_name=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of messages; otherwise that of LANG.")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
@click.pass_obj
def group(shell: Shell, lang: str | None) -> None:
    """Single Window Gateway: file declarations, follow them, and try what partners send."""
    if lang:
        shell.lang = lang


def _chosen_language(words: Sequence[str]) -> str:
    """The language that the words in front of the command ask for, "" where they do not."""
    for word, after in zip(words, [*words, ""][1:], strict=True):
        asked = after if word == "--lang" else word.removeprefix("--lang=")
        if asked in LANGUAGES:
            return asked
        if not word.startswith("-"):
            break
    return ""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    from gateway.errors import GatewayError

    words = list(sys.argv[1:] if argv is None else argv)
    shell = Shell.of_environment(os.environ)
    # Before click reads the words: it may be the others among them that are wrong.
    shell.lang = _chosen_language(words) or shell.lang
    try:
        result = group.main(args=words, prog_name="swgate", obj=shell, standalone_mode=False)
    except click.ClickException as problem:
        from gateway.cli import usage

        usage.show(problem, shell.lang)
        return EXIT_USAGE if isinstance(problem, click.UsageError) else EXIT_REFUSED
    except click.Abort:
        return EXIT_REFUSED
    except GatewayError as problem:
        shell.show_error(problem)
        return EXIT_USAGE if problem.code == "catalogue.adapter.unknown" else EXIT_REFUSED
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; Python would complain again when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_REFUSED
    return result if isinstance(result, int) else 0
