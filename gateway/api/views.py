"""What callers see of stored rows: the JSON shapes that the contract names, with titles in the reader's language.

Pure: rows in, dictionaries out. Members that say nothing are left out. Instants become RFC 3339 text.
"""

from __future__ import annotations

import base64
from typing import Any

from gateway.events import TITLES
from gateway.ids import to_text
from gateway.lifecycle import REQUEST_PHASES, STATES, Mover, Phase, Status
from gateway.pipeline.reading import Request
from gateway.ports import DocumentRow, Encoded, Event, Found, MessageRow, StandingRow

Json = dict[str, Any]

STATUS_TITLES: dict[Status, tuple[str, str]] = {
    Status.ACCEPTED: ("stored by the gateway", "网关已入库"),
    Status.SIGNED: ("ready to be sent", "待发送"),
    Status.SENDING: ("being sent", "发送中"),
    Status.SENT: ("handed over, no receipt yet", "已交付，待回执"),
    Status.DELIVERED: ("delivered", "已送达"),
    Status.UNKNOWN: ("may or may not have arrived", "是否送达不明"),
    Status.PARKED: ("waiting for a person", "待人工处理"),
    Status.EXPIRED: ("given up", "已放弃"),
}
MOVER_TITLES: dict[Mover, tuple[str, str]] = {
    Mover.GATEWAY: ("the gateway", "网关"),
    Mover.CARD_HOLDER: ("the card holder, who must declare the draft", "持卡人（须提交暂存单）"),
    Mover.DECLARANT: ("the declarant", "申报人"),
    Mover.CUSTOMS: ("customs", "海关"),
    Mover.NOBODY: ("nobody", "无"),
}
REQUEST_TITLES: dict[str, tuple[str, str]] = {
    "filed": ("filed with the gateway", "已提交网关"),
    "stashed": ("draft kept by the single window", "已暂存"),
    "submitted": ("sent to customs", "已提交海关"),
    "registered": ("stored by customs", "海关入库"),
    "refused": ("refused", "未通过"),
    "granted": ("granted", "已通过"),
}
_STATE_TITLES = {(str(track), name): (state.en, state.zh) for (track, name), state in STATES.items()}
# Where a request of each kind is found below its declaration.
_PLACES = {Phase.AMENDMENT: "amendments", Phase.CANCELLATION: "cancellation", Phase.PRESENTATION: "presentation"}
REQUEST_PLACES = {kind: _PLACES[phase] for kind, phase in REQUEST_PHASES.items()}


def said(words: tuple[str, str], lang: str) -> str:
    """The words in a language: (en, zh)."""
    return words[1] if lang == "zh" else words[0]


def set_only(**members: Any) -> Json:
    """Those members that say something."""
    return {name: value for name, value in members.items() if value is not None and value != ""}


def declaration_links(root_id: str) -> Json:
    here = f"/v1/declarations/{root_id}"
    return {"self": here, **{place: f"{here}/{place}" for place in REQUEST_PLACES.values()}}


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
    due = row.silence_due_us
    return set_only(
        round=row.round,
        phase=row.phase,
        states=[
            {"track": track, "state": name, "title": _state_title(track, name, lang)}
            for track, name in row.states.items()
        ],
        mover=row.mover,
        mover_title=said(MOVER_TITLES[Mover(row.mover)], lang),
        silence_due_at=None if due is None else to_text(due),
        overdue=due is not None and due < now_us,
        final=row.final,
        round_opened_at=to_text(row.round_opened_us),
        updated_at=to_text(row.updated_us),
    )


def _state_title(track: str, name: str, lang: str) -> str:
    words = _STATE_TITLES.get((track, name), (name, name))
    return said(words, lang)


def message(row: MessageRow, lang: str) -> Json:
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
        reason=row.reason,
        receipt_due_at=None if row.receipt_due_us is None else to_text(row.receipt_due_us),
        encoded_digest=row.encoded_digest,
        frozen_digest=row.frozen_digest,
        created_at=to_text(row.created_us),
        updated_at=to_text(row.updated_us),
        links=message_links(row.id, row.root_id),
    )


def found(row: Found, lang: str, now_us: int) -> Json:
    return set_only(
        message=message(row.message, lang),
        kind=row.kind,
        reference=row.reference,
        standing=None if row.standing is None else standing(row.standing, lang, now_us),
        links=message_links(row.message.id, row.message.root_id),
    )


def event(row: Event, lang: str) -> Json:
    return set_only(
        id=row.id,
        type=row.type,
        title=said(TITLES[row.type], lang),
        at=to_text(row.at_us),
        actor=row.actor,
        message_id=row.message_id,
        document_id=row.document_id,
        raw_code=row.raw_code,
        raw_text=row.raw_text,
        data=dict(row.data) or None,
        position=row.position,
    )


def round_of(row: DocumentRow) -> Json:
    return {"document_id": row.id, "round": row.round, "phase": row.phase, "created_at": to_text(row.created_us)}


def request(asked: Request, lang: str) -> Json:
    """An amendment, cancellation or presentation with what became of it."""
    row, state = asked.document, asked.state
    place = request_place(row.kind, row.root_id, row.id)
    return {
        "id": row.id,
        "declaration_id": row.root_id,
        "kind": row.kind,
        "state": state,
        "state_title": said(REQUEST_TITLES.get(state, (state, state)), lang),
        "replies": [
            set_only(
                document_id=reply.document_id,
                function=reply.function,
                raw_code=reply.raw_code or "-",
                issued_at=to_text(reply.issued_us),
            )
            for reply in asked.replies
        ],
        "message_ids": [each.id for each in asked.messages],
        "created_at": to_text(row.created_us),
        "links": {"self": place, "declaration": f"/v1/declarations/{row.root_id}"},
    }


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
