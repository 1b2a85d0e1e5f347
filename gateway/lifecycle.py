"""The two lives of what we carry, as tables: a message on the wire, and a document in the eyes of those who judge it.

Rule 1: a message changes status only through advance(); a document only through replies, by project().
Rule 2: this module knows no partner, no database and no clock.
Rule 3: SENDING is committed before the first byte leaves; who finds it stale knows nothing, so it becomes UNKNOWN.
Rule 4: replies come late, doubled and out of order. Within one round and track the highest rank wins, and of equal ranks
        the one issued last; an earlier round never speaks for a later one.
Rule 5: silence is an event: every state names who moves next and for how long that may take.
docs/generated/lifecycle.md is made from these tables (make docs).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import IllegalMove


class Status(StrEnum):
    ACCEPTED = "accepted"  # checked, encoded, stored: the caller has our 202
    SIGNED = "signed"  # the bytes are frozen from here on
    SENDING = "sending"  # an attempt is on the wire
    SENT = "sent"  # handed over, no receipt yet
    DELIVERED = "delivered"  # the partner's receipt is stored
    UNKNOWN = "unknown"  # it may or may not have arrived
    PARKED = "parked"  # waiting for a person
    EXPIRED = "expired"  # given up; the reason is stored


class Rest(StrEnum):
    """What sending a message again depends on, beside its status; its reason is for people and decides nothing."""

    NONE = ""
    REFUSED = "refused"  # the partner has seen these bytes and does not want them
    ASKED_AGAIN = "asked_again"  # the partner has seen these bytes and wants them once more
    RECEIPT_OVERDUE = "receipt_overdue"  # it was handed over; that it is not found later proves nothing
    NOT_FOUND = "not_found"  # the same, and it was asked for in vain
    NOBODY_TELLS = "nobody_tells"  # it was asked for in vain: the partner cannot say whether it has these bytes


# The partner was asked, or asked itself, for bytes that it has seen before: that it has them says nothing.
AFRESH = frozenset({Rest.REFUSED, Rest.ASKED_AGAIN})
# It was at the partner once, so that its absence there proves nothing.
WAS_THERE = frozenset({Rest.RECEIPT_OVERDUE, Rest.NOT_FOUND})
ASKED_IN_VAIN = frozenset({Rest.NOT_FOUND, Rest.NOBODY_TELLS})

S = Status
MOVES: dict[Status, dict[str, Status]] = {
    S.ACCEPTED: {"signed": S.SIGNED, "stuck": S.PARKED, "gave_up": S.EXPIRED},
    S.SIGNED: {"started": S.SENDING, "stuck": S.PARKED, "gave_up": S.EXPIRED},
    # A receipt may overtake our own note that the bytes were handed over.
    S.SENDING: {
        "handed_over": S.SENT,
        "not_reached": S.SIGNED,
        "lost_sight": S.UNKNOWN,
        "receipted": S.DELIVERED,
        "refused": S.PARKED,
        "stuck": S.PARKED,
    },
    # The partner may have it and still wait for another document: the same bytes go again then.
    S.SENT: {
        "receipted": S.DELIVERED,
        "refused": S.PARKED,
        "overdue": S.UNKNOWN,
        "asked_again": S.SIGNED,
    },
    S.UNKNOWN: {
        "receipted": S.DELIVERED,
        "located": S.SENT,
        "not_there": S.SIGNED,
        "refused": S.PARKED,
        "stuck": S.PARKED,
        "gave_up": S.EXPIRED,
    },
    S.PARKED: {"redriven": S.SIGNED, "receipted": S.DELIVERED, "gave_up": S.EXPIRED},
    S.DELIVERED: {},
    S.EXPIRED: {},
}


def advance(status: Status, step: str) -> Status:
    """The status after step. IllegalMove names both and what was allowed."""
    try:
        return MOVES[status][step]
    except KeyError:
        allowed = ", ".join(MOVES[status]) or "nothing, this is final"
        raise IllegalMove(f"{step!r} cannot follow {status}; allowed: {allowed}") from None


class InboundStatus(StrEnum):
    """What became of bytes that a partner gave us."""

    MATCHED = "matched"  # it speaks of a message of ours and was applied
    UNMATCHED = "unmatched"  # readable, but fits nothing yet: kept and tried again
    STORED = "stored"  # a document of its own, asked for by nobody
    REFUSED = "refused"  # unreadable or not to be trusted; the bytes are kept


class Track(StrEnum):
    DECLARATION = "declaration"
    INSPECTION = "inspection"
    DUTY = "duty"
    RELEASE = "release"


class Phase(StrEnum):
    SINGLE = "single"  # one declaration, one step
    SUMMARY = "summary"  # two-step filing, first step
    FULL = "full"  # two-step filing, complete declaration
    AMENDMENT = "amendment"
    CANCELLATION = "cancellation"
    PRESENTATION = "presentation"


# The phase that a request opens, by the kind of its document; every other kind is a declaration or a paper of its own.
REQUEST_PHASES: dict[str, Phase] = {
    "declaration_amendment": Phase.AMENDMENT,
    "declaration_cancellation": Phase.CANCELLATION,
    "goods_presentation": Phase.PRESENTATION,
}


class Mover(StrEnum):
    """Whose move it is."""

    GATEWAY = "gateway"  # it has yet to send, or is finding out
    PARTNER = "partner"  # the partner's front or client has the message and has not answered
    OPERATOR = "operator"  # a person on duty at the gateway
    CARD_HOLDER = "card_holder"  # the person who declares a draft in the single window
    DECLARANT = "declarant"
    CUSTOMS = "customs"
    NOBODY = "nobody"


HOUR_S = 3_600
DAY_S = 24 * HOUR_S


@dataclass(frozen=True, slots=True)
class State:
    """One state of one track. silent_after_s: how long it may last before silence is an event; None where it may last."""

    track: Track
    name: str
    rank: int
    mover: Mover
    silent_after_s: int | None
    en: str
    zh: str
    ends_round: bool = False
    final: bool = False


def _states(*rows: State) -> dict[tuple[Track, str], State]:
    return {(row.track, row.name): row for row in rows}


T, M = Track, Mover
STATES: dict[tuple[Track, str], State] = _states(
    State(T.DECLARATION, "filed", 0, M.GATEWAY, HOUR_S, "filed with the gateway", "已提交网关"),
    State(T.DECLARATION, "stashed", 10, M.CARD_HOLDER, DAY_S, "draft kept by the single window", "已暂存"),
    State(T.DECLARATION, "waiting", 12, M.DECLARANT, DAY_S, "waiting for another document", "等待前置单证"),
    State(T.DECLARATION, "submitted", 20, M.CUSTOMS, HOUR_S, "declared to customs", "已申报"),
    State(T.DECLARATION, "registered", 30, M.CUSTOMS, 8 * HOUR_S, "stored by customs", "海关入库"),
    State(T.DECLARATION, "accepted", 40, M.CUSTOMS, 2 * DAY_S, "accepted", "审结"),
    State(T.DECLARATION, "documents_required", 42, M.DECLARANT, DAY_S, "customs asks for documents", "要求补充单证"),
    State(T.DECLARATION, "suspended", 44, M.DECLARANT, DAY_S, "suspended by customs", "挂起"),
    State(T.DECLARATION, "amended", 50, M.CUSTOMS, 2 * DAY_S, "amended", "已修改"),
    State(T.DECLARATION, "error", 80, M.DECLARANT, DAY_S, "refused before customs saw it", "申报失败", ends_round=True),
    State(T.DECLARATION, "returned", 85, M.DECLARANT, DAY_S, "returned for correction", "退单", ends_round=True),
    State(T.DECLARATION, "rejected", 86, M.DECLARANT, DAY_S, "rejected", "不予受理", ends_round=True),
    State(T.DECLARATION, "closed", 90, M.NOBODY, None, "closed", "结关", final=True),
    State(T.DECLARATION, "cancelled", 99, M.NOBODY, None, "cancelled", "删单", ends_round=True, final=True),
    State(T.INSPECTION, "documents_received", 5, M.CUSTOMS, 2 * DAY_S, "inspection papers received", "检验检疫已受理"),
    State(T.INSPECTION, "ordered", 10, M.DECLARANT, DAY_S, "inspection ordered", "查验通知"),
    State(T.INSPECTION, "done", 20, M.CUSTOMS, DAY_S, "inspection done", "查验完毕"),
    State(T.INSPECTION, "withdrawn", 30, M.NOBODY, None, "inspection request withdrawn", "检验检疫已撤销", final=True),
    State(T.DUTY, "assessed", 10, M.DECLARANT, 15 * DAY_S, "duty calculated", "税款已计核"),
    State(T.DUTY, "due", 20, M.DECLARANT, 15 * DAY_S, "duty to be paid", "待缴税"),
    State(T.DUTY, "paid", 30, M.NOBODY, None, "duty paid, says customs", "海关确认已缴税", final=True),
    State(T.RELEASE, "admitted", 5, M.CUSTOMS, 2 * DAY_S, "gate entry granted", "准予入场"),
    State(T.RELEASE, "conditional", 10, M.CUSTOMS, 7 * DAY_S, "released conditionally", "附条件放行"),
    State(T.RELEASE, "secured", 15, M.CUSTOMS, 7 * DAY_S, "released against a guarantee", "担保放行"),
    State(T.RELEASE, "released", 20, M.NOBODY, None, "released", "放行"),
    State(T.RELEASE, "cleared", 30, M.NOBODY, None, "cleared: free for use", "放行且可使用"),
    State(T.RELEASE, "exited", 40, M.NOBODY, None, "left the territory", "已实际离境", final=True),
)

# The states of a declaration that customs has stored and not given back: what waits for it need not wait any more.
STORED_BY_CUSTOMS = frozenset(
    state.name
    for state in STATES.values()
    if state.track is T.DECLARATION
    and state.rank >= STATES[(T.DECLARATION, "registered")].rank
    and not state.ends_round
)

# Whose move it is while a document stands at "filed", where nobody but its message can say: it waits to be sent, lies at the
# partner's client, or needs a person.
MOVER_UNTIL_JUDGED: dict[Status, Mover] = {
    S.ACCEPTED: M.GATEWAY,
    S.SIGNED: M.GATEWAY,
    S.SENDING: M.GATEWAY,
    S.SENT: M.PARTNER,
    S.DELIVERED: M.PARTNER,
    S.UNKNOWN: M.GATEWAY,  # it asks, as long as asking may help
    S.PARKED: M.OPERATOR,
    S.EXPIRED: M.DECLARANT,  # given up: whoever still wants it files it anew
}


def mover_until_judged(status: Status, rest: Rest, *, waits: bool) -> Mover:
    """Whose move it is by one message. waits: it is held back for another document, which somebody has to file."""
    if status is Status.UNKNOWN and rest in ASKED_IN_VAIN:
        return Mover.OPERATOR
    if waits and status in (Status.ACCEPTED, Status.SIGNED):
        return Mover.DECLARANT
    return MOVER_UNTIL_JUDGED[status]


# What a partner's answer says (customs_response.function) -> where it moves the document. None: it is kept, moves nothing.
FUNCTIONS: dict[str, tuple[Track, str] | None] = {
    "received": (T.DECLARATION, "stashed"),
    "waiting": (T.DECLARATION, "waiting"),
    "submitted": (T.DECLARATION, "submitted"),
    "registered": (T.DECLARATION, "registered"),
    "accepted": (T.DECLARATION, "accepted"),
    "documents_required": (T.DECLARATION, "documents_required"),
    "suspended": (T.DECLARATION, "suspended"),
    "amended": (T.DECLARATION, "amended"),
    "failed": (T.DECLARATION, "error"),
    "returned": (T.DECLARATION, "returned"),
    "rejected": (T.DECLARATION, "rejected"),
    "closed": (T.DECLARATION, "closed"),
    "cancelled": (T.DECLARATION, "cancelled"),
    "inspection_documents_received": (T.INSPECTION, "documents_received"),
    "under_control": (T.INSPECTION, "ordered"),
    "inspected": (T.INSPECTION, "done"),
    "inspection_withdrawn": (T.INSPECTION, "withdrawn"),
    "duty_calculated": (T.DUTY, "assessed"),
    "payment_required": (T.DUTY, "due"),
    "duty_paid": (T.DUTY, "paid"),
    "admitted": (T.RELEASE, "admitted"),
    "conditionally_released": (T.RELEASE, "conditional"),
    "released_against_guarantee": (T.RELEASE, "secured"),
    "released": (T.RELEASE, "released"),
    "cleared": (T.RELEASE, "cleared"),
    "exited": (T.RELEASE, "exited"),
    # Answers to a request (amendment, cancellation, presentation): the request's own document moves, see REQUESTS.
    "request_granted": None,
    "request_refused": None,
    "guarantee_insufficient": None,
    "information": None,
}

# What no partner's message may ever tell, and a person enters from the paper that shows it: the state that waits for it -> the
# answer to enter. It stands for money, so it is not entered without saying which paper that is.
ENTERED_BY_HAND: dict[tuple[Track, str], str] = {
    (T.DUTY, "assessed"): "duty_paid",
    (T.DUTY, "due"): "duty_paid",
}

# The life of an amendment, a cancellation or a presentation: a track of its own, told by the same replies.
REQUESTS: dict[str, str] = {
    "received": "stashed",
    "submitted": "submitted",
    "registered": "registered",
    "accepted": "granted",
    "amended": "granted",
    "cancelled": "granted",
    "request_granted": "granted",
    "failed": "refused",
    "rejected": "refused",
    "returned": "refused",
    "request_refused": "refused",
}
REQUEST_RANKS = {"filed": 0, "stashed": 10, "submitted": 20, "registered": 30, "refused": 80, "granted": 90}


@dataclass(frozen=True, slots=True)
class Judgement:
    """One reply as the lifecycle sees it. issued_us: the partner's own time of issue, microseconds since the epoch."""

    round: int
    phase: Phase
    function: str
    issued_us: int
    raw_code: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a document stands: per track the state of the current round, and whose move it is now."""

    round: int
    phase: Phase
    states: dict[Track, str]
    mover: Mover
    silent_after_s: int | None
    round_ended: bool
    final: bool


def project(judgements: Iterable[Judgement], *, round: int, phase: Phase) -> Standing:
    """The standing that these replies amount to, in whatever order they are given (rule 4).

    round and phase: the current ones, as opened by our own submissions; a reply of another round is history.
    """
    best: dict[Track, tuple[int, int, State]] = {}
    for judgement in judgements:
        target = FUNCTIONS.get(judgement.function)
        if judgement.round != round or target is None:
            continue
        state = STATES[target]
        key = (state.rank, judgement.issued_us)
        if state.track not in best or key >= best[state.track][:2]:
            best[state.track] = (*key, state)
    states = {track: entry[2] for track, entry in best.items()}
    states.setdefault(Track.DECLARATION, STATES[(Track.DECLARATION, "filed")])
    last_us = {track: entry[1] for track, entry in best.items()}
    charged_later = last_us.get(Track.DUTY, 0) > last_us.get(Track.DECLARATION, 0)
    return _standing(states, round, phase, charged_later=charged_later)


# What is owed although the state as such rests: the complete declaration after a released two-step summary (practice: 14 days),
# and duty, which a release against a guarantee or an early release does not pay.
OWED: tuple[tuple[Phase | None, Track, str, Mover, int], ...] = (
    (Phase.SUMMARY, Track.RELEASE, "released", Mover.DECLARANT, 14 * DAY_S),
    (Phase.SUMMARY, Track.RELEASE, "cleared", Mover.DECLARANT, 14 * DAY_S),
    (None, Track.DUTY, "assessed", Mover.DECLARANT, 15 * DAY_S),
    (None, Track.DUTY, "due", Mover.DECLARANT, 15 * DAY_S),
)


def _owed(states: dict[Track, State], phase: Phase) -> tuple[Mover, int | None] | None:
    for owing, track, name, mover, within_s in OWED:
        if owing in (None, phase) and track in states and states[track].name == name:
            return mover, within_s
    return None


def _acting(states: dict[Track, State], phase: Phase, *, charged_later: bool) -> tuple[Mover, int | None]:
    """Whose move it is, and for how long it may take. charged_later: duty was asked for after the declaration moved last.

    A declaration that is over asks nothing but the duty that customs asked for afterwards, as with collective payment; then what is
    owed speaks, then a release that rests with nobody ends the asking, then the first track that asks something of somebody.
    """
    declaration = states[Track.DECLARATION]
    owed = _owed(states, phase)
    if declaration.ends_round or (declaration.final and not (owed and charged_later)):
        return declaration.mover, declaration.silent_after_s
    if owed is not None:
        return owed
    released = states.get(Track.RELEASE)
    if released is not None and released.mover is Mover.NOBODY:
        return released.mover, released.silent_after_s
    order = (Track.DUTY, Track.INSPECTION, Track.RELEASE)
    asking = [states[track] for track in order if track in states and states[track].silent_after_s is not None]
    acting = asking[0] if asking else declaration
    return acting.mover, acting.silent_after_s


def _standing(states: dict[Track, State], round: int, phase: Phase, *, charged_later: bool) -> Standing:
    declaration = states[Track.DECLARATION]
    mover, silent_after_s = _acting(states, phase, charged_later=charged_later)
    return Standing(
        round=round,
        phase=phase,
        states={track: state.name for track, state in states.items()},
        mover=mover,
        silent_after_s=silent_after_s,
        round_ended=declaration.ends_round,
        final=declaration.final and mover is Mover.NOBODY,
    )


def project_request(functions: Iterable[str]) -> str:
    """The state of a request (amendment, cancellation, presentation) after these answers; the highest rank wins."""
    state = "filed"
    for function in functions:
        told = REQUESTS.get(function, state)
        if REQUEST_RANKS[told] >= REQUEST_RANKS[state]:
            state = told
    return state
