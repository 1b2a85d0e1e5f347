"""Metrics for Prometheus: what is counted, in one table, and where the counts of all processes come together.

Rule 1: a label holds a name of ours (a route's template, a code, an agreement) or a number; never a value of a caller.
Rule 2: the processes of one home write into files of SWGATE_HOME/metrics, each into its own, and any that serves tells the sum
        (prometheus_client's multiprocess mode). What the database knows better is asked of it at each look.
Rule 3: before begin() nothing is counted and the client is not imported.
docs/metrics.md is generated: ``python -m gateway.watch.metrics > docs/metrics.md``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
UNITS = (1, 2, 4, 8, 16, 32, 64)
# Files that ended processes leave; above it they are dropped, and Prometheus sees a counter that began anew.
MOST_LEFT = 200
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_LIVE: dict[str, Any] = {}
_FOLDER: list[Path] = []


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table. kind: counter and histogram are counted as things happen, gauge is asked for at each look."""

    name: str
    kind: str
    labels: tuple[str, ...]
    en: str
    buckets: tuple[float, ...] = ()

    def count(self, *labels: str) -> None:
        """Of a counter: one more."""
        live = _LIVE.get(self.name)
        if live is not None:
            (live.labels(*labels) if labels else live).inc()

    def observe(self, value: float, *labels: str) -> None:
        """Of a histogram: this has been measured."""
        live = _LIVE.get(self.name)
        if live is not None:
            (live.labels(*labels) if labels else live).observe(value)


Told = tuple[Metric, Sequence[str], float]

REQUESTS = Metric(
    "swgate_requests_total",
    "counter",
    ("method", "route", "status"),
    "Requests answered; route is the template of the address, `none` where there is no such address.",
)
REQUEST_SECONDS = Metric(
    "swgate_request_seconds", "histogram", ("route",), "Time from request to the end of its answer.", SECONDS
)
FILINGS = Metric(
    "swgate_filings_total",
    "counter",
    ("outcome", "code"),
    "Filings by outcome (`accepted`, `repeated`, `rehearsed`, `refused`); code is that of the refusal, else empty.",
)
ATTEMPTS = Metric(
    "swgate_attempts_total",
    "counter",
    ("agreement", "outcome"),
    "Attempts to send a message: `handed_over`, `located`, `not_tried`, or the code of what went wrong.",
)
SEND_SECONDS = Metric(
    "swgate_send_seconds",
    "histogram",
    ("agreement",),
    "Time that an attempt took until its outcome was known.",
    SECONDS,
)
DELIVERIES = Metric(
    "swgate_deliveries_total",
    "counter",
    ("agreement", "outcome"),
    "What partners brought: `matched`, `stored`, `unmatched`, `refused`, `doubled`, `conflicting`, `failed`.",
)
ANSWERS = Metric(
    "swgate_answers_total",
    "counter",
    ("agreement", "function"),
    "Answers that were matched with a message, by what they say (`accepted`, `released`, ...).",
)
COMMIT_UNITS = Metric("swgate_commit_units", "histogram", (), "Units of work that shared one commit.", UNITS)
COMMIT_SECONDS = Metric(
    "swgate_commit_seconds", "histogram", (), "Time of one shared commit, waiting for the database included.", SECONDS
)
MESSAGES = Metric("swgate_messages", "gauge", ("status",), "Messages by status.")
LANE_WAITING = Metric("swgate_lane_waiting", "gauge", ("agreement",), "Messages in a lane that nobody has taken.")
LANE_CLAIMED = Metric("swgate_lane_claimed", "gauge", ("agreement",), "Messages in a lane that a worker has taken.")
LANE_AGE = Metric(
    "swgate_lane_oldest_seconds", "gauge", ("agreement",), "For how long the message that waits longest has been due."
)
LANE_PAUSED = Metric("swgate_lane_paused", "gauge", ("agreement",), "1 where somebody has paused the lane.")
BREAKER_OPEN = Metric("swgate_breaker_open", "gauge", ("partner",), "1 while a partner rests after failures in a row.")
UNMATCHED = Metric("swgate_deliveries_unmatched", "gauge", (), "Answers kept that fit no message yet.")
OVERDUE = Metric("swgate_standings_overdue", "gauge", (), "Declarations whose next move has been awaited for too long.")
UNSEQUENCED = Metric("swgate_events_unsequenced", "gauge", (), "Events that the sequencer has yet to number.")
CERTIFICATE_DAYS = Metric(
    "swgate_certificate_days", "gauge", ("file",), "Days until the first certificate of a file below SWGATE_CERTS ends."
)
BUILD = Metric("swgate_build_info", "gauge", ("version", "python"), "Always 1; the labels say what runs.")

METRICS: tuple[Metric, ...] = tuple(found for found in list(globals().values()) if isinstance(found, Metric))


def begin(home: Path) -> None:
    """Count from now on, in files below home that are this process's own."""
    folder = home / "metrics"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _tidy(folder)
    # The client looks at it once, when it is imported.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    import prometheus_client

    registry = prometheus_client.CollectorRegistry()
    for metric in METRICS:
        if metric.kind == "counter":
            _LIVE[metric.name] = prometheus_client.Counter(metric.name, metric.en, metric.labels, registry=registry)
        elif metric.kind == "histogram":
            _LIVE[metric.name] = prometheus_client.Histogram(
                metric.name, metric.en, metric.labels, registry=registry, buckets=metric.buckets
            )
    _FOLDER[:] = [folder]


def page(gauges: Iterable[Told]) -> bytes:
    """What Prometheus reads: the counts of all processes, and gauges as they were asked for just now."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.multiprocess import MultiProcessCollector

    families: dict[str, Any] = {}
    for metric, labels, value in gauges:
        family = families.setdefault(metric.name, GaugeMetricFamily(metric.name, metric.en, labels=metric.labels))
        family.add_metric(list(labels), value)

    class Asked:
        def collect(self) -> Iterable[Any]:
            return families.values()

    registry = CollectorRegistry()
    if _FOLDER:
        MultiProcessCollector(registry, str(_FOLDER[0]))  # type: ignore[no-untyped-call]
    registry.register(Asked())
    return generate_latest(registry)


def _tidy(folder: Path) -> None:
    """Drop the counts of processes that have ended, where none is left that adds to them, or where they are too many."""
    left = [path for path in folder.glob("*_*.db") if not _runs(path)]
    if len(left) > MOST_LEFT or len(left) == len(list(folder.glob("*.db"))):
        for path in left:
            path.unlink(missing_ok=True)


def _runs(path: Path) -> bool:
    """Whether the process that writes to a file is there; its number ends the name."""
    number = path.stem.rpartition("_")[2]
    if not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def document() -> str:
    """docs/metrics.md."""
    rows = [
        f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels)} | {metric.en} |"
        for metric in METRICS
    ]
    return "\n".join([_INTRODUCTION, "| name | kind | labels | what it is |", "|---|---|---|---|", *rows, ""])


_INTRODUCTION = """# Metrics

Generated from `gateway/watch/metrics.py` by `python -m gateway.watch.metrics`; edit there.

`GET /metrics` of any `swgate serve` tells them in Prometheus' text format, for all processes of one `SWGATE_HOME`: those that serve and
those that work. It answers callers on the same machine that come by no proxy; others only where `SWGATE_METRICS_TOKEN_SHA256` is set,
with the token as bearer. A worker whose home is on another machine counts there, and a `serve` of that home tells it; what
is asked of the database (every gauge but certificates and build) is the same everywhere.

No label holds a value of a document, a key or an address as it was called. Counts go on over restarts as long as one process
of the home runs; histograms have the usual `_bucket`, `_sum` and `_count`.
"""


if __name__ == "__main__":
    sys.stdout.write(document())
