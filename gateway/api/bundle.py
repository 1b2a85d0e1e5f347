"""One OpenAPI document out of two sources: the written contract and the canonical schemas of specs/documents.

specs/openapi/openapi.yaml names schemas such as ``Declaration`` that it does not hold. bundled() adds them: every file of
specs/documents and every shared part of it becomes a component, ``common.json#/$defs/party`` is ``Party``. What is served
and committed (specs/openapi/bundle.json) is that whole; ``python -m gateway.api.bundle`` writes it anew. Connexion is given
contract(): the same operations without answers and without the large schemas, since the pipeline checks documents itself.
"""

from __future__ import annotations

import json
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import yaml

Json = dict[str, Any]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

SOURCE = "openapi/openapi.yaml"
BUNDLE = "openapi/bundle.json"
# Members of JSON Schema 2020-12 that name or hold a schema and have no place in an OpenAPI 3.0 component.
_NOT_IN_COMPONENTS = {"$schema", "$id", "$defs", "$comment"}
_LOCAL = re.compile(r"^(?P<file>[a-z_]*)(?:\.json)?(?:#(?:/\$defs/(?P<part>[A-Za-z0-9_]+))?)?$")


@lru_cache(maxsize=4)
def bundled(specs: Path) -> Json:
    """The complete contract. Raises ValueError where two parts would share a component name."""
    whole = written(specs)
    components: Json = whole["components"]["schemas"]
    for name, schema in document_components(specs / "documents").items():
        if name in components:
            raise ValueError(f"two schemas would be called {name}")
        components[name] = schema
    return whole


def written(specs: Path) -> Json:
    """The contract as people wrote it."""
    source: Json = yaml.load((specs / SOURCE).read_bytes(), Loader=_LOADER)  # noqa: S506 - a safe one
    return source


def document_components(folder: Path) -> Json:
    """Component name -> OpenAPI 3.0 schema, of every canonical document and shared part."""
    components: Json = {}
    for path in sorted(folder.glob("*.json")):
        schema = orjson.loads(path.read_bytes())
        parts = dict(schema.get("$defs", {}))
        if path.stem != "common":
            parts[""] = schema
        for part, inner in parts.items():
            name = component_name(path.stem, part)
            if name in components:
                raise ValueError(f"two schemas would be called {name}")
            components[name] = _named_by_component(_as_openapi(inner, path.stem))
    return components


def _named_by_component(schema: Json) -> Json:
    """The schema with its title as ``x-title-en``: generators take a title for a class name, and two parts may share one."""
    title = schema.pop("title", None)
    return schema if title is None else {"x-title-en": title, **schema}


def component_name(stem: str, part: str) -> str:
    """``common``, ``party`` -> ``Party``; ``declaration``, ``content`` -> ``DeclarationPartContent``."""
    words = part.split("_") if part else []
    if stem != "common":
        words = [*stem.split("_"), *(["part"] if part else []), *words]
    return "".join(word[:1].upper() + word[1:] for word in words)


def _as_openapi(schema: Any, stem: str) -> Any:
    if isinstance(schema, list):
        return [_as_openapi(inner, stem) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    members = {name: _as_openapi(inner, stem) for name, inner in schema.items() if name not in _NOT_IN_COMPONENTS}
    reference = members.get("$ref")
    if isinstance(reference, str):
        members["$ref"] = f"#/components/schemas/{_component_of(reference, stem)}"
        # OpenAPI 3.0.3, Reference Object: siblings of $ref are ignored, so they move beside an allOf.
        if len(members) > 1:
            members["allOf"] = [{"$ref": members.pop("$ref")}, *members.get("allOf", [])]
    return members


def _component_of(reference: str, stem: str) -> str:
    match = _LOCAL.match(reference)
    if match is None:
        raise ValueError(f"a reference that cannot be bundled: {reference}")
    return component_name(match["file"] or stem, match["part"] or "")


def contract(specs: Path) -> Json:
    """What Connexion has to know: paths, parameters, security and the small bodies."""
    slim = json.loads(json.dumps(written(specs)))
    for item in slim["paths"].values():
        for operation in item.values():
            if not isinstance(operation, dict):
                continue
            operation["responses"] = {"default": {"description": "see the bundle"}}
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body is not None:
                body.pop("examples", None)
                if operation.get("x-checked-by") == "documents":
                    body["schema"] = {"type": "object", "x-checked-by": "documents"}
    components = slim["components"]
    schemas, components["schemas"] = components["schemas"], {}
    components["responses"] = components["examples"] = {}
    while missing := _named(slim) - components["schemas"].keys():
        components["schemas"] |= {name: schemas[name] for name in missing}
    # Native routes are answered in front of Connexion.
    for item in slim["paths"].values():
        for method in [
            name for name, operation in item.items() if isinstance(operation, dict) and operation.get("x-native")
        ]:
            del item[method]
    slim["paths"] = {path: item for path, item in slim["paths"].items() if item.keys() - {"parameters"}}
    return slim  # type: ignore[no-any-return]


def _named(document: Json) -> set[str]:
    """The schema components that a document refers to."""
    return set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))


def as_bytes(document: Json) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"


def main(arguments: list[str]) -> int:
    """Write bundle.json, or with --check say whether it is current (exit 1 when it is not)."""
    from gateway.settings import PROJECT_ROOT

    specs = PROJECT_ROOT / "specs"
    fresh = as_bytes(bundled(specs))
    target = specs / BUNDLE
    if "--check" in arguments:
        return 0 if target.is_file() and target.read_bytes() == fresh else 1
    target.write_bytes(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
