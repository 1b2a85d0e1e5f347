"""Keys and certificates for trying things out: one authority, and for the gateway and each partner signing keys and one for TLS.

    <folder>/ca.pem, ca.key.pem
    <folder>/gateway/keys/{rsa,ec,tls}.pem, {rsa,ec,tls}.key.pem   leaf certificate with the authority's, and its key
    <folder>/gateway/signing/{rsa,ec}.pem                          the same leaf alone: what a partner trusts
    <folder>/partners/<id>/keys/..., <folder>/partners/<id>/signing/...

Leaves are pinned, so that one partner's key never signs for another. The one for TLS signs no message; it proves a server on this
machine, or a client. Every subject says DEVELOPMENT. Nothing that is there is written over.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 730
SIGNING, TLS = ("rsa", "ec"), "tls"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def make_development_pki(folder: Path, partners: Iterable[str] = (), *, now: datetime | None = None) -> list[Path]:
    """Make what is absent below folder and return the files written; now: the moment validity starts (a day earlier)."""
    start = (now or datetime.now(UTC)) - timedelta(days=1)
    written: list[Path] = []
    authority_file, key_file = folder / "ca.pem", folder / "ca.key.pem"
    if not (authority_file.exists() and key_file.exists()):
        key = ec.generate_private_key(ec.SECP256R1())
        written += _write(key_file, _private_pem(key))
        written += _write(authority_file, issue("authority", key, key, None, start).public_bytes(Encoding.PEM))
    authority_key = load_pem_private_key(key_file.read_bytes(), None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    authority = x509.load_pem_x509_certificate(authority_file.read_bytes())
    members = {"gateway": folder / "gateway"} | {name: folder / "partners" / name for name in partners}
    for name, place in members.items():
        for kind in (*SIGNING, TLS):
            if not (place / "keys" / f"{kind}.key.pem").exists():
                written += _member(place, name, kind, authority, authority_key, start)
    return written


def issue(
    name: str,
    key: PrivateKey,
    issuer_key: PrivateKey,
    issuer: x509.Certificate | None,
    start: datetime,
    *,
    tls: bool = False,
) -> x509.Certificate:
    """A certificate for key: an authority's own when issuer is None, else a leaf that signs messages or, with tls, speaks TLS."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "DEVELOPMENT - not for production"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{name} DEVELOPMENT"),
        ]
    )
    leaf = issuer is not None
    usage = {
        "digital_signature": leaf,
        "content_commitment": leaf,
        "key_encipherment": False,
        "data_encipherment": False,
        "key_agreement": False,
        "key_cert_sign": not leaf,
        "crl_sign": not leaf,
        "encipher_only": False,
        "decipher_only": False,
    }
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=not leaf, path_length=None if leaf else 1), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if tls:
        for extension in (_THIS_MACHINE, _BOTH_ENDS):
            builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


_THIS_MACHINE = x509.SubjectAlternativeName(
    [x509.DNSName("localhost"), *(x509.IPAddress(ipaddress.ip_address(one)) for one in ("127.0.0.1", "::1"))]
)
_BOTH_ENDS = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])


def _member(
    place: Path, name: str, kind: str, authority: x509.Certificate, authority_key: PrivateKey, start: datetime
) -> list[Path]:
    key: PrivateKey = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if kind == "rsa"
        else ec.generate_private_key(ec.SECP256R1())
    )
    leaf = issue(name, key, authority_key, authority, start, tls=kind == TLS).public_bytes(Encoding.PEM)
    return [
        *_write(place / "keys" / f"{kind}.pem", leaf + authority.public_bytes(Encoding.PEM)),
        *(_write(place / "signing" / f"{kind}.pem", leaf) if kind in SIGNING else ()),
        *_write(place / "keys" / f"{kind}.key.pem", _private_pem(key)),
    ]


def _private_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, data: bytes) -> list[Path]:
    """Write a file for its owner alone, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    path.chmod(0o600)
    return [path]
