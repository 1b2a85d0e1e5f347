"""What a filer hands in, what becomes of it, and the answer that is given again to the same Idempotency-Key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import orjson

from gateway.agreements import Agreement
from gateway.errors import Conflict, Finding, Severity
from gateway.lifecycle import Phase
from gateway.ports import Alias, Encoded, Json, Reading

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Submission:
    """What a filer hands in. root_id: the declaration that a request or a later round belongs to, "" for a new one.

    waits_for: ids of documents that must be with customs first, e.g. the manifest of an import declaration. reason: why a person
    declares again, for the timeline. traceparent: the trace of whoever files, "" for none.
    """

    kind: str
    document: Json
    tenant: str
    actor: str
    root_id: str = ""
    idempotency_key: str = ""
    request_digest: str = ""
    waits_for: tuple[Alias, ...] = ()
    reason: str = ""
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class PreparedMessage:
    """One translation, ready to be stored. aliases: every id by which it can be found."""

    message_id: str
    agreement: Agreement
    adapter: str
    encoded: Encoded
    aliases: tuple[Alias, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the filer is told. repeated: this is the stored answer to the same Idempotency-Key."""

    document_id: str
    root_id: str
    message_ids: tuple[str, ...]
    warnings: tuple[Finding, ...] = ()
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A submission that nothing speaks against. answered: the key was used before with this body, accept() returns that.

    priority: how urgent its route says it is.
    """

    submission: Submission
    document_id: str
    root_id: str
    round: int
    phase: Phase
    messages: tuple[PreparedMessage, ...] = ()
    warnings: tuple[Finding, ...] = ()
    answered: Accepted | None = None
    priority: int = 0

    @property
    def encoded(self) -> dict[str, Encoded]:
        """agreement id -> the translated, unsigned message with its loss report."""
        return {message.agreement.id: message.encoded for message in self.messages}


def canonical_bytes(document: Json) -> bytes:
    """A document of ours as it is stored: sorted keys, UTF-8, no white space, so that equal documents have equal digests."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def body_digest(body: bytes) -> str:
    """The digest by which a repeated request body is known, tagged with its algorithm."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def stored_answer(reading: Reading, submission: Submission) -> Accepted | None:
    """The stored answer to this Idempotency-Key; Conflict when the key came with another body."""
    if not submission.idempotency_key:
        return None
    row = reading.idempotency(submission.tenant, submission.idempotency_key)
    if row is None:
        return None
    if row.request_digest != submission.request_digest:
        finding = Finding("idempotency.other_body", found="another body", expected="the body first sent with this key")
        raise Conflict("this Idempotency-Key was used with another body", [finding], code=finding.code)
    return _load(row.body)


def dump(accepted: Accepted) -> bytes:
    return orjson.dumps(
        {
            "document_id": accepted.document_id,
            "root_id": accepted.root_id,
            "message_ids": accepted.message_ids,
            "warnings": [finding.as_dict() | {"params": dict(finding.params)} for finding in accepted.warnings],
        }
    )


def _load(body: bytes) -> Accepted:
    stored = orjson.loads(body)
    warnings = tuple(Finding(**(row | {"severity": Severity(row["severity"])})) for row in stored["warnings"])
    return Accepted(stored["document_id"], stored["root_id"], tuple(stored["message_ids"]), warnings, repeated=True)
