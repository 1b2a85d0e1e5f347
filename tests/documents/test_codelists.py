"""Code lists: ours load and are dated; an operator's go before ours; broken ones are told in full."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from gateway.documents import Documents, codelists, load
from gateway.errors import NeedsOperator

ON = dt.date(2026, 11, 21)
CHINA = {
    "attachment-type", "container-spec", "correlation-reason", "country", "currency", "customs-offices",
    "domestic-district", "domestic-port", "duty-mode", "enterprise-qualification", "goods-attribute", "levy-nature",
    "licence-document", "licence-type", "packaging", "port", "purpose", "receipt-channel", "trade-mode",
    "transaction-mode", "transport-mode", "unit",
}  # fmt: skip


def test_every_list_has_rows_a_source_an_edition_and_a_day(documents: Documents) -> None:
    assert set(documents.codelists) == CHINA | {
        "country-iso",
        "currency-iso",
        "identifier-scheme",
        "unit-rec20",
        "transport-mode-rec19",
    }
    for code_list in documents.codelists.values():
        assert code_list.rows
        assert code_list.source
        assert code_list.edition
        assert code_list.as_of
        assert code_list.title_zh
        assert code_list.title_en


@pytest.mark.parametrize("name", sorted(CHINA - {"receipt-channel"}))
def test_every_code_of_the_public_tables_is_in_ours(documents: Documents, reference: Path, name: str) -> None:
    lines = (reference / f"china-sw/codelists/{name}.csv").read_text("utf-8-sig").splitlines()[1:]
    theirs = {line.split(",")[0] for line in lines}
    assert theirs <= documents.codelists[name].codes(ON)


def test_a_code_that_stands_twice_says_what_tells_its_rows_apart(documents: Documents) -> None:
    for code_list in documents.codelists.values():
        facts = [(row.code, row.title_zh, row.valid_from, row.columns.get("direction")) for row in code_list.rows]
        assert len(facts) == len(frozenset(facts)), code_list.name


def test_codes_of_two_worlds_lead_to_each_other(documents: Documents) -> None:
    country = documents.codelists["country"]
    assert country.translate("MNG", "old_customs") == "124"
    assert country.from_alternate("124", "old_customs") == ("MNG",)
    assert country.from_alternate("MN", "alpha2") == ("MNG",)
    assert len(country.from_alternate("499", "old_customs")) > 1  # the old world was coarser
    assert country.translate("MNG", "no_such_column") is None


def test_country_codes_of_two_and_three_letters_go_there_and_back(documents: Documents) -> None:
    country, iso = documents.codelists["country"], documents.codelists["country-iso"]
    for row in country.rows:
        assert iso.translate(row.columns["alpha2"], "alpha3") == row.code
        assert country.from_alternate(row.columns["alpha2"], "alpha2") == (row.code,)


def test_chinese_currencies_are_currencies(documents: Documents) -> None:
    assert documents.codelists["currency"].codes(ON) <= documents.codelists["currency-iso"].codes(ON)
    assert "MNT" not in documents.codelists["currency"].codes(ON)
    assert "MNT" in documents.codelists["currency-iso"].codes(ON)


def test_units_are_mapped_both_ways_alike(documents: Documents) -> None:
    unit, rec20 = documents.codelists["unit"], documents.codelists["unit-rec20"]
    for row in rec20.rows:
        if row.columns["cn_unit"]:
            assert unit.translate(row.columns["cn_unit"], "rec20") == row.code
    assert unit.translate("035", "rec20") == "KGM"
    mapped = [row.columns["rec20"] for row in unit.rows if row.columns["rec20"]]
    assert len(mapped) == len(frozenset(mapped))
    assert set(mapped) <= rec20.codes(ON)


def test_modes_of_transport_are_mapped_both_ways_alike(documents: Documents) -> None:
    mode, rec19 = documents.codelists["transport-mode"], documents.codelists["transport-mode-rec19"]
    pairs = {(row.code, row.columns["rec19"]) for row in mode.rows if row.columns["rec19"]}
    assert pairs == {(row.columns["cn_mode"], row.code) for row in rec19.rows if row.columns["cn_mode"]}


def test_a_code_is_valid_from_its_first_to_its_last_day(documents: Documents) -> None:
    trade_mode, currency = documents.codelists["trade-mode"], documents.codelists["currency-iso"]
    assert trade_mode.why_not("9710", dt.date(2020, 6, 30)) == "not_yet"
    assert "9710" in trade_mode.codes(dt.date(2020, 7, 1))
    assert "BGN" in currency.codes(dt.date(2025, 12, 31))
    assert currency.why_not("BGN", dt.date(2026, 1, 1)) == "expired"
    assert currency.why_not("ZZZ", ON) == "unknown"


def test_an_overlay_replaces_a_list_adds_rows_and_brings_a_list(
    project_root: Path, tmp_path: Path, documents: Documents
) -> None:
    folder = tmp_path / "codelists"
    folder.mkdir()
    header = "code,title_zh,title_en,valid_from,valid_to\n"
    (folder / "purpose.csv").write_text(header + "77,新用途,new purpose,2026-01-01,\n", "utf-8")
    (folder / "trade-mode.add.csv").write_text(header + "9999,新方式,new mode,,\n", "utf-8")
    (folder / "gate.csv").write_text(header + "1,一号,one,,\n", "utf-8")
    (folder / "index.yaml").write_text("lists: {gate: {title: {zh: 卡口, en: gate}, edition: '1'}}\n", "utf-8")
    theirs = load(project_root / "specs", tmp_path).codelists
    assert theirs["purpose"].codes(ON) == {"77"}
    assert theirs["trade-mode"].codes(ON) == documents.codelists["trade-mode"].codes(ON) | {"9999"}
    assert theirs["gate"].title_zh == "卡口"
    assert "11" in documents.codelists["purpose"].codes(ON)


def test_every_fault_of_a_broken_overlay_is_told_at_once(project_root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "codelists"
    folder.mkdir()
    (folder / "purpose.csv").write_text("code,title\n1,x\n", "utf-8")
    (folder / "unit.csv").write_text(
        "code,title_zh,title_en,valid_from,valid_to\n1,x,x,tomorrow,\n,y,y,,\n1,2\n", "utf-8"
    )
    (folder / "index.yaml").write_text("lists: {ghost: {edition: '1'}}\n", "utf-8")
    (tmp_path / "deadlines").mkdir()
    (tmp_path / "deadlines" / "x.yaml").write_text("deadlines: {a: {title: 1}}", "utf-8")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "x.yaml").write_text("severities: {DOC-001: fatal}", "utf-8")
    with pytest.raises(NeedsOperator) as raised:
        load(project_root / "specs", tmp_path)
    codes = [finding.code for finding in raised.value.findings]
    assert codes.count("specs.codelist.broken") >= 5
    assert {"specs.deadline.broken", "specs.rules.broken"} <= set(codes)


def test_an_overlay_that_is_not_there_is_told(project_root: Path, tmp_path: Path) -> None:
    with pytest.raises(NeedsOperator):
        load(project_root / "specs", tmp_path / "nowhere")


@pytest.mark.parametrize("junk", [b"\xff\xfe\x00", b'"unclosed', b"", b"\x00", b"code\r\r\n"])
def test_no_bytes_of_a_list_raise(tmp_path: Path, junk: Any) -> None:
    (tmp_path / "x.csv").write_bytes(junk)
    (tmp_path / "index.yaml").write_bytes(junk)
    _, findings = codelists.load([tmp_path])
    assert findings
