"""The JSON Schemas of specs/documents: read, bundled so that each stands alone, and laid out as paths for people.

A schema file refers to parts in common.json (``common.json#/$defs/party``), in itself, or in another file. A bundled schema
carries every part it reaches in its own ``$defs`` and refers to nothing outside, so that a validator, OpenAPI and a
reader need one object only. The subset is JSON Schema 2020-12 as far as OpenAPI 3.0 shares it: objects, arrays, leaves,
``$ref``, ``allOf``, ``anyOf`` and ``oneOf``.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.documents.pointers import index_of, resolve, to_parts, to_pointer
from gateway.errors import Finding

Schema = dict[str, Any]
COMMON = "common"
DECIMAL = "decimal"  # the part of common.json that every number is made of
BROKEN = "specs.schema.broken"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One place of a document that holds a value, as mapping tables name it (arrays are written ``name[]``).

    wco_id, code_list, identifier: "" where there is none; data_class is that of the nearest part that names one.
    free: the place holds an object of somebody else's shape (an extension bag); decimal: a number, written as text.
    """

    path: str
    title_en: str
    title_zh: str
    wco_id: str
    data_class: str
    code_list: str
    identifier: str
    required: bool
    free: bool = False
    decimal: bool = False


def load(folders: list[Path]) -> tuple[dict[str, Schema], list[Finding]]:
    """Every kind's bundled schema by name (all files but common.json), and what is wrong with the files.

    A file of a later folder goes before one of the same name in an earlier folder.
    """
    findings: list[Finding] = []
    files: dict[str, Schema] = {}
    for file in (file for folder in folders for file in sorted(folder.glob("*.json"))):
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            findings.append(_broken(file.name, f"cannot be read: {type(error).__name__}"))
            continue
        if isinstance(content, dict):
            files[file.stem] = content
        findings += [_broken(file.name, f"{place} is no object".strip()) for place in _no_objects(content, ())]
    bundled: dict[str, Schema] = {}
    for kind in files:
        if kind != COMMON:
            try:
                bundled[kind] = _Bundler(files, kind).bundle()
            except KeyError as error:
                findings.append(_broken(f"{kind}.json", f"refers to {error.args[0]}, which is not there"))
    return bundled, findings


def _no_objects(node: Any, place: tuple[str | int, ...]) -> Iterator[str]:
    """Places where a schema stands that is no object. JSON Schema knows true and false too; they are outside the subset."""
    if not isinstance(node, dict):
        yield to_pointer(place)
        return
    for word in ("properties", "$defs"):
        if isinstance(node.get(word), dict):
            for name, inner in node[word].items():
                yield from _no_objects(inner, (*place, word, name))
    for word in ("allOf", "anyOf", "oneOf"):
        if isinstance(node.get(word), list):
            for index, inner in enumerate(node[word]):
                yield from _no_objects(inner, (*place, word, index))
    if "items" in node:
        yield from _no_objects(node["items"], (*place, "items"))


class _Bundler:
    """Copies one schema, pulling each part it refers to into its ``$defs``."""

    def __init__(self, files: Mapping[str, Schema], kind: str) -> None:
        self._files = files
        self._kind = kind
        self._names: dict[tuple[str, str], str] = {}
        self._parts: dict[str, Any] = {}

    def bundle(self) -> Schema:
        own = {name: value for name, value in self._files[self._kind].items() if name not in {"$defs", "$id"}}
        schema: Schema = self._copy(own, self._kind)
        return {**schema, "$defs": dict(sorted(self._parts.items()))} if self._parts else schema

    def _copy(self, node: Any, file: str) -> Any:
        if isinstance(node, list):
            return [self._copy(inner, file) for inner in node]
        if not isinstance(node, dict):
            return node
        copied = {name: self._copy(inner, file) for name, inner in node.items() if name != "$ref"}
        if isinstance(node.get("$ref"), str):
            return {"$ref": f"#/$defs/{self._part(node['$ref'], file)}", **copied}
        return copied

    def _part(self, reference: str, file: str) -> str:
        target, _, fragment = reference.partition("#")
        target = target.removesuffix(".json") or file
        name = self._names.get((target, fragment))
        if name is None:
            if target not in self._files:
                raise KeyError(reference)
            try:
                part = resolve(self._files[target], fragment)
            except (KeyError, ValueError):
                raise KeyError(f"{target}.json#{fragment}") from None
            steps = to_parts(fragment)
            name = "_".join(step for step in steps if step not in {"$defs", "properties", "items"}) or target
            if name in self._names.values():
                name = f"{target}_{name}"
            # Named before its content is copied: a part may refer to itself.
            self._names[target, fragment] = name
            if not fragment:
                part = {key: value for key, value in part.items() if key not in {"$defs", "$id", "$schema"}}
            self._parts[name] = self._copy(part, target)
        return name


def flatten(schema: Schema, node: Schema, seen: tuple[str, ...] = ()) -> tuple[Schema, tuple[str, ...]]:
    """A node with its ``$ref`` and ``allOf`` taken in (its own words win), and the names of the parts passed through."""
    merged: Schema = {}
    sources: list[Schema] = [part for part in node.get("allOf", []) if isinstance(part, dict)]
    reference = node.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        if name not in seen:
            seen = (*seen, name)
        sources.append(schema.get("$defs", {}).get(name, {}))
    for source in sources:
        inner, seen = flatten(schema, source, seen)
        merged = _merge(merged, inner)
    own = {key: value for key, value in node.items() if key not in {"$ref", "allOf"}}
    return _merge(merged, own), seen


def leaves(schema: Schema) -> dict[str, Leaf]:
    """Every leaf by path."""
    return {leaf.path: leaf for leaf in _leaves(schema, schema, "", "business", (), False)}


def _leaves(
    schema: Schema, node: Schema, path: str, data_class: str, around: tuple[str, ...], required: bool
) -> Iterator[Leaf]:
    flat, passed = flatten(schema, node)
    if any(name in around for name in passed):
        return  # the part holds itself: its places are named once
    around = (*around, *passed)
    data_class = str(flat.get("x-data-class", data_class))
    properties = flat.get("properties")
    if isinstance(properties, dict):
        needed = flat.get("required", [])
        for name, inner in properties.items():
            yield from _leaves(schema, inner, f"{path}.{name}" if path else name, data_class, around, name in needed)
    elif isinstance(flat.get("items"), dict):
        item, _ = flatten(schema, flat["items"])
        # The array's own titles stand for its items where these are bare values.
        bare = {name: flat[name] for name in ("title", "x-title-zh", "x-wco-id") if name in flat}
        inner = flat["items"] if item.get("properties") else {**bare, **flat["items"]}
        yield from _leaves(schema, inner, f"{path}[]", data_class, around, required)
    else:
        yield Leaf(
            path=path,
            title_en=str(flat.get("title", "")),
            title_zh=str(flat.get("x-title-zh", "")),
            wco_id=str(flat.get("x-wco-id", "")),
            data_class=data_class,
            code_list=str(flat.get("x-code-list", "")),
            identifier=str(flat.get("x-identifier", "")),
            required=required,
            free=flat.get("type") == "object",
            decimal=DECIMAL in passed,
        )


def has_place(schema: Schema, pointer: str) -> bool:
    """Whether a pointer names a place that a document of this schema may have; any index will do for an array."""
    try:
        steps = to_parts(pointer)
    except ValueError:
        return False
    here, _ = flatten(schema, schema)
    for step in steps:
        properties, items = here.get("properties"), here.get("items")
        if isinstance(properties, dict) and step in properties:
            inner = properties[step]
        elif isinstance(items, dict) and (step == "-" or index_of(step) is not None):
            inner = items
        else:
            return here.get("type") == "object" and not isinstance(properties, dict)  # inside a free object
        here, _ = flatten(schema, inner)
    return True


def path_of(pointer: str) -> str:
    """The path of a leaf as ``leaves`` names it: ``/items/0/value`` is ``items[].value``."""
    path = ""
    for step in to_parts(pointer):
        path += "[]" if step == "-" or index_of(step) is not None else f".{step}"
    return path.removeprefix(".")


def independent_copy(schema: Schema) -> Schema:
    return copy.deepcopy(schema)


def _merge(first: Schema, second: Schema) -> Schema:
    merged = {**first, **second}
    for key in ("properties",):
        if key in first and key in second:
            merged[key] = {**first[key], **second[key]}
    if "required" in first and "required" in second:
        merged["required"] = [*first["required"], *second["required"]]
    return merged


def _broken(place: str, what: str) -> Finding:
    return Finding(code=BROKEN, found=what, partner_place=f"documents/{place}")
