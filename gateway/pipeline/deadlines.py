"""Legal deadlines that a declaration has set off, told on its timeline before they pass.

Which standing sets off which deadline is the table WATCHED; how it is counted, by which calendar and law, is dated data of
gateway.documents. A deadline is told once a round, NOTICE before it ends; where the law's start event is not known to us,
nothing is told rather than something wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import orjson

from gateway import ids
from gateway.agreements import Directory
from gateway.documents.deadlines import Due
from gateway.errors import NotFound
from gateway.events import EventType
from gateway.lifecycle import Phase, Track
from gateway.pipeline import places, timeline
from gateway.pipeline.submit import PORT_ZONE
from gateway.ports import Found, Reading, StandingRow, Store, Writing

NOTICE = timedelta(days=3)
_PAGE = 200
ENTRY_IN_DECLARATION = "/goods_shipment/entry_date_time"
ENTRY_IN_RESPONSE = "/declaration/entry_exit_date_time"


class CountsDeadlines(Protocol):
    """gateway.documents, as far as this needs it."""

    def due(self, name: str, start: datetime, on: date | None = None) -> Due: ...


@dataclass(frozen=True, slots=True)
class Watched:
    """A deadline runs while a track is in one of these states, in these phases (None: any), from what start gives."""

    name: str
    track: Track
    states: tuple[str, ...]
    phases: frozenset[str] | None
    start: Callable[[Reading, StandingRow], datetime | None]


def duty_notice(reading: Reading, standing: StandingRow) -> datetime | None:
    """When customs issued the notice of duty."""
    told = [
        row.issued_us
        for row in reading.judgements_of(standing.root_id)
        if row.function == "payment_required" and row.round == standing.round
    ]
    return datetime.fromtimestamp(min(told) / 1_000_000, UTC) if told else None


def entry_of_conveyance(reading: Reading, standing: StandingRow) -> datetime | None:
    """The day the conveyance entered: as customs answered it last, else as the declaration says."""
    found: datetime | None = None
    for row in reading.documents_of(standing.root_id):
        pointer = {places.DECLARATION: ENTRY_IN_DECLARATION, places.RESPONSE: ENTRY_IN_RESPONSE}.get(row.kind)
        if pointer is not None:
            found = _moment(places.text_at(orjson.loads(reading.payload(row.digest)), pointer)) or found
    return found


def _moment(text: str) -> datetime | None:
    """A day or an instant; a day begins in the zone of the ports."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=PORT_ZONE)


WATCHED = (
    Watched("cn.duty.payment", Track.DUTY, ("due",), None, duty_notice),
    Watched(
        "cn.two_step.complete",
        Track.RELEASE,
        ("conditional", "secured", "released", "cleared"),
        frozenset({Phase.SUMMARY}),
        entry_of_conveyance,
    ),
)


class DeadlineWatch:
    """Looks through the standings that set off a deadline; called about once an hour."""

    def __init__(
        self, store: Store, directory: Directory, counts: CountsDeadlines, clock: Callable[[], int] = ids.now_us
    ) -> None:
        self._store = store
        self._directory = directory
        self._counts = counts
        self._clock = clock

    def run_once(self) -> int:
        """How many deadlines were told to be near."""
        return sum(
            self._tell(watched, root_id) for watched in WATCHED for root_id in dict.fromkeys(self._running(watched))
        )

    def _running(self, watched: Watched) -> Iterator[str]:
        for state in watched.states:
            before_id = ""
            while page := self._page(state, before_id):
                yield from (found.message.root_id for found in page if self._concerns(watched, found))
                before_id = page[-1].message.id

    def _page(self, state: str, before_id: str) -> list[Found]:
        with self._store.read() as reading:
            return reading.search(tenant=None, state=state, before_id=before_id, limit=_PAGE)

    def _concerns(self, watched: Watched, found: Found) -> bool:
        partner = self._directory.partners.get(found.message.partner)
        return partner is not None and partner.jurisdiction == "CN" and _runs(watched, found.standing)

    def _tell(self, watched: Watched, root_id: str) -> bool:
        with self._store.read() as reading:
            standing = reading.standing(root_id)
            start = watched.start(reading, standing) if standing is not None else None
        if standing is None or start is None:
            return False
        try:
            due = self._counts.due(watched.name, start)
        except NotFound:
            return False
        due_us = ids.from_datetime(due.at)
        if due_us - self._clock() > NOTICE / timedelta(microseconds=1):
            return False
        return self._store.write(lambda writing: self._say(writing, watched, root_id, due, due_us))

    def _say(self, writing: Writing, watched: Watched, root_id: str, due: Due, due_us: int) -> bool:
        now, standing = self._clock(), writing.standing(root_id)
        if standing is None or not _runs(watched, standing) or _was_told(writing, watched, standing):
            return False
        writing.append_event(
            timeline.entry(
                EventType.DOCUMENT_DEADLINE_NEAR,
                now,
                root_id=root_id,
                tenant=standing.tenant,
                document_id=root_id,
                deadline=watched.name,
                round=standing.round,
                due=due.at.isoformat(),
                missed=due_us < now,
                basis=due.basis.en,
                certain=due.certain,
            )
        )
        return True


def _runs(watched: Watched, standing: StandingRow | None) -> bool:
    return (
        standing is not None
        and standing.states.get(watched.track) in watched.states
        and (watched.phases is None or standing.phase in watched.phases)
    )


def _was_told(reading: Reading, watched: Watched, standing: StandingRow) -> bool:
    return any(
        event.type is EventType.DOCUMENT_DEADLINE_NEAR
        and (event.data.get("deadline"), event.data.get("round")) == (watched.name, standing.round)
        for event in reading.events_of(standing.root_id)
    )
