"""One table, both directions: what goes out comes back, and what cannot go is named."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.errors import NeedsOperator, RuleBroken
from gateway.mapping import Mapping
from gateway.mapping.conversions import COMPACT_DATE, local_time, one, positional, separated
from gateway.mapping.encode import Encoder, is_plain
from gateway.mapping.rows import Value, convert, text
from gateway.syntax.tables import ElementTable
from tests.mapping.conftest import DOCUMENT, MARKS

# Every character that a document must not hold to be plain: markup, quotes, controls, and what is no character of XML.
UNPLAIN = [*map(chr, range(0x20)), *'&<>"\\', "\ud800", "\udfff", "\ufffe", "\uffff"]


def written(mapping: Mapping, document: dict[str, Any]) -> etree._Element:
    return etree.fromstring(mapping.encode(document).encode())


def values(root: etree._Element, path: str) -> list[str | None]:
    return [found.text for found in root.findall("/".join(f"{{urn:example:parcel}}{name}" for name in path.split("/")))]


def test_a_document_comes_back_as_it_went(mapping: Mapping) -> None:
    document, report = mapping.decode(written(mapping, DOCUMENT))
    identifiers = {entry["scheme"]: entry["value"] for entry in document["sender"]["identifiers"]}
    assert identifiers == {entry["scheme"]: entry["value"] for entry in DOCUMENT["sender"]["identifiers"]}  # type: ignore[index]
    assert without_identifiers(document) == without_identifiers(DOCUMENT)
    assert (report.unmapped, report.lost) == ([], [])


def without_identifiers(document: dict[str, Any]) -> dict[str, Any]:
    bare = copy.deepcopy(document)
    del bare["sender"]["identifiers"]
    return bare


def test_elements_leave_in_the_order_of_the_table_whatever_the_order_of_the_rows(mapping: Mapping) -> None:
    root = written(mapping, DOCUMENT)
    order = ["Flow", "Marks", "Fixed", "Sent", "Fragile", "Sender", "Host", "Lines", "Permits"]
    assert [etree.QName(child).localname for child in root] == order


def test_elements_are_read_in_whatever_order_they_come(mapping: Mapping) -> None:
    root = written(mapping, DOCUMENT)
    root[:] = list(reversed(root))
    assert mapping.decode(root)[0]["shipment"]["items"][0]["origin"] == "CN"


def test_origin_and_destination_change_places_on_export_only(mapping: Mapping) -> None:
    assert values(written(mapping, DOCUMENT), "Lines/Line/From") == ["MN"]
    assert values(written(mapping, {**DOCUMENT, "direction": "import"}), "Lines/Line/From") == ["CN"]


def test_what_is_absent_is_not_written_but_a_required_group_is(mapping: Mapping) -> None:
    root = written(mapping, {"direction": "import"})
    assert [etree.QName(child).localname for child in root] == ["Flow", "Fixed", "Lines"]


def test_markup_in_a_value_stays_text(mapping: Mapping) -> None:
    assert values(written(mapping, DOCUMENT), "Sender/Name") == ["Amber & Sons <Erenhot>"]


def test_empty_elements_mean_absent_and_make_no_members(mapping: Mapping) -> None:
    source = '<Parcel xmlns="urn:example:parcel"><Flow/><Sender><Name> </Name></Sender><Lines><Line><No/></Line></Lines></Parcel>'
    document, report = mapping.decode(etree.fromstring(source))
    assert document.get("shipment", {}) == {}
    assert (report.mapped, report.coverage) == ({}, 1.0)


def test_elements_nobody_knows_are_reported_with_their_place_and_line(mapping: Mapping) -> None:
    source = '<Parcel xmlns="urn:example:parcel">\n<Flow>I</Flow>\n<Odd><Inner>x</Inner></Odd></Parcel>'
    _, report = mapping.decode(etree.fromstring(source))
    assert [(leaf.place, leaf.line, leaf.value) for leaf in report.unmapped] == [("Parcel/Odd/Inner", 3, "x")]
    assert report.coverage == 0.5


def test_a_comment_does_not_cut_a_value_and_an_unknown_attribute_does_not_hide_it(mapping: Mapping) -> None:
    sender = '<Sender><Name odd="x">Amber<!-- of Erenhot --> Ltd</Name><Code odd="y">15</Code></Sender>'
    document, report = mapping.decode(etree.fromstring(f'<Parcel xmlns="urn:example:parcel">{sender}</Parcel>'))
    assert document["sender"] == {"name": "Amber Ltd", "identifiers": [{"scheme": "CN-CUSTOMS", "value": "15"}]}
    assert [leaf.place for leaf in report.unmapped] == ["Parcel/Sender/Name/@odd", "Parcel/Sender/Code/@odd"]
    assert report.mapped == {
        "Parcel/Sender/Name": "/sender/name",
        "Parcel/Sender/Code": "/sender/identifiers/0/value",
    }


def test_a_single_element_that_comes_twice_is_reported_and_the_first_one_counts(mapping: Mapping) -> None:
    source = '<Parcel xmlns="urn:example:parcel"><Flow>I</Flow><Flow>E</Flow></Parcel>'
    document, report = mapping.decode(etree.fromstring(source))
    assert document["direction"] == "import"
    assert [leaf.place for leaf in report.unmapped] == ["Parcel/Flow[2]"]


def test_a_value_that_cannot_be_read_is_named_lost(mapping: Mapping) -> None:
    source = '<Parcel xmlns="urn:example:parcel"><Flow>I</Flow><Sent>1.3.26</Sent></Parcel>'
    _, report = mapping.decode(etree.fromstring(source))
    assert [(leaf.place, leaf.value, leaf.reason) for leaf in report.lost] == [
        ("Parcel/Sent", "1.3.26", "expected a date yyyyMMdd")
    ]


def test_a_value_in_the_bag_does_not_count_as_covered(mapping: Mapping) -> None:
    source = '<Parcel xmlns="urn:example:parcel"><Flow>I</Flow><Host>h</Host></Parcel>'
    _, report = mapping.decode(etree.fromstring(source))
    assert (report.coverage, len(report.bag)) == (0.5, 1)


def test_a_constant_that_says_something_else_is_reported(mapping: Mapping) -> None:
    source = '<Parcel xmlns="urn:example:parcel"><Flow>I</Flow><Fixed>2</Fixed></Parcel>'
    _, report = mapping.decode(etree.fromstring(source))
    assert [(leaf.value, leaf.reason) for leaf in report.unmapped] == [("2", "always '1' in this mapping")]


def test_unwritable_values_are_all_refused_at_once_with_their_pointers(mapping: Mapping) -> None:
    document = {**DOCUMENT, "direction": "sideways", "sent_date": "1 March"}
    with pytest.raises(RuleBroken) as refused:
        mapping.encode(document)
    assert {(finding.pointer, finding.found) for finding in refused.value.findings} == {
        ("/direction", "sideways"),
        ("/sent_date", "1 March"),
    }


def test_characters_that_no_xml_can_hold_are_refused(mapping: Mapping) -> None:
    with pytest.raises(RuleBroken) as refused:
        mapping.encode({"direction": "import", "sender": {"name": "bell\x07"}})
    assert refused.value.findings[0].found == "U+0007"


def test_carriage_returns_and_quotes_survive(mapping: Mapping) -> None:
    document = {"direction": "import", "sender": {"name": 'a\r\nb\t"c"'}, "format": {"version": '1"2'}}
    assert mapping.decode(written(mapping, document))[0] == document


@given(name=st.text(min_size=1), version=st.text(min_size=1))
def test_what_needs_no_escaping_is_told_by_one_look_and_written_the_same_both_ways(
    mapping: Mapping, name: str, version: str
) -> None:
    encoder = Encoder.of(mapping.plan, mapping.default_namespace)
    document = {"direction": "import", "sender": {"name": name}, "format": {"version": version}}
    assert is_plain(document) == (not any(mark in name + version for mark in UNPLAIN))
    if is_plain(document):
        assert encoder.plain(document, []) == encoder.careful(document, [])


@pytest.mark.parametrize("mark", UNPLAIN, ids=lambda mark: f"U+{ord(mark):04X}")
def test_each_character_that_xml_escapes_or_refuses_makes_a_document_one_to_be_careful_with(mark: str) -> None:
    assert not is_plain({"items": [{"name": f"before {mark} after"}]})


def test_a_value_that_a_conversion_makes_is_escaped_in_plain_documents_too(table: ElementTable) -> None:
    marked = one("marked", lambda value: f"<{value}>", lambda text: text[1:-1])
    mapping = Mapping(document="parcel", table=table, rows=[convert("Host", "host", marked)])
    assert values(written(mapping, {"host": "h"}), "Host") == ["<h>"]


# What would be lost.


def test_every_leaf_is_carried_ignored_or_lost(mapping: Mapping) -> None:
    document = copy.deepcopy(DOCUMENT)
    document |= {"dossier": {"id": "D1"}, "colour": "red"}
    document["sender"]["identifiers"].append({"scheme": "EORI", "value": "GB1"})  # type: ignore[index]
    report = mapping.loss(document)
    assert report.lost == ("/sender/identifiers/2/scheme", "/sender/identifiers/2/value", "/colour")
    assert report.ignored == {"/dossier": "it is the gateway's own"}
    assert "/shipment/items/0/mass/unit_code" in report.carried


def test_a_second_member_for_a_place_that_takes_one_is_lost(mapping: Mapping) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["sender"]["identifiers"].append({"scheme": "CN-USCI", "value": "other"})  # type: ignore[index]
    assert "/sender/identifiers/2/value" in mapping.loss(document).lost


def test_members_of_another_kind_than_the_chosen_one_are_lost(mapping: Mapping) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["shipment"]["documents"].append({"type": "invoice", "id": "I-1"})  # type: ignore[index]
    assert mapping.loss(document).lost == ("/shipment/documents/2/type", "/shipment/documents/2/id")


def test_the_loss_table_knows_every_leaf_before_any_document_comes(mapping: Mapping) -> None:
    leaves = [
        "direction",
        "dossier.id",
        "colour",
        "sender.identifiers[].value",
        "shipment.items[].origin",
        "marks.signed",
    ]
    fates = {row.path: (row.fate, row.where) for row in mapping.loss_table(leaves)}
    assert fates["colour"] == ("lost", ())
    assert fates["dossier.id"] == ("ignored", ("it is the gateway's own",))
    assert fates["sender.identifiers[].value"] == (
        "carried",
        ("Parcel/Sender/Code (scheme=CN-CUSTOMS)", "Parcel/Sender/Uscc (scheme=CN-USCI)"),
    )
    assert fates["shipment.items[].origin"][0] == fates["marks.signed"][0] == "carried"


# Places.


def test_a_place_in_the_message_is_found_again_in_the_document_it_was_made_from(mapping: Mapping) -> None:
    places = mapping.places(written(mapping, DOCUMENT), DOCUMENT)
    assert places["Parcel/Sender/Code"] == "/sender/identifiers/1/value"
    assert places["Parcel/Lines/Line[2]/Price/@currencyID"] == "/shipment/items/1/price/currency"
    assert places["Parcel/Permits/Permit[2]"] == "/shipment/documents/1/id"


# Mappings that are wrong.


def test_rows_that_fit_no_element_are_all_named_when_the_mapping_is_made(table: ElementTable) -> None:
    rows = [text("Nowhere", "a"), text("Sender", "b"), Value(("Flow",), ("x", "y"))]
    with pytest.raises(NeedsOperator) as refused:
        Mapping(document="parcel", table=table, rows=rows)
    assert len(refused.value.findings) == 3


def test_paths_that_the_document_does_not_have_are_found(table: ElementTable) -> None:
    mapping = Mapping(document="parcel", table=table, rows=[text("Flow", "direction"), text("Host", "hots")])
    assert [finding.found for finding in mapping.check(["direction", "host"])] == ["hots"]


# Conversions.


@given(st.tuples(*[st.sampled_from(["yes", "no", None])] * 3))
def test_positional_marks_come_back(marks: tuple[str | None, ...]) -> None:
    (text_form,) = MARKS.encode(*marks)
    assert text_form is None or MARKS.decode(text_form) == marks


@given(st.dates())
def test_dates_come_back(day: Any) -> None:
    assert COMPACT_DATE.decode(*COMPACT_DATE.encode(day.isoformat())) == (day.isoformat(),)


@pytest.mark.parametrize("digits", ["０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩"])
def test_digits_of_another_script_are_no_time(digits: str) -> None:
    written = str.maketrans("0123456789", digits)
    for conversion, ours, theirs in (
        (COMPACT_DATE, "2019-11-22", "20191122"),
        (local_time("+08:00"), "2018-02-01T16:51:58+08:00", "20180201165158"),
    ):
        with pytest.raises(ValueError, match="yyyy"):
            conversion.encode(ours.translate(written).replace(ours[-6:].translate(written), ours[-6:]))
        with pytest.raises(ValueError, match="yyyy"):
            conversion.decode(theirs.translate(written))


@pytest.mark.parametrize(
    ("conversion", "ours", "theirs"),
    [
        (local_time("+08:00"), "2019-11-22T11:22:16.81+08:00", "2019112211221681"),
        (local_time("+08:00"), "2018-02-01T16:51:58+08:00", "20180201165158"),
        (separated(","), ["1", "2", "12"], "1,2,12"),
        (positional("p", {"yes": "1", "no": "0", "blank": "9"}, 5, " "), None, None),
    ],
    ids=["hundredths", "seconds", "list", "nothing"],
)
def test_conversions_are_inverses(conversion: Any, ours: Any, theirs: str | None) -> None:
    if theirs is None:
        assert conversion.encode(None, None, None, None, None) == (None,)
        return
    assert conversion.encode(ours) == (theirs,)
    assert conversion.decode(theirs) == (ours,)


def test_of_several_members_the_first_goes_where_there_is_room_for_one_and_the_others_are_lost(
    table: ElementTable,
) -> None:
    rows = [
        convert("Flow", "direction", one("as it is", lambda text: text, lambda text: text)),
        text("Host", "bills[1].id"),
    ]
    mapping = Mapping(table=table, document="parcel", rows=rows, ignored={})
    document = {"direction": "I", "bills": [{"id": "MASTER"}, {"id": "HOUSE"}]}
    assert values(written(mapping, document), "Host") == ["MASTER"]
    report = mapping.loss(document)
    assert (set(report.carried), list(report.lost)) == ({"/direction", "/bills/0/id"}, ["/bills/1/id"])
    assert mapping.decode(written(mapping, document))[0] == {"direction": "I", "bills": [{"id": "MASTER"}]}
    assert {row.path: row.fate for row in mapping.loss_table(["bills[].id", "bills[].name"])} == {
        "bills[].id": "carried",
        "bills[].name": "lost",
    }
    broken = {"direction": "I", "bills": [{"id": "far too long for it"}]}
    assert mapping.places(written(mapping, broken), broken)["Parcel/Host"] == "/bills/0/id"
