"""Rows that run whole processes: accepting over HTTP, and the whole way to a partner and back.

Gateway, worker and simulated partner are started as the demonstration starts them; the load comes from yet another
process. All of them share the machine, so the numbers are what such a machine does with everything on it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from bench.measure import Measure, Row, quantiles
from gateway.cli.demo.processes import Processes
from gateway.cli.demo.scenario import Scenario

ACCEPT_BUDGET = (
    760.0  # per second: what a commercial service bus routes on twice the processors, neither signing nor storing
)
WHOLE_WAY_BUDGET = 250.0
CONNECTIONS = 24
WARM = 50  # declarations that go the way before it is timed: imports, caches and statements are warm then
LODGED_BEFORE = "IMD"  # type code of an import declared before the goods are there
SIGNED, FOLDER = "wco_declaration", "cn_declaration"


def rows(count: int) -> dict[str, Measure]:
    """Rows by name, to be run one after the other."""
    return {
        "accept_single": lambda: accept_single(count),
        "whole_way": lambda: whole_way(count),
        "whole_way_released": lambda: whole_way_released(count),
        "whole_way_folder": lambda: whole_way_folder(count),
    }


def accept_single(count: int) -> Row:
    """HTTP POST to 202, durable, with nobody working the lanes."""
    home, scenario, processes = gateway()
    try:
        post(scenario, home, 200)  # imports, caches and statements are warm after this
        result = post(scenario, home, count)
    finally:
        processes.stop()
    return _row(
        "accept_single", count / result["seconds"], ACCEPT_BUDGET, [value / 1000 for value in result["times_ms"]]
    )


def whole_way(count: int) -> Row:
    """Signed HTTPS both ways: POST, sign, deliver, one signed receipt verified and stored; times are from acceptance to there.

    Declarations are lodged before the goods arrive, so the office answers each with its registration alone.
    """
    return _whole_way("whole_way", SIGNED, count, 1, type_code=LODGED_BEFORE)


def whole_way_released(count: int) -> Row:
    """The same up to the release: three signed answers a declaration."""
    return _whole_way("whole_way_released", SIGNED, count, 3)


def whole_way_folder(count: int) -> Row:
    """The same over the import client's folders, where nothing is signed and every declaration gets six answers."""
    return _whole_way("whole_way_folder", FOLDER, count, 6)


def _whole_way(name: str, partner: str, count: int, answers: int, **changes: str) -> Row:
    """answers: how many answers the partner gives to each declaration; the way ends when the last is applied."""
    home, scenario, processes = gateway()
    try:
        simulator = next(one for one in scenario.simulators if one.adapter == partner)
        processes.swgate("sim", simulator.adapter, *_quick(simulator.arguments))
        processes.swgate("work")
        document = filed_with(scenario, partner) | changes
        post(scenario, home, WARM, document)
        _answered(home, WARM * answers)
        begin = time.perf_counter()
        post(scenario, home, count, document)
        _answered(home, (WARM + count) * answers)
        seconds = time.perf_counter() - begin
        waits = _waits(home)[WARM:]
    finally:
        processes.stop()
    return _row(name, count / seconds, WHOLE_WAY_BUDGET, waits)


def _quick(arguments: tuple[str, ...]) -> list[str]:
    """The simulator's arguments with a speed at which its own waits do not count."""
    words = list(arguments)
    words[words.index("--speed") + 1] = "1000"
    return words


def filed_with(scenario: Scenario, partner: str) -> dict[str, Any]:
    """The first declaration of the demonstration that this partner gets."""
    return next(one.document for one in scenario.filings if one.adapter == partner)


def gateway() -> tuple[Path, Scenario, Processes]:
    home = Path(tempfile.mkdtemp(prefix="swgate-bench-"))
    scenario = Scenario.load(home)
    processes = Processes(home, scenario.environment())
    scenario.prepare()
    processes.swgate("migrate").finish()
    for arguments in scenario.serving:
        processes.swgate("serve", *arguments)
    scenario.wait_until_ready(processes.check)
    return home, scenario, processes


def post(scenario: Scenario, home: Path, count: int, document: dict[str, Any] | None = None) -> dict[str, Any]:
    """Post count declarations from another process. RuntimeError when one was not accepted."""
    chosen = document or filed_with(scenario, FOLDER)
    return loaded(scenario, home, "bench.load", "/v1/declarations", CONNECTIONS, count, chosen)


def loaded(
    scenario: Scenario, home: Path, load: str, path: str, connections: int, count: int, document: dict[str, Any]
) -> dict[str, Any]:
    """What a load of count declarations told, run as a process of its own. RuntimeError when one was not accepted."""
    file = home / "load.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        load,
        f"{scenario.url}{path}",
        scenario.api_key,
        str(file),
        str(connections),
        str(count),
        str(time.time_ns() // 1_000_000),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    if set(result["statuses"]) != {"202"}:
        raise RuntimeError(f"not everything was accepted: {result['statuses']}")
    return result


def _answered(home: Path, count: int, within_s: float = 300) -> None:
    """Return when count answers are applied to their declarations."""
    deadline = time.monotonic() + within_s
    query = text("SELECT COUNT(*) FROM judgements")
    engine = create_engine(f"sqlite:///{home / 'gateway.db'}")
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            applied = connection.execute(query).scalar_one()
        if applied >= count:
            return
        time.sleep(0.1)
    raise RuntimeError(f"only {applied} of {count} answers were applied after {within_s} s")


def _waits(home: Path) -> list[float]:
    """Seconds from acceptance to the first answer of each declaration, oldest first, read from the database."""
    query = text(
        "SELECT d.created_us, MIN(i.received_us) FROM documents d JOIN inbound i ON i.root_id = d.root_id"
        " WHERE d.kind = 'declaration' GROUP BY d.id, d.created_us ORDER BY d.id"
    )
    with create_engine(f"sqlite:///{home / 'gateway.db'}").connect() as connection:
        return [(replied - created) / 1_000_000 for created, replied in connection.execute(query)]


def _row(name: str, value: float, budget: float, times_s: list[float]) -> Row:
    return Row(name, value, "1/s", budget, value / budget, *quantiles(times_s))
