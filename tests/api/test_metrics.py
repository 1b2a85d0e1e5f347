"""Where no token is set, metrics are told to this machine alone, and never to who comes by a proxy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.api.metrics import Scrapes
from gateway.api.native import Asked
from gateway.errors import NotFound


def test_a_caller_on_this_machine_may_look(running: Any) -> None:
    answer = running.api.get("/metrics", key="")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert b"swgate_build_info" in answer.data


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_who_comes_by_a_proxy_finds_nothing(running: Any, header: str) -> None:
    answer = running.api.get("/metrics", key="", **{header.replace("-", "_"): "203.0.113.9"})
    assert answer.status == 404
    assert b"swgate_" not in answer.data


@pytest.mark.parametrize("client", [("203.0.113.9", 4711), ("", 0), None, ("no address", 1)])
def test_a_caller_elsewhere_finds_nothing(running: Any, client: tuple[str, int] | None) -> None:
    asked = Asked(running.app.parts, None, {}, {"headers": [], "client": client}, None, "en")  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        Scrapes(running.app.parts)._admit(asked)


def test_where_people_come_in_by_another_address_nobody_is_a_neighbour(running: Any) -> None:
    settings = replace(running.app.parts.settings, base_url="https://gateway.example")
    parts = replace(running.app.parts, settings=settings)
    asked = Asked(parts, None, {}, {"headers": [], "client": ("127.0.0.1", 1)}, None, "en")  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        Scrapes(parts)._admit(asked)
