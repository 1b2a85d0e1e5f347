"""The words of a refusal agree with the verdict, which is libxml2's, value by value; and white space is XML's."""

import pytest
from lxml import etree

from gateway.syntax import base64_binary
from gateway.syntax.tables import BUILT_IN, SimpleType
from gateway.syntax.values import fault

DAYS = [
    "2026-02-28",
    "2026-02-31",
    "2026-04-31",
    "2026-00-10",
    "2026-13-01",
    "2026-12-00",
    "2024-02-29",
    "1900-02-29",
    "2000-02-29",
    "0000-01-01",
    "02026-01-01",
    "12026-02-29",
    "12024-02-29",
    "-0004-02-29",
    "-0001-02-29",
    "2026-02-31Z",
    "2026-01-01+14:00",
    "2026-01-01+14:01",
    "2026-01-01+05:60",
    "2026-1-1",
    "٢026-01-01",
]
TIMES = [
    "23:59:59",
    "24:00:00",
    "24:00:00.00",
    "24:00:00.5",
    "24:00:01",
    "25:00:00",
    "10:60:00",
    "10:00:60",
    "10:00:00Z",
    "10:00:00+15:00",
    "10:00:00-14:00",
    "10:00:00.125+08:00",
    "10:00",
]
# Its production Base64Binary as it is written there, with B64S, B16S, B04S for a sign and a blank behind it.
GRAMMAR = (
    "((([A-Za-z0-9+/] ?){4})*(([A-Za-z0-9+/] ?){3}[A-Za-z0-9+/]"
    "|([A-Za-z0-9+/] ?){2}[AEIMQUYcgkosw048] ?=|[A-Za-z0-9+/] ?[AQgw] ?= ?=))?"
)
PARTS_OF_DAYS = {
    "gYear": ["2026", "02026", "12026", "-0044", "0000", "26", "2026Z", "2026+08:00", "2026+14:30", "+2026"],
    "gYearMonth": [
        "2026-02",
        "2026-00",
        "2026-13",
        "2026-2",
        "0000-01",
        "-0004-12",
        "2026-02-01",
        "2026-02Z",
        "202602",
    ],
    "gMonth": ["--02", "--00", "--13", "-02", "02", "--2", "--12-05:00", "--12+15:00"],
    "gMonthDay": [
        "--02-29",
        "--02-30",
        "--04-30",
        "--04-31",
        "--12-32",
        "--00-01",
        "--01-00",
        "--0229",
        "--02-29Z",
        "02-29",
    ],
    "gDay": ["---31", "---32", "---00", "---1", "--31", "---01Z", "---01+14:00", "---01+14:01"],
    "duration": [
        "P1Y",
        "P1Y2M3DT4H5M6.7S",
        "-P3D",
        "PT0S",
        "PT5M",
        "P5M",
        "P",
        "PT",
        "P1YT",
        "-P",
        "+P1D",
        "P-1D",
        "P1D2Y",
        "P1.5D",
        "PT1.S",
        "PT.5S",
        "PT.S",
        "PT1.5.5S",
        "P1H",
        "PT1D",
        "P1W",
        "p1d",
        "P1D ",
        "P٢D",
        "",
    ],
}
BASE64 = [
    "",
    "AA\nAA",
    "A A A A",
    "AAAA AA==",
    "AA= =",
    "AAA",
    "AA",
    "A===",
    "=",
    "AA==AAAA",
    "AAAA=",
    "AAAA==",
    "AAAAA===",
    "AAA=====",
    "AAE=",
    "AAF=",
    "AQ==",
    "AB==",
    "A-_A",
    "AA\u3000AA",
    "AA\u00a0AA",
    "AA\u200bAA",
    "ＡAAA",
]
VALUES = [
    *(("date", day) for day in DAYS),
    *(("time", time) for time in TIMES),
    *(("dateTime", f"2026-02-28T{time}") for time in TIMES),
    *(("dateTime", f"{day}T10:00:00") for day in DAYS if len(day) == 10),
    *((base, value) for base, values in PARTS_OF_DAYS.items() for value in values),
    *((base, f"\u3000{values[0]}") for base, values in PARTS_OF_DAYS.items()),
    *((base, f"{values[0]}\u00a0") for base, values in PARTS_OF_DAYS.items()),
    *((base, f"\n {values[0]}\t") for base, values in PARTS_OF_DAYS.items()),
    ("boolean", "\n true\t"),
    *((base, f"\u3000{value}") for base, value in [("date", "2026-02-28"), ("integer", "7"), ("decimal", "1.5")]),
    *((base, f"{value}\u00a0") for base, value in [("boolean", "true"), ("language", "en")]),
    ("base64", "AA\nAA"),
]
# What a schema makes of a text: the facet whiteSpace of the type (XML Schema part 2, 4.3.6).
NORMALISED = {
    "a string stays": ("string", " a \t b\n", " a \t b\n"),
    "a normalizedString is replaced": ("normalizedString", " a  b\tc\r\nd", " a  b c  d"),
    "a token is collapsed": ("token", " a  b\tc\r\nd\n", "a b c d"),
    "a date is collapsed": ("date", "\n2026-03-01 ", "2026-03-01"),
    "blanks of Unicode are no white space": ("token", "\u3000a\u00a0 \u2003b\u0085", "\u3000a\u00a0 \u2003b\u0085"),
}


@pytest.mark.parametrize(("base", "value"), VALUES, ids=[f"{base} {value!r}" for base, value in VALUES])
def test_a_fault_is_found_where_the_schema_refuses_the_value_and_nowhere_else(base: str, value: str) -> None:
    schema = etree.XMLSchema(
        etree.XML(
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
            f'<xs:element name="a" type="xs:{BUILT_IN[base]}"/></xs:schema>'
        )
    )
    element = etree.Element("a")
    element.text = value
    assert (fault(SimpleType(base), value) is None) == schema.validate(element)


@pytest.mark.parametrize(
    ("base", "value", "expected"),
    [
        ("date", "2026-02-31", "a day from 01 to 28"),
        ("date", "2024-02-30+08:00", "a day from 01 to 29"),
        ("dateTime", "2026-13-01T10:00:00", "a month from 01 to 12"),
        ("dateTime", "2026-12-01T24:00:01", "an hour from 00 to 23, or 24:00:00"),
        ("time", "10:61:00", "minutes and seconds from 00 to 59"),
        ("time", "10:00:00+14:30", "an offset from -14:00 to +14:00"),
        ("date", "0000-01-01", "a year other than 0000"),
    ],
)
def test_a_day_or_time_that_does_not_exist_is_named_as_such(base: str, value: str, expected: str) -> None:
    found = fault(SimpleType(base), value)
    assert found is not None
    assert (found.code, found.found, found.expected) == ("calendar", value, expected)


def test_a_year_of_any_length_is_answered() -> None:
    assert fault(SimpleType("date"), f"{'9' * 5000}-02-28") is None


@pytest.mark.parametrize(("base", "text", "expected"), NORMALISED.values(), ids=NORMALISED.keys())
def test_a_text_is_normalised_as_its_type_says(base: str, text: str, expected: str) -> None:
    assert SimpleType(base).normalise(text) == expected


def test_only_the_blank_text_passes_where_blanks_are_allowed() -> None:
    date = SimpleType("date", blank_allowed=True)
    assert fault(date, " \n") is None
    assert fault(date, "\u3000") is not None


@pytest.mark.parametrize("value", BASE64)
def test_base64_is_what_the_grammar_of_the_standard_says(value: str) -> None:
    """XML Schema part 2, second edition, 3.2.16; libxml2 itself reads on where a sign is none of base64."""
    schema = etree.XMLSchema(
        etree.XML(
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:simpleType>'
            f'<xs:restriction base="xs:token"><xs:pattern value="{GRAMMAR}"/></xs:restriction>'
            "</xs:simpleType></xs:element></xs:schema>"
        )
    )
    element = etree.Element("a")
    element.text = value
    assert (fault(SimpleType("base64"), value) is None) == schema.validate(element)


@pytest.mark.parametrize("sign", ["\x1c", "\x1f", "\x0b", "\x0c", "\x00", "\u3000", "\u00a0", "\u200b"])
def test_base64_has_no_white_space_but_that_of_xml(sign: str) -> None:
    assert base64_binary.to_bytes(" QU\tJD\r\n") == b"ABC"
    for text in (f"QU{sign}JD", f"{sign}QUJD", f"QUJD{sign}"):
        with pytest.raises(ValueError):
            base64_binary.to_bytes(text)
