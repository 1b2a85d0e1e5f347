"""Who plays in the demonstration: whoever brings a demo.yaml, with no line elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway import agreements, settings
from gateway.catalogue import Catalogue
from gateway.cli.demo.scenario import Scenario
from gateway.errors import NeedsOperator

PLAYED: dict[str, Any] = {
    "partners": [{"id": "gate", "name": "A gate (simulated)", "jurisdiction": "MN"}],
    "agreements": [
        {
            "id": "gate-agreement",
            "partner": "gate",
            "documents": ["declaration"],
            "transport": {"kind": "http", "url": "http://127.0.0.1:${partner_port}/"},
        }
    ],
    "routes": [{"documents": ["declaration"], "when": {"office": ["99*"]}, "to": ["gate-agreement"]}],
    "folders": ["${home}/gate"],
    "simulator": ["--port", "${partner_port}"],
    "declarations": [{"title": "through the gate", "file": "one.json", "expect": {"declaration": "accepted"}}],
}


def catalogue_with(project_root: Path, folder: Path, name: str, played: dict[str, Any]) -> Catalogue:
    """The adapters of the project, and a new one beside them."""
    for one in (project_root / "adapters").iterdir():
        if (one / "manifest.yaml").is_file():
            (folder / one.name).symlink_to(one)
    (folder / name / "demo").mkdir(parents=True)
    (folder / name / "manifest.yaml").write_text(f"id: {name}\n", encoding="utf-8")
    (folder / name / "demo.yaml").write_text(yaml.safe_dump(played), encoding="utf-8")
    (folder / name / "demo" / "one.json").write_text(json.dumps({"remarks": "one"}), encoding="utf-8")
    return Catalogue.load(settings.load({"SWGATE_ADAPTERS": str(folder)}))


def test_a_new_adapter_plays_beside_the_others(project_root: Path, tmp_path: Path) -> None:
    adapters, home = tmp_path / "adapters", tmp_path / "home"
    adapters.mkdir()
    scenario = Scenario.load(home, catalogue_with(project_root, adapters, "zz_gate", PLAYED))
    others = Scenario.load(home)
    assert [one.adapter for one in scenario.simulators] == [*(one.adapter for one in others.simulators), "zz_gate"]
    assert [one.title for one in scenario.filings] == [*(one.title for one in others.filings), "through the gate"]
    assert scenario.filings[-1].document == {"remarks": "one"}
    (_, port) = scenario.simulators[-1].arguments
    assert port not in {word for one in scenario.simulators[:-1] for word in one.arguments}
    directory = agreements.parse(scenario.partners)
    assert directory.agreements["gate-agreement"].adapter == "zz_gate"
    assert directory.agreements["gate-agreement"].transport.settings["url"] == f"http://127.0.0.1:{port}/"
    assert ("gate-agreement",) in [route.to for route in directory.routes]
    assert f"{home}/gate" in scenario.folders


@pytest.mark.parametrize("wrong", [{"simulator": None, "sim": []}, {"colour": "red"}])
def test_a_part_that_says_too_little_or_too_much_is_refused(
    project_root: Path, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    played = {name: value for name, value in (PLAYED | wrong).items() if value is not None}
    with pytest.raises(NeedsOperator, match="zz_gate"):
        Scenario.load(tmp_path, catalogue_with(project_root, tmp_path, "zz_gate", played))


def test_nothing_of_the_core_names_an_adapter(project_root: Path) -> None:
    names = [path.parent.name for path in (project_root / "adapters").glob("*/manifest.yaml")]
    assert names
    telling = [
        f"{path.relative_to(project_root)}: {name}"
        for path in (project_root / "gateway").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        for name in names
        if name.encode() in path.read_bytes()
    ]
    assert telling == []
