"""What a WCO declaration and the answers to it mean: one line an element, for both directions.

The tree is written once and read downwards like the paper: wrapper, header, parties, shipment, goods item. A declaration is
that tree; an amendment, a cancellation and a presentation are the same tree with the changed parts below ``content``; an
answer may echo it below ``declaration_content``. Parts that stand in many places (party, address, amounts ...) are functions.

Names, cardinalities and order are facts of specs/wco_declaration; class and element ids stand there too.
Source of the meanings: WCO Data Model 3.6, DEC and RES, as profiled for CDS (specs/wco_declaration/SOURCES.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.wco_declaration.conversions import DATE_TIME, DECLARATION_TYPE
from gateway.mapping import Mapping
from gateway.mapping.rows import Row, amount, code, each, group, joined, measure, scope, text
from gateway.ports import Agreement
from gateway.syntax.tables import ElementTable

DECLARATION_NAMESPACE = "urn:wco:datamodel:WCO:DEC-DMS:2"
RESPONSE_NAMESPACE = "urn:wco:datamodel:WCO:RES-DMS:2"
EORI, VAT = "EORI", "VAT"
ADAPTER = "wco_declaration"
BAG = f"extensions.{ADAPTER}"
# The member of the bag that gateway.mapping.leftovers keeps.
LEFT = "as_written"
AS_WRITTEN = f"{BAG}.{LEFT}"

ADDRESS = ("CityName", "CountryCode", "CountrySubDivisionCode", "CountrySubDivisionName", "Line", "PostcodeID")


def party_scheme(agreement: Agreement | None) -> str:
    """The register whose numbers name the parties; an agreement has to say it, work without one (command line) need not."""
    told = agreement.parameters.get("party_identifier_scheme") if agreement else None
    return str(told or EORI)


# Parts.


def when(element: str, path: str) -> Row:
    """DateTimeType: the text and its formatCode, 102 a day or 304 a time with its zone (UN/EDIFACT 2379)."""
    return group(element, [joined(("DateTimeString", "DateTimeString/@formatCode"), (path,), DATE_TIME)])


def address(path: str, elements: Sequence[str] = ADDRESS) -> Row:
    known = {
        "TypeCode": text("TypeCode", f"{path}.type_code"),
        "CityName": text("CityName", f"{path}.city_name"),
        "CountryCode": code("CountryCode", f"{path}.country_code", "country-iso"),
        "CountrySubDivisionCode": text("CountrySubDivisionCode", f"{path}.country_sub_division_code"),
        "CountrySubDivisionName": text("CountrySubDivisionName", f"{path}.country_sub_division_name"),
        "Line": text("Line", f"{path}.line"),
        "PostcodeID": text("PostcodeID", f"{path}.postcode_id"),
    }
    return group("Address", [known[element] for element in elements])


def identifier(path: str, scheme: str) -> Row:
    """The one number a party has here; which register gave it is a matter of the profile."""
    return text("ID", f"{path}identifiers[scheme={scheme}].value")


def party(element: str, path: str, scheme: str, *more: Row, contact: bool = False, of: Sequence[str] = ADDRESS) -> Row:
    """A party with name, number and address; contact: a person to speak to and one line to reach it too."""
    rows = [text("Name", f"{path}.name"), identifier(f"{path}.", scheme), *more, address(f"{path}.address", of)]
    if contact:
        rows += [group("Contact", [text("Name", f"{path}.contact.name")]), communication(f"{path}.communications")]
    return group(element, rows)


def communication(path: str) -> Row:
    return each("Communication", path, [text("ID", "id"), text("TypeCode", "type_code")])


def role_parties(element: str, path: str, scheme: str) -> Row:
    """Parties that are a number and a role, nothing more."""
    return each(element, path, [identifier("", scheme), text("RoleCode", "role_code")])


def office(element: str, path: str) -> Row:
    return group(element, [text("ID", f"{path}.id")])


def pointer() -> Row:
    """97A: the steps from the declaration down to one element."""
    return each(
        "Pointer",
        "pointers",
        [
            text("SequenceNumeric", "sequence_number"),
            text("DocumentSectionCode", "document_section_code"),
            text("TagID", "tag_id"),
        ],
    )


def additional_information(*more: Row) -> Row:
    return each(
        "AdditionalInformation",
        "additional_informations",
        [
            text("StatementCode", "statement_code"),
            text("StatementDescription", "statement_description"),
            text("StatementTypeCode", "statement_type_code"),
            *more,
        ],
    )


def previous_document() -> Row:
    return each(
        "PreviousDocument",
        "previous_documents",
        [
            text("CategoryCode", "category_code"),
            text("ID", "id"),
            text("TypeCode", "type_code"),
            text("LineNumeric", "line_number"),
        ],
    )


def charge_deduction() -> Row:
    return each(
        "ChargeDeduction",
        "customs_valuation.charge_deductions",
        [
            text("ChargesTypeCode", "charges_type_code"),
            group("OtherChargeDeductionAmount", [text(".", "value"), code("@currencyID", "currency", "currency-iso")]),
        ],
    )


def transport_means(element: str, path: str, *more: Row) -> Row:
    return group(
        element,
        [
            text("Name", f"{path}.name"),
            text("ID", f"{path}.id"),
            text("IdentificationTypeCode", f"{path}.identification_type_code"),
            text("TypeCode", f"{path}.type_code"),
            *more,
            code("ModeCode", f"{path}.mode_code", "transport-mode-rec19"),
        ],
    )


def ucr() -> Row:
    return group("UCR", [text("ID", "ucr.id"), text("TraderAssignedReferenceID", "ucr.trader_assigned_reference_id")])


def trading_places() -> list[Row]:
    """Where it comes from and goes to: of the whole shipment, or of one item that differs."""
    return [
        group(
            "Destination",
            [
                code("CountryCode", "destination.country_code", "country-iso"),
                text("RegionID", "destination.region_id"),
            ],
        ),
        group("ExportCountry", [code("ID", "export_country.id", "country-iso")]),
    ]


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


# The tree.


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


def shipment(scheme: str) -> list[Row]:
    """GoodsShipment 67A without the place of the goods; paths below goods_shipment."""
    return [
        when("ExitDateTime", "exit_date_time"),
        text("TransactionNatureCode", "transaction_nature_code"),
        role_parties("AEOMutualRecognitionParty", "aeo_mutual_recognition_parties", scheme),
        party("Buyer", "buyer", scheme, contact=True),
        party("Consignee", "consignee", scheme),
        group("Consignment", shipment_consignment()),
        party("Consignor", "consignor", scheme),
        group(
            "CustomsValuation",
            [amount("FreightChargeAmount", "customs_valuation.freight_charge_amount"), charge_deduction()],
        ),
        *trading_places(),
        role_parties("DomesticDutyTaxParty", "domestic_duty_tax_parties", VAT),
        each("GovernmentAgencyGoodsItem", "government_agency_goods_items", goods_item(scheme)),
        party("Importer", "importer", scheme, contact=True),
        group("Invoice", [text("ID", "invoice.id"), when("IssueDateTime", "invoice.issue_date_time")]),
        party("Payer", "payer", scheme),
        previous_document(),
        party("Seller", "seller", scheme, contact=True),
        party("Surety", "surety", scheme),
        group(
            "TradeTerms",
            [
                text("ConditionCode", "trade_terms.condition_code"),
                text("CountryRelationshipCode", "trade_terms.country_relationship_code"),
                text("Description", "trade_terms.description"),
                text("LocationID", "trade_terms.location_id"),
                text("LocationName", "trade_terms.location_name"),
            ],
        ),
        ucr(),
        group("Warehouse", [text("ID", "warehouse.id"), text("TypeCode", "warehouse.type_code")]),
    ]


def shipment_consignment() -> list[Row]:
    """GoodsShipment/Consignment: means of transport inland, loading, containers and their seals."""
    return [
        text("ContainerCode", "consignment.container_code"),
        transport_means("ArrivalTransportMeans", "consignment.arrival_transport_means"),
        transport_means("DepartureTransportMeans", "consignment.departure_transport_means"),
        group(
            "LoadingLocation",
            [text("Name", "consignment.loading_location.name"), text("ID", "consignment.loading_location.id")],
        ),
        each(
            "TransportEquipment",
            "consignment.transport_equipments",
            [
                text("SequenceNumeric", "sequence_number"),
                text("ID", "id"),
                each("Seal", "seals", [text("SequenceNumeric", "sequence_number"), text("ID", "id")]),
            ],
        ),
    ]


def goods_location(path: str) -> Row:
    """64A: where the goods can be looked at."""
    return group(
        "GoodsShipment/Consignment/GoodsLocation",
        [
            text("Name", f"{path}.name"),
            text("ID", f"{path}.id"),
            text("TypeCode", f"{path}.type_code"),
            address(f"{path}.address", ("TypeCode", "CityName", "CountryCode", "Line", "PostcodeID")),
        ],
    )


def goods_item(scheme: str) -> list[Row]:
    """GovernmentAgencyGoodsItem 68A."""
    return [
        amount("CustomsValueAmount", "customs_value_amount"),
        text("SequenceNumeric", "sequence_number"),
        amount("StatisticalValueAmount", "statistical_value_amount"),
        text("TransactionNatureCode", "transaction_nature_code"),
        each("AdditionalDocument", "additional_documents", item_document()),
        additional_information(),
        role_parties("AEOMutualRecognitionParty", "aeo_mutual_recognition_parties", scheme),
        party("Buyer", "buyer", scheme, contact=True),
        group("Commodity", commodity()),
        party("Consignee", "consignee", scheme),
        party("Consignor", "consignor", scheme),
        group("CustomsValuation", [text("MethodCode", "customs_valuation.method_code"), charge_deduction()]),
        *trading_places(),
        role_parties("DomesticDutyTaxParty", "domestic_duty_tax_parties", VAT),
        # The first one carries requested and previous procedure, the others one additional procedure each.
        each(
            "GovernmentProcedure",
            "government_procedures",
            [text("CurrentCode", "current_code"), text("PreviousCode", "previous_code")],
        ),
        each(
            "Origin",
            "origins",
            [
                code("CountryCode", "country_code", "country-iso"),
                text("RegionID", "region_id"),
                text("TypeCode", "type_code"),
            ],
        ),
        each("Packaging", "packagings", packaging()),
        previous_document(),
        party("Seller", "seller", scheme, contact=True),
        ucr(),
        group("ValuationAdjustment", [text("AdditionCode", "valuation_adjustment.addition_code")]),
    ]


def item_document() -> list[Row]:
    """02A: a licence, certificate or other paper, and what is written off it."""
    return [
        text("CategoryCode", "category_code"),
        when("EffectiveDateTime", "effective_date_time"),
        text("ID", "id"),
        text("Name", "name"),
        text("TypeCode", "type_code"),
        text("LPCOExemptionCode", "lpco_exemption_code"),
        group("Submitter", [text("Name", "submitter.name"), text("RoleCode", "submitter.role_code")]),
        group(
            "WriteOff", [measure("QuantityQuantity", "write_off.quantity"), amount("AmountAmount", "write_off.amount")]
        ),
    ]


def commodity() -> list[Row]:
    """23A: what the goods are, what they weigh, what is charged on them."""
    return [
        text("Description", "commodity.description"),
        each(
            "Classification",
            "commodity.classifications",
            [text("ID", "id"), text("IdentificationTypeCode", "identification_type_code")],
        ),
        each("DangerousGoods", "commodity.dangerous_goods", [text("UNDGID", "undg_id")]),
        each(
            "DutyTaxFee",
            "commodity.duty_tax_fees",
            [
                *duty_tax_fee(),
                text("QuotaOrderID", "quota_order_id"),
                group("Payment", [text("MethodCode", "payment.method_code"), *payment()]),
            ],
        ),
        group(
            "GoodsMeasure",
            [
                measure("GrossMassMeasure", "commodity.goods_measure.gross_mass"),
                measure("NetNetWeightMeasure", "commodity.goods_measure.net_net_weight"),
                measure("TariffQuantity", "commodity.goods_measure.tariff_quantity"),
            ],
        ),
        group("InvoiceLine", [amount("ItemChargeAmount", "commodity.invoice_line.item_charge_amount")]),
        each(
            "TransportEquipment",
            "commodity.transport_equipments",
            [text("SequenceNumeric", "sequence_number"), text("ID", "id")],
        ),
    ]


def duty_tax_fee() -> list[Row]:
    return [
        amount("AdValoremTaxBaseAmount", "ad_valorem_tax_base_amount"),
        amount("DeductAmount", "deduct_amount"),
        text("DutyRegimeCode", "duty_regime_code"),
        measure("SpecificTaxBaseQuantity", "specific_tax_base_quantity"),
        text("TaxRateNumeric", "tax_rate"),
        text("TypeCode", "type_code"),
    ]


def payment() -> list[Row]:
    return [
        amount("TaxAssessedAmount", "payment.tax_assessed_amount"),
        amount("PaymentAmount", "payment.payment_amount"),
    ]


def packaging() -> list[Row]:
    return [
        text("SequenceNumeric", "sequence_number"),
        text("MarksNumbersID", "marks_numbers_id"),
        measure("QuantityQuantity", "quantity"),
        text("TypeCode", "type_code"),
        text("PackingMaterialDescription", "packing_material_description"),
        measure("LengthMeasure", "length"),
        measure("WidthMeasure", "width"),
        measure("HeightMeasure", "height"),
        measure("VolumeMeasure", "volume"),
    ]


def amendment(path: str, reason: str) -> Row:
    return each("Amendment", path, [text("ChangeReasonCode", reason), pointer()])


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


def response(scheme: str) -> list[Row]:
    """Response 07B. What it says in our words (function, severity, places) is worked out by receipts.py."""
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
        group("dec:Declaration", [scope("declaration_content", [text("TypeCode", "type_code"), *own_facts(scheme)])]),
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
        rows=[*wrapper(), group("Response", response(scheme))],
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
