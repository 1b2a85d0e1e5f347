"""Verdict and reasons: the compiled schema against real Chinese messages and small tables made for one point each."""

from collections.abc import Callable
from pathlib import Path

import pytest
import xmlschema
from lxml import etree

from gateway.errors import NeedsOperator, SchemaBroken, Severity
from gateway.syntax.compile import compile_xsd, document_name
from gateway.syntax.registry import SchemaRegistry
from gateway.syntax.xml import parse

Specs = Callable[..., SchemaRegistry]
DEC = 'xmlns="http://www.chinaport.gov.cn/dec"'
REAL = {
    "decmessage-2018-template-full": ("2018", "decmessage", []),
    "decmessage-2018-export-numeric-codes": ("2018", "decmessage", ["DecMessage/DecHead/DeclareName (line 3)"]),
    "decmessage-v3.1-2019-export": ("3.1", "decmessage", []),
    "importmessage-2018-swimphead-wrapper": (
        "1.0",
        "importmessage",
        [
            "ImportMessage/SWImpData/DecMessage/DecHead/DeclareName (line 13)",
            "ImportMessage/SWImpData/DecMessage/DecContainers/Container[1]/GoodsNo (line 189)",
        ],
    ),
    "decimportresponse-ok-1": ("1", "decimportresponse", []),
    "decimportresponse-failed-1": ("1", "decimportresponse", []),
    "dec-result-7-declared": ("1", "dec_result", []),
    "dec-result-L-stored": ("1", "dec_result", []),
}


@pytest.mark.parametrize("name", REAL)
def test_a_real_message_keeps_its_table_but_for_what_its_time_did_not_know(
    name: str, registry: SchemaRegistry, reference: Path
) -> None:
    version, message, missing = REAL[name]
    data = (reference / "china-sw/samples/dec" / f"{name}.xml").read_bytes()
    reading = registry.schema("cn_declaration", version, message).read(data, tolerant=True)
    assert [(finding.code, finding.partner_place) for finding in reading.findings] == [
        ("syntax.element.missing", place) for place in missing
    ]


@pytest.mark.parametrize("name", [name for name, (_, _, missing) in REAL.items() if missing])
def test_strict_reading_refuses_what_tolerant_reading_reports(
    name: str, registry: SchemaRegistry, reference: Path
) -> None:
    version, message, missing = REAL[name]
    data = (reference / "china-sw/samples/dec" / f"{name}.xml").read_bytes()
    with pytest.raises(SchemaBroken) as refused:
        registry.schema("cn_declaration", version, message).read(data)
    assert [finding.partner_place for finding in refused.value.findings] == missing


def test_an_older_receipt_wraps_the_newer_one(registry: SchemaRegistry) -> None:
    inner = "<DEC_RESULT><CUS_CIQ_NO>E1</CUS_CIQ_NO><NOTICE_DATE>2019-12-23T21:36:38</NOTICE_DATE><CHANNEL>7</CHANNEL></DEC_RESULT>"
    schema = registry.schema("cn_declaration", "1", "dec_data")
    assert schema.check(parse(f"<DEC_DATA>{inner}<RESULT_INFO>x</RESULT_INFO></DEC_DATA>".encode())) == []


def test_a_message_without_its_namespace_is_read_where_the_standard_says_so(registry: SchemaRegistry) -> None:
    schema = registry.schema("cn_declaration", "1", "decimportresponse")
    reading = schema.read(b"<DecImportResponse><ResponseCode>0</ResponseCode></DecImportResponse>")
    assert reading.root.tag == "{http://www.chinaport.gov.cn/dec}DecImportResponse"
    assert [(finding.code, finding.severity) for finding in reading.findings] == [
        ("syntax.namespace.assumed", Severity.WARNING)
    ]


def test_a_foreign_namespace_stays_foreign(registry: SchemaRegistry) -> None:
    schema = registry.schema("cn_declaration", "1", "decimportresponse")
    with pytest.raises(SchemaBroken) as refused:
        schema.read(
            b'<DecImportResponse xmlns="urn:x"><ResponseCode>0</ResponseCode></DecImportResponse>', tolerant=True
        )
    assert refused.value.findings[0].code == "syntax.root.unknown"


ANY = "R namespace=a order=any\nR/A type=string min=1\nR/B type=string max=*\nR/C type=string max=2"
ORDERS = {
    "each in table order": ("<A/><B/><C/>", []),
    "backwards and mixed": ("<C/><B/><A/><B/><C/>", []),
    "one once too often": ("<A/><A/>", ["syntax.element.too_many"]),
    "twice allowed, thrice there": ("<C/><A/><C/><C/>", ["syntax.element.too_many"]),
    "the needed one missing": ("<B/>", ["syntax.element.missing"]),
    "an unknown one": ("<A/><D/>", ["syntax.element.unknown"]),
    "two faults at once": ("<D/>", ["syntax.element.unknown", "syntax.element.missing"]),
}


@pytest.mark.parametrize("case", ORDERS)
def test_children_in_any_order_are_counted(case: str, specs: Specs) -> None:
    inside, codes = ORDERS[case]
    schema = specs(ANY).schema("demo", "1", "m")
    assert [finding.code for finding in schema.check(parse(f'<R xmlns="urn:a">{inside}</R>'.encode()))] == codes


def test_children_deep_below_are_counted_too(specs: Specs) -> None:
    rows = "R namespace=a\nR/P max=*\nR/P/Q order=any\nR/P/Q/A type=string max=*\nR/P/Q/B type=string"
    schema = specs(rows).schema("demo", "1", "m")
    good, bad = "<P><Q><B/><A/><A/></Q></P>", "<P><Q><B/><A/><B/></Q></P>"
    assert schema.accepts(parse(f'<R xmlns="urn:a">{good}</R>'.encode()))
    found = schema.check(parse(f'<R xmlns="urn:a">{good}{bad}</R>'.encode()))
    assert [(finding.code, finding.partner_place) for finding in found] == [
        ("syntax.element.too_many", "R/P[2]/Q/B (line 1)")
    ]


MIXED = """
R namespace=a
R/@v kind=attribute type=string enumeration=1|2 min=1
R/Head type=string pattern=[A-Z]+
R/#pay kind=choice min=1 max=1
R/Cash type=decimal total_digits=5 fraction_digits=2 choice=pay
R/Card namespace=b choice=pay
R/Card/No type=integer length= min=1
R/Date namespace=- type=date
R/Empty type=string nillable=1 max=2
"""
CASES = {
    "all in place": ('v="1"', "<Head>AB</Head><Cash>1.50</Cash><Date xmlns=''>2026-01-31</Date>", []),
    "the other branch, in its namespace": ('v="2"', "<b:Card><b:No>12</b:No></b:Card>", []),
    "an unqualified child qualified": ('v="1"', "<Cash>1</Cash><Date>2026-01-31</Date>", ["element.unknown"]),
    "both branches": ('v="1"', "<Cash>1</Cash><b:Card><b:No>1</b:No></b:Card>", ["choice.broken"]),
    "no branch": ('v="1"', "<Head>A</Head>", ["element.missing"]),
    "order broken": ('v="1"', "<Cash>1</Cash><Head>A</Head>", ["element.order"]),
    "too many digits": ('v="1"', "<Cash>1234.56</Cash>", ["value.digits"]),
    "too many decimals": ('v="1"', "<Cash>1.555</Cash>", ["value.digits"]),
    "trailing zeros do not count": ('v="1"', "<Cash>001.5000</Cash>", []),
    "pattern broken": ('v="1"', "<Head>ab</Head><Cash>1</Cash>", ["value.pattern"]),
    "no number": ('v="1"', "<Cash>1e3</Cash>", ["value.type"]),
    "no date": ('v="1"', "<Cash>1</Cash><Date xmlns=''>31.01.2026</Date>", ["value.type"]),
    "attribute missing": ("", "<Cash>1</Cash>", ["attribute.missing"]),
    "attribute unknown": ('v="1" w="2"', "<Cash>1</Cash>", ["attribute.unknown"]),
    "attribute not in its list": ('v="3"', "<Cash>1</Cash>", ["value.enumeration"]),
    "a child inside a value": ('v="1"', "<Cash>1<x/></Cash>", ["element.unknown"]),
    "text between elements": ('v="1"', "<Cash>1</Cash>stray", ["text.unexpected"]),
    "nil where allowed": ('v="1"', '<Cash>1</Cash><Empty xsi:nil="true"/>', []),
    "comment inside a value": ('v="1"', "<Cash>1<!-- x -->2</Cash>", []),
    "repeated beyond its limit": ('v="1"', "<Cash>1</Cash><Empty/><Empty/><Empty/>", ["element.too_many"]),
}
FRAME = '<R xmlns="urn:a" xmlns:b="urn:b" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {}>{}</R>'


@pytest.mark.parametrize("case", CASES)
def test_reasons_follow_the_table(case: str, specs: Specs) -> None:
    attributes, inside, codes = CASES[case]
    schema = specs(MIXED).schema("demo", "1", "m")
    found = schema.check(parse(FRAME.format(attributes, inside).encode()))
    assert [finding.code.removeprefix("syntax.") for finding in found] == codes


# xmlschema reads the text of an element only up to a comment in it.
@pytest.mark.parametrize("case", [case for case in CASES if case != "comment inside a value"])
def test_a_second_implementation_gives_the_same_verdict(case: str, specs: Specs, tmp_path: Path) -> None:
    attributes, inside, codes = CASES[case]
    table = specs(MIXED).table("demo", "1", "m")
    documents = compile_xsd(table)
    for uri, text in documents.items():
        (tmp_path / document_name(table, uri).rsplit("/", 1)[-1]).write_bytes(text.replace(b"table:demo/m/", b""))
    first = document_name(table, next(iter(documents))).rsplit("/", 1)[-1]
    second = xmlschema.XMLSchema10(str(tmp_path / first))
    assert second.is_valid(etree.fromstring(FRAME.format(attributes, inside))) == (codes == [])


def test_a_type_that_contains_itself_is_checked_at_any_depth(specs: Specs) -> None:
    registry = specs(
        "R namespace=a\nR/Part type=Part",
        "Part kind=type\nPart/Name type=string max_length=3\nPart/Part type=Part max=*",
    )
    schema = registry.schema("demo", "1", "m")
    nested = "<Part><Name>a</Name>" * 9 + "<Part><Name>{}</Name></Part>" + "</Part>" * 9
    assert schema.check(parse(f'<R xmlns="urn:a">{nested.format("abc")}</R>'.encode())) == []
    found = schema.check(parse(f'<R xmlns="urn:a">{nested.format("abcd")}</R>'.encode()))
    assert [finding.code for finding in found] == ["syntax.value.length"]


@pytest.mark.parametrize("blank", ["", " ", "\n  "])
def test_blank_passes_every_limit_where_the_standard_allows_it(blank: str, specs: Specs) -> None:
    rows = "R namespace=a\nR/D type=decimal total_digits=3 min=1\nR/E type=string length=8 pattern=[0-9]{8}\nR/F type=token enumeration=I|E"
    schema = specs(rows, settings="blank_allowed: true").schema("demo", "1", "m")
    assert schema.check(parse(f'<R xmlns="urn:a"><D>{blank}</D><E>{blank}</E><F>{blank}</F></R>'.encode())) == []


def test_tolerant_reading_keeps_what_cannot_be_read_as_an_error(specs: Specs) -> None:
    schema = specs("R namespace=a\nR/A type=string\nR/B type=integer").schema("demo", "1", "m")
    found = schema.check(parse(b'<R xmlns="urn:a"><B>x</B><A/><A/><C/></R>'), tolerant=True)
    assert {finding.code: finding.severity.value for finding in found} == {
        "syntax.value.type": "warning",
        "syntax.element.order": "warning",
        "syntax.element.too_many": "error",
        "syntax.element.unknown": "warning",
    }


def test_tolerant_reading_takes_more_of_a_sort_than_there_may_be(specs: Specs) -> None:
    schema = specs("R namespace=a\nR/A type=string max=2").schema("demo", "1", "m")
    data = b'<R xmlns="urn:a"><A/><A/><A/></R>'
    assert [finding.severity.value for finding in schema.check(parse(data), tolerant=True)] == ["warning"]
    assert [finding.severity.value for finding in schema.check(parse(data))] == ["error"]


def test_of_two_siblings_of_one_local_name_in_one_namespace_the_second_is_the_other_one(
    registry: SchemaRegistry,
) -> None:
    schema = registry.schema("wco_declaration", "3.6", "notification")
    uri = "urn:wco:datamodel:WCO:RES-DMS:2"
    inside = "<Declaration><ID>1</ID></Declaration><Declaration><FunctionCode>9</FunctionCode></Declaration>"
    text = f'<MetaData xmlns="{uri}"><Response><FunctionCode>01</FunctionCode>{inside}</Response></MetaData>'
    found = schema.check(parse(text.encode()), tolerant=True)
    assert [(finding.code, finding.severity.value) for finding in found] == [("syntax.namespace.assumed", "warning")]


def test_an_official_schema_decides_where_the_operator_put_one(specs: Specs, tmp_path: Path) -> None:
    registry = specs("R namespace=a\nR/A type=string min=1 max_length=9")
    official = tmp_path / "official/demo"
    official.mkdir(parents=True)
    (official / "types.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:a" xmlns="urn:a" elementFormDefault="qualified">'
        '<xs:simpleType name="s"><xs:restriction base="xs:string"><xs:maxLength value="3"/></xs:restriction></xs:simpleType></xs:schema>'
    )
    (official / "m.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:a" xmlns="urn:a" elementFormDefault="qualified">'
        '<xs:include schemaLocation="types.xsd"/><xs:element name="R"><xs:complexType><xs:sequence>'
        '<xs:element name="A" type="s"/></xs:sequence></xs:complexType></xs:element></xs:schema>'
    )
    message = parse(b'<R xmlns="urn:a"><A>12345</A></R>')
    assert registry.schema("demo", "1", "m").check(message) == []
    strict = SchemaRegistry(registry.specs_root, tmp_path / "official").schema("demo", "1", "m")
    (finding,) = strict.check(message)
    assert (finding.code, finding.source) == ("syntax.schema", "m.xsd")
    assert "line 1" in (finding.partner_place or "")


def test_an_official_schema_reaches_no_file_outside_its_folder(specs: Specs, tmp_path: Path) -> None:
    registry = specs("R namespace=a\nR/A type=string")
    official = tmp_path / "official/demo"
    official.mkdir(parents=True)
    (tmp_path / "outside.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:a"><xs:simpleType name="s">'
        '<xs:restriction base="xs:string"/></xs:simpleType></xs:schema>'
    )
    (official / "m.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:a" xmlns="urn:a">'
        '<xs:include schemaLocation="../../outside.xsd"/><xs:element name="R" type="s"/></xs:schema>'
    )
    schema = SchemaRegistry(registry.specs_root, tmp_path / "official").schema("demo", "1", "m")
    with pytest.raises(NeedsOperator) as refused:
        schema.check(parse(b'<R xmlns="urn:a"/>'))
    assert refused.value.code == "syntax.official.broken"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (("demo", "3", "m"), "syntax.version.unknown"),
        (("demo", "1", "n"), "syntax.message.unknown"),
        (("../demo", "1", "m"), "syntax.standard.unknown"),
    ],
)
def test_what_the_registry_does_not_know_is_refused_with_what_it_knows(
    specs: Specs, key: tuple[str, str, str], code: str
) -> None:
    with pytest.raises(SchemaBroken) as refused:
        specs("R namespace=a").schema(*key)
    assert refused.value.code == refused.value.findings[0].code == code
    assert refused.value.findings[0].expected in ("1, 2", "m", "demo")


def test_a_schema_is_loaded_once(specs: Specs) -> None:
    registry = specs("R namespace=a\nR/A type=string")
    assert registry.schema("demo", "1", "m") is registry.schema("demo", "1", "m")
    assert registry.newest("demo", "m") == "2"


@pytest.mark.parametrize(
    ("values", "valid"),
    [
        (("AA\nAA", "AA=="), True),
        (("", ""), True),
        (("AA\u3000AA", "AA=="), False),
        (("AAAA", "AA\u00a0=="), False),
        (("AAAA=", "AA=="), False),
    ],
)
def test_the_schema_of_a_table_reads_base64_as_the_standard_has_it(specs, values, valid):
    rows = "R kind=element\nR/A kind=element type=base64 min=1 max=1\nR/A/@b kind=attribute type=base64"
    schema = specs(rows).schema("demo", "1", "m")
    root = etree.Element("R")
    inner = etree.SubElement(root, "A", b=values[1])
    inner.text = values[0]
    assert schema.accepts(root) is valid
    assert bool(schema.check(root)) is not valid
