"""What an agreement allows a translation to do with a document: lose values, and let them leave the country."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.agreements import Agreement
from gateway.documents.pointers import leaf_values
from gateway.errors import Finding
from gateway.pipeline import places
from gateway.ports import Adapter, Alias, Encoded, Json


def leaving(document: Json, agreement: Agreement, encoded: Encoded | None) -> Iterable[Finding]:
    """Each value that would leave the country although the agreement does not name it. The value itself is not repeated."""
    stays: set[str] = set()
    if encoded is not None:
        stays = set(encoded.report.ignored) | set(encoded.report.lost)
    for pointer, _ in leaf_values(document):
        if pointer not in stays and not places.covered(document, pointer, agreement.may_leave):
            yield Finding(
                "leaving.refused",
                pointer=pointer,
                expected="an element that the agreement lets leave the country",
                source=agreement.legal_basis or None,
                params={"agreement": agreement.id, "jurisdiction": agreement.partner.jurisdiction},
            )


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
