"""What the handlers are given: the running gateway's pieces, made once by gateway.app.

Handlers find them through the Flask application they run in, so that two gateways can live in one process (tests do).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import flask

from gateway.agreements import Directory
from gateway.api import problems
from gateway.api.guesses import Guesses
from gateway.catalogue import Catalogue
from gateway.documents import Documents
from gateway.pipeline.exchange import Exchange
from gateway.pipeline.feed import Feed
from gateway.ports import MessageSecurity, Store
from gateway.settings import Settings

if TYPE_CHECKING:
    from starlette.types import Scope

    from gateway.pipeline.operate import Operator
    from gateway.pipeline.receive import Receiver
    from gateway.pipeline.submit import Submitter
    from gateway.pipeline.telling import Telling
    from gateway.pipeline.webhooks import Webhooks

EXTENSION = "gateway"


@dataclass(frozen=True, slots=True)
class Parts:
    """One running gateway. language: Accept-Language -> ``zh`` or ``en``; clock: microseconds since the epoch."""

    settings: Settings
    directory: Directory
    catalogue: Catalogue
    documents: Documents
    texts: problems.Texts
    telling: Telling
    store: Store
    security: MessageSecurity
    submitter: Submitter
    receiver: Receiver
    operator: Operator
    webhooks: Webhooks
    language: Callable[[str], str]
    guesses: Guesses
    exchange: Exchange
    feed: Feed
    clock: Callable[[], int]


def here() -> Parts:
    """The parts of the gateway that this request belongs to."""
    return cast(Parts, flask.current_app.extensions[EXTENSION])


def language() -> str:
    """The language of whoever is asking, by Accept-Language."""
    return here().language(flask.request.headers.get("Accept-Language", ""))


def accept_language(scope: Scope) -> str:
    """The Accept-Language of an ASGI request, "" where there is none."""
    values: list[Any] = [value for name, value in scope["headers"] if name == b"accept-language"]
    return values[0].decode("latin-1") if values else ""
