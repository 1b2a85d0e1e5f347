"""The decoder: one walk over a received message, in whatever order its elements stand. An orderly one is read straight, without it.

Every non-empty leaf ends in exactly one place: a canonical leaf, the extension bag, a constant found as expected, or the
report of what is unmapped or unreadable. Given a document, the same walk finds instead where each leaf stands in it: so a
partner's complaint about the seventh line becomes a JSON Pointer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from lxml import etree

from gateway.mapping.paths import Step, reach, write
from gateway.mapping.plan import Bound, Branch, Condition, Entry, Reading, Repeat, Tie, reading_of
from gateway.mapping.report import DecodeReport, Leaf, Place, place_text
from gateway.mapping.straight import Straight
from gateway.syntax.tables import NodeKind
from gateway.syntax.white_space import WHITE_SPACE, trimmed

Element = etree._Element
SCHEMA_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"


class Spot(NamedTuple):
    """Where one text of a row stood: the part-th element of the row."""

    part: int
    place: Place
    element: Element


class _Scope:
    """One array member (or the root) being filled: its object, its JSON Pointer, and the ties that wait for all their parts.

    reached: by holder number, the object that leaves are put into, with its JSON Pointer and a slash.
    """

    __slots__ = ("at", "gathered", "item", "positions", "reached", "waiting")

    def __init__(self, item: dict[str, Any], at: str) -> None:
        self.item = item
        self.at = at
        self.reached: dict[int, tuple[dict[str, Any], str]] = {}
        self.waiting: dict[int, tuple[Tie, list[str | None], list[Spot]]] = {}
        self.positions: dict[int, int] = {}
        self.gathered: dict[int, tuple[Repeat, list[dict[str, Any]]]] = {}


class Reader:
    """Reads one message kind: straight where it is orderly, else by the walk. locating: the target is an existing document
    whose members are looked up, not added.
    """

    def __init__(
        self, plan: Branch, conditions: dict[tuple[Step, ...], list[Branch]], *, empty_means_absent: bool
    ) -> None:
        self.plan = plan
        self.conditions = conditions
        self.empty_means_absent = empty_means_absent
        self.straight = Straight(plan, empty_means_absent=empty_means_absent)

    def read(self, root: Element) -> tuple[dict[str, Any], DecodeReport]:
        """The document in a parsed message, and what became of every leaf."""
        document: dict[str, Any] = {}
        texts = self.straight.read(root, document, self.known(root))
        if texts is not None:
            return document, DecodeReport(padded=texts.padded, empty=texts.empty, again=lambda: self.walk(root, {}))
        document = {}
        return document, self.walk(root, document)

    def walk(self, root: Element, target: dict[str, Any], *, locating: bool = False) -> DecodeReport:
        """Fill target leaf by leaf, and say of each what became of it."""
        walk = _Walk(self, root, target, locating)
        walk.branch(self.plan, root, walk.root, (None, self.plan.node.name, 0))
        walk.settle(walk.root)
        return walk.report

    def known(self, root: Element) -> dict[tuple[Step, ...], Any]:
        """The values that conditions ask for, read straight from the message."""
        return {steps: _told(root, steps, path) for steps, path in self.conditions.items()}


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


def _told(root: Element, steps: tuple[Step, ...], path: list[Branch]) -> Any:
    """The canonical value of a condition."""
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
    if value is None or not trimmed(value):
        return bound.tie.row.default
    return _convert_one(bound, trimmed(value), steps)


def _convert_one(bound: Bound, value: str, steps: tuple[Step, ...]) -> Any:
    conversion = bound.tie.row.conversion
    if conversion is None:
        return value
    texts = [value if part == bound.part else None for part in range(len(bound.tie.row.elements))]
    try:
        return conversion.decode(*texts)[bound.tie.steps.index(steps)]
    except ValueError:
        return None


class _Walk:
    def __init__(self, reader: Reader, root: Element, target: dict[str, Any], locating: bool) -> None:
        self.reader = reader
        self.locating = locating
        self.report = DecodeReport()
        self.root = _Scope(target, "")
        self.known = reader.known(root)

    # Elements.

    def branch(self, branch: Branch, element: Element, scope: _Scope, place: Place) -> None:
        """One element that the mapping speaks of, with its children in whatever order."""
        reading = branch.reading or reading_of(branch)
        reached, told, locating = scope.reached, self.report.told, self.locating
        if element.attrib:
            self._attributes(reading, element, scope, place)
        text = element.text or ""
        entries, seen = reading.children, dict[str, int]()
        for child in element if len(element) else ():
            tag = child.tag
            entry = entries.get(tag)
            if entry is None and not isinstance(tag, str):
                text += child.tail or ""  # a comment does not cut the text around it
                continue
            count = seen[tag] = seen.get(tag, 0) + 1
            if entry is None:
                where = (place, _local(tag), count if count > 1 else 0)
                self._unknown(child, where, "not in the element table")
                continue
            plain = entry.plain
            if plain is None or locating or (count > 1 and entry.single) or len(child) or child.attrib:
                where = (place, entry.name, count if entry.repeated or count > 1 else 0)
                if entry.repeated:
                    self._repeated(entry, child, scope, where)
                elif entry.branch is None:
                    self._unknown(child, where, "not in the mapping")
                elif count > 1 and entry.single:
                    self._unknown(child, where, "stands more often than once")
                else:
                    self.branch(entry.branch, child, scope, where)
            elif (value := child.text) and (value := value.strip(WHITE_SPACE)):
                # As _put does it; nearly every leaf of a message comes this way.
                found = reached.get(plain.holder) or self._reach(scope, plain.holder, plain.steps)
                found[0][plain.name] = value
                told.append((place, entry.name, count if count > 1 else 0, found[1], plain.name))
        if text and (text := text.strip(WHITE_SPACE)):
            plain = reading.own
            if plain is not None and not locating:
                found = reached.get(plain.holder) or self._reach(scope, plain.holder, plain.steps)
                found[0][plain.name] = text
                told.append((*place, found[1], plain.name))
            else:
                self._leaf(branch, text, scope, place, element)

    def _attributes(self, reading: Reading, element: Element, scope: _Scope, place: Place) -> None:
        for tag, value in element.items():
            name, text = str(tag), str(value).strip(WHITE_SPACE)
            if not text or name.startswith(SCHEMA_INSTANCE):
                continue
            entry = reading.attributes.get(name)
            plain = entry.plain if entry is not None and not self.locating else None
            if entry is not None and plain is not None:
                found = scope.reached.get(plain.holder) or self._reach(scope, plain.holder, plain.steps)
                found[0][plain.name] = text
                self.report.told.append((place, entry.name, 0, found[1], plain.name))
            elif entry is not None and entry.branch is not None:
                self._leaf(entry.branch, text, scope, (place, entry.name, 0), element)
            else:
                at, reason = f"{place_text(place)}/@{_local(name)}", "attribute not in the mapping"
                self.report.unmapped.append(Leaf(at, line_of(element), str(value), reason))

    def _repeated(self, entry: Entry, element: Element, scope: _Scope, place: Place) -> None:
        for repeat in entry.repeats:
            if not repeat.conditions or self._holds(repeat.conditions):
                break
        else:
            self._unknown(element, place, "not in the mapping for this kind of document")
            return
        if repeat.row.spread is not None:
            self._gathered(repeat, element, scope, place)
            return
        member, at = self._member(repeat, scope)
        inner = _Scope(member, at)
        self.branch(repeat.body, element, inner, place)
        if inner.waiting or inner.gathered:
            self.settle(inner)
        choice = repeat.steps[-1]
        empty = not member or (choice.key and member.keys() == {choice.key} and not _has_leaf(element))
        if empty and not self.locating:
            self._drop(repeat, scope, member)

    def _member(self, repeat: Repeat, scope: _Scope) -> tuple[dict[str, Any], str]:
        """A new member of the repeat's array or, when locating, the next one that is there already."""
        choice = repeat.steps[-1]
        holder, above = scope.reached.get(repeat.holder) or self._reach(scope, repeat.holder, repeat.steps[:-1])
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
        return member, f"{above}{choice.name}/{index}"

    def _drop(self, repeat: Repeat, scope: _Scope, member: dict[str, Any]) -> None:
        """An element that says nothing is no member: empty optional elements mean absent."""
        if not self.reader.empty_means_absent:
            return
        holder, _ = reach(scope.item, repeat.steps[:-1])
        array = holder[repeat.steps[-1].name]
        array.remove(member)
        if not array:
            del holder[repeat.steps[-1].name]

    def _gathered(self, repeat: Repeat, element: Element, scope: _Scope, place: Place) -> None:
        """Collect the objects of a spread value; settle() turns them into the one canonical value."""
        member: dict[str, Any] = {}
        inner = _Scope(member, scope.at)
        told = self.report.told
        before = len(told)
        self.branch(repeat.body, element, inner, place)
        self.settle(inner)
        whole = scope.at + _existing(scope.item, repeat.steps)
        told[before:] = [(around, name, number, whole, "") for around, name, number, _, _ in told[before:]]
        scope.gathered.setdefault(id(repeat), (repeat, []))[1].append(member)

    # Leaves.

    def _leaf(self, branch: Branch, text: str, scope: _Scope, place: Place, element: Element) -> None:
        if branch.constant is not None:
            leaf = Leaf(place_text(place), line_of(element), text)
            if text == branch.constant.text:
                self.report.constants.append(leaf)
            else:
                self.report.unmapped.append(replace(leaf, reason=f"always {branch.constant.text!r} in this mapping"))
            return
        bound = next((b for b in branch.bounds if self._holds(b.tie.conditions)), None)
        if bound is None:
            reason = "not in the mapping" if not branch.bounds else "not in the mapping for this kind of document"
            self.report.unmapped.append(Leaf(place_text(place), line_of(element), text, reason))
            return
        tie = bound.tie
        if tie.row.conversion is None:
            self._put(tie, 0, text, scope, place, element)
            return
        if len(tie.row.elements) == 1:
            self._convert(tie, [text], [Spot(0, place, element)], scope)
            return
        waiting = scope.waiting.setdefault(id(tie), (tie, [None] * len(tie.row.elements), []))
        waiting[1][bound.part] = text
        waiting[2].append(Spot(bound.part, place, element))

    def _put(self, tie: Tie, part: int, value: Any, scope: _Scope, place: Place, element: Element) -> None:
        steps = tie.steps[part]
        if self.locating:
            above, name = scope.at + _existing(scope.item, steps), ""
        else:
            number, name = tie.holders[part], steps[-1].name
            holder, above = scope.reached.get(number) or self._reach(scope, number, steps[:-1])
            holder[name] = value
        if tie.row.bag or steps[0].name == "extensions":
            self.report.bag.append(Leaf(place_text(place), line_of(element), str(value), above + name))
        else:
            self.report.told.append((*place, above, name))

    def _reach(self, scope: _Scope, number: int, steps: tuple[Step, ...]) -> tuple[dict[str, Any], str]:
        if not steps:
            found = (scope.item, f"{scope.at}/")
        elif len(steps) == 1 and not steps[0].key:
            name = steps[0].name
            found = (scope.item.setdefault(name, {}), f"{scope.at}/{name}/")
        else:
            holder, above = reach(scope.item, steps)
            found = (holder, f"{scope.at}{above}/")
        scope.reached[number] = found
        return found

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
            self._put(tie, part, value, scope, spot.place, spot.element)
        for part, value in pairs[len(spots) :]:
            if not self.locating:
                write(scope.item, tie.steps[part], value)
        if written != tuple(texts):
            self.report.restated.update({place_text(spot.place): written[spot.part] for spot in spots})

    def _lose(self, texts: list[str | None], spots: list[Spot], reason: str) -> None:
        told = ", ".join(text for text in texts if text is not None)
        self.report.lost += [Leaf(place_text(spot.place), line_of(spot.element), told, reason) for spot in spots]

    def _holds(self, conditions: tuple[Condition, ...]) -> bool:
        return not conditions or all(condition.holds(self.known.get(condition.steps)) for condition in conditions)

    def _unknown(self, element: Element, place: Place, reason: str) -> None:
        """Report every non-empty leaf of an element that has no place."""
        line = line_of(element)
        if text := _own_text(element):
            self.report.unmapped.append(Leaf(place_text(place), line, text, reason))
        for name, value in element.attrib.items():
            if trimmed(str(value)) and not str(name).startswith(SCHEMA_INSTANCE):
                self.report.unmapped.append(Leaf(f"{place_text(place)}/@{_local(str(name))}", line, str(value), reason))
        seen: dict[str, int] = {}
        for child in element:
            if isinstance(child.tag, str):
                count = seen[child.tag] = seen.get(child.tag, 0) + 1
                self._unknown(child, (place, _local(child.tag), count if count > 1 else 0), reason)


def line_of(element: Element) -> int | None:
    """The line it stands in, where the parser knows it."""
    line: Any = element.sourceline
    return int(line) if line is not None else None


def _own_text(element: Element) -> str:
    """The element's text without surrounding white space; comments in between do not cut it."""
    if not len(element):
        return trimmed(element.text or "")
    pieces = [element.text or "", *(child.tail or "" for child in element if not isinstance(child.tag, str))]
    return trimmed("".join(pieces))


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
