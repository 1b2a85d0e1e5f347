"""What a matched answer changes: stored document, judgement, learned ids, the message's own status, and the standing.

A receipt says that the partner's front has the message; an answer that speaks of the business implies as much. An answer that
asks for another document first is neither: the same bytes go again once that is there. The same answer told twice, under
whatever reference, is one answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway import ids
from gateway.agreements import Agreement
from gateway.events import EventType
from gateway.lifecycle import MOVES, Rest, Status
from gateway.pipeline import attempts, places, standings, timeline
from gateway.pipeline.correlate import Match
from gateway.pipeline.outcomes import send_again_later
from gateway.pipeline.submission import JSON, canonical_bytes
from gateway.ports import Alias, DocumentRow, Event, InboundRow, JudgementRow, MessageRow, Reply, Writing


@dataclass(frozen=True, slots=True)
class Applied:
    """The id of the stored answer, and the ids that its message did not bear before."""

    document_id: str
    learned: tuple[Alias, ...] = ()


def apply(
    writing: Writing,
    agreement: Agreement,
    row: InboundRow | None,
    reply: Reply,
    match: Match,
    now: int,
) -> Applied:
    """Store one answer and everything it changes, in the unit at hand. row None: by hand."""
    message = match.message
    digest = writing.put_payload(canonical_bytes(reply.document), JSON)
    known = _told_before(match, digest)
    if known is not None and row is not None and row.document_id:
        # A part of this very delivery was applied when it was read before, and this may be it.
        return Applied(known)
    if known is not None:
        if row is not None:
            writing.append_event(
                timeline.about(message, EventType.REPLY_DOUBLED, now, actor=row.partner, reference=row.reference)
            )
        # A refusal or a wish may come twice in the same words about two sendings of the same bytes.
        _move_message(writing, agreement, message, reply, now)
        return Applied(known)
    response = DocumentRow(
        id=ids.new_id(now),
        root_id=message.root_id,
        kind=places.RESPONSE,
        tenant=message.tenant,
        round=match.round,
        phase=match.phase,
        digest=digest,
        created_us=now,
        reference=reply.partner_message_id,
    )
    judgement = JudgementRow(
        document_id=response.id,
        root_id=message.root_id,
        message_id=message.id,
        round=match.round,
        phase=match.phase,
        function=reply.function,
        raw_code=reply.raw_code,
        issued_us=reply.issued_us,
    )
    match.case.tells(response, judgement)
    writing.add_document(response)
    writing.add_judgement(judgement)
    if row is not None:
        writing.append_event(_reply_event(message, response, row, reply, match, now))
    news = _learn(writing, agreement, match, reply)
    _move_message(writing, agreement, message, reply, now)
    _move_standing(writing, agreement, match, response, now)
    return Applied(response.id, news)


def _told_before(match: Match, digest: str) -> str | None:
    told = {row.document_id for row in match.case.judgements if row.message_id == match.message.id}
    return next((row.id for row in match.case.documents if row.digest == digest and row.id in told), None)


def _reply_event(
    message: MessageRow, response: DocumentRow, row: InboundRow, reply: Reply, match: Match, now: int
) -> Event:
    return timeline.entry(
        EventType.REPLY_RECEIVED,
        now,
        root_id=message.root_id,
        tenant=message.tenant,
        document_id=response.id,
        message_id=message.id,
        actor=row.partner,
        raw_code=reply.raw_code,
        raw_text=reply.raw_text,
        function=reply.function,
        reference=row.reference,
        round=match.round,
        issued=ids.to_text(reply.issued_us),
        inbound_id=row.id,
    )


def _learn(writing: Writing, agreement: Agreement, match: Match, reply: Reply) -> tuple[Alias, ...]:
    """Ids of a request are its own. Ids of a declaration belong to every round of it, as customs keeps its number.

    Those that are news: most answers repeat what the first one told.
    """
    if not reply.learned:
        return ()
    message = match.message
    bearers = [message.id]
    if match.phase not in standings.PHASES_OF_REQUESTS:
        declared = {row.id for row in match.case.documents if row.kind == places.DECLARATION}
        bearers += [
            other.id
            for other in match.case.messages
            if other.id != message.id and other.agreement == agreement.id and other.document_id in declared
        ]
    known = writing.aliases_by_message(message.root_id)
    news: list[Alias] = []
    for bearer in bearers:
        mine = known.get(bearer, {})
        fresh = [alias for alias in reply.learned if mine.get(alias.scheme) != alias.value]
        if fresh:
            writing.add_aliases(message.root_id, bearer, agreement.id, message.tenant, fresh)
            news += fresh
    return tuple(dict.fromkeys(news))


def _move_message(writing: Writing, agreement: Agreement, message: MessageRow, reply: Reply, now: int) -> None:
    if reply.prerequisite:
        _wait(writing, agreement, message, reply, now)
    elif reply.receipt is False:
        _refused(writing, message, reply, now)
    else:
        _receipted(writing, message, reply, now)


def _receipted(writing: Writing, message: MessageRow, reply: Reply, now: int) -> None:
    if message.status is Status.SIGNED and message.attempts:
        # We took it for not arrived; its answer proves that it did, so it must not be sent again.
        message = writing.advance(message, "started", now_us=now)
    if "receipted" not in MOVES[message.status]:
        return
    writing.cancel_work(message.id)
    message = writing.advance(
        message, "receipted", now_us=now, receipt_due_us=None, waiting_for="", reason="", rest=Rest.NONE
    )
    writing.append_event(
        timeline.about(message, EventType.MESSAGE_DELIVERED, now, raw_code=reply.raw_code, raw_text=reply.raw_text)
    )


def _refused(writing: Writing, message: MessageRow, reply: Reply, now: int) -> None:
    if message.status is Status.SIGNED and message.attempts:
        message = writing.advance(message, "started", now_us=now)
    if "refused" not in MOVES[message.status]:
        return
    reason = f"{attempts.REFUSED}: {reply.raw_code} {reply.raw_text}"[: attempts.LONGEST_REASON]
    writing.cancel_work(message.id)
    message = writing.advance(message, "refused", now_us=now, receipt_due_us=None, reason=reason, rest=Rest.REFUSED)
    writing.append_event(
        timeline.about(message, EventType.MESSAGE_REFUSED, now, raw_code=reply.raw_code, raw_text=reply.raw_text)
    )


def _wait(writing: Writing, agreement: Agreement, message: MessageRow, reply: Reply, now: int) -> None:
    """It goes again later. A message that was delivered is kept by the partner, which goes on by itself."""
    if message.status not in (Status.SENDING, Status.SENT, Status.UNKNOWN):
        return
    if message.status is Status.UNKNOWN:
        message = writing.advance(message, "located", now_us=now)
    writing.update_message(message.id, now, waiting_for=reply.prerequisite)
    waiting = writing.message(message.id)
    if waiting is not None and waiting.status is Status.SENT:
        send_again_later(writing, agreement, waiting, now)


def _move_standing(writing: Writing, agreement: Agreement, match: Match, response: DocumentRow, now: int) -> None:
    case = match.case
    if match.phase in standings.PHASES_OF_REQUESTS:
        mine = {row.id for row in case.messages if row.document_id == match.document.id}
        functions = [row.function for row in case.judgements if row.message_id in mine]
        standings.recompute_request(writing, match.document, functions, now, agreement.silence_s)
    standings.recompute(writing, case, now, agreement.silence_s, cause=response.id)
