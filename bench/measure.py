"""Measuring: one row of the bench, and how its numbers come about.

Machines differ and are shared, so a bare time says little. A row that has a floor is measured in turn with it, a round
of one and a round of the other, and its ratio is the median over the rounds. What is timed there waits for nothing and
stays in one thread, so it is that thread's CPU time that counts, and not how often others had the processor meanwhile.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

ROUNDS = 15
ROUND_S = 0.12


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the bench. value in unit; floor: the same for what it is compared with; p50, p95, p99 in milliseconds.

    ratio: cost of the row by cost of the floor or, for rows with a budget (operations per second, seconds, MB), value by budget.
    """

    name: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    p50: float | None
    p95: float | None
    p99: float | None

    def as_dict(self) -> dict[str, Any]:
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


Measure = Callable[[], Row]


def against(name: str, work: Callable[[], object], floor: Callable[[], object]) -> Row:
    """Run both in turn; value and floor are operations per second, ratio is how many floors one piece of work costs."""
    for _ in range(20):
        work()
        floor()
    ratios, times, floors = [], [], []
    for _ in range(ROUNDS):
        mine, theirs = _round(work), _round(floor)
        ratios.append(statistics.median(mine) / statistics.median(theirs))
        times += mine
        floors += theirs
    return Row(
        name,
        1 / statistics.median(times),
        "1/s",
        1 / statistics.median(floors),
        statistics.median(ratios),
        *quantiles(times),
    )


def _round(work: Callable[[], object]) -> list[float]:
    times = []
    end = time.perf_counter() + ROUND_S
    while time.perf_counter() < end:
        begin = time.thread_time()
        work()
        times.append(time.thread_time() - begin)
    return times


def quantiles(times_s: Sequence[float]) -> tuple[float, float, float]:
    """p50, p95 and p99 in milliseconds."""
    ordered = sorted(times_s)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000

    return at(0.5), at(0.95), at(0.99)
