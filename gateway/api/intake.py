"""Filing, many at a time: what has come in is prepared in one snapshot and stored in one commit (batches.py).

A body above LARGE_BYTES takes its time with others of its kind, in a thread of their own, so that everyday filings do not wait behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.api.batches import Batches
from gateway.pipeline.submission import Accepted, Prepared, Submission

LARGE_BYTES = 128 * 1024
# An answer waits for its whole batch. Of everyday filings so many take a few hundredths of a second.
MOST_TOGETHER, MOST_LARGE = 16, 1

Outcome = Prepared | Accepted


class Submits(Protocol):
    """What is done with a filing, by gateway.pipeline.submit."""

    def prepare_each(self, submissions: Sequence[Submission]) -> list[Prepared | Exception]: ...
    def accept_each(self, prepared: Sequence[Prepared]) -> list[Accepted | BaseException]: ...


@dataclass(frozen=True, slots=True)
class _Filed:
    submission: Submission
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """One of several filings that come together. size: of its body, in bytes."""

    submission: Submission
    size: int
    dry_run: bool


class Intake:
    """Takes filings of one process."""

    def __init__(self, submitter: Submits) -> None:
        self._submitter = submitter
        self._everyday: Batches[_Filed, Outcome] = Batches("filing", self._outcomes, MOST_TOGETHER)
        self._large: Batches[_Filed, Outcome] = Batches("filing-large", self._outcomes, MOST_LARGE)

    async def rehearse(self, submission: Submission, size: int) -> Prepared:
        """What would be sent; nothing is stored. size: of the body, in bytes. Raises as Submitter.prepare() does."""
        outcome = await self._lane(size).take(_Filed(submission, dry_run=True))
        assert isinstance(outcome, Prepared)
        return outcome

    async def file(self, submission: Submission, size: int) -> Accepted:
        """What is told once it is on disk. Raises as Submitter.submit() does."""
        outcome = await self._lane(size).take(_Filed(submission, dry_run=False))
        assert isinstance(outcome, Accepted)
        return outcome

    async def each(self, wanted: Sequence[Wanted]) -> list[Outcome | BaseException]:
        """file() or rehearse() of each: what it returned, or what it raised."""
        answers = [self._lane(one.size).put(_Filed(one.submission, one.dry_run)) for one in wanted]
        return await asyncio.gather(*answers, return_exceptions=True)

    def close(self) -> None:
        """Finish what was taken."""
        self._everyday.close()
        self._large.close()

    def _lane(self, size: int) -> Batches[_Filed, Outcome]:
        return self._large if size > LARGE_BYTES else self._everyday

    def _outcomes(self, filed: Sequence[_Filed]) -> list[Outcome | BaseException]:
        outcomes: list[Outcome | BaseException] = list(self._submitter.prepare_each([one.submission for one in filed]))
        kept = {
            number: outcome
            for number, (one, outcome) in enumerate(zip(filed, outcomes, strict=True))
            if isinstance(outcome, Prepared) and not one.dry_run
        }
        for number, accepted in zip(kept, self._submitter.accept_each(list(kept.values())), strict=True):
            outcomes[number] = accepted
        return outcomes
