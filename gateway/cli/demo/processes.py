"""The processes of the demonstration: started, watched, and stopped together."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from gateway.errors import NeedsOperator

PORTS = (20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different; below those that systems give to outgoing connections."""
    found: list[int] = []
    with contextlib.ExitStack() as held:
        while len(found) < count:
            port = random.SystemRandom().randrange(*PORTS)
            listener = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                listener.bind(("127.0.0.1", port))
                found.append(port)
    return found


class Process:
    """One ``swgate`` command. Its output goes to a log file in the demonstration's folder."""

    def __init__(self, arguments: tuple[str, ...], log: Path, environment: Mapping[str, str]) -> None:
        self.arguments = arguments
        self.log = log
        with log.open("ab") as output:
            self.child = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "gateway.cli", *arguments],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def finish(self) -> None:
        """Wait for its end; NeedsOperator with the last lines of its log when it failed."""
        if self.child.wait(timeout=60):
            raise self.failure()

    def failure(self) -> NeedsOperator:
        tail = "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        return NeedsOperator(f"swgate {' '.join(self.arguments)} ended with {self.child.returncode}:\n{tail}")


class Processes:
    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.logs = home / "logs"
        self.environment = environment
        self.running: list[Process] = []
        self._named: Counter[str] = Counter()

    def swgate(self, *arguments: str) -> Process:
        self.logs.mkdir(parents=True, exist_ok=True)
        stem = "-".join(argument for argument in arguments[:2] if not argument.startswith("-"))
        self._named[stem] += 1
        name = stem if self._named[stem] == 1 else f"{stem}-{self._named[stem]}"
        process = Process(arguments, self.logs / f"{name}.log", self.environment)
        self.running.append(process)
        return process

    def check(self) -> None:
        """NeedsOperator when one of them has ended badly."""
        for process in self.running:
            if process.child.poll():
                raise process.failure()

    def wait_for_interrupt(self) -> None:
        """Stay until Ctrl-C, or until one of them fails."""
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                self.check()
                time.sleep(0.5)

    def stop(self) -> None:
        """Ask all to end, then insist."""
        alive = [process.child for process in self.running if process.child.poll() is None]
        for child in reversed(alive):
            child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 10
        for child in alive:
            try:
                child.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
