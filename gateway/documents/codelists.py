"""Code lists: dated tables of codes, one CSV file each in specs/codelists, described by index.yaml beside them.

A row is code, title_zh, title_en, valid_from, valid_to and further columns, most of them the code of the same thing in
another code world (the customs numbers before 2018, ISO 3166 alpha-2 ...). An empty date is an open end, both ends
included. One code may stand in several rows, so that a meaning can change on a day.

An operator's folder of the same layout goes before ours: ``<name>.csv`` replaces a list or brings a new one,
``<name>.add.csv`` adds rows to it, and index.yaml there describes what is new.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from gateway.errors import Finding, Severity

REQUIRED_COLUMNS = ("code", "title_zh", "title_en", "valid_from", "valid_to")
BROKEN = "specs.codelist.broken"


@dataclass(frozen=True, slots=True)
class Code:
    """One row: the code, its titles ("" where the source gives none), its days, and the other columns by name."""

    code: str
    title_zh: str
    title_en: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    columns: Mapping[str, str]

    def valid(self, on: dt.date) -> bool:
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True)
class CodeList:
    """A list and where it comes from: country "" where it is nobody's own, as_of the day its source showed.

    unknown: how bad a code is that the list does not have. A long list that its owner keeps adding to only warns, since
    a code made after as_of is good at customs.
    """

    name: str
    rows: tuple[Code, ...]
    title_zh: str
    title_en: str
    country: str
    source: str
    edition: str
    as_of: dt.date | None
    alternates: tuple[str, ...] = ()
    note: str = ""
    unknown: Severity = Severity.ERROR
    _by_code: dict[str, list[Code]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            self._by_code.setdefault(row.code, []).append(row)

    def get(self, code: str, on: dt.date | None = None) -> Code | None:
        """The row of a code: the first that is valid on the day, or, without a day, the first."""
        return next((row for row in self._by_code.get(code, ()) if on is None or row.valid(on)), None)

    def codes(self, on: dt.date) -> frozenset[str]:
        """Every code valid on that day."""
        return frozenset(row.code for row in self.rows if row.valid(on))

    def translate(self, code: str, column: str, on: dt.date | None = None) -> str | None:
        """What another column says of a code: its old customs number, its alpha-2; None where it says nothing."""
        row = self.get(code, on)
        return (row.columns.get(column) or None) if row else None

    def from_alternate(self, value: str, column: str, on: dt.date | None = None) -> tuple[str, ...]:
        """The codes that another code world writes as value: none, one, or several (then the world was coarser)."""
        rows = (row for row in self.rows if row.columns.get(column) == value and (on is None or row.valid(on)))
        return tuple(dict.fromkeys(row.code for row in rows))

    def why_not(self, code: str, on: dt.date) -> str:
        """Why a code is not among codes(): ``unknown``, ``not_yet`` or ``expired``."""
        rows = self._by_code.get(code, [])
        if not rows:
            return "unknown"
        return "not_yet" if any(row.valid_from is not None and row.valid_from > on for row in rows) else "expired"


class CodeLists(Mapping[str, CodeList]):
    """All lists by name. ``valid_codes`` remembers the sets of the last days asked for."""

    def __init__(self, lists: Mapping[str, CodeList]) -> None:
        self._lists = dict(lists)
        # Few lists, few days: a gateway asks for today, and now and then for the day of an old document.
        self.valid_codes = lru_cache(maxsize=512)(self._valid_codes)

    def __getitem__(self, name: str) -> CodeList:
        return self._lists[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lists)

    def __len__(self) -> int:
        return len(self._lists)

    def _valid_codes(self, name: str, on: dt.date) -> frozenset[str]:
        return self._lists[name].codes(on)


def load(folders: list[Path]) -> tuple[CodeLists, list[Finding]]:
    """Read every list of the folders; a later folder goes before an earlier one. All faults are returned, none raised."""
    findings: list[Finding] = []
    about: dict[str, dict[str, Any]] = {}
    rows: dict[str, list[Code]] = {}
    for folder in folders:
        for name, entry in _read_index(folder / "index.yaml", findings).items():
            about[name] = {**about.get(name, {}), **entry}
        for file in sorted(folder.glob("*.csv")):
            if not file.stem.endswith(".add"):
                rows[file.stem] = _read_rows(file, findings)
                about.setdefault(file.stem, {"edition": f"{folder.parent.name}/{file.name}"})
        for file in sorted(folder.glob("*.add.csv")):
            name = file.stem.removesuffix(".add")
            rows[name] = rows.get(name, []) + _read_rows(file, findings)
    findings.extend(_broken("index.yaml", f"{name} has no file {name}.csv") for name in about if name not in rows)
    findings.extend(_broken("index.yaml", f"{name}.csv is not described") for name in rows if name not in about)
    lists = {name: _make(name, rows[name], about[name], findings) for name in sorted(rows) if name in about}
    return CodeLists(lists), findings


def _make(name: str, rows: list[Code], entry: Mapping[str, Any], findings: list[Finding]) -> CodeList:
    title = entry.get("title") if isinstance(entry.get("title"), dict) else {}
    as_of, alternates = entry.get("as_of"), entry.get("alternates", [])
    if as_of is not None and not isinstance(as_of, dt.date):
        findings.append(_broken("index.yaml", f"{name}: as_of is no date: {as_of!r}"))
        as_of = None
    if not isinstance(alternates, list):
        findings.append(_broken("index.yaml", f"{name}: alternates is no list"))
        alternates = []
    unknown = Severity.ERROR
    try:
        unknown = Severity(entry.get("unknown", "error"))
    except ValueError:
        findings.append(_broken("index.yaml", f"{name}: unknown is error, warning or information"))
    findings.extend(
        _broken(f"{name}.csv", f"has no column {column}, which index.yaml names")
        for column in alternates
        if rows and column not in rows[0].columns
    )
    return CodeList(
        name=name,
        rows=tuple(rows),
        title_zh=str((title or {}).get("zh", name)),
        title_en=str((title or {}).get("en", name)),
        country=str(entry.get("country", "")),
        source=str(entry.get("source", "")),
        edition=str(entry.get("edition", "")),
        as_of=as_of,
        alternates=tuple(str(column) for column in alternates),
        note=str(entry.get("note", "")),
        unknown=unknown,
    )


def _read_index(file: Path, findings: list[Finding]) -> dict[str, dict[str, Any]]:
    if not file.is_file():
        return {}
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError, ValueError) as error:
        findings.append(_broken(file.name, f"cannot be read: {type(error).__name__}"))
        return {}
    lists = content.get("lists") if isinstance(content, dict) else None
    if not isinstance(lists, dict) or not all(isinstance(entry, dict) for entry in lists.values()):
        findings.append(_broken(file.name, "needs one key, lists, with an entry for each list"))
        return {}
    return {str(name): entry for name, entry in lists.items()}


def _read_rows(file: Path, findings: list[Finding]) -> list[Code]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = next(reader, [])
            missing = [column for column in REQUIRED_COLUMNS if column not in header]
            if missing or len(header) != len(frozenset(header)):
                findings.append(_broken(f"{file.name} line 1", f"lacks {', '.join(missing) or 'distinct columns'}"))
                return []
            return list(_codes(reader, header, file.name, findings))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        findings.append(_broken(file.name, f"cannot be read: {type(error).__name__}"))
        return []


def _codes(reader: Any, header: list[str], file: str, findings: list[Finding]) -> Iterator[Code]:
    for cells in reader:
        place = f"{file} line {reader.line_num}"
        if not any(cells):
            continue
        if len(cells) != len(header):
            findings.append(_broken(place, f"has {len(cells)} cells, the header has {len(header)}"))
            continue
        row = dict(zip(header, cells, strict=True))
        try:
            first, last = (dt.date.fromisoformat(row[end]) if row[end] else None for end in REQUIRED_COLUMNS[3:])
        except ValueError:
            findings.append(
                _broken(place, f"a day is written YYYY-MM-DD, got {row['valid_from']!r}, {row['valid_to']!r}")
            )
            continue
        if not row["code"] or (first and last and last < first):
            findings.append(_broken(place, "needs a code, and valid_to not before valid_from"))
            continue
        others = {column: value for column, value in row.items() if column not in REQUIRED_COLUMNS}
        yield Code(row["code"], row["title_zh"], row["title_en"], first, last, others)


def _broken(place: str, what: str) -> Finding:
    return Finding(code=BROKEN, found=what, partner_place=f"codelists/{place}")
