"""Waiting for another document: how a message names what it waits for, and when that is there.

A message's waiting_for holds one line for each thing, ``scheme:value``, e.g. ``manifest:8765432``. It is there when another
document that carries this id is one that customs has stored, or one that a partner gave us. A declaration of our own that merely
mentions the id, and has not been stored by customs itself, proves nothing. The value decides, not the scheme: partners and
filers call one number by different names, and sending too early only makes the partner ask again.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.lifecycle import STATES, Track
from gateway.pipeline import standings
from gateway.ports import Alias, MessageRow, Reading

_STORED_BY_CUSTOMS = STATES[(Track.DECLARATION, "registered")].rank
_MOST_ROOTS = 50


def write(aliases: Iterable[Alias]) -> str:
    return "\n".join(f"{alias.scheme}:{alias.value}" for alias in aliases)


def read(text: str) -> list[Alias]:
    """The things waited for; a line without a scheme is a text for people, which no document can satisfy."""
    parts = (line.partition(":") for line in text.splitlines())
    return [Alias(scheme, value) for scheme, colon, value in parts if colon and value]


def is_met(reading: Reading, message: MessageRow) -> bool:
    """Whether everything this message waits for is there."""
    wanted = read(message.waiting_for)
    return bool(wanted) and not unmet(reading, wanted, message.root_id, message.tenant)


def unmet(reading: Reading, wanted: Iterable[Alias], root_id: str, tenant: str) -> list[Alias]:
    """Those of the wanted ids that no settled document carries; the waiting declaration itself never counts."""
    return [alias for alias in wanted if not _is_there(reading, alias, root_id, tenant)]


def _is_there(reading: Reading, alias: Alias, own_root: str, tenant: str) -> bool:
    for root_id in reading.find_roots(tenant, alias.value, _MOST_ROOTS):
        if root_id == own_root:
            continue
        standing = reading.standing(root_id)
        if standing is None:
            return True
        state = STATES[(Track.DECLARATION, standing.states.get(Track.DECLARATION, "filed"))]
        if state.rank >= _STORED_BY_CUSTOMS and not standings.ends_round(standing):
            return True
    return False
