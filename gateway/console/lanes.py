"""Lanes and deliveries: the queue of each agreement with who paused it and why, and what partners brought that fits nothing yet."""

from __future__ import annotations

from typing import Any

import flask

from gateway.api import reading, views
from gateway.api.parts import here
from gateway.console import showing
from gateway.console.overview import notice
from gateway.console.rendering import lang, render, visitor, word
from gateway.console.safety import page
from gateway.pipeline.reading import Subject, View
from gateway.pipeline.telling import duration
from gateway.ports import InboundRow

PAGE = 50
LAST = 5  # entries of a lane's timeline


def add(pages: flask.Blueprint) -> None:
    pages.add_url_rule("/lanes", "lanes", _lanes)
    pages.add_url_rule("/deliveries", "deliveries", _deliveries)
    pages.add_url_rule("/deliveries/<delivery_id>", "delivery", _delivery)


@page(role="operator")
def _lanes() -> str:
    with reading.open_for(visitor()) as view:
        lanes = _lanes_of(view)
    return render("lanes.html", lanes=lanes, **notice(flask.request.args.get("done", "")))


def _lanes_of(view: View) -> list[dict[str, Any]]:
    """Every agreement of the partners file with its lane, its partner's breaker and its own last entries."""
    agreements, now_us = here().directory.agreements, here().clock()
    rows, breakers = view.lanes(), view.breakers(here().directory.partners)
    lanes = []
    for name, agreement in sorted(agreements.items()):
        row = rows.get(name)
        breaker = breakers[agreement.partner.id]
        oldest = row.oldest_due_us if row and row.oldest_due_us is not None else now_us
        told = view.timeline(name)[-LAST:]
        lanes.append(
            {
                **views.lane(agreement, row),
                "partner_name": agreement.partner.name,
                "late": duration((now_us - oldest) / 1_000_000, lang()) if oldest < now_us else "",
                "rests_until": breaker.rest_until_us,
                "failures": breaker.failures,
                "events": [
                    views.event(event, Subject(agreement=name), here().telling, lang()) for event in reversed(told)
                ],
            }
        )
    return lanes


@page(role="operator")
def _deliveries() -> str:
    asked = flask.request.args.get("cursor", "")
    with reading.open_for(visitor()) as view:
        kept, cursor = view.kept(limit=PAGE, cursor=asked)
    return render("deliveries.html", deliveries=[_shown(row) for row in kept], cursor=cursor)


@page(role="operator")
def _delivery(delivery_id: str) -> str:
    with reading.open_for(visitor()) as view:
        row = view.delivery(delivery_id)
        told = [event for event in view.timeline(row.root_id or row.id) if event.data.get("inbound_id") == row.id]
        subject = Subject(agreement=row.agreement)
        return render(
            "delivery.html",
            delivery=_shown(row),
            events=[views.event(event, subject, here().telling, lang()) for event in told],
            content=showing.readable(view.payload(row.digest)) if row.digest else ("", False),
            **notice(flask.request.args.get("done", "")),
        )


def _shown(row: InboundRow) -> dict[str, Any]:
    return {**views.delivery(row), "status_title": word(f"inbound_{row.status.value}")}
