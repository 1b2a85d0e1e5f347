"""What customs answers (Response 07B): its own words, what became of the declaration, and the copy of it that may follow.

What an answer says in our words (function, severity, places) is worked out by receipts.py.
"""

from __future__ import annotations

from adapters.wco_declaration.parts import (
    additional_information,
    amendment,
    communication,
    duty_tax_fee,
    office,
    payment,
    pointer,
    when,
)
from gateway.mapping.rows import Row, each, group, scope, text


def response(echo: list[Row]) -> list[Row]:
    """Response 07B; echo: what a declaration says of itself, which the answer may repeat."""
    return [
        text("FunctionCode", "raw_code"),
        text("FunctionalReferenceID", "functional_reference_id"),
        when("IssueDateTime", "issue_date_time"),
        additional_information(when("LimitDateTime", "limit_date_time"), pointer()),
        amendment("amendments", "change_reason_code"),
        office("AppealOffice", "appeal_office"),
        group("Bank", [text("ReferenceID", "bank.reference_id"), text("ID", "bank.id")]),
        each("ContactOffice", "contact_offices", [text("ID", "id"), communication("communications")]),
        each(
            "Error",
            "errors",
            [text("Description", "description"), text("ValidationCode", "validation_code"), pointer()],
        ),
        each(
            "Status",
            "statuses",
            [
                when("EffectiveDateTime", "effective_date_time"),
                text("NameCode", "name_code"),
                when("ReleaseDateTime", "release_date_time"),
                pointer(),
            ],
        ),
        group("Declaration", [scope("declaration", outcome())]),
        group("dec:Declaration", [scope("declaration_content", [text("TypeCode", "type_code"), *echo])]),
    ]


def outcome() -> list[Row]:
    """Response/Declaration: what became of the declaration, and what is to be paid."""
    return [
        when("AcceptanceDateTime", "acceptance_date_time"),
        when("CancellationDateTime", "cancellation_date_time"),
        text("FunctionalReferenceID", "functional_reference_id"),
        text("ID", "id"),
        when("RejectionDateTime", "rejection_date_time"),
        text("VersionID", "version_id"),
        each(
            "DutyTaxFee",
            "duty_tax_fees",
            [
                group(
                    "Payment",
                    [
                        text("ReferenceID", "payment.reference_id"),
                        *payment(),
                        when("DueDateTime", "payment.due_date_time"),
                        each(
                            "ObligationGuarantee",
                            "payment.obligation_guarantees",
                            [text("ReferenceID", "reference_id")],
                        ),
                    ],
                )
            ],
        ),
        each(
            "GoodsShipment/GovernmentAgencyGoodsItem",
            "goods_shipment.government_agency_goods_items",
            [
                text("SequenceNumeric", "sequence_number"),
                each("Commodity/DutyTaxFee", "commodity.duty_tax_fees", [*duty_tax_fee(), group("Payment", payment())]),
            ],
        ),
    ]
