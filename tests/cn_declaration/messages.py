"""Messages for tests: every element of the declaration's table filled, by chance, and broken in the ways senders break them."""

import random
from collections.abc import Callable
from typing import Any

from lxml import etree

from gateway.syntax.tables import ElementTable, Node

DEC = "http://www.chinaport.gov.cn/dec"
OWN: Any = {None: DEC}  # the published stubs know no default namespace
WORLDS = {
    "letters": {"country": ["CHN", "MNG", "RUS", "KAZ", "QQQ"], "currency": ["CNY", "USD", "RUB"]},
    "numbers": {"country": ["142", "124", "344", "145"], "currency": ["142", "502", "344"]},
}
COUNTRIES = {"TradeCountry", "TradeAreaCode", "OriginCountry", "DestinationCountry", "RcepOrigPlaceCode"}
YES_NO = {
    "DeclTrnRel", "ChkSurety", "CheckFlow", "TaxAaminMark", "OrigBoxFlag", "NoOtherPack", "NoDangFlag", "LclFlag",
    "TransitionApply", "ConditionalLiftoffApply", "PortDestMergeCheckApply", "IsSecret", "IsCusAudit", "IsCusPricePreDetermin",
}  # fmt: skip
VALUES = {
    "IEFlag": ["I", "E"],
    "Type": ["  5", "MT", "Z", "ML6", "  30011", "MK0   Z", "SD", "  0"],
    "PromiseItmes": ["000", "0019", "11111", "99999"],
    "DataSource": ["1", "  2", "1 2 3", "    1"],
    "SpecDeclFlag": ["1", "0000000", "0100010", "0000000111", "    1"],
    "FeeMark": ["1", "2", "3"],
    "InsurMark": ["1", "3"],
    "OtherMark": ["1", "3"],
    "OperType": list("ABCDEG"),
    "ESealFlag": ["Y", "N"],
    "SignDate": ["2026010110111299", "20260101101112"],
    "ProduceDate": ["20260101;20260102", "20260101"],
    "GoodsAttr": ["11", "11,19"],
    "GNoStr": ["1,2"],
    "PackQty": ["3.50"],
    "LicWrtofQty": ["3.5"],
    "SealQty": ["2"],
    "DDate": ["2026-01-15"],
}


def filled(table: ElementTable, dice: random.Random, world: str = "letters", share: float = 1.0) -> etree._Element:
    """A message with this share of its optional elements, each repeated one up to three times."""
    signed = dice.choice(["20260101 10:11:12", "20260101101112"])
    nested = dice.random() < 0.5
    return _element(table.root, lambda node: _value(node, dice, world, signed), dice, share, nested=nested)


def _element(
    node: Node, value: Callable[[Node], str], dice: random.Random, share: float, *, nested: bool
) -> etree._Element:
    element = etree.Element(node.tag, nsmap=OWN if node.parent is None else None)
    if node.parent is None:
        element.set(dice.choice(["Version", "version"]), "4.8")
    layout = "TrnContaGoods" if nested else ""
    for child in node.children:
        if child.name == "TradeCodeScc" or (
            node.name == "TrnContaGoodsList" and (child.name == "TrnContaGoods") != bool(layout)
        ):
            continue
        if not child.min and dice.random() > share:
            continue
        most = 1 if child.max == 1 or (child.name == "TrnContaGoodsList" and nested) else 3
        for _ in range(dice.randint(1, most)):
            if child.is_leaf:
                etree.SubElement(element, child.tag).text = value(child)
            else:
                element.append(_element(child, value, dice, share, nested=nested))
    return element


def _value(node: Node, dice: random.Random, world: str, signed: str) -> str:
    supplement = "DecSupplementList" in node.path
    if node.name in COUNTRIES and not supplement:
        return dice.choice(WORLDS[world]["country"])
    if node.name.endswith("Curr") and not (node.type and node.type.max_length == 1):
        return dice.choice(WORLDS[world]["currency"])
    if node.name in VALUES and not (node.name == "Type" and supplement):
        return dice.choice(VALUES[node.name])
    if node.name == "GoodsNo" and "Container" in node.path:
        return "1,2"
    if node.name.endswith("Unit"):
        return dice.choice(["035", "001", "007"])
    if node.name == "SignTime":
        return signed
    if node.name in YES_NO and not supplement:
        return dice.choice("01")
    return _by_type(node, dice)


def _by_type(node: Node, dice: random.Random) -> str:
    type_ = node.type
    assert type_ is not None
    if type_.patterns:
        return "20260115" if "{8}" in type_.patterns[0] else "2026-01-15"
    if "DecRoyaltyFee" in node.path and ("Time" in node.name or "Date" in node.name):
        return "2026-01-15"
    if type_.base == "decimal":
        return dice.choice(["4", "0.5", "4.86"])
    if type_.base == "integer":
        return str(dice.randint(1, 9))
    if type_.base == "base64":
        return "QUJD"
    most = min(type_.length or type_.max_length or 5, 20)
    return "".join(dice.choice("AB3C12中&<") for _ in range(dice.randint(1, most)))


def broken(root: etree._Element, dice: random.Random) -> None:
    """Break a message in one to six of the ways that real senders do."""
    for _ in range(dice.randint(1, 6)):
        leaf = dice.choice([element for element in root.iter() if not len(element)])
        group = dice.choice([element for element in root.iter() if len(element)])
        match dice.randint(0, 9):
            case 0:
                leaf.text = "######"
            case 1:
                leaf.text = f" {leaf.text or ''}  "
            case 2:
                leaf.text = ""
            case 3:
                _remove(leaf)
            case 4:
                etree.SubElement(group, f"{{{DEC}}}Odd", kind="new").text = "odd"
            case 5:
                leaf.text = ".5"
            case 6:
                children = list(group)
                dice.shuffle(children)
                group[:] = children
            case 7:
                leaf.text = "20261345"
            case 8:
                leaf.text = f"{leaf.text or ''}\n"
            case _:
                for element in group.iter():
                    if not len(element):
                        element.text = None


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
