"""What few declarations carry: royalties, self-assessed duty (SddTax) and supplementary declarations of price, class, origin."""

from __future__ import annotations

from adapters.cn_declaration.conversions import CHARGE_METHOD, DIRECTION, KILOGRAMS, YES_NO, Codes
from gateway.mapping.conversions import COMPACT_DATE
from gateway.mapping.rows import Row, convert, joined, text

# Element prefix -> kind of price element; each has a unit price, an amount and a note.
PRICE_ELEMENTS = {
    "Invoice": "invoice_price",
    "Goods": "indirect_payment",
    "I_Commission": "commission",
    "I_Container": "container",
    "I_Pack": "packing",
    "I_Part": "materials_and_parts",
    "I_Tool": "tools_and_moulds",
    "I_Loss": "consumed_materials",
    "I_Design": "design_work",
    "I_Usefee": "royalty",
    "I_Profit": "resale_proceeds",
    "I_Fee": "transport",
    "I_Other": "transport_related",
    "I_Insur": "insurance",
}


def royalty_fee(codes: Codes) -> list[Row]:
    """DecRoyaltyFee."""
    return [
        text("PricePreDeterminNo", "price_ruling_number"),
        text("TaxRoyaltyDeclType", "declaration_case_code"),
        text("ContractNo", "contract_id"),
        text("Authorizer", "licensor_name"),
        text("AuthorizedPerson", "licensee_name"),
        text("PayType", "payment_kind_code"),
        text("PayTime", "payment_date"),
        text("PayPeriod", "payment_period_months"),
        text("EffectiveDateTime", "contract_effective_date"),
        text("ExpirationDateTime", "contract_expiry_date"),
        text("RoyaltyAmount", "amount.value"),
        convert("Curr", "amount.currency", codes.currency, codes="currency"),
        text("RoyaltyFeeType", "fee_kind_marks"),
        text("EdocType", "material_marks"),
        text("Statment", "statement"),
        convert("IsSecret", "confidential", YES_NO),
        convert("IsCusAudit", "audited_by_customs", YES_NO),
        convert("IsCusPricePreDetermin", "price_ruled_by_customs", YES_NO),
        text("IssueDateTime", "contract_issue_date"),
        text("PeriodStartDate", "period_start_date"),
        text("PeriodEndDate", "period_end_date"),
    ]


def duty_self_assessment(codes: Codes) -> list[Row]:
    """SddTax."""
    return [
        text("FileName", "file_name"),
        text("SeqNo", "unified_number"),
        convert("IEFlag", "direction", DIRECTION),
        text("DeclPort", "declaration_office.id"),
        text("DDate", "planned_declaration_date"),
        text("TradeCo", "domestic_party.identifiers[scheme=CN-CUSTOMS].value"),
        text("TradeName", "domestic_party.name"),
        text("InRatio", "domestic_sale_ratio"),
        text("TradeMode", "supervision_mode_code"),
        text("CutMode", "levy_nature_code"),
        text("TransMode", "transaction_mode_code"),
        convert("FeeMark", "charges[type=freight].method", CHARGE_METHOD),
        convert("FeeCurr", "charges[type=freight].currency", codes.currency, codes="currency"),
        text("FeeRate", "charges[type=freight].value"),
        convert("InsurMark", "charges[type=insurance].method", CHARGE_METHOD),
        convert("InsurCurr", "charges[type=insurance].currency", codes.currency, codes="currency"),
        text("InsurRate", "charges[type=insurance].value"),
        convert("OtherMark", "charges[type=other].method", CHARGE_METHOD),
        convert("OtherCurr", "charges[type=other].currency", codes.currency, codes="currency"),
        text("OtherRate", "charges[type=other].value"),
        text("ManualNo", "customs_record_number"),
        text("TradeCoScc", "domestic_party.identifiers[scheme=CN-USCI].value"),
        joined(["GrossWt"], ["total_gross_mass.value", "total_gross_mass.unit_code"], KILOGRAMS),
        text("NoteS", "remarks"),
        text("LegalLiability", "legal_liability"),
        text("Sign", "signature"),
        text("MessId", "signature_message_number"),
        text("CertSeqNo", "certificate_number"),
        text("Status", "status_code"),
    ]


def _price_elements() -> list[Row]:
    leaves = {"Price": "unit_amount", "Amount": "amount", "Note": "note"}
    return [
        text(f"{prefix}{ending}", f"price_elements[kind={kind}].{leaf}")
        for prefix, kind in PRICE_ELEMENTS.items()
        for ending, leaf in leaves.items()
    ]


SUPPLEMENT: list[Row] = [
    text("GNo", "goods_item_number"),
    text("SupType", "type_code"),
    text("BrandCN", "brand"),
    text("BrandEN", "foreign_brand"),
    text("Buyer", "buyer.name"),
    text("BuyerContact", "buyer.contact.name"),
    text("BuyerAddr", "buyer.address.line"),
    text("BuyerTel", "buyer.communications[type_code=TE].id"),
    text("Seller", "seller.name"),
    text("SellerContact", "seller.contact.name"),
    text("SellerAddr", "seller.address.line"),
    text("SellerTel", "seller.communications[type_code=TE].id"),
    text("Factory", "manufacturer.name"),
    text("FactoryContact", "manufacturer.contact.name"),
    text("FactoryAddr", "manufacturer.address.line"),
    text("FactoryTel", "manufacturer.communications[type_code=TE].id"),
    text("ContrNo", "contract.id"),
    convert("ContrDate", "contract.issue_date_time", COMPACT_DATE),
    text("InvoiceNo", "invoice.id"),
    convert("InvoiceDate", "invoice.issue_date_time", COMPACT_DATE),
    text("I_BabRel", "relationship_codes"),
    text("I_PriceEffect", "relationship_influenced_price"),
    text("I_PriceClose", "price_close_to_test_value"),
    text("I_OtherLimited", "resale_or_use_restricted"),
    text("I_OtherEffect", "price_conditions"),
    text("I_Note1", "conditions_note"),
    text("I_IsUsefee", "royalty_payable"),
    text("I_IsProfit", "resale_proceeds_payable"),
    text("I_Note2", "payments_note"),
    text("Curr", "currency"),
    *_price_elements(),
    text("E_IsDutyDel", "export_duty_deducted"),
    text("GNameOther", "other_names"),
    text("CodeTsOther", "foreign_classification_id"),
    text("IsClassDecision", "classification_ruling.exists"),
    text("DecisionNO", "classification_ruling.id"),
    text("CodeTsDecision", "classification_ruling.classification_id"),
    text("DecisionCus", "classification_ruling.office_id"),
    text("IsSampleTest", "sampled_before"),
    text("GOptions", "goods_options"),
    text("TrafMode", "transport_mode_code"),
    text("IsDirectTraf", "direct_transport"),
    text("TransitCountry", "transit_country_code"),
    text("DestPort", "arrival_office.id"),
    text("DeclPort", "declaration_office.id"),
    text("BillNo", "transport_document_id"),
    text("OriginCountry", "origin_country_code"),
    text("OriginMark", "origin_mark_code"),
    text("CertCountry", "origin_certificate_country"),
    text("CertNO", "origin_certificate_id"),
    text("CertStandard", "origin_criterion_code"),
    text("OtherNote", "remarks"),
    text("IsSecret", "confidential"),
    text("AgentType", "declarant_kind_code"),
    text("DeclAddr", "declarant.address.line"),
    text("DeclPost", "declarant.address.postcode_id"),
    text("DeclTel", "declarant.communications[type_code=TE].id"),
]
