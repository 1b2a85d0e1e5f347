"""The adapter as the catalogue makes it, its catalogue entry, and contexts to file with."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.cn_declaration import CnDeclaration
from gateway.catalogue import offline
from gateway.catalogue.manifest import Manifest, load
from gateway.documents import Documents, library
from gateway.lifecycle import Phase
from gateway.ports import AdapterKit, EncodeContext
from gateway.syntax.registry import SchemaRegistry

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "adapters" / "cn_declaration"
SAMPLES = sorted((FOLDER / "samples").glob("*.xml"))

Filing = Callable[..., EncodeContext]


@pytest.fixture(scope="session")
def documents() -> Documents:
    return library.load(ROOT / "specs")


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return load(FOLDER)


@pytest.fixture(scope="session")
def adapter(documents: Documents) -> CnDeclaration:
    return CnDeclaration(AdapterKit(documents, SchemaRegistry(ROOT / "specs"), FOLDER))


@pytest.fixture(scope="session")
def filing(manifest: Manifest) -> Filing:
    """A context for filing: parameters of the agreement, phase, round, known numbers."""

    def made(
        kind: str = "declaration",
        phase: Phase = Phase.SINGLE,
        round: int = 1,
        known: dict[str, str] | None = None,
        **parameters: Any,
    ) -> EncodeContext:
        context = offline.context(manifest, kind=kind, parameters=parameters, phase=phase)
        numbers = itertools.count(1)
        return replace(context, kind=kind, round=round, known=known or {}, reserve=lambda name: next(numbers))

    return made
