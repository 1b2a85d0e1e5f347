"""A mapping laid over its element table: the tree that encoder, decoder, loss check and docs are all made from.

The rows of a mapping follow the canonical document; a Branch tree follows the partner's message, in the order in which
the partner wants it. Everything that can be wrong with a mapping is found here, when it is compiled, all at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.documents.pointers import to_pointer
from gateway.errors import Finding, NeedsOperator
from gateway.mapping.paths import Step, parse
from gateway.mapping.rows import Constant, Each, Group, Row, Scope, Value, When
from gateway.syntax.tables import ElementTable, Node, NodeKind


@dataclass(frozen=True, slots=True)
class Condition:
    """The value at steps of the document's root is value; with value None: it is none of others."""

    steps: tuple[Step, ...]
    value: str | None
    others: tuple[str, ...] = ()

    def holds(self, found: object) -> bool:
        return found == self.value if self.value is not None else found not in self.others


@dataclass(eq=False, slots=True)
class Tie:
    """One Value row at its place: where its canonical leaves are, below the array member (or root) it stands in."""

    row: Value
    steps: tuple[tuple[Step, ...], ...]
    conditions: tuple[Condition, ...]
    # For each of steps: where its object is kept while a message is read. Ties into one object share a number.
    holders: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """One partner leaf of a tie: the part-th element of its row."""

    tie: Tie
    part: int


@dataclass(eq=False, slots=True)
class Repeat:
    """An array on one side, a repeated element on the other."""

    row: Each
    steps: tuple[Step, ...]  # ends in the array's name; the last step's key chooses members
    conditions: tuple[Condition, ...]
    body: Branch
    holder: int = 0  # as in Tie: where the array's object is kept

    @property
    def array(self) -> tuple[Step, ...]:
        """Steps to the array itself, without the choice among its members."""
        return (*self.steps[:-1], Step(self.steps[-1].name))


@dataclass(eq=False, slots=True)
class Branch:
    """One partner element (or attribute) that the mapping speaks of."""

    node: Node
    bounds: list[Bound] = field(default_factory=list)
    constant: Constant | None = None
    attributes: dict[str, Branch] = field(default_factory=dict)
    children: dict[str, Branch] = field(default_factory=dict)
    repeats: list[Repeat] = field(default_factory=list)
    # Ties all of whose partner leaves lie in this branch's scope; only the root and bodies of repeats have them.
    ties: list[Tie] = field(default_factory=list)
    # What a reader must know of it; made when a message is first read.
    reading: Reading | None = None

    def ordered(self) -> Iterator[Branch]:
        """Child branches in the order of the element table."""
        for node in self.node.children:
            branch = self.children.get(node.row.segment)
            if branch is not None:
                yield branch


@dataclass(frozen=True, slots=True)
class Plain:
    """A leaf that one tie carries without condition or conversion: its text goes below name of the object at steps."""

    steps: tuple[Step, ...]
    holder: int
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A child element or attribute as a reader meets it. plain: where the text of an element goes that holds nothing else."""

    name: str
    branch: Branch | None
    single: bool = True
    plain: Plain | None = None
    repeats: tuple[Repeat, ...] = ()
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A branch as a reader meets it: every child element that the table knows and every attribute that the mapping knows,
    by their tags; own: where its own text goes, None where that takes more than putting it there.
    """

    children: dict[str, Entry]
    attributes: dict[str, Entry]
    own: Plain | None


def reading_of(branch: Branch) -> Reading:
    if branch.reading is None:
        children = {tag: _child(branch, node) for tag, node in branch.node.by_tag.items()}
        attributes = {
            below.node.tag: Entry(f"@{below.node.name}", below, plain=_plain(below))
            for below in branch.attributes.values()
        }
        branch.reading = Reading(children, attributes, _plain(branch))
    return branch.reading


def _child(branch: Branch, node: Node) -> Entry:
    name, single = node.row.segment, node.max == 1
    below = branch.children.get(name)
    if below is None:
        return Entry(name, None, single)
    simple = not (below.repeats or below.children or below.attributes)
    return Entry(name, below, single, _plain(below) if simple else None, tuple(below.repeats), bool(below.repeats))


def _plain(branch: Branch) -> Plain | None:
    """Where the branch's own text goes, None where that takes more than putting it there."""
    if branch.constant is not None or len(branch.bounds) != 1:
        return None
    tie = branch.bounds[0].tie
    if tie.row.conversion is not None or tie.conditions or tie.row.bag or tie.steps[0][0].name == "extensions":
        return None
    return Plain(tie.steps[0][:-1], tie.holders[0], tie.steps[0][-1].name)


def homes(root: Branch) -> Iterator[tuple[str, str]]:
    """(partner place, JSON Pointer) of each leaf that holds one value of the document, outside of lists on either side."""
    waiting = [(root.node.name, root)]
    while waiting:
        place, branch = waiting.pop()
        if len(branch.bounds) == 1:
            tie = branch.bounds[0].tie
            if len(tie.steps) == 1 and not tie.conditions and not any(step.key for step in tie.steps[0]):
                yield place, to_pointer(step.name for step in tie.steps[0])
        waiting += [(f"{place}/{below.node.name}", below) for below in branch.children.values() if not below.repeats]


@dataclass(frozen=True, slots=True)
class _Here:
    """Where the compiler stands: the partner branch, the scope's branch, the canonical prefix, the conditions above."""

    branch: Branch
    scope: Branch
    prefix: tuple[Step, ...]
    conditions: tuple[Condition, ...]
    inside_array: bool


class Compiler:
    """Lays rows over a table. Faults are collected; compile() raises them together."""

    def __init__(self, table: ElementTable) -> None:
        self.table = table
        self.findings: list[Finding] = []
        self.holders: dict[tuple[Step, ...], int] = {}

    def compile(self, rows: Sequence[Row]) -> Branch:
        """The tree for these rows. NeedsOperator names every row that fits neither table nor grammar."""
        root = Branch(self.table.root)
        self._lay(rows, _Here(root, root, (), (), inside_array=False))
        if self.findings:
            raise NeedsOperator(f"the mapping of {self.table!r} is wrong", self.findings)
        return root

    def _lay(self, rows: Sequence[Row], here: _Here) -> None:
        for row in rows:
            match row:
                case Value():
                    self._value(row, here)
                case Constant():
                    branch = self._find(row.element, here)
                    if branch is not None:
                        branch.constant = row
                case Group():
                    branch = self._find(row.element, here)
                    if branch is not None:
                        self._lay(row.rows, _Here(branch, here.scope, here.prefix, here.conditions, here.inside_array))
                case Scope():
                    prefix = (*here.prefix, *self._steps(row.path))
                    self._lay(row.rows, _Here(here.branch, here.scope, prefix, here.conditions, here.inside_array))
                case When():
                    self._when(row, here)
                case Each():
                    self._each(row, here)

    def _value(self, row: Value, here: _Here) -> None:
        steps = tuple((*here.prefix, *self._steps(path)) for path in row.paths)
        holders = tuple(self.holders.setdefault(one[:-1], len(self.holders)) for one in steps)
        tie = Tie(row, steps, here.conditions, holders)
        if row.conversion is None and (len(row.elements), len(row.paths)) != (1, 1):
            self._fault(row.elements[0], "several leaves need a conversion")
        here.scope.ties.append(tie)
        for part, element in enumerate(row.elements):
            branch = self._find(element, here)
            if branch is not None:
                if branch.node.kind is NodeKind.ELEMENT and not branch.node.is_leaf:
                    self._fault(element, "is a group in the element table, not a value")
                branch.bounds.append(Bound(tie, part))

    def _when(self, row: When, here: _Here) -> None:
        absolute = row.path.startswith("^")
        if here.inside_array and not absolute:
            self._fault(row.path, "a condition inside an array must start at the root with ^")
        steps = self._steps(row.path[1:]) if absolute else (*here.prefix, *self._steps(row.path))
        named = tuple(case for case, _ in row.cases if case is not None)
        for case, rows in row.cases:
            condition = Condition(steps, case, () if case is not None else named)
            conditions = (*here.conditions, condition)
            self._lay(rows, _Here(here.branch, here.scope, here.prefix, conditions, here.inside_array))

    def _each(self, row: Each, here: _Here) -> None:
        branch = self._find(row.element, here)
        if branch is None:
            return
        body = Branch(branch.node)
        steps = (*here.prefix, *self._steps(row.path))
        holder = self.holders.setdefault(steps[:-1], len(self.holders))
        branch.repeats.append(Repeat(row, steps, here.conditions, body, holder))
        self._lay(row.rows, _Here(body, body, (), here.conditions, inside_array=True))

    def _find(self, element: str, here: _Here) -> Branch | None:
        """The branch at a partner path below here, made where it is missing."""
        branch = here.branch
        for segment in () if element == "." else element.split("/"):
            node = branch.node.below(segment)
            if node is None:
                self._fault(f"{here.branch.node.path}/{element}", "is not in the element table")
                return None
            level = branch.attributes if node.kind is NodeKind.ATTRIBUTE else branch.children
            branch = level.setdefault(segment, Branch(node))
        return branch

    def _steps(self, path: str) -> tuple[Step, ...]:
        try:
            return parse(path)
        except ValueError as problem:
            self._fault(path, str(problem))
            return ()

    def _fault(self, place: str, why: str) -> None:
        self.findings.append(Finding("mapping.table", partner_place=place, found=place, expected=why))
