"""Which field of the form a change speaks of: found from its JSON Pointer, by writing the declaration and looking where it went.

An amendment names fields by the partner's code; whoever files it knows only our document. The code is the element's name and
the field's name its Chinese title, with the goods item before it. What the change says itself goes before.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from gateway.documents import pointers
from gateway.errors import GatewayError
from gateway.mapping.family import Form
from gateway.ports import Json
from gateway.syntax.xml import parse

ITEM = re.compile(r"/DecList\[(\d+)\]/")
POSITION = re.compile(r"\[\d+\]")


def filled(changes: list[Json], declared: Json, form: Form) -> list[Json]:
    """The changes with number, field code, field name and goods item where they lack them and it can be told."""
    places = _places(changes, declared, form)
    return [
        _filled(index, change, places.get(str(change.get("pointer") or "")), form)
        for index, change in enumerate(changes)
    ]


def _filled(index: int, change: Json, place: str | None, form: Form) -> Json:
    told: Json = {"sequence_number": str(index + 1)}
    node = form.mapping.table.find(POSITION.sub("", place)) if place else None
    if place and node is not None:
        item = ITEM.search(place)
        told["field_code"] = node.name
        told["field_name"] = f"商品{item[1]}：{node.title_zh}" if item else node.title_zh
    return told | change


def _places(changes: list[Json], declared: Json, form: Form) -> dict[str, str]:
    """JSON Pointer -> partner place, of the declaration as it will be; {} where that cannot be written."""
    after = copy.deepcopy(declared)
    for change in changes:
        if isinstance(change.get("pointer"), str) and isinstance(change.get("new_value"), str):
            _set(after, change["pointer"], change["new_value"])
    try:
        root = parse(form.mapping.encode(after).encode())
    except GatewayError:
        return {}
    return {pointer: place for place, pointer in form.mapping.places(root, after).items()}


def _set(document: Any, pointer: str, value: str) -> None:
    try:
        pointers.set(document, pointer, value)
    except (KeyError, IndexError, ValueError, TypeError):
        return
