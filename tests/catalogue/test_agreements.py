"""Agreements held against the manifests of their adapters."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.catalogue import Catalogue
from gateway.testing.directory import PartnersFile

Load = Callable[[Path], Catalogue]


def file(**more: object) -> PartnersFile:
    facts = {"adapter": "xx_notice", "documents": ["declaration"], "transport": {"kind": "folder"}} | more
    return PartnersFile().add_agreement("with-xx", partner="xx", **facts)  # type: ignore[arg-type]


def test_an_agreement_that_fits_has_no_findings(fresh: Path, load: Load) -> None:
    assert load(fresh).check_agreements(file(parameters={"sender_id": "WE"}).directory()) == []


CASES = {
    "no such adapter": ({"adapter": "nobody"}, "catalogue.adapter.unknown", "/agreements/0/adapter"),
    "a document it does not know": (
        {"documents": ["declaration", "manifest"]},
        "catalogue.agreement.document",
        "/agreements/0/documents/1",
    ),
    "a transport it is not sent over": (
        {"transport": {"kind": "as4"}},
        "catalogue.agreement.transport",
        "/agreements/0/transport/kind",
    ),
    "a signature it does not know": (
        {"signing": {"profile": "xmldsig"}},
        "catalogue.agreement.signing",
        "/agreements/0/signing/profile",
    ),
    "a signature among several that it does not know": (
        {"signing": {"steps": [{"profile": "none"}, {"profile": "xmldsig"}]}},
        "catalogue.agreement.signing",
        "/agreements/0/signing/steps/1/profile",
    ),
    "a parameter nobody reads": (
        {"parameters": {"sender": "WE"}},
        "catalogue.parameter.unknown",
        "/agreements/0/parameters/sender",
    ),
    "a parameter of the wrong shape": (
        {"parameters": {"sender_id": "w"}},
        "catalogue.parameter.value",
        "/agreements/0/parameters/sender_id",
    ),
}


@pytest.mark.parametrize(("more", "code", "pointer"), CASES.values(), ids=CASES.keys())
def test_what_does_not_fit_is_told_with_its_place(
    fresh: Path, load: Load, more: dict[str, object], code: str, pointer: str
) -> None:
    found = load(fresh).check_agreements(file(**more).directory())
    assert [(finding.code, finding.pointer) for finding in found] == [(code, pointer)]


def test_nothing_signed_fits_everywhere(fresh: Path, load: Load) -> None:
    assert load(fresh).check_agreements(file(signing={"profile": "none"}).directory()) == []


def test_more_signatures_than_the_manifest_has_steps_are_told(fresh: Path, load: Load) -> None:
    manifest = fresh / "adapters/xx_notice/manifest.yaml"
    said = manifest.read_text(encoding="utf-8")
    said = said.replace("steps: [encode, check]", "steps: [encode, check, sign]").replace(
        "signing: []", "signing: [xmldsig]"
    )
    manifest.write_text(said, encoding="utf-8")
    twice = {"steps": [{"profile": "xmldsig"}, {"profile": "xmldsig"}]}
    found = load(fresh).check_agreements(file(signing=twice).directory())
    assert [(one.code, one.pointer) for one in found] == [
        ("catalogue.agreement.steps", "/agreements/0/signing/steps/1/profile")
    ]


def test_a_broken_manifest_is_told_through_the_agreement_that_needs_it(fresh: Path, load: Load) -> None:
    (fresh / "adapters/xx_notice/manifest.yaml").write_text("id: xx_notice\n")
    found = load(fresh).check_agreements(file().directory())
    assert {finding.code for finding in found} == {"catalogue.manifest"}
