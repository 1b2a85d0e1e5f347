"""What nobody is told about: workers that died, receipts and answers that never came, things waited for that are there now.

Every pass does a bounded amount of work, changes each row in a small write of its own, and is safe beside other workers. What stays
as it is after a look (a message in doubt, one that waits) is passed by, so that it never stands before what came later. Silence is
said once when it is due and again each time it has lasted as long once more. Any failure leaves the rest of the pass to go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from gateway import ids
from gateway.agreements import Directory
from gateway.errors import GatewayError, trace
from gateway.events import EventType
from gateway.lifecycle import Rest, Status
from gateway.pipeline import movers, standings, timeline, waiting
from gateway.pipeline.attempts import RECEIPT_OVERDUE
from gateway.pipeline.outcomes import lose_sight
from gateway.pipeline.questions import Questions
from gateway.ports import MessageRow, StandingRow, Store, Writing

LOG = logging.getLogger(__name__)
SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
IDS_A_PAGE = 1_000
# Who is still seen is told again several times within it (gateway.pipeline.exchange).
SIGHTINGS_H = 24
# Of messages that wait, so many times the limit are looked at in one pass: a look costs two small queries for each thing.
WAITING_FOLD = 10


class Watch(Protocol):
    """Something to look at about once an hour; the kept answers keep their own hours."""

    def run_once(self) -> int: ...


class FindsOut(Protocol):
    """The dispatcher, as far as the sweep needs it."""

    def find_out(self, message_id: str) -> Status | None: ...


@dataclass(slots=True)
class Swept:
    """What one pass did, for logs and tests."""

    lost: int = 0
    found_out: int = 0
    overdue: int = 0
    silent: int = 0
    woken: int = 0
    forgotten: int = 0
    deadlines: int = 0
    kept: int = 0
    sequenced: int = 0


class Sweeper:
    """Looks at everything that waits for time to pass. look() is called about once a second, ask() for each agreement."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        dispatcher: FindsOut,
        *,
        idempotency_h: int = 48,
        limit: int = 200,
        deadlines: Watch | None = None,
        kept: Watch | None = None,
        clock: Callable[[], int] = ids.now_us,
    ) -> None:
        self._store = store
        self._directory = directory
        self._dispatcher = dispatcher
        self._idempotency_h = idempotency_h
        self._limit = limit
        self._clock = clock
        self._questions: dict[str, Questions] = {}
        self._waiting_after = ""
        self._deadlines = deadlines
        self._kept = kept
        self._hour_began = {"forget": 0, "deadlines": 0}

    def run_once(self) -> Swept:
        """Everything, partners being asked included."""
        swept = self.look()
        swept.found_out = sum(self.ask(agreement_id) for agreement_id in self._directory.agreements)
        return swept

    def look(self) -> Swept:
        """Everything that the database alone can tell; no partner is asked, so nobody can make this wait."""
        swept = Swept()
        for name, step in (
            ("lost", self._stale_sending),
            ("overdue", self._overdue_receipts),
            ("silent", self._silent_standings),
            ("woken", self._waiting),
            ("forgotten", self._forget),
            ("deadlines", self._near_deadlines),
            ("kept", self._kept_answers),
            ("sequenced", self.sequence),
        ):
            try:
                setattr(swept, name, step())
            except GatewayError as problem:
                LOG.warning("the sweep stopped at %s: %s", name, problem.code)
            except Exception as problem:  # noqa: BLE001 - what one step stumbles over must not keep the others from their work
                LOG.error("the sweep stopped at %s: %s", name, trace(problem))
        return swept

    def sequence(self) -> int:
        """Give positions to the events committed since the last time."""
        total = 0
        while done := self._store.write(lambda writing: writing.sequence_events(1000)):
            total += done
        return total

    def _stale_sending(self) -> int:
        with self._store.read() as reading:
            stale = reading.stale_sending(self._clock(), self._limit)

        return sum(self._store.write(partial(self._lose, message)) for message in stale)

    def _lose(self, message: MessageRow, writing: Writing) -> bool:
        now = self._clock()
        still = writing.stale_message(message.id, now)
        if still is None:
            return False
        lose_sight(writing, still, now, "the worker that sent it died")
        return True

    def ask(self, agreement_id: str) -> int:
        """Ask one partner about the messages whose outcome is unknown; how many are not unknown any more."""
        questions = self._questions.setdefault(agreement_id, Questions())
        left, found_out = self._limit, 0
        for message_id in self._unknown(agreement_id, questions.after_id):
            if not questions.is_due(message_id, self._clock()):
                continue
            found_out += self._ask(message_id, questions)
            left -= 1
            if not left:
                questions.after_id = message_id
                return found_out
        questions.after_id = ""
        return found_out

    def _unknown(self, agreement_id: str, after_id: str) -> Iterator[str]:
        """Ids of all messages in doubt behind this one, read in pages: no transaction is open while a partner is asked."""
        while True:
            with self._store.read() as reading:
                page = reading.ids_in(Status.UNKNOWN, agreement_id, after_id, IDS_A_PAGE)
            yield from page
            if len(page) < IDS_A_PAGE:
                return
            after_id = page[-1]

    def _ask(self, message_id: str, questions: Questions) -> bool:
        questions.asked(message_id, self._clock())
        if self._dispatcher.find_out(message_id) is Status.UNKNOWN:
            return False
        questions.settled(message_id)
        return True

    def _overdue_receipts(self) -> int:
        with self._store.read() as reading:
            overdue = reading.overdue_receipts(self._clock(), self._limit)
        return sum(self._store.write(partial(self._say_overdue, message)) for message in overdue)

    def _say_overdue(self, message: MessageRow, writing: Writing) -> bool:
        now, current = self._clock(), writing.message(message.id)
        if current is None or current.status is not Status.SENT or current.receipt_due_us is None:
            return False
        # Whoever can be asked is asked next; the others stay in doubt until an answer or a person tells.
        writing.advance(
            current, "overdue", now_us=now, receipt_due_us=None, reason=RECEIPT_OVERDUE, rest=Rest.RECEIPT_OVERDUE
        )
        writing.append_event(
            timeline.about(current, EventType.MESSAGE_SILENT, now, due_us=current.receipt_due_us, name=current.name)
        )
        return True

    def _silent_standings(self) -> int:
        with self._store.read() as reading:
            silent = reading.silent_standings(self._clock(), self._limit)
        for row in silent:
            self._store.write(partial(self._say_silent, row))
        return len(silent)

    def _say_silent(self, row: StandingRow, writing: Writing) -> None:
        now, current = self._clock(), writing.standing(row.root_id)
        if current is None or current.alarm_us is None or current.alarm_us > now:
            return
        lasted = max(current.alarm_us - current.updated_us, HOUR_US)
        writing.put_standing(standings.alarmed(current, now + lasted))
        document = writing.document(row.root_id)
        writing.append_event(
            timeline.entry(
                EventType.DOCUMENT_SILENT,
                now,
                root_id=row.root_id if document is None else document.root_id,
                tenant=row.tenant,
                document_id=row.root_id,
                mover=movers.whose_move(writing, current),
                states=dict(row.states),
                silent_s=(now - current.updated_us) // SECOND_US,
                **standings.hint(current),
            )
        )

    def _waiting(self) -> int:
        most, operator = self._limit * WAITING_FOLD, self._directory.operator
        with self._store.read() as reading:
            page = reading.waiting_messages(self._waiting_after, most)
            settled = waiting.Settled(reading)
            met = [one for one in page if waiting.is_met(settled, one, operator)]
        # The next pass goes on behind these, and from the beginning once it was at the end.
        self._waiting_after = page[-1].id if len(page) == most else ""
        return sum(self._store.write(partial(self._wake, message)) for message in met)

    def _wake(self, message: MessageRow, writing: Writing) -> bool:
        now, current = self._clock(), writing.message(message.id)
        if current is None or not current.waiting_for:
            return False
        writing.update_message(message.id, now, waiting_for="")
        writing.wake(message.id, now)
        writing.append_event(
            timeline.about(message, EventType.MESSAGE_PREREQUISITE_MET, now, waited_for=current.waiting_for)
        )
        return True

    def _forget(self) -> int:
        """Idempotency keys and sightings are forgotten once an hour; a few minutes more or less matter to nobody."""
        now = self._clock()
        if not self._hour_has_passed("forget", now):
            return 0
        before_us = now - self._idempotency_h * HOUR_US
        self._store.write(lambda writing: writing.forget_sightings(now - SIGHTINGS_H * HOUR_US))
        return self._store.write(lambda writing: writing.forget_idempotency(before_us))

    def _near_deadlines(self) -> int:
        if self._deadlines is None or not self._hour_has_passed("deadlines", self._clock()):
            return 0
        return self._deadlines.run_once()

    def _kept_answers(self) -> int:
        return 0 if self._kept is None else self._kept.run_once()

    def _hour_has_passed(self, what: str, now: int) -> bool:
        if now < self._hour_began[what] + HOUR_US:
            return False
        self._hour_began[what] = now
        return True
