"""How single values of the declaration are written: positional marks, dates, numbers that choose their scheme, code worlds.

Each conversion is a pair of functions, the one the inverse of the other. What a decoder cannot read raises ValueError; the
text is then kept as it came (remainder.py), so that nothing is guessed and nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.documents.codelists import CodeLists
from gateway.mapping.conversions import COMPACT_DATE, local_time, one, positional, renamed
from gateway.mapping.rows import Conversion, Texts, Values
from gateway.syntax.white_space import trimmed

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
# A blank in front of a positional text is a position; the reader would trim it, so it travels as this sign (remainder.py).
BLANK = "\u2423"

DIRECTION = renamed("direction", {"import": "I", "export": "E"})
YES_NO = renamed("yes or no", {"yes": "1", "no": "0"})
YES_NO_LETTERS = renamed("Y or N", {"yes": "Y", "no": "N"})
CHARGE_METHOD = renamed("charge mark", {"rate": "1", "unit_price": "2", "total": "3"}, "facts 2.2")
FILING_ACTION = renamed(
    "operation",
    {
        "upload": "A",
        "upload_with_transit": "B",
        "declare": "C",
        "declare_with_transit": "D",
        "electronic_manual": "E",
        "store": "G",
    },
    "facts 2.5",
)
# Three to five marks: special relationship, price influence, royalty, formula price, provisional price.
PRICE_DECLARATIONS = positional("price declarations", {"yes": "1", "no": "0", "blank": "9"}, 5, "9")


def in_parts(separator: str) -> Conversion:
    """A list of texts <-> one text. Empty or padded parts are not read: they would not come back."""

    def encode(values: list[str]) -> str | None:
        if any(separator in value or not value or value != trimmed(value) for value in values):
            raise ValueError(f"filled values without {separator!r}")
        return separator.join(values) or None

    def decode(text: str) -> list[str]:
        parts = text.split(separator)
        if any(not part or part != trimmed(part) for part in parts):
            raise ValueError(f"filled values with {separator!r} between them")
        return parts

    return one(f"separated by {separator}", encode, decode)


def _single(values: list[str]) -> str | None:
    if len(values) > 1:
        raise ValueError("one value")
    return values[0] if values else None


COMMA_LIST = in_parts(",")
SINGLE_OF_LIST = one("the one member of a list", _single, lambda text: [text])


def _dates_encoded(values: list[str]) -> str | None:
    return ";".join(str(COMPACT_DATE.encode(value)[0]) for value in values) or None


DATE_LIST = one(
    "dates separated by ;", _dates_encoded, lambda text: [COMPACT_DATE.decode(part)[0] for part in text.split(";")]
)


def _kilograms_encoded(value: str | None, unit: str | None) -> Texts:
    if value is not None and unit not in (None, "KGM"):
        raise ValueError("a mass in kilograms (KGM)")
    return (value,)


def _kilograms_decoded(text: str) -> Values:
    if not NUMBER.fullmatch(text):
        raise ValueError("a number of kilograms")
    return (text, "KGM")


KILOGRAMS = Conversion("kilograms", _kilograms_encoded, _kilograms_decoded, "the field implies the unit")


# Kind of declaration: positions 1-2 kind, 3 step, 4-6 marks, 7 combined port (facts 2.3).

STEPS = {"single": "0", "summary": "5", "complete": "6", "two_step": "3"}
STEP_OF = {mark: step for step, mark in STEPS.items()}


def _type_encoded(kind: str | None, step: str | None, *marks: str | None) -> Texts:
    if kind is not None and (not 0 < len(kind) <= 2 or kind != kind.rstrip(" ")):
        raise ValueError("a kind of one or two characters")
    if step is not None and step not in STEPS:
        raise ValueError(", ".join(STEPS))
    if any(mark is not None and (len(mark) != 1 or mark == " ") for mark in marks):
        raise ValueError("marks of one character")
    text = (kind or "").ljust(2) + STEPS.get(step or "", " ") + "".join(mark or " " for mark in marks)
    return (text.rstrip(" ") or None,)


def _type_decoded(text: str) -> Values:
    text = text.replace(BLANK, " ")
    if len(text) > 7:
        raise ValueError("at most 7 characters")
    padded = text.ljust(7)
    if padded[2] != " " and padded[2] not in STEP_OF:
        raise ValueError(f"one of {', '.join(STEP_OF)} or a blank in position 3")
    kind = padded[:2].rstrip(" ")
    return (kind or None, STEP_OF.get(padded[2]), *(mark if mark != " " else None for mark in padded[3:]))


DECLARATION_TYPE = Conversion("kind of declaration", _type_encoded, _type_decoded, "facts 2.3")


def _source_encoded(*marks: str | None) -> Texts:
    if any(mark is not None and (len(mark) != 1 or mark == " ") for mark in marks):
        raise ValueError("marks of one character")
    return (" ".join(mark or " " for mark in marks).rstrip(" ") or None,)


def _source_decoded(text: str) -> Values:
    padded = text.replace(BLANK, " ").ljust(5)
    if len(padded) > 5 or padded[1] != " " or padded[3] != " ":
        raise ValueError("marks in positions 1, 3 and 5")
    return tuple(mark if mark != " " else None for mark in padded[::2])


DATA_SOURCE = Conversion("extension marks", _source_encoded, _source_decoded, "positions 2 and 4 are blank")

SPECIAL = {"1": "yes", "0": "no", " ": None}
SPECIAL_BACK = {"yes": "1", "no": "0", None: " "}


def _special_encoded(*values: str | None) -> Texts:
    *marks, rest = values
    if any(mark not in SPECIAL_BACK for mark in marks):
        raise ValueError("yes or no")
    text = "".join(SPECIAL_BACK[mark] for mark in marks)
    return ((text + rest if rest else text.rstrip(" ")) or None,)


def _special_decoded(text: str) -> Values:
    text = text.replace(BLANK, " ")
    if any(mark not in SPECIAL for mark in text[:7]):
        raise ValueError("1, 0 or a blank in positions 1 to 7")
    return (*(SPECIAL[mark] for mark in text[:7].ljust(7)), text[7:] or None)


SPECIAL_BUSINESS = Conversion(
    "special business", _special_encoded, _special_decoded, "facts 2.2; positions 8 on unknown"
)


# Means of transport: those with a counterpart in Rec 19, and China's own (bonded areas, pipelines, travellers).

MODES = {"1": "2", "2": "3", "3": "4", "4": "5", "5": "6"}
MODE_OF = {theirs: ours for ours, theirs in MODES.items()}


def _mode_encoded(mode: str | None, national: str | None) -> Texts:
    if national is not None:
        return (national,)
    if mode is not None and mode not in MODES:
        raise ValueError(f"a mode of {', '.join(MODES)}, or a national mode code")
    return (MODES[mode] if mode is not None else None,)


TRANSPORT_MODE = Conversion(
    "mode of transport",
    _mode_encoded,
    lambda text: (MODE_OF[text], None) if text in MODE_OF else (None, text),
    "UN/ECE Recommendation 19, list transport-mode",
)


# One element, several kinds of number.


def _first(*values: str | None) -> Texts:
    return (next((value for value in values if value is not None), None),)


def _by_length(*lengths: int) -> Callable[[str], Values]:
    """The first numbers are told by their length; what has none of these goes to the last place."""

    def decode(text: str) -> Values:
        chosen = lengths.index(len(text)) if len(text) in lengths else len(lengths)
        return tuple(text if place == chosen else None for place in range(len(lengths) + 1))

    return decode


ORGANISATION = Conversion("organisation, customs or other number", _first, _by_length(9, 10), "9, 10 or other lengths")
OWNER = Conversion(
    "customs, organisation or other number", _first, _by_length(10, 9), "10, 9 or other lengths; NO occurs"
)

# A country code and a national number: the field also takes NO, or the number of no agreement (GACC 2018/131).
AEO_FORM = re.compile(r"(AEO)?[A-Z]{2}(?=[A-Z]*[0-9])[0-9A-Z]{4,33}", re.ASCII)
AEO_OR_OTHER = Conversion(
    "AEO code or other number",
    _first,
    lambda text: (text, None) if AEO_FORM.fullmatch(text) else (None, text),
)


def _either(ours: str | None, same: str | None) -> Texts:
    if ours is not None and same is not None and ours != same:
        raise ValueError("one currency for price and amount")
    return (ours if ours is not None else same,)


# Two spellings of one element: the second path remembers which came.


def older_name(name: str) -> Conversion:
    """The value under its newer or its older element name, or under both."""

    def encode(value: str | None, under: str | None) -> Texts:
        if under not in (None, name, "both"):
            raise ValueError(f"{name} or both")
        return (value if under != name else None, value if under is not None else None)

    def decode(newer: str | None, older: str | None) -> Values:
        if newer is not None and older is not None and newer != older:
            raise ValueError("one value under both names")
        if older is None:
            return (newer, None)
        return (older, name if newer is None else "both")

    return Conversion(f"also called {name}", encode, decode)


VERSION_NAME = older_name("version")
TRADE_CODE_NAME = older_name("TradeCodeScc")


# Times of customs' clock, UTC+8.


def _signing_encoded(value: str) -> str:
    match = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})T(\d{2}:\d{2}:\d{2})\+08:00", value, re.ASCII)
    if match is None:
        raise ValueError("a time yyyy-MM-ddTHH:mm:ss+08:00")
    return f"{match[1]}{match[2]}{match[3]} {match[4]}"


def _signing_decoded(text: str) -> str:
    match = re.fullmatch(r"(\d{4})(\d{2})(\d{2}) (\d{2}:\d{2}:\d{2})", text, re.ASCII)
    if match is None:
        raise ValueError("a time yyyyMMdd hh:mm:ss")
    return f"{match[1]}-{match[2]}-{match[3]}T{match[4]}+08:00"


CHINA_TIME = local_time("+08:00")
SPACED_TIME = one("yyyyMMdd hh:mm:ss +08:00", _signing_encoded, _signing_decoded, "dictionary: EdocRealation.SignTime")


# Codes of another world.


@dataclass(frozen=True, slots=True)
class Codes:
    """The translations of one dialect: ISO and Rec 20 codes of ours <-> what the message writes."""

    country: Conversion
    currency: Conversion
    shared_currency: Conversion
    unit: Conversion


def codes_of(lists: CodeLists, *, country_world: str, currency_world: str) -> Codes:
    """world: ``letters`` (since 2018) or ``numbers`` (the old customs numbers)."""
    currency = _translated("currency", _currencies(lists, currency_world), 3)
    return Codes(
        country=_translated("country", _countries(lists, country_world), 3),
        currency=currency,
        shared_currency=Conversion(
            "currency of price and amount",
            lambda ours, same: currency.encode(code) if (code := _either(ours, same)[0]) is not None else (None,),
            lambda text: (*currency.decode(text), None),
        ),
        unit=_translated(
            "unit", {row.columns["rec20"]: row.code for row in lists["unit"].rows if row.columns["rec20"]}, 3
        ),
    )


def _countries(lists: CodeLists, world: str) -> Mapping[str, str]:
    rows = lists["country"].rows
    if world == "letters":
        return {row.columns["alpha2"]: row.code for row in rows}
    # A number that several countries share cannot be read back: it is no translation.
    return {
        row.columns["alpha2"]: number
        for row in rows
        if (number := row.columns["old_customs"]) and len(lists["country"].from_alternate(number, "old_customs")) == 1
    }


def _currencies(lists: CodeLists, world: str) -> Mapping[str, str]:
    if world == "letters":
        return {row.code: row.code for row in lists["currency"].rows}
    return {row.code: row.columns["old_customs"] for row in lists["currency"].rows if row.columns["old_customs"]}


def _translated(name: str, ours_to_theirs: Mapping[str, str], length: int) -> Conversion:
    """A code list, one to one. A code of the wire's length that no list knows stays what it is, in both directions."""
    theirs_to_ours = {theirs: ours for ours, theirs in ours_to_theirs.items()}
    if len(theirs_to_ours) != len(ours_to_theirs):
        raise ValueError(f"the {name} list is not one to one")
    encoded = {ours: (theirs,) for ours, theirs in ours_to_theirs.items()}
    decoded = {theirs: (ours,) for theirs, ours in theirs_to_ours.items()}

    def encode(value: str) -> Texts:
        known = encoded.get(value)
        if known is not None:
            return known
        if len(value) != length or value in theirs_to_ours:
            raise ValueError(theirs_to_ours.get(value) or f"a {name} code that this partner knows")
        return (value,)

    def decode(text: str) -> Values:
        known = decoded.get(text)
        if known is not None:
            return known
        if len(text) != length or text in ours_to_theirs or not text.isalnum():
            raise ValueError(f"a {name} code")
        return (text,)

    return Conversion(name, encode, decode, f"list {name}")
