"""Data classes: that every property has one, what stands at a place, and what is left of a document without some values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.documents import Documents
from gateway.documents.classes import CLASSES, DataClasses


def properties(node: Any, at: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        for name, inner in node.get("properties", {}).items():
            yield f"{at}/properties/{name}", inner
        for name, inner in node.items():
            yield from properties(inner, f"{at}/{name}")
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from properties(inner, f"{at}/{index}")


def test_every_property_says_its_class(project_root: Path) -> None:
    unclassed = [
        at
        for file in sorted((project_root / "specs" / "documents").glob("*.json"))
        for at, node in properties(json.loads(file.read_text(encoding="utf-8")), file.name)
        if node.get("x-data-class") not in CLASSES
    ]
    assert unclassed == []


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        ("direction", "business"),
        ("declarant.contact.name", "business personal personal"),
        ("declarant.contact.identifiers.scheme", "business personal personal business"),
        ("obligation_guarantees.access_code", "business important"),
        ("border_transport_means.vehicles.crew.name", "business business personal personal"),
        ("extensions.wco_declaration.anything.below", "business business business business"),
        ("declarant.shoe_size", "business important"),
        ("direction.below", "business important"),
        ("nobody.knows", "important important"),
    ],
)
def test_the_class_of_every_step_of_a_way(documents: Documents, names: str, classes: str) -> None:
    assert documents.classes("declaration", tuple(names.split("."))) == tuple(classes.split())


def test_every_leaf_has_the_class_that_its_way_ends_with(documents: Documents) -> None:
    for kind in documents.kinds():
        for path, leaf in documents.leaves(kind).items():
            assert documents.classes(kind, tuple(path.replace("[]", "").split(".")))[-1] == leaf.data_class


SCHEMA = {
    "properties": {
        "persons": {"items": {"$ref": "#/$defs/person"}},
        "trips": {"items": {"properties": {"to": {}}}},
        "party": {"properties": {"name": {}, "identifiers": {"items": {"$ref": "#/$defs/identifier"}}}},
        "trade": {"required": ["terms"], "properties": {"terms": {"properties": {"code": {}}}, "place": {}}},
    },
    "$defs": {
        "person": {"required": ["name"], "properties": {"name": {}, "age": {}}},
        "identifier": {"required": ["value"], "properties": {"scheme": {}, "value": {}}},
    },
}
PARTY = {"name": "A", "identifiers": [{"scheme": "ID", "value": "1"}, {"scheme": "USCI", "value": "2"}]}
CASES: dict[str, tuple[dict[str, Any], list[str], dict[str, Any] | None, list[str], list[str]]] = {
    "nothing is taken out": ({"a": 1, "b": {}, "c": []}, [], {"a": 1, "b": {}, "c": []}, [], []),
    "a value goes alone": ({"a": 1, "b": 2}, ["/a"], {"b": 2}, ["/a"], []),
    "an object that lacks what it must have goes whole": (
        {"persons": [{"name": "A", "age": 3}], "a": 1}, ["/persons/0/name"], {"a": 1},
        ["/persons/0/name", "/persons/0/age"], [],
    ),
    "what is empty goes too": ({"trade": {"place": "X", "terms": {"code": "F"}}, "a": 1}, ["/trade/terms/code"], {"a": 1},
                               ["/trade/place", "/trade/terms/code"], []),
    "the last members of a list go": ({"trips": [{"to": "A"}, {"to": "B"}]}, ["/trips/1/to"], {"trips": [{"to": "A"}]}, ["/trips/1/to"], []),
    "a member before others is told": (
        {"trips": [{"to": "A"}, {"to": "B"}]}, ["/trips/0/to"], {"trips": [{"to": "B"}]}, ["/trips/0/to"], ["/trips"],
    ),
    "members with a scheme have no place": (
        {"party": PARTY}, ["/party/identifiers/0/value"],
        {"party": {"name": "A", "identifiers": [{"scheme": "USCI", "value": "2"}]}},
        ["/party/identifiers/0/scheme", "/party/identifiers/0/value"], [],
    ),
    "nothing is left": ({"a/b": 1}, ["/a~1b"], None, ["/a~1b"], []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_document_without_some_values(case: str) -> None:
    document, pointers, left, gone, moved = CASES[case]
    before = json.dumps(document)
    found = DataClasses(SCHEMA).without(document, pointers)
    assert (found.document, list(found.gone), list(found.moved)) == (left, gone, moved)
    assert json.dumps(document) == before


def test_a_schema_without_words_knows_business_only() -> None:
    assert DataClasses({}).along(["a", "b"]) == ("business", "business")


def test_a_part_that_holds_itself_has_its_classes_at_any_depth() -> None:
    node = {"properties": {"inner": {"$ref": "#/$defs/node"}, "name": {"x-data-class": "personal"}}}
    classes = DataClasses({"properties": {"top": {"$ref": "#/$defs/node"}}, "$defs": {"node": node}})
    for depth in (0, 1, 200):
        found = classes.along(["top", *["inner"] * depth, "name"])
        assert found == (*["business"] * (depth + 1), "personal")
    assert len(classes._places) < 10


def test_what_moves_up_in_an_object_that_goes_whole_moves_nothing() -> None:
    schema = {
        "properties": {
            "trips": {"items": {"properties": {"to": {}}}},
            "trade": {"required": ["terms"], "properties": {"stops": {"items": {"properties": {"to": {}}}}}},
        }
    }
    stops = [{"to": "A"}, {"to": "B"}]
    document = {"trips": stops, "trade": {"stops": stops, "terms": "F"}, "a": 1}
    found = DataClasses(schema).without(document, ["/trips/0/to", "/trade/stops/0/to", "/trade/terms"])
    assert found.moved == ("/trips",)
    assert found.document == {"trips": [{"to": "B"}], "a": 1}
