"""No reader of Chinese meets English prose in a finding: what was found and expected is read in the reader's language."""

from __future__ import annotations

import copy
import csv
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway import documents, phrases, settings, texts
from gateway.catalogue import Catalogue, Entry, offline
from gateway.errors import Finding, GatewayError
from gateway.phrases import Phrases
from gateway.settings import PROJECT_ROOT
from gateway.texts import Texts
from tests.house.phrases_of_source import every_text, said

ON = date(2026, 11, 21)
FILES = [*PROJECT_ROOT.glob("specs/findings/phrases/*.yaml"), *PROJECT_ROOT.glob("adapters/*/phrases.yaml")]
CONTENTS = {
    file.relative_to(PROJECT_ROOT).as_posix(): yaml.safe_load(file.read_text(encoding="utf-8")) for file in FILES
}
PROSE = re.compile(r"[a-z]{2,} |[ ][a-z]{3,}")
# Names of fields, files and kinds of databases, the same in every language; and what stops the start, seen by no reader.
VERBATIM = {
    "current_code, previous_code",
    "sqlite, postgresql",
    "sqlite:///<file>, postgresql",
    "the {} list is not one to one",
    "{} is not one to one",
}


@pytest.fixture(scope="module")
def catalogue() -> Texts:
    return texts.load(PROJECT_ROOT)


def test_every_phrase_of_the_source_has_a_row() -> None:
    known = phrases.of(CONTENTS.values(), "expected", "sources", "forms", "found")
    prose = {text: where for (_, text), where in said().items() if PROSE.search(text) and text not in VERBATIM}
    assert len(prose) > 100
    untold = [
        f"{where} {text!r}"
        for text, where in prose.items()
        if (filled := text.replace("{}", "7")) == known.read(filled, "zh")
    ]
    assert untold == []


def test_every_row_is_of_a_phrase_in_the_source() -> None:
    """What libraries say stands in libraries.yaml, what patterns mean is held against the schemas below."""
    known = every_text()
    idle = [
        f"{file}: {phrase}"
        for file, content in CONTENTS.items()
        if not file.endswith("libraries.yaml")
        for heading in ("expected", "found", "sources")
        for phrase in content.get(heading) or {}
        if re.sub(r"\{[a-z_]+\}", "{}", phrase) not in known
    ]
    assert idle == []


def patterns() -> set[str]:
    """Every pattern of the canonical documents and of the element tables."""
    found: set[str] = set()

    def gather(node: Any) -> None:
        if isinstance(node, dict):
            found.update([node["pattern"]] if isinstance(node.get("pattern"), str) else [])
            node = list(node.values())
        for inner in node if isinstance(node, list) else ():
            gather(inner)

    for file in PROJECT_ROOT.glob("specs/documents/*.json"):
        gather(json.loads(file.read_text(encoding="utf-8")))
    for file in PROJECT_ROOT.glob("specs/*/*.csv"):
        with file.open(encoding="utf-8", newline="") as rows:
            found.update(row["pattern"] for row in csv.DictReader(rows) if row.get("pattern"))
    return found


def test_every_pattern_is_told_in_words_with_an_example_that_fits_and_no_word_without_a_pattern() -> None:
    forms = {form: row for content in CONTENTS.values() for form, row in (content.get("forms") or {}).items()}
    assert set(forms) == patterns()
    assert [form for form, row in forms.items() if not re.fullmatch(form, row["example"])] == []


def wrong_documents(sound: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document with each of its leaves, lists and objects replaced by something else, one at a time."""

    def places(node: Any, way: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for step, inner in inside:
            yield (*way, step)
            yield from places(inner, (*way, step))

    others: list[Any] = ["", "ZZ9", "-7", "2026-02-31", 7, None, {}, [1], True, 2.5, "x" * 600]
    for turn, way in enumerate(places(sound, ())):
        for value in (others[turn % 4], others[4 + turn % 6], others[-1], ...):
            document = copy.deepcopy(sound)
            holder: Any = document
            for step in way[:-1]:
                holder = holder[step]
            if value is ...:
                del holder[way[-1]]
            else:
                holder[way[-1]] = value
            yield document


def findings_on(entry: Entry, library: documents.Documents, sample: Path) -> Iterator[Finding]:
    """Everything that is said of a sample's wrong documents, when they are filed, and of its wrong bytes, when they are read."""
    beside = json.loads(sample.with_suffix(".json").read_text(encoding="utf-8"))
    kind = beside["kind"]
    context = offline.context(entry.manifest, kind=kind)
    data = sample.read_bytes()
    for document in wrong_documents(beside["document"]):
        yield from library.check(kind, document, on=ON)
        if library.fits(kind, document):
            yield from entry.adapter.check(document, context)
            try:
                entry.adapter.encode(document, context)
            except GatewayError as error:
                yield from error.findings
    marks = [match.span() for match in re.finditer(rb"<[A-Za-z:]+>|[^<>\s][^<>]*(?=</)", data)]
    for turn, (start, end) in enumerate(marks):
        for tolerant in (False, True):
            broken = data[:start] + [b"", b"<Zz/>", b"x" * 700, b"-1.234567"][turn % 4] + data[end:]
            try:
                yield from entry.adapter.decode(broken, tolerant=tolerant).report.findings
            except GatewayError as error:
                yield from error.findings


def one_of_each_kind(entry: Entry) -> list[Path]:
    samples = sorted((entry.root / "samples").glob("*.xml"))
    return list(
        {json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))["kind"]: file for file in samples}.values()
    )


def ours_of(catalogue: Texts, finding: Finding, language: str) -> str:
    """The words of a finding in a language, without what the sender wrote and where."""
    text = " ".join(catalogue.render(finding, language).values())
    theirs = [finding.pointer, finding.partner_place, finding.code, *finding.params.values()]
    theirs += [finding.found] if catalogue.localised(finding, language).found == finding.found else []
    for part in sorted((part for part in theirs if part), key=len, reverse=True):
        text = text.replace(part, " ")
    return text


def slip_of(catalogue: Texts, finding: Finding, names: frozenset[str]) -> str | None:
    """What is said in the wrong language: an English word to a reader of Chinese, a Chinese one to a reader of English."""
    words = re.findall(r"[A-Za-z_0-9./:+-]+", ours_of(catalogue, finding, "zh"))
    english = [word for word in words if re.fullmatch(r"[a-z]{3,}", word) and word not in names]
    chinese = re.findall(r"[\u4e00-\u9fff]+", ours_of(catalogue, finding, "en"))
    return f"{[*english, *chinese]}: found {finding.found}, expected {finding.expected}" if english or chinese else None


@pytest.fixture(scope="module")
def names() -> frozenset[str]:
    """Words that are names in our documents: their properties and the values that they may take; kinds of documents."""
    found: set[str] = {"true", "false", "content", "pointer"}

    def gather(node: Any) -> None:
        if isinstance(node, dict):
            found.update(node.get("properties", {}))
            found.update(str(value) for value in node.get("enum", ()))
            node = list(node.values())
        for inner in node if isinstance(node, list) else ():
            gather(inner)

    for file in PROJECT_ROOT.glob("specs/documents/*.json"):
        gather(json.loads(file.read_text(encoding="utf-8")))
        found.add(file.stem)
    return frozenset(found)


@pytest.mark.parametrize("adapter_id", ["cn_declaration", "wco_declaration"])
def test_no_finding_on_a_bad_document_speaks_the_other_language(
    catalogue: Texts, names: frozenset[str], adapter_id: str
) -> None:
    configured = settings.load({})
    entry = Catalogue.load(configured).entry(adapter_id)
    library = documents.load(configured.specs)
    seen: set[str] = set()
    slips: dict[str, str] = {}
    for sample in one_of_each_kind(entry):
        for finding in findings_on(entry, library, sample):
            seen.add(finding.code)
            # What a parser of somebody else says of bytes is told as it says it.
            if finding.code in ("syntax.xml.not_well_formed", "syntax.schema"):
                continue
            if slip := slip_of(catalogue, finding, names):
                slips.setdefault(finding.code, slip)
    assert len(seen) > 30
    assert slips == {}


def test_a_phrase_is_read_in_each_language_with_its_values() -> None:
    read = Phrases(
        {
            "at most {most}": {"en": "at most {most}", "zh": "至多 {most}"},
            "at most {most} characters": {"en": "at most {most} characters", "zh": "至多 {most} 个字符"},
            "expected {what}": {"en": "expected {what}", "zh": "应为 {what}"},
            "[0-9]{2}": {"en": "2 digits", "zh": "2位数字"},
        }
    )
    assert read.read("at most 5", "zh") == "至多 5"
    assert read.read("at most 5 characters", "zh") == "至多 5 个字符"
    assert read.read("expected at most 5", "zh") == "应为 至多 5"
    assert read.read("expected [0-9]{2}", "en") == "expected 2 digits"
    assert read.read("at most {most}", "zh") == "至多 {most}"
    assert read.read("KGM", "zh") == "KGM"
    assert read.read("expected " * 200, "zh") == "expected " * 200


def test_a_sender_s_value_is_no_phrase_of_ours(catalogue: Texts) -> None:
    finding = Finding("document.schema.pattern", "/id", found="at most 5", expected="at least 2")
    assert catalogue.render(finding, "zh")["text"] == "/id 的值 at most 5 不符合格式：应为 至少 2。"


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{wanted: {a: b}}",
        "{expected: {a: [b]}}",
        "{expected: {'{a}': b}}",
        "{forms: {a: {en: b}}}",
        "{expected: {1: b}}",
    ],
)
def test_a_broken_file_of_phrases_is_told(content: str) -> None:
    assert len(phrases.faults(yaml.safe_load(content))) == 1
