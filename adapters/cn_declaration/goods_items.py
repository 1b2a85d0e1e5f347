"""The goods items (DecList) with their licences, vehicle numbers and control elements.

Export swap (facts 2.2): on export OriginCountry carries the final destination and DestinationCountry the origin.
"""

from __future__ import annotations

from adapters.cn_declaration.conversions import COMMA_LIST, DATE_LIST, SINGLE_OF_LIST, YES_NO, Codes
from gateway.mapping.conversions import COMPACT_DATE
from gateway.mapping.rows import Row, code, convert, each, joined, text, when

VEHICLE_NUMBER: list[Row] = [
    text("LicenceNo", "licence_id"),
    text("LicTypeCode", "licence_type_code"),
    text("VinNo", "sequence_number"),
    convert("BillLadDate", "transport_document_date", COMPACT_DATE),
    text("QualityQgp", "warranty"),
    text("MotorNo", "engine_number"),
    text("VinCode", "vin"),
    text("ChassisNo", "chassis_number"),
    text("InvoiceNum", "invoice_quantity.value"),
    text("InvoiceNo", "invoice_id"),
    text("ProdCnnm", "product_name"),
    text("ProdEnnm", "foreign_product_name"),
    text("ModelEn", "model"),
    text("PricePerUnit", "unit_price"),
]

CONTROL_ELEMENT: list[Row] = [
    text("ElementNo", "number"),
    text("ElementValue", "value"),
    text("DeclarationCategoryCode", "category_code"),
]


def goods_item(codes: Codes) -> list[Row]:
    """One DecList."""
    return [
        text("ClassMark", "commodity.classification_mark"),
        text("CodeTS", "commodity.classifications[identification_type_code=CN-TARIFF].id"),
        text("ContrItem", "customs_record_line_number"),
        text("DeclPrice", "commodity.invoice_line.unit_price_amount.value"),
        code("DutyMode", "duty_levy_mode_code", "duty-mode"),
        text("Factor", "commodity.goods_measure.unit_conversion_factor"),
        text("GModel", "commodity.declaration_elements"),
        text("GName", "commodity.description"),
        text("GNo", "sequence_number"),
        joined(
            ["TradeCurr"],
            ["commodity.invoice_line.item_charge_amount.currency", "commodity.invoice_line.unit_price_amount.currency"],
            codes.shared_currency,
        ),
        text("DeclTotal", "commodity.invoice_line.item_charge_amount.value"),
        text("GQty", "commodity.goods_measure.transaction_quantity.value"),
        text("FirstQty", "commodity.goods_measure.tariff_quantity.value"),
        text("SecondQty", "commodity.goods_measure.second_tariff_quantity.value"),
        convert("GUnit", "commodity.goods_measure.transaction_quantity.unit_code", codes.unit, codes="unit"),
        convert("FirstUnit", "commodity.goods_measure.tariff_quantity.unit_code", codes.unit, codes="unit"),
        convert("SecondUnit", "commodity.goods_measure.second_tariff_quantity.unit_code", codes.unit, codes="unit"),
        text("UseTo", "commodity.use_code"),
        text("WorkUsd", "commodity.processing_fee_amount.value"),
        text("ExgNo", "commodity.product_number"),
        text("ExgVersion", "commodity.bill_of_materials_version"),
        text("CiqCode", "commodity.classifications[identification_type_code=CN-CIQ].id"),
        text("DeclGoodsEname", "commodity.foreign_description"),
        text("OrigPlaceCode", "origins[type_code=1].region_id"),
        code("Purpose", "commodity.purpose_code", "purpose"),
        text("ProdValidDt", "commodity.expiry_date"),
        text("ProdQgp", "commodity.shelf_life"),
        convert("GoodsAttr", "commodity.goods_attribute_codes", COMMA_LIST, codes="goods-attribute"),
        text("Stuff", "commodity.ingredients"),
        text("Uncode", "commodity.dangerous_goods[sequence_number=1].undg_id"),
        text("DangName", "commodity.dangerous_goods[sequence_number=1].name"),
        text("DangPackType", "commodity.dangerous_goods[sequence_number=1].packing_class_code"),
        text("DangPackSpec", "commodity.dangerous_goods[sequence_number=1].package_specification"),
        text("EngManEntCnm", "manufacturer.name"),
        convert("NoDangFlag", "commodity.not_dangerous_chemical", YES_NO),
        text("DestCode", "domestic_place_code"),
        text("GoodsSpec", "commodity.specification"),
        text("GoodsModel", "commodity.model"),
        text("GoodsBrand", "commodity.brand"),
        convert("ProduceDate", "commodity.production_dates", DATE_LIST),
        text("ProdBatchNo", "commodity.production_batch"),
        code("DistrictCode", "domestic_district_code", "domestic-district"),
        text("CiqName", "commodity.classifications[identification_type_code=CN-CIQ].name"),
        text("MnufctrRegNo", "producer.identifiers[scheme=CN-PRODUCER].value"),
        text("MnufctrRegName", "producer.name"),
        convert("RcepOrigPlaceCode", "origins[type_code=2].country_code", codes.country, codes="country"),
        text("ControlExplainCode", "control_explanation_code"),
        when(
            "^direction",
            {
                None: [
                    convert("OriginCountry", "origins[type_code=1].country_code", codes.country, codes="country"),
                    convert("DestinationCountry", "destination.country_code", codes.country, codes="country"),
                ],
                "export": [
                    convert("OriginCountry", "destination.country_code", codes.country, codes="country"),
                    convert("DestinationCountry", "origins[type_code=1].country_code", codes.country, codes="country"),
                ],
            },
        ),
        each("DecGoodsLimits/DecGoodsLimit", "additional_documents", goods_licence(codes)),
        each("DecControlModels/DecControlModel", "control_elements", CONTROL_ELEMENT),
    ]


def goods_licence(codes: Codes) -> list[Row]:
    """One DecGoodsLimit: a licence of an item, with the vehicles it is for."""
    return [
        convert("GoodsNo", "goods_item_numbers", SINGLE_OF_LIST),
        code("LicTypeCode", "type_code", "licence-type"),
        text("LicenceNo", "id"),
        text("LicWrtofDetailNo", "write_off.line_number"),
        text("LicWrtofQty", "write_off.quantity.value"),
        convert("LicWrtofQtyUnit", "write_off.quantity.unit_code", codes.unit, codes="unit"),
        each("DecGoodsLimitVin", "vehicle_identifications", VEHICLE_NUMBER),
    ]
