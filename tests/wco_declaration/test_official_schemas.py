"""What we write is valid under the official schemas, whatever values a document holds."""

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.catalogue import Entry
from gateway.documents.pointers import leaf_values
from gateway.documents.pointers import set as put
from gateway.errors import Rejected
from gateway.ports import Encoded

from .conftest import SAMPLES, context_of

FILED = {
    "import-cashmere-garments": "declaration",
    "export-wheel-sets-prelodged": "declaration",
    "amendment-net-weight-and-price": "declaration_amendment",
    "cancellation-filed-twice": "declaration_cancellation",
    "presentation-goods-arrived": "goods_presentation",
}
ENTRY = {"declaration": "wrapper_submit.xsd", "cancellation": "wrapper_cancel.xsd"}
VALUES = st.sampled_from(
    ["", "0", "-1", "7.250", "9" * 20, "GBP", "ZZZZ", "x" * 40, "x" * 600, "A & <B>", "2026-02-29", "锡"]
)


@cache
def official(folder: Path, message: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(folder / ENTRY[message])))


@pytest.fixture(scope="module")
def schemas(reference: Path) -> Path:
    return reference / "customs-intl" / "wco-dm" / "xsd" / "customs"


def document_of(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))["document"]
    return document


@pytest.mark.parametrize(("name", "kind"), FILED.items())
def test_our_samples_are_valid_under_the_official_schema(entry: Entry, schemas: Path, name: str, kind: str) -> None:
    encoded = entry.adapter.encode(document_of(name), context_of(entry, kind))
    schema = official(schemas, encoded.message)
    assert schema.validate(etree.fromstring(encoded.data)), schema.error_log
    assert schema.validate(etree.parse(str(SAMPLES / f"{name}.xml"))), schema.error_log


@pytest.mark.parametrize(("name", "kind"), FILED.items())
@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_changed_document_is_refused_or_valid(
    entry: Entry, schemas: Path, name: str, kind: str, data: st.DataObject
) -> None:
    document = document_of(name)
    pointers = [pointer for pointer, _ in leaf_values(document)]
    for pointer in data.draw(st.lists(st.sampled_from(pointers), min_size=1, max_size=3, unique=True)):
        put(document, pointer, data.draw(VALUES))
    before = copy.deepcopy(document)
    places, encoded = refusal_or_message(entry, document, kind)
    assert None not in places
    if encoded is not None:
        schema = official(schemas, encoded.message)
        assert schema.validate(etree.fromstring(encoded.data)), schema.error_log
    assert document == before


def refusal_or_message(entry: Entry, document: dict[str, Any], kind: str) -> tuple[list[str | None], Encoded | None]:
    """The places that a refusal names, or the message."""
    try:
        return [], entry.adapter.encode(document, context_of(entry, kind))
    except Rejected as refused:
        return [finding.pointer for finding in refused.findings], None
