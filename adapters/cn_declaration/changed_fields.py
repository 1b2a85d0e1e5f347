"""Which field of the form a change speaks of: found from its JSON Pointer, by writing the declaration and looking where it went.

An amendment names fields by the partner's code; whoever files it knows only our document. The code is the element's name and
the field's name its Chinese title, with the goods item before it. What the change says itself goes before.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Collection
from typing import Any

from gateway.documents import pointers
from gateway.errors import GatewayError
from gateway.mapping.family import Form
from gateway.ports import Json
from gateway.syntax.xml import parse

ITEM = re.compile(r"/DecList\[(\d+)\]/")
WrongTypes = Callable[[Json], Collection[str]]
POSITION = re.compile(r"\[\d+\]")


def filled(changes: list[Json], declared: Json, form: Form, wrong_types: WrongTypes) -> list[Json]:
    """The changes with number, field code, field name and goods item where they lack them and it can be told.

    wrong_types: the places of a declaration that hold another type than they must; a change may name a group, which takes no text.
    """
    places = _places(changes, declared, form, wrong_types)
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


def _places(changes: list[Json], declared: Json, form: Form, wrong_types: WrongTypes) -> dict[str, str]:
    """JSON Pointer -> partner place, of the declaration as it will be; {} where that cannot be written."""
    after = _after(changes, declared)
    if wrong := wrong_types(after):
        after = _after([change for change in changes if change.get("pointer") not in wrong], declared)
    try:
        root = parse(form.mapping.encode(after).encode())
    except GatewayError:
        return {}
    return {pointer: place for place, pointer in form.mapping.places(root, after).items()}


def _after(changes: list[Json], declared: Json) -> Json:
    """The declaration as the changes leave it."""
    after = copy.deepcopy(declared)
    for change in changes:
        if isinstance(change.get("pointer"), str) and isinstance(change.get("new_value"), str):
            _set(after, change["pointer"], change["new_value"])
    return after


def _set(document: Any, pointer: str, value: str) -> None:
    try:
        pointers.set(document, pointer, value)
    except (KeyError, IndexError, ValueError, TypeError):
        return
