"""Messages as others write them: every style says the same, comes back equal, or is refused with a finding.

The bytes are ours: the samples of the adapter, rewritten as other senders would, and a few written from scratch.
"""

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lxml import etree

from gateway.catalogue import Entry, offline
from gateway.catalogue.offline import RoundTripResult, Verdict
from gateway.errors import SchemaBroken

from .conftest import CATALOGUE, SAMPLES, sample

NAMES = sorted(path.stem for path in SAMPLES.glob("*.xml"))
MD, DEC_URI, RES_URI = (
    "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2",
    "urn:wco:datamodel:WCO:DEC-DMS:2",
    "urn:wco:datamodel:WCO:RES-DMS:2",
)


def tried(entry: Entry, data: bytes) -> RoundTripResult:
    return offline.roundtrip(entry, CATALOGUE.registry, data)


def elements(root: etree._Element) -> Iterator[etree._Element]:
    return root.iter(etree.Element)


def leaves(root: etree._Element) -> list[etree._Element]:
    return [element for element in elements(root) if not len(element) and (element.text or "").strip()]


# Styles: what any sender may do without saying anything else.


def with_prefixes(root: etree._Element) -> bytes:
    """Every namespace with a prefix of its own, declared at the root."""
    uris = sorted({etree.QName(element).namespace or "" for element in elements(root)})
    made = etree.Element(root.tag, {}, {f"x{place}": uri for place, uri in enumerate(uris)})
    made.extend(list(root))
    etree.cleanup_namespaces(made, keep_ns_prefixes=list(made.nsmap))  # type: ignore[arg-type]
    return etree.tostring(made)


def with_default_namespaces(root: etree._Element) -> bytes:
    """No prefix anywhere: each element declares its namespace where it differs from its parent's."""

    def written(element: etree._Element, inherited: str) -> str:
        name = etree.QName(element)
        declared = f' xmlns="{name.namespace}"' if name.namespace != inherited else ""
        attributes = "".join(f' {key!s}="{value!s}"' for key, value in element.attrib.items())
        inside = "".join(written(child, name.namespace or "") for child in element if isinstance(child.tag, str))
        return f"<{name.localname}{declared}{attributes}>{inside or escaped(element)}</{name.localname}>"

    def escaped(element: etree._Element) -> str:
        return (element.text or "").replace("&", "&amp;").replace("<", "&lt;") if not len(element) else ""

    return written(root, "").encode()


def without_namespaces(root: etree._Element) -> bytes:
    for element in elements(root):
        element.tag = etree.QName(element).localname
    etree.cleanup_namespaces(root)
    return etree.tostring(root)


def in_one_namespace(root: etree._Element) -> bytes:
    uri = RES_URI if root.find(f"{{{RES_URI}}}Response") is not None else DEC_URI
    for element in elements(root):
        element.tag = f"{{{uri}}}{etree.QName(element).localname}"
    return etree.tostring(root)


def with_attributes_reversed(root: etree._Element) -> bytes:
    for element in elements(root):
        pairs = list(element.attrib.items())
        element.attrib.clear()
        for name, value in reversed(pairs):
            element.set(name, value)
    return etree.tostring(root)


def in_sections(root: etree._Element) -> bytes:
    for leaf in leaves(root):
        leaf.text = etree.CDATA(leaf.text or "")
    return etree.tostring(root)


def with_comments(root: etree._Element) -> bytes:
    for element in list(elements(root)):
        element.insert(0, etree.Comment("c"))
    return etree.tostring(root)


def with_comments_inside_values(root: etree._Element) -> bytes:
    for leaf in leaves(root):
        text = leaf.text or ""
        comment, leaf.text = etree.Comment("c"), text[:1]
        comment.tail = text[1:]
        leaf.append(comment)
    return etree.tostring(root)


def with_instructions(root: etree._Element) -> bytes:
    root.insert(0, etree.ProcessingInstruction("sent", "by='x'"))
    return etree.tostring(root)


def in_one_line(root: etree._Element) -> bytes:
    for element in elements(root):
        if len(element):
            element.text = None
        element.tail = None
    return etree.tostring(root)


def with_broken_lines(root: etree._Element) -> bytes:
    for leaf in leaves(root):
        leaf.text = f"\n    {leaf.text}\n  "
    return etree.tostring(root)


def with_empty_optional_elements(root: etree._Element) -> bytes:
    for element in list(elements(root)):
        if etree.QName(element).localname in ("TradeTerms", "Exporter", "GoodsMeasure"):
            etree.SubElement(element, f"{{{etree.QName(element).namespace}}}Description")
    shipment = root.find(".//{*}GoodsShipment")
    if shipment is not None and etree.QName(shipment).namespace == DEC_URI and shipment.find("{*}Warehouse") is None:
        etree.SubElement(etree.SubElement(shipment, f"{{{DEC_URI}}}Warehouse"), f"{{{DEC_URI}}}ID")
    return etree.tostring(root)


def with_schema_location(root: etree._Element) -> bytes:
    root.set("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation", f"{MD} DocumentMetaData.xsd")
    return etree.tostring(root)


def as_utf16(root: etree._Element) -> bytes:
    return ('<?xml version="1.0" encoding="UTF-16"?>' + etree.tostring(root, encoding="unicode")).encode("utf-16")


def with_byte_order_mark(root: etree._Element) -> bytes:
    return b"\xef\xbb\xbf" + etree.tostring(root, encoding="UTF-8", xml_declaration=True)


STYLES: list[Callable[[etree._Element], bytes]] = [
    with_prefixes,
    with_default_namespaces,
    without_namespaces,
    in_one_namespace,
    with_attributes_reversed,
    in_sections,
    with_comments,
    with_comments_inside_values,
    with_instructions,
    in_one_line,
    with_broken_lines,
    with_schema_location,
    as_utf16,
    with_byte_order_mark,
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
def test_a_style_changes_nothing_that_is_said(
    entry: Entry, style: Callable[[etree._Element], bytes], name: str
) -> None:
    plain = entry.adapter.decode(sample(name), tolerant=True)
    result = tried(entry, style(etree.fromstring(sample(name))))
    assert (result.verdict, result.findings) == (Verdict.EQUAL, ())
    assert result.decoded is not None
    assert result.decoded.report.coverage == 1.0
    assert (result.decoded.kind, said(result.decoded.document)) == (plain.kind, said(plain.document))


def said(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "extensions"}


# Variants: messages of other content.


def repeated(root: etree._Element, name: str, times: int) -> None:
    """The first element of that name, several times; with a number, where it carries one."""
    first = next(element for element in elements(root) if etree.QName(element).localname == name)
    for place in range(times, 1, -1):
        another = copy.deepcopy(first)
        number = another.find("{*}SequenceNumeric")
        if number is not None:
            number.text = str(place)
        first.addnext(another)


MANY = {
    "goods items": ("import-cashmere-garments", "GovernmentAgencyGoodsItem", 120),
    "more goods items than the table has": ("import-cashmere-garments", "GovernmentAgencyGoodsItem", 1010),
    "statements": ("import-cashmere-garments", "AdditionalInformation", 60),
    "documents": ("import-cashmere-garments", "AdditionalDocument", 60),
    "previous documents": ("import-cashmere-garments", "PreviousDocument", 60),
    "packages": ("import-cashmere-garments", "Packaging", 60),
    "procedures": ("export-wheel-sets-prelodged", "GovernmentProcedure", 60),
    "containers": ("import-cashmere-garments", "TransportEquipment", 60),
    "duties": ("import-cashmere-garments", "DutyTaxFee", 60),
    "amendments": ("amendment-net-weight-and-price", "Amendment", 60),
    "errors": ("notification-rejected", "Error", 60),
    "steps of a pointer": ("notification-rejected", "Pointer", 60),
    "statuses": ("notification-exited", "Status", 60),
    "duties of an answer": ("notification-duty", "DutyTaxFee", 60),
}


@pytest.mark.parametrize(("name", "element", "times"), MANY.values(), ids=MANY)
def test_many_of_a_sort_are_all_read_and_come_back(entry: Entry, name: str, element: str, times: int) -> None:
    root = etree.fromstring(sample(name))
    repeated(root, element, times)
    result = tried(entry, etree.tostring(root))
    assert (result.verdict, result.findings) == (Verdict.EQUAL, ())
    assert result.coverage == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_each_optional_part_may_be_absent(entry: Entry, name: str) -> None:
    root = etree.fromstring(sample(name))
    tags = sorted({str(element.tag) for element in elements(root)} - {root.tag, str(root[-1].tag)})
    for tag in tags:
        reduced = copy.deepcopy(root)
        for element in list(reduced.iter(tag)):
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)
        result = tried(entry, etree.tostring(reduced))
        assert (tag, result.verdict, result.findings) == (tag, Verdict.EQUAL, ())
        assert result.coverage == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_each_value_may_be_empty(entry: Entry, name: str) -> None:
    root = etree.fromstring(sample(name))
    for place in range(len(leaves(root))):
        spoiled = copy.deepcopy(root)
        leaves(spoiled)[place].text = None
        result = tried(entry, etree.tostring(spoiled))
        assert (place, result.verdict, result.findings) == (place, Verdict.EQUAL, ())


@pytest.mark.parametrize("name", NAMES)
def test_another_order_is_told_and_comes_back(entry: Entry, name: str) -> None:
    root = etree.fromstring(sample(name))
    for element in elements(root):
        element[:] = list(reversed(element))
    result = tried(entry, etree.tostring(root))
    assert (result.verdict, result.findings) == (Verdict.EQUAL, ())
    assert result.decoded is not None
    assert {finding.code for finding in result.decoded.report.findings} == {"syntax.element.order"}
    with pytest.raises(SchemaBroken):
        entry.adapter.decode(etree.tostring(root), tolerant=False)


ATTRIBUTES = {
    "languageLocaleID": "Description",
    "languageID": "Description",
    "unitCodeListVersionID": "GrossMassMeasure",
    "unitCodeListID": "GrossMassMeasure",
    "currencyCodeListVersionID": "ItemChargeAmount",
    "listAgencyID": "TypeCode",
    "schemeID": "ID",
}


@pytest.mark.parametrize(("attribute", "element"), ATTRIBUTES.items())
def test_an_attribute_of_the_data_types_is_kept_and_comes_back(entry: Entry, attribute: str, element: str) -> None:
    data = re.sub(rf"<{element}(?=[ >])", f'<{element} {attribute}="9"', sample("import-cashmere-garments").decode())
    result = tried(entry, data.encode())
    assert (result.verdict, result.findings) == (Verdict.EQUAL, ())
    assert result.decoded is not None
    assert {leaf.place.rpartition("/")[2] for leaf in result.decoded.report.bag} == {f"@{attribute}"}


UNKNOWN = {
    "a value": "<Brandnew>x</Brandnew>",
    "a group": "<Brandnew at='1'><Inner>x</Inner></Brandnew>",
    "another namespace": "<q:Brandnew xmlns:q='urn:q'>x</q:Brandnew>",
}


@pytest.mark.parametrize("element", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("name", ["import-cashmere-garments", "notification-accepted"])
def test_an_element_nobody_knows_is_unmapped_and_makes_the_round_trip_different(
    entry: Entry, name: str, element: str
) -> None:
    data = sample(name).replace(b"<FunctionCode>", element.encode() + b"<FunctionCode>", 1)
    result = tried(entry, data)
    assert result.verdict is Verdict.DIFFERENT
    assert result.findings[0].partner_place is not None
    assert result.findings[0].partner_place.endswith("/Brandnew")
    assert result.decoded is not None
    report = result.decoded.report
    assert "x" in [leaf.value for leaf in report.unmapped]
    assert "syntax.element.unknown" in [finding.code for finding in report.findings]


def test_an_answer_without_its_declaration_is_read_and_none_is_made_up(entry: Entry) -> None:
    root = etree.fromstring(sample("notification-accepted"))
    response = root[-1]
    response.remove(next(child for child in response if etree.QName(child).localname == "Declaration"))
    result = tried(entry, etree.tostring(root))
    assert (result.verdict, result.findings) == (Verdict.EQUAL, ())
    assert b"Declaration" not in re.sub(rb"urn:\S+", b"", result.encoded)


TIMES = {
    "without a zone": r"\1\2\3\4\5\6",
    "ISO 8601": r"\1-\2-\3T\4:\5:\6Z",
    "ISO 8601 without a zone": r"\1-\2-\3T\4:\5:\6",
    "minutes in the zone": r"\1\2\3\4\5\6+0530",
    "fractions": r"\1-\2-\3T\4:\5:\6.250+08:00",
    "no seconds": r"\1\2\3\4\5",
}


@pytest.mark.parametrize("form", TIMES.values(), ids=TIMES)
@pytest.mark.parametrize("name", ["notification-accepted", "notification-exited", "notification-duty"])
def test_a_time_in_another_form_is_understood_as_far_as_it_goes(entry: Entry, name: str, form: str) -> None:
    data = re.sub(r">(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z<", f">{form}<", sample(name).decode())
    assert data != sample(name).decode()
    result = tried(entry, data.encode())
    assert (result.verdict, result.findings) == (Verdict.EQUAL, ())
    assert result.coverage == 1.0


def test_all_answers_of_one_wrapper_are_read_to_the_end(entry: Entry) -> None:
    root = etree.fromstring(sample("notification-accepted"))
    for name in ("notification-exited", "notification-rejected", "notification-duty"):
        root.append(etree.fromstring(sample(name))[-1])
    result = tried(entry, etree.tostring(root))
    assert (result.verdict, result.coverage) == (Verdict.EQUAL, 1.0)
    assert result.decoded is not None
    answers = [
        reply for one in result.decoded.documents for reply in entry.adapter.replies(one, received_us=0, sent=None)
    ]
    alone = [
        entry.adapter.decode(sample(name), tolerant=True).document["functional_reference_id"]
        for name in ("notification-accepted", "notification-exited", "notification-rejected", "notification-duty")
    ]
    assert [answer.document["functional_reference_id"] for answer in answers] == alone


# From scratch: the least that each kind may say.

LEAST = {
    "a declaration": ("declaration", f"<MetaData xmlns='{MD}'><d:Declaration xmlns:d='{DEC_URI}'><d:FunctionCode>9</d:FunctionCode></d:Declaration></MetaData>"),
    "a declaration without names": ("declaration", "<MetaData><Declaration><FunctionCode>9</FunctionCode><TypeCode>IMZ</TypeCode></Declaration></MetaData>"),
    "an amendment": ("declaration_amendment", "<MetaData><Declaration><FunctionCode>13</FunctionCode><ID>26MN1</ID><TypeCode>COR</TypeCode><Amendment><ChangeReasonCode>32</ChangeReasonCode><Pointer><DocumentSectionCode>42A</DocumentSectionCode></Pointer></Amendment></Declaration></MetaData>"),
    "a cancellation": ("declaration_cancellation", "<MetaData><Declaration><FunctionCode>13</FunctionCode><ID>26MN1</ID><TypeCode>INV</TypeCode></Declaration></MetaData>"),
    "an answer": ("customs_response", "<MetaData><Response><FunctionCode>01</FunctionCode><Declaration/></Response></MetaData>"),
    "an answer with an error": ("customs_response", f"<m:MetaData xmlns:m='{MD}'><Response xmlns='{RES_URI}'><FunctionCode>03</FunctionCode><Error><ValidationCode>CDS1</ValidationCode></Error><Declaration><ID>26MN1</ID></Declaration></Response></m:MetaData>"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), LEAST.values(), ids=LEAST)
def test_the_least_of_each_kind_is_read_and_comes_back(entry: Entry, kind: str, text: str) -> None:
    result = tried(entry, text.encode())
    assert (result.verdict, result.findings) == (Verdict.EQUAL, ())
    assert result.decoded is not None
    assert (result.decoded.kind, result.coverage) == (kind, 1.0)


# Refused: what cannot be read without guessing.

REFUSED = {
    "no wrapper": (lambda data: etree.tostring(etree.fromstring(data)[-1]), "syntax.message.unknown"),
    "another edition": (lambda data: data.replace(b"DEC-DMS:2", b"DEC:1"), "syntax.message.unknown"),
    "another edition of all": (lambda data: data.replace(b"-DMS:2", b":1"), "syntax.message.unknown"),
    "two declarations": (lambda data: _twice(data, "Declaration"), "syntax.message.unknown"),
    "two shipments": (lambda data: _twice(data, "GoodsShipment"), "syntax.element.too_many"),
    "two type codes": (
        lambda data: data.replace(b"<TypeCode>IM", b"<TypeCode>EXA</TypeCode><TypeCode>IM", 1),
        "syntax.element.too_many",
    ),
}


def _twice(data: bytes, name: str) -> bytes:
    root = etree.fromstring(data)
    repeated(root, name, 2)
    return etree.tostring(root)


@pytest.mark.parametrize(("spoil", "code"), REFUSED.values(), ids=REFUSED)
def test_what_would_have_to_be_guessed_is_refused(entry: Entry, spoil: Callable[[bytes], bytes], code: str) -> None:
    result = tried(entry, spoil(sample("import-cashmere-garments")))
    assert result.verdict is Verdict.REFUSED
    assert code in [finding.code for finding in result.findings]
