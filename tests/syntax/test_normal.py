"""The closed list of round-trip normalisation: what may differ, what may not, and that differences are named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.syntax.normal import canonical_form, differences
from gateway.syntax.registry import SchemaRegistry
from gateway.syntax.xml import parse

Specs = Callable[..., SchemaRegistry]
ROWS = """
R namespace=a order=any
R/A type=string min=1
R/B max=*
R/B/C type=token
R/B/D type=decimal
R/@v kind=attribute type=token
"""
PLAIN = '<R xmlns="urn:a" v="1"><A>x y</A><B><C>1</C></B><B><C>2</C></B></R>'
SAME = {
    "declaration, comments, instructions": '<?xml version="1.0"?><!-- c --><R xmlns="urn:a" v="1"><?p i?><A>x<!-- c --> y</A><B><C>1</C></B><B><C>2</C></B></R>',
    "prefixes": '<q:R xmlns:q="urn:a" v="1"><q:A>x y</q:A><B xmlns="urn:a"><C>1</C></B><q:B><q:C>2</q:C></q:B></q:R>',
    "schema location": '<R xmlns="urn:a" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:a a.xsd" v="1"><A>x y</A><B><C>1</C></B><B><C>2</C></B></R>',
    "white space between elements": '<R xmlns="urn:a" v="1">\n  <A>x y</A>\n <B>\n<C>1</C></B><B><C>2</C></B>\n</R>',
    "CDATA": '<R xmlns="urn:a" v="1"><A><![CDATA[x y]]></A><B><C>1</C></B><B><C>2</C></B></R>',
    "white space around a code": '<R xmlns="urn:a" v=" 1 "><A>x y</A><B><C>\n1 </C></B><B><C>2</C></B></R>',
    "order where any": '<R xmlns="urn:a" v="1"><B><C>1</C></B><A>x y</A><B><C>2</C></B></R>',
    "empty optional elements": '<R xmlns="urn:a" v="1"><A>x y</A><B><C>1</C><D/></B><B><C>2</C></B><B><C/><D> </D></B></R>',
}
OTHER = {
    "a value": ('<R xmlns="urn:a" v="1"><A>x z</A><B><C>1</C></B><B><C>2</C></B></R>', "R/A"),
    "white space in free text": ('<R xmlns="urn:a" v="1"><A>x y </A><B><C>1</C></B><B><C>2</C></B></R>', "R/A"),
    "a blank of Unicode around a code": (
        '<R xmlns="urn:a" v="1"><A>x y</A><B><C>\u30001</C></B><B><C>2</C></B></R>',
        "R/B/C",
    ),
    "a blank of Unicode alone": (
        '<R xmlns="urn:a" v="1"><A>x y</A><B><C>1</C></B><B><C>2</C></B><B><C>\u00a0</C></B></R>',
        "R/B[3]",
    ),
    "a blank of Unicode between elements": (
        '<R xmlns="urn:a" v="1">\u0085<A>x y</A><B><C>1</C></B><B><C>2</C></B></R>',
        "R",
    ),
    "an attribute": ('<R xmlns="urn:a" v="2"><A>x y</A><B><C>1</C></B><B><C>2</C></B></R>', "R/@v"),
    "an absent element": ('<R xmlns="urn:a" v="1"><A>x y</A><B><C>1</C></B></R>', "R/B[2]"),
    "order among one name": ('<R xmlns="urn:a" v="1"><A>x y</A><B><C>2</C></B><B><C>1</C></B></R>', "R/B/C"),
    "an empty element that is needed": ('<R xmlns="urn:a" v="1"><B><C>1</C></B><B><C>2</C></B></R>', "R/A"),
    "the spelling of a number": (
        '<R xmlns="urn:a" v="1"><A>x y</A><B><C>1</C><D>1.0</D></B><B><C>2</C></B></R>',
        "R/B/D",
    ),
    "a namespace": ('<R xmlns="urn:b" v="1"><A>x y</A><B><C>1</C></B><B><C>2</C></B></R>', "R"),
    "a text between elements": (
        '<R xmlns="urn:a" v="1"><A>x y</A><B>by hand<C>1</C></B><B><C>2</C></B></R>',
        "R/B",
    ),
    "an unknown element": ('<R xmlns="urn:a" v="1"><A>x y</A><B><C>1</C></B><B><C>2</C></B><N/></R>', "R/N"),
}


def form(text: str, registry: SchemaRegistry) -> bytes:
    return canonical_form(parse(text.encode()), registry.table("demo", "1", "m"), empty_means_absent=True)


@pytest.mark.parametrize("case", SAME)
def test_what_may_differ_makes_no_difference(case: str, specs: Specs) -> None:
    registry = specs(ROWS)
    assert differences(form(PLAIN, registry), form(SAME[case], registry)) == []


@pytest.mark.parametrize("case", OTHER)
def test_what_may_not_differ_is_named(case: str, specs: Specs) -> None:
    registry = specs(ROWS)
    text, place = OTHER[case]
    assert place in [finding.partner_place for finding in differences(form(PLAIN, registry), form(text, registry))]


def test_order_counts_where_the_table_has_one(specs: Specs) -> None:
    registry = specs("R namespace=a order=sequence\nR/A type=string\nR/B type=string max=*\n")
    first = form('<R xmlns="urn:a"><A>1</A><B>2</B><B>3</B></R>', registry)
    other = form('<R xmlns="urn:a"><B>2</B><A>1</A><B>3</B></R>', registry)
    assert [(found.partner_place, found.found, found.expected) for found in differences(first, other)] == [
        ("R", "A, B, B", "B, A, B")
    ]


def test_an_empty_element_counts_unless_the_adapter_says_that_it_means_absent(specs: Specs) -> None:
    table = specs(ROWS).table("demo", "1", "m")
    with_empty, without = (parse(f'<R xmlns="urn:a"><A/>{b}</R>'.encode()) for b in ("<B/>", ""))
    assert canonical_form(with_empty, table) != canonical_form(without, table)
    assert canonical_form(with_empty, table, empty_means_absent=True) == canonical_form(
        without, table, empty_means_absent=True
    )


def test_the_given_tree_is_left_alone(specs: Specs) -> None:
    table = specs(ROWS).table("demo", "1", "m")
    root = parse(b"<R><A/></R>")
    assert canonical_form(root, table, names_assumed=True) == canonical_form(parse(b'<R xmlns="urn:a"><A/></R>'), table)
    assert root.tag == "R"


def test_the_canonical_form_of_a_real_message_is_its_own_canonical_form(
    registry: SchemaRegistry, reference: Path
) -> None:
    folders = {
        "china-sw/samples/dec/decmessage*.xml": ("cn_declaration", "2018", "decmessage"),
        "china-sw/samples/dec/importmessage*.xml": ("cn_declaration", "1.0", "importmessage"),
        "customs-intl/wco-dm/samples/declarations/*.xml": ("wco_declaration", "3.6", "declaration"),
        "customs-intl/wco-dm/samples/notifications/*.xml": ("wco_declaration", "3.6", "notification"),
    }
    for pattern, key in folders.items():
        table = registry.table(*key)
        for path in reference.glob(pattern):
            for empty in (False, True):
                once = canonical_form(parse(path.read_bytes()), table, empty_means_absent=empty, names_assumed=True)
                assert canonical_form(parse(once), table, empty_means_absent=empty) == once
