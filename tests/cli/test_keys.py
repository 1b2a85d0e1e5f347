"""swgate keys: made once, marked, never for production, and what is wrong with a folder of them."""

from __future__ import annotations

import json
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.signing.devkeys import make_development_pki
from gateway.signing.trust import TrustStore
from gateway.testing.directory import PartnersFile
from tests.cli.conftest import Swgate

TEN_YEARS = timedelta(days=3650)
KINDS = ("rsa", "ec", "tls")


@pytest.fixture(autouse=True)
def certs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's folder of keys, absent as yet, and no partners file."""
    monkeypatch.setenv("SWGATE_CERTS", str(tmp_path / "certs"))
    monkeypatch.setenv("SWGATE_PARTNERS", str(tmp_path / "partners.yaml"))
    return tmp_path / "certs"


def keys_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.key.pem"))


def test_development_keys_are_made_for_the_partners_named_and_once(swgate: Swgate, certs: Path) -> None:
    told = swgate("keys", "dev", "mn-customs")
    assert told.code == 0, told.err
    assert keys_below(certs) == sorted(
        ["ca.key.pem", *(f"{who}/keys/{kind}.key.pem" for who in ("gateway", "partners/mn-customs") for kind in KINDS)]
    )
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in certs.rglob("*.pem"))
    assert len(TrustStore.of_folder(certs / "partners" / "mn-customs").certificates) == 2
    again = swgate("keys", "dev", "mn-customs")
    assert (again.code, again.out) == (0, "")


def test_without_a_name_keys_are_made_for_the_partners_of_the_file(swgate: Swgate, certs: Path, tmp_path: Path) -> None:
    PartnersFile().add_partner("bank").add_partner("railway").write(tmp_path / "partners.yaml")
    assert swgate("keys", "dev").code == 0
    assert sorted(path.name for path in (certs / "partners").iterdir()) == ["bank", "railway"]


def test_in_production_no_development_key_is_made(swgate: Swgate, certs: Path, tmp_path: Path) -> None:
    PartnersFile(environment="production").add_partner("bank").write(tmp_path / "partners.yaml")
    told = swgate("keys", "dev", "bank")
    assert told.code == 1
    assert "keys.development" in told.err
    assert not certs.exists()


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "Upper", ""])
def test_a_name_that_is_no_partners_id_is_a_usage_error(swgate: Swgate, tmp_path: Path, name: str) -> None:
    assert swgate("keys", "dev", name).code == 3
    assert not list(tmp_path.rglob("*.pem"))


def test_the_key_for_tls_proves_this_machine_and_signs_no_message(swgate: Swgate, certs: Path) -> None:
    assert swgate("keys", "dev").code == 0
    place = certs / "gateway" / "keys"
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(place / "tls.pem", place / "tls.key.pem")
    client = ssl.create_default_context(cafile=str(certs / "ca.pem"))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    for host in ("localhost", "127.0.0.1"):
        assert _handshake(server, client, host) in ("TLSv1.2", "TLSv1.3")
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(server, client, "customs.example")
    assert not (certs / "gateway" / "signing" / "tls.pem").exists()


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> str | None:
    """Both ends of TLS in memory; the version they agree on, or what the client finds wrong."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ends[0].version()


def test_the_list_names_every_certificate_and_shows_no_key(swgate: Swgate, certs: Path) -> None:
    swgate("keys", "dev", "bank")
    told = swgate("keys", "list", "--json")
    rows = {row["file"]: row for row in json.loads(told.out)}
    assert told.code == 0
    assert set(rows) == {path.relative_to(certs).as_posix() for path in certs.rglob("*.pem")} - set(keys_below(certs))
    assert rows["gateway/keys/rsa.pem"]["key"] is True
    assert rows["gateway/signing/rsa.pem"]["key"] is False
    assert "DEVELOPMENT" in rows["partners/bank/keys/ec.pem"]["subject"]
    assert 720 < rows["partners/bank/keys/ec.pem"]["days"] <= 730
    table = swgate("--lang", "zh", "keys", "list")
    assert "剩余天数" in table.out
    assert "PRIVATE" not in table.out + told.out


@pytest.mark.parametrize("problem", ["unreadable", "not_yet", "expired", "open"])
def test_what_cannot_be_used_is_named_and_fails(swgate: Swgate, certs: Path, problem: str) -> None:
    shift = {"not_yet": TEN_YEARS, "expired": -TEN_YEARS}.get(problem, timedelta())
    make_development_pki(certs, now=datetime.now(UTC) + shift)
    place = certs / "gateway" / "keys"
    if problem == "unreadable":
        (place / "rsa.pem").write_text("no certificate")
    elif problem == "open":
        (place / "rsa.key.pem").chmod(0o644)
    told = swgate("keys", "list", "--json")
    assert told.code == 1
    assert {row["file"]: row["problem"] for row in json.loads(told.out)}["gateway/keys/rsa.pem"] == problem
