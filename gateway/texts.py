"""What people read of a finding, in Chinese and English: the text catalogue.

Every finding code has one row in specs/findings/*.yaml or in the findings.yaml of an adapter: for each language a title, a
text (what, where, found against expected) and an action (what to do next). A row may name ``{found}``, ``{expected}``,
``{pointer}``, ``{partner_place}``, ``{source}``, ``{code}`` and the params of its finding; a param ``name_zh`` or ``name_en``
is read as ``{name}`` in its language. What stands in square brackets is left out where a value it names is missing;
elsewhere a missing value is a dash. What was found and expected is read in the same language where it is words of ours:
phrases.py. A further language needs no code: rows of that language, in a file here or in findings/ of an operator's overlay, are
used for whoever asks for it; what they leave out is read in English. Nothing here fails on a finding: an unknown code gets the row of the longest known
beginning of its name, and in the end its own name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from gateway import phrases
from gateway.errors import Finding, NeedsOperator
from gateway.phrases import Phrases

LANGUAGES = ("zh", "en")  # those in which everything is said
BRIDGE = "en"  # what is read where a further language has no words
DEFAULT = "zh"  # the language of those who stand nights at these ports
PARTS = ("title", "text", "action")
_DASH = "—"
_LANGUAGE = re.compile(r"[a-z]{2,3}")  # ISO 639
_FIELD = re.compile(r"\{([a-z_]+)\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*\{[^\[\]]*)\]")
_LAST_RESORT = {
    "zh": {"title": "{code}", "text": "{code}[：{found}][，应为 {expected}]", "action": "请联系运维人员并提供此代码。"},
    "en": {
        "title": "{code}",
        "text": "{code}[: {found}][, expected {expected}]",
        "action": "Give this code to support.",
    },
}

Row = Mapping[str, Mapping[str, str]]


class Texts:
    """The catalogue: code -> language -> title, text, action; said and found: the phrases of expected, source and found."""

    def __init__(self, rows: Mapping[str, Row], said: Phrases | None = None, found: Phrases | None = None) -> None:
        self._rows = dict(rows)
        self._said = said or Phrases({})
        self._found = found or Phrases({})
        further = {language for row in self._rows.values() for language in row} - set(LANGUAGES)
        self.languages = (*LANGUAGES, *sorted(further))

    def negotiate(self, accept_language: str | None) -> str:
        """The language of this catalogue that an Accept-Language header likes best."""
        return negotiate(accept_language, self.languages)

    def codes(self) -> tuple[str, ...]:
        return tuple(sorted(self._rows))

    def written(self, code: str, language: str) -> dict[str, str]:
        """title, text and action of a code as they are written, with the names of values in them; of one that has no row, those of its
        nearest beginning."""
        row = self._row(code)
        bridge = [] if language in LANGUAGES else [row.get(BRIDGE, {})]
        ways = (row.get(language, {}), *bridge, _LAST_RESORT.get(language, _LAST_RESORT[BRIDGE]))
        return {part: next(way[part] for way in ways if way.get(part)) for part in PARTS}

    def known(self, code: str) -> bool:
        """Is there a row of this code, or of a beginning of it?"""
        return self._row(code) is not _LAST_RESORT

    def render(self, finding: Finding, language: str) -> dict[str, str]:
        """title, text and action of a finding; a language that is not ours is read as the default."""
        language = language if language in self.languages else DEFAULT
        values = _values(self.localised(finding, language), language)
        return {part: _fill(text, values) for part, text in self.written(finding.code, language).items()}

    def localised(self, finding: Finding, language: str) -> Finding:
        """The finding with what was found, what was expected and who says so in the language of a reader."""
        return replace(
            finding,
            found=None if finding.found is None else self._found.read(finding.found, language),
            expected=None if finding.expected is None else self._said.read(finding.expected, language),
            source=None if finding.source is None else self._said.read(finding.source, language),
        )

    def incomplete(self) -> list[str]:
        """What is missing, as ``code language.part``: a row must have every part in both languages."""
        return [
            f"{code} {language}.{part}"
            for code in self.codes()
            for language in LANGUAGES
            for part in PARTS
            if not self._rows[code].get(language, {}).get(part)
        ]

    def without_row(self, codes: set[str]) -> list[str]:
        """Those of the codes that have no row of their own."""
        return sorted(codes - self._rows.keys())

    def _row(self, code: str) -> Row:
        name = code
        while name:
            if name in self._rows:
                return self._rows[name]
            name = name.rpartition(".")[0]
        return _LAST_RESORT


def load(root: Path, overlay: Path | None = None) -> Texts:
    """Read the catalogue of a project folder (the one that holds specs/ and adapters/), and what an operator's overlay adds.

    Rows of several files are put together by language; the overlay's replace ours.

    Raises NeedsOperator with every fault: a file that cannot be read, a row of another shape, a code with two rows.
    """
    rows: dict[str, Row] = {}
    faults: list[Finding] = []
    for place, content in _read(root, ("specs/findings/*.yaml", "adapters/*/findings.yaml"), faults):
        entries: list[tuple[Any, Any]] = list(content.items()) if isinstance(content, dict) else [(place, None)]
        for code, row in entries:
            if not _is_row(row):
                faults.append(_broken(code, place))
            elif rows.get(code, {}).keys() & row.keys():
                faults.append(Finding("specs.texts.twice", None, str(code)[:80], partner_place=place))
            else:
                rows[code] = {**rows.get(code, {}), **row}
    own = [] if overlay is None else _read(overlay, ("findings/*.yaml",), faults)
    for place, content in own:
        entries = list(content.items()) if isinstance(content, dict) else [(place, None)]
        faults += [_broken(code, place) for code, row in entries if not _is_row(row)]
        rows |= {code: {**rows.get(code, {}), **row} for code, row in entries if _is_row(row)}
    said = []
    phrased = _read(root, ("specs/findings/phrases/*.yaml", "adapters/*/phrases.yaml"), faults)
    for place, content in [
        *phrased,
        *([] if overlay is None else _read(overlay, ("findings/phrases/*.yaml",), faults)),
    ]:
        wrong = phrases.faults(content)
        faults += [Finding("specs.texts.broken", None, what, partner_place=place) for what in wrong]
        said += [] if wrong else [content]
    if faults:
        raise NeedsOperator(f"{len(faults)} faults in the text catalogue", faults, code="specs.broken")
    return Texts(rows, phrases.of(said, "expected", "sources", "forms"), phrases.of(said, "found"))


def _broken(code: Any, place: str) -> Finding:
    return Finding("specs.texts.broken", None, str(code)[:80], partner_place=place)


def _read(root: Path, patterns: tuple[str, ...], faults: list[Finding]) -> list[tuple[str, Any]]:
    """The content of each file by its place in the project."""
    contents = []
    for file in [file for pattern in patterns for file in sorted(root.glob(pattern))]:
        place = file.relative_to(root).as_posix()
        try:
            contents.append((place, yaml.safe_load(file.read_text(encoding="utf-8")) or {}))
        except (yaml.YAMLError, OSError, ValueError) as error:
            faults.append(Finding("specs.texts.broken", None, type(error).__name__, partner_place=place))
    return contents


def own(language: str) -> str:
    """The language in which we have all words, for a reader of this one: itself, or English."""
    return language if language in LANGUAGES else BRIDGE


def negotiate(accept_language: str | None, languages: Sequence[str] = LANGUAGES) -> str:
    """The language of these that an Accept-Language header likes best (RFC 9110, 12.5.4), the default where it likes none."""
    liked: list[tuple[float, int, str]] = []
    for position, entry in enumerate((accept_language or "")[:1000].split(",")):
        tag, *parameters = (part.strip().lower() for part in entry.split(";"))
        language = tag.partition("-")[0]
        quality = _quality(parameters)
        if quality > 0 and language in languages:
            liked.append((-quality, position, language))
    return min(liked)[2] if liked else DEFAULT


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            return float(parameter[2:]) if re.fullmatch(r"[01](\.[0-9]{0,3})?", parameter[2:]) else 0.0
    return 1.0


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and all(
        isinstance(language, str)
        and _LANGUAGE.fullmatch(language)
        and isinstance(parts, dict)
        and all(isinstance(text, str) for text in parts.values())
        for language, parts in row.items()
    )


def _values(finding: Finding, language: str) -> dict[str, str]:
    values = {name: str(value) for name, value in finding.params.items()}
    for name, value in finding.params.items():
        if name.endswith(f"_{language}"):
            values[name.removesuffix(f"_{language}")] = str(value)
    members = ("code", "pointer", "found", "expected", "source", "partner_place")
    values.update({name: str(getattr(finding, name)) for name in members if getattr(finding, name) is not None})
    return values


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Template with its values put in. Values are put in last, so that braces and brackets in them stay what they are."""

    def optional(match: re.Match[str]) -> str:
        named = _FIELD.findall(match[1])
        return match[1] if all(values.get(name) for name in named) else ""

    return _FIELD.sub(lambda match: values.get(match[1]) or _DASH, _OPTIONAL.sub(optional, template))
