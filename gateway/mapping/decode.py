"""The decoder: one walk over a received message, in whatever order its elements stand.

Every non-empty leaf ends in exactly one place: a canonical leaf, the extension bag, a constant found as expected, or the
report of what is unmapped or unreadable. Given a document, the same walk finds instead where each leaf stands in it: so a
partner's complaint about the seventh line becomes a JSON Pointer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lxml import etree

from gateway.mapping.paths import Step, reach, write
from gateway.mapping.plan import Bound, Branch, Condition, Repeat, Tie, entries_of
from gateway.mapping.report import DecodeReport, Leaf
from gateway.syntax.tables import NodeKind

Element = etree._Element
SCHEMA_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"


class Spot(NamedTuple):
    """Where one text of a row stood: the part-th element of the row."""

    part: int
    place: str
    line: int | None


@dataclass(slots=True)
class _Scope:
    """One array member (or the root) being filled: its object, its JSON Pointer, and the ties that wait for all their parts."""

    item: dict[str, Any]
    at: str
    waiting: dict[int, tuple[Tie, list[str | None], list[Spot]]] = field(default_factory=dict)
    positions: dict[int, int] = field(default_factory=dict)
    gathered: dict[int, tuple[Repeat, list[dict[str, Any]]]] = field(default_factory=dict)
    reached: dict[int, tuple[dict[str, Any], str]] = field(default_factory=dict)


class Reader:
    """Reads one message kind. locating: the target is an existing document whose members are looked up, not added."""

    def __init__(
        self, plan: Branch, conditions: dict[tuple[Step, ...], list[Branch]], *, empty_means_absent: bool
    ) -> None:
        self.plan = plan
        self.conditions = conditions
        self.empty_means_absent = empty_means_absent

    def read(self, root: Element, target: dict[str, Any], *, locating: bool = False) -> DecodeReport:
        """Fill target from a parsed message and say what became of every leaf."""
        walk = _Walk(self, root, target, locating)
        walk.branch(self.plan, root, walk.root, self.plan.node.name)
        walk.settle(walk.root)
        return walk.report


def condition_sources(plan: Branch) -> dict[tuple[Step, ...], list[Branch]]:
    """For each condition: the partner leaves that say it, so that it is known before anything that hangs on it is read."""
    wanted = set(_condition_steps(plan))
    found: dict[tuple[Step, ...], list[Branch]] = {}
    for path, branch in _plain_leaves(plan, ()):
        for bound in branch.bounds:
            for steps in bound.tie.steps:
                if steps in wanted:
                    found.setdefault(steps, list(path))
    return found


def _condition_steps(branch: Branch) -> Iterator[tuple[Step, ...]]:
    for bound in branch.bounds:
        for condition in bound.tie.conditions:
            yield condition.steps
    for repeat in branch.repeats:
        for condition in repeat.conditions:
            yield condition.steps
        yield from _condition_steps(repeat.body)
    for below in (*branch.attributes.values(), *branch.children.values()):
        yield from _condition_steps(below)


def _plain_leaves(branch: Branch, above: tuple[Branch, ...]) -> Iterator[tuple[tuple[Branch, ...], Branch]]:
    """Leaves outside arrays, each with the branches that lead to it below the root."""
    for below in (*branch.attributes.values(), *branch.children.values()):
        path = (*above, below)
        if below.bounds:
            yield path, below
        yield from _plain_leaves(below, path)


class _Walk:
    def __init__(self, reader: Reader, root: Element, target: dict[str, Any], locating: bool) -> None:
        self.reader = reader
        self.locating = locating
        self.report = DecodeReport()
        self.root = _Scope(target, "")
        self.known = {steps: self._told(root, steps, path) for steps, path in reader.conditions.items()}

    def _told(self, root: Element, steps: tuple[Step, ...], path: list[Branch]) -> Any:
        """The canonical value of a condition, read straight from the message."""
        element: Element | None = root
        value: str | None = None
        for branch in path:
            if element is None:
                return None
            if branch.node.kind is NodeKind.ATTRIBUTE:
                value = element.get(branch.node.tag)
            else:
                element = element.find(branch.node.tag)
                value = element.text if element is not None else None
        bound = path[-1].bounds[0]
        if value is None or not value.strip():
            return bound.tie.row.default
        return self._convert_one(bound, value.strip(), steps)

    def _convert_one(self, bound: Bound, value: str, steps: tuple[Step, ...]) -> Any:
        conversion = bound.tie.row.conversion
        if conversion is None:
            return value
        texts = [value if part == bound.part else None for part in range(len(bound.tie.row.elements))]
        try:
            return conversion.decode(*texts)[bound.tie.steps.index(steps)]
        except ValueError:
            return None

    # Elements.

    def branch(self, branch: Branch, element: Element, scope: _Scope, place: str) -> None:
        """One element that the mapping speaks of."""
        line = line_of(element)
        self._attributes(branch, element, scope, place)
        text = _own_text(element)
        if text:
            self._leaf(branch, text, scope, place, line)
        if not len(element):
            return
        seen: dict[str, int] = {}
        entries = entries_of(branch)
        for child in element:
            tag = child.tag
            if not isinstance(tag, str):
                continue
            entry = entries.get(tag)
            count = seen[tag] = seen.get(tag, 0) + 1
            if entry is None:
                name = _local(tag)
                self._unknown(child, _counted(place, name, count, repeated=False), "not in the element table")
                continue
            below = entry.branch
            where = _counted(place, entry.name, count, repeated=entry.repeated)
            if below is None:
                self._unknown(child, where, "not in the mapping")
            elif below.repeats:
                self._repeated(below, child, scope, where)
            elif count > 1 and entry.single:
                self._unknown(child, where, "stands more often than once")
            elif entry.plain is not None and not len(child) and not child.attrib:
                value = (child.text or "").strip()
                if value:
                    self._put(entry.plain, 0, value, scope, where, None)
            else:
                self.branch(below, child, scope, where)

    def _attributes(self, branch: Branch, element: Element, scope: _Scope, place: str) -> None:
        for tag, value in element.attrib.items():
            name = str(tag)
            if name.startswith(SCHEMA_INSTANCE) or not value.strip():
                continue
            below = next((b for b in branch.attributes.values() if b.node.tag == name), None)
            where = f"{place}/@{_local(name)}"
            if below is None:
                self.report.unmapped.append(Leaf(where, line_of(element), str(value), "attribute not in the mapping"))
            else:
                self._leaf(below, str(value).strip(), scope, where, line_of(element))

    def _repeated(self, branch: Branch, element: Element, scope: _Scope, place: str) -> None:
        repeat = next((r for r in branch.repeats if self._holds(r.conditions)), None)
        if repeat is None:
            self._unknown(element, place, "not in the mapping for this kind of document")
            return
        if repeat.row.spread is not None:
            self._gathered(repeat, element, scope, place)
            return
        member, at = self._member(repeat, scope)
        inner = _Scope(member, at)
        self.branch(repeat.body, element, inner, place)
        self.settle(inner)
        choice = repeat.steps[-1]
        empty = not member or (choice.key and set(member) == {choice.key} and not _has_leaf(element))
        if empty and not self.locating:
            self._drop(repeat, scope, member)

    def _member(self, repeat: Repeat, scope: _Scope) -> tuple[dict[str, Any], str]:
        """A new member of the repeat's array or, when locating, the next one that is there already."""
        holder, pointer = reach(scope.item, repeat.steps[:-1])
        choice = repeat.steps[-1]
        array: list[dict[str, Any]] = holder.setdefault(choice.name, [])
        if self.locating:
            position = scope.positions.get(id(repeat), 0)
            scope.positions[id(repeat)] = position + 1
            fitting = [index for index, candidate in enumerate(array) if not choice.key or choice.picks(candidate)]
            index = fitting[position] if position < len(fitting) else len(array)
            member = array[index] if index < len(array) else {}
        else:
            index = len(array)
            member = {choice.key: choice.value} if choice.key else {}
            array.append(member)
        return member, f"{scope.at}{pointer}/{choice.name}/{index}"

    def _drop(self, repeat: Repeat, scope: _Scope, member: dict[str, Any]) -> None:
        """An element that says nothing is no member: empty optional elements mean absent."""
        if not self.reader.empty_means_absent:
            return
        holder, _ = reach(scope.item, repeat.steps[:-1])
        array = holder[repeat.steps[-1].name]
        array.remove(member)
        if not array:
            del holder[repeat.steps[-1].name]

    def _gathered(self, repeat: Repeat, element: Element, scope: _Scope, place: str) -> None:
        """Collect the objects of a spread value; settle() turns them into the one canonical value."""
        member: dict[str, Any] = {}
        inner = _Scope(member, scope.at)
        before = len(self.report.mapped)
        self.branch(repeat.body, element, inner, place)
        self.settle(inner)
        whole = scope.at + _existing(scope.item, repeat.steps)
        for leaf in list(self.report.mapped)[before:]:
            self.report.mapped[leaf] = whole
        scope.gathered.setdefault(id(repeat), (repeat, []))[1].append(member)

    # Leaves.

    def _leaf(self, branch: Branch, text: str, scope: _Scope, place: str, line: int | None) -> None:
        if branch.constant is not None:
            leaf = Leaf(place, line, text)
            if text == branch.constant.text:
                self.report.constants.append(leaf)
            else:
                self.report.unmapped.append(Leaf(place, line, text, f"always {branch.constant.text!r} in this mapping"))
            return
        bound = next((b for b in branch.bounds if self._holds(b.tie.conditions)), None)
        if bound is None:
            reason = "not in the mapping" if not branch.bounds else "not in the mapping for this kind of document"
            self.report.unmapped.append(Leaf(place, line, text, reason))
            return
        tie = bound.tie
        if tie.row.conversion is None:
            self._put(tie, 0, text, scope, place, line)
            return
        if len(tie.row.elements) == 1:
            self._convert(tie, [text], [Spot(0, place, line)], scope)
            return
        waiting = scope.waiting.setdefault(id(tie), (tie, [None] * len(tie.row.elements), []))
        waiting[1][bound.part] = text
        waiting[2].append(Spot(bound.part, place, line))

    def _put(self, tie: Tie, part: int, value: Any, scope: _Scope, place: str, line: int | None) -> None:
        if self.locating:
            pointer = scope.at + _existing(scope.item, tie.steps[part])
        else:
            number = tie.holders[part]
            reached = scope.reached.get(number)
            if reached is None:
                holder, above = reach(scope.item, tie.steps[part][:-1])
                reached = scope.reached[number] = (holder, f"{scope.at}{above}/")
            name = tie.steps[part][-1].name
            reached[0][name] = value
            pointer = reached[1] + name
        if tie.row.bag or tie.steps[part][0].name == "extensions":
            self.report.bag.append(Leaf(place, line, str(value), pointer))
        else:
            self.report.mapped[place] = pointer

    def settle(self, scope: _Scope) -> None:
        """Convert what waited for its other parts, and close gathered values."""
        for tie, texts, spots in scope.waiting.values():
            self._convert(tie, texts, spots, scope)
        scope.waiting.clear()
        for repeat, members in scope.gathered.values():
            value = repeat.row.spread[1](members) if repeat.row.spread is not None else None
            if value is not None and not self.locating:
                write(scope.item, repeat.steps, value)
        scope.gathered.clear()

    def _convert(self, tie: Tie, texts: list[str | None], spots: list[Spot], scope: _Scope) -> None:
        """Put down what the texts of one row say together; each of their places leads to one of its leaves."""
        conversion = tie.row.conversion
        assert conversion is not None
        try:
            values = conversion.decode(*texts)
            written = conversion.encode(*values) if conversion.generous else tuple(texts)
        except ValueError as problem:
            self._lose(texts, spots, f"expected {problem}")
            return
        pairs = [(part, value) for part, value in enumerate(values) if value is not None]
        if not pairs:
            self._lose(texts, spots, "says nothing that we know")
            return
        for index, spot in enumerate(spots):
            part, value = pairs[min(index, len(pairs) - 1)]
            self._put(tie, part, value, scope, spot.place, spot.line)
        for part, value in pairs[len(spots) :]:
            if not self.locating:
                write(scope.item, tie.steps[part], value)
        if written != tuple(texts):
            self.report.restated.update({spot.place: written[spot.part] for spot in spots})

    def _lose(self, texts: list[str | None], spots: list[Spot], reason: str) -> None:
        told = ", ".join(text for text in texts if text is not None)
        self.report.lost += [Leaf(spot.place, spot.line, told, reason) for spot in spots]

    def _holds(self, conditions: tuple[Condition, ...]) -> bool:
        return not conditions or all(condition.holds(self.known.get(condition.steps)) for condition in conditions)

    def _unknown(self, element: Element, place: str, reason: str) -> None:
        """Report every non-empty leaf of an element that has no place."""
        if text := _own_text(element):
            self.report.unmapped.append(Leaf(place, line_of(element), text, reason))
        for name, value in element.attrib.items():
            if str(value).strip() and not str(name).startswith(SCHEMA_INSTANCE):
                self.report.unmapped.append(Leaf(f"{place}/@{_local(str(name))}", line_of(element), str(value), reason))
        seen: dict[str, int] = {}
        for child in element:
            if isinstance(child.tag, str):
                count = seen[child.tag] = seen.get(child.tag, 0) + 1
                self._unknown(child, _counted(place, _local(child.tag), count, repeated=False), reason)


def _counted(place: str, name: str, count: int, *, repeated: bool) -> str:
    """The place of a child: numbered where there may be several, and where there are."""
    return f"{place}/{name}[{count}]" if repeated or count > 1 else f"{place}/{name}"


def line_of(element: Element) -> int | None:
    """The line it stands in, where the parser knows it."""
    line: Any = element.sourceline
    return int(line) if line is not None else None


def _own_text(element: Element) -> str:
    """The element's text without surrounding white space; comments in between do not cut it."""
    if not len(element):
        return (element.text or "").strip()
    pieces = [element.text or "", *(child.tail or "" for child in element if not isinstance(child.tag, str))]
    return "".join(pieces).strip()


def _has_leaf(element: Element) -> bool:
    return any(_own_text(leaf) for leaf in element.iter() if isinstance(leaf.tag, str))


def _existing(item: dict[str, Any], steps: tuple[Step, ...]) -> str:
    """JSON Pointer of steps in a document that is there already."""
    pointer = ""
    scope: Any = item
    for step in steps:
        pointer += f"/{step.name}"
        scope = scope.get(step.name) if isinstance(scope, dict) else None
        if step.key:
            array = scope if isinstance(scope, list) else []
            index = next((place for place, candidate in enumerate(array) if step.picks(candidate)), len(array))
            pointer += f"/{index}"
            scope = array[index] if index < len(array) else None
    return pointer


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
