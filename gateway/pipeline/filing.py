"""What may be filed against a declaration as it stands, and which round and phase that opens.

A return or a rejection ends a round; a corrected declaration opens the next. A two-step summary is followed, once, by the complete
declaration under the same number. What is cancelled is over: a new declaration follows it. ``closed`` is not the end:
amendments after it are everyday business.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.errors import Conflict, Finding, NotFound
from gateway.lifecycle import REQUEST_PHASES, Phase, Status
from gateway.pipeline import places, standings
from gateway.ports import DocumentRow, Json, MessageRow, Reading, StandingRow

ONE_AT_A_TIME = {
    Phase.AMENDMENT: "no other amendment under way",
    Phase.CANCELLATION: "no other cancellation under way",
}
RESTING = frozenset({Status.PARKED, Status.EXPIRED})


@dataclass(frozen=True, slots=True)
class Footing:
    """Where a document stands among what is stored: its round and phase, and the declaration it belongs to.

    messages: those of the declaration, newest first; open_round: whether accepting it opens a new round.
    """

    root_id: str
    round: int
    phase: Phase
    opens_round: bool
    declaration: DocumentRow | None = None
    messages: tuple[MessageRow, ...] = ()


def footing(reading: Reading, kind: str, document: Json, tenant: str, root_id: str, document_id: str) -> Footing:
    """Raises NotFound when the declaration is not this tenant's, Conflict when its lifecycle forbids the filing."""
    if not root_id:
        if kind in REQUEST_PHASES:
            raise NotFound("a request needs the declaration it speaks of", code="declaration.unknown")
        return Footing(document_id, 1, places.phase_of(kind, document, after_summary=False), opens_round=True)
    standing = reading.standing(root_id)
    documents = reading.documents_of(root_id)
    if standing is None or standing.tenant != tenant or not documents:
        raise NotFound(f"there is no declaration {root_id}", code="declaration.unknown")
    messages = tuple(sorted(reading.messages_of(root_id), key=lambda message: message.id, reverse=True))
    declared = [row for row in documents if row.kind == places.DECLARATION]
    latest = max(declared, key=lambda row: (row.round, row.id)) if declared else None
    phase = places.phase_of(kind, document, after_summary=standing.phase == Phase.SUMMARY)
    if kind in REQUEST_PHASES:
        _may_request(reading, kind, standing, documents, messages)
        return Footing(root_id, standing.round, phase, False, latest, messages)
    _may_declare_again(standing, phase, documents, messages)
    return Footing(root_id, standing.round + 1, phase, True, latest, messages)


def _may_request(
    reading: Reading, kind: str, standing: StandingRow, documents: list[DocumentRow], messages: tuple[MessageRow, ...]
) -> None:
    phase = REQUEST_PHASES[kind]
    if standings.is_cancelled(standing):
        raise _conflict("declaration.cancelled", standing, "a declaration that is not cancelled")
    if standings.ends_round(standing):
        raise _conflict("declaration.round_ended", standing, "a declaration that was not returned; declare it again")
    if phase is Phase.PRESENTATION and standings.is_over(standing):
        raise _conflict("declaration.closed", standing, "a declaration that is not closed")
    # Customs answers a request by the number of the declaration: of two under way nobody could say which one an answer is for.
    if phase in ONE_AT_A_TIME and any(_is_pending(reading, row, messages) for row in documents if row.kind == kind):
        raise _conflict("request.pending", standing, ONE_AT_A_TIME[phase])


def _is_pending(reading: Reading, request: DocumentRow, messages: tuple[MessageRow, ...]) -> bool:
    """Whether its answer may still come. A granted cancellation stays one until the declaration is cancelled."""
    standing = reading.standing(request.id)
    settled = {"refused"} if request.phase == Phase.CANCELLATION else {"refused", "granted"}
    if standing is None or standing.states.get(standings.REQUEST) in settled:
        return False
    return any(one.status not in RESTING for one in messages if one.document_id == request.id)


def _may_declare_again(
    standing: StandingRow, phase: Phase, documents: list[DocumentRow], messages: tuple[MessageRow, ...]
) -> None:
    if standings.is_cancelled(standing):
        raise _conflict("declaration.cancelled", standing, "a new declaration of its own")
    if standings.ends_round(standing):
        return
    if standing.phase == Phase.SUMMARY and phase is Phase.FULL and not standings.is_over(standing):
        return
    # Where the partner's front refused every message of the round, customs never saw it and will send no return.
    current = {row.id for row in documents if row.round == standing.round and row.kind == places.DECLARATION}
    mine = [message.status for message in messages if message.document_id in current]
    if mine and all(status in RESTING for status in mine):
        return
    if standings.is_over(standing):
        raise _conflict("declaration.finished", standing, "an amendment, or a cancellation and a new declaration")
    raise _conflict("declaration.round_open", standing, "a declaration that was returned, or a two-step summary")


def _conflict(code: str, standing: StandingRow, expected: str) -> Conflict:
    state = ", ".join(f"{track}: {name}" for track, name in standing.states.items())
    finding = Finding(code, found=f"round {standing.round}, {state}", expected=expected)
    return Conflict(f"the lifecycle forbids it: {finding.found}", [finding], code=code)
