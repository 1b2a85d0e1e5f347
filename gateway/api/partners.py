"""Partners deliver their messages: any media type, any size the agreement allows.

A partner has a token, or where its agreement names none, only the signature in what it brings. Then anybody may call, so less is read,
few at a time, and what comes of it is the business of gateway.pipeline.strangers.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import math
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from starlette.types import Send

from gateway.agreements import Agreement
from gateway.api import bodies
from gateway.api.accounts import TRACE
from gateway.api.answers import send_answer
from gateway.api.batches import Batches
from gateway.api.native import Asked
from gateway.api.parts import Parts
from gateway.api.problems import BadRequest, TooMany, Unauthorized
from gateway.api.senders import Places, sender_of
from gateway.errors import Conflict, Finding, Rejected, Severity
from gateway.lifecycle import InboundStatus
from gateway.pipeline.strangers import Strangers
from gateway.ports import Incoming

TOKEN = "inbound_token_sha256"  # noqa: S105 - the name of a setting
LIMIT = "inbound_limit_bytes"
# Headers that the receiving adapter or the signature check may want; never the ones that carry a secret.
PASSED_ON = {"content-type", "soapaction", "x-message-id", "x-conversation-id", "x-correlation-id"}
_REFERENCE = re.compile(r"^[!-~]{1,200}$")


# As with filings (intake.py): everyday deliveries share commits and do not wait behind large ones.
LARGE_BYTES = 256 * 1024
MOST_TOGETHER, MOST_LARGE = 16, 1
STRANGERS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Patience:
    """How much of one delivery is read where its agreement sets no limit, for how long, and how slow it may come."""

    most_bytes: int
    within_s: float
    pace: bodies.Pace | None = None


WITH_PARTNERS = Patience(16 * 1024 * 1024, 120)
# A body that dawdles holds a place that somebody else may need.
STRANGERS_PACE = bodies.Pace(grace_s=5, bytes_a_s=16_000)
WITH_STRANGERS = Patience(1024 * 1024, 30, STRANGERS_PACE)


class Deliveries:
    """The operation by which partners deliver."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._everyday = Batches("receive", parts.receiver.receive_each, MOST_TOGETHER)
        self._large = Batches("receive-large", parts.receiver.receive_each, MOST_LARGE)
        self._checkers = ThreadPoolExecutor(max_workers=STRANGERS_AT_ONCE, thread_name_prefix="strangers")
        self._strangers = Strangers(
            parts.store, parts.directory, parts.security, parts.receiver, parts.exchange, clock=parts.clock
        )
        self._places = Places(math.ceil(STRANGERS_PACE.grace_s)).shared(parts.exchange)

    def close(self) -> None:
        """Finish what is being received."""
        self._checkers.shutdown(wait=True)
        self._everyday.close()
        self._large.close()

    async def deliver(self, asked: Asked, send: Send) -> None:
        """Take a partner's message. 202 when its bytes are stored and what they say is applied or kept."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in asked.scope["headers"]}
        agreement, proven = self._agreement(str(asked.values["agreement_id"]), headers.pop("authorization", ""))
        if proven:
            incoming = await self._read(agreement, headers, asked, WITH_PARTNERS)
            lane = self._large if len(incoming.data) > LARGE_BYTES else self._everyday
            received = await lane.take(incoming)
        else:
            sender = sender_of((asked.scope.get("client") or ("",))[0])
            wait_s = self._strangers.wait_s(agreement.id, sender)
            if wait_s:
                raise TooMany(math.ceil(wait_s))
            with self._places.taken(agreement.id, sender):
                incoming = await self._read(agreement, headers, asked, WITH_STRANGERS)
                checked = partial(self._strangers.receive, incoming, sender=sender)
                received = await asyncio.get_running_loop().run_in_executor(self._checkers, checked)
            if not (received.doubled or received.conflicting):
                self._places.prove(agreement.id, sender)
        if received.conflicting:
            raise Conflict("this reference came with other bytes", received.findings, code="receive.conflict")
        if received.status is InboundStatus.REFUSED:
            # The bytes are kept as evidence all the same; the partner learns that they have no effect, however often it asks.
            findings = sorted(received.findings, key=lambda finding: finding.severity is not Severity.ERROR)
            code = findings[0].code if findings else Rejected.code
            raise Rejected("the delivery is refused", findings, code=code)
        await send_answer(send, 202, {"id": received.inbound_id, "status": received.status}, asked.lang)

    async def _read(self, agreement: Agreement, headers: dict[str, str], asked: Asked, patience: Patience) -> Incoming:
        """A delivery, read as far as its agreement allows."""
        limit = int(agreement.transport.settings.get(LIMIT, patience.most_bytes))
        data = await bodies.read(asked.receive, asked.scope, limit, patience.within_s, patience.pace)
        if not data:
            raise BadRequest("nothing was delivered", [Finding("api.body.empty")], code="api.body.empty")
        return Incoming(
            agreement_id=agreement.id,
            reference=_reference(headers, data),
            data=data,
            received_us=self._parts.clock(),
            headers={name: value for name, value in headers.items() if name in PASSED_ON},
            traceparent=asked.scope["extensions"].get(TRACE, ""),
        )

    def _agreement(self, agreement_id: str, authorization: str) -> tuple[Agreement, bool]:
        """The agreement that this caller may deliver for, and whether a token proves him. An unknown one and a wrong token are
        refused alike.

        Without a token in the agreement, a signature must stand in its place: it is verified before anything is kept.
        """
        agreement = self._parts.directory.agreements.get(agreement_id)
        expected = "" if agreement is None else str(agreement.transport.settings.get(TOKEN, ""))
        scheme, _, token = authorization.partition(" ")
        digest = hashlib.sha256(token.strip().encode()).hexdigest()
        proven = hmac.compare_digest(expected.encode(), digest.encode()) and scheme.lower() == "bearer"
        if agreement is not None and (proven or (not expected and _is_verified(agreement))):
            return agreement, proven
        raise Unauthorized("nobody who delivers here", [Finding(Unauthorized.code)])


def _is_verified(agreement: Agreement) -> bool:
    """Whether the receiver refuses what this partner did not sign."""
    steps = agreement.signing.get("steps", [agreement.signing])
    return any(step.get("profile", "none") != "none" and step.get("verify", "required") == "required" for step in steps)


def _reference(headers: dict[str, str], data: bytes) -> str:
    given = headers.get("x-message-id")
    if given is None:
        return f"sha256:{hashlib.sha256(data).hexdigest()}"
    if not _REFERENCE.match(given):
        raise BadRequest("an unusable reference", [Finding("api.partner.reference", found=given[:80])])
    return given
