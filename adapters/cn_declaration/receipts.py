"""What answers mean: receipt channel -> function of the lifecycle, ids, places, and whether the message itself arrived.

Stashed is not submitted: the answer to an import proves a draft (``received``); a declaration is known only from customs'
first receipt. Channels are one table; a channel nobody knows is information that warns, never an error. Code and text stay
verbatim whatever they are taken to mean.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from gateway.documents.rules import members, text
from gateway.ports import Alias, Json, Reply

MESSAGE_TYPES = {
    "decimportresponse": "DecImportResponse",
    "dec_result": "DEC_RESULT",
    "dec_data": "DEC_DATA",
    "dec_root": "Root",
}
ANSWERS_TO_IMPORT = frozenset({"decimportresponse", "dec_root"})

# Channel -> function and severity (list receipt-channel). Where two vendors' lists differ, or what follows is not certain,
# the answer only informs.
CHANNELS: Mapping[str, tuple[str, str]] = {
    "3": ("received", "info"),
    "7": ("submitted", "info"),
    "4": ("failed", "error"),
    "8": ("failed", "error"),
    "9": ("failed", "error"),
    "Y": ("failed", "error"),
    "S": ("information", "warning"),  # quick entry failed (one source), inspection under way (another)
    "U": ("information", "warning"),
    "L": ("registered", "info"),
    "E": ("rejected", "error"),
    "J": ("accepted", "info"),
    "G": ("accepted", "info"),
    "M": ("information", "info"),
    "W": ("under_control", "warning"),
    "C": ("under_control", "warning"),
    "H": ("suspended", "warning"),
    "Z": ("returned", "error"),
    "N": ("documents_required", "warning"),
    "T": ("payment_required", "warning"),
    "V": ("information", "info"),
    "Q": ("information", "info"),
    "B": ("released_against_guarantee", "info"),
    "K": ("released_against_guarantee", "info"),
    "F": ("released", "info"),
    "I": ("released", "info"),
    "P": ("released", "info"),
    "O": ("admitted", "info"),
    "X": ("admitted", "info"),
    "#": ("admitted", "info"),
    "R": ("closed", "info"),
    "A": ("cancelled", "warning"),
    "D": ("cancelled", "warning"),
    "a": ("inspection_documents_received", "info"),
    "b": ("inspection_documents_received", "info"),
    "c": ("inspection_withdrawn", "info"),
    "d": ("inspection_documents_received", "info"),
    "SpL": ("registered", "info"),
    "SpE": ("rejected", "error"),
    "SpJ": ("accepted", "info"),
    "Sp1": ("documents_required", "warning"),
    "SpC": ("under_control", "warning"),
    "SpK": ("conditionally_released", "info"),
}
UNKNOWN_CHANNEL = ("information", "warning")

# Three things that only a text says. No public text is known: these are the forms of our simulator (README).
MANIFEST_FIRST = re.compile(r"未找到舱单[，,]提运单号[：:]\s*(?P<bill>[^\s，,。；;]+)")
CONDITIONAL = re.compile(r"附条件(提离|放行)")
REQUEST_DECIDED = re.compile(r"(?P<kind>修改|撤销)申请审批(?P<verdict>通过|退回)")
# "商品序号1：," and "商品序号：3" name goods items.
ITEM = re.compile(r"商品(?:序号|项号)[：:]?\s*(?P<number>[0-9]{1,3})")
ITEMS = "/goods_shipment/government_agency_goods_items"


def complete(message: str, document: Json) -> None:
    """Say in the response what follows from its code and text: function, severity, message type, places."""
    code = str(document.get("raw_code", ""))
    function, severity = _meaning(message, code, document.get("raw_text", ""))
    document["function"] = function
    document["severity"] = severity
    document["message_type"] = MESSAGE_TYPES[message]
    places = _places(document.get("raw_text", ""), None)
    if places:
        document["places"] = places


def message_of(document: Json) -> str:
    """The partner message that a response document came as."""
    kinds = {name: message for message, name in MESSAGE_TYPES.items()}
    return kinds.get(str(document.get("message_type")), "dec_result")


def reply(document: Json, message: str, *, received_us: int, sent: Json | None) -> Reply:
    """The answer for lifecycle and correlation. sent: the declaration it speaks of, for the places of goods items."""
    raw_text = str(document.get("raw_text", ""))
    about = document.get("declaration") or {}
    places = _places(raw_text, sent)
    if places and sent is not None:
        document = {**document, "places": places}
    learned = [
        Alias(scheme, about[name])
        for scheme, name in (
            ("cn-seq-no", "unified_number"),
            ("cn-entry-id", "id"),
            ("cn-transit-no", "transit_unified_number"),
        )
        if about.get(name)
    ]
    client = (
        [Alias("cn-client-seq-no", about["functional_reference_id"])] if about.get("functional_reference_id") else []
    )
    manifest = MANIFEST_FIRST.search(raw_text)
    return Reply(
        document=document,
        function=str(document.get("function", "information")),
        raw_code=str(document.get("raw_code", "")),
        raw_text=raw_text,
        issued_us=_issued_us(document, received_us),
        aliases=(*client, *learned),
        learned=tuple(learned),
        receipt=_receipt(message, str(document.get("function", ""))),
        prerequisite=f"manifest:{manifest['bill']}" if manifest else "",
        names_places=bool(places),
    )


def _meaning(message: str, code: str, raw_text: str) -> tuple[str, str]:
    if MANIFEST_FIRST.search(raw_text):
        return ("waiting", "warning")
    if message in ANSWERS_TO_IMPORT:
        return ("received", "info") if code == "0" else ("failed", "error")
    decided = REQUEST_DECIDED.search(raw_text)
    if decided is not None:
        if decided["verdict"] == "退回":
            return ("request_refused", "warning")
        return ("amended" if decided["kind"] == "修改" else "cancelled", "info")
    function, severity = CHANNELS.get(code, UNKNOWN_CHANNEL)
    if function == "released" and CONDITIONAL.search(raw_text):
        return ("conditionally_released", severity)
    return (function, severity)


def _receipt(message: str, function: str) -> bool | None:
    """Only the answer to the import speaks of the message; customs' receipts imply that it arrived."""
    if message not in ANSWERS_TO_IMPORT or function == "waiting":
        return None
    return function == "received"


def _places(raw_text: str, sent: Json | None) -> list[dict[str, str]]:
    """The goods items that a text names, each once, in the order of the text."""
    places: dict[str, dict[str, str]] = {}
    for match in ITEM.finditer(raw_text):
        number = match["number"].lstrip("0") or "0"
        pointer = _item_pointer(number, sent)
        place = {"scheme": "text", "value": match[0]}
        places.setdefault(number, place | ({"pointer": pointer} if pointer else {}))
    return list(places.values())


def _item_pointer(number: str, sent: Json | None) -> str | None:
    """The item of that number; items are numbered from 1 in their order where the declaration is not at hand."""
    if sent is None:
        return f"{ITEMS}/{int(number) - 1}" if number != "0" else None
    for index, item in members(sent, "goods_shipment", "government_agency_goods_items"):
        if (text(item, "sequence_number") or str(index + 1)) == number:
            return f"{ITEMS}/{index}"
    return None


def _issued_us(document: Mapping[str, Any], received_us: int) -> int:
    """The partner's time of issue; an answer that names none was issued when it came."""
    told = document.get("issue_date_time")
    try:
        moment = dt.datetime.fromisoformat(str(told)) if told else None
    except ValueError:
        moment = None
    if moment is None:
        return received_us
    if moment.tzinfo is None:  # a day only, in China
        moment = moment.replace(tzinfo=dt.timezone(dt.timedelta(hours=8)))
    return int(moment.timestamp() * 1_000_000)
