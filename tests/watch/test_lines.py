"""The lines that a process logs: one an event, with ids, and with nothing that an exception or a library says."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from typing import Any

import pytest

MARK = "unit-price-4711"


def logged(body: str, form: str = "json", level: str = "info") -> list[str]:
    """What a process of its own writes to standard error that begins to log and then does body."""
    begin = (
        "import logging, threading, datetime\n"
        "from gateway.watch import logs\n"
        "from gateway.watch.context import about\n"
        f"logs.begin('work', {form!r}, {level!r}, datetime.timezone(datetime.timedelta(hours=8)))\n"
        "LOG = logging.getLogger('gateway.engine')\n"
    )
    done = subprocess.run([sys.executable, "-c", begin + body], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    return done.stderr.rstrip("\n").split("\n")


def one(body: str) -> dict[str, Any]:
    (line,) = logged(body)
    told: dict[str, Any] = json.loads(line)
    return told


def test_a_line_has_time_with_offset_level_logger_words_and_role() -> None:
    told = one("LOG.warning('lane %s: %s', 'customs', 'partner.unavailable')")
    assert datetime.fromisoformat(told["time"]).utcoffset().total_seconds() == 8 * 3600  # type: ignore[union-attr]
    assert (told["level"], told["logger"], told["role"]) == ("warning", "gateway.engine", "work")
    assert told["event"] == "lane customs: partner.unavailable"


def test_a_line_has_the_ids_of_what_is_being_done_and_none_of_what_is_over() -> None:
    body = (
        "with about(message_id='m-1', agreement='customs'):\n"
        "    with about(declaration_id='d-1'):\n"
        "        LOG.info('inside')\n"
        "    LOG.info('outside')\n"
        "LOG.info('after')\n"
    )
    inside, outside, after = (json.loads(line) for line in logged(body))
    assert (inside["message_id"], inside["declaration_id"], inside["agreement"]) == ("m-1", "d-1", "customs")
    assert ("declaration_id" in outside, outside["message_id"]) == (False, "m-1")
    assert after.keys() & {"message_id", "agreement", "declaration_id"} == set()


def test_only_named_facts_of_a_record_are_written() -> None:
    told = one(f"LOG.info('x', extra={{'message_id': 'm-1', 'payload': {MARK!r}, 'password': {MARK!r}}})")
    assert told["message_id"] == "m-1"
    assert MARK not in str(told)


@pytest.mark.parametrize(
    "crash",
    [
        f"raise ValueError({MARK!r})",
        f"def go(): raise ValueError({MARK!r})\nt = threading.Thread(target=go)\nt.start()\nt.join()",
        f"class Thing:\n    def __del__(self): raise ValueError({MARK!r})\nThing()",
        f"try:\n    raise ValueError({MARK!r})\nexcept ValueError:\n    LOG.error('a fault', exc_info=True)",
        f"LOG.info('%d', {MARK!r})",
        f"logging.getLogger('urllib3.connectionpool').warning('POST https://partner/{MARK}')",
        f"logging.getLogger('asyncio').error('Task exception was never retrieved: {MARK}', exc_info=ValueError({MARK!r}))",
    ],
    ids=["process", "thread", "destructor", "exc_info", "words that do not fit", "a library", "asyncio"],
)
@pytest.mark.parametrize("form", ["json", "text"])
def test_no_text_of_an_exception_or_a_library_gets_into_a_line(crash: str, form: str) -> None:
    assert MARK not in "\n".join(logged(crash, form))


def test_an_unexpected_end_of_a_thread_is_told_with_its_place() -> None:
    told = one("def go(): raise ValueError('x')\nt = threading.Thread(target=go, name='sweep')\nt.start()\nt.join()")
    assert told["level"] == "error"
    assert told["event"].startswith("thread sweep ended: ValueError at ")
    assert "go" in told["event"]


def test_a_library_is_heard_from_a_warning_on_and_only_its_place_is_told() -> None:
    body = "log = logging.getLogger('urllib3.pool')\nlog.info('a')\nlog.warning('b')"
    told = one(body)
    assert (told["logger"], told["level"]) == ("urllib3.pool", "warning")
    assert "<string>" in told["event"] or ":" in told["event"]


@pytest.mark.parametrize("form", ["json", "text"])
def test_what_would_break_a_line_is_escaped(form: str) -> None:
    (line,) = logged(r"LOG.info('one\ntwo\r\x1b[31m\u2028three')", form)
    assert "one" in line
    assert "three" in line
    assert "\x1b" not in line


def test_levels_below_the_wanted_one_are_not_written() -> None:
    lines = logged("LOG.debug('a'); LOG.info('b'); LOG.warning('c')", level="warning")
    assert [json.loads(line)["event"] for line in lines] == ["c"]


def test_where_nobody_chose_a_form_a_file_gets_json() -> None:
    (line,) = logged("LOG.info('x')", "auto")
    assert json.loads(line)["event"] == "x"
