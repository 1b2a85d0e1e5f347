"""What can be asked and done inside a transaction: the named queries, gathered into the shapes that gateway.ports wants.

A query is a function whose first argument is the session, so it is a method here.
"""

from __future__ import annotations

from gateway.storage import (
    queries_accounts,
    queries_aliases,
    queries_audit,
    queries_counters,
    queries_documents,
    queries_inbound,
    queries_messages,
    queries_overview,
    queries_search,
    queries_sightings,
    queries_timeline,
    queries_uploads,
    queries_watch,
    queries_webhooks,
    queries_work,
)
from gateway.storage.session import Session


class SqlReading(Session):
    """Fulfils ports.Reading."""

    __slots__ = ()

    document = queries_documents.document
    documents_of = queries_documents.documents_of
    standing = queries_documents.standing
    silent_standings = queries_documents.silent_standings
    open_standings = queries_documents.open_standings
    judgements_of = queries_documents.judgements_of
    payload = queries_documents.payload
    small_payload = queries_documents.small_payload

    message = queries_messages.message
    messages_of = queries_messages.messages_of
    ids_in = queries_messages.ids_in
    waiting_messages = queries_messages.waiting_messages
    overdue_receipts = queries_messages.overdue_receipts
    stale_sending = queries_messages.stale_sending
    stale_message = queries_messages.stale_message
    stuck_before = queries_messages.stuck_before
    counts = queries_messages.counts

    aliases_of = queries_aliases.aliases_of
    aliases_by_message = queries_aliases.aliases_by_message
    every_alias_of = queries_aliases.every_alias_of
    find_messages = queries_aliases.find_messages
    find_roots = queries_aliases.find_roots
    settled_roots = queries_aliases.settled_roots
    search = queries_search.search
    overdue = queries_overview.overdue
    hours = queries_overview.hours
    open_states = queries_overview.open_states

    inbound = queries_inbound.inbound
    inbound_of = queries_inbound.inbound_of
    inbound_by_reference = queries_inbound.inbound_by_reference
    unmatched_inbound = queries_inbound.unmatched_inbound
    kept_inbound = queries_inbound.kept_inbound
    matchable_inbound = queries_inbound.matchable_inbound

    events_of = queries_timeline.events_of
    events_after = queries_timeline.events_after
    last_position = queries_timeline.last_position
    has_unsequenced = queries_timeline.has_unsequenced
    lanes = queries_work.lanes
    due_lanes = queries_work.due_lanes
    breaker = queries_work.breaker
    idempotency = queries_counters.idempotency
    sightings = queries_sightings.sightings
    upload = queries_uploads.upload
    uploaded_bytes = queries_uploads.uploaded_bytes

    account = queries_accounts.account
    accounts = queries_accounts.accounts
    session = queries_accounts.session
    tries = queries_accounts.tries
    audit = queries_audit.audit
    acted_from = queries_audit.acted_from
    webhook = queries_webhooks.webhook
    webhooks = queries_webhooks.webhooks_of
    active_webhooks = queries_webhooks.active_webhooks
    due_webhooks = queries_webhooks.due_webhooks
    webhook_delivery = queries_webhooks.webhook_delivery
    webhook_deliveries = queries_webhooks.webhook_deliveries_of
    announced = queries_webhooks.announced
    events_behind = queries_webhooks.events_behind
    backlog = queries_watch.backlog


class SqlWriting(SqlReading):
    """Fulfils ports.Writing."""

    __slots__ = ()

    put_payload = queries_documents.put_payload
    add_document = queries_documents.add_document
    put_standing = queries_documents.put_standing
    add_judgement = queries_documents.add_judgement

    add_message = queries_messages.add_message
    advance = queries_messages.advance
    update_message = queries_messages.update_message
    add_aliases = queries_aliases.add_aliases

    add_inbound = queries_inbound.add_inbound
    name_inbound = queries_inbound.name_inbound
    update_inbound = queries_inbound.update_inbound

    append_event = queries_timeline.append_event
    sequence_events = queries_timeline.sequence_events

    enqueue = queries_work.enqueue
    claim = queries_work.claim
    finish = queries_work.finish
    release = queries_work.release
    extend = queries_work.extend
    cancel_work = queries_work.cancel_work
    requeue = queries_work.requeue
    hold = queries_work.hold
    wake = queries_work.wake
    pause_lane = queries_work.pause_lane
    put_breaker = queries_work.put_breaker

    put_idempotency = queries_counters.put_idempotency
    forget_idempotency = queries_counters.forget_idempotency
    reserve = queries_counters.reserve
    add_upload = queries_uploads.add_upload
    name_payload = queries_uploads.name_payload
    add_sighting = queries_sightings.add_sighting
    forget_sightings = queries_sightings.forget_sightings

    put_account = queries_accounts.put_account
    put_session = queries_accounts.put_session
    end_session = queries_accounts.end_session
    end_sessions = queries_accounts.end_sessions
    forget_sessions = queries_accounts.forget_sessions
    put_tries = queries_accounts.put_tries
    forget_tries = queries_accounts.forget_tries
    add_audit = queries_audit.add_audit
    begin_announcing = queries_webhooks.begin_announcing
    announce = queries_webhooks.announce
    add_webhook = queries_webhooks.add_webhook
    change_webhook = queries_webhooks.change_webhook
    remove_webhook = queries_webhooks.remove_webhook
    add_webhook_delivery = queries_webhooks.add_webhook_delivery
    claim_webhook_deliveries = queries_webhooks.claim_webhook_deliveries
    settle_webhook_delivery = queries_webhooks.settle_webhook_delivery
    change_webhook_delivery = queries_webhooks.change_webhook_delivery
    move_webhook_key = queries_webhooks.move_webhook_key
    forget_webhook_deliveries = queries_webhooks.forget_webhook_deliveries
