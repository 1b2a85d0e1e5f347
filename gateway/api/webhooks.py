"""Webhooks: a tenant registers its own, operators see all. The secret is in two answers only: of creation and of rotation."""

from __future__ import annotations

from typing import Any

import flask

from gateway.api import cursors
from gateway.api.answers import answer
from gateway.api.parts import here, language
from gateway.api.security import Caller
from gateway.api.views import set_only
from gateway.ids import to_text
from gateway.pipeline.titles import said
from gateway.pipeline.webhook_calls import DISABLED_TITLES, FAULT_TITLES
from gateway.pipeline.webhooks import seen
from gateway.ports import Json, WebhookDelivery, WebhookRow

OVERLAP_S = 86_400
LIST, LOG = "webhooks", "webhook-deliveries"


def create(document: Json, user: Caller) -> flask.Response:
    url, types, description = document["url"], document.get("types", ()), document.get("description", "")
    row = here().webhooks.create(user.tenant, user.scope, url, types, description, actor=user.actor)
    place = f"/v1/webhooks/{row.id}"
    return answer({**_webhook(row), "secret": row.secret}, 201, headers={"Location": place})


def search(user: Caller, limit: int = 50, cursor: str = "") -> flask.Response:
    with here().store.read() as stored:
        rows = stored.webhooks(user.scope, after_id=cursors.opened(LIST, cursor), limit=limit + 1)
    return answer(_page(LIST, [_webhook(row) for row in rows], limit))


def show(webhook_id: str, user: Caller) -> flask.Response:
    with here().store.read() as stored:
        return answer(_webhook(seen(stored, webhook_id, user.scope)))


def change(webhook_id: str, document: Json, user: Caller) -> flask.Response:
    return answer(_webhook(here().webhooks.change(webhook_id, user.scope, document, actor=user.actor)))


def remove(webhook_id: str, user: Caller) -> flask.Response:
    here().webhooks.remove(webhook_id, user.scope, actor=user.actor)
    return answer({"id": webhook_id, "removed": True})


def rotate_secret(webhook_id: str, document: Json, user: Caller) -> flask.Response:
    overlap_s = document.get("overlap_s", OVERLAP_S)
    row = here().webhooks.rotate(webhook_id, user.scope, overlap_s, actor=user.actor)
    return answer({**_webhook(row), "secret": row.secret})


def ping(webhook_id: str, user: Caller) -> flask.Response:
    return answer(_delivery(here().webhooks.ping(webhook_id, user.scope)), 202)


def deliveries(
    webhook_id: str, user: Caller, limit: int = 50, cursor: str = "", delivery_status: str = ""
) -> flask.Response:
    """The log, newest first."""
    with here().store.read() as stored:
        row = seen(stored, webhook_id, user.scope)
        before = cursors.opened(LOG, cursor)
        rows = stored.webhook_deliveries(row.id, status=delivery_status, before_id=before, limit=limit + 1)
    return answer(_page(LOG, [_delivery(each) for each in rows], limit))


def resend(webhook_id: str, webhook_delivery_id: str, user: Caller) -> flask.Response:
    return answer(_delivery(here().webhooks.resend(webhook_id, webhook_delivery_id, user.scope)), 202)


def _page(of: str, items: list[Json], limit: int) -> Json:
    """items: one more than the page, where there is a next one. of: the list's name."""
    last_id = items[limit - 1]["id"] if len(items) > limit else None
    return set_only(items=items[:limit], next_cursor=cursors.sealed(of, last_id))


def _webhook(row: WebhookRow) -> Json:
    """Everything but the secrets."""
    place, lang = f"/v1/webhooks/{row.id}", language()
    return set_only(
        id=row.id,
        tenant=row.tenant,
        every_tenant=not row.scope,
        url=row.url,
        types=list(row.types),
        description=row.description,
        status=row.status,
        reason=row.reason,
        reason_title=said(DISABLED_TITLES[row.reason], lang) if row.reason else "",
        failures=row.failures,
        failing_since=_instant(row.failing_since_us),
        resting_until=_instant(row.rest_until_us if row.rest_until_us > here().clock() else None),
        old_secret_until=_instant(row.old_until_us if row.old_until_us > here().clock() else None),
        created_at=to_text(row.created_us),
        updated_at=to_text(row.updated_us),
        links={"self": place, "deliveries": f"{place}/deliveries"},
    )


def _delivery(row: WebhookDelivery) -> Json:
    place = f"/v1/webhooks/{row.webhook_id}"
    return set_only(
        id=row.id,
        webhook_id=row.webhook_id,
        type=row.type,
        event_id=row.event_id if row.event_id != row.id else "",
        status=row.status,
        body=row.body,
        attempts=[_attempt(each) for each in row.log],
        next_at=_instant(row.due_us if row.status == "waiting" else None),
        created_at=to_text(row.created_us),
        links={"webhook": place, "resend": f"{place}/deliveries/{row.id}/resend"},
    )


def _attempt(entry: dict[str, Any]) -> Json:
    fault = entry.get("fault", "")
    return set_only(
        number=entry["number"],
        at=to_text(entry["at_us"]),
        status=entry.get("status"),
        fault=fault,
        fault_title=said(FAULT_TITLES[fault], language()) if fault else "",
        took_ms=entry["took_ms"],
        head=entry.get("head"),
    )


def _instant(instant_us: int | None) -> str | None:
    return None if instant_us is None else to_text(instant_us)
