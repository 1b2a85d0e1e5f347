"""Calls of webhooks are signed so that another implementation of the specification believes them, and ours believes no other."""

from __future__ import annotations

import base64
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from gateway.errors import NotTrusted
from gateway.signing.standard_webhooks import PREFIX, new_secret, signed_headers, verify

BODY = '{"type":"webhook.ping","data":{"city":"二连浩特"}}'.encode()
NOW_S = int(time.time())


def test_another_implementation_accepts_what_we_sign() -> None:
    secret = new_secret()
    headers = signed_headers([secret], "01abc", int(time.time()), BODY)
    assert Webhook(secret).verify(BODY, headers)["type"] == "webhook.ping"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" ", headers)


def test_the_example_of_the_specification_is_signed_as_it_says() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    headers = signed_headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_during_an_overlap_the_old_secret_and_the_new_one_are_believed_and_a_third_is_not() -> None:
    old, new = new_secret(), new_secret()
    now_s = int(time.time())
    headers = signed_headers([new, old], "01abc", now_s, BODY)
    for secret in (old, new):
        Webhook(secret).verify(BODY, headers)
        verify(secret, headers, BODY, now_s)
    with pytest.raises(NotTrusted) as refused:
        verify(new_secret(), headers, BODY, now_s)
    assert refused.value.code == "webhook.signature"


@pytest.mark.parametrize("off_s", [-301, 301])
def test_a_call_that_was_signed_long_ago_or_in_the_future_is_refused(off_s: int) -> None:
    secret = new_secret()
    headers = signed_headers([secret], "01abc", NOW_S, BODY)
    verify(secret, headers, BODY, NOW_S + (299 if off_s > 0 else -299))
    with pytest.raises(NotTrusted) as refused:
        verify(secret, headers, BODY, NOW_S + off_s)
    assert refused.value.code == "webhook.stale"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_call_with_a_header_that_is_missing_or_another_is_refused(name: str) -> None:
    secret = new_secret()
    headers = signed_headers([secret], "01abc", NOW_S, BODY)
    for changed in ({**headers, name: f"0{headers[name]}"}, {k: v for k, v in headers.items() if k != name}):
        with pytest.raises(NotTrusted):
            verify(secret, changed, BODY, NOW_S)


def test_only_the_symmetric_scheme_counts() -> None:
    secret = new_secret()
    headers = signed_headers([secret], "01abc", NOW_S, BODY)
    other = {**headers, "webhook-signature": headers["webhook-signature"].replace("v1,", "v1a,")}
    with pytest.raises(NotTrusted):
        verify(secret, other, BODY, NOW_S)


def test_a_secret_has_as_many_random_bytes_as_the_specification_asks_for() -> None:
    secrets = {new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert all(24 <= len(base64.b64decode(one.removeprefix(PREFIX))) <= 64 for one in secrets)


def test_what_is_no_secret_is_refused_without_being_repeated() -> None:
    headers = signed_headers([new_secret()], "01abc", NOW_S, BODY)
    with pytest.raises(NotTrusted) as refused:
        verify("whsec_not base64!", headers, BODY, NOW_S)
    assert "not base64" not in str(refused.value) + str(refused.value.findings)
