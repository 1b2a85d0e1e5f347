"""The straight way and the walk: whatever a message holds, both read the same document and say the same of its leaves."""

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from gateway import settings
from gateway.catalogue import Catalogue
from gateway.mapping import DecodeReport, Mapping
from tests.mapping.conftest import DOCUMENT

Element = etree._Element

CATALOGUE = Catalogue.load(settings.load({}))
SAMPLES = [
    pytest.param(entry, path, id=f"{name}/{path.stem}")
    for name, entry in CATALOGUE.entries.items()
    for path in sorted((entry.root / "samples").glob("*.xml"))
]
SPOILED_COPIES = 25
TEXTS = ["", " ", " q ", "q", "\n", "1e9", "20200101", "-5", "1", "E", "I", "\u3000", "\u00a0q"]
TAGS = ["odd", "unitCode", "currencyID", "formatCode", "{urn:q}z", "{http://www.w3.org/2001/XMLSchema-instance}type"]


def told(report: DecodeReport) -> dict[str, Any]:
    return {
        "mapped": report.mapped,
        "bag": report.bag,
        "constants": report.constants,
        "unmapped": report.unmapped,
        "lost": report.lost,
        "restated": report.restated,
    }


def went_straight(mapping: Mapping, root: Element) -> bool:
    """Reads a message; whether that was done straight. The walk reads the same from it, members in the same order."""
    document, report = mapping.decode(root)
    straight = report.again is not None
    walked: dict[str, Any] = {}
    account = mapping._reader.walk(root, walked)
    assert json.dumps(document) == json.dumps(walked)
    assert told(report) == told(account)
    assert report.as_dict() == account.as_dict()
    return straight


def mappings_for(entry: Any, root: Element) -> list[Mapping]:
    """Every mapping of the adapter that could be asked to read it, the wrong kinds too."""
    return [mapping for mapping in entry.adapter.mappings.values() if mapping.table.root.tag == root.tag]


def say_something_else(one: Element, dice: random.Random) -> None:
    one.text = dice.choice(TEXTS)


def add_an_attribute(one: Element, dice: random.Random) -> None:
    one.set(dice.choice(TAGS), dice.choice([" x ", "KGM", "102", "", "EUR"]))


def shuffle(one: Element, dice: random.Random) -> None:
    children = list(one)
    dice.shuffle(children)
    one[:] = children


def double(one: Element, _: random.Random) -> None:
    if one.getparent() is not None:
        one.addnext(copy.deepcopy(one))


def empty(one: Element, _: random.Random) -> None:
    one.clear()


def remove(one: Element, _: random.Random) -> None:
    parent = one.getparent()
    if parent is not None:
        parent.remove(one)


def put_a_comment_in(one: Element, _: random.Random) -> None:
    one.insert(0, etree.Comment("c"))
    one[0].tail = "behind"


def put_an_element_in(one: Element, dice: random.Random) -> None:
    child = etree.SubElement(one, dice.choice([one.tag, "Odd"]))
    child.text = dice.choice(TEXTS)


def let_another_sort_stand_there(one: Element, dice: random.Random) -> None:
    one.tag = dice.choice([other.tag for other in one.getroottree().iter(etree.Element)])


SPOILERS: list[Callable[[Element, random.Random], None]] = [
    say_something_else,
    add_an_attribute,
    shuffle,
    double,
    empty,
    remove,
    put_a_comment_in,
    put_an_element_in,
    let_another_sort_stand_there,
]


@pytest.mark.parametrize(("entry", "path"), SAMPLES)
def test_an_adapter_reads_its_samples_straight(entry: Any, path: Path) -> None:
    report = entry.adapter.decode(path.read_bytes(), tolerant=True).report
    assert report.padded is not None  # only the straight way looks


@pytest.mark.parametrize("seed", range(SPOILED_COPIES))
@pytest.mark.parametrize(("entry", "path"), SAMPLES)
def test_a_spoiled_sample_is_read_alike_both_ways(entry: Any, path: Path, seed: int) -> None:
    dice = random.Random(f"{path.name} {seed}")
    root = etree.fromstring(path.read_bytes())
    for _ in range(dice.randint(1, 3)):
        one = dice.choice([one for one in root.iter(etree.Element) if one is not root])
        dice.choice(SPOILERS)(one, dice)
    for mapping in mappings_for(entry, root):
        went_straight(mapping, root)


def parcel(mapping: Mapping) -> Element:
    return etree.fromstring(mapping.encode(DOCUMENT).encode())


def find(root: Element, path: str) -> Element:
    found = root.find("/".join(f"{{urn:example:parcel}}{name}" for name in path.split("/")))
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(200))
def test_a_spoiled_parcel_is_read_alike_both_ways(mapping: Mapping, seed: int) -> None:
    dice = random.Random(seed)
    root = parcel(mapping)
    for _ in range(dice.randint(1, 3)):
        dice.choice(SPOILERS)(dice.choice(list(root.iter(etree.Element))[1:]), dice)
    went_straight(mapping, root)


def test_empty_elements_blanks_around_values_and_another_order_do_not_end_the_straight_way(mapping: Mapping) -> None:
    root = parcel(mapping)
    find(root, "Host").text = None
    find(root, "Sender/Name").text = " Amber "
    etree.SubElement(find(root, "Lines"), "{urn:example:parcel}Line")
    root[:] = list(reversed(root))
    assert went_straight(mapping, root)
    assert (mapping.decode(root)[1].padded, mapping.decode(root)[1].empty) == (True, True)


def test_an_orderly_message_is_known_to_be_neither_padded_nor_empty(mapping: Mapping) -> None:
    report = mapping.decode(parcel(mapping))[1]
    assert (report.padded, report.empty) == (False, False)


ODD = {
    "an unknown element": lambda root: etree.SubElement(root, "Odd"),
    "an unknown attribute": lambda root: find(root, "Flow").set("odd", "x"),
    "a comment": lambda root: root.insert(0, etree.Comment("c")),
    "stray text": lambda root: setattr(root, "text", "stray"),
    "a second value": lambda root: root.append(copy.deepcopy(find(root, "Flow"))),
    "a value that cannot be read": lambda root: setattr(find(root, "Sent"), "text", "yesterday"),
    "another constant": lambda root: setattr(find(root, "Fixed"), "text", "2"),
    "an element in a value": lambda root: etree.SubElement(find(root, "Flow"), "{urn:example:parcel}Flow"),
}


@pytest.mark.parametrize("spoil", ODD.values(), ids=ODD)
def test_what_must_be_explained_ends_the_straight_way(mapping: Mapping, spoil: Callable[[Element], object]) -> None:
    root = parcel(mapping)
    assert went_straight(mapping, root)
    spoil(root)
    assert not went_straight(mapping, root)
