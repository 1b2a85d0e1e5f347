"""What callers see of stored rows: the JSON shapes that the contract names, with titles in the reader's language.

Pure: rows in, dictionaries out. Members that say nothing are left out. Instants become RFC 3339 text.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from gateway.agreements import Agreement
from gateway.events import TITLES
from gateway.ids import to_text
from gateway.lifecycle import REQUEST_PHASES, Mover, Phase
from gateway.pipeline.reading import Request, Subject
from gateway.pipeline.standings import REQUEST, to_enter
from gateway.pipeline.telling import Telling
from gateway.pipeline.titles import ENTER_TITLES, MOVER_TITLES, SETTLE_TITLES, STATUS_TITLES, said, state_title
from gateway.ports import DocumentRow, Encoded, Event, Found, InboundRow, LaneRow, MessageRow, StandingRow

Json = dict[str, Any]

# Where a request of each kind is found below its declaration.
_PLACES = {Phase.AMENDMENT: "amendments", Phase.CANCELLATION: "cancellation", Phase.PRESENTATION: "presentation"}
REQUEST_PLACES = {kind: _PLACES[phase] for kind, phase in REQUEST_PHASES.items()}


def set_only(**members: Any) -> Json:
    """Those members that say something."""
    return {name: value for name, value in members.items() if value is not None and value != ""}


def declaration_links(root_id: str) -> Json:
    here = f"/v1/declarations/{root_id}"
    return {
        "self": here,
        "timeline": f"{here}/timeline",
        **{place: f"{here}/{place}" for place in REQUEST_PLACES.values()},
    }


def request_place(kind: str, root_id: str, document_id: str) -> str:
    """Where a request is looked at. Amendments have an address each; of the others the latest counts."""
    place = f"/v1/declarations/{root_id}/{REQUEST_PLACES[kind]}"
    return f"{place}/{document_id}" if REQUEST_PHASES[kind] is Phase.AMENDMENT else place


def message_links(message_id: str, root_id: str) -> Json:
    here = f"/v1/messages/{message_id}"
    return {
        "self": here,
        "timeline": f"{here}/timeline",
        "canonical": f"{here}/content/canonical",
        "partner": f"{here}/content/partner",
        "declaration": f"/v1/declarations/{root_id}",
    }


def standing(row: StandingRow, lang: str, now_us: int) -> Json:
    due, enter = row.silence_due_us, to_enter(row)
    return set_only(
        round=row.round,
        phase=row.phase,
        states=[
            {"track": track, "state": name, "title": state_title(track, name, lang)}
            for track, name in row.states.items()
        ],
        mover=row.mover,
        mover_title=said(MOVER_TITLES[Mover(row.mover)], lang),
        enter=enter,
        action=said(ENTER_TITLES[enter], lang) if enter else "",
        silence_due_at=None if due is None else to_text(due),
        overdue=due is not None and due < now_us,
        final=row.final,
        round_opened_at=to_text(row.round_opened_us),
        updated_at=to_text(row.updated_us),
    )


def message(row: MessageRow, lang: str, behind: MessageRow | None = None) -> Json:
    """behind: the message that must be settled before this one is sent."""
    return set_only(
        id=row.id,
        document_id=row.document_id,
        declaration_id=row.root_id,
        tenant=row.tenant,
        agreement=row.agreement,
        adapter=row.adapter,
        partner=row.partner,
        standard=row.standard,
        version=row.version,
        message=row.message,
        name=row.name,
        media_type=row.media_type,
        status=row.status,
        status_title=said(STATUS_TITLES[row.status], lang),
        attempts=row.attempts,
        waiting_for=row.waiting_for,
        waits_behind=None if behind is None else _settled_first(behind, lang),
        reason=row.reason,
        receipt_due_at=None if row.receipt_due_us is None else to_text(row.receipt_due_us),
        encoded_digest=row.encoded_digest,
        frozen_digest=row.frozen_digest,
        created_at=to_text(row.created_us),
        updated_at=to_text(row.updated_us),
        links=message_links(row.id, row.root_id),
    )


def _settled_first(row: MessageRow, lang: str) -> Json:
    """The message that another waits behind, and what to do about it."""
    return set_only(
        message_id=row.id,
        name=row.name,
        status=row.status,
        status_title=said(STATUS_TITLES[row.status], lang),
        reason=row.reason,
        action=said(SETTLE_TITLES[row.status], lang),
        links=message_links(row.id, row.root_id),
    )


def found(row: Found, lang: str, now_us: int) -> Json:
    return set_only(
        message=message(row.message, lang, row.behind),
        kind=row.kind,
        reference=row.reference,
        standing=None if row.standing is None else standing(row.standing, lang, now_us),
        links=message_links(row.message.id, row.message.root_id),
    )


def timeline(
    root_id: str,
    entries: Iterable[tuple[Event, Subject]],
    current: StandingRow | None,
    telling: Telling,
    lang: str,
    now_us: int,
) -> Json:
    """Where a declaration stands, and how it came there: entries in one order, oldest first."""
    return set_only(
        declaration_id=root_id,
        standing=None if current is None else standing(current, lang, now_us),
        items=[event(row, subject, telling, lang) for row, subject in entries],
    )


def event(row: Event, subject: Subject, telling: Telling, lang: str) -> Json:
    """An entry of the timeline: its facts, and the same in words. subject: what it speaks of."""
    return set_only(
        id=row.id,
        type=row.type,
        title=said(TITLES[row.type], lang),
        text=telling.sentence(row, lang),
        at=to_text(row.at_us),
        actor=row.actor,
        message_id=row.message_id,
        document_id=row.document_id,
        kind=subject.kind,
        agreement=subject.agreement,
        raw_code=row.raw_code,
        raw_text=row.raw_text,
        data=dict(row.data) or None,
        position=row.position,
    )


def round_of(row: DocumentRow) -> Json:
    return {"document_id": row.id, "round": row.round, "phase": row.phase, "created_at": to_text(row.created_us)}


def request(asked: Request, lang: str, now_us: int) -> Json:
    """An amendment, cancellation or presentation with what became of it."""
    row, state = asked.document, asked.state
    place = request_place(row.kind, row.root_id, row.id)
    return set_only(
        id=row.id,
        declaration_id=row.root_id,
        kind=row.kind,
        state=state,
        state_title=state_title(REQUEST, state, lang),
        standing=None if asked.standing is None else standing(asked.standing, lang, now_us),
        replies=[
            set_only(
                document_id=reply.document_id,
                function=reply.function,
                raw_code=reply.raw_code or "-",
                issued_at=to_text(reply.issued_us),
            )
            for reply in asked.replies
        ],
        message_ids=[each.id for each in asked.messages],
        created_at=to_text(row.created_us),
        links={"self": place, "declaration": f"/v1/declarations/{row.root_id}"},
    )


def lane(agreement: Agreement, row: LaneRow | None) -> Json:
    """The lane of an agreement; one that never had work has no row."""
    here = f"/v1/lanes/{agreement.id}"
    return set_only(
        agreement=agreement.id,
        partner=agreement.partner.id,
        paused=row is not None and row.paused,
        waiting=row.waiting if row else 0,
        claimed=row.claimed if row else 0,
        links={"timeline": f"{here}/timeline", "pause": f"{here}/pause", "resume": f"{here}/resume"},
    )


def delivery(row: InboundRow) -> Json:
    """What a partner gave us, and what became of it."""
    here = f"/v1/deliveries/{row.id}"
    return set_only(
        id=row.id,
        agreement=row.agreement,
        partner=row.partner,
        reference=row.reference,
        digest=row.digest,
        status=row.status,
        message_id=row.message_id,
        declaration_id=row.root_id,
        reason=row.reason,
        received_at=to_text(row.received_us),
        links={"self": here, "content": f"{here}/content", "read_again": f"{here}/read-again"},
    )


def content(data: bytes) -> Json:
    """Bytes as text where they are text, else base64."""
    try:
        return {"content": data.decode("utf-8"), "encoding": "utf-8"}
    except UnicodeDecodeError:
        return {"content": base64.b64encode(data).decode("ascii"), "encoding": "base64"}


def rehearsed(agreement: str, adapter: str, encoded: Encoded) -> Json:
    """What dry_run shows of one partner's message."""
    return {
        "agreement": agreement,
        "adapter": adapter,
        "standard": encoded.standard,
        "version": encoded.version,
        "message": encoded.message,
        "name": encoded.name,
        "media_type": encoded.media_type,
        **content(encoded.data),
        "report": encoded.report.as_dict(),
    }
