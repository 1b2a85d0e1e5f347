"""A clock that moves only when told, for everything that takes the time as an argument or as a callable."""

from __future__ import annotations

from gateway.ids import to_text

START_US = 1_772_323_200_000_000  # 2026-03-01T00:00Z


class FrozenClock:
    """Call it for the instant, in microseconds since the epoch, UTC."""

    def __init__(self, now_us: int = START_US) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us

    def advance(self, seconds: float) -> int:
        """Let time pass and return the new instant. ValueError when it would run backwards."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self.now_us += round(seconds * 1_000_000)
        return self.now_us

    def __str__(self) -> str:
        return to_text(self.now_us)
