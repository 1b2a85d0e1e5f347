"""swgate serve: what is wrong with its words about TLS is told before anything listens."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from gateway.signing.devkeys import make_development_pki
from tests.cli.conftest import Swgate


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with tls.pem and its key, the key of another and a file that is no PEM."""
    make_development_pki(tmp_path / "certs", ["another"])
    folder = tmp_path / "certs" / "gateway" / "keys"
    (folder / "other.key.pem").write_bytes((tmp_path / "certs/partners/another/keys/tls.key.pem").read_bytes())
    (folder / "note.pem").write_text("no certificate")
    return folder


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--tls-cert", "tls.pem"), "needs --tls-cert and --tls-key"),
        (("--tls-key", "tls.key.pem"), "needs --tls-cert and --tls-key"),
        (("--tls-client-ca", "tls.pem"), "needs --tls-cert and --tls-key"),
        (("--tls-cert", "absent.pem", "--tls-key", "tls.key.pem"), "absent.pem"),
        (("--tls-cert", "note.pem", "--tls-key", "tls.key.pem"), "note.pem cannot be used"),
        (("--tls-cert", "tls.pem", "--tls-key", "other.key.pem"), "tls.pem cannot be used"),
        (("--tls-cert", "tls.pem", "--tls-key", "tls.key.pem", "--tls-client-ca", "note.pem"), "note.pem cannot be"),
    ],
    ids=["no key", "no certificate", "an authority alone", "absent", "no PEM", "key of another", "authority is no PEM"],
)
def test_tls_that_cannot_be_spoken_is_a_usage_error(
    swgate: Swgate, keys: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(keys)
    outcome = swgate("serve", *words)
    assert outcome.code == 3
    assert told in outcome.err


def test_an_address_in_use_is_told_with_what_to_do(swgate: Swgate) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = ("serve", "--host", "127.0.0.1", "--port", port)
        english, chinese = swgate(*words), swgate("--lang", "zh", *words)
    assert english.code == chinese.code == 1
    for told in (f"127.0.0.1:{port}", "--port", "SWGATE_PORT"):
        assert told in english.err
        assert told in chinese.err
    assert "地址已被占用" in chinese.err


def test_an_address_of_nobody_here_is_told(swgate: Swgate) -> None:
    outcome = swgate("serve", "--host", "203.0.113.9")
    assert outcome.code == 1
    assert "settings.address.unusable" in outcome.err
