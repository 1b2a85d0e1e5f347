"""Translating without a gateway: one adapter, bytes in, bytes out; no database, no partner, no clock unless one is given.

The command line and the contract suite stand on this. An encoder gets what a real submission would give it; on a round trip it
takes those numbers which the gateway would reserve from the document, since the sender had given them already.
"""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from gateway.agreements import Agreement, Partner, Retry, Transport
from gateway.catalogue.manifest import Manifest
from gateway.errors import Finding, GatewayError, RuleBroken
from gateway.lifecycle import REQUEST_PHASES, Phase
from gateway.ports import Decoded, DecodedDocument, EncodeContext, Encoded, Json
from gateway.syntax.normal import canonical_form
from gateway.syntax.normal import differences as compare_forms
from gateway.syntax.xml import parse

if TYPE_CHECKING:
    from gateway.catalogue import Entry
    from gateway.syntax.registry import SchemaRegistry
    from gateway.syntax.schema import MessageSchema

MESSAGE_ID = "01k0000000000000000000offl"
NOW_US = 1_767_225_600_000_000  # 2026-01-01T00:00Z


def agreement(manifest: Manifest, parameters: Mapping[str, Any] | None = None) -> Agreement:
    """An agreement with nobody: the adapter's first transport, the manifest's defaults, overruled by parameters."""
    partner = Partner("offline", "nobody", "CN", "test")
    return Agreement(
        id="offline",
        partner=partner,
        adapter=manifest.id,
        environment="test",
        documents=(*manifest.files, *manifest.understands),
        transport=Transport(manifest.transports[0]),
        parameters={**manifest.defaults, **(parameters or {})},
        reading="tolerant",
        retry=Retry(),
        ordered_by="declaration",
        drops_doubles=False,
        parallel=1,
        receipt_timeout_s=3600,
        may_lose=(),
        may_leave=("*",),
        legal_basis="",
        signing={},
        silence_s={},
        retention_days=1096,
    )


def counter() -> Callable[[str], int]:
    """Numbers from 1 for every name, as a database would reserve them."""
    numbers: dict[str, itertools.count[int]] = defaultdict(lambda: itertools.count(1))
    return lambda name: next(numbers[name])


def context(
    manifest: Manifest,
    *,
    kind: str,
    message: str = "",
    parameters: Mapping[str, Any] | None = None,
    roundtrip: bool = False,
    phase: Phase | None = None,
    message_id: str = MESSAGE_ID,
    now_us: int = NOW_US,
) -> EncodeContext:
    """What an encoder is given. Without further words the same for every call, so that the same bytes come out."""
    return EncodeContext(
        agreement=agreement(manifest, parameters),
        message_id=message_id,
        now_us=now_us,
        reserve=counter(),
        kind=kind,
        phase=phase or REQUEST_PHASES.get(kind, Phase.SINGLE),
        message=message,
        as_received=roundtrip,
    )


class Verdict(StrEnum):
    EQUAL = "equal"
    REFUSED = "refused"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class RoundTripResult:
    """decoded is None where the bytes were refused at once. findings: why it was refused, or every place that differs."""

    verdict: Verdict
    decoded: Decoded | None = None
    encoded: bytes = b""
    findings: tuple[Finding, ...] = ()

    @property
    def coverage(self) -> float | None:
        return self.decoded.report.coverage if self.decoded else None


def encode_again(entry: Entry, decoded: Decoded, parameters: Mapping[str, Any] | None = None) -> bytes:
    """The partner's bytes for what was decoded, with the sender's own numbers. Raises what refused one of its documents."""
    for one in decoded.documents:
        if one.refusal is not None:
            raise one.refusal
    given = context(entry.manifest, kind=decoded.kind, message=decoded.message, parameters=parameters, roundtrip=True)
    return encode(entry, [(one.kind, one.document) for one in decoded.documents], given).data


def encode(entry: Entry, documents: Sequence[tuple[str, Json]], given: EncodeContext) -> Encoded:
    """One partner message of all these documents, each with its kind. RuleBroken where the adapter does not write several into one."""
    (kind, first), *others = documents
    further = tuple(document for its_kind, document in others if its_kind == kind)
    encoded = entry.adapter.encode(first, replace(given, kind=kind, further=further))
    if encoded.documents != len(documents):
        finding = Finding("translate.documents", found=str(len(documents)), expected=str(encoded.documents))
        raise RuleBroken("the partner's message does not hold so many documents", [finding], code=finding.code)
    return encoded


def roundtrip(
    entry: Entry, registry: SchemaRegistry, data: bytes, parameters: Mapping[str, Any] | None = None
) -> RoundTripResult:
    """Decode tolerantly, encode again, and compare both under the closed list of normalisations (gateway.syntax.normal)."""
    try:
        decoded = entry.adapter.decode(data, tolerant=True)
    except GatewayError as problem:
        return RoundTripResult(Verdict.REFUSED, findings=problem.findings)
    try:
        again = encode_again(entry, decoded, parameters)
    except GatewayError as problem:
        return RoundTripResult(Verdict.REFUSED, decoded, findings=problem.findings)
    different = differences(entry, registry, decoded.message, data, again)
    return RoundTripResult(Verdict.DIFFERENT if different else Verdict.EQUAL, decoded, again, tuple(different))


def differences(entry: Entry, registry: SchemaRegistry, message: str, sent: bytes, again: bytes) -> list[Finding]:
    """Where two messages differ beyond what a round trip may change; bytes of no known table must be equal."""
    schema = message_schema(entry, registry, message)
    if schema is None:
        return [] if sent == again else [Finding("syntax.normal.different", found="other bytes", expected=message)]
    empty_means_absent = entry.manifest.roundtrip.empty_means_absent
    left, right = (
        canonical_form(parse(data), schema.table, empty_means_absent=empty_means_absent, names_assumed=True)
        for data in (sent, again)
    )
    return compare_forms(left, right)


def message_schema(entry: Entry, registry: SchemaRegistry, message: str, version: str = "") -> MessageSchema | None:
    """The schema of a message that the manifest names, in any spelling of its name; None where it names none."""
    for row in entry.manifest.messages:
        path = PurePosixPath(row.schema)
        if message.lower() in (row.name.lower(), path.stem.lower()) and version in ("", row.version):
            return registry.schema(path.parent.name, row.version, path.stem)
    return None


def expected_text(decoded: Decoded) -> str:
    """What stands beside a sample as its expected document: kind, message and document, for people to read and compare."""
    return json.dumps(told(decoded), ensure_ascii=False, indent=2) + "\n"


def told(decoded: Decoded) -> Json:
    """Kind, message and document of what was decoded; where it holds several documents, all of them besides."""
    first, *others = [_told(one) for one in decoded.documents]
    return {**first, "documents": [first, *others]} if others else first


def _told(one: DecodedDocument) -> Json:
    return {"kind": one.kind, "message": one.message, "document": one.document}


def documents_of(content: Json) -> list[Json]:
    """The documents in a file that holds either a bare one or what ``adapters decode`` printed; the first stands in both places there."""
    if not isinstance(content.get("document"), dict) or "kind" not in content:
        return [content]
    several = content.get("documents")
    others = several[1:] if isinstance(several, list) else []
    return [content["document"], *(one.get("document") if isinstance(one, dict) else one for one in others)]
