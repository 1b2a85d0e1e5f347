"""Keys are named by URI and opened as a Signer; nothing else in the gateway touches a private key.

    file:partners/keys/rsa.key.pem?passphrase_env=NAME   PEM (PKCS#8), encrypted or not, for its owner's eyes only (mode 600)
    env:NAME                                             the same PEM text in an environment variable

A relative path starts at the operator's folder of certificates. Certificates, leaf first, stand in a file of their own or
beside the key in its PEM. A key device joins as one more row of OPENERS: it returns a Signer and shows no key at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, Protocol
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from gateway.errors import Finding, NeedsOperator
from gateway.signing.algorithms import HASHES, SignatureAlgorithm, signature_padding
from gateway.signing.certificates import name_of

MINIMUM_RSA_BITS = 2048
CURVES = ("secp256r1", "secp384r1")


class Signer(Protocol):
    """A private key in use. family: ``rsa`` or ``ec`` (the family of a SignatureAlgorithm); chain: its certificate first."""

    @property
    def family(self) -> str: ...
    @property
    def chain(self) -> tuple[x509.Certificate, ...]: ...

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """The signature value of data; for ECDSA raw r||s, each as wide as the curve's order."""
        ...


@dataclass(frozen=True, slots=True)
class KeyPlaces:
    """Where keys are looked for: home is the folder that relative paths start at, environ the process's environment."""

    home: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)


class _PrivateKeySigner:
    """A Signer with its key in memory. Says of itself only its family and certificate; cannot be pickled."""

    __slots__ = ("__weakref__", "_key", "chain", "family")

    def __init__(
        self, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, chain: tuple[x509.Certificate, ...]
    ) -> None:
        self._key = key
        self.chain = chain
        self.family = "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ec"

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        if algorithm.family != self.family:
            _refuse("keys.family", found=self.family, expected=algorithm.name)
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, signature_padding(algorithm), HASHES[algorithm.hash])
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(HASHES[algorithm.hash])))
        size = (self._key.curve.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    def __repr__(self) -> str:
        return f"<Signer {self.family} {name_of(self.chain[0])}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer stays in its process")


def open_signer(uri: str, certificate: str, places: KeyPlaces) -> Signer:
    """The signer that a URI names, with the certificates that a second URI names ("" when they stand beside the key).

    NeedsOperator: ``keys.uri``, ``keys.unreadable``, ``keys.file_open``, ``keys.weak``, ``keys.mismatch``.
    """
    scheme = urlsplit(uri).scheme
    if scheme not in OPENERS:
        _refuse("keys.uri", found=_shown(uri), expected=", ".join(f"{name}:" for name in OPENERS))
    return OPENERS[scheme](uri, certificate, places)


def read_certificates(uri: str, places: KeyPlaces) -> tuple[x509.Certificate, ...]:
    """All certificates of the PEM that a ``file:`` or ``env:`` URI names, at least one. NeedsOperator ``keys.unreadable``."""
    return _certificates(_read(uri, places, private=False), uri)


def _open_pem(uri: str, certificate: str, places: KeyPlaces) -> Signer:
    pem = _read(uri, places, private=True)
    try:
        key = load_pem_private_key(pem, _passphrase(uri, places))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's text is left out on purpose: it may quote what it read.
        _refuse("keys.unreadable", found=_shown(uri), expected="a private key in PEM, and its passphrase if it has one")
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        _refuse("keys.weak", found=type(key).__name__, expected=f"RSA, or EC on {', '.join(CURVES)}")
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < MINIMUM_RSA_BITS:
        _refuse("keys.weak", found=f"RSA {key.key_size}", expected=f"RSA {MINIMUM_RSA_BITS} or more")
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name not in CURVES:
        _refuse("keys.weak", found=key.curve.name, expected=", ".join(CURVES))
    chain = read_certificates(certificate, places) if certificate else _certificates(pem, uri)
    if _public_bytes(chain[0]) != key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo):
        _refuse("keys.mismatch", found=name_of(chain[0]), expected=_shown(uri))
    return _PrivateKeySigner(key, chain)


def _public_bytes(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return b""


def _certificates(pem: bytes, uri: str) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError:
        _refuse("keys.unreadable", found=_shown(uri), expected="a certificate in PEM")


def _read(uri: str, places: KeyPlaces, *, private: bool) -> bytes:
    parts = urlsplit(uri)
    if parts.scheme == "env":
        text = places.environ.get(parts.path)
        if not text:
            _refuse("keys.unreadable", found=_shown(uri), expected="an environment variable that is set")
        return text.encode()
    if parts.scheme != "file" or parts.netloc or not parts.path:
        _refuse("keys.uri", found=_shown(uri), expected="file:path or env:NAME")
    path = places.home / parts.path
    try:
        if private and os.name == "posix" and path.stat().st_mode & 0o077:
            _refuse("keys.file_open", found=f"{parts.path}, mode {path.stat().st_mode & 0o777:o}", expected="mode 600")
        return path.read_bytes()
    except OSError as problem:
        _refuse("keys.unreadable", found=_shown(uri), expected=problem.strerror or "a file that can be read")


def _passphrase(uri: str, places: KeyPlaces) -> bytes | None:
    options = parse_qs(urlsplit(uri).query, keep_blank_values=True)
    if set(options) - {"passphrase_env"}:
        _refuse("keys.uri", found=_shown(uri), expected="no option but passphrase_env")
    if "passphrase_env" not in options:
        return None
    phrase = places.environ.get(options["passphrase_env"][0])
    if not phrase:
        _refuse("keys.unreadable", found=_shown(uri), expected="a passphrase in the environment")
    return phrase.encode()


def _shown(uri: str) -> str:
    """A key URI without its options; someone may have written a secret there."""
    return uri.partition("?")[0][:200] if urlsplit(uri).scheme in OPENERS else f"{urlsplit(uri).scheme[:20]}:..."


def _refuse(code: str, *, found: str, expected: str) -> NoReturn:
    raise NeedsOperator(f"{code}: {found}", [Finding(code, found=found, expected=expected)], code=code) from None


OPENERS: dict[str, Callable[[str, str, KeyPlaces], Signer]] = {"file": _open_pem, "env": _open_pem}
