"""The shipment of a WCO declaration (GoodsShipment 67A): its parties, its carriage inland, and where the goods lie.

Its goods items are goods_items.py.
"""

from __future__ import annotations

from adapters.wco_declaration.goods_items import goods_item
from adapters.wco_declaration.parts import (
    VAT,
    address,
    charge_deduction,
    party,
    previous_document,
    role_parties,
    trading_places,
    transport_means,
    ucr,
    when,
)
from gateway.mapping.rows import Row, amount, each, group, text


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
