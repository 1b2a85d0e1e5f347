"""The tables between our documents and the WCO declaration messages: one line an element, for both directions.

This module holds their frame; the blocks stand in declaration_header.py, shipment.py, goods_items.py and answers.py, each read
downwards like the paper, and what stands in many places in parts.py. A declaration is one tree; an amendment, a cancellation and
a presentation are the same tree with the changed parts below ``content``; an answer may echo it below ``declaration_content``.

Names, cardinalities and order are facts of specs/wco_declaration; class and element ids stand there too.
Source of the meanings: WCO Data Model 3.6, DEC and RES, as profiled for CDS (specs/wco_declaration/SOURCES.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.wco_declaration.answers import response
from adapters.wco_declaration.conversions import DECLARATION_TYPE
from adapters.wco_declaration.declaration_header import filers, header, message_marks
from adapters.wco_declaration.parts import EORI, amendment, office, when
from adapters.wco_declaration.shipment import goods_location, shipment
from gateway.mapping import Mapping
from gateway.mapping.rows import Row, code, group, joined, scope, text
from gateway.ports import Agreement
from gateway.syntax.tables import ElementTable

DECLARATION_NAMESPACE = "urn:wco:datamodel:WCO:DEC-DMS:2"
RESPONSE_NAMESPACE = "urn:wco:datamodel:WCO:RES-DMS:2"
ADAPTER = "wco_declaration"
BAG = f"extensions.{ADAPTER}"
# The member of the bag that gateway.mapping.leftovers keeps.
LEFT = "as_written"
AS_WRITTEN = f"{BAG}.{LEFT}"

# What the partner has no place for, and why that is no loss.
DERIVED = {
    "function": "customs_response.function follows from the raw code",
    "severity": "follows from the raw code",
    "message_type": "the name of the message follows from the raw code",
    "raw_text": "the descriptions of the errors and statements, which are carried",
    "places": "the pointers of the errors, which are carried",
    "errors[].places": "the pointers of the error, which are carried",
}
REGIME = {
    "regime": "the type code and the procedure codes of the items say it",
}
REMEMBERED = {AS_WRITTEN: "remembered of a received message, so that it can be written again as it came"}

BY_NUMBER = dict.fromkeys(
    (
        "declaration.functional_reference_id",
        "declaration.unified_number",
        "declaration.pre_entry_number",
        "declaration.version_id",
        "declaration.direction",
    ),
    "customs knows the declaration by its number, which is carried",
)


def party_scheme(agreement: Agreement | None) -> str:
    """The register whose numbers name the parties; an agreement has to say it, work without one (command line) need not."""
    told = agreement.parameters.get("party_identifier_scheme") if agreement else None
    return str(told or EORI)


def wrapper() -> list[Row]:
    """MetaData: which model, whose profile."""
    return [
        text("WCODataModelVersionCode", "document_metadata.model_version"),
        text("WCOTypeName", "document_metadata.type_name"),
        code("ResponsibleCountryCode", "document_metadata.responsible_country", "country-iso"),
        text("ResponsibleAgencyName", "document_metadata.responsible_agency"),
        text("AgencyAssignedCustomizationCode", "document_metadata.customization_code"),
        text("AgencyAssignedCustomizationVersionCode", "document_metadata.customization_version"),
    ]


def own_facts(scheme: str) -> list[Row]:
    """What a declaration says of itself, and what an echo of one says; a request says it of itself, in other places."""
    return [
        *message_marks(),
        text("ID", "id"),
        when("IssueDateTime", "issue_date_time"),
        text("DeclarationOfficeID", "declaration_office.id"),
        *filers(scheme),
        amendment("amendments", "change_reason_code"),
        office("PresentationOffice", "presentation_office"),
        *header(scheme),
        goods_location("goods_shipment.consignment.goods_location"),
        group("GoodsShipment", [scope("goods_shipment", shipment(scheme))]),
    ]


def request_facts(scheme: str) -> list[Row]:
    """A request about a declaration that customs has: which one, by whom; the changed parts below content."""
    return [
        *message_marks(),
        text("ID", "declaration.id"),
        when("IssueDateTime", "issue_date_time"),
        text("TypeCode", "type_code"),
        text("DeclarationOfficeID", "declaration.declaration_office.id"),
        *filers(scheme),
        scope("content", [*header(scheme), group("GoodsShipment", [scope("goods_shipment", shipment(scheme))])]),
    ]


def changed_content() -> list[Row]:
    """The rest of an amendment's or a cancellation's sparse copy, and the list of what is changed."""
    return [
        amendment("changes", "reason_code"),
        office("PresentationOffice", "content.presentation_office"),
        goods_location("content.goods_shipment.consignment.goods_location"),
    ]


def declaration(table: ElementTable, scheme: str = EORI) -> Mapping:
    return _mapping(
        table,
        "declaration",
        [joined(("TypeCode",), ("type_code", "direction"), DECLARATION_TYPE), *own_facts(scheme)],
        REGIME,
    )


def declaration_amendment(table: ElementTable, scheme: str = EORI) -> Mapping:
    return _mapping(table, "declaration_amendment", [*request_facts(scheme), *changed_content()], BY_NUMBER)


def declaration_cancellation(table: ElementTable, scheme: str = EORI) -> Mapping:
    return _mapping(table, "declaration_cancellation", [*request_facts(scheme), *changed_content()], BY_NUMBER)


def goods_presentation(table: ElementTable, scheme: str = EORI) -> Mapping:
    rows = [
        amendment("content.amendments", "change_reason_code"),
        office("PresentationOffice", "presentation_office"),
        goods_location("goods_location"),
    ]
    return _mapping(table, "goods_presentation", [*request_facts(scheme), *rows], BY_NUMBER)


def customs_response(table: ElementTable, scheme: str = EORI) -> Mapping:
    return Mapping(
        document="customs_response",
        table=table,
        rows=[*wrapper(), group("Response", response(own_facts(scheme)))],
        ignored=DERIVED | REMEMBERED,
        default_namespace=RESPONSE_NAMESPACE,
    )


def _mapping(table: ElementTable, kind: str, rows: Sequence[Row], ignored: dict[str, str]) -> Mapping:
    return Mapping(
        document=kind,
        table=table,
        rows=[*wrapper(), group("Declaration", rows)],
        ignored=ignored | REMEMBERED,
        default_namespace=DECLARATION_NAMESPACE,
    )
