"""The encoder: a mapping's tree compiled to a Python function that writes the partner's message as text.

Building a tree and serialising it costs three times what parsing costs; emitting escaped text, parsed and checked once
afterwards, half as much (docs/adr/0003). The generated function reads canonical values by plain dictionary look-ups and appends
strings; what is absent or empty is not written, a group with nothing in it neither, unless the partner requires it.

Most documents hold nothing that XML must escape. One look at their JSON tells, and for these there is a second function
from the same tree that writes values as they are; every other document takes the one that escapes each value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.errors import Finding, RuleBroken
from gateway.mapping.paths import EMPTY, Step, expression, member
from gateway.mapping.plan import Bound, Branch, Condition, Repeat
from gateway.mapping.rows import Conversion
from gateway.syntax.tables import Node

# XML 1.0, production 2: characters that no XML document can hold.
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
SPECIAL = re.compile("[&<>\r]")
SPECIAL_IN_ATTRIBUTE = re.compile('[&<>"\r\n\t]')
# In the JSON of a document, what may stand for a character above: JSON writes quotes and controls with a backslash.
MARKS = (b"\\", b"&", b"<", b">", "\ufffe".encode(), "\uffff".encode())
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}

# More alternatives than this cost more to ask about than the group costs to write.
MOST_GUARDS = 6
NOTHING = [(None,) * count for count in range(64)]

Emitter = Callable[[dict[str, Any], list[Finding]], list[str]]


def is_plain(document: dict[str, Any]) -> bool:
    """Whether no text of a document holds anything that XML escapes or refuses; False too where it is no JSON."""
    try:
        written = orjson.dumps(document)
    except TypeError:  # orjson's own error for what JSON does not have, lone surrogates among it
        return False
    return not any(mark in written for mark in MARKS)


def escape(value: str) -> str:
    """Element text. A carriage return is written as a reference, or the reader would turn it into a line feed."""
    return SPECIAL.sub(lambda found: ESCAPES[found[0]], value) if SPECIAL.search(value) else value


def escape_attribute(value: str) -> str:
    return SPECIAL_IN_ATTRIBUTE.sub(lambda found: ESCAPES[found[0]], value)


def pointer_to(scope: Any, steps: tuple[Step, ...]) -> str:
    """JSON Pointer of steps below a scope, with the indexes that chosen members really have there."""
    pointer = ""
    for step in steps:
        pointer += f"/{step.name}"
        scope = scope.get(step.name) if isinstance(scope, dict) else None
        if step.key and isinstance(scope, list):
            index = next((place for place, candidate in enumerate(scope) if step.picks(candidate)), None)
            if index is None:
                return pointer
            pointer += f"/{index}"
            scope = scope[index]
    return pointer


# Where an array member stands: the member it stands in, the scope and steps that lead to its array, its index.
Place = Any


def place_of(place: Place) -> str:
    """JSON Pointer of an array member; made only when something is wrong with it."""
    if place is None:
        return ""
    above, scope, steps, index = place
    return place_of(above) + pointer_to(scope, steps) + ("" if index is None else f"/{index}")


def converted(
    conversion: Conversion,
    part: int,
    values: tuple[Any, ...],
    errors: list[Finding],
    at: Place,
    scope: Any,
    steps: tuple[tuple[Step, ...], ...],
) -> str | None:
    """One text of a conversion; a refusal becomes a finding, once however many parts there are."""
    if values == NOTHING[len(values)]:
        return None
    try:
        return conversion.encode(*values)[part]
    except ValueError as problem:
        if part == 0:
            found = ", ".join(str(value) for value in values if value is not None)
            where = place_of(at) + pointer_to(scope, steps[0])
            errors.append(Finding("mapping.value", pointer=where, found=found[:80], expected=str(problem)))
        return None


class Writer:
    """Writes the source of one encoder. plain: for documents that is_plain() lets pass; only conversions are escaped."""

    def __init__(self, root: Branch, default_namespace: str, *, plain: bool = False) -> None:
        self.root = root
        self.default_namespace = default_namespace
        self.plain = plain
        self.lines: list[str] = []
        self.names: dict[str, Any] = {
            "E": EMPTY,
            "M": member,
            "T": escape,
            "A": escape_attribute,
            "K": converted,
        }
        self.conditions: dict[tuple[Step, ...], str] = {}
        # By scope: its blocks from the outermost in, each with the holders that are read at its beginning.
        self.blocks: dict[str, list[Block]] = {}
        self.bodies: dict[str, Node] = {}
        self.count = 0

    def function(self) -> Emitter:
        body = Lines(1)
        self._scope(self.root, body, "s0", "None")
        head = Lines(1)
        head.add("out = []", "w = out.append")
        for steps, name in self.conditions.items():
            head.add(f"{name} = {expression('s0', steps)}")
        source = "\n".join(["def encode(s0, errors):", *head.lines, *body.lines, "    return out"])
        exec(compile(source, f"<encoder of {self.root.node.path}>", "exec"), self.names)  # noqa: S102 - our own source
        made: Emitter = self.names["encode"]
        return made

    # One element.

    def _branch(self, branch: Branch, body: Lines, scope: str, at: str) -> None:
        text = self._text(branch, body, scope, at)
        attributes = [
            (attribute, name)
            for attribute in branch.attributes.values()
            if (name := self._text(attribute, body, scope, at)) is not None
        ]
        if branch.children or branch.repeats:
            self._group(branch, body, scope, at, attributes)
        elif text is not None or attributes:
            present = " or ".join(name for name in [text, *(name for _, name in attributes)] if name)
            body.add(f"if {present}:")
            pieces = self._opening(branch, attributes)
            if text is not None:
                written = self._escaped(branch, text, "T")
                pieces.append(f"({written} if {text} else '')" if attributes else written)
            pieces.append(repr(f"</{self._tag(branch)}>"))
            body.deeper().add(f"w({' + '.join(pieces)})")

    def _group(self, branch: Branch, body: Lines, scope: str, at: str, attributes: list[tuple[Branch, str]]) -> None:
        required = branch.node.min > 0 or branch is self.root
        # A member of an array nearly always says something.
        member_itself = branch.node is self.bodies.get(scope)
        guards = None if required or attributes or member_itself else self._guards(branch, body, scope)
        if guards:
            # Nothing below can say anything while all that it reads from is absent.
            body.add(f"if {' or '.join(guards)}:")
            with self._block(body.deeper(), scope) as inner:
                self._content(branch, inner, scope, at, attributes, required=False)
        else:
            self._content(branch, body, scope, at, attributes, required=required)

    def _content(
        self,
        branch: Branch,
        body: Lines,
        scope: str,
        at: str,
        attributes: list[tuple[Branch, str]],
        *,
        required: bool,
    ) -> None:
        mark = self._fresh("n")
        body.add(f"w({' + '.join(self._opening(branch, attributes))})")
        body.add(f"{mark} = len(out)")
        for child in branch.ordered():
            for repeat in child.repeats:
                self._repeat(repeat, body, scope, at)
            if child.bounds or child.constant or child.children or child.attributes:
                self._branch(child, body, scope, at)
        closing = f"w({'</' + self._tag(branch) + '>'!r})"
        if required:
            body.add(closing)
            return
        filled = " or ".join([f"len(out) > {mark}", *(name for _, name in attributes)])
        body.add(f"if {filled}:")
        body.deeper().add(closing)
        body.add("else:")
        body.deeper().add(f"del out[{mark} - 1:]")

    def _guards(self, branch: Branch, body: Lines, scope: str) -> list[str]:
        """Conditions of which one must hold for a group to have content; [] where that cannot be said beforehand."""
        read: set[tuple[Step, ...]] = set()
        guards: dict[str, None] = {}
        for inner in _below(branch):
            if inner.constant is not None or any(bound.tie.row.default is not None for bound in inner.bounds):
                return []
            read.update(steps for bound in inner.bounds for steps in bound.tie.steps)
            read.update(repeat.steps for repeat in inner.repeats)
        holders = {steps[:-1] for steps in read}
        for steps in sorted(read, key=lambda one: (len(one), str(one))):
            # An object that stands in another of them is absent where that is.
            outermost = next((steps[:end] for end in range(1, len(steps)) if steps[:end] in holders), ())
            if outermost:
                guards[self._holder(outermost, scope)] = None
            else:
                guards[f"{self._read(steps, scope)} is not None"] = None
        return list(guards) if len(guards) <= MOST_GUARDS else []

    def _holder(self, steps: tuple[Step, ...], scope: str) -> str:
        """A variable that holds the object at these steps, or the empty mapping; read once a block."""
        if not steps:
            return scope
        blocks = self.blocks[scope]
        for block in blocks:
            if steps in block.holders:
                return block.holders[steps]
        above = self._holder(steps[:-1], scope)
        name = blocks[-1].holders[steps] = self._fresh("h")
        blocks[-1].head.add(f"{name} = {expression(above, steps[-1:], empty=True)}")
        return name

    @contextmanager
    def _block(self, body: Lines, scope: str) -> Iterator[Lines]:
        """Lines with what is read from the scope before them; what is read there is known to no line outside."""
        block, content = Block(Lines(body.depth)), Lines(body.depth)
        self.blocks.setdefault(scope, []).append(block)
        yield content
        self.blocks[scope].pop()
        body.lines += block.head.lines + content.lines

    def _read(self, steps: tuple[Step, ...], scope: str) -> str:
        return expression(self._holder(steps[:-1], scope), steps[-1:])

    def _opening(self, branch: Branch, attributes: list[tuple[Branch, str]]) -> list[str]:
        """The pieces of the start tag, to be added up; an attribute without a value is not written."""
        declarations = self._declarations() if branch is self.root else ""
        start = f"<{self._tag(branch)}{declarations}"
        if not attributes:
            return [repr(f"{start}>")]
        pieces = [repr(start)]
        for attribute, name in attributes:
            opening = f' {self._attribute(attribute)}="'
            pieces.append(f"({opening!r} + {self._escaped(attribute, name, 'A')} + '\"' if {name} else '')")
        return [*pieces, "'>'"]

    def _escaped(self, branch: Branch, name: str, function: str) -> str:
        """The text of a leaf as it is written. A plain document has plain values; what a conversion makes may be anything."""
        made_here = branch.constant is not None or any(
            bound.tie.row.conversion is not None or bound.tie.row.default is not None for bound in branch.bounds
        )
        return f"{function}({name})" if made_here or not self.plain else name

    def _repeat(self, repeat: Repeat, body: Lines, scope: str, at: str) -> None:
        inner = self._under(repeat.conditions, body)
        item, index, place = self._fresh("s"), self._fresh("i"), self._fresh("p")
        steps, choice = repeat.array, repeat.steps[-1]
        here = self._name("steps", steps)
        if repeat.row.spread is None:
            members = self._fresh("m")
            inner.add(f"{members} = {self._read(steps, scope)}")
            inner.add(f"for {index}, {item} in enumerate({members}) if {members} else ():")
            loop = inner.deeper()
            if choice.key:
                loop.add(f"if {item}.get({choice.key!r}) != {choice.value!r}: continue")
            loop.add(f"{place} = ({at}, {scope}, {here}, {index})")
        else:
            spread = self._name("spread", repeat.row.spread[0])
            value = self._fresh("v")
            inner.add(f"{value} = {self._read(steps, scope)}")
            inner.add(f"for {item} in ({spread}({value}) if {value} is not None else ()):")
            loop = inner.deeper()
            loop.add(f"{place} = ({at}, {scope}, {here}, None)")
        self._scope(repeat.body, loop, item, place)

    def _scope(self, branch: Branch, body: Lines, scope: str, at: str) -> None:
        """A branch that stands in a scope of its own, with what is read from that scope hoisted before it."""
        self.bodies[scope] = branch.node
        with self._block(body, scope) as content:
            self._branch(branch, content, scope, at)

    # One leaf.

    def _text(self, branch: Branch, body: Lines, scope: str, at: str) -> str | None:
        """Source that leaves the leaf's text in a variable; returns its name, None for a branch without a text."""
        if branch.constant is not None:
            return repr(branch.constant.text)
        if not branch.bounds:
            return None
        name = self._fresh("t")
        first = branch.bounds[0]
        if len(branch.bounds) == 1 and not first.tie.conditions:
            body.add(f"{name} = {self._value(first, body, scope, at)}")
        else:
            body.add(f"{name} = None")
            for bound in branch.bounds:
                inner = self._under(bound.tie.conditions, body)
                inner.add(f"if {name} is None: {name} = {self._value(bound, body, scope, at)}")
        default = next((bound.tie.row.default for bound in branch.bounds if bound.tie.row.default is not None), None)
        if default is not None:
            body.add(f"if {name} is None: {name} = {default!r}")
        return name

    def _value(self, bound: Bound, body: Lines, scope: str, at: str) -> str:
        tie = bound.tie
        values = [self._read(steps, scope) for steps in tie.steps]
        if tie.row.conversion is None:
            return values[0]
        conversion = self._name("conversion", tie.row.conversion)
        steps = self._name("steps", tie.steps)
        if len(values) > 1:
            return f"K({conversion}, {bound.part}, ({', '.join(values)},), errors, {at}, {scope}, {steps})"
        value = self._fresh("v")
        made = f"K({conversion}, {bound.part}, ({value},), errors, {at}, {scope}, {steps})"
        return f"{made} if ({value} := {values[0]}) is not None else None"

    def _under(self, conditions: tuple[Condition, ...], body: Lines) -> Lines:
        for condition in conditions:
            name = self.conditions.setdefault(condition.steps, f"c{len(self.conditions)}")
            if condition.value is not None:
                body.add(f"if {name} == {condition.value!r}:")
            else:
                body.add(f"if {name} not in {condition.others!r}:")
            body = body.deeper()
        return body

    # Names.

    def _tag(self, branch: Branch) -> str:
        node = branch.node
        if node.namespace == self.default_namespace:
            return node.name
        return f"{node.prefix}:{node.name}" if node.namespace else node.name

    def _attribute(self, branch: Branch) -> str:
        node = branch.node
        return f"{node.prefix}:{node.name}" if node.namespace else node.name

    def _declarations(self) -> str:
        prefixes = self.root.node.table.namespaces
        used = sorted({branch.node.namespace for branch in every(self.root)} - {""})
        named = {uri: prefix for prefix, uri in prefixes.items()}
        return "".join(
            f' xmlns="{uri}"' if uri == self.default_namespace else f' xmlns:{named[uri]}="{uri}"' for uri in used
        )

    def _fresh(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def _name(self, kind: str, thing: Any) -> str:
        name = f"{kind}_{len(self.names)}"
        self.names[name] = thing
        return name


class Lines:
    """Source lines at one indentation; deeper() writes into the same list."""

    def __init__(self, depth: int, lines: list[str] | None = None) -> None:
        self.depth = depth
        self.lines: list[str] = [] if lines is None else lines

    def add(self, *sources: str) -> None:
        self.lines += ["    " * self.depth + source for source in sources]

    def deeper(self) -> Lines:
        return Lines(self.depth + 1, self.lines)


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of source that runs as a whole: the lines at its beginning, and the variables they give it."""

    head: Lines
    holders: dict[tuple[Step, ...], str] = field(default_factory=dict)


def _below(branch: Branch) -> Iterator[Branch]:
    """The branches of a group in the same scope, itself not counted."""
    for below in (*branch.attributes.values(), *branch.children.values()):
        yield below
        yield from _below(below)


def every(branch: Branch) -> Iterator[Branch]:
    """A branch and all below it, attributes and bodies of repeats too."""
    yield branch
    for below in (*branch.attributes.values(), *branch.children.values()):
        yield from every(below)
    for repeat in branch.repeats:
        yield from every(repeat.body)


DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True, slots=True)
class Encoder:
    """Both functions of one mapping."""

    careful: Emitter
    plain: Emitter

    @classmethod
    def of(cls, root: Branch, default_namespace: str) -> Encoder:
        careful = Writer(root, default_namespace).function()
        return cls(careful, Writer(root, default_namespace, plain=True).function())

    def text(self, document: dict[str, Any]) -> str:
        """The message. RuleBroken carries every value that could not be written, and characters no XML can hold."""
        errors: list[Finding] = []
        if is_plain(document):
            written = DECLARATION + "".join(self.plain(document, errors))
        else:
            written = DECLARATION + "".join(self.careful(document, errors))
            errors += _unwritable(written)
        if errors:
            raise RuleBroken("some values cannot be written for this partner", errors, code="mapping.value")
        return written


def _unwritable(written: str) -> list[Finding]:
    bad = NOT_XML.search(written)
    if bad is None:
        return []
    found, expected = f"U+{ord(bad[0]):04X}", "characters of XML 1.0"
    return [Finding("mapping.character", "", found, expected, "XML 1.0, production 2")]
