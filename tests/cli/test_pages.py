"""The generated pages: complete, the same every time, and current in docs/generated where that is there."""

from pathlib import Path

import pytest

from gateway import settings
from gateway.catalogue import Catalogue
from gateway.cli import pages
from gateway.documents import RULES
from gateway.lifecycle import STATES
from gateway.settings import SETTINGS
from tests.cli.conftest import ADAPTER, Swgate


@pytest.fixture(scope="module")
def written(made: Path) -> dict[str, str]:
    environment = {"SWGATE_ADAPTERS": str(made / "adapters"), "SWGATE_SPECS": str(made / "specs")}
    chosen = settings.load(environment)
    return pages.all_pages(chosen, Catalogue.load(chosen))


def test_every_state_and_setting_has_its_line(written: dict[str, str]) -> None:
    assert all(f"| {name} |" in written["lifecycle.md"] for _, name in STATES)
    assert all(f"`{row.env}`" in written["settings.md"] for row in SETTINGS)


def test_every_numbered_rule_has_its_line(written: dict[str, str]) -> None:
    lines = written["rules.md"].splitlines()
    for number in (*RULES, f"{ADAPTER}-001"):
        (line,) = [line for line in lines if line.startswith(f"| {number} | ")]
        assert line.count("|") == 9
        assert "—" not in line


def test_an_adapter_has_pages_for_tables_mappings_and_losses(written: dict[str, str]) -> None:
    assert "| `Notice/Goods/Description` |" in written[f"{ADAPTER}/notice.md"]
    mapping = written[f"{ADAPTER}/mapping-notice-declaration.md"]
    assert (
        "| `Notice/Goods/Description` | `goods_shipment.government_agency_goods_items[].commodity.description` |"
        in mapping
    )
    losses = written[f"{ADAPTER}/loss-notice-declaration.md"]
    assert (
        losses.index("## Lost")
        < losses.index("| `regime` |")
        < losses.index("## Carried")
        < losses.index("| `direction` |")
    )


def test_pages_name_no_folder_of_this_machine(written: dict[str, str], made: Path, project_root: Path) -> None:
    assert not [name for name, text in written.items() if str(made) in text or str(project_root) in text]


def test_docs_writes_what_changed_and_removes_what_nothing_makes(swgate: Swgate, tmp_path: Path) -> None:
    folder = tmp_path / "generated"
    assert swgate("adapters", "docs", "--to", folder, "--check").code == 1
    assert swgate("adapters", "docs", "--to", folder).code == 0
    assert swgate("adapters", "docs", "--to", folder, "--check").code == 0
    (folder / "old.md").write_text("old")
    (folder / "settings.md").write_text("edited")
    assert swgate("adapters", "docs", "--to", folder, "--check").out.count("not current") == 2
    assert swgate("adapters", "docs", "--to", folder).code == 0
    assert swgate("adapters", "docs", "--to", folder, "--check").code == 0


def test_the_pages_of_this_project_can_all_be_made() -> None:
    chosen = settings.load({})
    made = pages.all_pages(chosen, Catalogue.load(chosen))
    assert {"lifecycle.md", "settings.md", "findings.md", "adapters.md"} <= {str(name) for name in made}
    assert all("# " in text[:200] for text in made.values())
