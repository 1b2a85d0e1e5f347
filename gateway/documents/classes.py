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


class DataClasses:
    """What one schema says of data classes. Each of its places is looked up once; safe to share between threads."""

    def __init__(self, schema: Schema) -> None:
        self._parts = _Parts(schema)
        # A part that holds itself leads back to the same place, so there are no more of them than the schema is long.
        self._places: dict[tuple[int, str], _Place] = {}
        self._root = self._place(schema, BUSINESS)

    def along(self, names: Sequence[str]) -> tuple[str, ...]:
        """The class at each step of a way through the properties; the members of a list are its own step's."""
        here = self._root
        found: list[str] = []
        for name in names:
            here = here.below.get(name) or self._step(here, name)
            found.append(here.data_class)
        return tuple(found)

    def without(self, document: dict[str, Any], pointers: Collection[str]) -> Without:
        """The document without the leaves at pointers; the given one is left alone."""
        thinning = _Thinning(self._parts, frozenset(pointers))
        left = thinning.thin(document, self._parts.schema, "")
        remaining = None if left is _GONE else left
        gone = tuple(pointer for pointer, _ in leaf_values(document) if pointer in thinning.gone)
        return Without(remaining, gone, tuple(sorted(thinning.moved)))

    def _step(self, here: _Place, name: str) -> _Place:
        properties = here.flat.get("properties")
        if isinstance(properties, dict):
            if name not in properties:
                return _UNKNOWN
            here.below[name] = place = self._place(properties[name], here.data_class)
            return place
        # Below a free object all is of its class.
        return here if here.flat.get("type", "object") == "object" else _UNKNOWN

    def _place(self, node: Schema, around: str) -> _Place:
        found = self._places.get((id(node), around))
        if found is None:
            flat = self._parts.flat(node)
            data_class = str(flat.get("x-data-class", around))
            while isinstance(flat.get("items"), dict):
                flat = self._parts.flat(flat["items"])
                data_class = str(flat.get("x-data-class", data_class))
            found = self._places[(id(node), around)] = _Place(data_class, flat)
        return found


class _Parts:
    """The nodes of one schema, each with what it refers to taken in.

    By identity: a node is a part of the schema, which stays, or of another node that was taken in, which is kept here.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._flat: dict[int, tuple[Schema, Schema]] = {}

    def flat(self, node: Schema) -> Schema:
        found = self._flat.get(id(node))
        if found is None:
            found = self._flat[id(node)] = (node, flatten(self.schema, node)[0])
        return found[1]


class _Place:
    """A place of a schema. flat: its node, or that of its members where it is a list."""

    __slots__ = ("below", "data_class", "flat")

    def __init__(self, data_class: str, flat: Schema) -> None:
        self.data_class = data_class
        self.flat = flat
        self.below: dict[str, _Place] = {}


# What no schema knows, and all that lies below it.
_NOTHING: Schema = {}
_UNKNOWN = _Place(IMPORTANT, _NOTHING)


@dataclass(frozen=True, slots=True)
class Without:
    """A document without some values. document: None where nothing is left that could stand. gone: every leaf that is not in it.
    moved: lists in which later members would have moved up."""

    document: dict[str, Any] | None
    gone: tuple[str, ...]
    moved: tuple[str, ...]


class _Thinning:
    def __init__(self, parts: _Parts, pointers: frozenset[str]) -> None:
        self._parts = parts
        self._pointers = pointers
        self.gone: set[str] = set()
        self.moved: list[str] = []

    def thin(self, value: Any, node: Schema, at: str) -> Any:
        """What is left of a value, or _GONE."""
        if isinstance(value, dict) and value:
            return self._object(value, self._parts.flat(node), at)
        if isinstance(value, list) and value:
            return self._list(value, self._parts.flat(node), at)
        if at in self._pointers:
            self.gone.add(at)
            return _GONE
        return value

    def _object(self, value: dict[str, Any], flat: Schema, at: str) -> Any:
        properties, moved_before = flat.get("properties", _NOTHING), len(self.moved)
        kept: dict[str, Any] = {}
        for name, inner in value.items():
            left = self.thin(inner, properties.get(name, _NOTHING), at + to_pointer((name,)))
            if left is not _GONE:
                kept[name] = left
        if any(name in value and name not in kept for name in flat.get("required", ())):
            self.gone.update(at + below for below, _ in leaf_values(value))
            del self.moved[moved_before:]
            return _GONE
        return kept or _GONE

    def _list(self, value: list[Any], flat: Schema, at: str) -> Any:
        items = flat.get("items", _NOTHING)
        kept: list[Any] = []
        moves = False
        for index, inner in enumerate(value):
            left = self.thin(inner, items, f"{at}/{index}")
            if left is _GONE:
                continue
            moves = moves or len(kept) < index
            kept.append(left)
        if moves and not self._told_apart(items):
            self.moved.append(at)
        return kept or _GONE

    def _told_apart(self, items: Schema) -> bool:
        """Whether members are known by what they say of themselves, wherever they stand."""
        return "scheme" in self._parts.flat(items).get("properties", {})
