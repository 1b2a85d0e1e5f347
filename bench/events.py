"""The row of the feed: events that reach a hundred listeners while declarations are being filed."""

from __future__ import annotations

import json
import subprocess
import sys

from bench.measure import Measure, Row, quantiles
from bench.service import gateway, post

LISTENERS = 100


def rows(count: int) -> dict[str, Measure]:
    return {"events_sse": lambda: events_sse(count)}


def events_sse(count: int) -> Row:
    """Events delivered a second, over all listeners; p50, p95 and p99 are how late they came after their entry was made."""
    home, scenario, processes = gateway()
    try:
        post(scenario, home, 200)  # imports, caches and statements are warm after this
        command = [sys.executable, "-m", "bench.listeners", scenario.url, scenario.api_key, str(LISTENERS), str(count)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listeners:
            assert listeners.stdout is not None
            listeners.stdout.readline()
            post(scenario, home, count)
            told, _ = listeners.communicate(timeout=180)
    finally:
        processes.stop()
    result = json.loads(told)
    late_s = [value / 1000 for value in result["late_ms"]]
    return Row("events_sse", LISTENERS * count / result["seconds"], "1/s", None, None, *quantiles(late_s))
