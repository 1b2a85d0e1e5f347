"""What the Single Window and customs answer, as tables: DecImportResponse, DEC_RESULT, and their older forms.

Code and text stay verbatim. What an answer means for the declaration (function, severity, places) is receipts.py.
"""

from __future__ import annotations

import re

from gateway.mapping.rows import Conversion, Row, code, convert, group, text

SHAPE = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d+)?(Z|[+-]\d{2}:\d{2})?)?", re.ASCII)
# What else was seen: the day alone without signs (I_E_DATE of 2024), and a blank for the T.
OTHER_SHAPE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ]?(\d{2}):?(\d{2}):?(\d{2})(\.\d+)?)?", re.ASCII)
OFFSET = "+08:00"


def _encoded(value: str) -> tuple[str]:
    if not SHAPE.fullmatch(value):
        raise ValueError("a day yyyy-MM-dd or a time yyyy-MM-ddTHH:mm:ss+08:00")
    return (value.removesuffix(OFFSET),)


def _decoded(text: str) -> tuple[str]:
    match = SHAPE.fullmatch(text)
    if match is None:
        return (_respelt(text),)
    return (text if len(text) == 10 or match[1] else text + OFFSET,)


def _respelt(text: str) -> str:
    match = OTHER_SHAPE.fullmatch(text)
    if match is None:
        raise ValueError("a day yyyy-MM-dd or a time yyyy-MM-ddTHH:mm:ss")
    day = "-".join(match.group(1, 2, 3))
    return day if match[4] is None else f"{day}T{':'.join(match.group(4, 5, 6))}{match[7] or ''}{OFFSET}"


# Times of receipts carry no offset and are UTC+8; some are days only (facts 2.7). Other spellings are read, and kept beside.
RECEIPT_TIME = Conversion("day or time of UTC+8", _encoded, _decoded, generous=True)

RESULT: list[Row] = [
    text("CUS_CIQ_NO", "declaration.unified_number"),
    text("ENTRY_ID", "declaration.id"),
    convert("NOTICE_DATE", "issue_date_time", RECEIPT_TIME),
    code("CHANNEL", "raw_code", "receipt-channel"),
    text("NOTE", "raw_text"),
    code("CUSTOM_MASTER", "declaration.declaration_office.id", "customs-offices"),
    convert("I_E_DATE", "declaration.entry_exit_date_time", RECEIPT_TIME),
    convert("D_DATE", "declaration.issue_date_time", RECEIPT_TIME),
]

REPLIES: dict[str, list[Row]] = {
    "decimportresponse": [
        text("ResponseCode", "raw_code"),
        text("ErrorMessage", "raw_text"),
        text("ClientSeqNo", "declaration.functional_reference_id"),
        text("SeqNo", "declaration.unified_number"),
        text("TrnPreId", "declaration.transit_unified_number"),
    ],
    "dec_result": RESULT,
    "dec_data": [group("DEC_RESULT", RESULT), text("RESULT_INFO", "raw_detail")],
    "dec_root": [text("resultFlag", "raw_code"), text("failInfo", "raw_text")],
}
