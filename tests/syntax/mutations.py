"""Seeded damage to a message, in memory: what a sender's bug or an attacker does to structure, text and attributes."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable

from lxml import etree

TEXTS = (
    "",
    " ",
    "\n",
    "x" * 3,
    "9" * 5,
    "1" * 40,
    "z" * 600,
    "é中",
    "-1",
    "+1.50",
    "1.2345678901234",
    " A ",
    "a\nb",
    "13",
    "0",
    "1E3",
    "true",
    "\u3000",
    "\u00a0A",
    "A\u2003",
    "\u0085",
    "\u200b1",
    "1\ufeff",
)
NAMES = ("ID", "TypeCode", "Declaration", "Name", "DateTimeString", "Pointer", "Unheard", "SequenceNumeric")
SPACES = ("", "urn:elsewhere", "urn:wco:datamodel:WCO:DEC-DMS:2", "urn:wco:datamodel:WCO:RES-DMS:2")
ATTRIBUTES = ("formatCode", "unitCode", "currencyID", "listID", "languageID", "schemeAgencyID", "listURI", "unheard")
VALUES = ("", "304", "102", "999", "KGM", "GBP", "gbp", "EURO", "x" * 6, "en", "e!", "http://x y", " 304 ")


def mutate(root: etree._Element, chance: random.Random) -> etree._Element:
    """A damaged copy; one to three wounds. The root keeps its name, since every partner checks that first."""
    damaged = copy.deepcopy(root)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        targets = [element for element in damaged.iter(etree.Element) if element.getparent() is not None]
        chance.choice(WOUNDS)(chance.choice(targets), chance)
    return damaged


def _above(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    assert parent is not None  # the root is never wounded
    return parent


def drop(element: etree._Element, chance: random.Random) -> None:
    _above(element).remove(element)


def double(element: etree._Element, chance: random.Random) -> None:
    element.addnext(copy.deepcopy(element))


def swap(element: etree._Element, chance: random.Random) -> None:
    siblings = list(_above(element))
    other = chance.choice(siblings)
    if other is not element:
        other.addprevious(element)


def move(element: etree._Element, chance: random.Random) -> None:
    above = _above(element).getparent()
    if above is not None:
        above.append(element)


def rename(element: etree._Element, chance: random.Random) -> None:
    space = etree.QName(element).namespace
    name = chance.choice(NAMES)
    element.tag = f"{{{space}}}{name}" if space else name


def requalify(element: etree._Element, chance: random.Random) -> None:
    space = chance.choice(SPACES)
    name = etree.QName(element).localname
    element.tag = f"{{{space}}}{name}" if space else name


def retext(element: etree._Element, chance: random.Random) -> None:
    leaves = [leaf for leaf in element.iter(etree.Element) if len(leaf) == 0]
    if leaves:
        chance.choice(leaves).text = chance.choice(TEXTS)


def resize(element: etree._Element, chance: random.Random) -> None:
    leaves = [leaf for leaf in element.iter(etree.Element) if len(leaf) == 0 and leaf.text]
    if leaves:
        leaf = chance.choice(leaves)
        text = leaf.text or ""
        leaf.text = text[:-1] if chance.random() < 0.3 else text * chance.choice((2, 3, 8))


def attribute(element: etree._Element, chance: random.Random) -> None:
    if element.attrib and chance.random() < 0.5:
        name = chance.choice(list(element.attrib))
        if chance.random() < 0.5:
            del element.attrib[name]
        else:
            element.set(name, chance.choice(VALUES))
    else:
        element.set(chance.choice(ATTRIBUTES), chance.choice(VALUES))


def leaf_attribute(element: etree._Element, chance: random.Random) -> None:
    leaves = [leaf for leaf in element.iter(etree.Element) if len(leaf) == 0]
    if leaves:
        attribute(chance.choice(leaves), chance)


def stray_text(element: etree._Element, chance: random.Random) -> None:
    element.text = chance.choice(("x", " \n ", "<"))


def stray_child(element: etree._Element, chance: random.Random) -> None:
    space = etree.QName(element).namespace
    name = chance.choice(NAMES)
    element.insert(chance.randint(0, len(element)), etree.Element(f"{{{space}}}{name}" if space else name))


WOUNDS: tuple[Callable[[etree._Element, random.Random], None], ...] = (
    drop,
    double,
    swap,
    move,
    rename,
    requalify,
    retext,
    retext,
    retext,
    resize,
    resize,
    attribute,
    leaf_attribute,
    leaf_attribute,
    stray_text,
    stray_child,
)
