"""An office that nobody named does not quietly send a declaration to whoever takes the rest."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

ADAPTERS = Path(__file__).resolve().parents[2] / "adapters"
CHINA, NEIGHBOUR = "import-copper-concentrate-ganqimaodu-road", "import-cashmere-garments-neighbour"
NUMBERS = itertools.count(1)
PLACE = "/declaration_office/id"


def tried(api: Any, name: str, office: str | None) -> Any:
    document: dict[str, Any] = json.loads(next(ADAPTERS.glob(f"*/demo/{name}.json")).read_text(encoding="utf-8"))
    document["functional_reference_id"] = f"OFF-{next(NUMBERS)}"
    if office is not None:
        document["declaration_office"] = {"id": office}
    return api.post("/v1/declarations?dry_run=true", document)


@pytest.mark.parametrize(("office", "near"), [("O708", "0708"), ("1708", "0708"), ("9999", "06*, 07*, ")])
def test_an_office_that_no_route_takes_is_refused_with_candidates(customs: Any, office: str, near: str) -> None:
    answer = tried(customs.api, CHINA, office)
    assert (answer.status, answer.json["code"]) == (422, "route.none")
    (found,) = answer.json["findings"]
    assert (found["code"], found["pointer"], found["found"]) == ("route.office", PLACE, office)
    assert near in found["expected"]


@pytest.mark.parametrize("office", [None, "GB000060", "MNZAU01"])
def test_offices_of_a_neighbour_that_its_route_names_go_there(customs: Any, office: str | None) -> None:
    answer = tried(customs.api, NEIGHBOUR, office)
    assert (answer.status, [one["agreement"] for one in answer.json["messages"]]) == (200, ["neighbour"])
    assert answer.json["warnings"] == []


@pytest.mark.parametrize("office", ["9999", "0101"])
def test_what_goes_to_whoever_takes_the_rest_goes_with_a_warning(customs: Any, office: str) -> None:
    """0101 is an office of China, which is not where it goes."""
    answer = tried(customs.other, NEIGHBOUR, office)
    assert (answer.status, [one["agreement"] for one in answer.json["messages"]]) == (200, ["neighbour"])
    (found,) = answer.json["warnings"]
    assert (found["code"], found["pointer"], found["found"]) == ("route.office_unknown", PLACE, office)
    assert "neighbour" in found["text"]
