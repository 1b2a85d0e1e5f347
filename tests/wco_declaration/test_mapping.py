"""The table is whole: every element has a place, and any message of the schema comes back."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lxml import etree

from adapters.wco_declaration import WcoDeclaration
from gateway.catalogue import Entry, offline
from gateway.mapping.plan import Branch
from gateway.syntax.normal import canonical_form, differences
from gateway.syntax.tables import ElementTable

from .conftest import CATALOGUE, DEC, made_up

TYPES = {"COR": "declaration_amendment", "INV": "declaration_cancellation", "GPR": "goods_presentation"}
DECLARATION_KINDS = ["declaration", *TYPES.values()]


def paths_of(branch: Branch) -> Iterator[str]:
    yield branch.node.path
    below = (*branch.attributes.values(), *branch.children.values(), *(repeat.body for repeat in branch.repeats))
    for inner in below:
        yield from paths_of(inner)


def tree(reference: Path, name: str) -> list[str]:
    with (reference / "customs-intl" / "wco-dm" / name).open(encoding="utf-8", newline="") as lines:
        return [f"MetaData{row['path']}" for row in csv.DictReader(lines)]


@pytest.mark.parametrize("kind", DECLARATION_KINDS)
def test_every_row_of_the_declaration_tree_has_a_row(adapter: WcoDeclaration, reference: Path, kind: str) -> None:
    known = set(paths_of(adapter.mappings[kind].plan))
    missing = [path for path in tree(reference, "hmrc_dec_3.6_tree.csv") if path not in known]
    assert missing == []


def test_every_row_of_the_response_tree_has_a_row(adapter: WcoDeclaration, reference: Path) -> None:
    known = set(paths_of(adapter.mappings["customs_response"].plan))
    assert [path for path in tree(reference, "hmrc_res_3.6_tree.csv") if path not in known] == []


@pytest.mark.parametrize("kind", [*DECLARATION_KINDS, "customs_response"])
def test_every_element_of_the_element_table_has_a_row(adapter: WcoDeclaration, kind: str) -> None:
    mapping = adapter.mappings[kind]
    known = set(paths_of(mapping.plan))
    elements = [node.path for node in mapping.table.walk() if node.kind == "element"]
    # In a notification a Declaration may stand where the Response stands: that is the other message.
    own = [path for path in elements if not (kind == "customs_response" and path.startswith("MetaData/Declaration"))]
    assert [path for path in own if path not in known] == []


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("message", ["declaration", "cancellation", "notification"])
def test_any_message_of_the_schema_comes_back_equal(
    entry: Entry, table: Callable[[str], ElementTable], message: str, seed: int
) -> None:
    root = made_up(table(message), seed, fullness=(0.1, 0.4, 0.9, 1.0)[seed % 4], attributes=seed % 3 == 0)
    kind = retyped(root, seed) if message == "declaration" else None
    data = etree.tostring(root)
    assert CATALOGUE.registry.schema("wco_declaration", "3.6", message).accepts(root)
    decoded = entry.adapter.decode(data, tolerant=False)
    assert kind in (None, decoded.kind)
    assert not decoded.report.unmapped
    again = offline.encode_again(entry, decoded)
    left, right = (
        canonical_form(etree.fromstring(one), table(message), empty_means_absent=True) for one in (data, again)
    )
    assert differences(left, right) == []


def retyped(root: etree._Element, seed: int) -> str | None:
    """Make it a request where the dice say so; the kind it must be read as then."""
    declaration = root.find(f"{DEC}Declaration")
    assert declaration is not None
    type_code, function = declaration.find(f"{DEC}TypeCode"), declaration.find(f"{DEC}FunctionCode")
    wanted = [*TYPES, ""][seed % 4]
    if type_code is None or function is None or not wanted:
        return None
    type_code.text, function.text = wanted, "13"
    return TYPES[wanted]


def test_parties_are_named_by_the_register_of_the_agreement(entry: Entry) -> None:
    identifiers = [{"scheme": "EORI", "value": "GB1"}, {"scheme": "MN-TIN", "value": "5051235"}]
    document = {"direction": "import", "declarant": {"identifiers": identifiers}, "goods_shipment": {}}
    parameters = {"party_identifier_scheme": "MN-TIN"}
    context = offline.context(entry.manifest, kind="declaration", parameters=parameters)
    encoded = entry.adapter.encode(document, context)
    assert b"<Declarant><ID>5051235</ID></Declarant>" in encoded.data
    assert encoded.report.lost == ("/declarant/identifiers/0/scheme", "/declarant/identifiers/0/value")
