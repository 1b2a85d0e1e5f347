"""Conversions are inverses: what is read is written the same, and what is written is read the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cn_declaration import conversions as c
from gateway.documents import Documents
from gateway.mapping.rows import Conversion

MARK = st.sampled_from(["0", "1", "A", None])
WIRE = st.text("0123456789ABMTZ #", min_size=1, max_size=9).map(str.rstrip).filter(bool)


def read_back(conversion: Conversion, text: str) -> str | None:
    """The text after reading and writing it; None where it cannot be read."""
    try:
        values = conversion.decode(text)
    except ValueError:
        return None
    return conversion.encode(*values)[0]


@given(WIRE)
@pytest.mark.parametrize(
    "conversion",
    [
        c.DECLARATION_TYPE,
        c.DATA_SOURCE,
        c.SPECIAL_BUSINESS,
        c.PRICE_DECLARATIONS,
        c.TRANSPORT_MODE,
        c.COMMA_LIST,
        c.DATE_LIST,
    ],
    ids=lambda conversion: conversion.name,
)
def test_what_can_be_read_is_written_the_same(conversion: Conversion, text: str) -> None:
    positional = conversion in (c.DECLARATION_TYPE, c.DATA_SOURCE, c.SPECIAL_BUSINESS)
    bare = text.lstrip(" ")
    marked, text = (c.BLANK * (len(text) - len(bare)) + bare, text) if positional else (bare, bare)
    assert read_back(conversion, marked) in (None, text)


@given(
    st.sampled_from(["ML", "Z", "MT", None]),
    st.sampled_from(["single", "summary", "complete", "two_step", None]),
    st.tuples(MARK, MARK, MARK, MARK),
)
def test_kind_step_and_marks_come_back(kind: str | None, step: str | None, marks: tuple[str | None, ...]) -> None:
    (text,) = c.DECLARATION_TYPE.encode(kind, step, *marks)
    assert text is None or c.DECLARATION_TYPE.decode(text) == (kind, step, *marks)


@given(st.tuples(MARK, MARK, MARK))
def test_extension_marks_come_back(marks: tuple[str | None, ...]) -> None:
    (text,) = c.DATA_SOURCE.encode(*marks)
    assert text is None or c.DATA_SOURCE.decode(text) == marks


@given(st.tuples(*[st.sampled_from(["yes", "no", None])] * 7), st.none() | st.text("01", min_size=1, max_size=3))
def test_special_business_marks_come_back(marks: tuple[str | None, ...], rest: str | None) -> None:
    (text,) = c.SPECIAL_BUSINESS.encode(*marks, rest)
    assert text is None or c.SPECIAL_BUSINESS.decode(text) == (*marks, rest)


@given(st.lists(st.sampled_from(["yes", "no", "blank"]), min_size=1, max_size=5))
def test_price_declarations_of_any_length_come_back(marks: list[str]) -> None:
    given_marks = (*marks, *[None] * (5 - len(marks)))
    (text,) = c.PRICE_DECLARATIONS.encode(*given_marks)
    assert text is not None
    assert len(text) == len(marks)
    assert c.PRICE_DECLARATIONS.decode(text) == given_marks


def test_a_blank_kind_with_a_step_keeps_its_positions() -> None:
    assert c.DECLARATION_TYPE.encode(None, "summary", None, None, None, None) == ("  5",)
    assert c.DECLARATION_TYPE.decode(f"{c.BLANK}{c.BLANK}5")[:2] == (None, "summary")


@pytest.mark.parametrize("world", ["letters", "numbers"])
def test_every_code_of_the_lists_is_translated_one_to_one_or_stays(documents: Documents, world: str) -> None:
    codes = c.codes_of(documents.codelists, country_world=world, currency_world=world)
    column = "old_customs" if world == "numbers" else None
    for conversion, name in ((codes.country, "country"), (codes.currency, "currency"), (codes.unit, "unit")):
        for row in documents.codelists[name].rows:
            code = row.columns[column] if column and name != "unit" else row.code
            if code:
                assert read_back(conversion, code) == code


@pytest.mark.parametrize(
    ("world", "wire", "ours"),
    [
        ("letters", "MNG", "MN"),
        ("numbers", "124", "MN"),
        ("numbers", "142", "CN"),
        ("letters", "QQQ", "QQQ"),
        ("numbers", "499", "499"),
    ],
)
def test_countries_are_iso_codes_in_both_worlds(documents: Documents, world: str, wire: str, ours: str) -> None:
    country = c.codes_of(documents.codelists, country_world=world, currency_world=world).country
    assert country.decode(wire) == (ours,)
    assert country.encode(ours) == (wire,)


@pytest.mark.parametrize(
    ("code", "schemes"), [("990000001", 0), ("1501960001", 1), ("NO", 2), ("91150000MA0NAT0017", 2)]
)
def test_the_length_of_a_company_number_tells_its_scheme(code: str, schemes: int) -> None:
    values = c.ORGANISATION.decode(code)
    assert values.index(code) == schemes
    assert c.ORGANISATION.encode(*values) == (code,)


@pytest.mark.parametrize(
    ("code", "is_aeo"), [("SG123456789012", True), ("AEOCN1501960001", True), ("NO", False), ("COMPANY", False)]
)
def test_an_aeo_code_is_told_from_other_numbers(code: str, is_aeo: bool) -> None:
    assert (c.AEO_OR_OTHER.decode(code)[0] == code) is is_aeo


@pytest.mark.parametrize(
    ("conversion", "values"),
    [
        (c.KILOGRAMS, ("1", "TNE")),
        (c.TRADE_CODE_NAME, ("1", "other")),
        (c.DECLARATION_TYPE, ("ABC", None, None, None, None, None)),
        (c.DECLARATION_TYPE, (None, "third", None, None, None, None)),
        (c.SPECIAL_BUSINESS, ("perhaps", *[None] * 7)),
        (c.TRANSPORT_MODE, ("8", None)),
        (c.SINGLE_OF_LIST, (["1", "2"],)),
        (c.COMMA_LIST, (["1,2"],)),
        (c.SPACED_TIME, ("2026-01-01T10:00:00+09:00",)),
    ],
)
def test_what_this_partner_cannot_write_is_refused(conversion: Conversion, values: tuple[object, ...]) -> None:
    with pytest.raises(ValueError):
        conversion.encode(*values)


def test_a_time_in_digits_of_another_script_is_no_time() -> None:
    assert c.SPACED_TIME.decode("20261118 09:40:02") == ("2026-11-18T09:40:02+08:00",)
    for text in ("２０２６１１１８ ０９:４０:０２", "٢٠٢٦١١١٨ ٠٩:٤٠:٠٢"):
        with pytest.raises(ValueError, match="hh:mm:ss"):
            c.SPACED_TIME.decode(text)
