"""The generated pages of the documentation: what tables, manifests and mappings say already, laid out for people.

Nobody edits them: `swgate adapters docs` writes them, and a test compares them with what would be written now.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.shell import EXIT_REFUSED, Shell

if TYPE_CHECKING:
    from gateway.catalogue import Catalogue, Entry
    from gateway.documents.rules import Book
    from gateway.mapping import Mapping
    from gateway.mapping.loss import LossRow
    from gateway.settings import Settings
    from gateway.syntax.registry import SchemaRegistry

DEFAULT_FOLDER = "docs/generated"
NOTE = "<!-- Written by `swgate adapters docs`; do not edit. -->"


@click.command()
@click.option(
    "--to",
    "folder",
    default=DEFAULT_FOLDER,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the pages.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when a page is not current.")
@click.pass_obj
def docs(shell: Shell, folder: Path, check: bool) -> int:
    """Write the generated pages: lifecycle, settings, commands, findings, and per adapter its tables, mappings and losses."""
    pages = all_pages(shell.settings, shell.catalogue)
    if check:
        stale = stale_pages(folder, pages)
        for name in stale:
            click.echo(f"not current: {folder / name}")
        return EXIT_REFUSED if stale else 0
    write_pages(folder, pages)
    click.echo(f"{len(pages)} pages in {folder}")
    return 0


def all_pages(settings: Settings, catalogue: Catalogue) -> dict[str, str]:
    """File name -> Markdown, for everything that is generated."""
    from gateway.cli.command_pages import commands_page
    from gateway.cli.finding_pages import finding_pages

    of_adapters: dict[str, str] = {}
    for entry in catalogue.entries.values():
        of_adapters |= adapter_pages(entry, settings.specs, catalogue.registry)
    return {
        "lifecycle.md": lifecycle_page(),
        "settings.md": settings_page(),
        "commands.md": commands_page(),
        "rules.md": rules_page(settings, catalogue),
        "manifest.md": manifest_page(),
        "adapters.md": adapters_page(catalogue.entries.values(), sorted(of_adapters)),
        **finding_pages(settings.specs.parent, settings.overlay),
        **of_adapters,
    }


def stale_pages(folder: Path, pages: dict[str, str]) -> list[str]:
    """Pages that are missing, differ, or are there without a reason."""
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.md")} if folder.is_dir() else {}
    differing = {name for name, text in pages.items() if name not in there or there[name].read_text("utf-8") != text}
    return sorted(differing | (there.keys() - pages.keys()))


def write_pages(folder: Path, pages: dict[str, str]) -> None:
    """Write what changed and remove generated pages that nothing makes any more."""
    for name in stale_pages(folder, pages):
        path = folder / name
        if name in pages:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(pages[name], encoding="utf-8")
        else:
            path.unlink()


def lifecycle_page() -> str:
    from gateway import lifecycle

    moves = [(status, step, to) for status, row in lifecycle.MOVES.items() for step, to in row.items()]
    states = [
        (
            state.track,
            str(state.rank),
            state.name,
            state.en,
            state.zh,
            state.mover,
            _duration(state.silent_after_s),
            " ".join(word for word, holds in (("ends the round", state.ends_round), ("final", state.final)) if holds),
        )
        for state in lifecycle.STATES.values()
    ]
    functions = [
        (name, *((target[0], target[1]) if target else ("", "")), lifecycle.REQUESTS.get(name, ""))
        for name, target in lifecycle.FUNCTIONS.items()
    ]
    until_judged = list(lifecycle.MOVER_UNTIL_JUDGED.items())
    return _page(
        "Lifecycle",
        "## A message on the wire",
        _table(("status", "step", "becomes"), moves),
        "Whose move it is as long as nobody has judged the document. One that is held back for another document waits for the "
        "declarant; one that is unknown, for the operator where asking was in vain.",
        _table(("status", "who moves next"), until_judged),
        "## A document in the eyes of those who judge it",
        "Within one round and track the highest rank wins; of equal ranks the one issued last.",
        _table(("track", "rank", "state", "en", "zh", "who moves next", "silent after", ""), states),
        "## What an answer does",
        _table(("function", "track", "state", "state of a request"), functions),
    )


def settings_page() -> str:
    from gateway.settings import PROJECT_ROOT, SETTINGS

    rows = [
        (f"`{row.env}`", row.default.replace(str(PROJECT_ROOT), "(project)") or "(empty)", row.en) for row in SETTINGS
    ]
    return _page("Settings", "Read once from the environment.", _table(("name", "default", "what it is for"), rows))


def rules_page(settings: Settings, catalogue: Catalogue) -> str:
    """Every numbered rule, ours and each adapter's, as it stands with the operator's own files."""
    from gateway import documents, texts
    from gateway.documents.library import RULES
    from gateway.errors import Finding

    data = documents.load(settings.specs, settings.overlay).rules_data
    words = texts.load(settings.specs.parent)
    areas = {"Documents": RULES}
    areas |= {name: book.rules for name, entry in catalogue.entries.items() if (book := book_of(entry)) is not None}
    sections = []
    for area, rules in areas.items():
        lines = []
        for number, rule in sorted(rules.items()):
            row, blank = data.row(number), Finding(rule.code)
            days = f"{row.valid_from or ''}–{row.valid_to or ''}" if row.valid_from or row.valid_to else ""
            lines.append(
                (
                    number,
                    row.severity.value if row.enabled else "off",
                    days,
                    *(words.render(blank, lang)["title"] for lang in ("en", "zh")),
                    ", ".join(rule.kinds),
                    ", ".join(_code(pointer) for pointer in row.pointers),
                    row.source,
                )
            )
        headings = ("rule", "severity", "days", "title", "标题", "documents", "places", "source")
        sections += [f"## {area}", _table(headings, lines)]
    hint = "An operator changes severity, days, source and whether a rule is asked in rules/*.yaml of the overlay."
    return _page("Numbered rules", hint, *sections)


def book_of(entry: Entry) -> Book[Any] | None:
    """An adapter's numbered rules, where it has any: its attribute ``book``."""
    return getattr(entry.adapter, "book", None)


def manifest_page() -> str:
    from gateway.catalogue.manifest import FIELDS
    from gateway.catalogue.quality import RULES

    return _page(
        "What an adapter says of itself",
        "## manifest.yaml",
        _table(("member", "what it is for"), ((f"`{name}`", text) for name, text in FIELDS.items())),
        "## quality.yaml",
        "Each rule is `done`, `to do`, or `{exempt: reason}`.",
        _table(("rule", "what done claims"), ((f"`{name}`", text) for name, text in RULES.items())),
    )


def adapters_page(entries: Iterable[Entry], pages: Iterable[str]) -> str:
    """Every adapter in a line. pages: the names of their own pages, which this one holds together."""
    rows = [
        (
            entry.manifest.id,
            entry.manifest.title["en"],
            entry.manifest.title["zh"],
            entry.manifest.direction,
            ", ".join(sorted({*entry.manifest.files, *entry.manifest.understands})),
            ", ".join(entry.manifest.transports),
            entry.manifest.status,
        )
        for entry in entries
    ]
    headings = ("id", "title", "名称", "direction", "documents", "transports", "status")
    contents = "\n".join(("```{toctree}", ":maxdepth: 1", "", *(name.removesuffix(".md") for name in pages), "```"))
    return _page("Adapters", _table(headings, rows), contents)


def adapter_pages(entry: Entry, specs: Path, registry: SchemaRegistry) -> dict[str, str]:
    """An adapter's element tables, and for each of its mappings what goes where and what is lost."""
    from gateway.catalogue.check import document_leaves, mappings_of
    from gateway.syntax.pages import table_page

    leaves = document_leaves(specs)
    pages: dict[str, str] = {}
    for message in entry.manifest.messages:
        path = PurePosixPath(message.schema)
        table = registry.table(path.parent.name, message.version, path.stem)
        pages[f"{path.parent.name}/{table.name}.md"] = f"{NOTE}\n\n{table_page(table)}"
    for name, mapping in mappings_of(entry).items():
        losses = mapping.loss_table(leaves.get(mapping.document, ()))
        stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        pages[f"{entry.id}/mapping-{stem}.md"] = mapping_page(entry, mapping)
        pages[f"{entry.id}/loss-{stem}.md"] = loss_page(entry, mapping, losses)
    return pages


def mapping_page(entry: Entry, mapping: Mapping) -> str:
    return _page(
        f"Mapping: {entry.id}, {mapping.document} ↔ {mapping.table.name}",
        _table(("element", "canonical path", "code list", "note", "source"), _mapping_rows(mapping)),
    )


def loss_page(entry: Entry, mapping: Mapping, losses: Sequence[LossRow]) -> str:
    def section(fate: str, heading: str, second: str) -> list[str]:
        rows = [(_code(row.path), "; ".join(row.where)) for row in losses if row.fate == fate]
        return [f"## {heading}: {len(rows)}", _table(("canonical path", second), rows)] if rows else []

    return _page(
        f"Loss table: {entry.id}, {mapping.document} → {mapping.table.name}",
        *section("lost", "Lost: a document that says this is refused, unless the agreement allows it", ""),
        *section("ignored", "Ignored", "because"),
        *section("carried", "Carried", "element"),
    )


def _mapping_rows(mapping: Mapping) -> Iterator[tuple[str, ...]]:
    from gateway.mapping.lines import lines

    for line in lines(mapping.plan):
        places = ", ".join(_code(place) for place in line.places)
        told = places if line.constant is None else f"always “{line.constant}”"
        yield (_code(line.element), told, line.codes, line.note, line.source)


def _duration(seconds: int | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds // 86_400} d" if seconds % 86_400 == 0 else f"{seconds // 3_600} h"


def _code(text: str) -> str:
    return f"`{text}`"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}"]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def _page(title: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", NOTE, *parts)) + "\n"
