"""Schemas: each bundled one stands alone, knows its places, and leads to nothing that is not there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from gateway.documents import Documents, load, schemas
from gateway.documents.schemas import Schema
from gateway.errors import NeedsOperator, NotFound

COMMON = {"$defs": {"name": {"type": "string"}, "tree": {"type": "object", "title": "Tree", "properties": {
    "name": {"title": "Name", "x-title-zh": "名称", "x-wco-id": "R003", "allOf": [{"$ref": "#/$defs/name"}]},
    "parts": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
}, "additionalProperties": False}}}  # fmt: skip
PAPER = {"type": "object", "x-data-class": "personal", "required": ["tree"], "properties": {
    "tree": {"allOf": [{"$ref": "common.json#/$defs/tree"}]},
    "words": {"type": "array", "title": "Words", "items": {"type": "string"}},
    "own": {"$ref": "#/$defs/own"},
    "extensions": {"type": "object", "additionalProperties": {"type": "object"}},
}, "$defs": {"own": {"type": "string", "x-data-class": "important"}}}  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Schema:
    (tmp_path / "common.json").write_text(json.dumps(COMMON))
    (tmp_path / "paper.json").write_text(json.dumps(PAPER))
    return schemas.load([tmp_path])[0]["paper"]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def test_the_kinds_of_part_one_are_there(documents: Documents) -> None:
    assert set(documents.kinds()) >= {
        "declaration", "declaration_amendment", "declaration_cancellation", "goods_presentation", "customs_response",
    }  # fmt: skip


def test_a_bundled_schema_refers_to_nothing_outside_itself(documents: Documents) -> None:
    for kind in documents.kinds():
        schema = documents.schema(kind)
        assert all(r.startswith("#/$defs/") and r.rpartition("/")[2] in schema["$defs"] for r in references(schema))
        jsonschema_rs.Draft202012Validator(schema)


def test_a_schema_handed_out_is_free_to_be_changed(documents: Documents) -> None:
    documents.schema("declaration").clear()
    assert documents.schema("declaration")["title"]


def test_every_leaf_has_both_titles_and_a_data_class(documents: Documents) -> None:
    for kind in documents.kinds():
        for leaf in documents.leaves(kind).values():
            assert leaf.title_en, leaf.path
            assert leaf.title_zh, leaf.path
            assert leaf.data_class in {"business", "personal", "important"}, leaf.path


def test_leaves_are_named_as_mapping_tables_name_them(documents: Documents) -> None:
    leaf = documents.leaves("declaration")["goods_shipment.government_agency_goods_items[].commodity.description"]
    assert leaf.wco_id == "137"


def test_a_part_that_holds_itself_is_named_once(small: Schema) -> None:
    leaves = schemas.leaves(small)
    assert list(leaves) == ["tree.name", "words[]", "own", "extensions"]


def test_a_leaf_knows_its_own_words_and_the_class_of_what_is_around_it(small: Schema) -> None:
    leaves = schemas.leaves(small)
    assert (leaves["tree.name"].title_zh, leaves["tree.name"].wco_id) == ("名称", "R003")
    assert leaves["words[]"].title_en == "Words"
    assert leaves["tree.name"].data_class == "personal"
    assert leaves["own"].data_class == "important"
    assert leaves["extensions"].free


@pytest.mark.parametrize("pointer", ["", "/tree", "/tree/parts/0/parts/12/name", "/words/-", "/extensions/x/y"])
def test_a_place_that_documents_can_have_is_known(small: Schema, pointer: str) -> None:
    assert schemas.has_place(small, pointer)


@pytest.mark.parametrize("pointer", ["/nope", "/tree/parts/x", "/words/0/more", "tree", "/own/x"])
def test_a_place_that_no_document_has_is_not_known(small: Schema, pointer: str) -> None:
    assert not schemas.has_place(small, pointer)


def test_a_kind_that_is_not_there_is_not_found(documents: Documents) -> None:
    with pytest.raises(NotFound):
        documents.schema("poem")


@pytest.mark.parametrize(
    "broken", ["{", "[]", '{"$ref": "common.json#/$defs/ghost"}', '{"type": 7}', '{"x-code-list": "ghost"}']
)
def test_a_broken_schema_is_told_and_stops_the_start(project_root: Path, tmp_path: Path, broken: str) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "paper.json").write_text(broken)
    with pytest.raises(NeedsOperator) as raised:
        load(project_root / "specs", tmp_path)
    assert raised.value.findings[0].code.startswith("specs.schema.")


def test_a_place_that_is_only_true_or_false_is_named_and_stops_the_start(project_root: Path, tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    parts = {"when": True, "tree": {"type": "object", "properties": {"a/b": {"items": False}}}}
    paper = {"type": "object", "properties": parts, "allOf": [True]}
    (tmp_path / "documents" / "paper.json").write_text(json.dumps(paper))
    with pytest.raises(NeedsOperator) as raised:
        load(project_root / "specs", tmp_path)
    assert {(finding.code, finding.partner_place, finding.found) for finding in raised.value.findings} == {
        ("specs.schema.broken", "documents/paper.json", f"{place} is no object")
        for place in ("/properties/when", "/properties/tree/properties/a~1b/items", "/allOf/0")
    }


def test_a_folder_without_schemas_is_told(tmp_path: Path) -> None:
    with pytest.raises(NeedsOperator):
        load(tmp_path)
