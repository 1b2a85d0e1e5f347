"""Finding adapters: lazily, wherever they lie, and what the machine says of a folder."""

import importlib.metadata
import shutil
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.catalogue import Catalogue
from gateway.errors import NeedsOperator, NotFound

Load = Callable[[Path], Catalogue]
ID = "xx_notice"


def codes(catalogue: Catalogue) -> set[str]:
    return {finding.code for finding in catalogue.check(ID)}


def test_a_new_adapter_passes_the_check(fresh: Path, load: Load) -> None:
    assert load(fresh).check(ID) == []


def test_declaring_is_registering(fresh: Path, load: Load) -> None:
    assert list(load(fresh).adapters) == [ID]
    assert load(fresh).adapters[ID].id == ID


def test_loading_imports_nothing_and_reads_no_manifest(fresh: Path, load: Load) -> None:
    sys.modules.pop(f"adapters.{ID}", None)
    (fresh / f"adapters/{ID}/manifest.yaml").write_text("broken: [")
    catalogue = load(fresh)
    assert ID in catalogue.adapters
    assert len(catalogue.adapters) == 1
    assert f"adapters.{ID}" not in sys.modules
    with pytest.raises(NeedsOperator):
        _ = catalogue.entries[ID].manifest


def test_threads_that_ask_at_once_get_the_same_adapter(fresh: Path, load: Load) -> None:
    for name in [known for known in sys.modules if known.startswith(f"adapters.{ID}")]:
        del sys.modules[name]
    entry = load(fresh).entries[ID]
    together = threading.Barrier(8)

    def ask(_: int) -> object:
        together.wait()
        return entry.adapter

    with ThreadPoolExecutor(8) as pool:
        assert len(set(map(id, pool.map(ask, range(8))))) == 1


def test_a_folder_without_manifest_is_no_adapter(fresh: Path, load: Load) -> None:
    (fresh / "adapters/notes").mkdir()
    assert list(load(fresh).entries) == [ID]


def test_two_folders_of_one_name_do_not_mix(fresh: Path, load: Load, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "project"
    shutil.copytree(fresh, other, symlinks=True)
    path = other / f"adapters/{ID}/mapping.py"
    path.write_text(path.read_text() + "\nMARK = 'other'\n")
    assert not hasattr(load(fresh).entries[ID].module("mapping"), "MARK")
    assert hasattr(load(other).entries[ID].module("mapping"), "MARK")
    assert not hasattr(load(fresh).entries[ID].module("mapping"), "MARK")


def test_an_unknown_adapter_is_named_with_the_known_ones(fresh: Path, load: Load) -> None:
    with pytest.raises(NotFound) as refused:
        load(fresh).entry("nobody")
    assert refused.value.findings[0].expected == ID


def test_an_adapter_that_cannot_be_imported_is_a_finding(fresh: Path, load: Load) -> None:
    (fresh / f"adapters/{ID}/__init__.py").write_text("raise RuntimeError('no')\n")
    catalogue = load(fresh)
    with pytest.raises(NeedsOperator):
        _ = catalogue.adapters[ID]
    assert "catalogue.adapter.broken" in codes(catalogue)
    assert f"adapters.{ID}" not in sys.modules


def test_installed_adapters_are_found_by_entry_point(fresh: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    point = importlib.metadata.EntryPoint("far_notice", "far_notice_package", "gateway.adapters")

    def installed(*, group: str) -> Iterable[importlib.metadata.EntryPoint]:
        return [point] if group == "gateway.adapters" else []

    monkeypatch.setattr("gateway.catalogue.entry_points", installed)
    catalogue = load(fresh)
    assert list(catalogue.entries) == ["far_notice", ID]
    assert {finding.code for finding in catalogue.check("far_notice")} == {"catalogue.adapter.broken"}


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def rewrite(name: str, old: str, new: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        path = folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return act


def shorten(folder: Path) -> None:
    (folder / "README.md").write_text("# One line\n")


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "no simulator and no exemption": (remove("simulator.py"), "catalogue.file.missing"),
    "no sources of samples": (remove("samples/SOURCES.md"), "catalogue.file.missing"),
    "a sample without its document": (remove("samples/notice.json"), "catalogue.sample.expected"),
    "a sample that SOURCES.md does not name": (
        rewrite("samples/SOURCES.md", "notice.xml", "x"),
        "catalogue.sample.source",
    ),
    "a rule without an answer": (rewrite("quality.yaml", "codes: to do\n", ""), "catalogue.quality.silent"),
    "an exemption without a reason": (
        rewrite("quality.yaml", "codes: to do", "codes: {exempt: no}"),
        "catalogue.quality.answer",
    ),
    "a README of one line": (shorten, "catalogue.readme"),
    "a finding without words": (rewrite("findings.yaml", "zh:", "mn:"), "catalogue.texts"),
    "a socket": (rewrite("rules.py", "from gateway.ports", "import socket\nfrom gateway.ports"), "catalogue.import"),
    "a room that is not for adapters": (
        rewrite("rules.py", "from gateway.ports", "from gateway.storage import open_store\nfrom gateway.ports"),
        "catalogue.import",
    ),
    "a canonical path that is not there": (
        rewrite("mapping.py", '"commodity.description"', '"commodity.beauty"'),
        "mapping.table",
    ),
    "an element that is not in the table": (rewrite("mapping.py", '"Office"', '"Bureau"'), "mapping.table"),
    "a table that is not there": (rewrite("manifest.yaml", "notice.csv", "nothing.csv"), "catalogue.table"),
    "a kind that the manifest does not name": (
        rewrite("manifest.yaml", "files: [declaration]", "files: [goods_presentation]"),
        "catalogue.mapping.kind",
    ),
    "source that does not parse": (
        rewrite("rules.py", "def goods_are_numbered", "def def check"),
        "catalogue.adapter.broken",
    ),
}


@pytest.mark.parametrize(("break_it", "code"), FAULTS.values(), ids=FAULTS.keys())
def test_the_check_finds(fresh: Path, load: Load, break_it: Callable[[Path], None], code: str) -> None:
    break_it(fresh / "adapters" / ID)
    assert code in codes(load(fresh))


def test_a_simulator_may_be_exempt_with_a_reason(fresh: Path, load: Load) -> None:
    folder = fresh / "adapters" / ID
    (folder / "simulator.py").unlink()
    rewrite("quality.yaml", "simulator: done", "simulator: {exempt: the partner only ever sends}")(folder)
    assert load(fresh).check(ID) == []
