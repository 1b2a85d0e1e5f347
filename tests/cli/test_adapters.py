"""swgate adapters: what it prints and how it ends."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import ADAPTER, Swgate


def test_list_prints_json_for_programs(swgate: Swgate) -> None:
    rows = json.loads(swgate("adapters", "list", "--json").out)
    assert [(row["id"], row["files"], row["transports"]) for row in rows] == [(ADAPTER, ["declaration"], ["folder"])]


def test_list_speaks_the_language_of_the_reader(swgate: Swgate, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Transports" in swgate("adapters", "list").out
    assert "名称" in swgate("--lang", "zh", "adapters", "list").out
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "名称" in swgate("adapters", "list").out


def test_check_is_silent_about_what_is_right(swgate: Swgate) -> None:
    assert swgate("adapters", "check").out == f"{ADAPTER}: right\n"


def test_new_writes_a_folder_that_passes_check_and_never_over_another(
    swgate: Swgate, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "specs").mkdir()
    for part in (made / "specs").iterdir():
        if part.name != "rules":
            (tmp_path / "specs" / part.name).symlink_to(part)
    shutil.copytree(made / "specs" / "rules", tmp_path / "specs" / "rules")
    monkeypatch.setenv("SWGATE_ADAPTERS", str(tmp_path / "adapters"))
    monkeypatch.setenv("SWGATE_SPECS", str(tmp_path / "specs"))
    assert swgate("adapters", "new", "mn_rail_manifest").code == 0
    assert swgate("adapters", "check", "mn_rail_manifest").code == 0
    again = swgate("adapters", "new", "mn_rail_manifest")
    assert again.code == 1
    assert "catalogue.adapter.exists" in again.err


@pytest.mark.parametrize("bad", ["Mn_Rail", "../up", "1st", "a__b", "a-b", ""])
def test_new_refuses_what_is_no_id(swgate: Swgate, bad: str) -> None:
    assert swgate("adapters", "new", bad).code == 3


def test_an_unknown_adapter_is_a_usage_error_that_names_the_known_ones(swgate: Swgate, samples: Path) -> None:
    for words in (("check", "nobody"), ("decode", "nobody", samples / "notice.xml")):
        outcome = swgate("adapters", *words)
        assert outcome.code == 3
        assert ADAPTER in outcome.err


def test_decode_prints_document_and_report(swgate: Swgate, samples: Path) -> None:
    printed = json.loads(swgate("adapters", "decode", ADAPTER, samples / "notice.xml").out)
    expected = json.loads((samples / "notice.json").read_text())
    assert {name: printed[name] for name in expected} == expected
    assert printed["report"]["coverage"] == 1.0
    assert set(printed["report"]) >= {"mapped", "bag", "unmapped", "lost", "constants"}
    assert printed["findings"] == []


def test_decode_reports_what_nobody_knows(swgate: Swgate, samples: Path, tmp_path: Path) -> None:
    strange = tmp_path / "strange.xml"
    strange.write_text((samples / "notice.xml").read_text().replace("<Office>", "<Bureau>9</Bureau><Office>"))
    printed = json.loads(swgate("adapters", "decode", ADAPTER, strange).out)
    assert [leaf["value"] for leaf in printed["report"]["unmapped"]] == ["9"]
    assert printed["report"]["coverage"] < 1
    assert "translate.leaf.unmapped" in {finding["code"] for finding in printed["findings"]}
    assert swgate("adapters", "decode", ADAPTER, strange, "--strict").code == 1


def test_decode_refuses_garbage_in_words(swgate: Swgate, tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(b"\x00\xff<")
    outcome = swgate("adapters", "decode", ADAPTER, tmp_path / "junk")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err


@pytest.mark.parametrize("name", ["notice", "answer"])
def test_what_decode_printed_encode_takes(swgate: Swgate, samples: Path, tmp_path: Path, name: str) -> None:
    printed = swgate("adapters", "decode", ADAPTER, samples / f"{name}.xml").out
    (tmp_path / "printed.json").write_text(printed)
    encoded = swgate("adapters", "encode", ADAPTER, tmp_path / "printed.json")
    assert encoded.code == 0
    (tmp_path / "again.xml").write_text(encoded.out)
    assert json.loads(swgate("adapters", "decode", ADAPTER, tmp_path / "again.xml").out) == json.loads(printed)


def test_encode_takes_a_bare_document_and_refuses_with_pointers(swgate: Swgate, samples: Path, tmp_path: Path) -> None:
    document = json.loads((samples / "notice.json").read_text())["document"]
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps(document))
    assert swgate("adapters", "encode", ADAPTER, bare).code == 0
    document["direction"] = "upwards"
    bare.write_text(json.dumps(document))
    outcome = swgate("adapters", "encode", ADAPTER, bare)
    assert outcome.code == 1
    assert "/direction" in outcome.err


@pytest.mark.parametrize("place", ["goods_shipment", "agent"])
@pytest.mark.parametrize("value", ["text", [1], 5])
def test_encode_refuses_what_has_another_shape_than_the_document(
    swgate: Swgate, tmp_path: Path, place: str, value: object
) -> None:
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps({"kind": "declaration", "document": {"direction": "import", place: value}}))
    outcome = swgate("adapters", "encode", ADAPTER, bare)
    assert outcome.code == 1
    assert f"/{place}" in outcome.err


def test_encode_names_what_the_partner_cannot_carry(swgate: Swgate, samples: Path, tmp_path: Path) -> None:
    document = json.loads((samples / "notice.json").read_text())["document"] | {"regime": "import"}
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps(document))
    outcome = swgate("adapters", "encode", ADAPTER, bare)
    assert outcome.code == 0
    assert "/regime" in outcome.err


def test_roundtrip_ends_with_0_when_all_are_equal(swgate: Swgate, samples: Path) -> None:
    outcome = swgate("adapters", "roundtrip", ADAPTER, samples / "notice.xml", samples / "answer.xml")
    assert outcome.code == 0
    assert [line.split()[:2] for line in outcome.out.splitlines()] == [["equal", "100.0%"]] * 2


def test_roundtrip_ends_with_1_and_the_finding_when_one_is_refused(
    swgate: Swgate, samples: Path, tmp_path: Path
) -> None:
    (tmp_path / "junk.xml").write_text("<Notice>")
    outcome = swgate("adapters", "roundtrip", ADAPTER, samples / "notice.xml", tmp_path / "junk.xml")
    assert outcome.code == 1
    assert outcome.out.splitlines()[1].startswith("refused")
    assert "syntax.xml" in outcome.out.splitlines()[1]


def test_roundtrip_ends_with_2_and_the_place_when_one_is_different(
    swgate: Swgate, samples: Path, tmp_path: Path
) -> None:
    strange = tmp_path / "strange.xml"
    strange.write_text((samples / "notice.xml").read_text().replace("<Office>", "<Bureau>9</Bureau><Office>"))
    outcome = swgate("adapters", "roundtrip", ADAPTER, strange)
    assert outcome.code == 2
    assert "Notice/Bureau" in outcome.out


def test_roundtrip_tolerates_only_what_means_nothing(swgate: Swgate, samples: Path, tmp_path: Path) -> None:
    spelled = tmp_path / "spelled.xml"
    text = (samples / "notice.xml").read_text()
    spelled.write_text(
        "<!-- hello -->" + text.split("?>")[1].replace("Copper concentrate", "<![CDATA[Copper concentrate]]>")
    )
    assert swgate("adapters", "roundtrip", ADAPTER, spelled).code == 0


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("roundtrip",),
        ("roundtrip", ADAPTER),
        ("roundtrip", ADAPTER, "/no/such/file"),
        ("decode", ADAPTER),
        ("fly",),
    ],
    ids=lambda words: " ".join(words) or "nothing",
)
def test_a_wrong_call_ends_with_3(swgate: Swgate, words: tuple[str, ...]) -> None:
    assert swgate("adapters", *words).code == 3


def test_the_simulator_of_an_adapter_gets_its_own_arguments(swgate: Swgate) -> None:
    with pytest.raises(SystemExit) as left:
        swgate("sim", ADAPTER, "--help")
    assert left.value.code == 0
