"""Signatures of webhooks: HMAC-SHA256 over id, time and body, so that a receiver knows who calls, and that it is not an old call again.

Source: Standard Webhooks, specification 1.0.0, "Signature scheme" and "Signature scheme identifiers". Only the symmetric scheme v1
is spoken. Pure: what time it is comes in as an argument.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence

from gateway.errors import Finding, NotTrusted

PREFIX = "whsec_"
# The specification asks for 24 to 64 random bytes.
SECRET_BYTES = 32
SCHEME = "v1"
TOLERANCE_S = 300
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def new_secret() -> str:
    """``whsec_`` and the base64 of random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def signed_headers(secrets_now: Sequence[str], webhook_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """The three headers of one call. secrets_now: every secret that is valid now; each gives a signature.

    at_s: seconds since the epoch, when this attempt is made.
    """
    made = (_signature(secret, webhook_id, str(at_s), body) for secret in secrets_now)
    return {ID: webhook_id, TIMESTAMP: str(at_s), SIGNATURE: " ".join(f"{SCHEME},{one}" for one in made)}


def verify(secret: str, headers: Mapping[str, str], body: bytes, now_s: int) -> None:
    """What a receiver does. headers: with names in lower case.

    NotTrusted when no signature fits, or the call was signed more than five minutes before or after now.
    """
    webhook_id, timestamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not webhook_id or not timestamp.isascii() or not timestamp.isdigit():
        raise _untrusted("webhook.unsigned")
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise _untrusted("webhook.stale")
    wanted = _signature(secret, webhook_id, timestamp, body).encode()
    for one in headers.get(SIGNATURE, "").split():
        scheme, _, signature = one.partition(",")
        if scheme == SCHEME and hmac.compare_digest(signature.encode(), wanted):
            return
    raise _untrusted("webhook.signature")


def _signature(secret: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    signed = b".".join((webhook_id.encode(), timestamp.encode(), body))
    return base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode("ascii")


def _key(secret: str) -> bytes:
    """The bytes of a secret. NotTrusted, without the secret, when it is none."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise _untrusted("webhook.secret") from None


def _untrusted(code: str) -> NotTrusted:
    return NotTrusted("the call is not trusted", [Finding(code)], code=code)
