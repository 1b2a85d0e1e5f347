"""Which message an answer speaks of, and of which round.

An answer names several ids, most telling first. An id that one message alone carries names that message, and with it the round.
An id that several messages of one declaration share (its number at customs, a container) names the declaration; then the
answer's own words and its time of issue decide. An id that leads to several declarations decides nothing by itself: it
only narrows the choice for the next id. What stays ambiguous stays unmatched; nobody guesses.

Time of issue against rounds: a partner's clock stands in the answer, ours in round_opened_us. An answer belongs to the current
round when something of that round has been sent at all, when the partner issued it no earlier than whatever ended the round
before (its own clock on both sides), and no earlier than ROUND_TOLERANCE_US before we opened the current one. The tolerance
covers answers whose time is cut to whole seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.lifecycle import Phase
from gateway.pipeline import standings
from gateway.pipeline.case import Case
from gateway.ports import Alias, DocumentRow, MessageRow, Reading, Reply

ROUND_TOLERANCE_US = 2_000_000
# Words that only make sense as the answer to a request, and the requests they can answer.
ANSWERS_REQUEST: dict[str, frozenset[Phase]] = {
    "request_granted": standings.PHASES_OF_REQUESTS,
    "request_refused": standings.PHASES_OF_REQUESTS,
    "amended": frozenset({Phase.AMENDMENT}),
    "cancelled": frozenset({Phase.CANCELLATION}),
}


@dataclass(frozen=True, slots=True)
class Match:
    """The message an answer was matched to, the document that message carries, and the round and phase it speaks of."""

    case: Case
    message: MessageRow
    document: DocumentRow
    round: int
    phase: str

    @classmethod
    def of(cls, case: Case, message: MessageRow, document: DocumentRow) -> Match:
        return cls(case, message, document, document.round, document.phase)


def correlate(reading: Reading, agreement_id: str, reply: Reply) -> Match | None:
    """The match, or None where nothing fits or more than one declaration does."""
    candidates = _candidates(reading, agreement_id, reply.aliases)
    if not candidates:
        return None
    case = Case(reading, candidates[0].root_id)
    with_documents = [
        (message, document) for message in candidates if (document := case.document(message.document_id)) is not None
    ]
    if len(with_documents) == 1:
        match = Match.of(case, *with_documents[0])
    else:
        match = _by_words_and_time(case, with_documents, reply)
    return _open_request(match, reply) or match


def _open_request(match: Match, reply: Reply) -> Match | None:
    """The request under way that such words answer, where the answer names the declaration's number alone."""
    wanted = ANSWERS_REQUEST.get(reply.function, frozenset())
    if not wanted or match.phase in standings.PHASES_OF_REQUESTS:
        return None
    case = match.case
    for message in reversed(case.messages):
        document = case.document(message.document_id)
        if document is None or document.phase not in wanted or message.agreement != match.message.agreement:
            continue
        standing = case.standing(document.id)
        if message.attempts and standing is not None and not standing.final:
            return Match.of(case, message, document)
    return None


def _candidates(reading: Reading, agreement_id: str, aliases: Sequence[Alias]) -> list[MessageRow]:
    """Messages of the one declaration that the ids lead to, newest first."""
    narrowed: set[str] | None = None
    for alias in aliases:
        found = reading.find_messages(agreement_id, alias)
        if narrowed is not None:
            found = [message for message in found if message.root_id in narrowed]
        roots = {message.root_id for message in found}
        if len(roots) == 1:
            return found
        if roots:
            narrowed = roots
    return []


def _by_words_and_time(case: Case, candidates: list[tuple[MessageRow, DocumentRow]], reply: Reply) -> Match:
    wanted = ANSWERS_REQUEST.get(reply.function, frozenset())
    for message, document in candidates:
        if document.phase in wanted:
            return Match.of(case, message, document)
    declared = [pair for pair in candidates if pair[1].phase not in standings.PHASES_OF_REQUESTS]
    # Nobody can answer what was never sent.
    declared = [pair for pair in declared if pair[0].attempts] or declared
    if not declared:
        return Match.of(case, *candidates[0])
    number = _round_by_time(case, reply.issued_us)
    # The newest message of that round, else of the nearest round before it, else whatever there is.
    ranked = sorted(declared, key=lambda pair: (pair[1].round <= number, pair[1].round, pair[0].id), reverse=True)
    return Match.of(case, *ranked[0])


def _round_by_time(case: Case, issued_us: int) -> int:
    standing = case.standing()
    if standing is None or standing.round == 1:
        return 1
    ended_us = standings.ended_us(case.judgements, standing.round)
    is_current = issued_us >= standing.round_opened_us - ROUND_TOLERANCE_US and (
        ended_us is None or issued_us >= ended_us
    )
    return standing.round if is_current else standing.round - 1
