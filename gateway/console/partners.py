"""Partners and their agreements, from the validated file: how messages go, what is signed, how long anybody may be silent, what may
leave the country.

Rule: secrets never. Of a transport only the settings of PLAIN are shown, of an address only its host; of everything else it is
said that it is set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import flask

from gateway.agreements import Agreement
from gateway.api.parts import here
from gateway.console.overview import SOON_US
from gateway.console.rendering import lang, render, word
from gateway.console.safety import page
from gateway.lifecycle import STATES, Track
from gateway.pipeline.telling import duration
from gateway.pipeline.titles import state_title

# Settings of transports and of signing that tell no secret.
PLAIN = frozenset(
    [
        "root",
        "outbox",
        "inbox",
        "sentbox",
        "failbox",
        "archive",
        "create",
        "settle_s",
        "patience_s",
        "answer_names",
        "largest_bytes",
        "connect_timeout_s",
        "read_timeout_s",
        "id_header",
        "name_header",
        "reply",
        "answer_limit_bytes",
        "status_there",
        "status_absent",
        "inbound_limit_bytes",
    ]
)
ADDRESSES = frozenset({"url", "status_url"})
SIGNING = ("profile", "algorithm", "digest", "c14n", "sign", "verify", "accept", "trust", "place", "covers")


def add(pages: flask.Blueprint) -> None:
    pages.add_url_rule("/partners", "partners", _partners)


@page(role="operator")
def _partners() -> str:
    directory = here().directory
    of_partner: dict[str, list[dict[str, Any]]] = {name: [] for name in directory.partners}
    for agreement in directory.agreements.values():
        of_partner[agreement.partner.id].append(_agreement(agreement))
    partners = [
        {"id": one.id, "name": one.name, "jurisdiction": one.jurisdiction, "environment": one.environment,
         "rest": f"{one.failures_before_rest} / {duration(one.rest_s, lang())}", "agreements": of_partner[one.id]}
        for one in directory.partners.values()
    ]  # fmt: skip
    return render("partners.html", partners=partners)


def _agreement(agreement: Agreement) -> dict[str, Any]:
    told = here().telling
    now_us = here().clock()
    certificates = [
        {"name": name, "ends": told.when(end_us), "soon": end_us < now_us + SOON_US}
        for name, end_us in here().security.certificates(agreement)
    ]
    retry = agreement.retry
    return {
        "id": agreement.id,
        "adapter": agreement.adapter,
        "documents": [told.word("kind", kind, lang()) for kind in agreement.documents],
        "transport": agreement.transport.kind,
        "settings": [(name, shown(name, value)) for name, value in sorted(agreement.transport.settings.items())],
        "signing": _signing(agreement.signing),
        "certificates": certificates,
        "parameters": sorted(agreement.parameters),
        "retry": f"{retry.attempts} × {retry.first_s:g} s … {retry.cap_s:g} s",
        "receipt": duration(agreement.receipt_timeout_s, lang()),
        "silences": [(_state(name), duration(seconds, lang())) for name, seconds in agreement.silence_s.items()],
        "order": word(f"ordered_by_{agreement.ordered_by}"),
        "parallel": agreement.parallel,
        "doubles": word("yes" if agreement.drops_doubles else "no"),
        "reading": word(f"reading_{agreement.reading}"),
        "may_lose": agreement.may_lose,
        "may_leave": agreement.may_leave,
        "legal_basis": agreement.legal_basis,
        "abroad": agreement.abroad(here().directory.tenant_or_operator("").jurisdiction),
    }


def shown(name: str, value: Any) -> str:
    """A setting as a page may show it; "" for one of which only that it is set may be told."""
    if name in PLAIN:
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    if name in ADDRESSES:
        parts = urlsplit(str(value))
        return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}/…"
    return ""


def _signing(settings: Mapping[str, Any]) -> list[list[tuple[str, str]]]:
    """Of each step what is signed and how; where a key lies is nobody's business here."""
    steps = settings.get("steps", [settings] if settings else [])
    return [[(name, shown_plainly(step[name])) for name in SIGNING if name in step] for step in steps]


def shown_plainly(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _state(name: str) -> str:
    found = next((state for state in STATES.values() if state.name == name), None)
    return state_title((found.track if found else Track.DECLARATION).value, name, lang())
