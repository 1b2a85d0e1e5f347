"""Puts a gateway together for one command, and takes it apart again when the command is done."""

from __future__ import annotations

import getpass
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gateway.cli.shell import Shell

if TYPE_CHECKING:
    from gateway.api.parts import Parts
    from gateway.pipeline.operate import Operator
    from gateway.pipeline.submit import Submitter


def actor() -> str:
    """Who does it, for the timeline: the account at this machine."""
    try:
        return f"swgate:{getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name, as containers have
        return "swgate"


@contextmanager
def gateway(shell: Shell) -> Iterator[Parts]:
    """The pieces of a gateway of these settings, with its store open."""
    from gateway import app

    parts = app.build(shell.settings)
    try:
        yield parts
    finally:
        parts.store.close()


@contextmanager
def filing(shell: Shell) -> Iterator[tuple[Submitter, str]]:
    """The use case of filing, and the operator's tenant."""
    with gateway(shell) as parts:
        yield parts.submitter, parts.directory.operator


@contextmanager
def operating(shell: Shell) -> Iterator[Operator]:
    with gateway(shell) as parts:
        yield parts.operator


def run_engine(shell: Shell, stop: threading.Event, *, ready: str, ending: str) -> None:
    """Work until stop is set, then finish what is on the wire; ready and ending are said when it comes to that."""
    from gateway import app

    app.watch(shell.settings, "work")
    with gateway(shell) as parts:
        worker = app.build_engine(parts)
        worker.start()
        shell.tell(ready)
        stop.wait()
        shell.tell(ending)
        worker.stop()
