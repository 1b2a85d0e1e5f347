"""What became of every value: the report of one translation, in either direction.

Encoding sorts each canonical leaf into carried, ignored (with the reason) or lost. Decoding sorts each non-empty partner
leaf into mapped, bag, constant, unmapped or lost; coverage is the share that reached canonical fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, overload

from gateway.errors import Finding


class Later(Sequence[str]):
    """Pointers that are worked out when somebody looks; of most documents nobody asks what was carried."""

    def __init__(self, work_out: Callable[[], Sequence[str]]) -> None:
        self._work_out = work_out

    @cached_property
    def _pointers(self) -> Sequence[str]:
        return self._work_out()

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._pointers[index]

    def __len__(self) -> int:
        return len(self._pointers)


@dataclass(frozen=True, slots=True)
class LossReport:
    """What happened to one document's leaves: carried and lost are JSON Pointers, ignored is pointer -> reason, constants
    partner place -> what is always written there, withheld pointer -> data class, of what may not leave for this partner.
    """

    carried: Sequence[str] = ()
    ignored: Mapping[str, str] = field(default_factory=dict)
    lost: Sequence[str] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    withheld: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "carried": len(self.carried),
            "ignored": dict(self.ignored),
            "lost": list(self.lost),
            "constants": dict(self.constants),
            "withheld": dict(self.withheld),
        }


@dataclass(frozen=True, slots=True)
class Leaf:
    """A partner leaf that did not reach a canonical field. place: path with positions, e.g. ``DecLists/DecList[2]/GName``."""

    place: str
    line: int | None
    value: str
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"place": self.place, "line": self.line, "value": self.value[:80], "reason": self.reason}


# A place in a message: the place around it, the name, and its number among its brothers (0: it needs none).
Place = tuple[Any, str, int]


def place_text(place: Place) -> str:
    """``DecLists/DecList[2]/GName``"""
    names: list[str] = []
    here: Place | None = place
    while here is not None:
        here, name, number = here
        names.append(f"{name}[{number}]" if number else name)
    return "/".join(reversed(names))


@dataclass(slots=True)
class DecodeReport:
    """What happened to one message's non-empty leaves.

    told: the leaves that reached canonical fields, in the parts that mapped puts together: the three of a Place, then the
    JSON Pointer of the canonical leaf in two pieces. bag: reached the adapter's extension bag. constants:
    values the mapping fixes, found as expected. unmapped: elements nobody knows. lost: known, but unreadable. findings: what
    a tolerant reading let pass. restated: of the mapped places those that hold another spelling than we write, each with
    ours (None: we write nothing there). padded, empty: whether white space stood around a value or an attribute was empty,
    whether an element was; None where nobody looked.

    again: of a message that was read straight only the document was made; this walks through it again, for told, bag and
    constants, when somebody looks. Of most messages nobody does.
    """

    told: list[tuple[Any, str, int, str, str]] = field(default_factory=list)
    unmapped: list[Leaf] = field(default_factory=list)
    lost: list[Leaf] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    restated: dict[str, str | None] = field(default_factory=dict)
    padded: bool | None = None
    empty: bool | None = None
    again: Callable[[], DecodeReport] | None = None
    _bag: list[Leaf] = field(default_factory=list)
    _constants: list[Leaf] = field(default_factory=list)
    _mapped: dict[str, str] = field(default_factory=dict)

    def _look(self) -> None:
        if self.again is not None:
            walked, self.again = self.again(), None
            self.told, self._bag, self._constants = walked.told, walked.bag, walked.constants

    @property
    def bag(self) -> list[Leaf]:
        self._look()
        return self._bag

    @bag.setter
    def bag(self, leaves: list[Leaf]) -> None:
        self._look()
        self._bag = leaves

    @property
    def constants(self) -> list[Leaf]:
        self._look()
        return self._constants

    @constants.setter
    def constants(self, leaves: list[Leaf]) -> None:
        self._look()
        self._constants = leaves

    @property
    def mapped(self) -> dict[str, str]:
        """Partner place -> JSON Pointer of the canonical leaf; put together when somebody looks."""
        self._look()
        if self.told:
            self._mapped |= {
                place_text((around, name, number)): above + leaf for around, name, number, above, leaf in self.told
            }
            self.told.clear()
        return self._mapped

    @mapped.setter
    def mapped(self, places: dict[str, str]) -> None:
        self._look()
        self.told.clear()
        self._mapped = places

    @classmethod
    def together(cls, reports: Sequence[DecodeReport]) -> DecodeReport:
        """One report of a message that was read in parts; each part names its places as they are in the whole."""
        if len(reports) == 1:
            return reports[0]
        whole = cls()
        for report in reports:
            whole._mapped |= report.mapped
            whole.restated |= report.restated
            for name in ("bag", "constants", "unmapped", "lost", "findings"):
                getattr(whole, name).extend(getattr(report, name))
        return whole

    @property
    def coverage(self) -> float:
        """Share of non-empty leaves that reached canonical fields; a constant is known on both sides and counts."""
        reached = len(self.mapped) + len(self.constants)
        total = reached + len(self.bag) + len(self.unmapped) + len(self.lost)
        return reached / total if total else 1.0

    def as_dict(self) -> dict[str, Any]:
        return {
            "coverage": round(self.coverage, 4),
            "mapped": len(self.mapped),
            "constants": len(self.constants),
            "bag": [leaf.as_dict() for leaf in self.bag],
            "unmapped": [leaf.as_dict() for leaf in self.unmapped],
            "lost": [leaf.as_dict() for leaf in self.lost],
            "findings": [finding.as_dict() for finding in self.findings],
        }
