"""Whom we trust for one partner and one use: a folder of PEM certificates, and a strict path from a signer to it.

    <partner>/<use>/*.pem      use is ``signing``, later also ``tls`` and ``encryption``

A certificate in the folder is trusted itself (pinned); one that is a certificate authority is also trusted to issue. Old and
new certificates stand side by side, and each counts while it is valid. A path (RFC 5280, section 6, without policies) is at
most three certificates long: signer, one intermediate that the message brought, anchor. An extension that is
critical and not understood here, and any name constraint, ends the path: it cannot be honoured, so it is not ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtensionOID

from gateway.errors import Finding, NeedsOperator, NotTrusted
from gateway.signing.certificates import UNREADABLE, name_of
from gateway.signing.keys import CURVES, MINIMUM_RSA_BITS

LONGEST_PATH = 3
CACHED_PATHS = 256

_UNDERSTOOD = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.CERTIFICATE_POLICIES,
}
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


@dataclass(frozen=True, slots=True)
class TrustedSigner:
    """A signer that the store vouches for. path: signer first, what we hold ourselves last."""

    path: tuple[x509.Certificate, ...]
    key: object

    @property
    def certificate(self) -> x509.Certificate:
        return self.path[0]


class TrustStore:
    """The certificates of one partner and use. Reads its folder once; ask `stale` whether to make a new one."""

    def __init__(self, certificates: Iterable[x509.Certificate], *, folder: Path | None = None) -> None:
        self._trusted = tuple(dict.fromkeys(certificates))
        self._folder = folder
        self._stamp = _stamp(folder) if folder else ()
        self._paths: dict[tuple[x509.Certificate, ...], TrustedSigner] = {}

    @classmethod
    def of_folder(cls, folder: Path, use: str = "signing") -> TrustStore:
        """The store of ``<folder>/<use>/*.pem``. NeedsOperator ``keys.trust_empty`` or ``keys.unreadable``."""
        place = folder / use
        stamped = cls((), folder=place)
        found: list[x509.Certificate] = []
        for path in sorted(place.glob("*.pem")):
            try:
                found += x509.load_pem_x509_certificates(path.read_bytes())
            except (OSError, ValueError):
                finding = Finding("keys.unreadable", found=str(path), expected="certificates in PEM")
                raise NeedsOperator(f"cannot read {path.name}", [finding], code="keys.unreadable") from None
        if not found:
            finding = Finding("keys.trust_empty", found=str(place), expected="one *.pem file or more")
            raise NeedsOperator(f"nobody is trusted in {place}", [finding], code="keys.trust_empty")
        stamped._trusted = tuple(dict.fromkeys(found))
        return stamped

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        return self._trusted

    def stale(self) -> bool:
        """Whether the folder has changed since it was read."""
        return self._folder is not None and _stamp(self._folder) != self._stamp

    def signer(self, presented: Sequence[x509.Certificate], now: datetime) -> TrustedSigner:
        """Whom to believe, of the certificates that a message brought. NotTrusted with one finding ``trust.certificate.*``.

        The signer is the one certificate among them that issued none of the others; now carries an offset.
        """
        key = tuple(presented)
        known = self._paths.get(key)
        if known is None:
            known = self._find(_leaf_of(presented), presented)
            if len(self._paths) >= CACHED_PATHS:
                self._paths.clear()
            self._paths[key] = known
        for certificate in known.path:
            _check_dates(certificate, now)
        return known

    def _find(self, leaf: x509.Certificate, presented: Sequence[x509.Certificate]) -> TrustedSigner:
        try:
            pinned = leaf in self._trusted
            path = (leaf,) if pinned else self._path(leaf, presented)
            for certificate in path:
                _check_strength(certificate)
                _check_extensions(certificate)
            for issued in path[:-1]:  # what we hold ourselves is believed without its signature
                if not isinstance(issued.signature_hash_algorithm, _HASHES):
                    _refuse("trust.certificate.weak", issued, expected="a certificate signed with SHA-256 or better")
            _check_signer_usage(leaf, pinned=pinned)
            return TrustedSigner(path, leaf.public_key())
        except UNREADABLE:
            _refuse("trust.certificate.unreadable", leaf, expected="a certificate of X.509 version 3")

    def _path(self, leaf: x509.Certificate, presented: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
        path = self._anchored((leaf,))
        for middle in presented:
            if path is None and middle != leaf and _issued(middle, leaf, below=0):
                path = self._anchored((leaf, middle))
        if path is None:
            _refuse("trust.certificate.unknown", leaf, expected=f"a certificate of {self._folder or 'the trust store'}")
        return path

    def _anchored(self, path: tuple[x509.Certificate, ...]) -> tuple[x509.Certificate, ...] | None:
        """The path with the authority of ours that issued its last certificate; None when none did."""
        return next(((*path, one) for one in self._trusted if _issued(one, path[-1], below=len(path) - 1)), None)


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, change times and sizes of a folder's files: what tells that it is still as it was read."""
    try:
        return tuple(sorted((p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in folder.glob("*.pem")))
    except OSError:
        return ()


def _leaf_of(presented: Sequence[x509.Certificate]) -> x509.Certificate:
    if not 0 < len(presented) <= LONGEST_PATH:
        finding = Finding("trust.certificate.ambiguous", found=str(len(presented)), expected="the signer's certificate")
        raise NotTrusted("the message must bring its signer's certificate, and few others", [finding])
    try:
        leaves = [
            one for one in presented if not any(other != one and other.issuer == one.subject for other in presented)
        ]
    except UNREADABLE:
        leaves = []
    if len(leaves) != 1:
        finding = Finding("trust.certificate.ambiguous", found=str(len(leaves)), expected="1")
        raise NotTrusted("it is not clear whose signature this is", [finding])
    return leaves[0]


def _issued(issuer: x509.Certificate, subject: x509.Certificate, *, below: int) -> bool:
    """Whether issuer is an authority and signed subject; below: how many authorities stand between it and the signer."""
    try:
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
        if not basic.ca or not usage.key_cert_sign:
            return False
        if basic.path_length is not None and basic.path_length < below:
            return False
        subject.verify_directly_issued_by(issuer)
    except (InvalidSignature, x509.ExtensionNotFound, *UNREADABLE):
        return False
    return True


def _check_strength(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MINIMUM_RSA_BITS:
            _refuse("trust.certificate.weak", certificate, expected=f"RSA {MINIMUM_RSA_BITS} or more")
    elif not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
        _refuse("trust.certificate.weak", certificate, expected=f"RSA, or EC on {', '.join(CURVES)}")


def _check_extensions(certificate: x509.Certificate) -> None:
    for extension in certificate.extensions:
        named = extension.oid == ExtensionOID.NAME_CONSTRAINTS
        if named or (extension.critical and extension.oid not in _UNDERSTOOD):
            _refuse("trust.certificate.extension", certificate, expected=f"no extension {extension.oid.dotted_string}")


def _check_signer_usage(leaf: x509.Certificate, *, pinned: bool) -> None:
    """A signer needs digitalSignature. One that was pinned by hand may carry no key usage at all, as home-made ones do."""
    values = {extension.oid: extension.value for extension in leaf.extensions}
    usage, basic = values.get(ExtensionOID.KEY_USAGE), values.get(ExtensionOID.BASIC_CONSTRAINTS)
    allowed = usage.digital_signature if isinstance(usage, x509.KeyUsage) else pinned
    authority = isinstance(basic, x509.BasicConstraints) and basic.ca
    if not allowed or (authority and not pinned):
        _refuse("trust.certificate.usage", leaf, expected="key usage digitalSignature")


def _check_dates(certificate: x509.Certificate, now: datetime) -> None:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < start:
        _refuse("trust.certificate.not_yet", certificate, expected=f"valid from {start.isoformat()}")
    if now > end:
        _refuse("trust.certificate.expired", certificate, expected=f"valid at {now.isoformat()}")


def _refuse(code: str, certificate: x509.Certificate, *, expected: str) -> NoReturn:
    found = name_of(certificate)
    raise NotTrusted(f"{code}: {found}", [Finding(code, found=found, expected=expected)])
