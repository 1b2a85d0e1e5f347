"""``python -m bench [--json FILE] [--only NAME ...] [--count N]``: measure, print a table, write the rows."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import batch, events, processes, service, translation
from bench import console as console_rows
from bench.measure import Row


def main() -> None:
    options = _parser().parse_args()
    console = Console()
    rows = []
    found = translation.rows() | service.rows(options.count) | events.rows(options.count) | batch.rows(options.count)
    for name, measure in (found | console_rows.rows() | processes.rows()).items():
        if options.only and name not in options.only:
            continue
        row = measure()
        rows.append(row)
        console.print(f"{row.name}: {row.value:,.0f} {row.unit}, ratio {row.ratio:.2f}" if row.ratio else row.name)
    console.print(_table(rows))
    if options.json:
        options.json.write_text(json.dumps([row.as_dict() for row in rows], indent=1) + "\n", encoding="utf-8")


def _table(rows: list[Row]) -> Table:
    table = Table(title="What it costs (times in ms; ratio: cost by floor, or rate by budget)")
    for column in ("row", "value", "unit", "floor", "ratio", "p50", "p95", "p99"):
        table.add_column(column, justify="left" if column in {"row", "unit"} else "right")
    for row in rows:
        numbers = [row.floor, row.ratio, row.p50, row.p95, row.p99]
        table.add_row(row.name, f"{row.value:,.1f}", row.unit, *("" if n is None else f"{n:,.2f}" for n in numbers))
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--only", nargs="+", default=[], help="measure only these rows")
    parser.add_argument("--count", type=int, default=3000, help="declarations per service row")
    return parser


if __name__ == "__main__":
    main()
