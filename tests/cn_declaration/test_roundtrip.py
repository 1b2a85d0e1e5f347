"""What is read is written again as it came: real messages, our own samples, filled tables, broken messages."""

import json
import random
import re
from pathlib import Path

import pytest
from lxml import etree

from adapters.cn_declaration import CnDeclaration
from gateway.catalogue import offline
from gateway.catalogue.manifest import Manifest
from gateway.errors import Finding, GatewayError
from gateway.ports import Decoded
from gateway.syntax.normal import canonical_form, differences
from gateway.syntax.registry import SchemaRegistry
from gateway.syntax.xml import parse
from tests.cn_declaration.conftest import ROOT, SAMPLES
from tests.cn_declaration.messages import DEC, broken, filled
from tests.conftest import REFERENCE

REGISTRY = SchemaRegistry(ROOT / "specs")
REAL = sorted((REFERENCE / "china-sw" / "samples" / "dec").glob("*.xml"))
VERSIONS = {"decmessage": "4.8", "importmessage": "1.0"}


def there_and_back(
    adapter: CnDeclaration, manifest: Manifest, data: bytes, *, tolerant: bool = True
) -> tuple[Decoded, bytes, list[Finding]]:
    """The document, the bytes written again, and every place where they differ."""
    found = adapter.decode(data, tolerant=tolerant)
    context = offline.context(manifest, kind=found.kind, message=found.message, roundtrip=True)
    again = adapter.encode(found.document, context).data
    schema = REGISTRY.schema("cn_declaration", VERSIONS.get(found.message, "1"), found.message)
    left, right = (
        canonical_form(parse(one), schema.table, empty_means_absent=True, names_assumed=schema.unqualified)
        for one in (data, again)
    )
    return found, again, differences(left, right)


def test_there_are_real_messages_to_try(reference: Path) -> None:
    assert REAL


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_a_real_message_comes_back_equal_with_at_least_95_percent_in_canonical_fields(
    adapter: CnDeclaration, manifest: Manifest, reference: Path, path: Path
) -> None:
    found, _, different = there_and_back(adapter, manifest, path.read_bytes())
    assert different == []
    assert found.report.coverage >= 0.95
    assert (found.report.lost, found.report.unmapped) == ([], [])


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("tolerant", [False, True], ids=["strict", "tolerant"])
def test_a_sample_says_what_the_document_beside_it_says_and_comes_back(
    adapter: CnDeclaration, manifest: Manifest, path: Path, tolerant: bool
) -> None:
    found, _, different = there_and_back(adapter, manifest, path.read_bytes(), tolerant=tolerant)
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert (found.kind, found.message, found.document) == (expected["kind"], expected["message"], expected["document"])
    assert different == []
    assert found.report.coverage >= 0.95


@pytest.mark.parametrize("world", ["letters", "numbers"])
@pytest.mark.parametrize("seed", range(6))
def test_every_element_of_the_table_comes_back_in_both_code_worlds(
    adapter: CnDeclaration, manifest: Manifest, world: str, seed: int
) -> None:
    table = REGISTRY.schema("cn_declaration", "4.8", "decmessage").table
    root = filled(table, random.Random(seed), world, share=1.0 if seed < 3 else 0.5)
    found, _, different = there_and_back(adapter, manifest, etree.tostring(root, encoding="UTF-8"))
    assert different == []
    assert found.report.coverage >= 0.95
    assert found.document["extensions"]["cn_declaration"]["code_world"] == world


@pytest.mark.parametrize("seed", range(40))
def test_a_message_that_breaks_its_rules_comes_back_too_and_its_document_keeps_the_canonical_schema(
    adapter: CnDeclaration, manifest: Manifest, documents: object, seed: int
) -> None:
    table = REGISTRY.schema("cn_declaration", "4.8", "decmessage").table
    dice = random.Random(1000 + seed)
    root = filled(table, dice, dice.choice(["letters", "numbers"]), share=dice.choice([1.0, 0.6, 0.3]))
    broken(root, dice)
    data = etree.tostring(root, encoding="UTF-8")
    if seed % 4 == 0:
        data = data.replace(f' xmlns="{DEC}"'.encode(), b"")
    found, _, different = there_and_back(adapter, manifest, data)
    assert different == []
    shape = [
        fault for fault in adapter._shape(found.kind).findings(found.document) or () if "required" not in fault.code
    ]
    assert shape == []


@pytest.mark.parametrize("name", ["import-copper-ganqimaodu-road", "export-machinery-manzhouli-rail"])
def test_the_older_wrapper_carries_the_same_declaration(adapter: CnDeclaration, manifest: Manifest, name: str) -> None:
    data = next(path for path in SAMPLES if path.stem == name).read_bytes()
    bare = re.sub(rb"<\?xml.*?\?>\s*", b"", data).replace(f' xmlns="{DEC}"'.encode(), b"")
    wrapped = (
        b"<ImportMessage><SWImpHead><MsgType>SWDEC001</MsgType></SWImpHead><SWImpData>"
        + bare
        + b"</SWImpData></ImportMessage>"
    )
    found, again, different = there_and_back(adapter, manifest, wrapped)
    assert different == []
    assert b"<ImportMessage>" in again
    alone = adapter.decode(data, tolerant=True).document
    assert found.document["goods_shipment"] == alone["goods_shipment"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<GrossWet>61240</GrossWet>", b"<GrossWet>61240.00000</GrossWet>"),
        (b"<GrossWet>61240</GrossWet>", b"<GrossWet>######</GrossWet>"),
        (b"<NoteS>", b"<NoteS><![CDATA[ a < b ]]>"),
        (b"<IEDate>20261118</IEDate>", b"<IEDate>18.11.26</IEDate>"),
        (b"<CodeTS>2603000090</CodeTS>", b"<CodeTS>2603000090</CodeTS><Brandnew x='1'><Inner>v</Inner></Brandnew>"),
        (b"<TypistNo>8930000104512</TypistNo>", b"<TypistNo/>"),
        (b"<OriginCountry>MNG</OriginCountry>", b"<OriginCountry>124</OriginCountry>"),
        (b"<PromiseItmes>00011</PromiseItmes>", b"<PromiseItmes>0X</PromiseItmes>"),
        (b"<NoteS>", b"<NoteS>&#10;&amp;&lt; &#13;"),
        (b"<CodeTS>2603000090</CodeTS>", b"<CodeTS>  </CodeTS>"),
        (b"<DecHead>", b"<DecHead><DecUuid/><CclNo>7</CclNo>"),
        (b"<GUnit>035</GUnit>", b"<GUnit>KGM</GUnit>"),
        (b"<TradeCountry>MNG</TradeCountry>", b"<TradeCountry>MN</TradeCountry>"),
        (b"<Type>", b"<Type>123456"),
        (b"<Type>", "<Type>Z\u00a0".encode()),
        (b"<MarkNo>N/M</MarkNo>", "<MarkNo>\u3000</MarkNo>".encode()),
        (b"<GoodsNo>1,2</GoodsNo>", "<GoodsNo>1,\u30002</GoodsNo>".encode()),
        (b"<DecHead>", "<DecHead>\u0085".encode()),
        (b"<DecList>", b"<DecList/><DecList kind='x'>"),
        (b"<GoodsNo>1,2</GoodsNo>", b"<GoodsNo>1,2,</GoodsNo>"),
        (b' Version="4.8"', b' version="3.1"'),
        (b' Version="4.8"', b""),
    ],
    ids=lambda text: text.decode()[:40],
)
def test_odd_values_come_back_as_they_were(
    adapter: CnDeclaration, manifest: Manifest, before: bytes, after: bytes
) -> None:
    data = next(path for path in SAMPLES if path.stem == "import-copper-ganqimaodu-road").read_bytes()
    assert before in data
    _, _, different = there_and_back(adapter, manifest, data.replace(before, after, 1))
    assert different == []


@pytest.mark.parametrize("old", ["TradeCodeScc", "both"])
def test_the_older_name_of_the_uniform_code_is_remembered(adapter: CnDeclaration, manifest: Manifest, old: str) -> None:
    data = next(path for path in SAMPLES if path.stem == "import-copper-ganqimaodu-road").read_bytes()
    element = re.search(rb"<TradeCoScc>(.*?)</TradeCoScc>", data)
    assert element is not None
    older = b"<TradeCodeScc>" + element[1] + b"</TradeCodeScc>"
    found, _, different = there_and_back(
        adapter, manifest, data.replace(element[0], older if old == "TradeCodeScc" else element[0] + older)
    )
    assert different == []
    assert found.document["extensions"]["cn_declaration"]["trade_code_element"] == old


def test_values_that_cannot_be_read_are_told_and_refused_by_a_strict_reader(adapter: CnDeclaration) -> None:
    data = next(path for path in SAMPLES if path.stem == "import-copper-ganqimaodu-road").read_bytes()
    odd = data.replace(b"<FeeMark>3</FeeMark>", b"<FeeMark>9</FeeMark>")
    report = adapter.decode(odd, tolerant=True).report
    assert [(finding.code, finding.found) for finding in report.findings] == [("mapping.unread", "9")]
    assert [leaf.place for leaf in report.bag] == ["DecMessage/DecHead/FeeMark"]
    with pytest.raises(GatewayError) as refused:
        adapter.decode(odd, tolerant=False)
    assert refused.value.findings[0].found == "9"


@pytest.mark.parametrize("data", [b"", b"<a/>", b"<DecMessage/>", b"\xff", b"<!DOCTYPE a><a/>", b"<DEC_RESULT/>"])
def test_bytes_that_are_no_message_are_answered_with_findings(adapter: CnDeclaration, data: bytes) -> None:
    for tolerant in (True, False):
        if data in (b"<DecMessage/>", b"<DEC_RESULT/>") and tolerant:
            continue  # a tolerant reader takes even these
        with pytest.raises(GatewayError) as refused:
            adapter.decode(data, tolerant=tolerant)
        assert refused.value.findings
