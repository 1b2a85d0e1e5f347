"""Whether an amendment speaks of the declaration that was last declared: each old value is held against what we know of it.

Rule 1: the old value of a change is the canonical value at its pointer, or what an amendment since put there. Decimals are equal
        as numbers, other texts but for white space; of a group, which is no text, nothing is said.
Rule 2: a contradiction is an error where nobody but us can have changed the value: the filer has the wrong declaration or the wrong
        place before him, and customs would refuse the request.
Rule 3: it is a warning where the partner's side may hold another value than we do: a draft that the single window keeps is
        finished by its card holder there; an amendment may say what it changes by the partner's field alone; customs may amend.
        The same goes for a code, which a filer may give as the partner's form writes it.
Source: practice.md, a declaration's life in China: stashing is not filing; amendments after the end are everyday business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

import orjson

from gateway.documents import Leaf
from gateway.documents.pointers import resolve
from gateway.documents.rules import members, text
from gateway.documents.shape import short
from gateway.errors import Finding, Severity
from gateway.lifecycle import REQUEST_PHASES, Phase
from gateway.ports import DocumentRow, Json, Reading

# A draft was kept where others can change it, or customs changed it itself.
_CHANGED_THERE = frozenset({"received", "amended"})
_REFUSED = "refused"
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")


class KnowsLeaves(Protocol):
    """gateway.documents, as far as this needs it."""

    def leaf_at(self, kind: str, pointer: str) -> Leaf | None: ...


@dataclass(frozen=True, slots=True)
class Since:
    """What became of a declaration after it was filed. values: JSON Pointer -> what amendments put there; elsewhere: whether the
    partner's side may hold values that we do not know."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    elsewhere: bool = False


def since(reading: Reading, declaration: DocumentRow) -> Since:
    """The requests and replies of the declaration's round."""
    values: dict[str, tuple[str, ...]] = {}
    replies = reading.judgements_of(declaration.root_id)
    elsewhere = any(one.round == declaration.round and one.function in _CHANGED_THERE for one in replies)
    for row in reading.documents_of(declaration.root_id):
        if REQUEST_PHASES.get(row.kind) is not Phase.AMENDMENT or row.round != declaration.round:
            continue
        standing = reading.standing(row.id)
        if standing is not None and _REFUSED in standing.states.values():
            continue
        elsewhere = True
        for _, change in members(orjson.loads(reading.payload(row.digest)), "changes"):
            pointer, new = text(change, "pointer"), text(change, "new_value")
            if pointer and new:
                values[pointer] = (*values.get(pointer, ()), new)
    return Since(values, elsewhere)


def contradictions(
    kind: str, document: Json, declared: Json, since: Since, documents: KnowsLeaves
) -> Iterator[Finding]:
    """Each old value of an amendment that the declaration never had, with the value that it has. kind: of the declaration."""
    for index, change in members(document, "changes"):
        pointer, old = text(change, "pointer"), text(change, "old_value")
        if not pointer or not old:
            continue
        now = resolve(declared, pointer, None)
        if isinstance(now, dict | list):
            continue
        leaf = documents.leaf_at(kind, pointer)
        known = [*([now] if now is not None else []), *since.values.get(pointer, ())]
        if any(_same(old, value, leaf) for value in known):
            continue
        doubtful = since.elsewhere or (leaf is not None and bool(leaf.code_list))
        yield Finding(
            "amendment.old_value",
            pointer=f"/changes/{index}/old_value",
            found=short(old),
            expected=short(known[-1]) if known else "nothing",
            severity=Severity.WARNING if doubtful else Severity.ERROR,
            params={"place": pointer},
        )


def _same(old: str, value: Any, leaf: Leaf | None) -> bool:
    first, second = (" ".join(str(one).split()) for one in (old, value))
    if leaf is not None and leaf.decimal and _DECIMAL.fullmatch(first) and _DECIMAL.fullmatch(second):
        return Decimal(first) == Decimal(second)
    return first == second
