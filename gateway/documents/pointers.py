"""JSON Pointers (RFC 6901): the one way this project names a place in a document of ours.

A pointer is "" for the whole, else one ``/step`` per level, with ``~`` written ``~0`` and ``/`` written ``~1`` (section 3).
A step into a list is its index without leading zeros (section 4); ``-``, the place behind the last one, only ``set`` knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Path = tuple[str | int, ...]

_MISSING: Any = object()


def to_pointer(parts: Iterable[str | int]) -> str:
    """Write steps as a pointer: ``("a", 0, "b/c")`` is ``/a/0/b~1c``."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def to_parts(pointer: str) -> list[str]:
    """The steps of a pointer, unescaped. Raises ValueError where it neither is empty nor begins with a slash."""
    if pointer == "":
        return []
    if not pointer.startswith("/"):
        raise ValueError(f"a JSON Pointer is empty or begins with '/', got {pointer[:80]!r}")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/")]


def resolve(document: Any, pointer: str, default: Any = _MISSING) -> Any:
    """The value at pointer; KeyError names the pointer where there is none, unless a default is given."""
    value = document
    for step in to_parts(pointer):
        value = _step(value, step)
        if value is _MISSING:
            if default is _MISSING:
                raise KeyError(pointer)
            return default
    return value


def set(document: Any, pointer: str, value: Any) -> None:
    """Put value at pointer, in place; objects on the way are made, lists must exist and grow by one at most (``-`` or
    the index behind the last one). Raises KeyError where the way is blocked, ValueError for "" (nothing holds the whole).
    """
    steps = to_parts(pointer)
    if not steps:
        raise ValueError("the whole document cannot be replaced in place")
    here = document
    for step in steps[:-1]:
        found = _step(here, step)
        if found is _MISSING:
            found = {}
            _put(here, step, found, pointer)
        here = found
    _put(here, steps[-1], value, pointer)


def leaf_values(document: Any) -> Iterator[tuple[str, Any]]:
    """Every leaf (text, number, true, false, null) with its pointer, in document order; empty objects and lists have none.

    Walks with a stack of its own, so that no nesting is too deep for it.
    """
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(reversed([(pointer + to_pointer((name,)), inner) for name, inner in value.items()]))
        elif isinstance(value, list):
            waiting.extend(reversed([(f"{pointer}/{index}", inner) for index, inner in enumerate(value)]))
        else:
            yield pointer, value


def reading_order(pointer: str | None) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts the whole before its parts and item 2 before item 10."""
    if not pointer:
        return ()
    steps = ((index_of(step), step) for step in pointer[1:].split("/"))
    return tuple((1, 0, step) if index is None else (0, index, "") for index, step in steps)


def index_of(step: str) -> int | None:
    """The index that a step into a list is, None where it is none. No text is too odd or too long to be asked about."""
    # int() refuses very long texts, and no list of ours has a million members.
    plain = step.isascii() and step.isdigit() and len(step) < 7 and (step == "0" or step[0] != "0")
    return int(step) if plain else None


def _step(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return value.get(step, _MISSING)
    if isinstance(value, list) and (index := index_of(step)) is not None and index < len(value):
        return value[index]
    return _MISSING


def _put(holder: Any, step: str, value: Any, pointer: str) -> None:
    if isinstance(holder, dict):
        holder[step] = value
        return
    index = index_of(step) if isinstance(holder, list) else None
    if isinstance(holder, list) and (step == "-" or index == len(holder)):
        holder.append(value)
    elif index is not None and index < len(holder):
        holder[index] = value
    else:
        raise KeyError(pointer)
