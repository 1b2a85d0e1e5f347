"""Several responses in one DocumentMetaData: each is a document, and one that cannot be read stops no other."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from gateway.catalogue import Entry, offline
from gateway.errors import RuleBroken, SchemaBroken
from tests.wco_declaration.conftest import CATALOGUE, sample

NAMES = ("notification-accepted", "notification-exited", "notification-rejected")


def wrapper() -> etree._Element:
    root = etree.fromstring(sample(NAMES[0]))
    for name in NAMES[1:]:
        root.append(etree.fromstring(sample(name))[-1])
    return root


def spoil(root: etree._Element, number: int, element: str, text: str) -> None:
    """Another text in the first element of that name of the response of that number."""
    response = root.findall("{*}Response")[number - 1]
    next(response.iter(f"{{*}}{element}")).text = text


def test_each_document_is_what_its_response_alone_would_be(entry: Entry) -> None:
    found = entry.adapter.decode(etree.tostring(wrapper()), tolerant=False)
    alone = [entry.adapter.decode(sample(name), tolerant=False) for name in NAMES]
    first, *others = [one.document for one in alone]
    for other in others:
        del other["document_metadata"]  # there is one, and the first has it
    assert [one.document for one in found.documents] == [first, *others]
    assert found.report.coverage == 1.0
    assert sum(place.startswith("MetaData/Response[3]/Error") for place in found.report.mapped) > 1


@pytest.mark.parametrize("tolerant", [False, True])
def test_a_response_that_breaks_the_schema_is_refused_alone(entry: Entry, tolerant: bool) -> None:
    root = wrapper()
    code = next(root[-2].iter("{*}FunctionCode"))
    code.addnext(copy.copy(code))
    found = entry.adapter.decode(etree.tostring(root), tolerant=tolerant)
    assert [one.refusal is None for one in found.documents] == [True, False, True]
    refusal = found.documents[1].refusal
    assert refusal is not None
    assert refusal.code == "syntax.schema"
    assert [(one.partner_place or "").partition(" ")[0] for one in refusal.findings] == [
        "MetaData/Response[2]/FunctionCode"
    ]
    result = offline.roundtrip(entry, CATALOGUE.registry, etree.tostring(root))
    assert result.verdict is offline.Verdict.REFUSED


def test_where_none_can_be_read_all_faults_are_raised(entry: Entry) -> None:
    root = wrapper()
    for number in (1, 2, 3):
        spoil(root, number, "FunctionCode", "far too long")
    with pytest.raises(SchemaBroken) as refused:
        entry.adapter.decode(etree.tostring(root), tolerant=False)
    assert len(refused.value.findings) == 3


def test_a_fault_of_the_wrapper_refuses_the_whole_message(entry: Entry) -> None:
    root = wrapper()
    root.append(etree.Element("Stranger"))
    with pytest.raises(SchemaBroken):
        entry.adapter.decode(etree.tostring(root), tolerant=False)


def test_an_agreement_names_the_register_of_the_numbers_that_come(entry: Entry) -> None:
    data = sample("import-cashmere-garments")
    agreement = offline.agreement(entry.manifest, {"party_identifier_scheme": "MN-TIN"})
    found, plain = (entry.adapter.decode(data, tolerant=False, agreement=one).document for one in (agreement, None))
    schemes = [one["declarant"]["identifiers"][0]["scheme"] for one in (found, plain)]
    assert schemes == ["MN-TIN", "EORI"]


def test_several_documents_are_written_only_by_an_adapter_that_writes_several() -> None:
    china = CATALOGUE.entry("cn_declaration")
    message = china.root / "samples/receipt-released.xml"
    found = china.adapter.decode(message.read_bytes(), tolerant=False)
    context = offline.context(china.manifest, kind=found.kind, message=found.message, roundtrip=True)
    with pytest.raises(RuleBroken) as refused:
        offline.encode(china, [(found.kind, found.document)] * 2, context)
    assert refused.value.code == "translate.documents"


def test_the_command_line_prints_the_first_and_all_and_writes_them_again(tmp_path: Path) -> None:
    message, document = tmp_path / "several.xml", tmp_path / "several.json"
    message.write_bytes(etree.tostring(wrapper()))

    def adapters(*words: object) -> bytes:
        command = [sys.executable, "-m", "gateway.cli", "adapters", *map(str, words)]
        return subprocess.run(command, check=True, capture_output=True).stdout

    document.write_bytes(adapters("decode", "wco_declaration", message))
    printed = json.loads(document.read_bytes())
    assert [one["document"]["function"] for one in printed["documents"]] == ["accepted", "exited", "rejected"]
    assert printed["document"] == printed["documents"][0]["document"]
    assert printed["report"]["coverage"] == 1.0
    message.write_bytes(adapters("encode", "wco_declaration", document, "--roundtrip"))
    again = json.loads(adapters("decode", "wco_declaration", message))
    assert again["documents"] == printed["documents"]
