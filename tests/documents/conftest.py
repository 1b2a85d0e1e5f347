"""The documents of this project, loaded once, and a declaration that has nothing wrong with it."""

import copy
from pathlib import Path
from typing import Any

import pytest

from gateway.documents import Documents, load


def _party(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "identifiers": [
            {"scheme": "CN-USCI", "value": "91150135MA92563415"},
            {"scheme": "CN-CUSTOMS", "value": "1501960004"},
        ],
        "address": {"line": "1 Station Road", "city_name": "Erenhot", "country_code": "CN"},
    }


def _item(number: int) -> dict[str, Any]:
    return {
        "sequence_number": str(number),
        "commodity": {
            "description": "washed coking coal",
            "classifications": [{"id": "2701121000", "identification_type_code": "HS"}],
            "goods_measure": {
                "gross_mass": {"value": "1000.5", "unit_code": "KGM"},
                "net_net_weight": {"value": "1000", "unit_code": "KGM"},
            },
            "invoice_line": {"item_charge_amount": {"value": "100.00", "currency": "USD"}},
            "transport_equipments": [{"id": "MSKU9070323"}],
        },
        "origins": [{"country_code": "MN"}],
        "packagings": [{"sequence_number": "1", "quantity": {"value": "10"}, "type_code": "00"}],
        "duty_levy_mode_code": "1",
    }


_DECLARATION: dict[str, Any] = {
    "direction": "import",
    "functional_reference_id": "A-2026-1",
    "issue_date_time": "2026-11-20T10:00:00+08:00",
    "goods_item_quantity": {"value": "2"},
    "total_gross_mass": {"value": "2001", "unit_code": "KGM"},
    "total_package_quantity": {"value": "20"},
    "agent": _party("Erenhot Broker"),
    "goods_shipment": {
        "supervision_mode_code": "0110",
        "consignee": _party("Hohhot Steel"),
        "consignor": {"name": "Tavan Tolgoi", "identifiers": [{"scheme": "AEO", "value": "MN1234567"}]},
        "consignment": {"transport_equipments": [{"id": "MSKU9070323", "goods_item_numbers": ["1", "2"]}]},
        "government_agency_goods_items": [_item(1), _item(2)],
    },
}


@pytest.fixture(scope="session")
def documents(project_root: Path) -> Documents:
    return load(project_root / "specs")


@pytest.fixture
def declaration() -> dict[str, Any]:
    return copy.deepcopy(_DECLARATION)
