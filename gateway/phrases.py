"""Words of our own inside findings: what was found and expected, read in the reader's language.

A finding is data: it is stored, sent and compared, and whoever makes it knows no reader. Its ``expected`` and ``source`` are
always ours, its ``found`` mostly the sender's. Where they are prose they are short English phrases, each with a row in
specs/findings/phrases/*.yaml or in the phrases.yaml of an adapter, under one heading:

    expected, sources   phrase -> Chinese, or {en, zh} where the phrase itself is only a name
    found               the same, for what is said of a value that is absent, too long or no text; a sender's value is no phrase
    forms               regular expression -> {example, en, zh}: nobody reads a pattern at night

A row {mn: ...} alone adds a language to a phrase that another file has. ``{name}`` in a phrase stands for a value, which may be a phrase again. A text without a row is read as it stands: it is a
code, a number or a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

HEADINGS = ("expected", "found", "sources", "forms")
_FIELD = re.compile(r"\{([a-z_]+)\}")
_DEEPEST = 4  # phrases within phrases
_LONGEST = 400  # characters; longer texts are no phrase of ours

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Pattern:
    phrase: str
    form: re.Pattern[str]
    row: Row


class Phrases:
    """The rows of one or several headings: phrase -> language -> words."""

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self._rows = dict(rows)
        with_values = [phrase for phrase in rows if _FIELD.search(phrase)]
        # The phrase that says most goes first: "at most {most} characters" before "at most {most}".
        with_values.sort(key=lambda phrase: -len(_FIELD.sub("", phrase)))
        self._patterns = [_Pattern(phrase, _form(phrase), rows[phrase]) for phrase in with_values]

    def read(self, text: str, language: str, *, depth: int = 0) -> str:
        """The text in a language; what has no row stays as it is."""
        row = self._rows.get(text)
        if row is not None:
            return row.get(language) or row.get("en", text)
        if depth >= _DEEPEST or len(text) > _LONGEST:
            return text
        for pattern in self._patterns:
            if match := pattern.form.fullmatch(text):
                return _filled(
                    pattern.row.get(language) or pattern.row.get("en", pattern.phrase),
                    {name: self.read(value, language, depth=depth + 1) for name, value in match.groupdict().items()},
                )
        return text


def of(contents: Iterable[Mapping[str, Any]], *headings: str) -> Phrases:
    """The phrases of the files' contents under some headings."""
    rows: dict[str, Row] = {}
    for content in contents:
        for heading in headings:
            for phrase, words in (content.get(heading) or {}).items():
                rows[phrase] = {**rows.get(phrase, {}), **_row(phrase, words)}
    return Phrases(rows)


def faults(content: Any) -> list[str]:
    """What is wrong with the content of one file: unknown headings, rows of another shape, values that a language lacks."""
    if not isinstance(content, dict):
        return ["no headings"]
    found = [f"no heading {heading}" for heading in content if heading not in HEADINGS]
    rows = [(heading, *row) for heading in HEADINGS for row in (content.get(heading) or {}).items()]
    found += [f"{heading}: {phrase}"[:80] for heading, phrase, words in rows if not _is_sound(heading, phrase, words)]
    return found


def _is_sound(heading: str, phrase: Any, words: Any) -> bool:
    if not isinstance(phrase, str) or not _is_row(words):
        return False
    named = [set(_FIELD.findall(text)) for text in _row(phrase, words).values()]
    return heading == "forms" or all(names == set(_FIELD.findall(phrase)) for names in named)


def _is_row(words: Any) -> bool:
    if isinstance(words, dict):
        whole = {"en", "zh"} <= words.keys() or not {"en", "zh"} & words.keys()
        return whole and all(isinstance(text, str) for text in words.values())
    return isinstance(words, str)


def _row(phrase: str, words: str | Mapping[str, str]) -> Row:
    if isinstance(words, str):
        return {"en": phrase, "zh": words}
    example = words.get("example")
    if example is None:
        return words
    return {language: text.replace("{example}", example) for language, text in words.items() if language != "example"}


def _filled(words: str, values: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda field: values[field[1]], words)


def _form(phrase: str) -> re.Pattern[str]:
    """A regular expression that takes a phrase with its values filled in."""
    parts = _FIELD.split(phrase)
    form = "".join(f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
    return re.compile(form, re.DOTALL)
