"""The adapter with its real schemas and documents, and messages made up from its element tables."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from adapters.wco_declaration import WcoDeclaration
from gateway import settings
from gateway.catalogue import Catalogue, Entry, offline
from gateway.ports import EncodeContext, Encoded
from gateway.syntax.tables import ElementTable, Node

DEC = "{urn:wco:datamodel:WCO:DEC-DMS:2}"
CATALOGUE = Catalogue.load(settings.load({}))
SAMPLES = Path(CATALOGUE.entry("wco_declaration").root) / "samples"


@pytest.fixture(scope="session")
def entry() -> Entry:
    return CATALOGUE.entry("wco_declaration")


@pytest.fixture(scope="session")
def adapter(entry: Entry) -> WcoDeclaration:
    adapter = entry.adapter
    assert isinstance(adapter, WcoDeclaration)
    return adapter


@pytest.fixture(scope="session")
def table() -> Callable[[str], ElementTable]:
    return lambda message: CATALOGUE.registry.table("wco_declaration", "3.6", message)


@pytest.fixture
def encode(entry: Entry) -> Callable[..., Encoded]:
    """Encode a document as a submission would; further words change the context."""

    def run(document: dict[str, Any], kind: str = "declaration", **more: Any) -> Encoded:
        return entry.adapter.encode(document, context_of(entry, kind, **more))

    return run


def context_of(entry: Entry, kind: str, **more: Any) -> EncodeContext:
    import dataclasses

    known, number = more.pop("known", {}), more.pop("round", 1)
    made = offline.context(entry.manifest, kind=kind, **more)
    return dataclasses.replace(made, known=known, round=number)


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.xml").read_bytes()


def made_up(table: ElementTable, seed: int, *, fullness: float, attributes: bool = False) -> etree._Element:
    """A valid message of random values: each optional element with that probability, repeated ones up to three times."""
    dice = random.Random(seed)
    root = etree.Element(table.root.tag)
    _fill(root, table.root, dice, fullness, attributes)
    return root


def _fill(parent: etree._Element, node: Node, dice: random.Random, fullness: float, attributes: bool) -> None:
    for child in node.children:
        other_choice = child.choice is not None and child.name == "Declaration"
        if other_choice or (child.min == 0 and dice.random() > fullness):
            continue
        for _ in range(dice.randint(1, 3) if child.max != 1 and child.name != "Response" else 1):
            element = etree.SubElement(parent, child.tag)
            if child.is_leaf:
                _value(element, child, dice, attributes)
            else:
                _fill(element, child, dice, fullness, attributes)


def _value(element: etree._Element, node: Node, dice: random.Random, attributes: bool) -> None:
    element.text = _text(node, dice)
    if node.name == "DateTimeString":
        element.set("formatCode", "304" if len(element.text) > 8 else "102")
    known = {"unitCode": "KGM", "currencyID": "EUR", "languageID": "en"}
    for attribute in node.attributes:
        wanted = attributes or attribute.name in ("unitCode", "currencyID")
        if attribute.name != "formatCode" and wanted and dice.random() < 0.5:
            element.set(attribute.name, known.get(attribute.name, "abc"))


def _text(node: Node, dice: random.Random) -> str:
    type_ = node.type
    assert type_ is not None
    if node.name == "DateTimeString":
        return dice.choice(["20240229", "20240229121314Z", "20240229121314+08", "20241231235959-05"])
    fixed = [pattern for pattern in type_.patterns if pattern in ("13", "INV")]
    if fixed or type_.enumeration:
        return dice.choice(fixed or type_.enumeration)
    if type_.base in ("decimal", "integer"):
        decimals = 3 if type_.fraction_digits is None else type_.fraction_digits
        return str(dice.randint(0, 999)) + (
            "." + "0" * (decimals - 1) + "5" if decimals and dice.random() < 0.5 else ""
        )
    if any("0-9" in pattern for pattern in type_.patterns):
        return "1"
    length = min(type_.max_length or 8, type_.length or 8, 8)
    return "".join(dice.choice("ABCXYZ") for _ in range(length))
