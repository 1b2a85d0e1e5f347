"""The View that the caller of a request has of stored things, and the refusal of what nobody can find."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from gateway.api.parts import here
from gateway.api.problems import BadRequest
from gateway.errors import Finding
from gateway.lifecycle import STATES
from gateway.pipeline.reading import View

_STATE_NAMES = sorted({state.name for state in STATES.values()})


class Reader(Protocol):
    """Whoever asks: a key of the API, or who is signed in to the console. scope: a tenant, or None for all."""

    @property
    def scope(self) -> str | None: ...


@contextmanager
def open_for(caller: Reader) -> Iterator[View]:
    """A View for the caller of this request."""
    with here().store.read() as reading:
        yield View(reading, caller.scope)


def known_state(state: str) -> None:
    """Refuse a state that no track has: it would find nothing and look like an answer."""
    if state and state not in _STATE_NAMES:
        finding = Finding("api.state.unknown", found=state, expected=", ".join(_STATE_NAMES))
        raise BadRequest("an unknown state", [finding], code=finding.code)
