"""Times, padded texts and attributes that no canonical field holds come back as they were."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.wco_declaration import WcoDeclaration
from adapters.wco_declaration.conversions import DATE_TIME, DECLARATION_TYPE, from_partner, to_partner
from gateway.catalogue import Entry, offline
from gateway.errors import RuleBroken
from gateway.ports import Encoded
from gateway.syntax.normal import canonical_form, differences

from .conftest import CATALOGUE, sample

TIMES = {
    ("2020-02-12", "20200212", "102"),
    ("2020-02-12T09:15:07Z", "20200212091507Z", "304"),
    ("2023-05-26T20:55:09+01:00", "20230526205509+01", "304"),
    ("2023-05-26T20:55:09-05:00", "20230526205509-05", "304"),
}
NO_TIMES = ["", "2020", "20201301", "20200230", "20200212251507Z", "2020021209150", "tomorrow", "\uff12020\uff10212"]
# What stands in a notification -> what the canonical field says of it.
ODD_TIMES = {
    "<D>Wed Nov 13 00:00:00 UTC 2019</D>": "2019-11-13T00:00:00Z",
    '<D formatCode="102">20191113101112Z</D>': "2019-11-13T10:11:12Z",
    "<D>20191113</D>": "2019-11-13",
    '<D formatCode="304">20191113101112</D>': "2019-11-13",
    '<D formatCode="203">201911131011</D>': "2019-11-13",
    '<D formatCode="304">2019-11-13T10:11:12</D>': "2019-11-13",
    "<D>Wed Nov 13 10:11:12 CET 2019</D>": "2019-11-13",
    '<D formatCode="304">20191113101112+0530</D>': "2019-11-13T10:11:12+05:30",
    '<D formatCode="304">2019-11-13T10:11:12.345+01:00</D>': "2019-11-13T10:11:12+01:00",
    '<D formatCode="304">soon</D>': None,
}


@pytest.mark.parametrize(("ours", "text", "form"), sorted(TIMES))
def test_a_time_is_written_and_read(ours: str, text: str, form: str) -> None:
    assert DATE_TIME.encode(ours) == (text, form)
    assert DATE_TIME.decode(text, form) == (ours,)


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_partner(text)


@pytest.mark.parametrize("value", ["2020-02-12T09:15:07", "2020-02-12T09:15:07.5Z", "12.02.2020", "2020-02-12T09:15Z"])
def test_what_cannot_be_written_whole_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="offset"):
        to_partner(value)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.integers(0, 86_399), st.integers(-11, 12))
def test_every_whole_hour_zone_comes_back(day: date, second: int, zone: int) -> None:
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    value = f"{day}T{clock}{zone:+03}:00"
    assert from_partner(to_partner(value)[0]) == value


@pytest.mark.parametrize(
    ("code", "direction"), [("IMA", "import"), ("EXD", "export"), ("COZ", "import"), ("TRA", None)]
)
def test_the_type_code_tells_the_direction(code: str, direction: str | None) -> None:
    assert DECLARATION_TYPE.decode(code) == (code, direction)


@pytest.mark.parametrize(("written", "value"), ODD_TIMES.items())
def test_an_odd_time_is_understood_where_it_can_be_and_comes_back_in_any_case(
    entry: Entry, written: str, value: str | None
) -> None:
    odd = etree.fromstring(written)
    data = replaced(sample("notification-exited"), odd)
    decoded = entry.adapter.decode(data, tolerant=True)
    status = decoded.document["statuses"][0]
    assert status.get("effective_date_time") == value
    assert same(data, offline.encode_again(entry, decoded))
    assert decoded.report.lost == []


def replaced(data: bytes, odd: etree._Element) -> bytes:
    """The notification with another time of its status."""
    root = etree.fromstring(data)
    element = next(one for one in root.iter("{*}EffectiveDateTime"))[0]
    element.attrib.clear()
    element.attrib.update(odd.attrib)
    element.text = odd.text
    return etree.tostring(root)


def same(data: bytes, again: bytes) -> bool:
    table = CATALOGUE.registry.table("wco_declaration", "3.6", "notification")
    left, right = (canonical_form(etree.fromstring(one), table, empty_means_absent=True) for one in (data, again))
    return differences(left, right) == []


def test_further_attributes_and_padding_are_kept_in_the_bag(entry: Entry) -> None:
    root = etree.fromstring(sample("notification-exited"))
    office = next(root.iter("{*}ContactOffice"))[0]
    office.set("schemeAgencyID", "211")
    description = next(root.iter("{*}StatementDescription"))
    description.text = " GB000060 "
    data = etree.tostring(root)
    decoded = entry.adapter.decode(data, tolerant=False)
    bag = decoded.document["extensions"]["wco_declaration"]
    assert {entry["place"] for entry in bag["as_written"]} == {
        "MetaData/Response/ContactOffice/ID/@schemeAgencyID",
        "MetaData/Response/AdditionalInformation/StatementDescription",
    }
    assert decoded.document["additional_informations"][0]["statement_description"] == "GB000060"
    assert same(data, offline.encode_again(entry, decoded))
    schema = json.loads((entry.root / "bag.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(schema).validate(bag)


BAD_BAGS: list[Any] = [
    [{"place": "MetaData/Nowhere"}],
    [{"place": "Other"}],
    [{}],
]


@pytest.mark.parametrize("entries", BAD_BAGS)
def test_a_bag_that_names_no_place_is_refused(encode: Callable[..., Encoded], entries: Any) -> None:
    with pytest.raises(RuleBroken) as refused:
        encode({"direction": "import", "extensions": {"wco_declaration": {"as_written": entries}}})
    assert refused.value.findings[0].pointer == "/extensions/wco_declaration/as_written"


def test_strict_reading_refuses_what_tolerant_reading_mends(adapter: WcoDeclaration) -> None:
    data = sample("notification-accepted").replace(b"<FunctionCode>01<", b"<FunctionCode>\n01\n<")
    bare = data.replace(b' xmlns="urn:wco:datamodel:WCO:RES-DMS:2"', b"").replace(b"md:", b"").replace(b"resds:", b"")
    assert adapter.decode(bare, tolerant=True).document["raw_code"] == "01"
    with pytest.raises(Exception, match="breaks notification"):
        adapter.decode(bare, tolerant=False)


def test_several_responses_in_one_wrapper_are_answers_each(entry: Entry) -> None:
    root = etree.fromstring(sample("notification-accepted"))
    for name in ("notification-exited", "notification-rejected"):
        root.append(etree.fromstring(sample(name))[-1])
    data = etree.tostring(root)
    decoded = entry.adapter.decode(data, tolerant=False)
    answers = [entry.adapter.replies(one, received_us=0, sent=None) for one in decoded.documents]
    assert [[answer.function for answer in one] for one in answers] == [["accepted"], ["exited"], ["rejected"]]
    assert same(data, offline.encode_again(entry, decoded))
    assert any(place.startswith("MetaData/Response[3]/Error") for place in decoded.report.mapped)
    assert decoded.report.coverage == 1.0
