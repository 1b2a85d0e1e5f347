"""The head of the declaration (DecHead), in the order of the element table.

Where a row depends on the direction, the other direction's row stands beside it: China writes importer and exporter,
entry and exit, loading and arriving into the same elements.
"""

from __future__ import annotations

from adapters.cn_declaration.conversions import (
    AEO_OR_OTHER,
    CHARGE_METHOD,
    DATA_SOURCE,
    DECLARATION_TYPE,
    DIRECTION,
    KILOGRAMS,
    ORGANISATION,
    OWNER,
    PRICE_DECLARATIONS,
    SPECIAL_BUSINESS,
    TRADE_CODE_NAME,
    TRANSPORT_MODE,
    YES_NO,
    Codes,
)
from gateway.mapping.conversions import COMPACT_DATE
from gateway.mapping.rows import Row, bag, code, convert, joined, text, when


def head(codes: Codes) -> list[Row]:
    """DecHead."""
    return [
        *FILED,
        *totals(codes),
        *OWNER_AND_TRANSPORT,
        *NUMBERS_AND_SUBMITTER,
        *marks(codes),
        *INSPECTION,
        *OVERSEAS_PARTIES,
        *PEOPLE_TO_ASK,
        when("direction", {None: import_head(codes), "export": export_head(codes)}),
    ]


# What is declared, by whom, where, on which papers.
FILED: list[Row] = [
    text("SeqNo", "unified_number"),
    convert("IEFlag", "direction", DIRECTION),
    joined(
        ["Type"],
        [
            "declaration_type.kind_code",
            "declaration_type.declaration_step",
            "declaration_type.licence_mark",
            "declaration_type.inspection_mark",
            "declaration_type.tax_mark",
            "declaration_type.combined_port_mark",
        ],
        DECLARATION_TYPE,
    ),
    text("AgentCode", "agent.identifiers[scheme=CN-CUSTOMS].value"),
    text("AgentName", "agent.name"),
    text("ApprNo", "approval_number"),
    text("BillNo", "goods_shipment.consignment.transport_contract_documents[1].id"),
    text("ContrNo", "goods_shipment.contract.id"),
    code("CustomMaster", "declaration_office.id", "customs-offices"),
    code("CutMode", "goods_shipment.levy_nature_code", "levy-nature"),
    code("DistrictCode", "goods_shipment.domestic_district_code", "domestic-district"),
]


def totals(codes: Codes) -> list[Row]:
    """Masses, numbers of permits, and what is charged on top of the price."""
    return [
        *charge("Fee", "freight", codes),
        joined(["GrossWet"], ["total_gross_mass.value", "total_gross_mass.unit_code"], KILOGRAMS),
        text("InRatio", "goods_shipment.domestic_sale_ratio"),
        *charge("Insur", "insurance", codes),
        text("LicenseNo", "licence_number"),
        text("ManualNo", "customs_record_number"),
        joined(["NetWt"], ["total_net_mass.value", "total_net_mass.unit_code"], KILOGRAMS),
        text("NoteS", "remarks"),
        *charge("Other", "other", codes),
    ]


def charge(element: str, kind: str, codes: Codes) -> list[Row]:
    """Freight, insurance or another charge: its currency, how it is reckoned, and its rate or amount."""
    path = f"goods_shipment.customs_valuation.charges[type={kind}]"
    return [
        convert(f"{element}Curr", f"{path}.currency", codes.currency, codes="currency"),
        convert(f"{element}Mark", f"{path}.method", CHARGE_METHOD),
        text(f"{element}Rate", f"{path}.value"),
    ]


# Whose goods they are, how they are paid for, how they cross the border.
OWNER_AND_TRANSPORT: list[Row] = [
    joined(
        ["OwnerCode"],
        [
            "goods_shipment.domestic_owner.identifiers[scheme=CN-CUSTOMS].value",
            "goods_shipment.domestic_owner.identifiers[scheme=CN-ORG].value",
            "goods_shipment.domestic_owner.identifiers[scheme=OTHER].value",
        ],
        OWNER,
    ),
    text("OwnerName", "goods_shipment.domestic_owner.name"),
    text("PackNo", "total_package_quantity.value"),
    text("PayWay", "goods_shipment.payment_method_code"),
    text("PaymentMark", "payer_mark"),
    code("TradeMode", "goods_shipment.supervision_mode_code", "trade-mode"),
    joined(
        ["TrafMode"],
        ["border_transport_means.mode_code", "border_transport_means.national_mode_code"],
        TRANSPORT_MODE,
    ),
    text("TrafName", "border_transport_means.name"),
    code("TransMode", "goods_shipment.trade_terms.transaction_mode_code", "transaction-mode"),
    code("WrapType", "package_type_code", "packaging"),
]

# The numbers of the declaration, and the enterprise and person who enter it.
NUMBERS_AND_SUBMITTER: list[Row] = [
    text("EntryId", "id"),
    text("PreEntryId", "pre_entry_number"),
    text("EdiId", "declaration_flag_code"),
    bag("Risk", "extensions.cn_declaration.risk"),
    text("CopName", "submitter.name"),
    joined(
        ["CopCode"],
        [
            "submitter.identifiers[scheme=CN-ORG].value",
            "submitter.identifiers[scheme=CN-CUSTOMS].value",
            "submitter.identifiers[scheme=OTHER].value",
        ],
        ORGANISATION,
    ),
    text("EntryType", "form_type_code"),
    convert("PDate", "print_date", COMPACT_DATE),
    text("TypistNo", "submitter.contact.identifiers[scheme=CN-IC-CARD].value"),
    text("InputerName", "submitter.contact.name"),
    text("PartenerID", "agent.contact.code"),
    text("TgdNo", "related_document_number"),
]


def marks(codes: Codes) -> list[Row]:
    """What is marked: linked papers, guarantee, the price, self-assessment; and the enterprises by their social credit code."""
    return [
        joined(
            ["DataSource"],
            [
                "extension_marks.mask_standard_code",
                "extension_marks.goods_split_code",
                "extension_marks.smart_declaration_code",
            ],
            DATA_SOURCE,
        ),
        convert("DeclTrnRel", "with_transit_declaration", YES_NO),
        convert("ChkSurety", "release_against_guarantee", YES_NO),
        text("BillType", "record_list_type_code"),
        text("CopCodeScc", "submitter.identifiers[scheme=CN-USCI].value"),
        text("OwnerCodeScc", "goods_shipment.domestic_owner.identifiers[scheme=CN-USCI].value"),
        text("AgentCodeScc", "agent.identifiers[scheme=CN-USCI].value"),
        joined(
            ["PromiseItmes"],
            [
                "price_declarations.special_relationship",
                "price_declarations.price_influence",
                "price_declarations.royalty",
                "price_declarations.formula_price",
                "price_declarations.provisional_price",
            ],
            PRICE_DECLARATIONS,
        ),
        convert("TradeAreaCode", "goods_shipment.trading_country_code", codes.country, codes="country"),
        convert("CheckFlow", "inspection_diversion", YES_NO),
        convert("TaxAaminMark", "self_assessed_duty", YES_NO),
    ]


# Places, offices and marks of the inspection, in the form since 2018.
INSPECTION: list[Row] = [
    text("MarkNo", "goods_shipment.marks_numbers"),
    code("DespPortCode", "goods_shipment.consignment.loading_location.id", "port"),
    code("EntyPortCode", "goods_shipment.consignment.border_location.id", "domestic-port"),
    text("GoodsPlace", "goods_shipment.consignment.goods_location.name"),
    text("BLNo", "goods_shipment.consignment.delivery_document.id"),
    text("InspOrgCode", "port_inspection_office.id"),
    joined(
        ["SpecDeclFlag"],
        [
            "special_business.international_event",
            "special_business.special_military_goods",
            "special_business.aid_goods",
            "special_business.conference",
            "special_business.direct_release",
            "special_business.diplomatic_courtesy",
            "special_business.transhipment",
            "extensions.cn_declaration.special_business_rest",
        ],
        SPECIAL_BUSINESS,
    ),
    code("PurpOrgCode", "destination_office.id", "customs-offices"),
    convert("DespDate", "goods_shipment.consignment.departure_date", COMPACT_DATE),
    convert("CmplDschrgDt", "goods_shipment.consignment.unloading_completion_date", COMPACT_DATE),
    code("CorrelationReasonFlag", "correlation.reason_code", "correlation-reason"),
    text("VsaOrgCode", "certificate_office.id"),
    convert("OrigBoxFlag", "goods_shipment.consignment.original_container_to_destination", YES_NO),
    text("DeclareName", "agent.contact.name"),
    convert("NoOtherPack", "no_other_packaging", YES_NO),
    text("OrgCode", "inspection_office.id"),
]

# The parties abroad, and the paper that this one is tied to.
OVERSEAS_PARTIES: list[Row] = [
    joined(
        ["OverseasConsignorCode"],
        [
            "goods_shipment.consignor.identifiers[scheme=AEO].value",
            "goods_shipment.consignor.identifiers[scheme=OTHER].value",
        ],
        AEO_OR_OTHER,
    ),
    text("OverseasConsignorCname", "goods_shipment.consignor.name"),
    text("OverseasConsignorEname", "goods_shipment.consignor.foreign_name"),
    text("OverseasConsignorAddr", "goods_shipment.consignor.address.line"),
    joined(
        ["OverseasConsigneeCode"],
        [
            "goods_shipment.consignee.identifiers[scheme=AEO].value",
            "goods_shipment.consignee.identifiers[scheme=OTHER].value",
        ],
        AEO_OR_OTHER,
    ),
    text("OverseasConsigneeEname", "goods_shipment.consignee.foreign_name"),
    text("CorrelationNo", "correlation.id"),
]

# The numbers of owner and agent with the inspection, remarks, and who can be asked.
PEOPLE_TO_ASK: list[Row] = [
    text("OwnerCiqCode", "goods_shipment.domestic_owner.identifiers[scheme=CN-CIQ].value"),
    text("DeclCiqCode", "agent.identifiers[scheme=CN-CIQ].value"),
    text("EdiRemark2", "edi_remark_2"),
    text("EdiRemark", "edi_remark"),
    text("AgentLinkMan", "agent_liaison.name"),
    text("AgentLinkMAIL", "agent_liaison.communications[type_code=EM].id"),
    text("AgentLinkPHONE", "agent_liaison.communications[type_code=TE].id"),
    text("OwnerLinkMan", "goods_shipment.domestic_owner_liaison.name"),
    text("OwnerLinkMAIL", "goods_shipment.domestic_owner_liaison.communications[type_code=EM].id"),
    text("OwnerLinkPHONE", "goods_shipment.domestic_owner_liaison.communications[type_code=TE].id"),
    text("InputerNameMAIL", "submitter.contact.communications[type_code=EM].id"),
    text("InputerNamePHONE", "submitter.contact.communications[type_code=TE].id"),
]


def import_head(codes: Codes) -> list[Row]:
    """What DecHead says of an import, and of a declaration that does not name its direction."""
    return [
        code("DistinatePort", "goods_shipment.consignment.call_location.id", "port"),
        convert("IEDate", "goods_shipment.entry_date_time", COMPACT_DATE),
        code("IEPort", "entry_office.id", "customs-offices"),
        text("TradeCode", "goods_shipment.importer.identifiers[scheme=CN-CUSTOMS].value"),
        convert("TradeCountry", "goods_shipment.export_country.id", codes.country, codes="country"),
        text("TradeName", "goods_shipment.importer.name"),
        joined(
            ["TradeCoScc", "TradeCodeScc"],
            [
                "goods_shipment.importer.identifiers[scheme=CN-USCI].value",
                "extensions.cn_declaration.trade_code_element",
            ],
            TRADE_CODE_NAME,
        ),
        text("DomesticConsigneeEname", "goods_shipment.importer.foreign_name"),
        text("TradeCiqCode", "goods_shipment.importer.identifiers[scheme=CN-CIQ].value"),
    ]


def export_head(codes: Codes) -> list[Row]:
    """What the same elements say of an export."""
    return [
        code("DistinatePort", "goods_shipment.consignment.unloading_location.id", "port"),
        convert("IEDate", "goods_shipment.exit_date_time", COMPACT_DATE),
        code("IEPort", "exit_office.id", "customs-offices"),
        text("TradeCode", "exporter.identifiers[scheme=CN-CUSTOMS].value"),
        convert("TradeCountry", "goods_shipment.destination.country_code", codes.country, codes="country"),
        text("TradeName", "exporter.name"),
        joined(
            ["TradeCoScc", "TradeCodeScc"],
            ["exporter.identifiers[scheme=CN-USCI].value", "extensions.cn_declaration.trade_code_element"],
            TRADE_CODE_NAME,
        ),
        text("DomesticConsigneeEname", "exporter.foreign_name"),
        text("TradeCiqCode", "exporter.identifiers[scheme=CN-CIQ].value"),
    ]
