"""The tables between our documents and the messages of the China Single Window goods declaration.

The declaration is one table, read downwards like the form: this module holds its frame, the blocks stand in
declaration_head.py, goods_items.py, declaration_parts.py and supplements.py. A sender's habits, which the message shows and
nothing in it names, are a Dialect: the same rows, compiled with other conversions. requests.py has the amendment and
cancellation, replies.py what customs answers.
"""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from adapters.cn_declaration import declaration_parts as parts
from adapters.cn_declaration.conversions import CHINA_TIME, SPACED_TIME, VERSION_NAME, Codes, codes_of
from adapters.cn_declaration.declaration_head import head
from adapters.cn_declaration.goods_items import goods_item
from adapters.cn_declaration.replies import REPLIES
from adapters.cn_declaration.requests import REQUEST
from adapters.cn_declaration.supplements import SUPPLEMENT, duty_self_assessment, royalty_fee
from gateway.documents.codelists import CodeLists
from gateway.mapping import Mapping
from gateway.mapping.family import Form
from gateway.mapping.rows import Row, each, group, joined, scope, text
from gateway.syntax.registry import SchemaRegistry

STANDARD = "cn_declaration"
BAG = "extensions.cn_declaration"
REQUEST_KINDS = ("declaration_amendment", "declaration_cancellation")
# The version of each message's element table. One table reads every version that was seen.
VERSIONS = {
    "decmessage": "4.8",
    "importmessage": "1.0",
    "decmod": "1",
    "decimportresponse": "1",
    "dec_result": "1",
    "dec_data": "1",
    "dec_root": "1",
}

REMEMBERED = "remembered of a received message, so that it can be written again as it came"
IGNORED: Dictionary[str, str] = {
    "regime": "follows from direction, kind of business and transfer mark; rule CN-DEC-024 compares them",
    f"{BAG}.dialect": REMEMBERED,
    f"{BAG}.code_world": REMEMBERED,
    f"{BAG}.remainder": REMEMBERED,
}
IGNORED_OF_REQUESTS: Dictionary[str, str] = {
    "functional_reference_id": "the file name of the request stands in its place; it stays searchable",
    "declaration.functional_reference_id": "the declaration is named by its numbers",
    "changes[].pointer": "field code and field name say the same",
    "changes[].reason_text": "the reason of the whole request says it; where it has none, those of its changes are joined",
    f"{BAG}.remainder": REMEMBERED,
}
FOLLOWS = "follows from the partner's code and text"
IGNORED_OF_REPLIES: Dictionary[str, str] = {
    "function": FOLLOWS,
    "severity": FOLLOWS,
    "message_type": FOLLOWS,
    "places": FOLLOWS,
    f"{BAG}.remainder": REMEMBERED,
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one sender writes. countries, currencies: ``letters`` since 2018, ``numbers`` before (facts 1).

    signing_time: ``spaced`` is yyyyMMdd hh:mm:ss, ``compact`` yyyyMMddHHmmss. container_goods: ``flat`` repeats
    TrnContaGoodsList, ``nested`` repeats TrnContaGoods inside it.
    """

    countries: str = "letters"
    currencies: str = "letters"
    signing_time: str = "spaced"
    container_goods: str = "flat"

    def remembered(self) -> dict[str, Any]:
        """What the bag says of it: the code world always, the rest where it is not the usual."""
        unusual = {name: value for name in CHOICES if (value := getattr(self, name)) != getattr(USUAL, name)}
        unusual.pop("countries", None)
        if self.currencies == self.countries:
            unusual.pop("currencies", None)
        elif "currencies" not in unusual:
            unusual["currencies"] = self.currencies
        return {"code_world": self.countries, **({"dialect": unusual} if unusual else {})}

    @classmethod
    def recalled(cls, bag: Dictionary[str, Any], code_world: str) -> Dialect:
        """The dialect a bag remembers; code_world where it remembers none."""
        world = bag.get("code_world", code_world)
        told = bag.get("dialect")
        known = told if isinstance(told, dict) else {}
        chosen = {"countries": world, "currencies": world, "signing_time": "spaced", "container_goods": "flat"}
        return cls(
            **{name: value if known.get(name) not in CHOICES[name] else known[name] for name, value in chosen.items()}
        )


USUAL = Dialect()
CHOICES = {
    "countries": ("letters", "numbers"),
    "currencies": ("letters", "numbers"),
    "signing_time": ("spaced", "compact"),
    "container_goods": ("flat", "nested"),
}


def declaration(codes: Codes, dialect: Dialect) -> list[Row]:
    """DecMessage."""
    return [
        joined(["@Version", "@version"], ["document_metadata.model_version", f"{BAG}.version_attribute"], VERSION_NAME),
        group("DecHead", head(codes)),
        each("DecLists/DecList", "goods_shipment.government_agency_goods_items", goods_item(codes)),
        each("DecContainers/Container", "goods_shipment.consignment.transport_equipments", parts.CONTAINER),
        each("DecLicenseDocus/LicenseDocu", "additional_documents", parts.LICENCE),
        each("DecRequestCerts/DecRequestCert", "requested_certificates", parts.REQUESTED_CERTIFICATE),
        each("DecOtherPacks/DecOtherPack", "other_packagings", parts.OTHER_PACKAGING),
        each("DecCopLimits/DecCopLimit", "enterprise_qualifications", parts.ENTERPRISE_QUALIFICATION),
        each("DecCopPromises/DecCopPromise", "enterprise_statements", parts.ENTERPRISE_STATEMENT),
        each("DecUsers/DecUser", "goods_shipment.using_unit_contacts", parts.USING_UNIT_CONTACT),
        each("DecMarkLobs/DecMarkLob", "mark_images", parts.MARK_IMAGE),
        group("DecFreeTxt", parts.FREE_TEXT),
        group("DecSign", parts.SIGNATURE),
        scope("transit_movement", [group("TrnHead", parts.TRANSFER), *transfer_details(dialect)]),
        each("EcoRelation", "origin_proofs", parts.ORIGIN_PROOF),
        each(
            "EdocRealation",
            "attachments",
            parts.attachment(SPACED_TIME if dialect.signing_time == "spaced" else CHINA_TIME),
        ),
        group("DecTpAccess", [scope("two_stage_access", parts.TWO_STAGE_ACCESS)]),
        group("DecRoyaltyFee", [scope("royalty_fee", royalty_fee(codes))]),
        group("DecRisk", parts.RISK_RESULT),
        group("SddTax", [scope("duty_self_assessment", duty_self_assessment(codes))]),
        each("DecSupplementLists/DecSupplementList", "supplementary_declarations", SUPPLEMENT),
    ]


def transfer_details(dialect: Dialect) -> list[Row]:
    """TrnList, TrnContainers and TrnContaGoodsList, below transit_movement."""
    nested = dialect.container_goods == "nested"
    goods = "TrnContaGoodsList/TrnContaGoods" if nested else "TrnContaGoodsList"
    return [
        group("TrnList", [scope("border_crossing", parts.BORDER_CROSSING)]),
        each("TrnContainers/TrnContainer", "transport_equipments", parts.TRANSFER_CONTAINER),
        each(goods, "container_goods", parts.CONTAINER_GOODS),
    ]


# The wrapper of the years until about 2018 (facts 2.1): the same declaration, without namespace.
WRAPPER: list[Row] = [
    text("CopMsgId", "document_metadata.message_reference"),
    text("MsgType", "document_metadata.message_type"),
    text("FunctionCode", "document_metadata.function"),
    text("Format", "document_metadata.format"),
    text("Compress", "document_metadata.compression"),
    text("Version", "document_metadata.version"),
]


class Forms:
    """Every message of the family as a compiled form; those of the declaration once a dialect, when first asked for."""

    def __init__(self, lists: CodeLists, schemas: SchemaRegistry) -> None:
        self._lists = lists
        self._schemas = schemas
        self.of_declaration = lru_cache(maxsize=64)(self._of_declaration)
        self.of_request = lru_cache(maxsize=4)(self._of_request)
        self.of_reply = lru_cache(maxsize=8)(self._of_reply)

    def _of_declaration(self, message: str, dialect: Dialect) -> Form:
        codes = codes_of(self._lists, country_world=dialect.countries, currency_world=dialect.currencies)
        rows = declaration(codes, dialect)
        if message == "importmessage":
            rows = [group("SWImpHead", WRAPPER), group("SWImpData/DecMessage", rows)]
        return self._form(message, "declaration", rows)

    def _of_request(self, kind: str) -> Form:
        return self._form("decmod", kind, REQUEST, IGNORED_OF_REQUESTS)

    def _of_reply(self, message: str) -> Form:
        return self._form(message, "customs_response", REPLIES[message], IGNORED_OF_REPLIES)

    def _form(self, message: str, kind: str, rows: list[Row], ignored: Dictionary[str, str] = IGNORED) -> Form:
        schema = self._schemas.schema(STANDARD, VERSIONS[message], message)
        return Form(message, Mapping(document=kind, table=schema.table, rows=rows, ignored=ignored), schema)

    def mappings(self) -> dict[str, Mapping]:
        """One mapping a message and kind, in the usual dialect; for checks and for the docs."""
        forms = {
            "DECLARATION": self.of_declaration("decmessage", Dialect()),
            "DECLARATION_IN_NUMBERS": self.of_declaration("decmessage", Dialect("numbers", "numbers")),
            "WRAPPED_DECLARATION": self.of_declaration("importmessage", Dialect()),
            "AMENDMENT": self.of_request("declaration_amendment"),
            "CANCELLATION": self.of_request("declaration_cancellation"),
        }
        forms |= {f"REPLY_{message.upper()}": self.of_reply(message) for message in REPLIES}
        return {name: form.mapping for name, form in forms.items()}
