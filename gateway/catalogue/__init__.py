"""Finds adapters and tells what they are: sub-folders with a manifest, and entry points of the group ``gateway.adapters``.

Rule 1: declaring is registering. A folder with a manifest.yaml is an adapter; nothing else has to name it.
Rule 2: a hundred adapters cost no start-up. Loading lists names; a manifest is read, and an adapter imported, when asked for.
Rule 3: an adapter folder is imported as ``adapters.<id>``, wherever it lies. Its ADAPTER is a class that is made from an
        AdapterKit, or an adapter that needs none.
Rule 4: of two adapters of one name the one in the operator's folder counts.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from gateway.catalogue.manifest import FILE, Manifest
from gateway.catalogue.manifest import load as load_manifest
from gateway.errors import Finding, GatewayError, NeedsOperator, NotFound

if TYPE_CHECKING:
    from gateway.agreements import Directory
    from gateway.ports import Adapter, AdapterKit
    from gateway.settings import Settings
    from gateway.syntax.registry import SchemaRegistry

GROUP = "gateway.adapters"
PACKAGE = "adapters"
# Lanes ask for adapters from threads of their own; one must not see what another has imported by half.
_MAKING = threading.RLock()

V = TypeVar("V")


@dataclass(frozen=True)
class Entry:
    """One adapter as it was found. origin: ``folder`` or the entry point's value."""

    id: str
    origin: str
    locate: Callable[[], Path]
    kit: Callable[[Path], AdapterKit]

    @cached_property
    def root(self) -> Path:
        return self.locate()

    @cached_property
    def manifest(self) -> Manifest:
        """What it says of itself. NeedsOperator carries every fault of the file."""
        return load_manifest(self.root)

    @property
    def adapter(self) -> Adapter:
        """Its ADAPTER, imported and made when first asked for. NeedsOperator when the folder holds no working adapter."""
        with _MAKING:
            return self._adapter

    @cached_property
    def _adapter(self) -> Adapter:
        module = self.module()
        adapter = getattr(module, "ADAPTER", None)
        if adapter is None:
            raise _not_importable(self.id, "there is no ADAPTER in __init__.py")
        if isinstance(adapter, type):
            try:
                adapter = adapter(self.kit(self.root))
            except GatewayError:
                raise
            except Exception as problem:  # as for module()
                raise _not_importable(self.id, f"{type(problem).__name__}: {problem}") from problem
        found = getattr(adapter, "id", None)
        if found != self.id:
            raise _not_importable(self.id, f"its ADAPTER calls itself {found}")
        return cast("Adapter", adapter)

    def module(self, name: str = "") -> ModuleType:
        """Its package, or the module of that name inside it, e.g. ``mapping``."""
        try:
            with _MAKING:
                package = _import_folder(self.root) if self.origin == "folder" else importlib.import_module(self.origin)
                return importlib.import_module(f"{package.__name__}.{name}") if name else package
        except GatewayError:
            raise
        except Exception as problem:  # whatever an adapter's own code does at import is the adapter's fault
            raise _not_importable(self.id, f"{type(problem).__name__}: {problem}") from problem


class Lazy(Mapping[str, V], Generic[V]):
    """A view of the catalogue by id, whose values are made when they are asked for."""

    def __init__(self, names: Mapping[str, Entry], value: Callable[[Entry], V]) -> None:
        self._names = names
        self._value = value

    def __getitem__(self, name: str) -> V:
        return self._value(self._names[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


class Catalogue:
    """Every adapter this installation has. entries: id -> Entry; adapters: id -> Adapter, imported when asked for."""

    def __init__(self, entries: Mapping[str, Entry], specs: Path) -> None:
        self.entries = entries
        self.specs = specs
        self.adapters: Mapping[str, Adapter] = Lazy(entries, lambda entry: entry.adapter)

    @classmethod
    def load(cls, settings: Settings) -> Catalogue:
        """List what there is; reads no manifest and imports nothing."""
        kit = _Kits(settings)
        found = {point.name: _installed(point, kit) for point in entry_points(group=GROUP)}
        if settings.adapters.is_dir():
            folders = (folder for folder in settings.adapters.iterdir() if (folder / FILE).is_file())
            found |= {folder.name: Entry(folder.name, "folder", folder.absolute, kit) for folder in folders}
        return cls(dict(sorted(found.items())), settings.specs)

    def entry(self, adapter_id: str) -> Entry:
        """The adapter of that id. NotFound names those that exist."""
        try:
            return self.entries[adapter_id]
        except KeyError:
            raise unknown_adapter(adapter_id, self.entries) from None

    def usual_settings(self, adapter_id: str, transport: str) -> Mapping[str, Any]:
        """What its manifest says of a kind of transport; nothing of an adapter that is not there or not whole."""
        try:
            return self.entry(adapter_id).manifest.transport_settings.get(transport, {})
        except GatewayError:
            return {}

    @cached_property
    def registry(self) -> SchemaRegistry:
        """The schemas that this project's own element tables make, whatever official ones there are."""
        from gateway.syntax.registry import SchemaRegistry

        return SchemaRegistry(self.specs)

    def check(self, adapter_id: str) -> list[Finding]:
        """What is wrong with an adapter's folder; empty when a person may look at it."""
        from gateway.catalogue.check import check_folder

        return check_folder(self.entry(adapter_id), self.specs, self.registry)

    def check_agreements(self, directory: Directory) -> list[Finding]:
        """What agreements want of their adapters that these do not offer."""
        from gateway.catalogue.fitting import agreement_findings

        return agreement_findings(self.entries, directory)


def unknown_adapter(adapter_id: str, known: Mapping[str, Entry]) -> NotFound:
    expected = ", ".join(sorted(known)) or "none: there is no adapter in this installation"
    finding = Finding("catalogue.adapter.unknown", found=adapter_id, expected=expected)
    return NotFound(f"there is no adapter {adapter_id}", [finding], code=finding.code)


class _Kits:
    """Makes kits. The documents and schemas in them are loaded when the first adapter is made, and shared by all."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self, root: Path) -> AdapterKit:
        from gateway import documents
        from gateway.ports import AdapterKit

        return AdapterKit(documents.load(self._settings.specs, self._settings.overlay), self._schemas, root)

    @cached_property
    def _schemas(self) -> SchemaRegistry:
        from gateway.syntax.registry import SchemaRegistry

        return SchemaRegistry(self._settings.specs, self._settings.official_schemas)


def _installed(point: EntryPoint, kit: Callable[[Path], AdapterKit]) -> Entry:
    def locate() -> Path:
        spec = importlib.util.find_spec(point.module)
        if spec is None or spec.origin is None:
            raise _not_importable(point.name, f"the module {point.module} is not installed")
        return Path(spec.origin).parent

    return Entry(point.name, point.module, locate, kit)


def _import_folder(folder: Path) -> ModuleType:
    name = f"{PACKAGE}.{folder.name}"
    present = sys.modules.get(name)
    if present is not None and present.__file__ and Path(present.__file__).resolve().parent == folder.resolve():
        return present
    _ensure_package()
    source = folder / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, source, submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None or not source.is_file():
        raise _not_importable(folder.name, "there is no __init__.py")
    # Another folder of that name may have been imported before it: its modules must not answer for this one.
    for stale in [known for known in list(sys.modules) if known.startswith(f"{name}.")]:
        del sys.modules[stale]
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _ensure_package() -> None:
    try:
        importlib.import_module(PACKAGE)
    except ModuleNotFoundError:
        package = ModuleType(PACKAGE)
        package.__path__ = []
        sys.modules[PACKAGE] = package


def _not_importable(adapter_id: str, why: str) -> NeedsOperator:
    finding = Finding("catalogue.adapter.broken", found=why[:300], params={"adapter": adapter_id})
    return NeedsOperator(f"the adapter {adapter_id} cannot be used", [finding], code=finding.code)
