"""The notation of a mapping: one row ties a partner element to a canonical place, for both directions.

A partner place is a path of the element table below the row's scope: ``DecHead/IEFlag``, ``GrossMassMeasure/@unitCode``, ``.``
for the scope's own text. A canonical place is a path as in gateway.mapping.paths. Rows nest: each() goes through an array,
group() below a partner element, scope() below a canonical object, when() chooses rows by a value of the document.

A row is a fact about meaning and runs nothing. What a table cannot say is a Conversion: a named pair of functions, each
the other's inverse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Texts = tuple[str | None, ...]
Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Conversion:
    """How values become texts and back. Both take one argument a side and return a tuple of the other side's length.

    Absent things are None on either side. Both raise ValueError, whose text says what was expected. generous: decode also
    reads spellings that encode does not write; the decoder then reports what stood there.
    """

    name: str
    encode: Callable[..., Texts]
    decode: Callable[..., Values]
    note: str = ""
    generous: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """Partner leaves and canonical leaves that carry the same fact. default: sent where the document says nothing."""

    elements: tuple[str, ...]
    paths: tuple[str, ...]
    conversion: Conversion | None = None
    default: str | None = None
    codes: str = ""
    note: str = ""
    source: str = ""
    bag: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """A partner leaf that always says the same; a received one that says something else goes to path, if there is one."""

    element: str
    text: str
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Each:
    """A repeated partner element and an array; path may end in [key=value] to mean only those members.

    spread turns one canonical value into the list of objects that rows read, and back (one argument, one result).
    """

    element: str
    path: str
    rows: tuple[Row, ...]
    spread: tuple[Callable[[Any], list[Any]], Callable[[list[Any]], Any]] | None = None
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    element: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    path: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class When:
    """Rows that hold while the value at path is one of the cases; the case None holds for every other value, or none."""

    path: str
    cases: tuple[tuple[str | None, tuple[Row, ...]], ...]


Row = Value | Constant | Each | Group | Scope | When


def text(
    element: str, path: str, *, default: str | None = None, codes: str = "", note: str = "", source: str = ""
) -> Value:
    """The same text on both sides. Numbers are texts too: their lexical form is kept."""
    return Value((element,), (path,), None, default, codes, note, source)


def code(element: str, path: str, codes: str, *, default: str | None = None, note: str = "", source: str = "") -> Value:
    """A code, the same on both sides; codes names the list in specs/codelists."""
    return Value((element,), (path,), None, default, codes, note, source)


def convert(
    element: str,
    path: str,
    conversion: Conversion,
    *,
    default: str | None = None,
    codes: str = "",
    note: str = "",
    source: str = "",
) -> Value:
    """One leaf each side, written differently."""
    return Value((element,), (path,), conversion, default, codes, note, source)


def joined(
    elements: Sequence[str], paths: Sequence[str], conversion: Conversion, *, note: str = "", source: str = ""
) -> Value:
    """Several leaves on either side that only together say something. All elements stand in one partner scope."""
    return Value(tuple(elements), tuple(paths), conversion, None, "", note, source)


def bag(element: str, path: str, *, note: str = "", source: str = "") -> Value:
    """A leaf that has no canonical home; path is its name in the adapter's extension bag, written out in full."""
    return Value((element,), (path,), None, None, "", note, source, bag=True)


def constant(element: str, value: str, *, note: str = "", source: str = "") -> Constant:
    return Constant(element, value, note, source)


def each(
    element: str,
    path: str,
    rows: Sequence[Row],
    *,
    spread: tuple[Callable[[Any], list[Any]], Callable[[list[Any]], Any]] | None = None,
    note: str = "",
    source: str = "",
) -> Each:
    return Each(element, path, tuple(rows), spread, note, source)


def group(element: str, rows: Sequence[Row]) -> Group:
    return Group(element, tuple(rows))


def scope(path: str, rows: Sequence[Row]) -> Scope:
    return Scope(path, tuple(rows))


def when(path: str, cases: Mapping[str | None, Sequence[Row]]) -> When:
    return When(path, tuple((case, tuple(rows)) for case, rows in cases.items()))


def measure(element: str, path: str, *, source: str = "") -> Group:
    """An UN/CEFACT MeasureType or QuantityType: the number and its Rec 20 unit."""
    return Group(
        element,
        (
            text(".", f"{path}.value", source=source),
            code("@unitCode", f"{path}.unit_code", "unit-rec20", source=source),
        ),
    )


def amount(element: str, path: str, *, source: str = "") -> Group:
    """An UN/CEFACT AmountType: the number and its ISO 4217 currency."""
    return Group(
        element,
        (
            text(".", f"{path}.value", source=source),
            code("@currencyID", f"{path}.currency", "currency-iso", source=source),
        ),
    )
