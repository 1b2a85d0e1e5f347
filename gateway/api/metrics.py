"""``/metrics``: what Prometheus reads. Whoever is on this machine may look; others need a token, and without one find nothing.

A proxy on this machine speaks for others, so a request that came by one is never taken for a neighbour's.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import platform
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib import metadata

from starlette.types import Send

from gateway.api.answers import send_answer
from gateway.api.native import Asked
from gateway.api.parts import Parts
from gateway.api.problems import Unauthorized
from gateway.errors import Finding, NotFound
from gateway.signing.certificates import days_left
from gateway.watch import metrics
from gateway.watch.metrics import Told

BY_A_PROXY = ("forwarded", "via", "x-forwarded-for", "x-real-ip")


class Scrapes:
    """The operation that tells the metrics of one gateway."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        # One look at a time: many at once would only take the database from each other.
        self._looks = ThreadPoolExecutor(max_workers=1, thread_name_prefix="metrics")

    def close(self) -> None:
        self._looks.shutdown(wait=True)

    async def scrape(self, asked: Asked, send: Send) -> None:
        """The page, for whom it is meant; NotFound for others, Unauthorized for a wrong token."""
        self._admit(asked)
        page = await asyncio.get_running_loop().run_in_executor(self._looks, lambda: metrics.page(self._gauges()))
        await send_answer(send, 200, page, asked.lang, media_type=metrics.MEDIA_TYPE)

    def _admit(self, asked: Asked) -> None:
        wanted = self._parts.settings.metrics_token_sha256
        scheme, _, token = asked.header("authorization").partition(" ")
        if wanted:
            digest = hashlib.sha256(token.strip().encode()).hexdigest()
            if not (scheme.lower() == "bearer" and hmac.compare_digest(digest, wanted)):
                raise Unauthorized("not the token of the metrics", [Finding(Unauthorized.code)])
        elif not self._is_neighbour(asked):
            raise NotFound("metrics are for this machine")

    def _is_neighbour(self, asked: Asked) -> bool:
        if self._parts.settings.base_url or any(asked.header(name) for name in BY_A_PROXY):
            return False
        try:
            return ipaddress.ip_address((asked.scope.get("client") or ("",))[0]).is_loopback
        except ValueError:
            return False

    def _gauges(self) -> Iterator[Told]:
        parts, now_us = self._parts, self._parts.clock()
        with parts.store.read() as reading:
            counts, lanes, backlog = reading.counts(), reading.lanes(), reading.backlog(now_us)
            breakers = [reading.breaker(name) for name in parts.directory.partners]
        for status, number in counts.items():
            yield metrics.MESSAGES, (status,), number
        for lane in lanes:
            late_us = 0 if lane.oldest_due_us is None else max(0, now_us - lane.oldest_due_us)
            yield metrics.LANE_WAITING, (lane.lane,), lane.waiting
            yield metrics.LANE_CLAIMED, (lane.lane,), lane.claimed
            yield metrics.LANE_AGE, (lane.lane,), late_us / 1_000_000
            yield metrics.LANE_PAUSED, (lane.lane,), lane.paused
        for breaker in breakers:
            rests = breaker.rest_until_us is not None and breaker.rest_until_us > now_us
            yield metrics.BREAKER_OPEN, (breaker.partner,), rests
        yield metrics.UNMATCHED, (), backlog.unmatched
        yield metrics.OVERDUE, (), backlog.overdue
        yield metrics.UNSEQUENCED, (), backlog.unsequenced
        for file, days in days_left(parts.settings.certs, datetime.now(UTC)).items():
            yield metrics.CERTIFICATE_DAYS, (file,), days
        yield metrics.BUILD, (_version(), platform.python_version()), 1


def _version() -> str:
    try:
        return metadata.version("single-window-gateway")
    except metadata.PackageNotFoundError:
        return "unknown"
