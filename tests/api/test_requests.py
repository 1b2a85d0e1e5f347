"""Amendments and cancellations as a filer meets them, with the adapters that the project has."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

ADAPTERS = Path(__file__).resolve().parents[2] / "adapters"
CHINA, NEIGHBOUR = "import-copper-concentrate-ganqimaodu-road", "import-cashmere-garments-neighbour"
UNNUMBERED = {
    CHINA: "cn_declaration.rule.request_unnumbered",
    NEIGHBOUR: "wco_declaration.request.unnumbered",
}
MASS = "/total_gross_mass/value"
NUMBERS = itertools.count(1)


def declaration(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(next(ADAPTERS.glob(f"*/demo/{name}.json")).read_text(encoding="utf-8"))
    return document | {"functional_reference_id": f"REQ-{next(NUMBERS)}"}


def filed(customs: Any, name: str) -> str:
    answer = customs.api.post("/v1/declarations", declaration(name))
    assert answer.status == 202, answer.data
    return f"/v1/declarations/{answer.json['id']}"


def findings(answer: Any) -> list[tuple[str, str]]:
    return [(one["code"], one["pointer"]) for one in answer.json["findings"]]


@pytest.mark.parametrize("name", UNNUMBERED)
@pytest.mark.parametrize("kind", ["amendments", "cancellation"])
def test_before_customs_has_numbered_it_that_is_all_that_is_said(customs: Any, name: str, kind: str) -> None:
    document: dict[str, Any] = {"declaration": {}, "reason_code": "32", "reason_text": "reweighed"}
    if kind == "amendments":
        document["changes"] = [{"pointer": MASS, "reason_code": "32"}]
        document.pop("reason_code")
    if name == CHINA:
        document.pop("reason_code", None)
        for change in document.get("changes", ()):
            change |= {"field_code": "GrossWet", "new_value": "61180"}
            del change["reason_code"]
    answer = customs.api.post(f"{filed(customs, name)}/{kind}", document)
    assert (answer.status, findings(answer)) == (422, [(UNNUMBERED[name], "/declaration/id")])
    assert "not numbered it yet" in answer.json["findings"][0]["text"]


def amended(customs: Any, *changes: dict[str, str]) -> Any:
    document = {"declaration": {"id": "070820261000104417"}, "reason_text": "复磅", "changes": list(changes)}
    return customs.api.post(f"{filed(customs, CHINA)}/amendments?dry_run=true", document)


def test_a_field_code_that_the_partner_does_not_know_is_refused_with_the_nearest(customs: Any) -> None:
    answer = amended(customs, {"field_code": "GrossWeight", "old_value": "61240", "new_value": "61180"})
    assert (answer.status, findings(answer)) == (
        422,
        [("cn_declaration.rule.change_field", "/changes/0/field_code")],
    )
    (found,) = answer.json["findings"]
    assert (found["found"], found["expected"].split(", ")[0]) == ("GrossWeight", "GrossWet")


def test_an_old_value_that_was_not_declared_is_refused_with_the_one_that_was(customs: Any) -> None:
    answer = amended(customs, {"pointer": MASS, "old_value": "61000", "new_value": "61180"})
    assert (answer.status, findings(answer)) == (422, [("amendment.old_value", "/changes/0/old_value")])
    assert answer.json["findings"][0]["expected"] == declaration(CHINA)["total_gross_mass"]["value"]
    same = declaration(CHINA)["total_gross_mass"]["value"] + ".000"
    assert amended(customs, {"pointer": MASS, "old_value": same, "new_value": "61180"}).status == 200
