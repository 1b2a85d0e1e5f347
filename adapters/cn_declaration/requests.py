"""The request to amend or cancel a declaration (修撤单). A vendor's model: carrier and namespace were never seen in public.

One message for both; DecModType says which. Kinds seen: none; ``2`` as cancellation is our assumption (README).
"""

from __future__ import annotations

from adapters.cn_declaration.conversions import CHINA_TIME, DIRECTION
from gateway.mapping.rows import Conversion, Row, Texts, Values, code, convert, each, joined, text

CANCELLATION_TYPE = "2"
AMENDMENT_TYPE = "1"


def _card_encoded(card: str | None, certificate: str | None) -> Texts:
    if card is not None and "|" in card:
        raise ValueError("a card number without a bar")
    return (f"{card or ''}|{certificate}" if certificate is not None else card,)


def _card_decoded(text: str) -> Values:
    card, bar, certificate = text.partition("|")
    if bar and not certificate:
        raise ValueError("a certificate number after the bar")
    return (card or None, certificate or None)


CARD_AND_CERTIFICATE = Conversion("card | certificate", _card_encoded, _card_decoded)

REQUEST: list[Row] = [
    text("DecModSeqNo", "unified_number"),
    text("Version", "document_metadata.model_version"),
    text("DecModType", "type_code"),
    text("EntryId", "declaration.id"),
    code("CustomsCode", "declaration.declaration_office.id", "customs-offices"),
    text("TradeCode", "domestic_party.identifiers[scheme=CN-CUSTOMS].value"),
    text("TradeName", "domestic_party.name"),
    text("AgentCode", "agent.identifiers[scheme=CN-CUSTOMS].value"),
    text("AgentName", "agent.name"),
    text("DecModNote", "reason_text"),
    text("CheckMark", "examination_mark"),
    text("DecSeqNo", "declaration.unified_number"),
    text("Sign", "authentication.authentication"),
    convert("SignTime", "authentication.issue_date_time", CHINA_TIME),
    convert("IeFlag", "declaration.direction", DIRECTION),
    text("OperType", "filing_action_code"),
    joined(
        ["IcCode"],
        [
            "authentication.authenticator.identifiers[scheme=CN-IC-CARD].value",
            "authentication.certificate_number",
        ],
        CARD_AND_CERTIFICATE,
    ),
    text("EntOpName", "agent.contact.name"),
    text("EntOpTele", "agent.contact.communications[type_code=TE].id"),
    text("FeedDept", "customs_post"),
    text("TradeCreditCode", "domestic_party.identifiers[scheme=CN-USCI].value"),
    text("AgentCreditCode", "agent.identifiers[scheme=CN-USCI].value"),
    each(
        "Items/Item",
        "changes",
        [
            text("No", "sequence_number"),
            text("FieldCode", "field_code"),
            text("FieldName", "field_name"),
            text("OldValue", "old_value"),
            text("NewValue", "new_value"),
            text("OldName", "old_name"),
            text("NewName", "new_name"),
        ],
    ),
]
