"""Rows about processes that do nothing yet: how long until the first answer, and what each holds while it waits.

The gateway is started as the demonstration starts it, with every adapter and partner of that. Its time is that of the wall, since
that is how long people wait; take it on a machine that has nothing else to do.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measure import Measure, Row, quantiles
from gateway.cli.demo.processes import Processes
from gateway.cli.demo.scenario import Scenario

START_BUDGET_S, HELP_BUDGET_S = 2.0, 0.5
MEMORY_BUDGET_MB = 200.0
STARTS = 5
# Until mappings are compiled and pools have settled.
SETTLING_S = 5.0


def rows() -> dict[str, Measure]:
    """Rows by name, to be run one after the other."""
    return {"start_up": start_up, "start_help": start_help, "idle_memory": idle_memory}


def start_up() -> Row:
    """``swgate serve`` until it is ready to work; the median of several starts."""
    times = []
    with _prepared() as (scenario, processes):
        for _ in range(STARTS):
            begun = time.perf_counter()
            processes.swgate("serve", *scenario.serving[0])
            scenario.wait_until_ready(processes.check)
            times.append(time.perf_counter() - begun)
            processes.stop()
    return _row("start_up", "s", statistics.median(times), START_BUDGET_S, times)


def start_help() -> Row:
    """``swgate --help``: what everybody who types a command waits for at least."""
    times = [_timed(_help) for _ in range(STARTS)]
    return _row("start_help", "s", statistics.median(times), HELP_BUDGET_S, times)


def idle_memory() -> Row:
    """The largest resident set of any process of serve and work, while nobody asks for anything."""
    with _prepared() as (scenario, processes):
        started = [processes.swgate("serve", *scenario.serving[0]), processes.swgate("work")]
        scenario.wait_until_ready(processes.check)
        time.sleep(SETTLING_S)
        sizes = [size for process in started for size in _resident_mb(process.child.pid)]
    return Row("idle_memory", max(sizes), "MB", MEMORY_BUDGET_MB, max(sizes) / MEMORY_BUDGET_MB, None, None, None)


@contextmanager
def _prepared() -> Iterator[tuple[Scenario, Processes]]:
    """The demonstration's keys, partners file and tables, with nothing running; what is started here ends here."""
    home = Path(tempfile.mkdtemp(prefix="swgate-bench-"))
    scenario = Scenario.load(home)
    processes = Processes(home, scenario.environment())
    scenario.prepare()
    processes.swgate("migrate").finish()
    processes.stop()
    try:
        yield scenario, processes
    finally:
        processes.stop()


def _resident_mb(pid: int) -> list[float]:
    """Of a process and those that it started, in MB; the one that only minds shared things is left out."""
    told = subprocess.run(["ps", "-axo", "pid=,ppid=,rss=,command="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 3) for line in told.splitlines()]
    return [int(row[2]) / 1000 for row in rows if str(pid) in row[:2] and "resource_tracker" not in row[-1]]


def _help() -> None:
    subprocess.run([sys.executable, "-m", "gateway.cli", "--help"], capture_output=True, check=True)


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _row(name: str, unit: str, value: float, budget: float, times_s: list[float]) -> Row:
    return Row(name, value, unit, budget, value / budget, *quantiles(times_s))
