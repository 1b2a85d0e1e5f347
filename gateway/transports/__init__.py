"""Moving bytes, knowing no document: one module a way of moving them, found here by the agreement's ``transport.kind``.

Each module gives a marshmallow schema of its settings and a factory. A relative path in the settings lies under the gateway's
home folder. Secrets are named (``env:NAME``, ``file:PATH``), never written into an agreement. In production nothing goes over an
address without TLS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError

from gateway.agreements import Agreement
from gateway.errors import Finding, NeedsOperator
from gateway.ports import Transport
from gateway.transports import folder, http

ADDRESSES = ("url", "status_url")


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of moving bytes: what may be set, and how one instance is made."""

    settings: type[Schema]
    make: Callable[[Agreement, Mapping[str, Any], Path], Transport]


KINDS: dict[str, Kind] = {
    "folder": Kind(folder.FolderSettings, folder.make),
    "http": Kind(http.HttpSettings, http.make),
}


def check_settings(agreement: Agreement) -> tuple[dict[str, Any], list[Finding]]:
    """The agreement's transport settings with defaults filled in, and every fault of them."""
    kind = KINDS.get(agreement.transport.kind)
    if kind is None:
        known = ", ".join(sorted(KINDS))
        return {}, [Finding("transport.kind", "/transport/kind", agreement.transport.kind, known)]
    faults = _in_the_open(agreement)
    try:
        settings = dict(kind.settings().load(dict(agreement.transport.settings)))
    except ValidationError as problem:
        return {}, _findings(problem.messages, "/transport") + faults
    return ({}, faults) if faults else (settings, [])


def open_transport(agreement: Agreement, home: Path) -> Transport:
    """The transport of one agreement. NeedsOperator names every setting that is wrong."""
    settings, faults = check_settings(agreement)
    if faults:
        raise NeedsOperator(f"the transport of agreement {agreement.id} is set up wrongly", faults)
    return KINDS[agreement.transport.kind].make(agreement, settings, home)


def _in_the_open(agreement: Agreement) -> list[Finding]:
    """Addresses of a production agreement that are not https. Only the scheme is told: an address may hold a secret."""
    if agreement.environment != "production":
        return []
    addresses = {name: agreement.transport.settings.get(name) for name in ADDRESSES}
    return [
        Finding("transport.plain", f"/transport/{name}", _scheme(address), "https")
        for name, address in addresses.items()
        if isinstance(address, str) and address and not address.lower().startswith("https://")
    ]


def _scheme(address: str) -> str:
    scheme, colon, _ = address.strip().partition("://")
    return scheme[:20] if colon else "no scheme"


def _findings(messages: Any, pointer: str) -> list[Finding]:
    if isinstance(messages, Mapping):
        return [found for name, inner in messages.items() for found in _findings(inner, f"{pointer}/{name}")]
    return [Finding("transport.setting", pointer=pointer, expected=str(text)) for text in messages]
