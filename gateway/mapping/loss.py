"""What a partner's message cannot carry: known for a mapping before any message runs, and named for each document.

Rule: a canonical leaf is carried by a row, ignored for a stated reason, or lost. There is no fourth way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.mapping.paths import FIRST, Step, pattern, read
from gateway.mapping.plan import Branch, Condition, Repeat
from gateway.mapping.report import Later, LossReport


@dataclass(slots=True)
class Home:
    """What the mapping does with one canonical place and with what lies below it."""

    carried: bool = False
    reason: str = ""
    children: dict[str, Home] = field(default_factory=dict)
    members: Home | None = None  # every member of this array
    chosen: dict[tuple[str, str], Home] = field(default_factory=dict)  # the members with key=value
    chosen_arrays: set[tuple[str, str]] = field(default_factory=set)  # those of which there may be many
    has_reasons: bool = False  # something below is ignored
    settled: bool = False  # carried or ignored as a whole
    settled_children: frozenset[str] = frozenset()

    def below(self) -> Iterator[Home]:
        yield from self.children.values()
        yield from self.chosen.values()
        if self.members is not None:
            yield self.members


@dataclass(frozen=True, slots=True)
class _Carrier:
    """One canonical place that a row carries, with the conditions under which it does."""

    steps: tuple[Step | None, ...]  # None: through every member of the array named before
    conditions: tuple[Condition, ...]
    element: str
    whole_array: tuple[int, ...]  # positions of steps whose chosen members may be many


def carriers(branch: Branch, above: tuple[Step | None, ...] = (), many: tuple[int, ...] = ()) -> Iterator[_Carrier]:
    """Every canonical place that a tree carries, from the root down."""
    for inner in _same_scope(branch):
        for bound in inner.bounds:
            for steps in bound.tie.steps:
                yield _Carrier((*above, *steps), bound.tie.conditions, inner.node.path, many)
        for repeat in inner.repeats:
            yield from _repeat_carriers(repeat, above, many)


def _repeat_carriers(repeat: Repeat, above: tuple[Step | None, ...], many: tuple[int, ...]) -> Iterator[_Carrier]:
    steps = (*above, *repeat.steps)
    if repeat.row.spread is not None:
        yield _Carrier(steps, repeat.conditions, repeat.body.node.path, many)
        return
    choice = repeat.steps[-1]
    if choice.key:
        yield from carriers(repeat.body, steps, (*many, len(steps) - 1))
    else:
        yield from carriers(repeat.body, (*steps, None), many)


def _same_scope(branch: Branch) -> Iterator[Branch]:
    yield branch
    for below in (*branch.attributes.values(), *branch.children.values()):
        yield from _same_scope(below)


def homes(plan: Branch, ignored: Mapping[str, str], holds: Mapping[Condition, bool]) -> Home:
    """The tree of homes under given conditions. A path in ignored goes through every member of an array as ``name[]``."""
    root = Home()
    for carrier in carriers(plan):
        if all(holds[condition] for condition in carrier.conditions):
            _place(root, carrier).carried = True
    for path, reason in ignored.items():
        node = root
        for name in path.split("."):
            node = node.children.setdefault(name.removesuffix("[]"), Home())
            if name.endswith("[]"):
                node.members = node.members or Home()
                node = node.members
        node.reason = reason
    _settle(root)
    return root


def _settle(node: Home) -> bool:
    """Note at each node what follows from its row and its reason; whether a reason stands at a node or below it."""
    marked = [_settle(below) for below in node.below()]
    node.has_reasons = any(marked)
    node.settled = node.carried or bool(node.reason)
    node.settled_children = frozenset(name for name, below in node.children.items() if below.settled)
    return node.has_reasons or bool(node.reason)


def _place(node: Home, carrier: _Carrier) -> Home:
    for index, step in enumerate(carrier.steps):
        if step is None:
            node.members = node.members or Home()
            node = node.members
            continue
        node = node.children.setdefault(step.name, Home())
        if step.key:
            choice = (step.key, step.value)
            node = _chosen(node, choice, many=index in carrier.whole_array)
    return node


def _chosen(node: Home, choice: tuple[str, str], *, many: bool) -> Home:
    if many:
        node.chosen_arrays.add(choice)
    home = node.chosen.setdefault(choice, Home())
    if choice[0] != FIRST:
        home.children.setdefault(choice[0], Home()).carried = True
    return home


class LossCheck:
    """Names what one document would lose. One tree of homes per outcome of the mapping's conditions, made when first met."""

    def __init__(self, plan: Branch, ignored: Mapping[str, str]) -> None:
        self.plan = plan
        self.ignored = ignored
        found = {condition for carrier in carriers(plan) for condition in carrier.conditions}
        self.conditions = tuple(found)
        self.made: dict[tuple[bool, ...], Home] = {}

    def homes(self, document: Mapping[str, Any]) -> Home:
        outcome = tuple(condition.holds(read(document, condition.steps)) for condition in self.conditions)
        if outcome not in self.made:
            self.made[outcome] = homes(self.plan, self.ignored, dict(zip(self.conditions, outcome, strict=True)))
        return self.made[outcome]

    def report(self, document: Mapping[str, Any]) -> LossReport:
        home = self.homes(document)

        def sorting() -> tuple[tuple[str, ...], Mapping[str, str], tuple[str, ...]]:
            carried: list[str] = []
            ignored: dict[str, str] = {}
            lost: list[str] = []
            _sort(document, home, "", carried, ignored, lost)
            return tuple(carried), ignored, tuple(lost)

        if _nothing_lost(document, home):
            ignored: dict[str, str] = {}
            _collect_ignored(document, home, "", ignored)
            return LossReport(carried=Later(lambda: sorting()[0]), ignored=ignored)
        return LossReport(*sorting())


def _nothing_lost(value: Any, home: Home) -> bool:
    """Whether every leaf has a row or a reason; the quick look that most documents pass."""
    if isinstance(value, dict):
        if value.keys() <= home.settled_children:
            return True
        children = home.children
        for name, inner in value.items():
            below = children.get(name)
            if below is None:
                return False
            if below.settled or (type(inner) is dict and inner.keys() <= below.settled_children):
                continue
            if not _nothing_lost(inner, below):
                return False
        return True
    if not isinstance(value, list):
        return value is None or value == ""
    used: set[tuple[str, str]] = set()
    for member in value:
        below = _home_of(member, home, used) if home.chosen else home.members
        if below is None or not (below.settled or _nothing_lost(member, below)):
            return False
    return True


def _collect_ignored(value: Any, home: Home, at: str, ignored: dict[str, str]) -> None:
    """The places with a reason; branches without any are not entered."""
    if home.reason:
        ignored[at] = home.reason
    elif not home.has_reasons:
        return
    elif isinstance(value, dict):
        for name, below in home.children.items():
            if name in value and (below.reason or below.has_reasons):
                _collect_ignored(value[name], below, f"{at}/{_escape(name)}", ignored)
    elif isinstance(value, list):
        used: set[tuple[str, str]] = set()
        for index, member in enumerate(value):
            below_member = _home_of(member, home, used)
            if below_member is not None:
                _collect_ignored(member, below_member, f"{at}/{index}", ignored)


def _home_of(member: Any, home: Home, used: set[tuple[str, str]]) -> Home | None:
    """Where an array member goes. Of members chosen by key the message has one place; a second one finds it taken."""
    if isinstance(member, dict):
        for choice, chosen in home.chosen.items():
            if (choice[0] == FIRST or member.get(choice[0]) == choice[1]) and (
                choice not in used or choice in home.chosen_arrays
            ):
                used.add(choice)
                return chosen
    return home.members


def _sort(value: Any, home: Home | None, at: str, carried: list[str], ignored: dict[str, str], lost: list[str]) -> None:
    if home is not None and home.reason:
        ignored[at] = home.reason
    elif home is not None and home.carried:
        carried.append(at)
    elif isinstance(value, dict):
        for name, inner in value.items():
            below = home.children.get(name) if home is not None else None
            _sort(inner, below, f"{at}/{_escape(name)}", carried, ignored, lost)
    elif isinstance(value, list):
        _sort_members(value, home, at, carried, ignored, lost)
    elif value is not None and value != "":
        lost.append(at)


def _sort_members(
    members: list[Any], home: Home | None, at: str, carried: list[str], ignored: dict[str, str], lost: list[str]
) -> None:
    used: set[tuple[str, str]] = set()
    for index, member in enumerate(members):
        below = _home_of(member, home, used) if home is not None else None
        _sort(member, below, f"{at}/{index}", carried, ignored, lost)


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, slots=True)
class LossRow:
    """One canonical leaf in the loss table. fate: carried, ignored or lost; where: partner elements, or the reason."""

    path: str
    fate: str
    where: tuple[str, ...]


def loss_table(plan: Branch, ignored: Mapping[str, str], leaves: Iterable[str]) -> list[LossRow]:
    """The fate of every canonical leaf, whatever document comes. leaves: patterns such as ``a.b[].c``."""
    places: dict[str, list[str]] = {}
    for carrier in carriers(plan):
        choice = ", ".join(step.choice for step in carrier.steps if step is not None and step.key)
        element = carrier.element + (f" ({choice})" if choice else "")
        places.setdefault(path_pattern(carrier.steps), []).append(element)
        for index, step in enumerate(carrier.steps):
            if step is not None and step.key not in ("", FIRST):
                places.setdefault(f"{path_pattern(carrier.steps[: index + 1])}.{step.key}", []).append(element)
    table = []
    for leaf in leaves:
        reason = next((why for path, why in ignored.items() if _below(leaf, path)), "")
        found = places.get(leaf) or places.get(leaf.removesuffix("[]")) or _whole(leaf, places)
        if reason:
            table.append(LossRow(leaf, "ignored", (reason,)))
        elif found:
            table.append(LossRow(leaf, "carried", tuple(dict.fromkeys(found))))
        else:
            table.append(LossRow(leaf, "lost", ()))
    return table


def path_pattern(steps: tuple[Step | None, ...]) -> str:
    text = ""
    for step in steps:
        if step is None:
            text += "[]"
        else:
            text += ("." if text else "") + pattern((step,))
    return text


def _below(leaf: str, path: str) -> bool:
    return leaf == path or leaf.startswith((f"{path}.", f"{path}[]"))


def _whole(leaf: str, places: Mapping[str, list[str]]) -> list[str]:
    """A leaf below something that a row carries as a whole."""
    return next((found for path, found in places.items() if _below(leaf, path)), [])
