"""Spoiled messages: whatever is done to a sample, it comes back as it was, or what does not is named."""

import copy
import random
from collections.abc import Callable

import pytest
from lxml import etree

from gateway.catalogue import Entry, offline
from gateway.catalogue.offline import Verdict

from .conftest import CATALOGUE, SAMPLES

BYTES = [path.read_bytes() for path in sorted(SAMPLES.glob("*.xml"))]
TEXTS = ["", " ", " q ", "q", "\n", "1e9", "20200101", "20200101101010", "-5", "\u8d27", "\u3000", "\u00a0q", "\u0085"]
ATTRIBUTES = ["odd", "schemeID", "unitCode", "currencyID", "formatCode", "languageID", "{urn:q}z"]

Element = etree._Element


def say_something_else(one: Element, dice: random.Random) -> None:
    one.text = dice.choice(TEXTS) if not len(one) else "by hand"


def add_an_attribute(one: Element, dice: random.Random) -> None:
    one.set(dice.choice(ATTRIBUTES), dice.choice([" x ", "KGM", "102", "", "EUR"]))


def drop_attributes(one: Element, _: random.Random) -> None:
    one.attrib.clear()


def shuffle(one: Element, dice: random.Random) -> None:
    children = list(one)
    dice.shuffle(children)
    one[:] = children


def double(one: Element, _: random.Random) -> None:
    if one.getparent() is not None:
        one.addnext(copy.deepcopy(one))


def move_to_the_end(one: Element, _: random.Random) -> None:
    parent = one.getparent()
    if parent is not None:
        parent.append(one)


def empty(one: Element, _: random.Random) -> None:
    one.clear()


def remove(one: Element, _: random.Random) -> None:
    parent = one.getparent()
    if parent is not None:
        parent.remove(one)


def say_something_behind(one: Element, _: random.Random) -> None:
    if one.getparent() is not None:
        one.tail = "by hand"


SPOILERS: list[Callable[[Element, random.Random], None]] = [
    say_something_else,
    add_an_attribute,
    drop_attributes,
    shuffle,
    double,
    move_to_the_end,
    empty,
    remove,
    say_something_behind,
]


@pytest.mark.parametrize("seed", range(250))
def test_a_spoiled_message_comes_back_or_is_refused_or_holds_elements_nobody_knows(entry: Entry, seed: int) -> None:
    dice = random.Random(seed)
    root = etree.fromstring(dice.choice(BYTES))
    for _ in range(dice.randint(1, 5)):
        dice.choice(SPOILERS)(dice.choice(list(root.iter(etree.Element))), dice)
    result = offline.roundtrip(entry, CATALOGUE.registry, etree.tostring(root))
    if result.decoded is None:
        assert result.verdict is Verdict.REFUSED
        assert result.findings
        return
    if any(one.refusal for one in result.decoded.documents):
        assert result.verdict is Verdict.REFUSED
        assert result.findings
        return
    report = result.decoded.report
    unknown = [finding for finding in report.findings if finding.code == "syntax.element.unknown"]
    assert report.lost == []
    assert not report.unmapped or unknown
    assert result.verdict is (Verdict.DIFFERENT if unknown else Verdict.EQUAL), result.findings
