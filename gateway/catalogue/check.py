"""The machine's look at an adapter folder, before a person's: is everything there, and does it fit together?

It runs no message; that is what the contract suite (gateway.testing.contract) does. Everything that is wrong is found in
one go: a fault that hides others, such as a manifest that cannot be read, only skips what depends on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml

from gateway.catalogue import quality, source
from gateway.catalogue.manifest import FILE, Manifest
from gateway.errors import Finding, GatewayError

if TYPE_CHECKING:
    from gateway.catalogue import Entry
    from gateway.mapping import Mapping as MessageMapping
    from gateway.syntax.registry import SchemaRegistry

NEEDED = (FILE, "__init__.py", "mapping.py", "quality.yaml", "README.md", "samples", "samples/SOURCES.md")
# These may be missing where the checklist exempts the rule of that name.
NEEDED_UNLESS_EXEMPT = {"simulator.py": "simulator", "rules.py": "rules", "receipts.py": "receipts"}
README_LINES = range(5, 46)  # half a page
BAG = "bag.json"
BESIDE_SAMPLES = {".json", ".md", ".yaml"}


def check_folder(entry: Entry, specs: Path, registry: SchemaRegistry) -> list[Finding]:
    """Every fault of the folder; specs is where element tables and finding texts are."""
    try:
        _ = entry.root
    except GatewayError as problem:
        return list(problem.findings)
    found = list(_file_findings(entry))
    found += quality.findings(entry.root)
    found += _readme_findings(entry)
    found += _sample_findings(entry)
    found += source.findings(entry.id, entry.root, specs)
    try:
        manifest = entry.manifest
    except GatewayError as problem:
        return [*problem.findings, *found]
    found += _table_findings(manifest, registry)
    found += _code_findings(entry, manifest, specs)
    return found


def samples_of(root: Path) -> list[Path]:
    """The partner messages of samples/, by name; the document each stands for lies beside it as .json."""
    folder = root / "samples"
    if not folder.is_dir():
        return []
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return sorted(path for path in files if path.suffix not in BESIDE_SAMPLES)


def expected_beside(sample: Path) -> Path:
    return sample.with_suffix(".json")


def mappings_of(entry: Entry) -> dict[str, MessageMapping]:
    """The mappings of an adapter: its ``mappings``, name -> Mapping, where it has that.

    Else every one that can be reached from its attributes and its mapping module, named after message and document kind:
    an adapter need not register what it uses.
    """
    adapter = entry.adapter
    named = getattr(adapter, "mappings", None)
    if named is not None:
        return dict(named)
    found: dict[str, MessageMapping] = {}
    for mapping in _reachable([_members(adapter), vars(entry.module("mapping"))]):
        name = f"{mapping.table.name}-{mapping.document}"
        same = sum(1 for known in found if known == name or known.startswith(f"{name}-"))
        found[f"{name}-{same + 1}" if same else name] = mapping
    return found


def _reachable(roots: Iterable[Any]) -> Iterator[MessageMapping]:
    from gateway.mapping import Mapping as Table

    seen: set[int] = set()
    waiting = list(roots)
    while waiting:
        value = waiting.pop(0)
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Table):
            yield value
        elif isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value
        elif type(value).__module__.startswith(("adapters.", "gateway.mapping.family")):
            waiting += _members(value).values()


def _members(value: Any) -> dict[str, Any]:
    slots = getattr(type(value), "__slots__", ())
    return {name: getattr(value, name, None) for name in slots} | getattr(value, "__dict__", {})


def document_leaves(specs: Path) -> dict[str, tuple[str, ...]]:
    """Canonical kind -> its leaf paths as mappings name them. NeedsOperator when the specs themselves are broken."""
    from gateway.documents import library

    documents = library.load(specs)
    return {kind: tuple(documents.leaves(kind)) for kind in documents.kinds()}


def _file_findings(entry: Entry) -> Iterator[Finding]:
    checklist = quality.read(entry.root)
    needed = [*NEEDED, *(file for file, rule in NEEDED_UNLESS_EXEMPT.items() if not quality.exemption(checklist, rule))]
    for name in needed:
        if not (entry.root / name).exists():
            yield _finding(entry.id, "catalogue.file.missing", name)


def _readme_findings(entry: Entry) -> Iterator[Finding]:
    path = entry.root / "README.md"
    if path.is_file():
        lines = sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
        if lines not in README_LINES:
            expected = f"{README_LINES.start} to {README_LINES.stop - 1} lines"
            yield _finding(entry.id, "catalogue.readme", "README.md", found=f"{lines} lines", expected=expected)


def _sample_findings(entry: Entry) -> Iterator[Finding]:
    samples = samples_of(entry.root)
    if not samples:
        yield _finding(entry.id, "catalogue.sample.none", "samples")
    sources = entry.root / "samples" / "SOURCES.md"
    told = sources.read_text(encoding="utf-8") if sources.is_file() else None
    for sample in samples:
        place = sample.relative_to(entry.root).as_posix()
        if not expected_beside(sample).is_file():
            yield _finding(entry.id, "catalogue.sample.expected", place, expected=expected_beside(sample).name)
        if told is not None and sample.name not in told and sample.stem not in told:
            yield _finding(entry.id, "catalogue.sample.source", place, expected=sample.name)


def _table_findings(manifest: Manifest, registry: SchemaRegistry) -> Iterator[Finding]:
    from lxml import etree

    for index, message in enumerate(manifest.messages):
        path = PurePosixPath(message.schema)
        try:
            schema = registry.schema(path.parent.name, message.version, path.stem)
            schema.accepts(etree.Element(schema.table.root.tag))  # compiles it
        except (GatewayError, OSError, ValueError, KeyError, yaml.YAMLError) as problem:
            params = {"adapter": manifest.id, "table": message.schema}
            yield Finding("catalogue.table", f"/messages/{index}/schema", str(problem)[:200], params=params)


def _code_findings(entry: Entry, manifest: Manifest, specs: Path) -> Iterator[Finding]:
    """Importing it, its ADAPTER, its mappings against documents and tables, and kinds that are no documents of ours."""
    try:
        adapter = entry.adapter
        missing = [name for name in ("check", "encode", "decode", "replies", "aliases") if not hasattr(adapter, name)]
        for name in missing:
            yield _finding(entry.id, "catalogue.adapter.broken", "__init__.py", found=f"ADAPTER has no {name}")
        mappings = mappings_of(entry)
        leaves = document_leaves(specs)
    except GatewayError as problem:
        yield from problem.findings
        return
    if not mappings:
        yield _finding(entry.id, "catalogue.mapping.none", "mapping.py")
    for name, mapping in mappings.items():
        if mapping.document not in (*manifest.files, *manifest.understands):
            yield _finding(entry.id, "catalogue.mapping.kind", f"mapping.{name}", found=mapping.document)
        if mapping.document in leaves:
            yield from mapping.check(leaves[mapping.document])
        else:
            expected = ", ".join(sorted(leaves))
            yield _finding(entry.id, "catalogue.document", f"mapping.{name}", found=mapping.document, expected=expected)
    yield from _bag_findings(entry, mappings.values())


def _bag_findings(entry: Entry, mappings: Iterable[MessageMapping]) -> Iterator[Finding]:
    """Leaves without a canonical home need the bag's own schema: named elements that the adapter knows."""
    if any(_uses_bag(mapping.rows) for mapping in mappings):
        try:
            json.loads((entry.root / BAG).read_bytes())
        except OSError:
            yield _finding(entry.id, "catalogue.file.missing", BAG)
        except ValueError as problem:
            yield _finding(entry.id, "catalogue.bag", BAG, found=str(problem))


def _uses_bag(rows: Iterable[Any]) -> bool:
    for row in rows:
        inner = [part for _, part in row.cases] if hasattr(row, "cases") else [getattr(row, "rows", ())]
        if getattr(row, "bag", False) or any(_uses_bag(part) for part in inner):
            return True
    return False


def _finding(
    adapter_id: str, code: str, place: str, *, found: str | None = None, expected: str | None = None
) -> Finding:
    return Finding(code, found=found, expected=expected, partner_place=place, params={"adapter": adapter_id})
