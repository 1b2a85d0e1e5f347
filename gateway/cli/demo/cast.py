"""Who plays in the demonstration: every adapter with a demo.yaml beside its manifest, put into one frame.

The file of an adapter says with whom it is shown (``partners``, ``agreements``, ``routes``), which ``folders`` are made, how its
``simulator`` is started, and which ``declarations`` are filed and must come to which end; their files lie in its folder
demo/. Nothing here or in the frame names an adapter. ${words} stay as they are until scenario.py fills them in; of them
${partner_port} is another one for each adapter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.catalogue import Entry
from gateway.catalogue.manifest import read_yaml
from gateway.errors import NeedsOperator

FILE, FOLDER = "demo.yaml", "demo"
NEEDED = {"partners", "agreements", "routes", "simulator", "declarations"}
KNOWN = NEEDED | {"folders"}


@dataclass(frozen=True, slots=True)
class Part:
    """What one adapter adds. declarations_in: the folder of the documents that it files."""

    adapter: str
    raw: Mapping[str, Any]
    declarations_in: Path


def parts(entries: Iterable[Entry]) -> list[Part]:
    """The part of each adapter that has one, in the order of the catalogue. NeedsOperator for a file that says too little."""
    return [_part(entry) for entry in entries if (entry.root / FILE).is_file()]


def _part(entry: Entry) -> Part:
    raw = read_yaml(entry.root / FILE)
    said = set(raw) if isinstance(raw, dict) else set()
    if not NEEDED <= said <= KNOWN:
        wrong = ", ".join(sorted((NEEDED - said) | (said - KNOWN)))
        raise NeedsOperator(f"{FILE} of {entry.id}: {wrong} missing or unknown")
    return Part(entry.id, raw, entry.root / FOLDER)


def partners_file(frame: Mapping[str, Any], cast: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The partners file of all of them; cast: what each adapter's file says, its words filled in, with ``adapter``."""
    environment = {"environment": frame["environment"]}
    whole: dict[str, Any] = dict(frame) | {"partners": [], "agreements": [], "routes": []}
    for raw in cast:
        whole["partners"] += [partner | environment for partner in raw["partners"]]
        whole["agreements"] += [one | environment | {"adapter": raw["adapter"]} for one in raw["agreements"]]
        whole["routes"] += raw["routes"]
    # The first route that fits is taken: one that asks for something goes before one that takes the rest.
    whole["routes"].sort(key=lambda route: not route.get("when"))
    return whole
