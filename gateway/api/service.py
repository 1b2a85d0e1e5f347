"""Is the gateway alive, is it ready, and what is its contract."""

from __future__ import annotations

import logging
import shutil
import tempfile

import flask

from gateway.api import bundle
from gateway.api.answers import answer
from gateway.api.parts import here
from gateway.api.problems import UNAVAILABLE_S
from gateway.errors import GatewayError

log = logging.getLogger("gateway.api")


def health() -> flask.Response:
    """The process answers; nothing else is looked at, so that a restart is asked for only when it helps."""
    return answer({"status": "ok"})


def ready() -> flask.Response:
    """Whether work can be done: the database answers, the disk takes writes, and every agreement's adapter is there."""
    parts = here()
    checks = {"database": _database(), "disk": _disk(), "adapters": _adapters()}
    good = all(result == "ok" for result in checks.values())
    body = {"status": "ready" if good else "not_ready", "environment": parts.directory.environment, "checks": checks}
    return answer(body) if good else answer(body, 503, headers={"Retry-After": str(UNAVAILABLE_S)})


def _database() -> str:
    try:
        with here().store.read() as reading:
            reading.counts()
    except Exception as problem:  # noqa: BLE001 - whatever it is, the database cannot be used
        log.warning("the database does not answer: %s", type(problem).__qualname__)
        return "unavailable"
    return "ok"


def _disk() -> str:
    """Whether the disks of database and payloads can take a write: one is tried, and space must be left for those to come."""
    settings = here().settings
    folders = {settings.home, *([] if settings.database_folder is None else [settings.database_folder])}
    for folder in sorted(folders):
        try:
            free_mb = shutil.disk_usage(folder).free >> 20
            with tempfile.TemporaryFile(dir=folder, prefix=".ready-", buffering=0) as file:
                file.write(b"x")
        except OSError as problem:
            log.warning("the disk takes no write: %s", problem.strerror)
            return f"cannot be written to: {problem.strerror}"
        if free_mb < settings.free_disk_mb:
            log.warning("the disk is nearly full: %d MiB free, %d wanted", free_mb, settings.free_disk_mb)
            return f"nearly full: {free_mb} MiB free, {settings.free_disk_mb} wanted"
    return "ok"


def _adapters() -> str:
    parts = here()
    wanted = {agreement.adapter for agreement in parts.directory.agreements.values()}
    try:
        missing = sorted(name for name in wanted if name not in parts.catalogue.adapters)
    except GatewayError as problem:
        return problem.code
    return "missing: " + ", ".join(missing) if missing else "ok"


def openapi() -> flask.Response:
    return answer(bundle.bundled(here().settings.specs))
