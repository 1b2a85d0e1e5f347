"""The goods items of a WCO declaration (GovernmentAgencyGoodsItem 68A), in the order of the form."""

from __future__ import annotations

from adapters.wco_declaration.parts import (
    VAT,
    additional_information,
    charge_deduction,
    duty_tax_fee,
    party,
    payment,
    previous_document,
    role_parties,
    trading_places,
    ucr,
    when,
)
from gateway.mapping.rows import Row, amount, code, each, group, measure, text


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
