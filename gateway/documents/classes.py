"""Data classes: what sort of data stands at a place of a document, and a document without some of its values.

Every property of specs/documents is ``business``, ``personal`` or ``important`` (x-data-class; the nearest part that names one
counts). What no schema knows is important: nobody has looked at it.

A value that is taken out takes with it what means nothing without it: an object that lacks a required member now, an
object or list that is empty now. A member leaves a list only where no later one moves up by that, or where members are told apart
by their scheme: elsewhere partners name members by their place, and an answer would speak of the wrong one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.documents.pointers import leaf_values, to_pointer
from gateway.documents.schemas import Schema, flatten

BUSINESS, PERSONAL, IMPORTANT = CLASSES = ("business", "personal", "important")
_GONE: Any = object()


def along(schema: Schema, names: Sequence[str]) -> tuple[str, ...]:
    """The class at each step of a way through the properties of a schema; the members of a list are its own step's."""
    node, _ = flatten(schema, schema)
    data_class = str(node.get("x-data-class", BUSINESS))
    found: list[str] = []
    for name in names:
        properties = node.get("properties")
        if isinstance(properties, dict):
            if name not in properties:
                return (*found, *(IMPORTANT for _ in names[len(found) :]))
            node, data_class = _inside(schema, properties[name], data_class)
        elif node.get("type", "object") != "object":
            return (*found, *(IMPORTANT for _ in names[len(found) :]))
        found.append(data_class)  # below a free object all is of its class
    return tuple(found)


def _inside(schema: Schema, node: Schema, data_class: str) -> tuple[Schema, str]:
    node, _ = flatten(schema, node)
    data_class = str(node.get("x-data-class", data_class))
    while isinstance(node.get("items"), dict):
        node, _ = flatten(schema, node["items"])
        data_class = str(node.get("x-data-class", data_class))
    return node, data_class


@dataclass(frozen=True, slots=True)
class Without:
    """A document without some values. document: None where nothing is left that could stand. gone: every leaf that is not in it.
    moved: lists in which later members would have moved up."""

    document: dict[str, Any] | None
    gone: tuple[str, ...]
    moved: tuple[str, ...]


def without(schema: Schema, document: dict[str, Any], pointers: Collection[str]) -> Without:
    """The document without the leaves at pointers; the given one is left alone."""
    thinning = _Thinning(schema, frozenset(pointers))
    left = thinning.thin(document, schema, "")
    remaining = None if left is _GONE else left
    gone = tuple(pointer for pointer, _ in leaf_values(document) if pointer in thinning.gone)
    return Without(remaining, gone, tuple(sorted(thinning.moved)))


class _Thinning:
    def __init__(self, schema: Schema, pointers: frozenset[str]) -> None:
        self._schema = schema
        self._pointers = pointers
        self.gone: set[str] = set()
        self.moved: set[str] = set()

    def thin(self, value: Any, node: Schema, at: str) -> Any:
        """What is left of a value, or _GONE."""
        if isinstance(value, dict) and value:
            return self._object(value, flatten(self._schema, node)[0], at)
        if isinstance(value, list) and value:
            return self._list(value, flatten(self._schema, node)[0], at)
        if at in self._pointers:
            self.gone.add(at)
            return _GONE
        return value

    def _object(self, value: dict[str, Any], flat: Schema, at: str) -> Any:
        properties = flat.get("properties", {})
        kept: dict[str, Any] = {}
        for name, inner in value.items():
            left = self.thin(inner, properties.get(name, {}), at + to_pointer((name,)))
            if left is not _GONE:
                kept[name] = left
        if any(name in value and name not in kept for name in flat.get("required", ())):
            self.gone.update(at + below for below, _ in leaf_values(value))
            self.moved = {place for place in self.moved if not place.startswith(f"{at}/")}
            return _GONE
        return kept or _GONE

    def _list(self, value: list[Any], flat: Schema, at: str) -> Any:
        items = flat.get("items", {})
        kept: list[Any] = []
        for index, inner in enumerate(value):
            left = self.thin(inner, items, f"{at}/{index}")
            if left is _GONE:
                continue
            if len(kept) < index and not self._told_apart(items):
                self.moved.add(at)
            kept.append(left)
        return kept or _GONE

    def _told_apart(self, items: Schema) -> bool:
        """Whether members are known by what they say of themselves, wherever they stand."""
        return "scheme" in flatten(self._schema, items)[0].get("properties", {})
