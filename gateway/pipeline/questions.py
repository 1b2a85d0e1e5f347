"""Which messages in doubt a partner was asked about, and when it may be asked again: at first soon, then ever more seldom.

One memory for each agreement, in the process that asks; it is forgotten with it, and then everybody is asked about once more.
Rule 1: a pass asks a bounded number of questions, and looks past any number of messages that are not due for one.
Rule 2: a pass that used its questions up is followed by one that goes on behind it, so that nobody waits behind the old for ever.
Rule 3: the memory is bounded. Of more messages than it holds, those asked about longest ago count as never asked.
"""

from __future__ import annotations

from collections import OrderedDict

SECOND_US = 1_000_000
FIRST_WAIT_US, LAST_WAIT_US = SECOND_US, 600 * SECOND_US
MOST_REMEMBERED = 10_000


class Questions:
    """The memory of one agreement. after_id: behind which message the next pass begins."""

    def __init__(self, most_remembered: int = MOST_REMEMBERED) -> None:
        self.after_id = ""
        self._most_remembered = most_remembered
        self._asked: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._asked)

    def is_due(self, message_id: str, now_us: int) -> bool:
        next_us, _ = self._asked.get(message_id, (0, 0))
        return now_us >= next_us

    def asked(self, message_id: str, now_us: int) -> None:
        """The question is put now; the next wait is twice as long."""
        _, wait_us = self._asked.get(message_id, (0, FIRST_WAIT_US))
        self._asked[message_id] = (now_us + wait_us, min(wait_us * 2, LAST_WAIT_US))
        self._asked.move_to_end(message_id)
        if len(self._asked) > self._most_remembered:
            self._asked.popitem(last=False)

    def settled(self, message_id: str) -> None:
        """Its outcome is known: should it be in doubt once more, it is asked about at once."""
        self._asked.pop(message_id, None)
