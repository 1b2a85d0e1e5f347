"""The header of a WCO declaration: who hands it in and for whom, the totals, the carriage, the papers, the guarantees.

In the order of the form; the shipment below it is shipment.py.
"""

from __future__ import annotations

from adapters.wco_declaration.parts import (
    ADDRESS,
    additional_information,
    address,
    communication,
    identifier,
    office,
    party,
    pointer,
    transport_means,
    when,
)
from gateway.mapping.rows import Row, amount, code, each, group, measure, text


def message_marks() -> list[Row]:
    """What every kind says of the message itself."""
    return [text("FunctionCode", "function_code"), text("FunctionalReferenceID", "functional_reference_id")]


def filers(scheme: str) -> list[Row]:
    """Who hands the message in, and for whom."""
    return [
        party("Submitter", "submitter", scheme),
        party("Agent", "agent", scheme, text("FunctionCode", "agent.function_code")),
    ]


def header(scheme: str) -> list[Row]:
    """Declaration 42A without what belongs to the message, its filers and its amendments."""
    return [
        when("AcceptanceDateTime", "acceptance_date_time"),
        text("IssueLocationID", "issue_location_id"),
        measure("GoodsItemQuantity", "goods_item_quantity"),
        amount("InvoiceAmount", "invoice_amount"),
        measure("LoadingListQuantity", "loading_list_quantity"),
        measure("TotalGrossMassMeasure", "total_gross_mass"),
        measure("TotalPackageQuantity", "total_package_quantity"),
        text("SpecificCircumstancesCodeCode", "specific_circumstances_code"),
        group(
            "Authentication",
            [
                text("Authentication", "authentication.authentication"),
                group("Authenticator", [text("Name", "authentication.authenticator.name")]),
            ],
        ),
        each(
            "AdditionalDocument",
            "additional_documents",
            [text("CategoryCode", "category_code"), text("ID", "id"), text("TypeCode", "type_code")],
        ),
        additional_information(pointer()),
        each(
            "AuthorisationHolder",
            "authorisation_holders",
            [identifier("", scheme), text("CategoryCode", "category_code")],
        ),
        transport_means(
            "BorderTransportMeans",
            "border_transport_means",
            code("RegistrationNationalityCode", "border_transport_means.registration_nationality_code", "country-iso"),
        ),
        consignment(scheme),
        each(
            "CurrencyExchange",
            "currency_exchanges",
            [code("CurrencyTypeCode", "currency_type_code", "currency-iso"), text("RateNumeric", "rate")],
        ),
        party("Declarant", "declarant", scheme, contact=True),
        office("ExitOffice", "exit_office"),
        party("Exporter", "exporter", scheme, contact=True),
        each(
            "ObligationGuarantee",
            "obligation_guarantees",
            [
                amount("AmountAmount", "amount"),
                text("ID", "id"),
                text("ReferenceID", "reference_id"),
                text("SecurityDetailsCode", "security_details_code"),
                text("AccessCode", "access_code"),
                office("GuaranteeOffice", "guarantee_office"),
            ],
        ),
        office("SupervisingOffice", "supervising_office"),
    ]


def consignment(scheme: str) -> Row:
    """Declaration/Consignment 28A: the carriage, for the safety and security part."""
    sender = ("TypeCode", *ADDRESS)
    return group(
        "Consignment",
        [
            group(
                "Carrier",
                [
                    text("Name", "consignment.carrier.name"),
                    identifier("consignment.carrier.", scheme),
                    address("consignment.carrier.address"),
                    communication("consignment.carrier.communications"),
                ],
            ),
            each(
                "ConsignmentItem",
                "consignment.consignment_items",
                [
                    text("SequenceNumeric", "sequence_number"),
                    party("Consignor", "consignor", scheme, of=sender),
                    group("Freight", [text("PaymentMethodCode", "freight.payment_method_code")]),
                ],
            ),
            party("Consignor", "consignment.consignor", scheme, of=sender),
            group("Freight", [text("PaymentMethodCode", "consignment.freight.payment_method_code")]),
            each(
                "Itinerary",
                "consignment.itineraries",
                [
                    text("SequenceNumeric", "sequence_number"),
                    code("RoutingCountryCode", "routing_country_code", "country-iso"),
                ],
            ),
        ],
    )
