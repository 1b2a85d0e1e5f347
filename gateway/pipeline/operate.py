"""What a person on duty may do: redrive, park, give up, stop waiting, pause a lane, enter an answer. Each with a name and a reason.

A redriven message keeps its id and its frozen bytes. Where its last outcome is unknown the partner is asked first; where the
partner refused it, or the person says so, it is sent whatever the partner's folders hold.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway import ids
from gateway.agreements import Directory
from gateway.errors import Conflict, Finding, IllegalMove, NotFound, RuleBroken
from gateway.events import EventType
from gateway.lifecycle import ENTERED_BY_HAND, FUNCTIONS, MOVES, Status, Track
from gateway.pipeline import timeline
from gateway.pipeline.outcomes import enqueue, park
from gateway.pipeline.receive import Received, Receiver
from gateway.ports import InboundRow, MessageRow, Store, Writing

# The steps of lifecycle.MOVES that a person may take, and what the act is called.
ACTS = {
    "stuck": ("park", "停放（park）"),
    "redriven": ("redrive", "重新投递（redrive）"),
    "not_there": ("redrive", "重新投递（redrive）"),
    "gave_up": ("expire", "放弃（expire）"),
}


class Operator:
    """The acts of people. NotFound for a message that is not there, Conflict where its status does not allow the act."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        receiver: Receiver,
        *,
        clock: Callable[[], int] = ids.now_us,
    ) -> None:
        self._store = store
        self._directory = directory
        self._receiver = receiver
        self._clock = clock

    def redrive(self, message_id: str, *, actor: str, reason: str) -> MessageRow:
        """Send a parked message, or one whose outcome is unknown, on its way again."""
        said = reason_of(reason)

        def unit(writing: Writing) -> MessageRow:
            message, now = self._message(writing, message_id), self._clock()
            step = "not_there" if message.status is Status.UNKNOWN else "redriven"
            message = _advance(writing, message, step, now)
            enqueue(writing, self._directory.agreements[message.agreement], message, now)
            writing.append_event(timeline.about(message, EventType.MESSAGE_REDRIVEN, now, actor=actor, reason=said))
            return message

        return self._store.write(unit)

    def park(self, message_id: str, *, actor: str, reason: str) -> MessageRow:
        """Take a message out of its lane until somebody redrives it."""
        said = reason_of(reason)

        def unit(writing: Writing) -> MessageRow:
            message, now = self._message(writing, message_id), self._clock()
            try:
                park(writing, message, now, said, actor)
            except IllegalMove:
                raise _not_now(message) from None
            return self._message(writing, message_id)

        return self._store.write(unit)

    def expire(self, message_id: str, *, actor: str, reason: str) -> MessageRow:
        """Give a message up for good."""
        said = reason_of(reason)

        def unit(writing: Writing) -> MessageRow:
            message, now = self._message(writing, message_id), self._clock()
            message = _advance(writing, message, "gave_up", now, reason=said, waiting_for="", receipt_due_us=None)
            writing.cancel_work(message.id)
            writing.append_event(timeline.about(message, EventType.MESSAGE_EXPIRED, now, actor=actor, reason=said))
            return message

        return self._store.write(unit)

    def stop_waiting(self, message_id: str, *, actor: str, reason: str) -> MessageRow:
        """Send a waiting message now: somebody knows that what it waits for is there, though nobody told the gateway."""
        said = reason_of(reason)

        def unit(writing: Writing) -> MessageRow:
            message, now = self._message(writing, message_id), self._clock()
            if not message.waiting_for:
                finding = Finding("message.not_waiting", found=str(message.status), expected="a message that waits")
                raise Conflict("this message waits for nothing", [finding], code=finding.code)
            writing.update_message(message.id, now, waiting_for="")
            writing.wake(message.id, now)
            writing.append_event(
                timeline.about(message, EventType.MESSAGE_PREREQUISITE_MET, now, actor=actor, reason=said)
            )
            return self._message(writing, message_id)

        return self._store.write(unit)

    def pause_lane(self, agreement_id: str, *, actor: str, reason: str) -> None:
        """Send nothing more of this agreement; what is accepted waits. A lane has a timeline of its own, by the agreement's id."""
        self._set_lane(agreement_id, actor, reason_of(reason), paused=True)

    def resume_lane(self, agreement_id: str, *, actor: str, reason: str) -> None:
        self._set_lane(agreement_id, actor, reason_of(reason), paused=False)

    def _set_lane(self, agreement_id: str, actor: str, reason: str, *, paused: bool) -> None:
        if agreement_id not in self._directory.agreements:
            finding = Finding("agreement.unknown", found=agreement_id)
            raise NotFound(f"there is no agreement {agreement_id}", [finding], code=finding.code)
        kind = EventType.LANE_PAUSED if paused else EventType.LANE_RESUMED

        def unit(writing: Writing) -> None:
            writing.pause_lane(agreement_id, paused)
            writing.append_event(
                timeline.entry(
                    kind,
                    self._clock(),
                    root_id=agreement_id,
                    tenant=self._directory.operator,
                    actor=actor,
                    agreement=agreement_id,
                    reason=reason,
                )
            )

        self._store.write(unit)

    def answer_by_hand(self, message_id: str, function: str, *, actor: str, reason: str, evidence: str = "") -> str:
        """Enter what a partner said outside of the wire; the id of the stored answer. evidence: the paper that shows it."""
        return self._receiver.answer_by_hand(message_id, function, reason_of(reason), actor, evidence.strip())

    def duty_paid(self, root_id: str, *, actor: str, reason: str, evidence: str) -> str:
        """Enter that the duty of a declaration is paid, from customs' own receipt: bank papers explain, they do not prove it.

        Conflict where no duty is asked for; it answers the message to which customs said last what is to be paid.
        """
        with self._store.read() as reading:
            standing = reading.standing(root_id)
            state = standing.states.get(Track.DUTY, "") if standing else ""
            charged = [
                row.message_id
                for row in reading.judgements_of(root_id)
                if standing and row.round == standing.round and FUNCTIONS.get(row.function) in ENTERED_BY_HAND
            ]
        if (Track.DUTY, state) not in ENTERED_BY_HAND or not charged:
            finding = Finding("declaration.no_duty", found=state or "no duty", expected="duty that is assessed or due")
            raise Conflict("no duty is asked for", [finding], code=finding.code)
        return self.answer_by_hand(charged[-1], "duty_paid", actor=actor, reason=reason, evidence=evidence)

    def read_again(self, inbound_id: str, *, actor: str, reason: str) -> Received:
        """Read a refused or unmatched delivery again. The act stands on the timeline of what it speaks of, else on its own."""
        said = reason_of(reason)

        def noted(writing: Writing, row: InboundRow) -> None:
            message = writing.message(row.message_id) if row.message_id else None
            writing.append_event(
                timeline.entry(
                    EventType.READ_AGAIN,
                    self._clock(),
                    root_id=row.root_id or row.id,
                    tenant=message.tenant if message else self._directory.operator,
                    message_id=row.message_id,
                    actor=actor,
                    inbound_id=row.id,
                    agreement=row.agreement,
                    reason=said,
                )
            )

        return self._receiver.read_again(inbound_id, noted)

    def _message(self, writing: Writing, message_id: str) -> MessageRow:
        message = writing.message(message_id)
        if message is None:
            finding = Finding("message.unknown", found=message_id)
            raise NotFound("there is no such message", [finding], code=finding.code)
        return message


def _advance(writing: Writing, message: MessageRow, step: str, now: int, **changes: object) -> MessageRow:
    try:
        return writing.advance(message, step, now_us=now, **changes)
    except IllegalMove:
        raise _not_now(message) from None


def _not_now(message: MessageRow) -> Conflict:
    """The refusal of an act, with what a person may do with a message of this status instead."""
    may = [words for step, words in ACTS.items() if step in MOVES[message.status]]
    finding = Finding(
        "message.status",
        found=str(message.status),
        expected=", ".join(en for en, _ in may) or "no act",
        params={"may_en": ", ".join(en for en, _ in may), "may_zh": "、".join(zh for _, zh in may)},
    )
    return Conflict("its status does not allow that", [finding], code=finding.code)


def reason_of(text: str) -> str:
    """An act without a reason explains nothing to the next shift."""
    said = text.strip()
    if not said:
        finding = Finding("operator.reason", found="", expected="a reason that the next shift understands")
        raise RuleBroken("a reason is needed", [finding], code=finding.code)
    return said[:1000]
