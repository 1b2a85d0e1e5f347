"""What of a document may leave for a partner abroad: decided value by value, by its data class and the agreement.

Rule 1: a business value leaves where ``may_leave`` covers it: by a path, by ``*`` or by the word ``business``.
Rule 2: a personal or important value leaves only where ``may_leave`` names it expressly: by the word of its class, or by a path
        that ends, by name, at a place of that class. ``declarant.contact`` names the person there; ``declarant`` and ``*`` do not.
Rule 3: what may not leave is taken out before the message is made, so that no encoder sees it. Where the document without it still
        passes every check that it passed before, ours and the partner's, the message goes, and report, answer and timeline name
        what was withheld. Else the document is refused, and every such place is named.
Rule 4: the values of an amendment are of the class of the place that they change. What a request asks for is never taken out: a
        change without its new value would read as a deletion.
Source: design 9; practice.md, data that leaves the country.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Protocol

from gateway.agreements import Agreement
from gateway.documents.classes import BUSINESS, CLASSES, IMPORTANT, Without
from gateway.documents.pointers import to_parts, to_pointer
from gateway.errors import Finding, Rejected, Severity
from gateway.lifecycle import REQUEST_PHASES
from gateway.mapping.report import Later, LossReport
from gateway.pipeline import places
from gateway.ports import Adapter, EncodeContext, Encoded, Json

# Where a request says what it asks for.
_ASKED = ("/changes/", "/content/")
# A free object may have members of any name; no more of them are remembered.
_MOST_WAYS = 500
# A name on the way to a place, and the member of the list of that name that the way goes through.
_Step = tuple[str, Any]
_CHANGED = frozenset({"old_value", "new_value", "old_name", "new_name"})


class KnowsClasses(Protocol):
    """gateway.documents, as far as this needs it."""

    def check(self, kind: str, document: Json, *, on: date, follows: bool = False) -> list[Finding]: ...
    def classes(self, kind: str, names: tuple[str, ...]) -> tuple[str, ...]: ...
    def without(self, kind: str, document: Json, pointers: Collection[str]) -> Without: ...


class Ways:
    """Which ways of names lead to values that leave whatever document takes them; each is decided once, when one first does.

    Most values of most documents go such a way, so the rules are asked only for those few that do not.
    """

    def __init__(self, documents: KnowsClasses, kind: str, may_leave: tuple[str, ...]) -> None:
        self._documents = documents
        self._kind = kind
        self._may_leave = may_leave
        self._start = _Way((), leaves=False)

    def doubtful(self, document: Json) -> list[tuple[str, tuple[_Step, ...]]]:
        """The leaves whose way does not say that they leave, each with the steps to it, in document order."""
        found: list[tuple[str, tuple[_Step, ...]]] = []
        self._walk(document, self._start, "", (), found)
        return found

    def _walk(
        self, value: Any, way: _Way, at: str, steps: tuple[_Step, ...], found: list[tuple[str, tuple[_Step, ...]]]
    ) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                below = way.below.get(name)
                if below is None:
                    below = self._way((*way.names, name))
                    if len(way.below) < _MOST_WAYS:
                        way.below[name] = below
                if isinstance(inner, (dict, list)) or not below.leaves:
                    self._walk(inner, below, at + to_pointer((name,)), (*steps, (name, None)), found)
        elif isinstance(value, list):
            *above, (name, _) = steps
            for index, inner in enumerate(value):
                self._walk(inner, way, f"{at}/{index}", (*above, (name, inner)), found)
        elif not way.leaves:
            found.append((at, steps))

    def _way(self, names: tuple[str, ...]) -> _Way:
        """A condition on a member is not met by a way alone; the class of a changed value is that of the changed place."""
        if names[0] == "changes" and names[-1] in _CHANGED:
            return _Way(names, leaves=False)
        classes = self._documents.classes(self._kind, names)
        return _Way(names, leaves=_may_leave(self._may_leave, [(name, None) for name in names], classes))


class _Way:
    __slots__ = ("below", "leaves", "names")

    def __init__(self, names: tuple[str, ...], *, leaves: bool) -> None:
        self.names = names
        self.leaves = leaves
        self.below: dict[str, _Way] = {}


class Border:
    """Stands between documents and the adapters of partners abroad."""

    def __init__(self, documents: KnowsClasses) -> None:
        self._documents = documents
        self._ways: dict[tuple[str, tuple[str, ...]], Ways] = {}

    def pass_through(
        self, document: Json, adapter: Adapter, context: EncodeContext, whole: Encoded, *, on: date, follows: bool
    ) -> tuple[Encoded | None, list[Finding]]:
        """The message as it may leave, with warnings that name what was withheld; or None, with what refuses it.

        whole: the message that the adapter made of all of the document, which nobody is given. on, follows: as for the checks of
        a document.
        """
        declared = context.declaration
        held = dict(self.held(context.kind, document, context.agreement, declared))
        held_of_declared = self._held_of_declared(context)
        if not held and not held_of_declared:
            return whole, []
        thinned = self._documents.without(context.kind, document, held)
        context = replace(context, declaration=self._declared(context, held_of_declared))
        left_out = frozenset(whole.report.lost) | whole.report.ignored.keys()
        carried = [pointer for pointer in thinned.gone if not _stays(pointer, left_out)]
        if context.kind in REQUEST_PHASES and any(pointer.startswith(_ASKED) for pointer in carried):
            encoded, reason = None, context.kind
        else:
            encoded, reason = self._made(thinned, adapter, context, on=on, follows=follows)
        classes = {pointer: held.get(pointer, BUSINESS) for pointer in carried or thinned.gone}
        if encoded is None:
            # Nothing of its own speaks against it, only what it would repeat of the declaration.
            classes = classes or {"": max(held_of_declared.values(), key=CLASSES.index)}
            return None, [_refused(pointer, named, context.agreement, reason) for pointer, named in classes.items()]
        withheld = {pointer: classes[pointer] for pointer in carried}
        report = _joined(whole.report, encoded.report, frozenset(thinned.gone), withheld)
        return replace(encoded, report=report), [
            _withheld(pointer, named, context.agreement) for pointer, named in withheld.items()
        ]

    def held(self, kind: str, document: Json, agreement: Agreement, declared: Json | None) -> Iterator[tuple[str, str]]:
        """Every value that may not leave, with its class. declared: the declaration that an amendment speaks of."""
        ways = self._ways.get((kind, agreement.may_leave))
        if ways is None:
            ways = self._ways[(kind, agreement.may_leave)] = Ways(self._documents, kind, agreement.may_leave)
        for pointer, way in ways.doubtful(document):
            steps: places.Steps = way
            classes = self._documents.classes(kind, tuple(name for name, _ in steps))
            target = _changed_place(document, pointer)
            if target is not None:
                there = tuple(places.steps_to(declared or {}, target)) if target else ()
                of_there = self._documents.classes(places.DECLARATION, tuple(name for name, _ in there))
                # A change that does not say what it changes may be of anything.
                named = of_there[-1] if of_there else IMPORTANT
                if CLASSES.index(named) > CLASSES.index(classes[-1]):
                    steps, classes = there, of_there or (IMPORTANT,)
            if not _may_leave(agreement.may_leave, steps, classes):
                yield pointer, classes[-1]

    def _held_of_declared(self, context: EncodeContext) -> dict[str, str]:
        declared = context.declaration
        return {} if declared is None else dict(self.held(places.DECLARATION, declared, context.agreement, None))

    def _declared(self, context: EncodeContext, held: Collection[str]) -> Json | None:
        """The declaration that the adapter may look at: of that, too, only what may leave."""
        if context.declaration is None or not held:
            return context.declaration
        return self._documents.without(places.DECLARATION, context.declaration, held).document or {}

    def _made(
        self, thinned: Without, adapter: Adapter, context: EncodeContext, *, on: date, follows: bool
    ) -> tuple[Encoded | None, str]:
        """The message of what is left, or None and what stands against it, as codes of findings."""
        left = thinned.document
        if left is None or thinned.moved:
            return None, ", ".join(thinned.moved) or "document.schema"
        against = self._documents.check(context.kind, left, on=on, follows=follows)
        against += adapter.check(left, context)
        codes = {finding.code for finding in against if finding.severity is Severity.ERROR}
        if codes:
            return None, ", ".join(sorted(codes))
        try:
            return adapter.encode(left, context), ""
        except Rejected as refusal:
            codes = {finding.code for finding in refusal.findings} or {refusal.code}
            return None, ", ".join(sorted(codes))


def _changed_place(document: Json, pointer: str) -> str | None:
    """The place in the declaration that a value of an amendment changes, "" where it does not say; None for other values."""
    parts = to_parts(pointer)
    if len(parts) != 3 or parts[0] != "changes" or parts[2] not in _CHANGED:
        return None
    target = document["changes"][int(parts[1])].get("pointer")
    return target if isinstance(target, str) and target.startswith("/") else ""


def _may_leave(patterns: Collection[str], steps: places.Steps, classes: Sequence[str]) -> bool:
    data_class = classes[-1]
    if data_class in patterns:
        return True
    if data_class == BUSINESS:
        return any(places.covers(pattern, steps) for pattern in patterns)
    return any(_names_expressly(pattern, steps, classes) for pattern in patterns)


def _names_expressly(pattern: str, steps: places.Steps, classes: Sequence[str]) -> bool:
    count, last = places.ends_at(pattern)
    return count > 0 and last != "*" and places.covers(pattern, steps) and classes[count - 1] == classes[-1]


def _stays(pointer: str, left_out: Collection[str]) -> bool:
    """Whether the partner's format does not carry a value anyway: it, or something it is part of, was left out."""
    while pointer:
        if pointer in left_out:
            return True
        pointer = pointer[: pointer.rindex("/")]
    return False


def _joined(whole: LossReport, made: LossReport, gone: frozenset[str], withheld: dict[str, str]) -> LossReport:
    """The report in places of the whole document: what was taken out moves nothing there."""
    return LossReport(
        carried=Later(lambda: [pointer for pointer in whole.carried if pointer not in gone]),
        ignored=whole.ignored,
        lost=whole.lost,
        constants=made.constants,
        withheld=withheld,
    )


def _withheld(pointer: str, data_class: str, agreement: Agreement) -> Finding:
    return Finding(
        "leaving.withheld",
        pointer=pointer,
        expected="an element that the agreement lets leave the country",
        source=agreement.legal_basis or None,
        severity=Severity.WARNING,
        params=_about(data_class, agreement),
    )


def _refused(pointer: str, data_class: str, agreement: Agreement, reason: str) -> Finding:
    return Finding(
        "leaving.refused",
        pointer=pointer,
        expected="an element that the agreement lets leave the country",
        source=agreement.legal_basis or None,
        params=_about(data_class, agreement) | {"reason": reason},
    )


def _about(data_class: str, agreement: Agreement) -> dict[str, str]:
    return {"agreement": agreement.id, "jurisdiction": agreement.partner.jurisdiction, "data_class": data_class}
