"""What an agreement allows a translation to lose, and by which ids the message can be found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.agreements import Agreement
from gateway.errors import Finding
from gateway.pipeline import places
from gateway.ports import Adapter, Alias, Encoded, Json


def losses(document: Json, agreement: Agreement, encoded: Encoded) -> Iterable[Finding]:
    for pointer in encoded.report.lost:
        if not places.covered(document, pointer, agreement.may_lose):
            yield Finding(
                "mapping.lost",
                pointer=pointer,
                expected=f"a home in {encoded.message}, or a leave in the agreement",
                params={"agreement": agreement.id, "message": encoded.message},
            )


def aliases_for(adapter: Adapter, document: Json, encoded: Encoded, known: Mapping[str, str]) -> tuple[Alias, ...]:
    """Its own ids, and what partners already call the declaration; never an earlier round's value of an id of its own."""
    own = dict.fromkeys((*encoded.aliases, *adapter.aliases(document)))
    schemes = {alias.scheme for alias in own}
    return (*own, *(Alias(scheme, value) for scheme, value in known.items() if scheme not in schemes))
