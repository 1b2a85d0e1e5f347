"""Whose move it is, seen together with the messages: what only the way of a message can tell as long as nobody has judged it.

A standing that no answer has moved names the gateway. Meanwhile its message may lie at the partner's client, be parked, wait for
another document, or stand in its lane behind one that needs a person. All that is worked out when somebody looks; nothing is
written for it, so the lanes pay nothing.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.lifecycle import REQUEST_PHASES, Mover, Status, mover_until_judged
from gateway.pipeline.places import DECLARATION
from gateway.ports import MessageRow, Reading, StandingRow

NOT_YET_SENT = frozenset({Status.ACCEPTED, Status.SIGNED})
# Of several messages of one document the one that needs somebody most speaks; one that was given up, where no other is left.
_FIRST = (Mover.OPERATOR, Mover.DECLARANT, Mover.GATEWAY, Mover.PARTNER)


def seen(reading: Reading, standing: StandingRow) -> StandingRow:
    """The standing as people shall see it."""
    return replace(standing, mover=whose_move(reading, standing))


def whose_move(reading: Reading, standing: StandingRow) -> Mover:
    """Who moves next. What an answer has moved says it itself; else the messages of the document do."""
    said = Mover(standing.mover)
    if said is not Mover.GATEWAY:
        return said
    carriers = _carriers(reading, standing)
    going = [message for message in carriers if message.status is not Status.EXPIRED]
    movers = {_by_message(reading, message) for message in going or carriers}
    return next((mover for mover in _FIRST if mover in movers), said)


def waits_behind(reading: Reading, message: MessageRow) -> MessageRow | None:
    """The message in doubt, or parked, before which this one is not sent; None where it waits behind none."""
    return reading.stuck_before(message.id) if message.status in NOT_YET_SENT else None


def _by_message(reading: Reading, message: MessageRow) -> Mover:
    speaks = waits_behind(reading, message) or message
    return mover_until_judged(speaks.status, speaks.rest, waits=bool(speaks.waiting_for))


def _carriers(reading: Reading, standing: StandingRow) -> list[MessageRow]:
    """The messages of the request, or of the declaration as it was declared last."""
    document = reading.document(standing.root_id)
    if document is None:
        return []
    if document.kind not in REQUEST_PHASES:
        declared = [row for row in reading.documents_of(document.id) if row.kind == DECLARATION]
        document = max(declared, key=lambda row: (row.round, row.id), default=document)
    return [row for row in reading.messages_of(document.root_id) if row.document_id == document.id]
