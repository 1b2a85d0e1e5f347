"""What the work at hand is about, so that whatever is logged meanwhile says so: ids, never values of a document.

Kept per thread and per asyncio task (contextvars). Work that goes on in another thread says again what it is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import TracebackType

# The words that may stand there; each is an id of ours.
WORDS = ("message_id", "declaration_id", "agreement", "trace_id")
_ABOUT: ContextVar[Mapping[str, str]] = ContextVar("swgate_about", default={})  # noqa: B039 - never written to


class about:  # noqa: N801 - reads as a verb of the with statement
    """``with about(message_id=...)``: inside of it every line of the log has these ids too."""

    __slots__ = ("_ids", "_token")

    def __init__(self, **ids: str) -> None:
        self._ids = ids

    def __enter__(self) -> None:
        self._token: Token[Mapping[str, str]] = _ABOUT.set({**_ABOUT.get(), **self._ids})

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, places: TracebackType | None
    ) -> None:
        _ABOUT.reset(self._token)


def ids_at_hand() -> Mapping[str, str]:
    """The ids of what is being done here and now."""
    return _ABOUT.get()
