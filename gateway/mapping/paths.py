"""Canonical paths: how a mapping names a place in a document of ours.

``goods_shipment.consignor.identifiers[scheme=AEO].value`` is a path: names joined by dots; a name may be followed by
[key=value], which means the one member of that array whose key has that value. Writing through such a step makes the
member where there is none; [1] means the first member, whatever it says, for partners that have room for one. A path is relative to the scope it stands in; a leading ``^`` starts at the document's root.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

STEP = re.compile(r"^([a-z_][a-z0-9_]*)(?:\[(?:([a-z_]+)=([^\]]+)|(1))\])?$")
FIRST = "#"  # stands for a key where the first member is meant
EMPTY: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Step:
    """One name; key and value choose the member of an array, "" where the name is not an array. Key FIRST: the first one."""

    name: str
    key: str = ""
    value: str = ""

    def picks(self, member: Any) -> bool:
        return isinstance(member, dict) and (self.key == FIRST or member.get(self.key) == self.value)

    @property
    def choice(self) -> str:
        """What stands in the brackets, "" where there are none."""
        return "1" if self.key == FIRST else f"{self.key}={self.value}" if self.key else ""

    @property
    def fresh(self) -> dict[str, Any]:
        """A new member that this step picks."""
        return {} if self.key == FIRST else {self.key: self.value}

    def __str__(self) -> str:
        return f"{self.name}[{self.choice}]" if self.key else self.name


@lru_cache(maxsize=8192)
def parse(path: str) -> tuple[Step, ...]:
    """The steps of a path, () for the empty one. ValueError when it is not a path."""
    if not path:
        return ()
    steps = []
    for part in _parts(path):
        match = STEP.match(part)
        if match is None:
            raise ValueError(f"{part!r} in {path!r} is not a step of a canonical path")
        steps.append(Step(match[1], FIRST if match[4] else match[2] or "", match[3] or ""))
    return tuple(steps)


def _parts(path: str) -> Iterator[str]:
    """Split at dots outside brackets: a value may hold dots."""
    yield from re.findall(r"(?:[^.\[]|\[[^\]]*\])+", path)


def pattern(steps: tuple[Step, ...]) -> str:
    """The path as the document schema's leaf list spells it: every chosen member becomes ``[]``."""
    return ".".join(f"{step.name}[]" if step.key else step.name for step in steps)


def member(array: Any, key: str, value: str) -> Mapping[str, Any]:
    """The first member whose key has that value, or an empty mapping; with FIRST the first of all."""
    for candidate in array:
        if key == FIRST or candidate.get(key) == value:
            found: Mapping[str, Any] = candidate
            return found
    return EMPTY


def expression(scope: str, steps: tuple[Step, ...], *, empty: bool = False) -> str:
    """Python source that reads these steps from the variable scope; None, or with empty E, where something is absent.

    The names E (empty mapping) and M (member) must be known where it is compiled.
    """
    source = scope
    for place, step in enumerate(steps):
        last = place == len(steps) - 1 and not empty
        if step.key:
            source = f"M({source}.get({step.name!r}, ()), {step.key!r}, {step.value!r})"
        else:
            source = f"{source}.get({step.name!r})" if last else f"{source}.get({step.name!r}, E)"
    return source


def read(scope: Any, steps: tuple[Step, ...]) -> Any:
    """The value at these steps, None where something is absent."""
    for step in steps:
        if not isinstance(scope, Mapping):
            return None
        scope = scope.get(step.name)
        if step.key and scope is not None:
            scope = member(scope, step.key, step.value) or None
    return scope


def write(scope: dict[str, Any], steps: tuple[Step, ...], value: Any) -> str:
    """Put a value at these steps, making what is missing; return its JSON Pointer below the scope."""
    holder, pointer = reach(scope, steps[:-1])
    last = steps[-1]
    if last.key:
        raise ValueError(f"a value cannot stand in place of the member {last}")
    holder[last.name] = value
    return f"{pointer}/{last.name}"


def reach(scope: dict[str, Any], steps: tuple[Step, ...]) -> tuple[dict[str, Any], str]:
    """The object at these steps, made where it is missing, with its JSON Pointer below the scope."""
    pointer = ""
    for step in steps:
        pointer += f"/{step.name}"
        if not step.key:
            scope = scope.setdefault(step.name, {})
            continue
        array = scope.setdefault(step.name, [])
        index = next((place for place, candidate in enumerate(array) if step.picks(candidate)), len(array))
        if index == len(array):
            array.append(step.fresh)
        pointer += f"/{index}"
        scope = array[index]
    return scope, pointer


Getter = Callable[[Any], Any]


@lru_cache(maxsize=8192)
def getter(path: str) -> Getter:
    """A compiled reader of one path; made once, called often."""
    steps = parse(path)
    if not steps:
        return lambda scope: scope
    compiled: Getter = eval(f"lambda s: {expression('s', steps)}", {"E": EMPTY, "M": member})  # noqa: S307 - our own source, from parsed steps
    return compiled
