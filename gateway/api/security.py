"""Who is asking: an API key names a tenant and what that key may do.

Connexion's security middleware asks the handlers here as the contract's security schemes say; the caller they find reaches
the operations as their argument ``user``. A wrong key and none look the same to whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connexion.security import NO_VALUE, AbstractSecurityHandler
from starlette.types import Scope

from gateway.agreements import Directory
from gateway.api.guesses import Guesses
from gateway.api.problems import Forbidden, TooOften, Unauthorized
from gateway.api.senders import sender_of
from gateway.errors import Finding

# Longer or stranger than any key that was ever given out: not worth a digest.
_KEY = re.compile(r"^[!-~]{8,256}$")


@dataclass(frozen=True, slots=True)
class Caller:
    """One key of one tenant. scope: the tenant whose things it sees, None for an operator, who sees all."""

    tenant: str
    key_id: str
    roles: tuple[str, ...]

    @property
    def is_operator(self) -> bool:
        return "operator" in self.roles

    @property
    def scope(self) -> str | None:
        return None if self.is_operator else self.tenant

    @property
    def actor(self) -> str:
        """How the timeline names this caller."""
        return f"{self.tenant}/{self.key_id}"


def caller_of(directory: Directory, key: str) -> Caller | None:
    """The caller with this key; None when nobody has it."""
    if not _KEY.match(key):
        return None
    match = directory.tenant_of_key(key)
    if match is None:
        return None
    tenant, stored = match
    return Caller(tenant.id, stored.id, stored.roles)


def admitted(directory: Directory, guesses: Guesses, key: str, address: str) -> Caller:
    """The caller with this key. Unauthorized when nobody has it; TooOften where too many wrong ones came from this address, of
    IPv6 from its network."""
    sender = sender_of(address)
    caller = caller_of(directory, key)
    wait_s = guesses.wait_s(sender)
    if wait_s and (caller is None or not guesses.is_known(sender, caller.actor)):
        raise TooOften(wait_s)
    if caller is None:
        guesses.wrong(sender)
        raise Unauthorized("nobody has this key", [Finding(Unauthorized.code)])
    guesses.right(sender, caller.actor)
    return caller


class _KeyHandler(AbstractSecurityHandler):  # type: ignore[misc]
    """Asks for a key in a header; Connexion calls what get_fn returns for each request."""

    def get_fn(self, security_scheme: dict[str, Any], required_scopes: Any) -> Callable[[Any], Any]:
        return self._ask

    def _ask(self, request: Any) -> Any:
        """What Connexion puts into the context: the caller as ``user``. NO_VALUE when there is no key of this form."""
        key = self._key(dict(request.scope["headers"]))
        if not key:
            return NO_VALUE
        parts = request.scope["gateway.parts"]
        return {"sub": admitted(parts.directory, parts.guesses, key, (request.scope.get("client") or ("",))[0])}

    def _key(self, headers: dict[bytes, bytes]) -> str:
        raise NotImplementedError


class HeaderKey(_KeyHandler):
    """X-API-Key."""

    def _key(self, headers: dict[bytes, bytes]) -> str:
        return headers.get(b"x-api-key", b"").decode("latin-1")


class BearerKey(_KeyHandler):
    """Authorization: Bearer, the token being the same key."""

    def _key(self, headers: dict[bytes, bytes]) -> str:
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


# Security scheme of the contract -> who asks.
HANDLERS = {"apiKey": HeaderKey, "bearer": BearerKey}


def caller_who_asks(parts: Any, scope: Scope) -> Caller:
    """The caller of a native operation, by the same keys. Unauthorized where there is none, TooOften as admitted() says. As with
    Connexion, who brings no key has not guessed one."""
    headers = dict(scope["headers"])
    key = next(filter(None, (handler()._key(headers) for handler in HANDLERS.values())), "")
    if not key:
        raise Unauthorized("no key", [Finding(Unauthorized.code)])
    return admitted(parts.directory, parts.guesses, key, (scope.get("client") or ("",))[0])


def require_operator(caller: Caller) -> None:
    if not caller.is_operator:
        raise Forbidden(
            "only an operator may do this", [Finding("api.role", found=", ".join(caller.roles), expected="operator")]
        )


def require_filer(caller: Caller) -> None:
    """Forbidden for a key that may look and operate, but not file."""
    if "filer" not in caller.roles:
        raise Forbidden("this key may not file", [Finding("api.role", found=", ".join(caller.roles), expected="filer")])
