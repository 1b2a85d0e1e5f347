"""The partner message families this gateway speaks: what each says of itself, and what it cannot carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import flask

from gateway.api.answers import answer
from gateway.api.parts import here
from gateway.catalogue import Entry
from gateway.catalogue.check import document_leaves, mappings_of
from gateway.errors import NeedsOperator
from gateway.pipeline.reading import absent

Json = dict[str, Any]


def search() -> flask.Response:
    return answer({"items": [_summary(entry) for entry in here().catalogue.entries.values()]})


def show(adapter_id: str) -> flask.Response:
    """Its manifest, the agreements that use it, and per message what it carries, ignores and loses."""
    parts = here()
    entry = parts.catalogue.entries.get(adapter_id)
    if entry is None:
        raise absent()
    agreements = [one.id for one in parts.directory.agreements.values() if one.adapter == adapter_id]
    return answer(
        {
            "id": entry.id,
            "manifest": entry.manifest.as_dict(),
            "agreements": agreements,
            "messages": _messages(entry, document_leaves(parts.settings.specs)),
            "links": {"self": f"/v1/adapters/{entry.id}"},
        }
    )


def _summary(entry: Entry) -> Json:
    manifest = entry.manifest
    return {
        "id": entry.id,
        "titles": dict(manifest.title),
        "standard": manifest.standard,
        "documents": list(manifest.files),
        "links": {"self": f"/v1/adapters/{entry.id}"},
    }


def _messages(entry: Entry, leaves: Mapping[str, tuple[str, ...]]) -> list[Json]:
    """The loss table of each message that is sent. An adapter that translates by code alone has none."""
    try:
        mappings = mappings_of(entry)
    except NeedsOperator:
        return []
    return [
        _loss(name, mapping, leaves.get(mapping.document, ()))
        for name, mapping in mappings.items()
        if mapping.document in entry.manifest.files
    ]


def _loss(name: str, mapping: Any, leaves: tuple[str, ...]) -> Json:
    """What becomes of every place of a canonical document in one partner message."""
    rows = mapping.loss_table(leaves)
    return {
        "name": name,
        "document": mapping.document,
        "message": mapping.table.name,
        "counts": dict(Counter(row.fate for row in rows)),
        "carried": {row.path: list(row.where) for row in rows if row.fate == "carried"},
        "ignored": {row.path: ", ".join(row.where) for row in rows if row.fate == "ignored"},
        "lost": [row.path for row in rows if row.fate == "lost"],
    }
