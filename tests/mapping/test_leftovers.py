"""Leftovers: whatever a message says beyond its table comes back where it stood, or is named as what nobody knows."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.documents.shape import Shape
from gateway.errors import GatewayError, RuleBroken
from gateway.mapping import Mapping
from gateway.mapping.leftovers import Leftovers
from gateway.mapping.report import DecodeReport
from gateway.mapping.rows import Conversion, Row, each, group, joined, text
from gateway.syntax.normal import canonical_form, differences
from gateway.syntax.schema import MessageSchema
from gateway.syntax.tables import ElementTable, load
from gateway.syntax.xml import parse

STANDARD = """\
standard: letter
order: sequence
messages:
  letter: {root: Letter, versions: ["1"]}
"""

ROWS = """\
path,kind,namespace,type,max_length,min,max,title_en,title_zh
Letter,element,,,,1,1,letter,信
Letter/Head,element,,,,1,1,head,抬头
Letter/Head/No,element,,token,9,1,1,number,编号
Letter/Head/Sent,element,,string,20,0,1,sent,日期
Letter/Head/Sent/@form,attribute,,string,3,1,1,form,格式
Letter/Head/Mass,element,,decimal,,0,1,mass,重量
Letter/Head/Mass/@unit,attribute,,string,3,0,1,unit,单位
Letter/Head/Mass/@list,attribute,,string,9,0,1,list of units,单位表
Letter/Line,element,,,,0,3,line,行
Letter/Line/Name,element,,string,20,0,1,name,名称
Letter/Line/Count,element,,integer,,0,1,count,数量
Letter/Note,element,,string,40,0,1,note,备注
Letter/Aside,element,,string,40,0,1,not in the mapping,未映射
Letter/Tail,element,,,,1,1,tail,尾部
Letter/Tail/Sign,element,,string,9,0,1,signature,签名
"""


def _day(value: str, form: str | None = None) -> tuple[str]:
    digits = value.replace("-", "") if value else ""
    if len(digits) != 8 or not digits.isdecimal():
        raise ValueError("a day")
    return (f"{digits[:4]}-{digits[4:6]}-{digits[6:]}",)


DAY = Conversion("day", lambda value: (value.replace("-", ""), "102"), _day, generous=True)
TABLE_ROWS: list[Row] = [
    group(
        "Head",
        [
            text("No", "number"),
            joined(("Sent", "Sent/@form"), ("sent",), DAY),
            group("Mass", [text(".", "mass.value"), text("@unit", "mass.unit")]),
        ],
    ),
    each("Line", "lines", [text("Name", "name"), text("Count", "count")]),
    text("Note", "note"),
    group("Tail", [text("Sign", "sign")]),
]
SHAPE = Shape(
    {
        "type": "object",
        "properties": {
            "mass": {"type": "object", "properties": {"value": {"type": "string", "pattern": "^[0-9.]+$"}}},
        },
    }
)
PLAIN = (
    "<Letter><Head><No>7</No><Sent form='102'>20260301</Sent><Mass unit='KGM'>12.50</Mass></Head>"
    "<Line><Name>felt</Name><Count>2</Count></Line><Line><Name>wool</Name></Line>"
    "<Note>dry</Note><Tail><Sign>W</Sign></Tail></Letter>"
)


@dataclass
class Post:
    """The standard at work: what an adapter does with its leftovers."""

    table: ElementTable
    about: Leftovers = field(default_factory=lambda: Leftovers("letters", "rest"))

    def __post_init__(self) -> None:
        self.mapping = Mapping(
            document="letter", table=self.table, rows=TABLE_ROWS, ignored={"extensions.letters.rest": "remembered"}
        )
        self.schema = MessageSchema(self.table)

    def read(self, data: bytes, *, tolerant: bool = True) -> tuple[dict[str, Any], DecodeReport]:
        root = parse(data)
        findings = self.schema.check(root, tolerant=tolerant)
        document, report = self.mapping.decode(root)
        report.findings += findings
        self.about.settle(root, data, document, report, self.table, SHAPE, tolerant=tolerant)
        return document, report

    def write(self, document: dict[str, Any]) -> bytes:
        return self.about.put_back(self.mapping.encode(document).encode(), document, self.table)

    def differences(self, data: bytes, again: bytes) -> list[Any]:
        left, right = (canonical_form(parse(one), self.table, empty_means_absent=True) for one in (data, again))
        return differences(left, right)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> ElementTable:
    folder: Path = tmp_path_factory.mktemp("letter")
    (folder / "standard.yaml").write_text(STANDARD, encoding="utf-8")
    (folder / "letter.csv").write_text(ROWS, encoding="utf-8")
    return load(folder / "letter.csv")


@pytest.fixture(scope="module")
def post(table: ElementTable) -> Post:
    return Post(table)


def rest(document: dict[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = document.get("extensions", {}).get("letters", {}).get("rest", [])
    return entries


def test_an_orderly_message_leaves_nothing_behind(post: Post) -> None:
    document, report = post.read(PLAIN.encode(), tolerant=False)
    assert "extensions" not in document
    assert report.coverage == 1.0
    assert post.differences(PLAIN.encode(), post.write(document)) == []


# What is replaced by what, and the entry that is left: place, and what it says.
ODD: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a value of another shape": (">12.50<", ">1,2<", {"place": "Letter/Head/Mass", "text": "1,2"}),
    "another spelling": (
        ">20260301<",
        ">2026-03-01<",
        {"place": "Letter/Head/Sent", "text": "2026-03-01", "instead_of": "20260301"},
    ),
    "another spelling of the form": (
        "form='102'",
        "form='7'",
        {"place": "Letter/Head/Sent/@form", "text": "7", "instead_of": "102"},
    ),
    "no form": (" form='102'", "", {"place": "Letter/Head/Sent/@form", "absent": "yes"}),
    "blanks around a text": (">dry<", "> dry <", {"place": "Letter/Note", "text": " dry "}),
    "blanks in a section": (">dry<", "><![CDATA[ dry]]><", {"place": "Letter/Note", "text": " dry"}),
    "a blank by its number": (">dry<", ">&#32;dry<", {"place": "Letter/Note", "text": " dry"}),
    "blanks in an attribute": ("'KGM'", "' KGM'", {"place": "Letter/Head/Mass/@unit", "text": " KGM"}),
    "an attribute no row carries": (" unit", " list='x' unit", {"place": "Letter/Head/Mass/@list", "text": "x"}),
    "an attribute no table knows": ("<Note>", "<Note kind='x'>", {"place": "Letter/Note/@kind", "text": "x"}),
    "an attribute of a group": ("<Tail>", "<Tail kind='x'>", {"place": "Letter/Tail/@kind", "text": "x"}),
    "an attribute of another namespace": (
        "<Note>",
        "<Note xmlns:q='urn:q' q:kind='x'>",
        {"place": "Letter/Note/@{urn:q}kind", "text": "x"},
    ),
    "an empty element that must say something": (">7<", "><", {"place": "Letter/Head/No", "text": ""}),
    "a blank element that must say something": (">7<", ">  <", {"place": "Letter/Head/No", "text": ""}),
    "an element no row carries": ("<Tail>", "<Aside>a</Aside><Tail>", {"place": "Letter/Aside", "text": "a"}),
    "a required group that is not there": (
        "<Tail><Sign>W</Sign></Tail>",
        "",
        {"place": "Letter/Tail", "absent": "yes"},
    ),
    "a text between elements": ("<Tail>", "<Tail>by hand", {"place": "Letter/Tail", "text": "by hand"}),
    "another order": (
        "<Name>felt</Name><Count>2</Count>",
        "<Count>2</Count><Name>felt</Name>",
        {"place": "Letter/Line", "order": ["Count", "Name"]},
    ),
    "lines behind what follows them": (
        "<Note>dry</Note><Tail><Sign>W</Sign></Tail>",
        "<Tail><Sign>W</Sign></Tail><Line><Name>silk</Name></Line><Note>dry</Note>",
        {"place": "Letter", "order": ["Head", "Line", "Line", "Tail", "Line", "Note"]},
    ),
}


@pytest.mark.parametrize(("before", "after", "entry"), ODD.values(), ids=ODD)
def test_what_has_no_canonical_home_is_kept_and_comes_back(
    post: Post, before: str, after: str, entry: dict[str, Any]
) -> None:
    assert before in PLAIN
    data = PLAIN.replace(before, after, 1).encode()
    document, report = post.read(data)
    assert rest(document) == [entry]
    assert (report.lost, report.unmapped) == ([], [])
    assert SHAPE.findings(document) == []
    assert post.differences(data, post.write(document)) == []
    assert post.mapping.loss(document).lost == ()


def test_a_value_nobody_can_convert_is_kept_with_all_that_belongs_to_it(post: Post) -> None:
    data = PLAIN.replace(">20260301<", ">soon<").encode()
    document, _ = post.read(data)
    assert "sent" not in document
    assert rest(document) == [
        {"place": "Letter/Head/Sent/@form", "text": "102"},
        {"place": "Letter/Head/Sent", "text": "soon"},
    ]
    assert post.differences(data, post.write(document)) == []


def test_a_repeated_element_that_says_nothing_keeps_the_places_of_those_behind_it(post: Post) -> None:
    data = PLAIN.replace("<Line><Name>felt", "<Line/><Line><Name> felt").encode()
    document, _ = post.read(data)
    assert rest(document) == [
        {"place": "Letter/Line", "empty": "yes"},
        {"place": "Letter/Line[2]/Name", "text": " felt"},
    ]
    assert post.differences(data, post.write(document)) == []


def test_a_value_that_cannot_be_read_is_told_and_refused_by_a_strict_reader(post: Post) -> None:
    data = PLAIN.replace(">20260301<", ">soon<").encode()
    _, report = post.read(data)
    assert {(finding.code, finding.partner_place) for finding in report.findings} == {
        ("mapping.unread", "Letter/Head/Sent (line 1)"),
        ("mapping.unread", "Letter/Head/Sent/@form (line 1)"),
    }
    assert {leaf.place for leaf in report.bag} == {"Letter/Head/Sent", "Letter/Head/Sent/@form"}
    with pytest.raises(RuleBroken) as refused:
        post.read(data, tolerant=False)
    assert refused.value.code == "mapping.unread"


UNKNOWN = PLAIN.replace("<Note>", "<New at='1'><Inner>v</Inner></New><Note>").encode()


def test_an_element_no_table_knows_is_unmapped_and_not_written_again(post: Post) -> None:
    document, report = post.read(UNKNOWN)
    assert [(leaf.place, leaf.value) for leaf in report.unmapped] == [
        ("Letter/New/@at", "1"),
        ("Letter/New/Inner", "v"),
    ]
    assert rest(document) == []
    assert [found.partner_place for found in post.differences(UNKNOWN, post.write(document))] == ["Letter/New"]


def test_an_element_no_table_knows_is_kept_in_its_place_where_the_adapter_says_so(table: ElementTable) -> None:
    post = Post(table, Leftovers("letters", "rest", keeps_unknown=True))
    document, report = post.read(UNKNOWN)
    assert report.unmapped == []
    assert len(report.bag) == 2
    assert post.differences(UNKNOWN, post.write(document)) == []


def test_blanks_are_noticed_in_every_encoding(post: Post) -> None:
    data = ('<?xml version="1.0" encoding="UTF-16"?>' + PLAIN.replace(">dry<", "> dry<")).encode("utf-16")
    document, _ = post.read(data)
    assert rest(document) == [{"place": "Letter/Note", "text": " dry"}]


def test_blanks_in_front_of_a_positional_text_are_part_of_it(table: ElementTable) -> None:
    post = Post(table, Leftovers("letters", "rest", positional={"Note"}, blank="\u2423"))
    assert not post.about.is_padded(PLAIN.replace(">dry<", ">  dry<").encode())
    assert post.about.is_padded(PLAIN.replace(">dry<", ">dry  <").encode())


def test_an_entry_gives_way_to_a_document_that_was_changed(post: Post) -> None:
    document, _ = post.read(PLAIN.replace(">20260301<", ">2026-03-01<").replace(">dry<", "> dry <").encode())
    changed = document | {"sent": "2026-04-02", "note": "wet"}
    again = post.write(changed)
    assert b">20260402<" in again
    assert b">wet<" in again


BAD: dict[str, Any] = {
    "a place of another message": {"place": "Other/Note", "text": "x"},
    "a place the table does not have": {"place": "Letter/Nowhere", "text": "x"},
    "a place behind a gap": {"place": "Letter/Line[9]/Name", "text": "x"},
    "no place": {"text": "x"},
    "no text": {"place": "Letter/Note"},
    "a text no XML can hold": {"place": "Letter/Tail/Sign", "text": "\x00"},
    "an attribute with no name": {"place": "Letter/Note/@", "text": "x"},
    "an order that is none": {"place": "Letter", "order": 5},
    "an unknown element with a name that is none": {"place": "Letter", "element": [{"level": "0", "name": "<a"}]},
    "an unknown element without rows": {"place": "Letter", "element": []},
    "an unknown element that begins below": {"place": "Letter", "element": [{"level": "1", "name": "a"}]},
    "two unknown elements in one": {"place": "Letter", "element": [{"level": "0", "name": name} for name in "ab"]},
    "an unknown element too deep": {
        "place": "Letter",
        "element": [{"level": str(level), "name": "a"} for level in range(300)],
    },
}


@pytest.mark.parametrize("entry", BAD.values(), ids=BAD)
def test_an_entry_that_fits_nothing_is_refused_with_its_place(post: Post, entry: dict[str, Any]) -> None:
    document = {"number": "7", "note": "x", "extensions": {"letters": {"rest": [entry]}}}
    with pytest.raises(RuleBroken) as refused:
        post.write(document)
    assert refused.value.findings[0].pointer == "/extensions/letters/rest"


PLACES = st.sampled_from(["Letter", "Letter/Head/Sent", "Letter/Line[2]/Name", "Letter/Line", "Letter/Tail/@x", "x"])
ENTRIES = st.lists(
    st.dictionaries(
        st.sampled_from(["text", "empty", "absent", "order", "element", "instead_of"]), st.text() | st.none()
    )
)


@given(ENTRIES, PLACES)
def test_whatever_a_filer_writes_into_the_bag_gives_bytes_or_one_of_our_errors(
    post: Post, entries: list[dict[str, Any]], place: str
) -> None:
    bag = [{"place": place, **entry} for entry in entries]
    with suppress(GatewayError):
        parse(post.write({"number": "7", "extensions": {"letters": {"rest": bag}}}))


def _shuffled(parent: etree._Element, dice: random.Random) -> None:
    children = list(parent)
    dice.shuffle(children)
    parent[:] = children


@pytest.mark.parametrize(
    "odd",
    [
        "<Odd/>",
        "<Odd kind='new'>one<Inner/>two<Inner>three</Inner> four </Odd>",
        "<Odd>one<!-- c -->two<Inner><Deep><Deeper a='&lt;'>x</Deeper></Deep>y</Inner></Odd>",
        "<q:Odd xmlns:q='urn:q' q:kind='q:x'><Inner/><q:Inner/></q:Odd>",
        "<Odd xmlns='urn:q'><Inner xmlns=''><Odd xmlns='urn:q'/></Inner></Odd>",
    ],
)
def test_an_unknown_element_is_kept_as_data_and_comes_back_with_all_it_held(table: ElementTable, odd: str) -> None:
    post = Post(table, Leftovers("letters", "rest", keeps_unknown=True))
    data = PLAIN.replace("</Letter>", f"{odd}</Letter>").encode()
    document, _ = post.read(data)
    (entry,) = document["extensions"]["letters"]["rest"]
    assert not [text for row in entry["element"] for text in row.values() if "<" in text]
    assert post.differences(data, post.write(document)) == []


SPOILERS: list[Callable[[etree._Element, random.Random], None]] = [
    lambda one, dice: one.set("odd", " x "),
    lambda one, dice: setattr(one, "text", dice.choice(["", " ", " q ", "q", "\n", "1e9"])) if not len(one) else None,
    _shuffled,
    lambda one, dice: one.append(etree.Comment("c")),
    lambda one, dice: one.clear(),
    lambda one, dice: one.getparent().remove(one) if one.getparent() is not None else None,  # type: ignore[union-attr]
    lambda one, dice: one.attrib.clear(),
]


@pytest.mark.parametrize("seed", range(120))
def test_a_spoiled_message_comes_back_as_it_was(post: Post, seed: int) -> None:
    dice = random.Random(seed)
    root = etree.fromstring(PLAIN)
    for _ in range(dice.randint(1, 4)):
        dice.choice(SPOILERS)(dice.choice(list(root.iter(etree.Element))), dice)
    data = etree.tostring(root)
    document, report = post.read(data)
    assert (report.lost, report.unmapped) == ([], [])
    assert post.differences(data, post.write(document)) == []
