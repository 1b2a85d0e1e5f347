"""Waiting for another document: how a message names what it waits for, and when that is there.

A message's waiting_for holds one line for each thing, ``scheme:value``, e.g. ``manifest:8765432``. It is there when another
document that carries this id is one that customs has stored, or one that a partner gave us. Both the filer's documents and the
operator's are looked at: what a partner gives and nobody's ids match belongs to the operator. A declaration that merely mentions
the id, and has not been stored by customs itself, proves nothing. The value decides, not the scheme: partners and
filers call one number by different names, and sending too early only makes the partner ask again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gateway.ports import Alias, MessageRow, Reading


class Settled:
    """What is there, as one reading sees it. Many wait for the same thing, so each is looked up once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._found: dict[tuple[str, str], list[str]] = {}

    def is_there(self, alias: Alias, own_root: str, tenants: Collection[str]) -> bool:
        """Whether a settled document of these tenants carries the id; the waiting declaration itself never counts."""
        return any(root_id != own_root for tenant in tenants for root_id in self._carriers(tenant, alias.value))

    def _carriers(self, tenant: str, value: str) -> list[str]:
        """Two suffice: one of them is another than who asks."""
        if (tenant, value) not in self._found:
            self._found[tenant, value] = self._reading.settled_roots(tenant, value, 2)
        return self._found[tenant, value]


def write(aliases: Iterable[Alias]) -> str:
    return "\n".join(f"{alias.scheme}:{alias.value}" for alias in aliases)


def read(text: str) -> list[Alias]:
    """The things waited for; a line without a scheme is a text for people, which no document can satisfy."""
    parts = (line.partition(":") for line in text.splitlines())
    return [Alias(scheme, value) for scheme, colon, value in parts if colon and value]


def is_met(settled: Settled, message: MessageRow, operator: str) -> bool:
    """Whether everything this message waits for is there. operator: the tenant to whom what nobody's ids match belongs."""
    wanted = read(message.waiting_for)
    return bool(wanted) and not unmet(settled, wanted, message.root_id, {message.tenant, operator})


def unmet(settled: Settled, wanted: Iterable[Alias], root_id: str, tenants: Collection[str]) -> list[Alias]:
    """Those of the wanted ids that no settled document of these tenants carries; the waiting declaration never counts."""
    return [alias for alias in wanted if not settled.is_there(alias, root_id, tenants)]
