"""The manifest: what it may say, and that every fault is told at once."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.catalogue import manifest, parameters
from gateway.errors import NeedsOperator


@pytest.fixture
def raw(fresh: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((fresh / "adapters/xx_notice/manifest.yaml").read_text())
    return content


def pointers(raw: Any, name: str = "xx_notice") -> set[str | None]:
    with pytest.raises(NeedsOperator) as refused:
        manifest.parse(raw, name)
    return {finding.pointer for finding in refused.value.findings}


def test_a_whole_manifest_is_read(raw: dict[str, Any]) -> None:
    read = manifest.parse(raw, "xx_notice")
    assert read.files == ("declaration",)
    assert read.understands == ("customs_response",)
    assert read.parameters["sender_id"].type == "text"
    assert read.defaults == {"sender_id": "SENDER"}


def test_every_fault_is_told_at_once_with_its_place(raw: dict[str, Any]) -> None:
    raw["id"] = "other"
    raw["direction"] = "sideways"
    raw["messages"][0]["schema"] = "elsewhere.csv"
    raw["steps"] = ["sign"]
    raw["parameters"]["sender_id"]["default"] = 7
    raw["surprise"] = True
    raw["transport_settings"] = {"pigeon": {"speed": 7}}
    del raw["owner"]
    assert pointers(raw) == {
        "/id",
        "/direction",
        "/messages/0/schema",
        "/steps/0",
        "/parameters/sender_id/default",
        "/surprise",
        "/transport_settings/pigeon",
        "/owner",
    }


@pytest.mark.parametrize(
    ("steps", "signing", "fault"),
    [
        (["encode", "check", "sign"], ["xmldsig"], None),
        (["encode", "sign", "sign"], ["xmldsig"], None),
        (["encode", "wrap"], [], "/steps/1"),
        (["encode", "sign", "check"], ["xmldsig"], "/steps"),
        (["encode", "encode"], [], "/steps"),
        (["encode", "sign"], [], "/steps"),
        (["encode"], ["xmldsig"], "/steps"),
    ],
)
def test_steps_are_those_that_the_gateway_takes(
    raw: dict[str, Any], steps: list[str], signing: list[str], fault: str | None
) -> None:
    raw |= {"steps": steps, "signing": signing}
    if fault is None:
        assert manifest.parse(raw, "xx_notice").steps == tuple(steps)
    else:
        assert pointers(raw) == {fault}


def test_a_manifest_that_is_no_mapping_lacks_everything() -> None:
    assert {"/id", "/title", "/messages", "/owner"} <= pointers(["id"])


def test_an_adapter_of_no_documents_is_refused(raw: dict[str, Any]) -> None:
    raw["documents"] = {}
    assert pointers(raw) == {"/documents"}


@pytest.mark.parametrize("text", ["a: [", "\x00", "- 1\n  b: 2"])
def test_a_file_that_is_not_yaml_is_an_error_of_ours(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "xx_notice"
    folder.mkdir()
    (folder / "manifest.yaml").write_text(text)
    with pytest.raises(NeedsOperator) as refused:
        manifest.load(folder)
    assert refused.value.findings[0].code == "catalogue.manifest.unreadable"


def test_every_member_of_a_manifest_is_described() -> None:
    assert set(manifest.FIELDS) == set(manifest.ManifestSchema().fields)


CASES: dict[str, tuple[dict[str, Any], str | None]] = {
    "the right type passes": ({"type": "integer"}, None),
    "a truth is no integer": ({"type": "integer", "given": True}, "integer"),
    "digits without quotes are no text": ({"type": "text", "given": 1234}, "text"),
    "a list holds texts": ({"type": "list", "given": [1]}, "list"),
    "one of a few": ({"type": "text", "one_of": ("a", "b"), "given": "c"}, "one of a, b"),
    "a pattern holds for the whole": ({"type": "text", "pattern": "[a-z]{2}", "given": "abc"}, "[a-z]{2}"),
}


@pytest.mark.parametrize(("about", "expected"), CASES.values(), ids=CASES.keys())
def test_a_parameter_is_held_against_its_type(raw: dict[str, Any], about: dict[str, Any], expected: str | None) -> None:
    given = about.pop("given", 5)
    raw["parameters"] = {"p": {"en": "p", "zh": "p", **about, "one_of": list(about.get("one_of", ()))}}
    read = manifest.parse(raw, "xx_notice")
    found = list(parameters.findings(read.id, read.parameters, {"p": given}, "/parameters"))
    assert [finding.expected for finding in found] == ([] if expected is None else [expected])
    assert all(finding.pointer == "/parameters/p" and finding.found is None for finding in found)
