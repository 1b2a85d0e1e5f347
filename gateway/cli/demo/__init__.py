"""``swgate demo``: the whole gateway at work on one machine, with simulated partners in processes of their own.

Gateway, worker and partners are started as a stranger would start them, over real sockets and folders; declarations are
filed through the public API, and only what that API says decides whether each one reached its expected end. What is
filed, with whom, and what must come of it is data: demo.yaml of each adapter, in the frame of scenario.yaml.
"""

from __future__ import annotations

import shutil
import signal
import tempfile
from pathlib import Path

from rich.console import Console

from gateway.cli.demo.processes import Processes
from gateway.cli.demo.scenario import Scenario
from gateway.cli.demo.show import Show

EXIT_DONE, EXIT_FAILED = 0, 1


def run(kept: Path | None, *, once: bool) -> int:
    """Run the demonstration; 0 only when every document reached its expected end. kept: the folder to work in, for one that stays."""
    home = Path(tempfile.mkdtemp(prefix="swgate-demo-")) if kept is None else kept.resolve()
    console = Console(highlight=False)
    scenario = Scenario.load(home)
    show = Show(console, scenario)
    processes = Processes(home, scenario.environment())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        show.opening()
        scenario.prepare()
        show.step("development keys, partners file and database are made")
        _start(scenario, processes, show)
        reached = show.follow(scenario.file_all())
        show.timeline_of_one()
        show.addresses()
        if once:
            show.ended()
        else:
            show.waiting()
            processes.wait_for_interrupt()
        return EXIT_DONE if reached else EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_DONE
    finally:
        processes.stop()
        if kept is None:
            shutil.rmtree(home, ignore_errors=True)


def _start(scenario: Scenario, processes: Processes, show: Show) -> None:
    processes.swgate("migrate").finish()
    scenario.make_account()
    for arguments in scenario.serving:
        processes.swgate("serve", *arguments)
    for simulator in scenario.simulators:
        processes.swgate("sim", simulator.adapter, *simulator.arguments)
    processes.swgate("work")
    scenario.wait_until_ready(processes.check)
    show.step("gateway, worker and simulated partners run")
