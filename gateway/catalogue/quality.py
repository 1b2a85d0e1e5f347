"""The checklist of an adapter: every rule is done, exempt with a reason, or to do. Silence is not an exemption.

quality.yaml is a mapping: rule -> ``done``, ``to do``, or ``{exempt: reason}``. An adapter may add rules of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from gateway.errors import Finding

FILE = "quality.yaml"

# Rule -> what "done" claims. The contract suite proves some of it; a person answers for the rest.
RULES: dict[str, str] = {
    "samples": "every message of the manifest has a realistic sample of our own making, with its expected document",
    "roundtrip": "every sample comes back equal, and so does every real message we have",
    "coverage": "of every real message at least 95 % of the leaves reach canonical fields",
    "loss_table": "every canonical leaf is carried, or ignored with a reason a person has read",
    "rules": "the partner's numbered rules are in rules.py, each with its number and source",
    "receipts": "every answer of the partner becomes a function, with its raw code and text",
    "simulator": "the partner is simulated: delays, doubles, reordering, refusals, garbage",
    "codes": "codes and misspellings of the partner are taken from its lists, with their dates",
    "attacks": "hostile bytes are refused with one of our errors, within the limits of the syntax",
    "texts": "every finding has its words in Chinese and English",
    "real_partner": "it was tried against the partner's own test system",
}

STATES = ("done", "to do")


def read(folder: Path) -> dict[str, Any]:
    """The checklist as it stands in the file; empty where there is none or it is no mapping."""
    try:
        content = yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}


def exemption(checklist: dict[str, Any], rule: str) -> str:
    """The reason why a rule does not hold for this adapter, "" where it does."""
    answer = checklist.get(rule)
    return str(answer.get("exempt") or "") if isinstance(answer, dict) else ""


def findings(folder: Path) -> Iterable[Finding]:
    """Rules without an answer, and answers that are none."""
    checklist = read(folder)
    params = {"adapter": folder.name}
    for rule, claim in RULES.items():
        if rule not in checklist:
            yield Finding("catalogue.quality.silent", f"/{rule}", expected=claim, partner_place=FILE, params=params)
    for rule, answer in checklist.items():
        reason = exemption(checklist, rule)
        if answer not in STATES and len(reason.split()) < 3 and len(reason) < 8:
            expected = "done, to do, or {exempt: a sentence}"
            yield Finding(
                "catalogue.quality.answer", f"/{rule}", str(answer)[:60], expected, partner_place=FILE, params=params
            )
