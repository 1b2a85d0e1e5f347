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


# What an agreement says where nothing is signed; no adapter can refuse it.
NOTHING_SIGNED = "none"


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
    yield from _signing(manifest, agreement, f"{pointer}/signing")
    yield from parameters.findings(manifest.id, manifest.parameters, agreement.parameters, f"{pointer}/parameters")


def _signing(manifest: Manifest, agreement: Agreement, pointer: str) -> Iterable[Finding]:
    """Each signature is of a profile of the manifest, and there are no more than its steps have places for.

    What a signature may look like is the business of gateway.signing, which reads the settings again.
    """
    about = {"adapter": manifest.id, "agreement": agreement.id}
    several = agreement.signing.get("steps")
    entries = several if isinstance(several, list) else [agreement.signing]
    made = 0
    for index, entry in enumerate(entries):
        profile = entry.get("profile") if isinstance(entry, Mapping) else None
        if profile in (None, NOTHING_SIGNED):
            continue
        made += 1
        place = f"{pointer}/steps/{index}/profile" if entries is several else f"{pointer}/profile"
        if profile not in manifest.signing:
            allowed = ", ".join((*manifest.signing, NOTHING_SIGNED))
            yield Finding("catalogue.agreement.signing", place, str(profile), allowed, params=about)
        elif made > manifest.steps.count("sign"):
            yield Finding(
                "catalogue.agreement.steps", place, str(made), str(manifest.steps.count("sign")), params=about
            )
