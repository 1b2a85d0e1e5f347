"""An agreement with any transport."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway import agreements
from gateway.agreements import Agreement


@pytest.fixture
def agreement() -> Callable[..., Agreement]:
    def make(kind: str, environment: str = "test", **settings: Any) -> Agreement:
        directory = agreements.parse(
            {
                "environment": environment,
                "operator": "port",
                "tenants": [{"id": "port", "name": "Port"}],
                "partners": [{"id": "partner", "name": "P", "jurisdiction": "CN", "environment": environment}],
                "agreements": [
                    {
                        "id": "one",
                        "partner": "partner",
                        "adapter": "tiny",
                        "environment": environment,
                        "documents": ["declaration"],
                        "transport": {"kind": kind, **settings},
                    }
                ],
                "routes": [],
            }
        )
        return directory.agreements["one"]

    return make
