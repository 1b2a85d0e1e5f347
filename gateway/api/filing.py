"""What the filing operations share: a document in, 202 or a rehearsal out.

The Idempotency-Key is bound to what is asked for (kind, declaration) and to the exact bytes of the body.
"""

from __future__ import annotations

import hashlib
from typing import Any

import flask

from gateway.api import problems, views
from gateway.api.answers import answer
from gateway.api.parts import here, language
from gateway.api.security import Caller, require_filer
from gateway.lifecycle import REQUEST_PHASES
from gateway.pipeline.submission import Accepted, Prepared, Submission
from gateway.ports import Alias, Json


def file(
    kind: str,
    document: Json,
    raw: bytes,
    caller: Caller,
    *,
    dry_run: bool,
    root_id: str = "",
    waits_for: str = "",
) -> flask.Response:
    """Take one document. With dry_run nothing is stored and the answer shows what would be sent.

    waits_for: ids of documents that must be with customs first, as ``scheme:value,scheme:value``.
    """
    require_filer(caller)
    key = "" if dry_run else flask.request.headers.get("Idempotency-Key", "")
    submission = Submission(
        kind=kind,
        document=document,
        tenant=caller.tenant,
        actor=caller.actor,
        root_id=root_id,
        idempotency_key=key,
        request_digest=_digest(f"{kind} {root_id} {waits_for}", raw) if key else "",
        waits_for=tuple(Alias(*one.split(":", 1)) for one in waits_for.split(",") if one),
    )
    submitter = here().submitter
    prepared = submitter.prepare(submission)
    return _rehearsed(prepared) if dry_run else _accepted(kind, submitter.accept(prepared))


def _digest(asked: str, raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(asked.encode() + b"\n" + raw).hexdigest()


def _accepted(kind: str, accepted: Accepted) -> flask.Response:
    links = views.declaration_links(accepted.root_id)
    if kind in REQUEST_PHASES:
        links["declaration"] = links["self"]
        links["self"] = views.request_place(kind, accepted.root_id, accepted.document_id)
    links |= {f"message_{number}": f"/v1/messages/{each}" for number, each in enumerate(accepted.message_ids, 1)}
    body = {
        "id": accepted.document_id if kind in REQUEST_PHASES else accepted.root_id,
        "message_ids": list(accepted.message_ids),
        "links": links,
        "warnings": _words(accepted.warnings),
    }
    headers = {"Location": links["self"]}
    if accepted.repeated:
        headers["Idempotent-Replayed"] = "true"
    return answer(body, 202, headers=headers)


def _rehearsed(prepared: Prepared) -> flask.Response:
    messages = [views.rehearsed(each.agreement.id, each.adapter, each.encoded) for each in prepared.messages]
    return answer({"dry_run": True, "messages": messages, "warnings": _words(prepared.warnings)})


def _words(findings: Any) -> list[dict[str, Any]]:
    return problems.shown(findings, here().texts, language())
