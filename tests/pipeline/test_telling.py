"""Every entry of the timeline is told in words, in both languages, with times in the reader's zone."""

from __future__ import annotations

import re
from datetime import timedelta, timezone
from typing import Any

import pytest
import yaml

from gateway import texts
from gateway.events import EventType
from gateway.lifecycle import FUNCTIONS
from gateway.pipeline.standings import REQUEST
from gateway.pipeline.telling import FILE, Telling, duration
from gateway.ports import Event
from gateway.settings import PROJECT_ROOT
from gateway.texts import LANGUAGES

ZONE = timezone(timedelta(hours=8))
AT_US = 1_772_352_000_000_000  # 2026-03-01T08:00:00Z
HAN = re.compile(r"[\u4e00-\u9fff]")
# Everything that a fact of any entry may be; each sentence takes what it names.
FACTS: dict[str, Any] = {
    "kind": "declaration",
    "reference": "R-1",
    "round": 2,
    "phase": "single",
    "changed": {"declaration": ["filed", "returned"], "duty": ["", "due"]},
    "mover": "declarant",
    "states": {"declaration": "submitted", REQUEST: "granted"},
    "silent_s": 90_000,
    "deadline": "import-declaration",
    "due": "2026-03-15T00:00:00+00:00",
    "missed": False,
    "basis": "Customs Law, article 24",
    "basis_zh": "海关法第二十四条",
    "title_en": "Complete declaration",
    "title_zh": "完整申报期限",
    "certain": False,
    "count": 2,
    "places": ["DEC_RESULT/NEW"],
    "withheld": {"/remarks": "business", "/agent/contact/name": "personal"},
    "waiting_for": "manifest:8765432\nbill:B-1",
    "waited_for": "manifest:8765432",
    "next_us": AT_US,
    "due_us": AT_US,
    "rest_until_us": AT_US,
    "digest": "sha256:00",
    "attempt": 3,
    "name": "A.xml",
    "note": "not found there",
    "tried": True,
    "reason": "not reached: partner.unavailable: HTTP 503",
    "function": "released",
    "issued": "2026-03-01T08:00:00.000000Z",
    "inbound_id": "01",
    "names": ["cn-seq-no:I1", "plate:蒙L12345"],
    "code": "trust.refused",
    "webhook_act": "rotated",
    "disabled": "failing",
    "findings": ["trust.refused"],
    "agreement": "customs-import",
    "partner": "cn-customs",
    "failures": 5,
}


@pytest.fixture(scope="module")
def telling() -> Telling:
    return Telling.load(PROJECT_ROOT / "specs", texts.load(PROJECT_ROOT), ZONE)


def entry(kind: EventType, /, **facts: Any) -> Event:
    return Event(id="e", type=kind, at_us=AT_US, root_id="r", tenant="t", data=facts)


@pytest.fixture(scope="module")
def content() -> Any:
    return yaml.safe_load((PROJECT_ROOT / "specs" / FILE).read_text(encoding="utf-8"))


def test_every_type_of_entry_has_a_sentence_and_every_word_both_languages(content: Any) -> None:
    assert set(content["sentences"]) == {kind.value for kind in EventType}
    rows = [
        *content["sentences"].items(),
        *((fact, row) for fact in content["words"].values() for row in fact.values()),
    ]
    assert [name for name, row in rows if set(row) != set(LANGUAGES)] == []


@pytest.mark.parametrize("kind", EventType)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_entry_shows_a_dictionary_a_placeholder_or_a_number_of_microseconds(
    telling: Telling, kind: EventType, lang: str
) -> None:
    for facts in (FACTS, {}):
        told = telling.sentence(entry(kind, **facts), lang)
        assert not re.search(r"[{}\[\]]|_us|1772352000", told), told
    if lang == "en":
        own = {name: value for name, value in FACTS.items() if name not in ("basis_zh", "title_zh", "names")}
        assert not HAN.search(telling.sentence(entry(kind, **own), lang))


@pytest.mark.parametrize(
    ("kind", "lang", "expected"),
    [
        (
            EventType.DOCUMENT_STATE_CHANGED,
            "en",
            (
                "It moved; declaration: filed with the gateway → returned for correction, duty: duty to be paid. "
                "The next move: the declarant."
            ),
        ),
        (EventType.DOCUMENT_STATE_CHANGED, "zh", "报关单：已提交网关 → 退单，税款：待缴税。下一步：申报人。"),
        (
            EventType.MESSAGE_NOT_REACHED,
            "en",
            (
                "The attempt failed: not reached: The partner was not reached: HTTP 503. "
                "The next attempt is at 2026-03-01 16:00:00 +08:00."
            ),
        ),
        (
            EventType.MESSAGE_NOT_REACHED,
            "zh",
            "发送失败：未能送达: 未能送达对方: HTTP 503。2026-03-01 16:00:00 +08:00 再次尝试。",
        ),
        (EventType.REPLY_REFUSED, "en", "Not trusted (Not trusted). Its bytes are kept. It came as R-1, delivery 01."),
    ],
    ids=lambda value: str(value) if len(str(value)) < 30 else "",
)
def test_the_facts_of_an_entry_are_a_sentence(telling: Telling, kind: EventType, lang: str, expected: str) -> None:
    assert telling.sentence(entry(kind, **FACTS), lang) == expected


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_answer_has_a_word(telling: Telling, lang: str) -> None:
    told = {name: telling.sentence(entry(EventType.REPLY_RECEIVED, function=name), lang) for name in FUNCTIONS}
    assert [name for name, text in told.items() if "_" in text] == []
    if lang == "zh":
        assert [name for name, text in told.items() if not HAN.search(text.partition("：")[2])] == []


def test_what_a_person_wrote_stays_as_it_is(telling: Telling) -> None:
    told = telling.sentence(entry(EventType.MESSAGE_PARKED, reason="the broker {asked} us [to wait]"), "en")
    assert told == "Why: the broker {asked} us [to wait]."


@pytest.mark.parametrize(
    ("seconds", "expected"), [(5, "5 s"), (61, "1 min"), (3_660, "1 h 1 min"), (90_061, "1 d 1 h")]
)
def test_a_duration_is_its_two_largest_units(seconds: float, expected: str) -> None:
    assert duration(seconds, "en") == expected
