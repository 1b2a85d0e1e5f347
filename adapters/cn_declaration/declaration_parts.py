"""The blocks around head and goods: free text, signature block, containers, documents, attachments, statements, and the transfer between offices (Trn*)."""

from __future__ import annotations

from adapters.cn_declaration.conversions import (
    CHINA_TIME,
    COMMA_LIST,
    FILING_ACTION,
    KILOGRAMS,
    ORGANISATION,
    TRANSPORT_MODE,
    YES_NO,
    YES_NO_LETTERS,
)
from gateway.mapping.conversions import COMPACT_DATE
from gateway.mapping.rows import Conversion, Row, bag, code, convert, joined, text

FREE_TEXT: list[Row] = [
    text("RelId", "related_declaration.id"),
    text("RelManNo", "related_declaration.customs_record_number"),
    text("BonNo", "goods_shipment.warehouse.id"),
    text("VoyNo", "border_transport_means.conveyance_reference_id"),
    text("DecBpNo", "agent.contact.communications[type_code=TE].id"),
    text("CusFie", "goods_shipment.consignment.goods_location.id"),
    text("DecNo", "agent.contact.card_number"),
]

SIGNATURE: list[Row] = [
    convert("OperType", "filing_action", FILING_ACTION),
    text("ICCode", "authentication.authenticator.identifiers[scheme=CN-IC-CARD].value"),
    joined(
        ["CopCode"],
        [
            "authentication.company.identifiers[scheme=CN-ORG].value",
            "authentication.company.identifiers[scheme=CN-CUSTOMS].value",
            "authentication.company.identifiers[scheme=OTHER].value",
        ],
        ORGANISATION,
    ),
    text("OperName", "authentication.authenticator.name"),
    text("ClientSeqNo", "functional_reference_id"),
    text("Sign", "authentication.authentication"),
    convert("SignDate", "authentication.issue_date_time", CHINA_TIME),
    text("Certificate", "authentication.certificate_number"),
    bag("HostId", "extensions.cn_declaration.host_id"),
    text("BillSeqNo", "inventory_list_number"),
    text("DomainId", "authentication.signer_kind_code"),
    text("Note", "authentication.note"),
]

CONTAINER: list[Row] = [
    text("ContainerId", "id"),
    code("ContainerMd", "characteristic_code", "container-spec"),
    convert("GoodsNo", "goods_item_numbers", COMMA_LIST),
    convert("LclFlag", "less_than_container_load", YES_NO),
    joined(["ContainerWt"], ["tare_mass.value", "tare_mass.unit_code"], KILOGRAMS),
    joined(["GoodsContaWt"], ["goods_mass.value", "goods_mass.unit_code"], KILOGRAMS),
]

LICENCE: list[Row] = [
    code("DocuCode", "type_code", "licence-document"),
    text("CertCode", "id"),
]

REQUESTED_CERTIFICATE: list[Row] = [
    text("AppCertCode", "type_code"),
    text("ApplOri", "original_number"),
    text("ApplCopyQuan", "copy_number"),
]

OTHER_PACKAGING: list[Row] = [
    text("PackQty", "quantity.value"),
    code("PackType", "type_code", "packaging"),
]

ENTERPRISE_QUALIFICATION: list[Row] = [
    text("EntQualifNo", "id"),
    code("EntQualifTypeCode", "type_code", "enterprise-qualification"),
]

ENTERPRISE_STATEMENT: list[Row] = [
    text("DeclaratioMaterialCode", "type_code"),
]

USING_UNIT_CONTACT: list[Row] = [
    text("UseOrgPersonCode", "name"),
    text("UseOrgPersonTel", "communications[type_code=TE].id"),
]

MARK_IMAGE: list[Row] = [
    text("AttachName", "name"),
    text("AttachType", "type_code"),
    text("Attachment", "content"),
]

ORIGIN_PROOF: list[Row] = [
    text("CertType", "type_code"),
    text("DecGNo", "goods_item_number"),
    text("EcoCertNo", "id"),
    text("EcoGNo", "document_line_number"),
    text("ExtendFiled", "note"),
]

TWO_STAGE_ACCESS: list[Row] = [
    convert("TransitionApply", "transfer_requested", YES_NO),
    text("TransitionSite", "transfer_site_id"),
    convert("ConditionalLiftoffApply", "conditional_release_requested", YES_NO),
    convert("PortDestMergeCheckApply", "merged_inspection_requested", YES_NO),
]

RISK_RESULT: list[Row] = [
    bag("Risk", "extensions.cn_declaration.risk_result.value"),
    bag("Sign", "extensions.cn_declaration.risk_result.signature"),
    bag("SignDate", "extensions.cn_declaration.risk_result.signing_time"),
    bag("Note", "extensions.cn_declaration.risk_result.note"),
]

# Transfer between offices (转关): only with DeclTrnRel 1.

TRANSFER: list[Row] = [
    text("TrnPreId", "unified_number"),
    text("TransNo", "cargo_list_number"),
    text("TurnNo", "declaration_number"),
    joined(
        ["NativeTrafMode"],
        ["domestic_transport_means.mode_code", "domestic_transport_means.national_mode_code"],
        TRANSPORT_MODE,
    ),
    text("TrafCustomsNo", "domestic_transport_means.customs_number"),
    text("NativeShipName", "domestic_transport_means.name"),
    text("NativeVoyageNo", "domestic_transport_means.conveyance_reference_id"),
    text("ContractorName", "carrier.name"),
    joined(
        ["ContractorCode"],
        [
            "carrier.identifiers[scheme=CN-ORG].value",
            "carrier.identifiers[scheme=CN-CUSTOMS].value",
            "carrier.identifiers[scheme=OTHER].value",
        ],
        ORGANISATION,
    ),
    text("TransFlag", "type_code"),
    convert("ValidTime", "expected_arrival_date", COMPACT_DATE),
    convert("ESealFlag", "electronic_seal", YES_NO_LETTERS),
    text("Notes", "remarks"),
    text("TrnType", "form_code"),
    text("ApplCodeScc", "applicant.identifiers[scheme=CN-USCI].value"),
]

BORDER_CROSSING: list[Row] = [
    joined(["TrafMode"], ["transport_means.mode_code", "transport_means.national_mode_code"], TRANSPORT_MODE),
    text("ShipId", "transport_means.id"),
    text("ShipNameEn", "transport_means.name"),
    text("VoyageNo", "transport_means.conveyance_reference_id"),
    text("BillNo", "transport_document_id"),
    convert("IEDate", "actual_date", COMPACT_DATE),
]

TRANSFER_CONTAINER: list[Row] = [
    text("ContaNo", "id"),
    text("ContaSn", "sequence_number"),
    text("ContaModel", "characteristic_code"),
    text("SealNo", "electronic_seal_id"),
    text("TransName", "transport_means_name"),
    joined(["TransWeight"], ["gross_mass.value", "gross_mass.unit_code"], KILOGRAMS),
    text("SealQty", "seal_quantity.value"),
]

CONTAINER_GOODS: list[Row] = [
    text("GNo", "goods_item_number"),
    text("ContaNo", "container_id"),
    text("ContaGoodsCount", "package_quantity.value"),
    joined(["ContaGoodsWeight"], ["mass.value", "mass.unit_code"], KILOGRAMS),
]


def attachment(signing_time: Conversion) -> list[Row]:
    """One EdocRealation; senders write its time in two forms."""
    return [
        text("EdocID", "id"),
        code("EdocCode", "type_code", "attachment-type"),
        text("EdocFomatType", "format_code"),
        text("OpNote", "note"),
        text("EdocCopId", "name"),
        text("EdocOwnerCode", "owner.identifiers[scheme=CN-CUSTOMS].value"),
        text("SignUnit", "signer_code"),
        convert("SignTime", "signing_date_time", signing_time),
        text("EdocOwnerName", "owner.name"),
        text("EdocSize", "size"),
        convert("GNoStr", "goods_item_numbers", COMMA_LIST),
    ]
