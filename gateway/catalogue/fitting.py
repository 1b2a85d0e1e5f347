"""Holds agreements against the manifests of their adapters: what the partners file alone cannot check.

Only adapters that an agreement names are looked at. The pointers of findings are places in the partners file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from gateway.catalogue import parameters
from gateway.catalogue.manifest import Manifest
from gateway.errors import Finding, GatewayError

if TYPE_CHECKING:
    from gateway.agreements import Agreement, Directory
    from gateway.catalogue import Entry


def agreement_findings(entries: Mapping[str, Entry], directory: Directory) -> list[Finding]:
    """Every agreement against its adapter: it exists, files these documents, may use this transport, parameters, signature."""
    findings: list[Finding] = []
    for index, agreement in enumerate(directory.agreements.values()):
        pointer = f"/agreements/{index}"
        entry = entries.get(agreement.adapter)
        if entry is None:
            expected = ", ".join(entries) or "none: there is no adapter in this installation"
            findings.append(Finding("catalogue.adapter.unknown", f"{pointer}/adapter", agreement.adapter, expected))
            continue
        try:
            manifest = entry.manifest
        except GatewayError as problem:
            findings += problem.findings
            continue
        findings += _one(manifest, agreement, pointer)
    return findings


def _one(manifest: Manifest, agreement: Agreement, pointer: str) -> Iterable[Finding]:
    about = {"adapter": manifest.id, "agreement": agreement.id}
    known = (*manifest.files, *manifest.understands)
    for place, kind in enumerate(agreement.documents):
        if kind not in known:
            where = f"{pointer}/documents/{place}"
            yield Finding("catalogue.agreement.document", where, kind, ", ".join(known), params=about)
    if agreement.transport.kind not in manifest.transports:
        where, allowed = f"{pointer}/transport/kind", ", ".join(manifest.transports)
        yield Finding("catalogue.agreement.transport", where, agreement.transport.kind, allowed, params=about)
    profile = agreement.signing.get("profile")
    if profile is not None and profile not in manifest.signing:
        allowed = ", ".join(manifest.signing) or "none"
        yield Finding("catalogue.agreement.signing", f"{pointer}/signing/profile", str(profile), allowed, params=about)
    yield from parameters.findings(manifest.id, manifest.parameters, agreement.parameters, f"{pointer}/parameters")
