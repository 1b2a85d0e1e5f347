"""Waiting for another document: how a message names what it waits for, and when that is there.

A message's waiting_for holds one line for each thing, ``scheme:value``, e.g. ``manifest:8765432``. It is there when another
document that carries this id is one that customs has stored, or one that a partner gave us. Both the filer's documents and the
operator's are looked at: what a partner gives and nobody's ids match belongs to the operator. A declaration that merely mentions
the id, and has not been stored by customs itself, proves nothing. The value decides, not the scheme: partners and
filers call one number by different names, and sending too early only makes the partner ask again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gateway.lifecycle import STATES, Track
from gateway.pipeline import standings
from gateway.ports import Alias, MessageRow, Reading, StandingRow

_STORED_BY_CUSTOMS = STATES[(Track.DECLARATION, "registered")].rank
_MOST_ROOTS = 50


def write(aliases: Iterable[Alias]) -> str:
    return "\n".join(f"{alias.scheme}:{alias.value}" for alias in aliases)


def read(text: str) -> list[Alias]:
    """The things waited for; a line without a scheme is a text for people, which no document can satisfy."""
    parts = (line.partition(":") for line in text.splitlines())
    return [Alias(scheme, value) for scheme, colon, value in parts if colon and value]


def is_met(reading: Reading, message: MessageRow, operator: str) -> bool:
    """Whether everything this message waits for is there. operator: the tenant to whom what nobody's ids match belongs."""
    wanted = read(message.waiting_for)
    return bool(wanted) and not unmet(reading, wanted, message.root_id, {message.tenant, operator})


def unmet(reading: Reading, wanted: Iterable[Alias], root_id: str, tenants: Collection[str]) -> list[Alias]:
    """Those of the wanted ids that no settled document of these tenants carries; the waiting declaration never counts."""
    return [alias for alias in wanted if not any(_is_there(reading, alias, root_id, tenant) for tenant in tenants)]


def _is_there(reading: Reading, alias: Alias, own_root: str, tenant: str) -> bool:
    others = (one for one in reading.find_roots(tenant, alias.value, _MOST_ROOTS) if one != own_root)
    return any(_is_settled(reading.standing(root_id)) for root_id in others)


def _is_settled(standing: StandingRow | None) -> bool:
    """Without a standing it is a document that came in; a declaration has one from its filing on."""
    if standing is None:
        return True
    state = STATES[(Track.DECLARATION, standing.states.get(Track.DECLARATION, "filed"))]
    return state.rank >= _STORED_BY_CUSTOMS and not standings.ends_round(standing)
