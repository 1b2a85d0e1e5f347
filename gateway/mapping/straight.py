"""The straight way through a message that holds nothing odd: the decoder's plan flattened to tables, and one loop over them.

For each outcome of a mapping's conditions the plan is laid out once: for every group a table of its children by tag, in
each the object that a text goes into, by number, and its name there. The loop fills the document and keeps no account.

Rule 1: this way explains nothing. What it does not foresee (an element or attribute without a row, stray text, a second value
        where one may stand, a value that cannot be read or that we would spell otherwise, a comment) ends it, and the walk
        of decode.py takes the message from its beginning.
Rule 2: a document read this way is the one that the walk reads, its members in the same order, and the report is the
        walk's: what became of each leaf is asked of the walk when somebody looks (DecodeReport.again).
Rule 3: both ways are made from the same tree (plan.py); this module knows no row that is not in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from lxml import etree

from gateway.mapping.paths import Step
from gateway.mapping.plan import Bound, Branch, Condition, Repeat, Tie
from gateway.mapping.rows import Conversion
from gateway.syntax.explain import XSI
from gateway.syntax.white_space import WHITE_SPACE

Element = etree._Element
Known = Mapping[tuple[Step, ...], Any]


class Unforeseen(Exception):
    """Something that only the explaining walk can deal with; it never leaves this module."""


class Texts(NamedTuple):
    """How the texts of a message stood. padded: white space around a value; empty: an element or attribute without one."""

    padded: bool
    empty: bool


class Straight:
    """Reads the orderly messages of one mapping."""

    def __init__(self, plan: Branch, *, empty_means_absent: bool) -> None:
        self.plan = plan
        self.empty_means_absent = empty_means_absent
        self.conditions = tuple(dict.fromkeys(_conditions(plan)))
        self.bodies: dict[tuple[bool, ...], Body] = {}

    def read(self, root: Element, target: dict[str, Any], known: Known) -> Texts | None:
        """Fill target, which is empty; None where the message is not orderly, and target then holds a part of it.

        known: the values that conditions ask for.
        """
        outcome = tuple([condition.holds(known.get(condition.steps)) for condition in self.conditions])
        body = self.bodies.get(outcome)
        if body is None:
            holds = dict(zip(self.conditions, outcome, strict=True))
            body = self.bodies[outcome] = _Layout(holds).body(self.plan)
        passage = _Passage(self.empty_means_absent)
        try:
            passage.member(body, root, target)
        except (Unforeseen, ValueError):  # a conversion says by ValueError that it cannot read a text
            return None
        return Texts(passage.padded, passage.empty)


def _conditions(branch: Branch) -> Iterator[Condition]:
    for bound in branch.bounds:
        yield from bound.tie.conditions
    for repeat in branch.repeats:
        yield from repeat.conditions
        yield from _conditions(repeat.body)
    for below in (*branch.attributes.values(), *branch.children.values()):
        yield from _conditions(below)


# What the tables hold.


class Holder(NamedTuple):
    """An object that leaves are put into: the step that leads to it from the one above."""

    above: int
    step: Step


class Leaf(NamedTuple):
    """Where a text goes: below name of an object. decode: it is converted first; put: it takes more than that."""

    holder: int
    name: str
    decode: Callable[..., tuple[Any, ...]] | None = None
    put: Callable[[_Scope, str], None] | None = None


class Group(NamedTuple):
    """An element with attributes or children; own: where its own text goes. single: children of which one may stand."""

    children: dict[str, Child]
    attributes: dict[str, Leaf]
    own: Leaf | None
    single: frozenset[str]


class Array(NamedTuple):
    """A repeated element, and the array of an object that its members go to."""

    holder: int
    step: Step
    body: Body


class Child(NamedTuple):
    """A child element; one of leaf, group and array says what it is. position: among its brothers in the element table."""

    position: int
    single: bool
    leaf: Leaf | None
    group: Group | None
    array: Array | None


class Body(NamedTuple):
    """The root or an array member. holders: its objects by number, itself the first."""

    group: Group
    holders: list[Holder]
    absent: list[None]  # one for each but itself


class _Layout:
    """Lays out a plan for one outcome of its conditions."""

    def __init__(self, holds: Mapping[Condition, bool]) -> None:
        self.holds = holds

    def body(self, branch: Branch) -> Body:
        numbers: dict[tuple[Step, ...], int] = {(): 0}
        holders = [Holder(0, Step(""))]
        group = self._group(branch, numbers, holders)
        return Body(group, holders, [None] * (len(holders) - 1))

    def _group(self, branch: Branch, numbers: dict[tuple[Step, ...], int], holders: list[Holder]) -> Group:
        def number(steps: tuple[Step, ...]) -> int:
            if steps not in numbers:
                holders.append(Holder(number(steps[:-1]), steps[-1]))
                numbers[steps] = len(holders) - 1
            return numbers[steps]

        children: dict[str, Child] = {}
        for position, (tag, node) in enumerate(branch.node.by_tag.items()):
            below = branch.children.get(node.row.segment)
            if below is None:
                continue
            single = node.max == 1 and not below.repeats
            if below.repeats:
                array = self._array(below, number)
                if array is not None:
                    children[tag] = Child(position, single, None, None, array)
            elif below.children or below.attributes:
                children[tag] = Child(position, single, None, self._group(below, numbers, holders), None)
            elif leaf := self._leaf(below, number):
                children[tag] = Child(position, single, leaf, None, None)
        attributes = {
            below.node.tag: leaf for below in branch.attributes.values() if (leaf := self._leaf(below, number))
        }
        alone = frozenset(tag for tag, child in children.items() if child.single)
        return Group(children, attributes, self._leaf(branch, number), alone)

    def _array(self, branch: Branch, number: Callable[[tuple[Step, ...]], int]) -> Array | None:
        repeat: Repeat | None = next((one for one in branch.repeats if self._all(one.conditions)), None)
        if repeat is None or repeat.row.spread is not None:
            return None
        return Array(number(repeat.steps[:-1]), repeat.steps[-1], self.body(repeat.body))

    def _leaf(self, branch: Branch, number: Callable[[tuple[Step, ...]], int]) -> Leaf | None:
        """Where the branch's own text goes; None where it has no place, or none under these conditions."""
        if branch.constant is not None:
            return Leaf(0, "", put=_constant(branch.constant.text))
        bound: Bound | None = next((one for one in branch.bounds if self._all(one.tie.conditions)), None)
        if bound is None:
            return None
        tie = bound.tie
        targets = tuple((number(steps[:-1]), steps[-1].name) for steps in tie.steps)
        conversion = tie.row.conversion
        if conversion is None:
            return Leaf(*targets[0])
        if len(tie.row.elements) > 1:
            return Leaf(*targets[0], put=_part(tie, bound.part, _converting(conversion, targets)))
        if len(targets) > 1 or conversion.generous:
            return Leaf(*targets[0], put=_whole(_converting(conversion, targets)))
        return Leaf(*targets[0], conversion.decode)

    def _all(self, conditions: tuple[Condition, ...]) -> bool:
        return all(self.holds[condition] for condition in conditions)


# What a text needs beyond being put somewhere.

Converting = Callable[["_Scope", tuple[str | None, ...]], None]


def _constant(expected: str) -> Callable[[_Scope, str], None]:
    def put(_: _Scope, text: str) -> None:
        if text != expected:
            raise Unforeseen

    return put


def _converting(conversion: Conversion, targets: tuple[tuple[int, str], ...]) -> Converting:
    """Put down what the texts of a row say together."""
    decode, encode, generous = conversion.decode, conversion.encode, conversion.generous

    def convert(scope: _Scope, texts: tuple[str | None, ...]) -> None:
        values = decode(*texts)
        if generous and encode(*values) != texts:
            raise Unforeseen
        objects, said = scope.objects, False
        for value, (holder, name) in zip(values, targets, strict=False):
            if value is not None:
                said = True
                (objects[holder] or scope.object(holder))[name] = value
        if not said:
            raise Unforeseen

    return convert


def _whole(convert: Converting) -> Callable[[_Scope, str], None]:
    return lambda scope, text: convert(scope, (text,))


def _part(tie: Tie, part: int, convert: Converting) -> Callable[[_Scope, str], None]:
    """One of several texts that only together say something: it waits for the others until its scope ends."""
    count = len(tie.row.elements)

    def put(scope: _Scope, text: str) -> None:
        if scope.waiting is None:
            scope.waiting = {}
        if id(tie) not in scope.waiting:
            scope.waiting[id(tie)] = (convert, [None] * count)
        scope.waiting[id(tie)][1][part] = text

    return put


class _Scope:
    """One array member (or the root) being filled. objects: its objects by number, None until something is put there."""

    __slots__ = ("holders", "objects", "waiting")

    waiting: dict[int, tuple[Converting, list[str | None]]] | None

    def __init__(self, body: Body, item: dict[str, Any]) -> None:
        self.holders = body.holders
        self.objects: list[dict[str, Any] | None] = [item, *body.absent]
        self.waiting = None

    def object(self, number: int) -> dict[str, Any]:
        """The object with this number, made where it is missing."""
        found = self.objects[number]
        if found is None:
            above, step = self.holders[number]
            around = self.objects[above]
            if around is None:
                around = self.object(above)
            found = _chosen(around, step) if step.key else around.setdefault(step.name, {})
            self.objects[number] = found
        return found


def _chosen(around: dict[str, Any], step: Step) -> dict[str, Any]:
    """The member of an array that a step picks, made where there is none."""
    array: list[dict[str, Any]] = around.setdefault(step.name, [])
    for member in array:
        if step.picks(member):
            return member
    array.append(step.fresh)
    return array[-1]


class _Passage:
    """One message on its way."""

    __slots__ = ("empty", "empty_means_absent", "padded")

    def __init__(self, empty_means_absent: bool) -> None:
        self.empty_means_absent = empty_means_absent
        self.padded = False
        self.empty = False

    def member(self, body: Body, element: Element, item: dict[str, Any]) -> None:
        """Fill the root or an array member from its element."""
        scope = _Scope(body, item)
        self.group(body.group, element, scope)
        if scope.waiting:
            for convert, texts in scope.waiting.values():
                convert(scope, tuple(texts))

    def group(self, group: Group, element: Element, scope: _Scope) -> None:  # noqa: C901, PLR0912 - see below
        """One element with what stands in it, in whatever order. One long loop: a call a leaf would cost as much as a leaf."""
        children, attributes, own, _ = group
        if attributes or element.keys():
            self.attributes(attributes, element, scope)
        objects, last, counted = scope.objects, -1, False
        for inner in element if len(element) else ():
            child = children.get(inner.tag)
            if child is None:
                raise Unforeseen
            position, single, leaf, below, array = child
            if position > last:
                last = position
            elif single and not counted:
                _refuse_second(group, element)
                counted = True
            if leaf is None:
                if below is not None:
                    self.group(below, inner, scope)
                elif array is not None:
                    self.array(array, inner, scope)
                continue
            if len(inner) or inner.keys():
                raise Unforeseen
            text = inner.text
            if not text or text.strip() != text:  # the quick question, which takes every blank of Unicode for one
                text = self.bare(text)
                if not text:
                    continue
            # As _put() does it.
            holder, name, decode, put = leaf
            if put is not None:
                put(scope, text)
                continue
            target = objects[holder]
            if target is None:
                target = scope.object(holder)
            if decode is None:
                target[name] = text
            elif (value := decode(text)[0]) is not None:
                target[name] = value
            else:
                raise Unforeseen
        if own is None:
            if last < 0:
                self.empty = True
            if (stray := element.text) and stray.strip(WHITE_SPACE):
                raise Unforeseen
        elif text := self.bare(element.text):
            _put(own, text, scope)

    def attributes(self, known: Mapping[str, Leaf], element: Element, scope: _Scope) -> None:
        pairs: Any = element.items()  # of an element that was parsed both are texts
        for tag, given in pairs:
            text = given.strip(WHITE_SPACE)
            if text != given or not text:
                self.padded = True  # an empty value is blank, too
            leaf = known.get(tag)
            if leaf is not None:
                if text:
                    _put(leaf, text, scope)
            elif text and not tag.startswith(XSI):
                raise Unforeseen

    def array(self, array: Array, element: Element, scope: _Scope) -> None:
        """A repeated element becomes a member, unless it says nothing."""
        holder, step, body = array
        name = step.name
        around = scope.objects[holder] or scope.object(holder)
        member = step.fresh if step.key else {}
        members = around.get(name)
        if members is None:
            members = around[name] = [member]
        else:
            members.append(member)
        self.member(body, element, member)
        if step.key and len(member) == 1:
            raise Unforeseen  # the key may have been told, or not
        if not member and self.empty_means_absent:
            members.pop()
            if not members:
                del around[name]

    def bare(self, given: str | None) -> str:
        """A text without the white space around it, which is noted."""
        if given and given.strip() == given:
            return given
        text = given.strip(WHITE_SPACE) if given else ""
        if not text:
            self.empty = True
        elif text != given:
            self.padded = True
        return text


def _put(leaf: Leaf, text: str, scope: _Scope) -> None:
    holder, name, decode, put = leaf
    if put is not None:
        put(scope, text)
        return
    value = text if decode is None else decode(text)[0]
    if value is None:
        raise Unforeseen
    target = scope.objects[holder]
    if target is None:
        target = scope.object(holder)
    target[name] = value


def _refuse_second(group: Group, element: Element) -> None:
    """Children stand in another order than the table's: is one among them a second time that may stand but once?"""
    counts = Counter([child.tag for child in element])
    if any(counts[tag] > 1 for tag in group.single):
        raise Unforeseen
