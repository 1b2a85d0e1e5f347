"""Parts that stand in many places of a WCO declaration and its answers: party, address, amounts, pointers ... as functions.

Paths are those of the document the part stands in; a part that stands anywhere is given its path.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.wco_declaration.conversions import DATE_TIME
from gateway.mapping.rows import Row, amount, code, each, group, joined, measure, text

EORI, VAT = "EORI", "VAT"
ADDRESS = ("CityName", "CountryCode", "CountrySubDivisionCode", "CountrySubDivisionName", "Line", "PostcodeID")


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


def amendment(path: str, reason: str) -> Row:
    return each("Amendment", path, [text("ChangeReasonCode", reason), pointer()])


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
