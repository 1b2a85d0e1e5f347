"""What the simulated partner does with a declaration: a plan of answers, decided by marks in its remarks or by dice.

Pure: no folder, no clock. A plan is a list of steps, each some seconds after the file was taken; simulator.py gives them
numbers, times and names. Marks are words in NoteS; a script gives the same words a share of all declarations.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

# Mark -> what it does; the help text of the simulator is made from it.
MARKS: dict[str, str] = {
    "FAIL": "the import is refused, naming the first goods item",
    "RETURN": "customs returns the declaration once (退单); its correction goes through",
    "REJECT": "customs rejects it",
    "CANCEL": "customs deletes it before release",
    "MANIFEST": "customs waits for the manifest first",
    "CONDITIONAL": "released conditionally",
    "INSPECT": "inspected, then released",
    "DUTY": "duty is to be paid, then released",
    "GUARANTEE": "released against a guarantee",
    "DRAFT": "the draft is never declared",
    "HANG": "the file is taken and never answered",
    "SILENT": "the same",
    "LOSE": "the answer to the import is lost, the receipts come",
    "GARBAGE": "broken bytes come before the answers",
    "DOUBLE": "every answer comes twice",
    "REORDER": "the receipts come in the wrong order",
    "DELAY": "everything takes ten times as long",
}
MARK = re.compile(r"SIM:([A-Z]+)")
UNANSWERED = {"HANG", "SILENT"}

CARD_HOLDER_S = 2.0
MANIFEST_S = 6.0
GARBAGE = b"\x00\xff<DEC_RESULT><CUS_CIQ_NO>"


@dataclass(frozen=True, slots=True)
class Step:
    """One answer, after_s seconds after the file was taken.

    kind: ``answer`` to the import (code, text), ``receipt`` of customs (code is the channel), ``garbage``. stored: customs has given
    it a number by then. issued_s: the time of issue it names, where that is not the time it comes.
    """

    kind: str
    after_s: float
    code: str = ""
    text: str = ""
    stored: bool = False
    issued_s: float | None = None

    def at(self, after_s: float) -> Step:
        """The same answer, coming at another time."""
        return replace(self, after_s=after_s, issued_s=self.after_s if self.issued_s is None else self.issued_s)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the plan depends on. round: 1 for a new declaration, more when its number was declared before."""

    client_number: str
    remarks: str
    operation: str
    type_step: str
    bill: str
    round: int


def marks_of(seen: Seen, script: Mapping[str, float], seed: int) -> set[str]:
    """The marks written in the remarks, else those that the dice choose; the same for the same number and seed."""
    written = {mark for mark in MARK.findall(seen.remarks) if mark in MARKS}
    if written:
        return written
    dice = random.Random(f"{seed}:{seen.client_number}")  # noqa: S311 - mischief, not secrets
    return {mark for mark in MARKS if dice.random() < script.get(mark.lower(), 0.0)}


def plan(seen: Seen, marks: set[str]) -> list[Step]:
    """Every answer this declaration will get, in order of time."""
    if marks & UNANSWERED:
        return []
    if "FAIL" in marks:
        steps = [Step("answer", 0.2, "1", "暂存失败：商品序号1：,规格型号填制不规范")]
    else:
        steps = [Step("answer", 0.2, "0", "暂存成功"), *_customs(seen, marks)]
    if "LOSE" in marks:
        steps = [step for step in steps if step.kind != "answer"]
    if "GARBAGE" in marks:
        steps.insert(0, Step("garbage", 0.1))
    if "REORDER" in marks:
        steps = _reordered(steps)
    if "DOUBLE" in marks:
        steps = [twice for step in steps for twice in (step, step.at(step.after_s + 0.1))]
    if "DELAY" in marks:
        steps = [replace(step, after_s=step.after_s * 10) for step in steps]
    return sorted(steps, key=lambda step: step.after_s)


def _customs(seen: Seen, marks: set[str]) -> list[Step]:
    """The receipts. With a draft a card holder declares first; 7, L, J, P, R are seconds and minutes apart in practice."""
    start = 0.5
    if seen.operation == "G":
        if "DRAFT" in marks:
            return []
        start += CARD_HOLDER_S
    steps = []
    if "MANIFEST" in marks and seen.round == 1:
        steps.append(Step("receipt", start, "S", f"未找到舱单，提运单号：{seen.bill or seen.client_number}"))
        start += MANIFEST_S
    steps.append(Step("receipt", start, "7", "直接申报成功"))
    if "REJECT" in marks:
        return [*steps, Step("receipt", start + 0.5, "E", "不接受申报")]
    steps.append(Step("receipt", start + 0.5, "L", "成功入海关预录入库;", stored=True))
    if "RETURN" in marks and seen.round == 1:
        return [*steps, Step("receipt", start + 1.0, "Z", "退回修改：商品序号1：,申报要素填制有误", stored=True)]
    steps.append(Step("receipt", start + 1.0, "J", "审结", stored=True))
    if "CANCEL" in marks:
        return [*steps, Step("receipt", start + 1.5, "A", "放行前删单", stored=True)]
    return [*steps, *_release(seen, marks, start + 1.5)]


def _release(seen: Seen, marks: set[str], start: float) -> list[Step]:
    steps = []
    if "DUTY" in marks:
        steps.append(Step("receipt", start, "T", "税款待缴", stored=True))
        start += 1.0
    if "INSPECT" in marks:
        steps.append(Step("receipt", start, "C", "查验通知", stored=True))
        start += 1.0
    if "CONDITIONAL" in marks:
        steps.append(Step("receipt", start, "P", "附条件提离", stored=True))
        start += 1.0
    if "GUARANTEE" in marks:
        steps.append(Step("receipt", start, "K", "无纸担保放行", stored=True))
        start += 1.0
    if seen.type_step == "5":  # a released summary is not the end: its complete declaration is to come
        return [*steps, Step("receipt", start, "P", "概要申报放行", stored=True)]
    # Seen in practice: both carry the same second, and R the lower receipt number.
    return [*steps, Step("receipt", start, "R", "结关", stored=True), Step("receipt", start, "P", "放行", stored=True)]


def _reordered(steps: list[Step]) -> list[Step]:
    """The receipts at each other's times, last first; the answer to the import keeps its own."""
    receipts = [step for step in steps if step.kind == "receipt"]
    times = [step.after_s for step in reversed(receipts)]
    moved = iter([step.at(after_s) for step, after_s in zip(receipts, times, strict=True)])
    return [next(moved) if step.kind == "receipt" else step for step in steps]


def decision(cancels: bool, remarks: str) -> list[Step]:
    """The answers to a request to amend or cancel."""
    kind = "撤销" if cancels else "修改"
    verdict = "退回" if {"REJECT", "REFUSE"} & set(MARK.findall(remarks)) else "通过"
    return [
        Step("answer", 0.2, "0", f"{kind}申请已接收"),
        Step("receipt", 1.0, "M", f"{kind}申请审批{verdict}", stored=True),
    ]
