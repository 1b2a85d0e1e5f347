"""Who is signed in to the pages: a signed cookie that names a key of the partners file, never the key itself.

Rule 1: the secret that signs is made at the first start, in a file that only the gateway's user can read.
Rule 2: a session is looked up anew for each page, so a key that was taken out of the partners file signs out at once.
Rule 3: five wrong keys from one address in five minutes, and that address waits (gateway.api.guesses says who does not).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import flask
from itsdangerous import BadSignature, URLSafeTimedSerializer

from gateway.agreements import Directory
from gateway.api.guesses import Guesses
from gateway.api.security import Caller, admitted
from gateway.pipeline.exchange import Exchange

COOKIE = "swgate_session"
LASTS_S = 8 * 3600
WRONG_KEYS, WAIT_S = 5, 300
SECRET_FILE = "console.secret"  # noqa: S105 - the name of a file


class Sessions:
    """Sessions of one gateway. secure: the cookie goes over TLS only."""

    def __init__(self, home: Path, directory: Directory, exchange: Exchange, *, secure: bool) -> None:
        self._directory = directory
        self._secure = secure
        self._sealer = URLSafeTimedSerializer(_secret(home), salt="console session")
        self._guesses = Guesses(WRONG_KEYS, WAIT_S).shared(exchange, "console")

    def open(self, key: str, address: str, response: flask.Response) -> None:
        """Sign in whoever has this key; refusals as those of the API."""
        caller = admitted(self._directory, self._guesses, key, address)
        sealed = self._sealer.dumps([caller.tenant, caller.key_id])
        response.set_cookie(
            COOKIE, sealed, max_age=LASTS_S, path="/console", secure=self._secure, httponly=True, samesite="Strict"
        )

    def caller(self, request: flask.Request) -> Caller | None:
        """Who sent this request; None when nobody is signed in, or no longer."""
        try:
            tenant_id, key_id = self._sealer.loads(request.cookies.get(COOKIE, ""), max_age=LASTS_S)
        except (BadSignature, ValueError, TypeError):
            return None
        tenant = self._directory.tenants.get(tenant_id)
        keys = tenant.api_keys if tenant else ()
        return next((Caller(tenant_id, key.id, key.roles) for key in keys if key.id == key_id), None)

    def close(self, response: flask.Response) -> None:
        response.delete_cookie(COOKIE, path="/console", secure=self._secure, httponly=True, samesite="Strict")


def _secret(home: Path) -> bytes:
    """The signing secret of this home; made once, with mode 600, whichever process comes first."""
    path = home / SECRET_FILE
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = home / f".{SECRET_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(32))
    try:
        # A link appears whole or not at all, and never replaces one that is there.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_bytes()
