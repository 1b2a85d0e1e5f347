"""Partners files for tests: built in code, written as YAML, read by the same loader that reads an operator's file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gateway.agreements import Directory, parse


def key_digest(key: str) -> str:
    """What a partners file keeps of an API key."""
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass
class PartnersFile:
    """A partners file under construction. Each add method returns the file, so that they read as one sentence."""

    environment: str = "test"
    operator: str = "operator"
    tenants: list[dict[str, Any]] = field(default_factory=list)
    partners: list[dict[str, Any]] = field(default_factory=list)
    agreements: list[dict[str, Any]] = field(default_factory=list)
    routes: list[dict[str, Any]] = field(default_factory=list)

    def add_tenant(
        self, tenant_id: str, *, key: str = "", roles: Sequence[str] = ("filer",), jurisdiction: str = "CN"
    ) -> PartnersFile:
        """A tenant; with key, that text is its API key, of those roles."""
        keys = [{"id": f"{tenant_id}-key", "sha256": key_digest(key), "roles": list(roles)}] if key else []
        self.tenants.append({"id": tenant_id, "name": tenant_id, "jurisdiction": jurisdiction, "api_keys": keys})
        return self

    def add_partner(self, partner_id: str, *, jurisdiction: str = "CN", **more: Any) -> PartnersFile:
        row = {"id": partner_id, "name": partner_id, "jurisdiction": jurisdiction, "environment": self.environment}
        self.partners.append(row | more)
        return self

    def add_agreement(
        self,
        agreement_id: str,
        *,
        partner: str,
        adapter: str,
        documents: Iterable[str],
        transport: Mapping[str, Any],
        routed: bool = True,
        **more: Any,
    ) -> PartnersFile:
        """An agreement and, unless it is not to be routed, a route that sends its documents there."""
        kinds = list(documents)
        if all(known["id"] != partner for known in self.partners):
            self.add_partner(partner)
        row = {
            "id": agreement_id,
            "partner": partner,
            "adapter": adapter,
            "environment": self.environment,
            "documents": kinds,
            "transport": dict(transport),
        }
        self.agreements.append(row | more)
        if routed:
            self.routes.append({"documents": kinds, "to": [agreement_id]})
        return self

    def as_dict(self) -> dict[str, Any]:
        tenants = self.tenants
        if all(tenant["id"] != self.operator for tenant in tenants):
            tenants = [*tenants, {"id": self.operator, "name": self.operator}]
        return {
            "environment": self.environment,
            "operator": self.operator,
            "tenants": tenants,
            "partners": self.partners,
            "agreements": self.agreements,
            "routes": self.routes,
        }

    def directory(self) -> Directory:
        """What the gateway makes of it. NeedsOperator as for an operator's file."""
        return parse(self.as_dict())

    def write(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(self.as_dict(), allow_unicode=True, sort_keys=False), encoding="utf-8")
        return path
