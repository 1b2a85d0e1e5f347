"""An entry of the timeline as a sentence, in Chinese or English: one mechanism for API, console, command line and demonstration.

What is said stands in specs/timeline.yaml, a sentence for each type of entry and the words for its facts; states and movers are
called as everywhere else, and a code of ours by the title of its finding. Times are told in the operator's zone, with the offset.
A fact that no word is known for is shown as it is, and an entry of an unknown type by its title alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import yaml

from gateway import ids
from gateway.errors import Finding, NeedsOperator
from gateway.lifecycle import FUNCTIONS, Mover
from gateway.pipeline.titles import ENTER_TITLES, MOVER_TITLES, said, state_title
from gateway.ports import Event
from gateway.texts import Texts, own

FILE = "timeline.yaml"
_CODE = re.compile(r"[a-z_]+(\.[a-z0-9_]+)+")
_UNITS = {"en": (" d", " h", " min", " s"), "zh": (" 天", " 小时", " 分", " 秒")}
_COMMA = {"en": ", ", "zh": "，"}
_COLON = {"en": ": ", "zh": "："}

Words = Mapping[str, Mapping[str, Mapping[str, str]]]


class Telling:
    """Puts entries into words. findings: the text catalogue; zone: in which people are shown times."""

    def __init__(self, sentences: Mapping[str, Mapping[str, str]], words: Words, findings: Texts, zone: tzinfo) -> None:
        rows = {kind: {language: {"text": text} for language, text in row.items()} for kind, row in sentences.items()}
        self._sentences = Texts({kind: row for kind, row in rows.items() if any(row[lang]["text"] for lang in row)})
        self._words = words
        self._findings = findings
        self._zone = zone
        self._known = set(self._sentences.codes())

    @classmethod
    def load(cls, specs: Path, findings: Texts, zone: tzinfo) -> Telling:
        """Read the sentences; NeedsOperator when the file is not what it should be."""
        try:
            content = yaml.safe_load((specs / FILE).read_text(encoding="utf-8"))
            return cls(content["sentences"], content["words"], findings, zone)
        except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError, AttributeError) as problem:
            finding = Finding("specs.texts.broken", None, type(problem).__name__, partner_place=FILE)
            raise NeedsOperator(
                "the sentences of the timeline cannot be read", [finding], code="specs.broken"
            ) from None

    def sentence(self, event: Event, lang: str) -> str:
        """The facts of an entry as a sentence; "" where its title says all."""
        lang = own(lang)
        if event.type.value not in self._known:
            return ""
        facts = {_named(name): self._fact(name, value, lang) for name, value in event.data.items()}
        return self._sentences.render(Finding(event.type.value, params=facts), lang)["text"].strip()

    def when(self, instant_us: int, zone: tzinfo | None = None) -> str:
        """An instant for people, in the operator's zone where they have none of their own."""
        return ids.to_local(instant_us, zone or self._zone)

    def when_text(self, text: str, zone: tzinfo | None = None) -> str:
        """The same of an instant that is written in RFC 3339, as our own views have it; anything else stays as it is."""
        try:
            return self.when(ids.from_datetime(datetime.fromisoformat(text)), zone)
        except ValueError:
            return text

    def word(self, fact: str, value: str, lang: str) -> str:
        """What a value of a fact is called."""
        return self._words.get(fact, {}).get(value, {}).get(own(lang), value)

    def _fact(self, name: str, value: Any, lang: str) -> str:
        if value in (None, "", [], {}):
            return ""
        if name.endswith("_us"):
            return self.when(int(value))
        if name in _TELLERS:
            return _TELLERS[name](self, value, lang)
        if isinstance(value, bool):
            return self.word(name, str(value).lower(), lang)
        if isinstance(value, (list, tuple)):
            return _COMMA[lang].join(str(entry) for entry in value)
        return self.word(name, str(value), lang)

    def _changed(self, changed: Mapping[str, tuple[str, str]], lang: str) -> str:
        """Of each track, from what to what."""
        return _COMMA[lang].join(
            f"{self.word('track', track, lang)}{_COLON[lang]}{self._state(track, before, lang) + ' → ' if before else ''}"
            f"{self._state(track, after, lang)}"
            for track, (before, after) in changed.items()
        )

    def _withheld(self, withheld: Mapping[str, str], lang: str) -> str:
        """Places of the document, each with the class of data that keeps it here."""
        return _COMMA[lang].join(f"{place} ({self.word('class', name, lang)})" for place, name in withheld.items())

    def _states(self, states: Mapping[str, str], lang: str) -> str:
        return _COMMA[lang].join(self._state(track, name, lang) for track, name in states.items())

    def _state(self, track: str, name: str, lang: str) -> str:
        return state_title(track, name, lang)

    def _function(self, function: str, lang: str) -> str:
        if function in self._words.get("function", {}):
            return self.word("function", function, lang)
        target = FUNCTIONS.get(function)
        return self._state(*target, lang) if target else function

    def reason(self, text: str, lang: str) -> str:
        """A reason: its first words, if they are the gateway's own, and a code in front or behind them, put into the language."""
        known = self._words.get("reason", {})
        head = max((words for words in known if text.startswith(words)), key=len, default="")
        rest = text[len(head) :].removesuffix(".")
        code, colon, _ = rest.removeprefix(": ").partition(": ")
        if colon and _CODE.fullmatch(code):
            rest = rest.replace(code, self._code(code, lang), 1)
        return (self.word("reason", head, lang) if head else "") + rest

    def _code(self, code: str, lang: str) -> str:
        return self._findings.render(Finding(code), lang)["title"]

    def _codes(self, codes: list[str], lang: str) -> str:
        return _COMMA[lang].join(dict.fromkeys(self._code(code, lang) for code in codes))


def _named(fact: str) -> str:
    """What a sentence calls a fact: ``code`` is the type of the entry there."""
    return "refusal" if fact == "code" else fact


def duration(seconds: float, lang: str) -> str:
    """A time that people read at a glance: its two largest units."""
    whole, lang = int(seconds), own(lang)
    told = (whole // 86_400, whole // 3_600 % 24, whole // 60 % 60)
    if not any(told):
        return f"{whole}{_UNITS[lang][3]}"
    return " ".join([f"{number}{unit}" for number, unit in zip(told, _UNITS[lang], strict=False) if number][:2])


# Facts that need more than a word.
_TELLERS: dict[str, Callable[[Telling, Any, str], str]] = {
    "changed": Telling._changed,
    "states": Telling._states,
    "withheld": Telling._withheld,
    "function": Telling._function,
    "enter": lambda _, value, lang: said(ENTER_TITLES[value], lang),
    "mover": lambda _, value, lang: said(MOVER_TITLES[Mover(value)], lang),
    "silent_s": lambda _, value, lang: duration(value, lang),
    "due": lambda told, value, _: told.when_text(value),
    "issued": lambda told, value, _: told.when_text(value),
    "reason": Telling.reason,
    "code": Telling._code,
    "findings": Telling._codes,
    "waiting_for": lambda _, value, lang: _COMMA[lang].join(str(value).splitlines()),
    "waited_for": lambda _, value, lang: _COMMA[lang].join(str(value).splitlines()),
}
