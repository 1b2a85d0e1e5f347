"""The layers hold, and what proves it would notice: every contract of setup.cfg fails on an import that breaks it.

The violations are planted in a skeleton: every module of gateway and adapters as an empty file, in a folder of its own, judged by the
contracts of the real setup.cfg. They are derived from the contracts, so that a further contract is proven without an edit here.
"""

from __future__ import annotations

import ast
import configparser
import fnmatch
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.catalogue.source import OUTSIDE_WORLD, ROOMS, SIMULATOR, SIMULATOR_ROOMS
from gateway.catalogue.source import imported as imports_of
from gateway.settings import PROJECT_ROOT

ROOTS = ("gateway", "adapters")
CONTRACT = "importlinter:contract:"
OUTSIDE_CALLS = {"open", "exec", "eval", "__import__"}


def config() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(PROJECT_ROOT / "setup.cfg", encoding="utf-8")
    return parser


def contracts() -> dict[str, configparser.SectionProxy]:
    parser = config()
    return {name.removeprefix(CONTRACT): parser[name] for name in parser.sections() if name.startswith(CONTRACT)}


def lines(section: configparser.SectionProxy, option: str) -> list[str]:
    return [line.strip() for line in section.get(option, "").splitlines() if line.strip()]


def modules(root: Path) -> list[str]:
    """Every module of gateway and adapters, as a dotted name."""
    found = []
    for path in sorted(file for top in ROOTS for file in (root / top).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", "setup.cfg"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def verdicts(told: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Name of the contract -> KEPT or BROKEN."""
    found = re.findall(r"^(.+?) (KEPT|BROKEN)(?: \(.*\))?$", told.stdout, re.MULTILINE)
    assert found, told.stdout + told.stderr
    return dict(found)


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """The tree without any import, under the real contracts."""
    for top in ROOTS:
        for path in (PROJECT_ROOT / top).rglob("*.py"):
            copy = tmp_path / path.relative_to(PROJECT_ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.touch()
    parser = config()
    for name in parser.sections():
        if not name.startswith("importlinter"):
            parser.remove_section(name)
    with (tmp_path / "setup.cfg").open("w", encoding="utf-8") as file:
        parser.write(file)
    return tmp_path


def plant(skeleton: Path, importer: str, imported: str) -> None:
    """Let a module import another; a package gets the line in its __init__ where it has one, else in a module of its own."""
    place = skeleton.joinpath(*importer.split("."))
    if place.is_dir():
        file = place / "__init__.py" if (place / "__init__.py").exists() else place / "planted.py"
    else:
        file = place.with_suffix(".py")
    with file.open("a", encoding="utf-8") as text:
        text.write(f"import {imported}\n")


def violation(contract: configparser.SectionProxy) -> tuple[str, str]:
    """An import that the contract forbids: (importer, imported)."""
    kind = contract["type"]
    if kind == "layers":
        levels = [re.split(r"\s*[|:]\s*", line) for line in lines(contract, "layers")]
        prefix = f"{lines(contract, 'containers')[0]}." if "containers" in contract else ""
        return prefix + levels[-1][0], prefix + levels[0][0]
    if kind == "independence":
        first, second, *_ = expanded(lines(contract, "modules"))
        return first, second
    assert kind in ("forbidden", "protected"), f"say here how a contract of type {kind} is broken"
    if kind == "protected":
        (protected, *_), allowed = (
            expanded(lines(contract, "protected_modules")),
            expanded(lines(contract, "allowed_importers")),
        )
        inside = (*allowed, protected)
        return next(name for name in modules(PROJECT_ROOT) if not below(name, inside)), protected
    ignored = [line.split("->")[0].strip() for line in lines(contract, "ignore_imports")]
    sources = expanded(lines(contract, "source_modules"))
    source = next(name for name in sources if not any(matches(name, pattern) for pattern in ignored))
    return source, expanded(lines(contract, "forbidden_modules"))[0]


def expanded(patterns: list[str]) -> list[str]:
    """Modules that patterns name: * is one step, ** any number; a plain name stands for itself."""
    known = modules(PROJECT_ROOT)
    found = []
    for pattern in patterns:
        found += [name for name in known if matches(name, pattern)] if "*" in pattern else [pattern]
    return found


def matches(name: str, pattern: str) -> bool:
    steps, wanted = name.split("."), pattern.split(".")
    if "**" in wanted:
        return fnmatch.fnmatch(name, pattern.replace("**", "*"))
    return len(steps) == len(wanted) and all(map(fnmatch.fnmatch, steps, wanted))


def below(name: str, roots: tuple[str, ...]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def test_every_contract_is_kept_by_the_tree_as_it_is() -> None:
    told = lint(PROJECT_ROOT)
    assert told.returncode == 0, told.stdout + told.stderr
    assert verdicts(told) == {contract["name"]: "KEPT" for contract in contracts().values()}


def test_the_skeleton_itself_breaks_nothing(skeleton: Path) -> None:
    told = lint(skeleton)
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("name", contracts())
def test_each_contract_fails_on_a_planted_violation(skeleton: Path, name: str) -> None:
    contract = contracts()[name]
    importer, imported = violation(contract)
    plant(skeleton, importer, imported)
    told = lint(skeleton)
    assert told.returncode == 1, told.stdout + told.stderr
    assert verdicts(told)[contract["name"]] == "BROKEN"
    assert importer in told.stdout


def test_no_layer_may_look_at_the_one_above_it(skeleton: Path) -> None:
    layers = lines(contracts()["layers"], "layers")
    steps = [
        (f"gateway.{lower}", f"gateway.{re.split(r' *[|] *', upper)[0]}")
        for upper, line in pairwise(layers)
        for lower in re.split(r" *\| *", line)
    ]
    for importer, imported in steps:
        plant(skeleton, importer, imported)
    told = lint(skeleton)
    assert told.returncode == 1
    for importer, imported in steps:
        assert re.search(rf"{re.escape(importer)}\S* -> {re.escape(imported)}", told.stdout), (importer, imported)


def test_rooms_beside_each_other_may_not_look_at_each_other(skeleton: Path) -> None:
    rooms = lines(contracts()["rooms"], "modules")
    pairs = [(one, other) for one in rooms for other in rooms if one != other]
    for importer, imported in pairs:
        plant(skeleton, importer, imported)
    told = lint(skeleton)
    for importer, imported in pairs:
        assert re.search(rf"{re.escape(importer)}\S* -> {re.escape(imported)}", told.stdout), (importer, imported)


def test_a_new_module_must_be_given_a_place_first(skeleton: Path) -> None:
    (skeleton / "gateway" / "homeless.py").touch()
    told = lint(skeleton)
    assert told.returncode == 1
    assert "homeless" in told.stdout


def test_only_a_simulator_may_use_the_test_kit(skeleton: Path) -> None:
    adapter = next(name for name in modules(PROJECT_ROOT) if re.fullmatch(r"adapters\.\w+", name))
    plant(skeleton, f"{adapter}.simulator", "gateway.testing.partners")
    assert set(verdicts(lint(skeleton)).values()) == {"KEPT"}
    plant(skeleton, f"{adapter}.mapping", "gateway.testing.partners")
    assert "BROKEN" in verdicts(lint(skeleton)).values()


def test_adapters_are_kept_from_every_room_that_is_not_theirs(skeleton: Path) -> None:
    """The contracts and the check of an adapter's folder name the same rooms."""
    rooms = {name.split(".")[1] for name in modules(PROJECT_ROOT) if name.startswith("gateway.")}
    adapter = next(name for name in modules(PROJECT_ROOT) if re.fullmatch(r"adapters\.\w+", name))
    for room in sorted(rooms - {*SIMULATOR_ROOMS}):
        plant(skeleton, f"{adapter}.simulator", f"gateway.{room}")
    for room in SIMULATOR_ROOMS:
        plant(skeleton, f"{adapter}.rules", f"gateway.{room}")
    told = lint(skeleton).stdout
    named = set(re.findall(rf"{re.escape(adapter)}\S* -> gateway\.(\w+)", told))
    assert named == rooms - {*ROOMS}


# Adapters, by their source: no contract can speak of what a module of the standard library does.

ADAPTER_FILES = sorted((PROJECT_ROOT / "adapters").glob("*/**/*.py"))


@pytest.mark.parametrize("path", ADAPTER_FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_an_adapter_sees_only_the_rooms_that_it_may_and_nothing_of_the_world(path: Path) -> None:
    adapter = path.relative_to(PROJECT_ROOT / "adapters").parts[0]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plays = path.stem == SIMULATOR
    for name in imports_of(tree, f"adapters.{adapter}"):
        first, _, rest = name.partition(".")
        room = rest.partition(".")[0]
        assert first != "gateway" or room in (SIMULATOR_ROOMS if plays else ROOMS), name
        assert first != "adapters" or room == adapter, name
        assert plays or first not in OUTSIDE_WORLD, name
        assert plays or not name.endswith(f".{SIMULATOR}"), "the adapter does not know who plays its partner"
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert plays or not called & OUTSIDE_CALLS


def test_no_module_of_the_core_names_an_adapter() -> None:
    ids = [path.parent.name for path in (PROJECT_ROOT / "adapters").glob("*/manifest.yaml")]
    assert ids
    named = [
        f"{path.relative_to(PROJECT_ROOT)}: {adapter}"
        for path in sorted((PROJECT_ROOT / "gateway").rglob("*.py"))
        for adapter in ids
        if adapter in path.read_text(encoding="utf-8")
    ]
    assert named == []
