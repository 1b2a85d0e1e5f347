"""A mapping as lines that people read: which element holds which canonical place, under which condition, and who says so.

Pages of the docs and of the console are made from these lines, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.mapping.paths import Step
from gateway.mapping.plan import Branch


@dataclass(frozen=True, slots=True)
class MappingLine:
    """One element. places: the canonical paths that it holds, () for a constant, whose text is always there; codes: a code list."""

    element: str
    places: tuple[str, ...]
    codes: str = ""
    note: str = ""
    source: str = ""
    constant: str | None = None


def lines(branch: Branch, array: str = "") -> Iterator[MappingLine]:
    """The lines of a plan in the order of the message."""
    if branch.constant is not None:
        constant = branch.constant
        yield MappingLine(branch.node.path, (), "", constant.note, constant.source, constant.text)
    for bound in branch.bounds:
        row = bound.tie.row
        places = tuple(_dotted(array, steps) for steps in bound.tie.steps)
        conditions = [
            f"{_dotted('', condition.steps)} is {condition.value or 'anything else'}"
            for condition in bound.tie.conditions
        ]
        told = [
            row.conversion.name if row.conversion else "",
            row.note,
            f"when {' and '.join(conditions)}" if conditions else "",
        ]
        yield MappingLine(branch.node.path, places, row.codes, "; ".join(word for word in told if word), row.source)
    for below in (*branch.attributes.values(), *branch.ordered()):
        yield from lines(below, array)
    for repeat in branch.repeats:
        inner = f"{_dotted(array, repeat.steps)}[]"
        yield MappingLine(branch.node.path, (inner,), "", repeat.row.note, repeat.row.source)
        yield from lines(repeat.body, inner)


def _dotted(array: str, steps: Iterable[Step]) -> str:
    return ".".join(part for part in (array, *(str(step) for step in steps)) if part)
