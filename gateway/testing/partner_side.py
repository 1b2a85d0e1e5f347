"""A family of messages seen from the partner: what the gateway sent is read, what a partner answers is written.

A simulator speaks through the very adapter it stands beside, without a gateway behind it. This is the one door to it, so
that simulators need no room of the gateway but this one and those that adapters may use.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from gateway import settings
from gateway.catalogue import Catalogue, Entry, offline
from gateway.ports import Adapter, Decoded, Json


class PartnerSide:
    """One adapter of the catalogue, used in the opposite direction."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    @classmethod
    def of(cls, adapter_id: str, environment: Mapping[str, str] = os.environ) -> PartnerSide:
        """That of an adapter of this installation. NotFound names those that exist."""
        return cls(Catalogue.load(settings.load(environment)).entry(adapter_id))

    @property
    def adapter(self) -> Adapter:
        return self._entry.adapter

    def read(self, data: bytes) -> Decoded:
        """What the gateway sent, read strictly. Rejected carries every fault."""
        return self.adapter.decode(data, tolerant=False)

    def write(self, kind: str, document: Json) -> bytes:
        """A message with the numbers that stand in the document; the same document gives the same bytes."""
        return self.adapter.encode(document, offline.context(self._entry.manifest, kind=kind, roundtrip=True)).data
