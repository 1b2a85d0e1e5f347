"""Which field of the form a change speaks of: found from its JSON Pointer, by writing the declaration and looking where it went.

An amendment names fields by the partner's code; whoever files it knows only our document. The code is the element's name and
the field's name its Chinese title, with the goods item before it. What the change says itself goes before.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

from gateway.documents import pointers
from gateway.documents.capped import MOST_FINDINGS
from gateway.errors import Finding, GatewayError
from gateway.mapping.family import Form
from gateway.ports import Json
from gateway.syntax.xml import parse

ITEM = re.compile(r"/DecList\[(\d+)\]/")
Faults = Callable[[Json], list[Finding] | None]
POSITION = re.compile(r"\[\d+\]")


def filled(changes: list[Json], declared: Json, form: Form, faults: Faults) -> list[Json]:
    """The changes with number, field code, field name and goods item where they lack them and it can be told.

    faults: what is wrong with the shape of a declaration, None where it is no JSON.
    """
    places = _places(changes, declared, form, faults)
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


def _places(changes: list[Json], declared: Json, form: Form, faults: Faults) -> dict[str, str]:
    """JSON Pointer -> partner place, of the declaration as it will be; {} where that cannot be written."""
    after = _writable(changes, declared, faults)
    if after is None:
        return {}
    try:
        root = parse(form.mapping.encode(after).encode())
    except GatewayError:
        return {}
    return {pointer: place for place, pointer in form.mapping.places(root, after).items()}


def _writable(changes: list[Json], declared: Json, faults: Faults) -> Json | None:
    """The declaration as far as it can be written with the changes; None where nobody can tell.

    A change may name a group, which takes no text. Without that change another one may reach into the group, and so on: at most
    as often as groups stand within groups.
    """
    while True:
        after = _after(changes, declared)
        found = faults(after)
        if found is None or len(found) > MOST_FINDINGS:
            return None  # what is wrong beyond those is not told
        wrong = {finding.pointer for finding in found if finding.code == "document.schema.type"}
        if not wrong:
            return after
        left = [change for change in changes if wrong.isdisjoint(_way_to(change.get("pointer")))]
        if len(left) == len(changes):
            return None
        changes = left


def _way_to(pointer: Any) -> list[str]:
    """A place and all that it lies in."""
    steps = pointer.split("/") if isinstance(pointer, str) else []
    return ["/".join(steps[:end]) for end in range(1, len(steps) + 1)]


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
