"""What must be there before a declaration is stashed, and before it is declared (dictionary, the two columns of need).

Blocks below the goods items and beside the head say their needs in the element table. SecondQty is needed only where the
tariff line has a second unit, which no list here tells; it is left out. DespPortCode and GoodsPlace
are fields of the import side: real exports leave them empty.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.mapping.paths import Getter, Step, getter, parse


@dataclass(frozen=True, slots=True)
class Needed:
    """One field. steps: places any of which is enough, readers: what reads them; direction None: needed in both."""

    element: str
    title: str
    steps: tuple[tuple[Step, ...], ...]
    readers: tuple[Getter, ...]
    direction: str | None


def needed(element: str, title: str, *paths: str, direction: str | None = None) -> Needed:
    return Needed(element, f"{title} ({element})", tuple(map(parse, paths)), tuple(map(getter, paths)), direction)


TO_STASH = (
    needed("IEFlag", "进出口标志", "direction"),
    needed("AgentCode", "申报单位代码", "agent.identifiers[scheme=CN-CUSTOMS].value"),
    needed("AgentName", "申报单位名称", "agent.name"),
    needed(
        "CopCode",
        "录入单位代码",
        "submitter.identifiers[scheme=CN-ORG].value",
        "submitter.identifiers[scheme=CN-CUSTOMS].value",
        "submitter.identifiers[scheme=OTHER].value",
    ),
    needed("CopName", "录入单位名称", "submitter.name"),
    needed("CustomMaster", "主管海关（申报地海关）", "declaration_office.id"),
    needed("DeclTrnRel", "报关/转关关系标志", "with_transit_declaration"),
    needed("InputerName", "录入员名称", "submitter.contact.name"),
    needed("TypistNo", "录入员IC卡号", "submitter.contact.identifiers[scheme=CN-IC-CARD].value"),
    needed("PromiseItmes", "价格说明", "price_declarations.special_relationship"),
    needed("TradeAreaCode", "贸易国别", "goods_shipment.trading_country_code"),
    needed("DeclareName", "申报人员姓名", "agent.contact.name"),
)

TO_DECLARE = (
    needed("DistinatePort", "经停港/指运港", "goods_shipment.consignment.call_location.id", direction="import"),
    needed("DistinatePort", "经停港/指运港", "goods_shipment.consignment.unloading_location.id", direction="export"),
    needed("EdiId", "报关标志", "declaration_flag_code"),
    needed("EntryType", "报关单类型", "form_type_code"),
    needed("GrossWet", "毛重", "total_gross_mass.value"),
    needed("IEPort", "进出境关别", "entry_office.id", direction="import"),
    needed("IEPort", "进出境关别", "exit_office.id", direction="export"),
    needed("NetWt", "净重", "total_net_mass.value"),
    needed("OwnerName", "消费使用/生产销售单位名称", "goods_shipment.domestic_owner.name"),
    needed("PackNo", "件数", "total_package_quantity.value"),
    needed("TradeCountry", "启运国/运抵国", "goods_shipment.export_country.id", direction="import"),
    needed("TradeCountry", "启运国/运抵国", "goods_shipment.destination.country_code", direction="export"),
    needed("TradeMode", "监管方式", "goods_shipment.supervision_mode_code"),
    needed(
        "TradeCode",
        "境内收发货人编号",
        "goods_shipment.importer.identifiers[scheme=CN-CUSTOMS].value",
        direction="import",
    ),
    needed("TradeCode", "境内收发货人编号", "exporter.identifiers[scheme=CN-CUSTOMS].value", direction="export"),
    needed("TrafMode", "运输方式代码", "border_transport_means.mode_code", "border_transport_means.national_mode_code"),
    needed("TradeName", "境内收发货人名称", "goods_shipment.importer.name", direction="import"),
    needed("TradeName", "境内收发货人名称", "exporter.name", direction="export"),
    needed("TransMode", "成交方式", "goods_shipment.trade_terms.transaction_mode_code"),
    needed("Type", "单据类型", "declaration_type.declaration_step", "declaration_type.kind_code"),
    needed("WrapType", "包装种类", "package_type_code"),
    needed(
        "TradeCoScc",
        "收发货人统一编码",
        "goods_shipment.importer.identifiers[scheme=CN-USCI].value",
        direction="import",
    ),
    needed("TradeCoScc", "收发货人统一编码", "exporter.identifiers[scheme=CN-USCI].value", direction="export"),
    needed("AgentCodeScc", "申报代码统一编码", "agent.identifiers[scheme=CN-USCI].value"),
    needed(
        "OwnerCodeScc",
        "消费使用/生产销售单位单位统一编码",
        "goods_shipment.domestic_owner.identifiers[scheme=CN-USCI].value",
    ),
    needed("DespPortCode", "启运港代码", "goods_shipment.consignment.loading_location.id", direction="import"),
    needed("EntyPortCode", "入境口岸代码", "goods_shipment.consignment.border_location.id"),
    needed("GoodsPlace", "存放地点", "goods_shipment.consignment.goods_location.name", direction="import"),
)

ITEM_TO_STASH = (
    needed("CodeTS", "商品编号", "commodity.classifications[identification_type_code=CN-TARIFF].id"),
    needed("GNo", "商品序号", "sequence_number"),
    needed("DestinationCountry", "最终目的国（地区）", "destination.country_code", direction="import"),
    needed("DestinationCountry", "最终目的国（地区）", "origins[type_code=1].country_code", direction="export"),
)

ITEM_TO_DECLARE = (
    needed("DeclPrice", "申报单价", "commodity.invoice_line.unit_price_amount.value"),
    needed("DeclTotal", "申报总价", "commodity.invoice_line.item_charge_amount.value"),
    needed("DutyMode", "征免方式", "duty_levy_mode_code"),
    needed("FirstUnit", "第一计量单位（法定单位）", "commodity.goods_measure.tariff_quantity.unit_code"),
    needed("FirstQty", "第一法定数量", "commodity.goods_measure.tariff_quantity.value"),
    needed("GUnit", "成交计量单位", "commodity.goods_measure.transaction_quantity.unit_code"),
    needed("GName", "商品名称", "commodity.description"),
    needed("GQty", "成交数量", "commodity.goods_measure.transaction_quantity.value"),
    needed("OriginCountry", "原产国", "origins[type_code=1].country_code", direction="import"),
    needed("OriginCountry", "原产国", "destination.country_code", direction="export"),
    needed("TradeCurr", "成交币制", "commodity.invoice_line.item_charge_amount.currency"),
    needed("DistrictCode", "境内目的地/境内货源地", "domestic_district_code"),
)
