"""Magic values: in a test environment a word in remarks or reference makes the simulated customs do what ERP developers have to see."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from adapters.cn_declaration import scenarios
from gateway.settings import PROJECT_ROOT

SEVERAL = {"declaration": "closed", "release": "released"}
PAGE = PROJECT_ROOT / "docs" / "sandbox.md"

CHINA = {
    "ACCEPT": SEVERAL,
    "REJECT": {"declaration": "rejected"},
    "RETURN": {"declaration": "returned"},
    "INSPECT": {"inspection": "ordered", **SEVERAL},
    "DELAY": SEVERAL,
    "DOUBLE": SEVERAL,
}
NEIGHBOUR = {
    "ACCEPT": {"declaration": "accepted", "release": "cleared"},
    "REJECT": {"declaration": "rejected"},
    "INSPECT": {"inspection": "ordered", "release": "cleared"},
    "DELAY": {"release": "cleared"},
    "DOUBLE": {"release": "cleared"},
}


@pytest.mark.parametrize("mark", CHINA)
def test_a_remark_makes_china_customs_answer_so(whole_way: Any, mark: str) -> None:
    states = whole_way.reached(whole_way.file(whole_way.declaration, mark), **CHINA[mark])
    assert CHINA[mark].items() <= states.items(), states


@pytest.mark.parametrize("mark", NEIGHBOUR)
def test_a_reference_makes_the_neighbour_answer_so(whole_way: Any, mark: str) -> None:
    states = whole_way.reached(whole_way.file(whole_way.neighbour, mark), **NEIGHBOUR[mark])
    assert NEIGHBOUR[mark].items() <= states.items(), states


@pytest.mark.parametrize("receiver", ["declaration", "neighbour"])
def test_a_word_makes_customs_silent(whole_way: Any, receiver: str) -> None:
    silent = whole_way.file(getattr(whole_way, receiver), "SILENT")
    answered = whole_way.file(getattr(whole_way, receiver), "ACCEPT")
    release = "released" if receiver == "declaration" else "cleared"
    assert whole_way.reached(answered, release=release)["release"] == release
    time.sleep(0.5)
    assert set(whole_way.states(silent).values()) == {"filed"}


def test_the_correction_of_a_returned_declaration_goes_through(whole_way: Any) -> None:
    returned = whole_way.file(whole_way.declaration, "RETURN")
    assert whole_way.reached(returned, declaration="returned")["declaration"] == "returned"
    shown = whole_way.ask("GET", f"/v1/declarations/{returned}")["document"]
    whole_way.ask("PUT", f"/v1/declarations/{returned}", shown)
    assert whole_way.reached(returned, **SEVERAL).items() >= SEVERAL.items()


@pytest.mark.parametrize(("text", "verdict"), [("SIM:REFUSE", "refused"), ("Weighed again", "granted")])
def test_a_reason_makes_customs_refuse_a_request(whole_way: Any, text: str, verdict: str) -> None:
    filed = whole_way.file(whole_way.declaration, "ACCEPT")
    assert whole_way.reached(filed, **SEVERAL).items() >= SEVERAL.items()
    change = {"pointer": "/total_gross_mass/value", "old_value": "61240", "new_value": "61180"}
    request = {"declaration": {}, "reason_text": text, "changes": [change]}
    whole_way.ask("POST", f"/v1/declarations/{filed}/amendments", request)
    until, state = time.monotonic() + 30, ""
    while state != verdict and time.monotonic() < until:
        state = whole_way.ask("GET", f"/v1/declarations/{filed}/amendments")["items"][0]["state"]
        time.sleep(0.05)
    assert state == verdict


def test_the_page_names_the_words_that_are_tested_here() -> None:
    rows = re.findall(r"^\| ([A-Z]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(rows) == CHINA.keys() | NEIGHBOUR.keys() | {"SILENT"}
    assert set(rows) - {"ACCEPT"} <= scenarios.MARKS.keys()


def test_only_simulators_look_at_these_words() -> None:
    """For whoever translates, signs and sends they are text like any other, in production as in tests."""
    simulators = {"simulator.py", "scenarios.py"}
    sources = [path for folder in ("gateway", "adapters") for path in Path(PROJECT_ROOT, folder).rglob("*.py")]
    looking = {path.name for path in sources if re.search(r"SIM[:\[-]", path.read_text(encoding="utf-8"))}
    assert looking <= simulators
