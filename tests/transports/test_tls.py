"""Whom the gateway talks to: the authority, the host name and the client certificate decide before anything arrives."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.agreements import Agreement
from gateway.errors import NeedsOperator, OutcomeUnknown, PartnerUnavailable
from gateway.ports import Outgoing, Transport
from gateway.testing.partners import HttpAnswer, HttpPartner
from gateway.transports import open_transport

Make = Callable[..., Agreement]
Https = Callable[..., Transport]
MESSAGE = Outgoing("01message", "a.xml", b"<a/>", "application/xml", 1)
HERE, ELSEWHERE = "127.0.0.1", "192.0.2.1"


@dataclass(frozen=True, slots=True)
class Authority:
    """A development authority: file is its certificate; leaf() writes a certificate and its key beside it."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}.pem"

    def leaf(self, name: str, host: str = "") -> tuple[Path, Path]:
        """A server's certificate where host, an IP address, is given, else a client's."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if host else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = self._begun(name, key).add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if host:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
            builder = builder.add_extension(names, critical=False)
        certificate, key_file = self.folder / f"{name}.pem", self.folder / f"{name}.key.pem"
        certificate.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM))
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, key_file

    def write(self) -> None:
        own = self._begun(self.name, self.key).sign(self.key, hashes.SHA256())
        self.file.write_bytes(own.public_bytes(Encoding.PEM))

    def _begun(self, name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        start = datetime.now(UTC) - timedelta(days=1)
        leaf = key is not self.key
        usage = {
            "digital_signature": leaf,
            "content_commitment": False,
            "key_encipherment": False,
            "data_encipherment": False,
            "key_agreement": False,
            "key_cert_sign": not leaf,
            "crl_sign": not leaf,
            "encipher_only": False,
            "decipher_only": False,
        }
        return (
            x509.CertificateBuilder()
            .subject_name(_called(name))
            .issuer_name(_called(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=3))
            .add_extension(x509.BasicConstraints(ca=not leaf, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} DEVELOPMENT")])


@pytest.fixture
def authority(tmp_path: Path) -> Callable[[str], Authority]:
    def make(name: str) -> Authority:
        one = Authority(tmp_path, name)
        one.write()
        return one

    return make


@pytest.fixture
def ours(authority: Callable[[str], Authority]) -> Authority:
    """The authority that the agreement names."""
    return authority("ours")


@dataclass(slots=True)
class Served:
    url: str = ""
    came: list[bytes] = field(default_factory=list)


Serve = Callable[..., Served]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A partner with this certificate; clients: the authority whose clients alone it lets in."""
    running: list[HttpPartner] = []

    def start(
        certificate: tuple[Path, Path], clients: Authority | None = None, version: ssl.TLSVersion | None = None
    ) -> Served:
        served = Served()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        if version:
            context.minimum_version = context.maximum_version = version
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients.file)

        def answer(_method: str, _path: str, _headers: Mapping[str, str], body: bytes) -> HttpAnswer:
            served.came.append(body)
            return HttpAnswer(202)

        running.append(HttpPartner(answer, tls=context).__enter__())
        served.url = f"{running[-1].url}/in"
        return served

    yield start
    for partner in running:
        partner.close()


@pytest.fixture
def https(agreement: Make, tmp_path: Path) -> Iterator[Https]:
    opened: list[Transport] = []

    def make(url: str, **settings: Any) -> Transport:
        given = {"url": url, "ca": "ours.pem", "connect_timeout_s": 2, "read_timeout_s": 2} | settings
        opened.append(open_transport(agreement("http", environment="production", **given), tmp_path))
        return opened[-1]

    yield make
    for transport in opened:
        transport.close()


def test_a_partner_of_the_authority_that_the_agreement_names_gets_the_message(
    ours: Authority, serve: Serve, https: Https
) -> None:
    partner = serve(ours.leaf("partner", HERE))
    transport = https(partner.url, status_url=partner.url)
    assert transport.send(MESSAGE).note == "HTTP 202"
    assert partner.came == [MESSAGE.data]
    transport.locate(MESSAGE)
    assert len(partner.came) == 2


def test_a_partner_of_another_authority_gets_nothing(
    ours: Authority, authority: Callable[[str], Authority], serve: Serve, https: Https
) -> None:
    partner = serve(authority("theirs").leaf("partner", HERE))
    transport = https(partner.url, status_url=partner.url)
    with pytest.raises(PartnerUnavailable, match="SSLCertVerificationError"):
        transport.send(MESSAGE)
    with pytest.raises(PartnerUnavailable):
        transport.locate(MESSAGE)
    assert partner.came == []


def test_an_authority_named_by_the_environment_is_not_trusted(
    ours: Authority,
    authority: Callable[[str], Authority],
    serve: Serve,
    https: Https,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = authority("theirs")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(theirs.file))
    partner = serve(theirs.leaf("partner", HERE))
    with pytest.raises(PartnerUnavailable):
        https(partner.url).send(MESSAGE)
    assert partner.came == []


def test_a_partner_with_the_certificate_of_another_host_gets_nothing(
    ours: Authority, serve: Serve, https: Https
) -> None:
    partner = serve(ours.leaf("partner", ELSEWHERE))
    with pytest.raises(PartnerUnavailable, match="IP address mismatch"):
        https(partner.url).send(MESSAGE)
    assert partner.came == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_partner_that_demands_a_certificate_gets_ours(
    ours: Authority, serve: Serve, https: Https, version: ssl.TLSVersion
) -> None:
    partner = serve(ours.leaf("partner", HERE), ours, version)
    certificate, key = ours.leaf("gateway")
    assert https(partner.url, client_certificate=certificate.name, client_key=key.name).send(MESSAGE)
    both = certificate.with_name("both.pem")
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    assert https(partner.url, client_certificate=both.name).send(MESSAGE)
    assert partner.came == [MESSAGE.data] * 2


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("shown", ["none", "of another authority"])
def test_a_partner_that_demands_a_certificate_gets_nothing_from_who_has_no_good_one(
    ours: Authority,
    authority: Callable[[str], Authority],
    serve: Serve,
    https: Https,
    version: ssl.TLSVersion,
    shown: str,
) -> None:
    partner = serve(ours.leaf("partner", HERE), ours, version)
    settings = {}
    if shown != "none":
        certificate, key = authority("theirs").leaf("gateway")
        settings = {"client_certificate": certificate.name, "client_key": key.name}
    # In TLS 1.3 the refusal may be lost in the reset that follows it, and then nobody knows.
    later = (OutcomeUnknown,) if version is ssl.TLSVersion.TLSv1_3 else ()
    with pytest.raises((PartnerUnavailable, *later)):
        https(partner.url, **settings).send(MESSAGE)
    assert partner.came == []


@pytest.mark.parametrize("behaviour", ["silent", "closes", "no TLS"])
def test_without_a_handshake_nothing_has_arrived(ours: Authority, https: Https, behaviour: str) -> None:
    with socket.create_server((HERE, 0)) as listener:
        done = threading.Event()

        def accept() -> None:
            connection, _ = listener.accept()
            with connection:
                if behaviour == "silent":
                    done.wait(10)
                connection.recv(65_536)
                if behaviour == "no TLS":
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=accept)
        thread.start()
        with pytest.raises(PartnerUnavailable):
            https(f"https://{HERE}:{listener.getsockname()[1]}/", connect_timeout_s=0.3).send(MESSAGE)
        done.set()
        thread.join()


def test_tls_that_breaks_after_sending_is_an_unknown_outcome(ours: Authority, https: Https) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*ours.leaf("partner", HERE))
    came: list[bytes] = []
    with socket.create_server((HERE, 0)) as listener:

        def accept() -> None:
            plain, _ = listener.accept()
            with context.wrap_socket(plain, server_side=True) as connection:
                while MESSAGE.data not in b"".join(came):
                    came.append(connection.recv(65_536))
                # A record below TLS that no key of this connection has made.
                with socket.socket(fileno=connection.detach()) as below:
                    below.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))

        thread = threading.Thread(target=accept)
        thread.start()
        with pytest.raises(OutcomeUnknown):
            https(f"https://{HERE}:{listener.getsockname()[1]}/").send(MESSAGE)
        thread.join()
    assert MESSAGE.data in b"".join(came)


@pytest.mark.parametrize("wrong", ["ca is no PEM", "key of another", "key behind a passphrase"])
def test_files_of_ours_that_cannot_be_used_need_an_operator(
    ours: Authority, serve: Serve, https: Https, tmp_path: Path, wrong: str
) -> None:
    partner = serve(ours.leaf("partner", HERE))
    certificate, key = ours.leaf("gateway")
    if wrong == "ca is no PEM":
        (tmp_path / "ours.pem").write_text("not a certificate")
    elif wrong == "key of another":
        key = ours.leaf("another")[1]
    else:
        locked = load_pem_private_key(key.read_bytes(), None)
        key.write_bytes(locked.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    with pytest.raises(NeedsOperator) as problem:
        https(partner.url, client_certificate=certificate.name, client_key=key.name).send(MESSAGE)
    place = "/transport/ca" if wrong == "ca is no PEM" else "/transport/client_certificate"
    assert [(found.code, found.pointer) for found in problem.value.findings] == [("transport.setting", place)]
    assert partner.came == []
