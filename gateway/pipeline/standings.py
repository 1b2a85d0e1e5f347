"""From stored replies to the standing row of a declaration or of a request, by the lifecycle's own tables.

A declaration's standing is keyed by its root id. A request (amendment, cancellation, presentation) has a standing of its own,
keyed by its document id, whose one track is called ``request``; its answers move the declaration only where they say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway import lifecycle
from gateway.events import EventType
from gateway.lifecycle import (
    DAY_S,
    ENTERED_BY_HAND,
    FUNCTIONS,
    HOUR_S,
    REQUEST_PHASES,
    STATES,
    Judgement,
    Mover,
    Phase,
    Track,
)
from gateway.pipeline import movers, timeline
from gateway.pipeline.case import Case
from gateway.ports import DocumentRow, JudgementRow, StandingRow, Writing

REQUEST = "request"
PHASES_OF_REQUESTS = frozenset(REQUEST_PHASES.values())
# An answer to a request moves the declaration itself only with one of these words, or on another track than the declaration's.
MOVES_THE_DECLARATION = frozenset({"amended", "cancelled"})
REQUEST_SILENCE_S = {"filed": HOUR_S, "stashed": DAY_S, "submitted": HOUR_S, "registered": 2 * DAY_S}
REQUEST_MOVERS = {
    "filed": Mover.GATEWAY,
    "stashed": Mover.CARD_HOLDER,
    "refused": Mover.DECLARANT,
    "granted": Mover.NOBODY,
}


def opening(
    root_id: str, tenant: str, number: int, phase: Phase, now_us: int, silence_s: Mapping[str, int]
) -> StandingRow:
    """The standing of a round that was just opened by our own filing."""
    first = lifecycle.project((), round=number, phase=phase)
    return _row(root_id, tenant, first, now_us, now_us, silence_s)


def opening_request(document: DocumentRow, now_us: int, silence_s: Mapping[str, int]) -> StandingRow:
    """The standing of a request that was just filed."""
    return _request_row(document, "filed", now_us, now_us, silence_s)


def declaration_judgements(rows: Iterable[JudgementRow]) -> list[Judgement]:
    """Those stored replies that speak of the declaration itself."""
    return [
        Judgement(row.round, Phase(row.phase), row.function, row.issued_us, row.raw_code)
        for row in rows
        if row.phase not in PHASES_OF_REQUESTS or _moves_the_declaration(row.function)
    ]


def _moves_the_declaration(function: str) -> bool:
    target = FUNCTIONS.get(function)
    return function in MOVES_THE_DECLARATION or (target is not None and target[0] is not Track.DECLARATION)


def ended_us(rows: Iterable[JudgementRow], number: int) -> int | None:
    """When, by the partner's clock, the rounds before this one were ended; None where no reply ended one."""
    ends = [
        judgement.issued_us
        for judgement in declaration_judgements(rows)
        if judgement.round < number
        and (target := FUNCTIONS.get(judgement.function)) is not None
        and STATES[target].ends_round
    ]
    return max(ends, default=None)


def ends_round(standing: StandingRow) -> bool:
    """Whether the current round is over: returned, rejected, failed or cancelled."""
    return _declaration_state(standing).ends_round


def is_cancelled(standing: StandingRow) -> bool:
    return _declaration_state(standing).name == "cancelled"


def is_over(standing: StandingRow) -> bool:
    """Whether customs is done with the declaration: closed or cancelled, though duty may still be owed."""
    return _declaration_state(standing).final


def to_enter(standing: StandingRow) -> str:
    """The answer that a person has to enter by hand before the standing moves on, "" where there is none."""
    if standing.mover != Mover.DECLARANT or ends_round(standing):
        return ""
    waiting = (word for (track, name), word in ENTERED_BY_HAND.items() if standing.states.get(track) == name)
    return next(waiting, "")


def hint(standing: StandingRow) -> dict[str, str]:
    """The same as a fact of an alarm: what ends it."""
    word = to_enter(standing)
    return {"enter": word} if word else {}


def _declaration_state(standing: StandingRow) -> lifecycle.State:
    return STATES[(Track.DECLARATION, standing.states.get(Track.DECLARATION, "filed"))]


def recompute(unit: Writing, case: Case, now_us: int, silence_s: Mapping[str, int], cause: str = "") -> None:
    """Bring the declaration's standing up to date with all stored replies and say what changed. cause: a document id."""
    before = case.standing()
    if before is None:
        return
    judgements = declaration_judgements(case.judgements)
    told = lifecycle.project(judgements, round=before.round, phase=Phase(before.phase))
    after = _row(case.root_id, before.tenant, told, before.round_opened_us, now_us, silence_s)
    _store(unit, before, after, now_us, case.root_id, cause)


def recompute_request(
    unit: Writing, document: DocumentRow, functions: Iterable[str], now_us: int, silence_s: Mapping[str, int]
) -> None:
    """Bring a request's standing up to date with the answers to it."""
    before = unit.standing(document.id)
    if before is None:
        return
    after = _request_row(document, lifecycle.project_request(functions), before.round_opened_us, now_us, silence_s)
    _store(unit, before, after, now_us, document.root_id, document.id)


def _store(unit: Writing, before: StandingRow, after: StandingRow, now_us: int, root_id: str, cause: str) -> None:
    if _awaits_the_same(before, after):
        # Something was heard, but not the move that is awaited: who is late stays late.
        after = replace(after, silence_due_us=before.silence_due_us, alarm_us=before.alarm_us)
    changed = {
        track: [before.states.get(track, ""), state]
        for track, state in after.states.items()
        if before.states.get(track) != state
    }
    unit.put_standing(after, before)
    if changed:
        unit.append_event(
            timeline.entry(
                EventType.DOCUMENT_STATE_CHANGED,
                now_us,
                root_id=root_id,
                tenant=after.tenant,
                document_id=cause,
                changed=changed,
                round=after.round,
                phase=after.phase,
                mover=movers.whose_move(unit, after),
            )
        )


def _awaits_the_same(before: StandingRow, after: StandingRow) -> bool:
    return (before.round, before.phase, before.mover, dict(before.states)) == (
        after.round,
        after.phase,
        after.mover,
        dict(after.states),
    )


def _row(
    root_id: str,
    tenant: str,
    told: lifecycle.Standing,
    opened_us: int,
    now_us: int,
    silence_s: Mapping[str, int],
) -> StandingRow:
    limit = told.silent_after_s
    for track, name in told.states.items():
        state = STATES[(track, name)]
        if name in silence_s and (state.mover, state.silent_after_s) == (told.mover, told.silent_after_s):
            limit = silence_s[name]
    return StandingRow(
        root_id=root_id,
        tenant=tenant,
        round=told.round,
        phase=told.phase,
        states={str(track): name for track, name in told.states.items()},
        mover=told.mover,
        silence_due_us=None if limit is None else now_us + limit * 1_000_000,
        final=told.final,
        round_opened_us=opened_us,
        updated_us=now_us,
        alarm_us=None if limit is None else now_us + limit * 1_000_000,
    )


def _request_row(
    document: DocumentRow, state: str, opened_us: int, now_us: int, silence_s: Mapping[str, int]
) -> StandingRow:
    limit = silence_s.get(state, REQUEST_SILENCE_S.get(state))
    return StandingRow(
        root_id=document.id,
        tenant=document.tenant,
        round=document.round,
        phase=document.phase,
        states={REQUEST: state},
        mover=REQUEST_MOVERS.get(state, Mover.CUSTOMS),
        silence_due_us=None if limit is None else now_us + limit * 1_000_000,
        final=state in ("granted", "refused"),
        round_opened_us=opened_us,
        updated_us=now_us,
        alarm_us=None if limit is None else now_us + limit * 1_000_000,
    )


def alarmed(row: StandingRow, next_alarm_us: int) -> StandingRow:
    """The same standing with its alarm moved on: silence is said once, then again only when next_alarm_us passes."""
    return replace(row, alarm_us=next_alarm_us)
