"""WCO pointers and JSON Pointers: two ways to name one place of a declaration.

A WCO pointer is a list of steps from the declaration (42A) down: each names a class by its id, with a sequence number where
the class repeats; the last one may name an element by its tag. ``42A/67A/68A[2]/23A/21A[1]:145`` is the id of the first
classification of the second goods item. Ids come from the element table, places of ours from the mapping: nothing is
written down here. Source: WCO Data Model 3.6, class Pointer (97A).

Sequence numbers of real messages are not to be trusted where a class stands once; they are not looked at there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from gateway.documents.pointers import index_of, to_parts
from gateway.mapping import Mapping
from gateway.mapping.paths import Step, read
from gateway.mapping.plan import Branch, Repeat
from gateway.ports import Json
from gateway.syntax.tables import Node

DECLARATION = "42A"
CLASS_ID = re.compile(r"[0-9]{2}[A-Z]")
Chain = tuple[tuple[Node, int | None], ...]


def shown(steps: Iterable[Json]) -> str:
    """One line for people: ``42A/67A/68A[2]:131``."""
    parts = []
    for step in steps:
        number, tag = step.get("sequence_number"), step.get("tag_id")
        section = step.get("document_section_code", "")
        parts.append(section + (f"[{number}]" if number else "") + (f":{tag}" if tag else ""))
    return "/".join(parts)


def number_of(text: str) -> int | None:
    """A sequence number as it is counted, None where it is none; leading zeros are written here and there."""
    return index_of(text.lstrip("0") or text[:1])


class Places:
    """The places of one kind of document, by either name."""

    def __init__(self, mapping: Mapping) -> None:
        self._declaration = mapping.plan.children["Declaration"]

    def json_pointer(self, steps: list[Json], document: Json | None = None) -> str | None:
        """The place in document, or in any document where none is given; None where the steps do not begin at one.

        What the steps name beyond what the mapping or the document has is cut off: the nearest place above is the answer.
        """
        if not steps or steps[0].get("document_section_code") != DECLARATION:
            return None
        branch, scope, at = self._declaration, document, ""
        for step in steps[1:]:
            below = _class_below(branch, step.get("document_section_code", ""))
            if below is None:
                return at + _common(branch)
            if not below.repeats:
                branch = below
                continue
            repeat = below.repeats[0]
            array = at + _pointer(scope, repeat.array)
            index = _index(step.get("sequence_number"), read(scope, repeat.array) if scope is not None else None)
            if index is None:
                return array
            scope = _member(scope, repeat, index)
            branch, at = repeat.body, f"{array}/{index}"
        tagged = _tag_below(branch, steps[-1].get("tag_id", ""))
        if tagged is None:
            return at + _common(branch)
        return at + _pointer(scope, next(_leaf_steps(tagged)))

    def steps(self, pointer: str) -> list[Json] | None:
        """The WCO pointer for a place of ours; None where the partner's message has no such place."""
        parts = to_parts(pointer)
        if not parts:
            return [{"sequence_number": "1", "document_section_code": DECLARATION}]
        start: Chain = ((self._declaration.node, None),)
        found = next(_chains(self._declaration, parts, start), None)
        return None if found is None else _steps_of(found)


# From the partner's steps to ours.


def _class_below(branch: Branch, class_id: str) -> Branch | None:
    found = (node for node in branch.node.children if node.wco_id == class_id and CLASS_ID.fullmatch(class_id))
    return next((branch.children[node.row.segment] for node in found if node.row.segment in branch.children), None)


def _tag_below(branch: Branch, tag: str) -> Branch | None:
    found = (node for node in branch.node.children if tag and node.wco_id == tag)
    return next((branch.children[node.row.segment] for node in found if node.row.segment in branch.children), None)


def _index(number: str | None, members: Any) -> int | None:
    """Which member is meant: the one that carries the number, else the one in that position; None where there is none."""
    counted = number_of(number) if number is not None else None
    if counted is None:
        return None
    if not isinstance(members, list):
        return counted - 1 if counted and members is None else None
    numbered = [index for index, member in enumerate(members) if member.get("sequence_number") == number]
    if numbered:
        return numbered[0]
    return counted - 1 if 0 < counted <= len(members) else None


def _pointer(scope: Any, steps: tuple[Step, ...]) -> str:
    """JSON Pointer below scope; of a chosen member the index it has there, the first where no document is given.

    Where the document lacks the chosen member, the array that should hold it is the answer.
    """
    pointer = ""
    for step in steps:
        pointer += f"/{step.name}"
        known = scope is not None
        scope = scope.get(step.name) if isinstance(scope, dict) else None
        if step.key:
            members = scope if isinstance(scope, list) else []
            index = next((place for place, member in enumerate(members) if step.picks(member)), None)
            if index is None and known:
                return pointer
            pointer += f"/{index or 0}"
            scope = members[index] if index is not None else None
    return pointer


def _member(scope: Any, repeat: Repeat, index: int) -> Any:
    members = read(scope, repeat.array) if scope is not None else None
    return members[index] if isinstance(members, list) and index < len(members) else None


def _leaf_steps(branch: Branch) -> Iterator[tuple[Step, ...]]:
    """Canonical steps of every leaf and array of a branch, below the member it stands in."""
    for bound in branch.bounds:
        yield from bound.tie.steps
    for repeat in branch.repeats:
        yield repeat.array
    for below in (*branch.attributes.values(), *branch.children.values()):
        yield from _leaf_steps(below)


def _common(branch: Branch) -> str:
    """Where a group stands: the steps that all its leaves share, as a pointer below the member it stands in."""
    return "".join(f"/{name}" for name in _shared(branch))


def _shared(branch: Branch) -> list[str]:
    all_names = [[step.name for step in steps] for steps in _leaf_steps(branch)]
    if not all_names or len({tuple(names) for names in all_names}) == 1:
        return all_names[0][:-1] if all_names and CLASS_ID.fullmatch(branch.node.wco_id) else (all_names or [[]])[0]
    shared: list[str] = []
    for names in zip(*all_names, strict=False):
        if len(set(names)) > 1:
            break
        shared.append(names[0])
    return shared


# From our parts to the partner's steps.


def _chains(branch: Branch, parts: list[str], above: Chain) -> Iterator[Chain]:
    """Chains of elements that lead to the place; the exact leaf first, else the group that stands there."""
    for below in branch.children.values():
        here = (*above, (below.node, None))
        for repeat in below.repeats:
            yield from _through(repeat, below.node, parts, above)
        if not below.repeats:
            # A unit or currency is an attribute: the element that carries it is the nearest that can be named.
            leaves = [*below.bounds, *(bound for unit in below.attributes.values() for bound in unit.bounds)]
            if any(_matches(steps, parts) for bound in leaves for steps in bound.tie.steps):
                yield here
            yield from _chains(below, parts, here)
    for below in branch.children.values():
        if not below.repeats and _shared(below) == parts:
            yield (*above, (below.node, None))


def _through(repeat: Repeat, node: Node, parts: list[str], above: Chain) -> Iterator[Chain]:
    names = [step.name for step in repeat.array]
    if parts[: len(names)] != names:
        return
    rest = parts[len(names) :]
    if not rest:
        yield (*above, (node, None))
    elif (index := index_of(rest[0])) is not None:
        here = (*above, (node, index))
        if len(rest) == 1:
            yield here
        else:
            yield from _chains(repeat.body, rest[1:], here)


def _matches(steps: tuple[Step, ...], parts: list[str]) -> bool:
    """Whether the parts name this leaf; the index of a chosen member (an identifier) is any number."""
    left = list(parts)
    for step in steps:
        if not left or left.pop(0) != step.name:
            return False
        if step.key and (not left or index_of(left.pop(0)) is None):
            return False
    return not left


def _steps_of(chain: Chain) -> list[Json]:
    steps: list[Json] = []
    for node, index in chain:
        if CLASS_ID.fullmatch(node.wco_id):
            steps.append({"sequence_number": str((index or 0) + 1), "document_section_code": node.wco_id})
        elif node.wco_id:
            steps[-1]["tag_id"] = node.wco_id
    return steps
