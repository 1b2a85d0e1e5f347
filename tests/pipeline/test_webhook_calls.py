"""What follows from the answer of a webhook's target, by instants that are given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.events import EventType
from gateway.pipeline.announcing import NAMES, delivery
from gateway.pipeline.webhook_calls import (
    DISABLED_AFTER_S,
    DISABLED_TITLES,
    FAULT_TITLES,
    LONGEST_REST_S,
    PATIENT_FOR,
    SECOND_US,
    WAITS_S,
    Verdict,
    judge,
)
from gateway.ports import Called, WebhookRow

NOW_US = 1_772_000_000_000_000


def webhook(**changes: Any) -> WebhookRow:
    plain: dict[str, Any] = {
        "id": "01w", "tenant": "grain", "scope": "grain", "url": "https://erp.example.com/token-in-path", "types": (), "description": "",
        "status": "active", "reason": "", "secret": "whsec_c2VjcmV0", "old_secret": "", "old_until_us": 0, "failures": 0,
        "failing_since_us": None, "rest_until_us": 0, "created_us": NOW_US, "updated_us": NOW_US,
    }  # fmt: skip
    return WebhookRow(**plain | changes)


def judged(status: int, attempt: int = 1, *, chance: float = 0.0, after_s: int | None = None, **of: Any) -> Verdict:
    row = replace(delivery("01w", "01e", "r1", "document.state.changed", NOW_US, {}, NOW_US), attempts=attempt)
    fault = "" if status else "timeout"
    return judge(webhook(**of), row, Called(status, fault, "said", after_s, 12), NOW_US, chance)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_delivered_and_ends_a_row_of_failures(status: int) -> None:
    verdict = judged(status, failures=4, failing_since_us=NOW_US - 5, rest_until_us=NOW_US - 1)
    assert verdict.delivery.status == "delivered"
    assert verdict.changes == {"failures": 0, "failing_since_us": None, "rest_until_us": 0}


def test_where_nothing_failed_the_webhook_is_not_written_to() -> None:
    assert judged(200).changes == {}


@pytest.mark.parametrize("status", [0, 301, 302, 307, 400, 401, 403, 404, 408, 429, 500, 502, 503])
def test_everything_else_is_tried_again(status: int) -> None:
    verdict = judged(status)
    assert (verdict.delivery.status, verdict.delivery.due_us) == ("waiting", NOW_US + 5 * SECOND_US)
    assert verdict.changes["failures"] == 1
    assert verdict.changes["failing_since_us"] == NOW_US


def test_the_waits_grow_over_three_days_and_are_lengthened_by_chance() -> None:
    waits = [(judged(500, attempt).delivery.due_us - NOW_US) // SECOND_US for attempt in range(1, 10)]
    assert waits == list(WAITS_S) == sorted(waits)
    assert 3 * 86_400 < sum(waits) < 4 * 86_400
    assert judged(500, 2, chance=1.0).delivery.due_us == NOW_US + 360 * SECOND_US


def test_after_the_tenth_attempt_it_has_failed() -> None:
    assert judged(500, 9).delivery.status == "waiting"
    verdict = judged(500, 10)
    assert verdict.delivery.status == "failed"
    assert "status" not in verdict.changes, "others may have arrived, so the webhook goes on"


def test_it_is_not_tried_before_the_time_that_the_target_names_and_the_target_rests_so_long() -> None:
    verdict = judged(503, after_s=900)
    assert verdict.delivery.due_us == NOW_US + 900 * SECOND_US
    assert verdict.changes["rest_until_us"] == NOW_US + 900 * SECOND_US
    assert judged(503, 3, after_s=1).delivery.due_us == NOW_US + 1_800 * SECOND_US


def test_a_target_that_fails_again_and_again_rests_longer_and_longer() -> None:
    rests = [(judged(500, failures=number).changes["rest_until_us"] - NOW_US) // SECOND_US for number in range(40)]
    assert rests[: PATIENT_FOR - 1] == [0] * (PATIENT_FOR - 1)
    assert rests[PATIENT_FOR - 1 : PATIENT_FOR + 3] == [2, 4, 8, 16]
    assert rests[-1] == LONGEST_REST_S


def test_gone_disables_at_once_and_is_said_without_address_or_secret() -> None:
    verdict = judged(410)
    assert verdict.delivery.status == "failed"
    assert (verdict.changes["status"], verdict.changes["reason"]) == ("disabled", "gone")
    assert verdict.event is not None
    assert verdict.event.type is EventType.WEBHOOK_DISABLED
    assert (verdict.event.root_id, verdict.event.tenant) == ("01w", "grain")
    assert "token-in-path" not in repr(verdict.event) and "whsec" not in repr(verdict.event)  # noqa: PT018 - one promise


def test_three_days_of_nothing_but_failures_disable_it_and_what_waits_is_kept() -> None:
    since = NOW_US - DISABLED_AFTER_S * SECOND_US
    assert judged(500, failures=9, failing_since_us=since + 1).event is None
    verdict = judged(500, failures=9, failing_since_us=since)
    assert (verdict.changes["status"], verdict.changes["reason"]) == ("disabled", "failing")
    assert verdict.event is not None
    assert verdict.delivery.status == "waiting"


def test_each_attempt_is_in_the_log() -> None:
    first = judged(0).delivery
    assert first.log == ({"number": 1, "at_us": NOW_US, "fault": "timeout", "took_ms": 12, "head": "said"},)
    again = judge(webhook(), replace(first, attempts=2), Called(200, "", "", None, 3), NOW_US + 5, 0.0).delivery
    assert [entry["number"] for entry in again.log] == [1, 2]
    assert again.log[1]["status"] == 200


def test_names_of_events_are_as_the_specification_wants_them() -> None:
    assert "message.attempt.handed_over" in NAMES
    assert all(part.replace("_", "").isalnum() for name in NAMES for part in name.split("."))
    assert len(NAMES) == len(EventType)


def test_every_fault_and_reason_has_its_words() -> None:
    assert all(en and zh and en != zh for en, zh in [*FAULT_TITLES.values(), *DISABLED_TITLES.values()])
