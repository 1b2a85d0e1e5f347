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
    """One field; its titles are in phrases.yaml. steps: places any of which is enough, readers: what reads them; direction None: needed in both."""

    element: str
    steps: tuple[tuple[Step, ...], ...]
    readers: tuple[Getter, ...]
    direction: str | None


def needed(element: str, *paths: str, direction: str | None = None) -> Needed:
    return Needed(element, tuple(map(parse, paths)), tuple(map(getter, paths)), direction)


TO_STASH = (
    needed("IEFlag", "direction"),
    needed("AgentCode", "agent.identifiers[scheme=CN-CUSTOMS].value"),
    needed("AgentName", "agent.name"),
    needed(
        "CopCode",
        "submitter.identifiers[scheme=CN-ORG].value",
        "submitter.identifiers[scheme=CN-CUSTOMS].value",
        "submitter.identifiers[scheme=OTHER].value",
    ),
    needed("CopName", "submitter.name"),
    needed("CustomMaster", "declaration_office.id"),
    needed("DeclTrnRel", "with_transit_declaration"),
    needed("InputerName", "submitter.contact.name"),
    needed("TypistNo", "submitter.contact.identifiers[scheme=CN-IC-CARD].value"),
    needed("PromiseItmes", "price_declarations.special_relationship"),
    needed("TradeAreaCode", "goods_shipment.trading_country_code"),
    needed("DeclareName", "agent.contact.name"),
)

TO_DECLARE = (
    needed("DistinatePort", "goods_shipment.consignment.call_location.id", direction="import"),
    needed("DistinatePort", "goods_shipment.consignment.unloading_location.id", direction="export"),
    needed("EdiId", "declaration_flag_code"),
    needed("EntryType", "form_type_code"),
    needed("GrossWet", "total_gross_mass.value"),
    needed("IEPort", "entry_office.id", direction="import"),
    needed("IEPort", "exit_office.id", direction="export"),
    needed("NetWt", "total_net_mass.value"),
    needed("OwnerName", "goods_shipment.domestic_owner.name"),
    needed("PackNo", "total_package_quantity.value"),
    needed("TradeCountry", "goods_shipment.export_country.id", direction="import"),
    needed("TradeCountry", "goods_shipment.destination.country_code", direction="export"),
    needed("TradeMode", "goods_shipment.supervision_mode_code"),
    needed(
        "TradeCode",
        "goods_shipment.importer.identifiers[scheme=CN-CUSTOMS].value",
        direction="import",
    ),
    needed("TradeCode", "exporter.identifiers[scheme=CN-CUSTOMS].value", direction="export"),
    needed("TrafMode", "border_transport_means.mode_code", "border_transport_means.national_mode_code"),
    needed("TradeName", "goods_shipment.importer.name", direction="import"),
    needed("TradeName", "exporter.name", direction="export"),
    needed("TransMode", "goods_shipment.trade_terms.transaction_mode_code"),
    needed("Type", "declaration_type.declaration_step", "declaration_type.kind_code"),
    needed("WrapType", "package_type_code"),
    needed(
        "TradeCoScc",
        "goods_shipment.importer.identifiers[scheme=CN-USCI].value",
        direction="import",
    ),
    needed("TradeCoScc", "exporter.identifiers[scheme=CN-USCI].value", direction="export"),
    needed("AgentCodeScc", "agent.identifiers[scheme=CN-USCI].value"),
    needed(
        "OwnerCodeScc",
        "goods_shipment.domestic_owner.identifiers[scheme=CN-USCI].value",
    ),
    needed("DespPortCode", "goods_shipment.consignment.loading_location.id", direction="import"),
    needed("EntyPortCode", "goods_shipment.consignment.border_location.id"),
    needed("GoodsPlace", "goods_shipment.consignment.goods_location.name", direction="import"),
)

ITEM_TO_STASH = (
    needed("CodeTS", "commodity.classifications[identification_type_code=CN-TARIFF].id"),
    needed("GNo", "sequence_number"),
    needed("DestinationCountry", "destination.country_code", direction="import"),
    needed("DestinationCountry", "origins[type_code=1].country_code", direction="export"),
)

ITEM_TO_DECLARE = (
    needed("DeclPrice", "commodity.invoice_line.unit_price_amount.value"),
    needed("DeclTotal", "commodity.invoice_line.item_charge_amount.value"),
    needed("DutyMode", "duty_levy_mode_code"),
    needed("FirstUnit", "commodity.goods_measure.tariff_quantity.unit_code"),
    needed("FirstQty", "commodity.goods_measure.tariff_quantity.value"),
    needed("GUnit", "commodity.goods_measure.transaction_quantity.unit_code"),
    needed("GName", "commodity.description"),
    needed("GQty", "commodity.goods_measure.transaction_quantity.value"),
    needed("OriginCountry", "origins[type_code=1].country_code", direction="import"),
    needed("OriginCountry", "destination.country_code", direction="export"),
    needed("TradeCurr", "commodity.invoice_line.item_charge_amount.currency"),
    needed("DistrictCode", "domestic_district_code"),
)
