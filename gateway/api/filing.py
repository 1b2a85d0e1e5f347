"""Filing: a document in, 202 or a rehearsal out.

The operations that file only say what is asked for; here it is handed to the intake, which takes many at a time, and answered.
That is done in front of Flask: a thread of Flask for each filing would only wait. The Idempotency-Key is bound to what is asked
for (kind, declaration) and to the exact bytes of the body.
"""

from __future__ import annotations

import hashlib
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api import problems, views
from gateway.api.accounts import ABOUT, TRACE
from gateway.api.answers import send_answer
from gateway.api.contract import CONTEXT, ROUTING, asked_of
from gateway.api.intake import Intake
from gateway.api.parts import Parts, accept_language
from gateway.api.security import Caller, require_filer
from gateway.errors import GatewayError
from gateway.lifecycle import REQUEST_PHASES
from gateway.pipeline.submission import Accepted, Prepared, Submission
from gateway.ports import Alias, Json
from gateway.watch.metrics import FILINGS


@dataclass(frozen=True, slots=True)
class Filing:
    """What a caller asks to file. root_id: the declaration it belongs to, "" for a new one.

    waits_for: ids of documents that must be with customs first, as ``scheme:value,scheme:value``. With dry_run nothing is stored and
    the answer shows what would be sent.
    """

    kind: str
    document: Json
    raw: bytes
    caller: Caller
    dry_run: bool
    root_id: str = ""
    waits_for: str = ""

    def submission(self, idempotency_key: str, traceparent: str = "") -> Submission:
        key = "" if self.dry_run else idempotency_key
        return Submission(
            kind=self.kind,
            document=self.document,
            tenant=self.caller.tenant,
            actor=self.caller.actor,
            root_id=self.root_id,
            idempotency_key=key,
            request_digest=_digest(f"{self.kind} {self.root_id} {self.waits_for}", self.raw) if key else "",
            waits_for=tuple(Alias(*one.split(":", 1)) for one in self.waits_for.split(",") if one),
            traceparent=traceparent,
        )


def is_filing(operation: Callable[..., Any]) -> bool:
    """Whether an operation files: it answers with what it asks for."""
    return typing.get_type_hints(operation).get("return") is Filing


class Filings:
    """An ASGI application that answers the operations that file, and leaves all others to the next."""

    def __init__(self, following: ASGIApp, parts: Parts, intake: Intake) -> None:
        self._next = following
        self._parts = parts
        self._intake = intake
        self._operations: dict[str, Callable[[Json], Filing]] = {}

    def answers(self, operations: Mapping[str, Callable[..., Filing]]) -> None:
        """Take over these operations, by the id that the contract gives them."""
        self._operations = {name: asked_of(function) for name, function in operations.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises what the pipeline raises; the Front makes a problem of it."""
        operation = None
        if scope["type"] == "http":
            operation = self._operations.get(scope["extensions"].get(ROUTING, {}).get("operation_id", ""))
        if operation is None:
            await self._next(scope, receive, send)
            return
        filing = operation(scope["extensions"][CONTEXT])
        require_filer(filing.caller)
        lang = self._parts.language(accept_language(scope))
        submission = filing.submission(_idempotency_key(scope), scope["extensions"].get(TRACE, ""))
        try:
            taken = await self._take(filing, submission)
        except GatewayError as problem:
            FILINGS.count("refused", problem.code)
            raise
        if isinstance(taken, Prepared):
            FILINGS.count("rehearsed", "")
            await send_answer(send, 200, self.rehearsed(taken, lang), lang)
        else:
            FILINGS.count("repeated" if taken.repeated else "accepted", "")
            scope["extensions"][ABOUT] = {
                "declaration_id": taken.root_id,
                "message_id": ",".join(taken.message_ids),
            }
            body = self.accepted(filing.kind, taken, lang)
            headers = {"Location": body["links"]["self"]}
            if taken.repeated:
                headers["Idempotent-Replayed"] = "true"
            await send_answer(send, 202, body, lang, headers)

    async def _take(self, filing: Filing, submission: Submission) -> Prepared | Accepted:
        size = len(filing.raw)
        return await (self._intake.rehearse if filing.dry_run else self._intake.file)(submission, size)

    def accepted(self, kind: str, accepted: Accepted, lang: str) -> Json:
        links = views.declaration_links(accepted.root_id)
        if kind in REQUEST_PHASES:
            links["declaration"] = links["self"]
            links["self"] = views.request_place(kind, accepted.root_id, accepted.document_id)
        links |= {f"message_{number}": f"/v1/messages/{each}" for number, each in enumerate(accepted.message_ids, 1)}
        return {
            "id": accepted.document_id if kind in REQUEST_PHASES else accepted.root_id,
            "message_ids": list(accepted.message_ids),
            "links": links,
            "warnings": problems.shown(accepted.warnings, self._parts.texts, lang),
        }

    def rehearsed(self, prepared: Prepared, lang: str) -> Json:
        messages = [views.rehearsed(each.agreement.id, each.adapter, each.encoded) for each in prepared.messages]
        warnings = problems.shown(prepared.warnings, self._parts.texts, lang)
        return {"dry_run": True, "messages": messages, "warnings": warnings}


def _idempotency_key(scope: Scope) -> str:
    """As the caller sent it; ContractMiddleware has held it against the contract."""
    key: bytes = next((value for name, value in scope["headers"] if name == b"idempotency-key"), b"")
    return key.decode("latin-1")


def _digest(asked: str, raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(asked.encode() + b"\n" + raw).hexdigest()
