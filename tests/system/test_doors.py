"""HTTPS at the gateway's door and at the neighbour's: who shows no certificate of the authority is not answered at either."""

from __future__ import annotations

import pytest
import requests

from tests.system.neighbours import Neighbours
from tests.system.town import wait_for


def test_only_who_shows_a_certificate_is_answered_at_either_door(neighbours: Neighbours) -> None:
    neighbours.start("serve")
    neighbours.start("asked")
    neighbours.wait_until_ready()
    _knock(neighbours, f"{neighbours.url}/health", 200)
    _knock(neighbours, f"{neighbours.address('asked')}/declarations/none", 404)


def _knock(town: Neighbours, address: str, expected: int) -> None:
    with town.session() as known, requests.Session() as stranger, requests.Session() as careful:
        wait_for(lambda: _status(known, address) == expected, 30, lambda: f"{address} {town.log('asked')}")
        stranger.trust_env = careful.trust_env = False
        # Without a certificate of his own he is not let in; without the development authority he does not go in.
        stranger.verify, careful.cert = str(town.authority), town.certificate
        with pytest.raises(requests.exceptions.ConnectionError):
            stranger.get(address, timeout=10)
        with pytest.raises(requests.exceptions.SSLError):
            careful.get(address, timeout=10)


def _status(session: requests.Session, address: str) -> int:
    """The status of the answer, 0 while nobody listens."""
    try:
        return session.get(address, timeout=5).status_code
    except requests.exceptions.ConnectionError:
        return 0
