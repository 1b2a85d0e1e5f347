"""What every adapter must hold to, as functions: one rule each, an AssertionError that says which message broke it.

A function takes the adapter's catalogue entry and, where the rule speaks of one message, a sample. tests/adapters runs them
over the whole catalogue; an adapter kept elsewhere runs them over its own folder with Catalogue.load.

Rules that speak of samples hold for the samples of the folder, which are of our own making and complete; for real messages
of partners, which break their own rules now and then, only roundtrip_equals and any_bytes_are_answered are asked.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs
from lxml import etree

from gateway.catalogue import Entry, offline
from gateway.catalogue.check import BAG, expected_beside, mappings_of, samples_of
from gateway.documents import library
from gateway.documents.pointers import leaf_values
from gateway.errors import GatewayError, errors_only
from gateway.mapping import Mapping
from gateway.ports import Decoded
from gateway.syntax.explain import XSI
from gateway.syntax.registry import SchemaRegistry
from gateway.syntax.white_space import trimmed
from gateway.syntax.xml import parse

COVERAGE_FLOOR = 0.95
SAMPLE_DAY = date(2026, 3, 1)
# Signs that look like nothing, and are white space to Python or to the eye; to XML they are values (production 3).
INVISIBLE = ("\u3000", "\u00a0", "\u2003", "\u0085", "\u200b", "\ufeff")
BESIDE = ((False, False), (False, True), (True, False))  # the value stands before, or behind
# Texts that a document may hold once it has passed JSON, and that a careless encoder stumbles over.
STRANGE = ("", " ", "\x00", "x" * 5000, "-1", "²", '<&">', "]]>", "\ufffe", "\ud800", *INVISIBLE)


def samples(entry: Entry) -> list[Path]:
    """The partner messages of the adapter's samples folder."""
    return samples_of(entry.root)


def decoded(entry: Entry, sample: Path) -> Decoded:
    """A sample as our document, read as an agreement in production would: strictly."""
    return entry.adapter.decode(sample.read_bytes(), tolerant=False)


def is_filed(entry: Entry, kind: str) -> bool:
    return kind in entry.manifest.files


def decodes_to_expected(entry: Entry, sample: Path) -> None:
    """A sample says what the JSON beside it says, for a strict and for a tolerant reader alike."""
    beside = json.loads(expected_beside(sample).read_text(encoding="utf-8"))
    expected = offline.documents_of(beside)
    for tolerant in (False, True):
        found = entry.adapter.decode(sample.read_bytes(), tolerant=tolerant)
        reading = "tolerant" if tolerant else "strict"
        first = first_difference(expected, [one.document for one in found.documents])
        rewrite = f"swgate adapters decode {entry.id} {sample} --expected rewrites it"
        assert first is None, (
            f"{sample.name}, read {reading}, differs from {expected_beside(sample).name} at {first}; {rewrite}"
        )
        if expected[0] is not beside:
            assert found.kind == beside["kind"], f"{sample.name} is a {found.kind}, expected a {beside['kind']}"


def expected_document_is_sound(entry: Entry, sample: Path, specs: Path) -> None:
    """The document of a sample keeps its own schema; a declaration of ours breaks no rule either."""
    found = decoded(entry, sample)
    documents = library.load(specs)
    findings = [
        finding
        for one in found.documents
        for finding in documents.check(one.kind, one.document, on=SAMPLE_DAY, partner_data=True)
    ]
    shape = [
        finding for finding in errors_only(findings) if finding.code.startswith(("document.schema", "document.shape"))
    ]
    assert not shape, f"{sample.name}: {shape[0]}"


def bag_keeps_its_schema(entry: Entry, sample: Path) -> None:
    """What a sample leaves in the adapter's own bag, and no other, keeps bag.json."""
    for one in decoded(entry, sample).documents:
        bags = one.document.get("extensions", {})
        assert set(bags) <= {entry.id}, f"{sample.name} fills the bag of {', '.join(set(bags) - {entry.id})}"
        if entry.id in bags:
            validator = jsonschema_rs.validator_for(json.loads((entry.root / BAG).read_bytes()))
            wrong = [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(bags[entry.id])]
            assert not wrong, f"{sample.name}: {wrong[0]}"


def covers_enough(entry: Entry, sample: Path) -> None:
    """Of a sample's leaves at least 95 % reach canonical fields, and none is unknown or unreadable."""
    report = entry.adapter.decode(sample.read_bytes(), tolerant=True).report
    assert report.coverage >= COVERAGE_FLOOR, f"{sample.name}: coverage {report.coverage:.1%}"
    stray = [leaf.place for leaf in (*report.unmapped, *report.lost)]
    assert not stray, f"{sample.name}: {stray[0]} reached no place"


def roundtrip_equals(entry: Entry, registry: SchemaRegistry, data: bytes, name: str = "the message") -> None:
    """Decoded and encoded again, a message is the same under the closed list of normalisations."""
    result = offline.roundtrip(entry, registry, data)
    assert result.verdict is offline.Verdict.EQUAL, f"{name} is {result.verdict}: {result.findings[0]}"


def invisible_signs_come_back(entry: Entry, registry: SchemaRegistry, sample: Path) -> None:
    """A sign that no eye sees is a value: alone or beside another it reaches document or report, and is written again.

    Every text and attribute of the sample is tried, by turns with one of the signs alone, in front and behind.
    """
    root = parse(sample.read_bytes())
    turns = itertools.cycle((before, sign, behind) for before, behind in BESIDE for sign in INVISIBLE)
    for (element, attribute), (before, sign, behind) in zip(_spoken(root), turns, strict=False):
        value = str(element.get(attribute)) if attribute else element.text or ""
        spoiled = f"{value if before else ''}{sign}{value if behind else ''}"
        _say(element, attribute, spoiled)
        name = f"{sample.name} with {spoiled!a} in {attribute or element.tag}"
        result = offline.roundtrip(entry, registry, etree.tostring(root, encoding="UTF-8"))
        _say(element, attribute, value)
        assert result.verdict is not offline.Verdict.DIFFERENT, f"{name}: {result.findings[0]}"
        assert result.decoded or result.findings, f"{name} is refused without a word"
        if result.decoded is not None:
            assert any(sign in told for told in _told(result.decoded)), f"{name} vanishes"


def _spoken(root: etree._Element) -> list[tuple[etree._Element, str]]:
    """Every text and attribute that says something: the element, and the attribute's name or ""."""
    texts = [(leaf, "") for leaf in root.iter(etree.Element) if not len(leaf) and trimmed(leaf.text or "")]
    attributes = [(one, str(name)) for one in root.iter(etree.Element) for name in one.attrib]
    return texts + [(one, name) for one, name in attributes if not name.startswith(XSI)]


def _say(element: etree._Element, attribute: str, value: str) -> None:
    if attribute:
        element.set(attribute, value)
    else:
        element.text = value


def _told(found: Decoded) -> Iterator[str]:
    """Every text of the document, and every value that the report names."""
    report = found.report
    for leaf in (*report.bag, *report.unmapped, *report.lost, *report.constants):
        yield leaf.value
    for one in found.documents:
        yield from (value for _, value in leaf_values(one.document) if isinstance(value, str))


def same_document_same_bytes(entry: Entry, sample: Path) -> None:
    """Encoding depends on the document and the context alone: twice the same, byte for byte, and the document untouched."""
    document = decoded(entry, sample)
    before = json.dumps(offline.told(document))
    first = offline.encode_again(entry, document)
    assert json.dumps(offline.told(document)) == before, f"{sample.name}: encode changed the document it was given"
    assert offline.encode_again(entry, document) == first, f"{sample.name}: two encodings differ"


def encoding_is_stable(entry: Entry, sample: Path) -> None:
    """What we wrote we read as the same document, and write as the same bytes."""
    document = decoded(entry, sample)
    once = offline.encode_again(entry, document)
    again = entry.adapter.decode(once, tolerant=False)
    first = first_difference(offline.told(document), offline.told(again))
    assert first is None, f"{sample.name} changes on its way there and back at {first}"
    assert offline.encode_again(entry, again) == once, f"{sample.name}: the second encoding differs"


def encoding_keeps_schema(entry: Entry, registry: SchemaRegistry, sample: Path) -> None:
    """What we write satisfies the element table of its message."""
    document = decoded(entry, sample)
    context = offline.context(entry.manifest, kind=document.kind, message=document.message, roundtrip=True)
    encoded = offline.encode(entry, [(one.kind, one.document) for one in document.documents], context)
    schema = offline.message_schema(entry, registry, encoded.message, encoded.version)
    assert schema is not None, f"{sample.name}: the manifest names no {encoded.message} of version {encoded.version}"
    schema.parse_and_check(encoded.data)


def filing_needs_no_hint(entry: Entry, sample: Path) -> None:
    """A document that can be filed is encoded without anything that only a round trip knows."""
    document = decoded(entry, sample)
    if not is_filed(entry, document.kind):
        return
    encoded = entry.adapter.encode(document.document, offline.context(entry.manifest, kind=document.kind))
    entry.adapter.decode(encoded.data, tolerant=False)
    assert encoded.name, f"{sample.name}: a message that is sent needs a name"


def foreign_bag_is_lost(entry: Entry, sample: Path) -> None:
    """What another adapter's bag holds does not arrive here, and that is said."""
    document = decoded(entry, sample)
    if not is_filed(entry, document.kind):
        return
    bags = {**document.document.get("extensions", {}), "another_partner": {"mark": "x"}}
    content = {**document.document, "extensions": bags}
    report = entry.adapter.encode(content, offline.context(entry.manifest, kind=document.kind)).report
    assert any(pointer.startswith("/extensions/another_partner") for pointer in report.lost), sample.name


def any_bytes_are_answered(entry: Entry, data: bytes) -> None:
    """Whatever arrives gives a value or one of our errors; both ways of reading, and the answers in it."""
    for tolerant in (True, False):
        with suppress(GatewayError):
            found = entry.adapter.decode(data, tolerant=tolerant, agreement=offline.agreement(entry.manifest))
            for one in found.documents:
                if one.refusal is None:
                    entry.adapter.replies(one, received_us=offline.NOW_US, sent=None)


def any_document_is_answered(entry: Entry, document: Any, kind: str) -> None:
    """Whatever JSON object is to be encoded gives bytes or one of our errors."""
    context = offline.context(entry.manifest, kind=kind)
    with suppress(GatewayError):
        entry.adapter.check(document, context)
        entry.adapter.encode(document, context)


def every_leaf_has_a_fate(entry: Entry, sample: Path) -> None:
    """Of one document every value is carried, ignored for a reason, or named as lost: none is dropped in silence."""
    for document in decoded(entry, sample).documents:
        context = offline.context(entry.manifest, kind=document.kind, message=document.message, roundtrip=True)
        report = entry.adapter.encode(document.document, context).report
        told = {*report.carried, *report.ignored, *report.lost}
        for pointer, value in leaf_values(document.document):
            if value not in (None, ""):
                known = any(above in told for above in _upwards(pointer))
                assert known, f"{sample.name}: nothing is said of {pointer}"
        assert all(report.ignored.values()), f"{sample.name}: something is ignored without a reason"


def mapping_paths_exist(entry: Entry, specs: Path) -> None:
    """Every canonical path of a mapping is a place of its document's schema. (Elements are checked when it is made.)"""
    documents = library.load(specs)
    for name, mapping in mappings(entry):
        wrong = mapping.check(tuple(documents.leaves(mapping.document)))
        assert not wrong, f"{entry.id}, {name}: {wrong[0].found} is no place of {mapping.document}"


def loss_table_is_whole(entry: Entry, specs: Path) -> None:
    """The loss table speaks of every canonical leaf, and gives a reason for each that is ignored."""
    documents = library.load(specs)
    for name, mapping in mappings(entry):
        leaves = tuple(documents.leaves(mapping.document))
        table = {row.path: row for row in mapping.loss_table(leaves)}
        missing = [leaf for leaf in leaves if leaf not in table]
        assert not missing, f"{entry.id}, {name}: the loss table is silent about {missing[0]}"
        mute = [row.path for row in table.values() if row.fate != "lost" and not any(row.where)]
        assert not mute, f"{entry.id}, {name}: {mute[0]} has a fate without a place or reason"


def replies_are_known(entry: Entry, sample: Path) -> None:
    """Each answer in a sample has a function that the lifecycle knows, its raw code, and an id to find its message by."""
    from gateway.lifecycle import FUNCTIONS

    for one in decoded(entry, sample).documents:
        for reply in entry.adapter.replies(one, received_us=offline.NOW_US, sent=None):
            assert reply.function in FUNCTIONS, f"{sample.name}: the lifecycle does not know {reply.function!r}"
            assert reply.aliases, f"{sample.name}: nothing tells which message is meant"


def mappings(entry: Entry) -> Iterator[tuple[str, Mapping]]:
    found = mappings_of(entry)
    assert found, f"{entry.id}.mapping holds no Mapping"
    yield from found.items()


def first_difference(expected: Any, found: Any, at: str = "") -> str | None:
    """The first place where two JSON values differ, with both values; None where they are equal."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in dict.fromkeys((*expected, *found)):
            if name not in found:
                return f"{at}/{name}: expected, not found"
            if name not in expected:
                return f"{at}/{name}: found, not expected"
            inner = first_difference(expected[name], found[name], f"{at}/{name}")
            if inner is not None:
                return inner
        return None
    if isinstance(expected, list) and isinstance(found, list):
        for index, (left, right) in enumerate(zip(expected, found, strict=False)):
            inner = first_difference(left, right, f"{at}/{index}")
            if inner is not None:
                return inner
        return None if len(expected) == len(found) else f"{at}: {len(expected)} expected, {len(found)} found"
    return None if expected == found else f"{at}: {expected!r} expected, {found!r} found"


def _upwards(pointer: str) -> Iterator[str]:
    """A pointer and those above it: a value is told of when the object that holds it is."""
    while pointer:
        yield pointer
        pointer = pointer.rpartition("/")[0]
