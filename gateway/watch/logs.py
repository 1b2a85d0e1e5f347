"""Logs: one line an event, as JSON for programs or as text for people, on standard error.

Rule 1: a line has words of ours, ids, and the facts named in FACTS; nothing else of a record is written.
Rule 2: of an exception it tells the type and the places in code (gateway.errors.trace), never the text: that may quote a payload.
Rule 3: other people's libraries may put anything into their words, so of those only the place is told, with uvicorn as the
        exception, whose words are about processes and sockets.
Rule 4: a line is a line: what would break it is escaped.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

import orjson

from gateway.errors import trace
from gateway.watch.context import WORDS, ids_at_hand

# What a line may say beside its words: of a request, and the ids of what it is about.
FACTS = (*WORDS, "method", "route", "status", "ms", "bytes", "key")
# Whose words are written as they are.
SPEAKERS = ("gateway", "adapters", "uvicorn")
LOG = logging.getLogger("gateway.process")


def begin(role: str, form: str, level: str, zone: tzinfo) -> None:
    """Let everything that is logged in this process go to standard error in one form. role: serve or work.

    What ends a thread or the process unexpectedly is logged too, instead of Python's own report, which shows the exception's text.
    """
    handler = logging.StreamHandler(sys.stderr)
    is_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    handler.setFormatter(Line(role, zone, as_json if is_json else as_text))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    for name in SPEAKERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(level.upper())
    # That a process begins and ends is told at any level.
    LOG.setLevel(logging.INFO)
    # Others are heard from a warning on: below it they tell of every connection and its address.
    root.setLevel(max(logging.WARNING, logging.getLogger("gateway").level))
    # A line that cannot be written is dropped; Python would show its arguments.
    logging.raiseExceptions = False
    sys.excepthook = lambda _kind, problem, _places: _ended("the process", problem)
    threading.excepthook = lambda hook: _ended(f"thread {getattr(hook.thread, 'name', '')}", hook.exc_value)
    sys.unraisablehook = lambda hook: _ended("a destructor", hook.exc_value)


def _ended(what: str, problem: BaseException | None) -> None:
    if isinstance(problem, KeyboardInterrupt) or problem is None:
        return
    LOG.error("%s ended: %s", what, trace(problem))


class Line(logging.Formatter):
    """A record as the facts of one line."""

    def __init__(self, role: str, zone: tzinfo, written: Callable[[dict[str, Any]], str]) -> None:
        super().__init__()
        self._role = role
        self._zone = zone
        self._written = written

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, self._zone).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _event(record),
            "role": self._role,
            "pid": os.getpid(),
        }
        known = {**ids_at_hand(), **record.__dict__}
        facts |= {name: known[name] for name in FACTS if known.get(name) not in (None, "")}
        if record.exc_info and record.exc_info[1] is not None:
            facts["trace"] = trace(record.exc_info[1])
        return self._written(facts)


def _event(record: logging.LogRecord) -> str:
    """The words of who may speak, else where in the code it was said."""
    if record.name.partition(".")[0] in SPEAKERS:
        return record.getMessage()
    return f"{record.module}:{record.lineno} {record.funcName}"


def as_json(facts: dict[str, Any]) -> str:
    """RFC 8259: no control character stands in a JSON text unescaped."""
    return orjson.dumps(facts, default=str).decode()


def as_text(facts: dict[str, Any]) -> str:
    """``time level logger: event name=value ...``, each on one line."""
    told = [f"{name}={value}" for name, value in facts.items() if name not in ("time", "level", "logger", "event")]
    line = f"{facts['time']} {facts['level']:<7} {facts['logger']}: {facts['event']} {' '.join(told)}"
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in line)
