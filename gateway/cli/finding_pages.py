"""The generated pages of findings: one a family, an anchor a code, every language of the catalogue.

A family is the first word of its codes. A text stands there as the catalogue has it: ``{found}`` and the like are filled in when
it happens.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from gateway import texts

NOTE = "<!-- Written by `swgate adapters docs`; do not edit. -->"
INTRODUCTION = (
    "Everything that the gateway or an adapter finds wrong has a code that never changes its meaning. A running gateway shows "
    "a code at `/problems/{code}`, in the language of whoever asks."
)


def finding_pages(root: Path, overlay: Path | None = None) -> dict[str, str]:
    """File name -> Markdown: findings.md, which lists the families, and errors/<family>.md for each."""
    catalogue = texts.load(root, overlay)
    families = {name: list(codes) for name, codes in groupby(catalogue.codes(), key=_family)}
    return {
        "findings.md": _list_of(families),
        **{f"errors/{name}.md": _page_of(name, codes, catalogue) for name, codes in families.items()},
    }


def _family(code: str) -> str:
    return code.partition(".")[0]


def _list_of(families: dict[str, list[str]]) -> str:
    lines = [f"| [{name}](errors/{name}.md) | {len(codes)} |" for name, codes in families.items()]
    return "\n".join(
        (
            "# Findings",
            "",
            NOTE,
            "",
            INTRODUCTION,
            "",
            "| family | codes |",
            "|---|---|",
            *lines,
            "",
            "```{toctree}",
            ":hidden:",
            "",
            *(f"errors/{name}" for name in families),
            "```",
            "",
        )
    )


def _page_of(family: str, codes: Iterable[str], catalogue: texts.Texts) -> str:
    parts = [f"# Findings: {family}", NOTE]
    for code in codes:
        rows = {language: catalogue.written(code, language) for language in catalogue.languages}
        parts.append(f'<a id="{code}"></a>')
        parts.append(f"## {code}")
        lines = [
            f"| {language} | {' | '.join(_cell(row[part]) for part in texts.PARTS)} |" for language, row in rows.items()
        ]
        parts.append("\n".join(("| | title | text | what to do |", "|---|---|---|---|", *lines)))
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    """A template as people read it; marks that Markdown or HTML would take for its own are written as what they are."""
    for mark, written in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("|", "&#124;"),
        ("*", "&#42;"),
        ("_", "&#95;"),
        ("`", "&#96;"),
    ):
        text = text.replace(mark, written)
    return text.replace("[", "").replace("]", "").replace("\n", " ")
