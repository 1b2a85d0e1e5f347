"""What the settings of any transport may not say, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.agreements import Agreement
from gateway.errors import NeedsOperator
from gateway.transports import check_settings, open_transport

Make = Callable[..., Agreement]
SAFE, PLAIN = "https://partner.example/in", "http://user:secret@partner.example/in"


@pytest.mark.parametrize(
    ("url", "status_url", "named"),
    [
        (PLAIN, "", ["/transport/url"]),
        (PLAIN.replace("http", "HTTP"), "", ["/transport/url"]),
        (SAFE, PLAIN, ["/transport/status_url"]),
        (SAFE, f" {PLAIN}", ["/transport/status_url"]),
        (SAFE, "secret.example/in", ["/transport/status_url"]),
        (PLAIN, PLAIN, ["/transport/url", "/transport/status_url"]),
    ],
)
def test_in_production_every_address_without_tls_is_refused_and_not_repeated(
    agreement: Make, tmp_path: Path, url: str, status_url: str, named: list[str]
) -> None:
    wrong = agreement("http", environment="production", url=url, status_url=status_url)
    settings, findings = check_settings(wrong)
    assert settings == {}
    assert [(found.code, found.pointer) for found in findings] == [("transport.plain", place) for place in named]
    assert "secret" not in str(findings)
    with pytest.raises(NeedsOperator):
        open_transport(wrong, tmp_path)


def test_an_address_without_tls_is_named_together_with_every_other_fault(agreement: Make) -> None:
    _, findings = check_settings(agreement("http", environment="production", url=PLAIN, colour="red"))
    assert {found.code for found in findings} == {"transport.setting", "transport.plain"}


@pytest.mark.parametrize(
    ("environment", "address"), [("production", SAFE), ("production", SAFE.upper()), ("test", SAFE), ("test", PLAIN)]
)
def test_tls_is_always_good_and_a_test_may_do_without(agreement: Make, environment: str, address: str) -> None:
    settings, findings = check_settings(agreement("http", environment=environment, url=address, status_url=address))
    assert findings == []
    assert (settings["url"], settings["status_url"]) == (address, address)
