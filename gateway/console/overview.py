"""The overview: what needs a person first, each with why, since when, whose move it is and the one act that puts it right; then how
much is going on.

Rule 1: a thing stands here once, under the first heading that fits: a declaration whose message is parked is not overdue as well.
Rule 2: what belongs to the gateway itself (lanes, deliveries, certificates) is shown to who sees all tenants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import flask

from gateway.api import reading
from gateway.api.parts import here
from gateway.console import acts
from gateway.console.charts import Chart, columns, lines
from gateway.console.rendering import lang, render, visitor, word
from gateway.console.safety import Role, page
from gateway.ids import to_text
from gateway.lifecycle import REQUEST_PHASES, STATES, InboundStatus, Mover, Rest, Status, Track
from gateway.pipeline.places import RESPONSE
from gateway.pipeline.reading import View
from gateway.pipeline.telling import duration
from gateway.pipeline.titles import MOVER_TITLES, SETTLE_TITLES, STATUS_TITLES, said, state_title
from gateway.ports import Found, LaneRow

DO = {"refused": "do_refused_delivery", "unmatched": "do_unmatched"}
MOST = 20  # of each kind; the search shows all
HOURS = 24
HOUR_US = 3_600_000_000
SOON_US = 30 * HOURS * HOUR_US
GIVEN_BACK = tuple(
    state.name for state in STATES.values() if state.track is Track.DECLARATION and state.ends_round and not state.final
)


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that needs somebody. act: the word of its button and where it leads, None where nothing can be done from here."""

    heading: str
    title: str
    url: str
    why: str
    since_us: int | None
    mover: str
    do: str
    act: tuple[str, str] | None = None

    @property
    def since(self) -> str:
        return "" if self.since_us is None else to_text(self.since_us)

    @property
    def silent(self) -> str:
        if self.since_us is None:
            return ""
        return duration(max(here().clock() - self.since_us, 0) / 1_000_000, lang())


def add(pages: flask.Blueprint) -> None:
    pages.add_url_rule("/overview", "overview", _overview)


@page(role="viewer")
def _overview() -> str:
    with reading.open_for(visitor()) as view:
        groups: dict[str, list[Need]] = {}
        for need in _needs(view):
            groups.setdefault(need.heading, []).append(need)
        charts = [_activity(view), _states(view)]
        if visitor().scope is None:
            charts.append(_depths(view))
    return render("overview.html", groups=groups, charts=[chart for chart in charts if chart.rows], now=here().clock())


def _needs(view: View) -> Iterator[Need]:
    seen: set[str] = set()
    for status in (Status.PARKED, Status.UNKNOWN):
        found, _ = view.search(status=status.value, limit=MOST)
        for one in found:
            if one.standing is None or not one.standing.final:
                seen.add(_document(one))
                yield _stuck(one, status.value)
    for state in GIVEN_BACK:
        found, _ = view.declarations("", state, MOST, "")
        for one in found:
            if one.message.root_id not in seen:
                seen.add(one.message.root_id)
                yield _returned(one, state)
    for standing in view.overdue(here().clock(), MOST):
        if standing.root_id not in seen and (newest := view.newest(standing.root_id)):
            yield _overdue(newest, standing.mover, standing.silence_due_us)
    if visitor().scope is None:
        yield from _of_the_gateway(view)


def _document(found: Found) -> str:
    """What its standing stands for: the request itself, else the declaration."""
    return found.message.document_id if found.kind in REQUEST_PHASES else found.message.root_id


def _stuck(found: Found, heading: str) -> Need:
    message = found.message
    why = here().telling.reason(message.reason, lang()) or said(STATUS_TITLES[message.status], lang())
    refused = message.rest is Rest.REFUSED
    if refused and found.kind not in REQUEST_PHASES:
        act, do = _act("declare_again", message.root_id), word("do_refused")
    else:
        act, do = _act("redrive", message.id), said(SETTLE_TITLES[message.status], lang())
    return Need(heading, _title(found), _message_url(found), why, message.updated_us, _mover(Mover.OPERATOR), do, act)


def _returned(found: Found, state: str) -> Need:
    since = found.standing.updated_us if found.standing else None
    why = state_title(Track.DECLARATION.value, state, lang())
    act = _act("declare_again", found.message.root_id)
    return Need(
        "returned", _title(found), _message_url(found), why, since, _mover(Mover.DECLARANT), word("do_returned"), act
    )


def _overdue(found: Found, mover: str, due_us: int | None) -> Need:
    message, standing = found.message, found.standing
    states = [state_title(track, state, lang()) for track, state in (standing.states if standing else {}).items()]
    allowed = acts.of_message(message)
    if message.waiting_for:
        likely, do = "stop_waiting", f"{word('waiting_for')}: {' '.join(message.waiting_for.split())}"
    elif mover == Mover.PARTNER:
        likely, do = "answer", word("do_partner")
    else:
        likely, do = "answer", word("do_overdue")
    act = _act(likely, message.id) if likely in allowed else None
    why = f"{', '.join(states)}; {said(STATUS_TITLES[message.status], lang())}"
    return Need("overdue", _title(found), _message_url(found), why, due_us, _mover(Mover(mover)), do, act)


def _of_the_gateway(view: View) -> Iterator[Need]:
    agreements, now_us = here().directory.agreements, here().clock()
    operator = _mover(Mover.OPERATOR)
    for row in view.lanes().values():
        if row.paused and row.lane in agreements:
            url = flask.url_for("console.lanes", lang=lang(), _anchor=row.lane)
            paused = [event for event in view.timeline(row.lane) if event.type.value.startswith("operator:lane:")]
            why = here().telling.sentence(paused[-1], lang()) if paused else word("lane_paused")
            since = paused[-1].at_us if paused else None
            held = f"{word('held_back')}: {row.waiting}"
            yield Need("lanes", row.lane, url, why, since, operator, held, _act("resume", row.lane))
    for name, breaker in view.breakers(here().directory.partners).items():
        if breaker.rest_until_us is not None:
            url = flask.url_for("console.partners", lang=lang(), _anchor=name)
            until = here().telling.when(breaker.rest_until_us)
            why = f"{word('failures')}: {breaker.failures}"
            yield Need("resting", name, url, why, None, _mover(Mover.GATEWAY), f"{word('rests_until')} {until}")
    kept, _ = view.kept(limit=MOST)
    for delivery in kept:
        heading = "refused" if delivery.status is InboundStatus.REFUSED else "unmatched"
        url = flask.url_for("console.delivery", delivery_id=delivery.id, lang=lang())
        why = here().telling.reason(delivery.reason, lang())
        act = _act("read_again", delivery.id)
        title = delivery.reference or delivery.id
        yield Need(heading, title, url, why, delivery.received_us, operator, word(DO[heading]), act)
    yield from _certificates(now_us)


def _certificates(now_us: int) -> Iterable[Need]:
    """Each certificate that ends soon or has ended, once, with every agreement that counts on it."""
    ending: dict[tuple[str, int], list[str]] = {}
    for agreement in here().directory.agreements.values():
        for name, end_us in here().security.certificates(agreement):
            if end_us < now_us + SOON_US:
                ending.setdefault((name, end_us), []).append(agreement.id)
    for (name, end_us), names in sorted(ending.items(), key=lambda one: one[0][1]):
        why = f"{word('ended' if end_us < now_us else 'ends')} {here().telling.when(end_us)}"
        url = flask.url_for("console.partners", lang=lang(), _anchor=names[0])
        yield Need(
            "certificates",
            name,
            url,
            f"{why} ({', '.join(names)})",
            None,
            _mover(Mover.OPERATOR),
            word("do_certificate"),
        )


def _act(name: str, target: str) -> tuple[str, str] | None:
    """The button of an act, for who may do it."""
    if not visitor().role.covers(Role.OPERATOR):
        return None
    return word(f"act_{name}"), flask.url_for("console.act", name=name, target=target, lang=lang())


def _title(found: Found) -> str:
    kind = here().telling.word("kind", found.kind, lang())
    return f"{kind} {found.reference or found.message.name}"


def _message_url(found: Found) -> str:
    return flask.url_for("console.message", message_id=found.message.id, lang=lang())


def _mover(mover: Mover) -> str:
    return said(MOVER_TITLES[mover], lang())


def _activity(view: View) -> Chart:
    """What was filed and what was answered in each of the last hours."""
    now_hour = here().clock() // HOUR_US
    filed: Counter[int] = Counter()
    answered: Counter[int] = Counter()
    for hour, kind, number in view.hours((now_hour - HOURS + 1) * HOUR_US):
        (answered if kind == RESPONSE else filed)[hour] += number
    zone = here().settings.time_zone
    rows = [
        (datetime.fromtimestamp(hour * 3600, UTC).astimezone(zone).strftime("%H:%M"), (filed[hour], answered[hour]))
        for hour in range(now_hour - HOURS + 1, now_hour + 1)
    ]
    return columns("activity", word("chart_activity"), (word("hour"), word("filings"), word("answers")), rows)


def _states(view: View) -> Chart:
    """Where the declarations that are not over stand, in the order of their life."""
    there = view.open_states()
    order = [state.name for state in STATES.values() if state.track is Track.DECLARATION and state.name in there]
    rows = [(state_title(Track.DECLARATION.value, name, lang()), (there[name],)) for name in order]
    return lines("states", word("chart_states"), (word("where"), word("declarations")), rows)


def _depths(view: View) -> Chart:
    """What waits in each lane and what is on its way."""
    known = view.lanes()
    none = LaneRow("", False, 0, 0, None)
    rows = [
        (name, (lane.waiting, lane.claimed)) for name in here().directory.agreements for lane in [known.get(name, none)]
    ]
    return lines("lanes", word("chart_lanes"), (word("lane"), word("waiting"), word("claimed")), rows)


def notice(done: str) -> dict[str, Any]:
    """What a page says after an act led back to it."""
    return {"done": word(f"act_{done}") if done in acts.ACTS else ""}
