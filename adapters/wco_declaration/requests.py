"""What a request about a filed declaration says in several places at once.

An amendment lists its changes: reason code, reason in words, place. On the wire the code and the place stand in Amendment
(06A), the words in AdditionalInformation of type AES, tied to the n-th Amendment by a pointer 42A/06A[n]. A cancellation
has one reason of that kind. Here the two meet: expand() before encoding, explain() after decoding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from adapters.wco_declaration.pointers import DECLARATION, Places, number_of, shown
from gateway.documents.pointers import index_of
from gateway.errors import Finding, RuleBroken
from gateway.mapping.report import LossReport
from gateway.ports import Json

AMENDMENT, CANCELLATION, PRESENTATION = "declaration_amendment", "declaration_cancellation", "goods_presentation"
REQUESTS = {AMENDMENT: "COR", CANCELLATION: "INV", PRESENTATION: "GPR"}
REASON = "AES"
AMENDMENT_CLASS = "06A"


@dataclass(slots=True)
class Expanded:
    """document: what the mapping writes. carried, ignored: what it says of values that have no row of their own."""

    document: Json
    carried: set[str] = field(default_factory=set)
    ignored: dict[str, str] = field(default_factory=dict)

    def report(self, written: LossReport) -> LossReport:
        """The mapping's report with what is known better here."""
        told = self.carried | self.ignored.keys()
        return LossReport(
            carried=(*written.carried, *sorted(self.carried - set(written.carried))),
            ignored={**written.ignored, **self.ignored},
            lost=tuple(pointer for pointer in written.lost if pointer not in told),
        )


def expand(kind: str, document: Json, places: Places) -> Expanded:
    """The request with everything written out that the wire has twice. RuleBroken names places that are none."""
    made = Expanded(dict(document))
    if kind == PRESENTATION or not isinstance(document.get("changes", []), list):
        return made
    changes = [dict(change) if isinstance(change, dict) else change for change in document.get("changes", ())]
    if not changes and ("reason_code" in document or (kind == CANCELLATION and "reason_text" in document)):
        changes = [{}]
    findings: list[Finding] = []
    texts: list[Json] = []
    told = _told(document)
    for index, change in enumerate(changes):
        if not isinstance(change, dict):
            continue
        _share_reason(document, change, made, worded=bool(told))
        _write_place(change, index, places, made, findings)
        _weigh_values(document, change, index, made)
        if text := change.get("reason_text"):
            made.carried.add(f"/changes/{index}/reason_text")
            if index + 1 not in told:
                texts.append(_reason(str(text), index + 1))
    if findings:
        raise RuleBroken("the request names places that the declaration does not have", findings)
    if changes:
        made.document["changes"] = changes
    content = made.document.get("content") or {}
    if texts and isinstance(content, dict):
        content = dict(content)
        content["additional_informations"] = [*content.get("additional_informations", ()), *texts]
        made.document["content"] = content
    return made


def _share_reason(document: Json, change: Json, made: Expanded, *, worded: bool) -> None:
    """The reason of the whole request holds for a change that has none of its own; worded: content gives it in words."""
    for name in ("reason_code", "reason_text"):
        if name in document:
            made.carried.add(f"/{name}")
            if name == "reason_code" or not worded:
                change.setdefault(name, document[name])


def _write_place(change: Json, index: int, places: Places, made: Expanded, findings: list[Finding]) -> None:
    pointer = change.get("pointer")
    if pointer is None:
        return
    where = f"/changes/{index}/pointer"
    made.carried.add(where)
    if "pointers" in change:
        return
    try:
        steps = places.steps(str(pointer))
    except ValueError:
        steps = None
    if steps is None:
        findings.append(Finding("wco_declaration.change.place", where, str(pointer)[:80], source="WCO-AMD-002"))
    else:
        change["pointers"] = steps


def _weigh_values(document: Json, change: Json, index: int, made: Expanded) -> None:
    """The old value is customs' own; the new one is carried where content says the same."""
    for name in ("old_value", "old_name"):
        if name in change:
            made.ignored[f"/changes/{index}/{name}"] = "customs holds the value before the change"
    new, pointer = change.get("new_value"), change.get("pointer")
    if new is not None and isinstance(pointer, str) and _said(document.get("content"), pointer) == new:
        made.carried.add(f"/changes/{index}/new_value")


def _said(content: Any, pointer: str) -> Any:
    """The value in the sparse copy: of a list it holds only what changes, so members are found by their number."""
    here = content
    for step in pointer.split("/")[1:]:
        index = index_of(step)
        if isinstance(here, list) and index is not None:
            numbered = [one for one in here if isinstance(one, dict) and one.get("sequence_number") == str(index + 1)]
            here = numbered[0] if numbered else (here[index] if index < len(here) else None)
        else:
            here = here.get(step) if isinstance(here, dict) else None
    return here


def _told(document: Json) -> dict[int, str]:
    """Number of an Amendment -> the reason that content gives for it already; 0: for the whole request."""
    content = document.get("content")
    informations: Any = content.get("additional_informations", ()) if isinstance(content, dict) else ()
    return dict(pair for information in informations if (pair := _reason_of(information)) is not None)


def _reason_of(information: Any) -> tuple[int, str] | None:
    if not isinstance(information, dict) or information.get("statement_type_code") != REASON:
        return None
    text, steps = information.get("statement_description"), information.get("pointers")
    if not text or not steps:
        return (0, str(text)) if text else None
    last = steps[-1] if isinstance(steps, list) and isinstance(steps[-1], dict) else {}
    number = number_of(str(last.get("sequence_number") or "1"))
    if last.get("document_section_code") != AMENDMENT_CLASS or number is None:
        return None
    return number, str(text)


def _reason(text: str, number: int) -> Json:
    return {
        "statement_description": text,
        "statement_type_code": REASON,
        "pointers": [
            {"sequence_number": "1", "document_section_code": DECLARATION},
            {"sequence_number": str(number), "document_section_code": AMENDMENT_CLASS},
        ],
    }


def explain(kind: str, document: Json, places: Places) -> None:
    """Add to a received request what follows from it: places as JSON Pointers, reasons in words beside their change."""
    told = _told(document)
    changes = document.get("changes", [])
    if kind == AMENDMENT:
        for index, change in enumerate(changes):
            pointer = places.json_pointer(change.get("pointers", []))
            # Only an exact answer: read back it must be the same place.
            if pointer and _same_place(places.steps(pointer), change["pointers"]):
                change["pointer"] = pointer
            if index + 1 in told:
                change["reason_text"] = told[index + 1]
    elif kind == CANCELLATION:
        _lift_reason(document, changes, told)


def _lift_reason(document: Json, changes: list[Json], told: dict[int, str]) -> None:
    if changes and all("reason_code" in change for change in changes):
        document["reason_code"] = changes[0]["reason_code"]
        if len(changes) == 1 and set(changes[0]) == {"reason_code"}:
            del document["changes"]
    if told:
        document["reason_text"] = told[min(told)]


def _same_place(ours: list[Json] | None, theirs: list[Json]) -> bool:
    """The same classes and tag; numbers are compared by the caller's way there, which used them."""
    return ours is not None and _plain(ours) == _plain(theirs)


def _plain(steps: list[Json]) -> str:
    return re.sub(r"\[\d+\]", "", shown(steps))
