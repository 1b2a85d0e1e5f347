"""Adapters: what each one speaks, how its mappings go from element to place, and what a partner's message cannot carry.

Mapping and loss pages are made from the same lines and tables as those of the docs.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import flask

from gateway.api.parts import here
from gateway.catalogue.check import mappings_of
from gateway.console.rendering import lang, render
from gateway.console.safety import page
from gateway.documents import Documents
from gateway.errors import GatewayError
from gateway.mapping.lines import lines
from gateway.pipeline.reading import absent

if TYPE_CHECKING:
    from gateway.catalogue import Entry
    from gateway.mapping import Mapping

FATES = ("lost", "ignored", "carried")


def add(pages: flask.Blueprint) -> None:
    pages.add_url_rule("/adapters", "adapters", _adapters)
    pages.add_url_rule("/adapters/<adapter_id>", "adapter", _adapter)
    pages.add_url_rule("/adapters/<adapter_id>/mappings/<name>", "mapping", _mapping)
    pages.add_url_rule("/adapters/<adapter_id>/losses/<name>", "losses", _losses)


@page(role="viewer")
def _adapters() -> str:
    return render("adapters.html", adapters=[_facts(entry) for entry in here().catalogue.entries.values()])


@page(role="viewer")
def _adapter(adapter_id: str) -> str:
    entry = _entry(adapter_id)
    told = here().telling
    manifest = entry.manifest
    mappings = [
        {
            "name": name,
            "kind": told.word("kind", mapping.document, lang()),
            "message": mapping.table.name,
            "losses": _counted(here().documents, mapping),
        }
        for name, mapping in _mappings(entry).items()
    ]
    parameters = [
        (one.name, one.required, one.zh if lang() == "zh" else one.en) for one in manifest.parameters.values()
    ]
    return render(
        "adapter.html",
        adapter=_facts(entry),
        standards=[f"{one.title} {one.edition}" for one in manifest.standards],
        messages=manifest.messages,
        signing=manifest.signing,
        owner=manifest.owner,
        mappings=mappings,
        parameters=parameters,
    )


@page(role="viewer")
def _mapping(adapter_id: str, name: str) -> str:
    mapping = _named(adapter_id, name)
    return render("mapping.html", adapter_id=adapter_id, name=name, mapping=mapping, rows=list(lines(mapping.plan)))


@page(role="viewer")
def _losses(adapter_id: str, name: str) -> str:
    mapping = _named(adapter_id, name)
    table = mapping.loss_table(_leaves(here().documents, mapping.document))
    fates = {fate: [row for row in table if row.fate == fate] for fate in FATES}
    return render("losses.html", adapter_id=adapter_id, name=name, mapping=mapping, fates=fates)


def _entry(adapter_id: str) -> Entry:
    entry = here().catalogue.entries.get(adapter_id)
    if entry is None:
        raise absent()
    return entry


def _mappings(entry: Entry) -> dict[str, Mapping]:
    """The mappings of an adapter; none of one that works without the mapping engine."""
    try:
        return mappings_of(entry)
    except GatewayError:
        return {}


def _named(adapter_id: str, name: str) -> Mapping:
    mapping = _mappings(_entry(adapter_id)).get(name)
    if mapping is None:
        raise absent()
    return mapping


def _facts(entry: Entry) -> dict[str, Any]:
    """What the manifest says, in the reader's language; of one that cannot be read, that."""
    told = here().telling
    try:
        facts = entry.manifest.as_dict()
    except GatewayError as problem:
        return {"id": entry.id, "fault": here().texts.render(problem.findings[0], lang())["text"]}
    kinds = sorted({*facts["files"], *facts["understands"]})
    return {**facts, "title": facts["title"][lang()], "kinds": [told.word("kind", kind, lang()) for kind in kinds]}


@lru_cache(maxsize=64)
def _leaves(documents: Documents, kind: str) -> tuple[str, ...]:
    return tuple(documents.leaves(kind)) if kind in documents.kinds() else ()


@lru_cache(maxsize=256)
def _counted(documents: Documents, mapping: Mapping) -> dict[str, int]:
    """How many canonical places are carried, ignored for a reason, and lost."""
    fates = [row.fate for row in mapping.loss_table(_leaves(documents, mapping.document))]
    return {fate: fates.count(fate) for fate in FATES}
