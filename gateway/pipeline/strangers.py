"""Deliveries of callers who prove themselves by nothing but the signature in what they bring: believed first, kept afterwards.

Anybody can send here, so nothing is stored for asking. What is not signed as agreed leaves a note: digest, size, sender, reason, and
none of its bytes. What is signed is received as from any partner, except that its content is its reference: the headers around it are
anybody's, and a message caught on its way and sent again under a new id must not count as new, nor take the id of another.

Rule 1: the notes of an agreement are bounded: NOTES at once, NOTES_A_S over time. What is turned away beyond is counted in the log.
Rule 2: who is turned away, or brings again what is known, pays from an allowance of his own; who used it up waits (api.partners
        asks before it reads a body). Whoever brings what is signed and new pays nothing and is never held up by others.
Rule 3: allowances are kept in the memory of each process; what is paid in one is taken off in the others within a second, below
        nothing where it was spent twice meanwhile, so that in the long run all processes together allow what one does.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from gateway import ids
from gateway.agreements import Agreement, Directory
from gateway.errors import Rejected
from gateway.events import EventType
from gateway.pipeline import timeline
from gateway.pipeline.exchange import Exchange, Tell, to_nobody
from gateway.pipeline.receive import Received, Receiver
from gateway.ports import Incoming, MessageSecurity, Store

LOG = logging.getLogger(__name__)
NOTES, NOTES_A_S = 100, 1 / 30
# One sender of one agreement: 60 refused deliveries at once and one a second; of known ones ten times as many.
ALLOWED, ALLOWED_A_S = 60, 1.0
REFUSED, KNOWN = 1.0, 0.1
MOST_SENDERS = 4_096
SECOND_US = 1_000_000


class Allowances:
    """So much at once and so much a second, for each key; a key not seen for long has all of it again. Safe to use from threads."""

    def __init__(
        self, at_once: float, a_second: float, clock: Callable[[], int], most_keys: int = MOST_SENDERS
    ) -> None:
        self._at_once, self._a_second, self._clock = at_once, a_second, clock
        self._most_keys = most_keys
        self._left: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()
        self._tell: Tell = to_nobody

    def shared(self, exchange: Exchange, name: str) -> Allowances:
        """These, as what all processes of the gateway allow together."""
        self._tell = exchange.topic(f"paid {name}", self._paid_elsewhere)
        return self

    def wait_s(self, key: str, cost: float = 1.0) -> float:
        """Seconds until cost can be paid; 0 when it can be now."""
        with self._lock:
            return max(0.0, (cost - self._now(key)[0]) / self._a_second)

    def pay(self, key: str, cost: float = 1.0) -> bool:
        """Take cost off; whether there was enough. Who has too little keeps what he has."""
        with self._lock:
            left, now = self._now(key)
            enough = left >= cost
            self._keep(key, left - cost if enough else left, now)
        if enough:
            self._tell(key, cost)
        return enough

    def _paid_elsewhere(self, key: str, cost: float, ago_s: float) -> None:
        """Take off what is not earned back yet. Nobody owes more than he may ever have: that would be longer than anybody waits."""
        with self._lock:
            left, now = self._now(key)
            owed = max(0.0, cost - ago_s * self._a_second)
            if owed:
                self._keep(key, max(left - owed, -self._at_once), now)

    def _keep(self, key: str, left: float, now: int) -> None:
        self._left[key] = (left, now)
        self._left.move_to_end(key)
        if len(self._left) > self._most_keys:
            self._left.popitem(last=False)

    def _now(self, key: str) -> tuple[float, int]:
        now = self._clock()
        left, since = self._left.get(key, (self._at_once, now))
        return min(self._at_once, left + max(0, now - since) / SECOND_US * self._a_second), now


class Strangers:
    """The use case of receiving from whoever it may be; one a process, with those of the others on the other side of the exchange."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        security: MessageSecurity,
        receiver: Receiver,
        exchange: Exchange,
        *,
        clock: Callable[[], int] = ids.now_us,
    ) -> None:
        self._store = store
        self._directory = directory
        self._security = security
        self._receiver = receiver
        self._clock = clock
        self._senders = Allowances(ALLOWED, ALLOWED_A_S, clock).shared(exchange, "senders")
        self._notes = Allowances(NOTES, NOTES_A_S, clock).shared(exchange, "notes")

    def wait_s(self, agreement_id: str, sender: str) -> float:
        """Seconds for which this sender is not listened to; 0 when he may bring something."""
        return self._senders.wait_s(f"{agreement_id} {sender}")

    def receive(self, incoming: Incoming, sender: str) -> Received:
        """Take a delivery that its signature proves. Raises what the signature's check raises; then nothing of it is kept."""
        agreement = self._directory.agreements[incoming.agreement_id]
        payer = f"{agreement.id} {sender}"
        try:
            content = self._security.verify(incoming.data, agreement)
        except Rejected as refusal:
            self._senders.pay(payer, REFUSED)
            self._note(agreement, incoming, sender, refusal)
            raise
        reference = f"content:sha256:{hashlib.sha256(content).hexdigest()}"
        received = self._receiver.receive(replace(incoming, reference=reference))
        if received.doubled:
            self._senders.pay(payer, KNOWN)
        return received

    def _note(self, agreement: Agreement, incoming: Incoming, sender: str, refusal: Rejected) -> None:
        codes = [finding.code for finding in refusal.findings[:20]] or [refusal.code]
        LOG.warning("agreement %s: turned away %s: %s", agreement.id, sender, codes[0])
        if not self._notes.pay(agreement.id):
            return
        now = self._clock()
        found = next((finding.found for finding in refusal.findings if finding.found), None) or ""
        event = timeline.entry(
            EventType.REPLY_REFUSED,
            now,
            root_id=ids.new_id(now),
            tenant=self._directory.operator,
            actor=agreement.partner.id,
            agreement=agreement.id,
            code=refusal.code,
            findings=codes,
            found=found[:200],
            digest=f"sha256:{hashlib.sha256(incoming.data).hexdigest()}",
            size=len(incoming.data),
            sender=sender,
        )
        self._store.write(lambda writing: writing.append_event(event))
