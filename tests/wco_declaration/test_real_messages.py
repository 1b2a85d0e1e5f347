"""Real messages: each comes back equal, and nearly all of each reaches canonical fields."""

import os
from pathlib import Path

import pytest
from lxml import etree

from adapters.wco_declaration import WcoDeclaration
from gateway.catalogue import Entry, offline
from gateway.errors import SchemaBroken
from gateway.syntax.normal import canonical_form, differences
from gateway.syntax.xml import parse

from .conftest import CATALOGUE

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ.get("SWGATE_REFERENCE", ROOT.parent / "shared" / "reference"))
FOLDER = REFERENCE / "customs-intl" / "wco-dm" / "samples"
MESSAGES = sorted(FOLDER.rglob("*.xml")) if FOLDER.is_dir() else []
OTHER_FAMILY = b"inventoryLinking"
OURS = [path for path in MESSAGES if OTHER_FAMILY not in path.read_bytes()]
OTHERS = [path for path in MESSAGES if path not in OURS]


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("message", OURS, ids=named)
def test_a_real_message_comes_back_equal(entry: Entry, message: Path) -> None:
    data = message.read_bytes()
    decoded = entry.adapter.decode(data, tolerant=True)
    again = offline.encode_again(entry, decoded)
    table = CATALOGUE.registry.table("wco_declaration", "3.6", decoded.message)
    left, right = (
        canonical_form(parse(one), table, empty_means_absent=True, names_assumed=True) for one in (data, again)
    )
    assert differences(left, right) == []


@pytest.mark.parametrize("message", OURS, ids=named)
def test_of_a_real_message_nearly_everything_reaches_a_canonical_field(adapter: WcoDeclaration, message: Path) -> None:
    report = adapter.decode(message.read_bytes(), tolerant=True).report
    assert report.coverage >= 0.95
    assert not report.unmapped
    assert not report.lost


@pytest.mark.parametrize("message", OURS, ids=named)
def test_what_was_read_loses_nothing_on_the_way_back(entry: Entry, message: Path) -> None:
    decoded = entry.adapter.decode(message.read_bytes(), tolerant=True)
    context = offline.context(entry.manifest, kind=decoded.kind, message=decoded.message, roundtrip=True)
    assert entry.adapter.encode(decoded.document, context).report.lost == ()


@pytest.mark.parametrize("message", OTHERS, ids=named)
def test_a_message_of_another_family_is_refused_as_unknown(adapter: WcoDeclaration, message: Path) -> None:
    with pytest.raises(SchemaBroken) as refused:
        adapter.decode(message.read_bytes(), tolerant=True)
    assert refused.value.code == "syntax.message.unknown"


def test_there_are_real_messages_to_try(reference: Path) -> None:
    assert len(OURS) >= 50
    assert OTHERS


@pytest.mark.parametrize("message", [path for path in OURS if path.parent.name == "declarations"], ids=named)
def test_a_declaration_without_namespaces_is_read_the_same(adapter: WcoDeclaration, message: Path) -> None:
    root = etree.fromstring(message.read_bytes())
    for element in root.iter(etree.Element):
        element.tag = etree.QName(element).localname
    bare, full = (adapter.decode(data, tolerant=True).document for data in (etree.tostring(root), message.read_bytes()))
    # Padding is trimmed where names are assumed, and kept in the bag where they are given.
    assert bare == {name: value for name, value in full.items() if name != "extensions"}
