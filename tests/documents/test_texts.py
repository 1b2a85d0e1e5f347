"""The text catalogue: every code of this room has its texts, and no finding is too odd to be read out."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import documents, texts
from gateway.errors import Finding, NeedsOperator
from gateway.texts import Texts, negotiate


@pytest.fixture(scope="module")
def catalogue(project_root: Path) -> Texts:
    return texts.load(project_root)


def test_every_row_is_complete_in_both_languages(catalogue: Texts) -> None:
    assert [line for line in catalogue.incomplete() if line.startswith(("document.", "specs.", "deadline."))] == []


def test_every_code_in_the_source_of_this_room_has_a_row(project_root: Path, catalogue: Texts) -> None:
    source = "".join(
        file.read_text("utf-8")
        for file in [*project_root.glob("gateway/documents/*.py"), project_root / "gateway/texts.py"]
    )
    codes = set(re.findall(r'"((?:document|specs|deadline)\.[a-z_.]+[a-z])"', source))
    assert len(codes) > 20
    assert catalogue.without_row(codes) == []


def test_a_finding_is_read_out_in_each_language(catalogue: Texts) -> None:
    params = {"list_zh": "监管方式", "list_en": "trade mode", "list": "trade-mode", "on": "2026-11-21"}
    finding = Finding("document.code.unknown", "/a", "9999", params=params)
    assert catalogue.render(finding, "zh")["text"] == "/a：9999 在 2026-11-21 不属于代码表“监管方式”。"
    assert catalogue.render(finding, "en")["text"] == "/a: 9999 is not in the list trade mode on 2026-11-21."


def test_what_stands_in_brackets_is_said_only_where_its_value_is_there(catalogue: Texts) -> None:
    with_guess = Finding("document.schema.unknown", "/agnt", "agnt", "agent")
    assert "Did you mean agent?" in catalogue.render(with_guess, "en")["text"]
    assert "Did you mean" not in catalogue.render(Finding("document.schema.unknown", "/x"), "en")["text"]


def test_braces_and_brackets_in_values_stay_what_they_are(catalogue: Texts) -> None:
    finding = Finding("document.schema.unknown", "/{code}[{found}]", "{expected}", "{0.__class__}")
    assert "/{code}[{found}]" in catalogue.render(finding, "en")["text"]


def test_an_unknown_code_is_read_as_its_nearest_family_or_by_its_name(catalogue: Texts) -> None:
    family = catalogue.render(Finding("document.rule.never_heard_of", "/x", source="DOC-999"), "en")
    assert "DOC-999" in family["text"]
    assert catalogue.render(Finding("nothing.known", None, "x"), "zh")["title"] == "nothing.known"


@given(code=st.text(), found=st.none() | st.text(), language=st.text(), params=st.dictionaries(st.text(), st.text()))
def test_no_finding_is_too_odd_to_be_read_out(
    catalogue: Texts, code: str, found: str | None, language: str, params: dict[str, str]
) -> None:
    rendered = catalogue.render(Finding(code, None, found, params=params), language)
    assert set(rendered) == {"title", "text", "action"}
    for known in ("document.code.unknown", "document.identifier.shape"):
        assert all(catalogue.render(Finding(known, None, found, params=params), language).values())


@pytest.mark.parametrize(
    ("header", "language"),
    [(None, "zh"), ("", "zh"), ("en", "en"), ("en-GB,en;q=0.9", "en"), ("fr, en;q=0.8, zh;q=0.9", "zh"), ("zh-Hans-CN", "zh"),
     ("mn, ru", "zh"), ("*", "zh"), ("zh;q=0, en;q=0.1", "en"), ("EN;Q=0.7", "en"), ("en;q=nan, zh;q=oops", "zh"), (";;,,=", "zh")],
)  # fmt: skip
def test_the_language_that_the_caller_likes_best_is_taken(header: Any, language: str) -> None:
    assert negotiate(header) == language


@given(st.text())
def test_no_header_is_too_odd(header: Any) -> None:
    assert negotiate(header) in {"zh", "en"}


def test_a_broken_catalogue_is_told_in_full(tmp_path: Path) -> None:
    folder = tmp_path / "specs" / "findings"
    folder.mkdir(parents=True)
    row = "{en: {title: t}, zh: {title: t}}"
    (folder / "a.yaml").write_text(f"x.y: {row}\nx.z: [1]\n")
    (folder / "b.yaml").write_text(f"x.y: {row}\n")
    (folder / "c.yaml").write_text("{")
    (tmp_path / "adapters" / "one").mkdir(parents=True)
    (tmp_path / "adapters" / "one" / "findings.yaml").write_text("- no mapping")
    with pytest.raises(NeedsOperator) as raised:
        texts.load(tmp_path)
    assert sorted(finding.code for finding in raised.value.findings) == [
        "specs.texts.broken", "specs.texts.broken", "specs.texts.broken", "specs.texts.twice",
    ]  # fmt: skip


def test_an_adapter_brings_its_own_texts(tmp_path: Path) -> None:
    (tmp_path / "adapters" / "one").mkdir(parents=True)
    row = "{en: {title: Taken, text: T, action: A}, zh: {title: 已收, text: 收}}"
    (tmp_path / "adapters" / "one" / "findings.yaml").write_text(f"one.x: {row}", "utf-8")
    own = texts.load(tmp_path)
    assert own.codes() == ("one.x",)
    assert own.incomplete() == ["one.x zh.action"]
    assert own.render(Finding("one.x"), "en") == {"title": "Taken", "text": "T", "action": "A"}


def test_the_form_of_a_date_or_time_is_told_in_words_with_an_example(project_root: Path, catalogue: Texts) -> None:
    library = documents.load(project_root / "specs", None)
    wrong = {"issue_date_time": "21.11.2026"}
    found = [
        one for one in library.check("declaration", wrong, on=date(2026, 11, 21)) if one.pointer == "/issue_date_time"
    ]
    assert [one.code for one in found] == ["document.schema.pattern"]
    assert "such as 2026-11-21T08:30:00+08:00" in catalogue.render(found[0], "en")["text"]
    assert "例如 2026-11-21T08:30:00+08:00" in catalogue.render(found[0], "zh")["text"]


def test_a_file_in_the_overlay_adds_a_language_and_what_it_leaves_out_is_read_in_english(
    project_root: Path, tmp_path: Path
) -> None:
    phrases = tmp_path / "findings" / "phrases"
    phrases.mkdir(parents=True)
    row = "{mn: {title: Код танигдсангүй, text: '{pointer}: {found}[, {expected}].'}}"
    (tmp_path / "findings" / "mn.yaml").write_text(f"document.code.unknown: {row}", "utf-8")
    (phrases / "mn.yaml").write_text("expected: {a whole number: {mn: бүхэл тоо}}", "utf-8")
    own = texts.load(project_root, tmp_path)
    assert own.languages == ("zh", "en", "mn")
    assert (own.negotiate("mn-MN, en;q=0.5"), own.negotiate("ru")) == ("mn", "zh")
    finding = Finding("document.code.unknown", "/x", "QQ", "a whole number")
    told, english = own.render(finding, "mn"), own.render(finding, "en")
    assert (told["title"], told["text"]) == ("Код танигдсангүй", "/x: QQ, бүхэл тоо.")
    assert told["action"] == english["action"]
    assert own.render(Finding("document.refused"), "mn") == own.render(Finding("document.refused"), "en")
    assert own.incomplete() == []


def test_a_row_of_the_overlay_replaces_ours_and_a_broken_one_is_told(project_root: Path, tmp_path: Path) -> None:
    (tmp_path / "findings").mkdir()
    file = tmp_path / "findings" / "own.yaml"
    file.write_text("not_found: {en: {title: Gone, text: Gone, action: Ask}}", "utf-8")
    assert texts.load(project_root, tmp_path).render(Finding("not_found"), "en")["title"] == "Gone"
    file.write_text("not_found: {english: {title: Gone}}", "utf-8")
    with pytest.raises(NeedsOperator) as raised:
        texts.load(project_root, tmp_path)
    assert [finding.code for finding in raised.value.findings] == ["specs.texts.broken"]
