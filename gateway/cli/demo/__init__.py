"""``swgate demo``: the whole gateway at work on one machine, with simulated partners in processes of their own.

Gateway, worker and partners are started as a stranger would start them, over real sockets and folders; declarations are
filed through the public API, and only what that API says decides whether each one reached its expected end. What is
filed, with whom, and what must come of it is data: scenario.yaml and declarations/ beside this file.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import tempfile
from pathlib import Path

from rich.console import Console

from gateway.cli.demo.processes import Processes, free_ports
from gateway.cli.demo.scenario import Scenario
from gateway.cli.demo.show import Show

EXIT_DONE, EXIT_FAILED = 0, 1


def run(arguments: list[str]) -> int:
    """Run the demonstration; 0 only when every document reached its expected end."""
    options = _parser().parse_args(arguments)
    home = Path(tempfile.mkdtemp(prefix="swgate-demo-")) if options.home is None else options.home.resolve()
    console = Console(highlight=False)
    scenario = Scenario.load(home, free_ports(3))
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
        if options.once:
            show.ended()
        else:
            show.waiting()
            processes.wait_for_interrupt()
        return EXIT_DONE if reached else EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_DONE
    finally:
        processes.stop()
        if options.home is None:
            shutil.rmtree(home, ignore_errors=True)


def _start(scenario: Scenario, processes: Processes, show: Show) -> None:
    processes.swgate("migrate").finish()
    for arguments in scenario.serving:
        processes.swgate("serve", *arguments)
    for simulator in scenario.simulators:
        processes.swgate("sim", simulator.adapter, *simulator.arguments)
    processes.swgate("work")
    scenario.wait_until_ready(processes.check)
    show.step("gateway, worker and simulated partners run")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="swgate demo", description="Show the whole gateway at work.")
    parser.add_argument("--once", action="store_true", help="end when every document reached its end")
    parser.add_argument("--home", type=Path, help="work in this folder and keep it; else in one that is removed")
    return parser
