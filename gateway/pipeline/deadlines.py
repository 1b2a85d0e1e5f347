"""Legal deadlines that a declaration has set off, told on its timeline before they pass.

Which standing sets off which deadline, what starts it, and how it is counted, by which clock, calendar and law, is dated data of
gateway.documents (specs/deadlines, and an operator's overlay before it); here it is held against the lifecycle. A deadline is told
once a round, NOTICE before it ends; where the law's start event is not known to us, nothing is told rather than something
wrong. A pass looks at what is open; what is over costs it nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import orjson

from gateway import ids
from gateway.agreements import Directory
from gateway.documents.deadlines import Deadline, Due, Runs
from gateway.documents.deadlines_data import BROKEN
from gateway.errors import Finding, NeedsOperator, NotFound
from gateway.events import EventType
from gateway.lifecycle import FUNCTIONS, STATES, Phase, Track
from gateway.pipeline import places, standings, timeline
from gateway.ports import Reading, StandingRow, Store, Writing

NOTICE = timedelta(days=3)
_PAGE = 500


class CountsDeadlines(Protocol):
    """gateway.documents, as far as this needs it."""

    @property
    def deadlines(self) -> Mapping[str, Deadline]: ...
    def due(self, name: str, start: datetime, on: date | None = None) -> Due: ...
    def has_place(self, kind: str, pointer: str) -> bool: ...


def watched(counts: CountsDeadlines) -> tuple[tuple[Deadline, Runs], ...]:
    """The deadlines that a standing sets off. NeedsOperator names every track, state, phase, answer and place there is not."""
    running = tuple((one, one.runs) for one in counts.deadlines.values() if one.runs is not None)
    findings = [
        Finding(BROKEN, found=fault, partner_place=f"deadlines/{deadline.name}")
        for deadline, runs in running
        for fault in _faults(runs, counts)
    ]
    if findings:
        raise NeedsOperator(f"{len(findings)} faults in the deadlines", findings, code="specs.broken")
    return running


def _faults(runs: Runs, counts: CountsDeadlines) -> Iterator[str]:
    tracks = {str(track) for track in Track}
    if runs.track not in tracks:
        yield f"there is no track {runs.track}, only {', '.join(sorted(tracks))}"
    else:
        known = {name for track, name in STATES if track == runs.track}
        yield from (f"track {runs.track} has no state {name}" for name in runs.states if name not in known)
    phases = {str(phase) for phase in Phase}
    yield from (f"there is no phase {name}" for name in runs.phases if name not in phases)
    if runs.answer and runs.answer not in FUNCTIONS:
        yield f"no answer is called {runs.answer}"
    for kind, pointer in runs.places.items():
        if not counts.has_place(kind, pointer):
            yield f"{kind} has no place {pointer}"


def started(reading: Reading, standing: StandingRow, deadline: Deadline, runs: Runs) -> datetime | None:
    """When the deadline began to run, or None where nobody has told us."""
    if runs.answer:
        told = [
            row.issued_us
            for row in reading.judgements_of(standing.root_id)
            if row.function == runs.answer and row.round == standing.round
        ]
        return datetime.fromtimestamp(min(told) / 1_000_000, UTC) if told else None
    found: datetime | None = None
    for row in reading.documents_of(standing.root_id):
        pointer = runs.places.get(row.kind)
        if pointer is not None:
            found = _moment(places.text_at(orjson.loads(reading.payload(row.digest)), pointer), deadline) or found
    return found


def _moment(text: str, deadline: Deadline) -> datetime | None:
    """A day or an instant; a day begins by the clock of the deadline."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=deadline.zone)


class DeadlineWatch:
    """Looks through the open standings for those that set off a deadline; called about once an hour."""

    def __init__(
        self, store: Store, directory: Directory, counts: CountsDeadlines, clock: Callable[[], int] = ids.now_us
    ) -> None:
        self._store = store
        self._directory = directory
        self._counts = counts
        self._watched = watched(counts)
        self._clock = clock

    def run_once(self) -> int:
        """How many deadlines were told to be near."""
        return sum(
            self._tell(deadline, runs, standing.root_id)
            for page in self._pages()
            for standing in page
            for deadline, runs in self._watched
            if _runs(runs, standing)
        )

    def _pages(self) -> Iterable[list[StandingRow]]:
        after_root_id = ""
        while self._watched:
            with self._store.read() as reading:
                page = reading.open_standings(after_root_id, _PAGE)
            if not page:
                return
            yield page
            after_root_id = page[-1].root_id

    def _tell(self, deadline: Deadline, runs: Runs, root_id: str) -> bool:
        with self._store.read() as reading:
            standing = reading.standing(root_id)
            if standing is None or _was_told(reading, deadline.name, standing):
                return False
            if not self._concerns(reading, deadline, root_id):
                return False
            start = started(reading, standing, deadline, runs)
        if start is None:
            return False
        try:
            due = self._counts.due(deadline.name, start)
        except NotFound:
            return False
        due_us = ids.from_datetime(due.at)
        if due_us - self._clock() > NOTICE / timedelta(microseconds=1):
            return False
        return self._store.write(lambda writing: self._say(writing, runs, root_id, due, due_us))

    def _concerns(self, reading: Reading, deadline: Deadline, root_id: str) -> bool:
        """Whether customs of the deadline's jurisdiction have the declaration."""
        partners = {message.partner for message in reading.messages_of(root_id)} & self._directory.partners.keys()
        return any(self._directory.partners[name].jurisdiction == deadline.jurisdiction for name in partners)

    def _say(self, writing: Writing, runs: Runs, root_id: str, due: Due, due_us: int) -> bool:
        now, standing = self._clock(), writing.standing(root_id)
        if standing is None or not _runs(runs, standing) or _was_told(writing, due.name, standing):
            return False
        writing.append_event(
            timeline.entry(
                EventType.DOCUMENT_DEADLINE_NEAR,
                now,
                root_id=root_id,
                tenant=standing.tenant,
                document_id=root_id,
                deadline=due.name,
                round=standing.round,
                due=due.at.isoformat(),
                missed=due_us < now,
                basis=due.basis.en,
                basis_zh=due.basis.zh,
                title_en=due.title.en,
                title_zh=due.title.zh,
                certain=due.certain,
                **(standings.hint(standing) if runs.track == Track.DUTY else {}),
            )
        )
        return True


def _runs(runs: Runs, standing: StandingRow) -> bool:
    return (
        not standing.final
        and standing.states.get(runs.track) in runs.states
        and (not runs.phases or standing.phase in runs.phases)
    )


def _was_told(reading: Reading, deadline: str, standing: StandingRow) -> bool:
    return any(
        event.type is EventType.DOCUMENT_DEADLINE_NEAR
        and (event.data.get("deadline"), event.data.get("round")) == (deadline, standing.round)
        for event in reading.events_of(standing.root_id)
    )
