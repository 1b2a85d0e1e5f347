"""The algorithms by name and by the URI that XML Signature gives them, and the public-key operation behind each.

A row is one algorithm: partners choose by name, messages say the URI, and a URI without a row does not exist for us. So
HMAC, SHA-1, MD5 and `none` cannot be allowed by a setting. Values of ECDSA are raw r||s here (XML Signature 1.1, 6.4.3; JWS
the same); a format that wants DER converts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

HASHES: Mapping[str, hashes.HashAlgorithm] = MappingProxyType(
    {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
)


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """One way to sign. family: the kind of key, as Signer.family says it; pss: RSASSA-PSS, salt as long as the digest."""

    name: str
    uri: str
    family: str
    hash: str
    pss: bool = False


_MORE_2001 = "http://www.w3.org/2001/04/xmldsig-more#"
_MORE_2007 = "http://www.w3.org/2007/05/xmldsig-more#"

SIGNATURES: Mapping[str, SignatureAlgorithm] = MappingProxyType(
    {
        row.name: row
        for row in (
            SignatureAlgorithm("rsa-sha256", _MORE_2001 + "rsa-sha256", "rsa", "sha256"),
            SignatureAlgorithm("rsa-sha384", _MORE_2001 + "rsa-sha384", "rsa", "sha384"),
            SignatureAlgorithm("rsa-sha512", _MORE_2001 + "rsa-sha512", "rsa", "sha512"),
            SignatureAlgorithm("rsa-pss-sha256", _MORE_2007 + "sha256-rsa-MGF1", "rsa", "sha256", pss=True),
            SignatureAlgorithm("rsa-pss-sha384", _MORE_2007 + "sha384-rsa-MGF1", "rsa", "sha384", pss=True),
            SignatureAlgorithm("rsa-pss-sha512", _MORE_2007 + "sha512-rsa-MGF1", "rsa", "sha512", pss=True),
            SignatureAlgorithm("ecdsa-sha256", _MORE_2001 + "ecdsa-sha256", "ec", "sha256"),
            SignatureAlgorithm("ecdsa-sha384", _MORE_2001 + "ecdsa-sha384", "ec", "sha384"),
        )
    }
)
SIGNATURE_BY_URI: Mapping[str, SignatureAlgorithm] = {row.uri: row for row in SIGNATURES.values()}

DIGESTS: Mapping[str, str] = MappingProxyType(
    {
        "sha256": "http://www.w3.org/2001/04/xmlenc#sha256",
        "sha384": _MORE_2001 + "sha384",
        "sha512": "http://www.w3.org/2001/04/xmlenc#sha512",
    }
)
DIGEST_BY_URI: Mapping[str, str] = {uri: name for name, uri in DIGESTS.items()}

# Neither form keeps comments: XML Signature 1.1, 4.4.3.3 takes them out of every reference we accept anyway.
CANONICALIZATIONS: Mapping[str, str] = MappingProxyType(
    {
        "exclusive": "http://www.w3.org/2001/10/xml-exc-c14n#",
        "inclusive": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    }
)
CANONICALIZATION_BY_URI: Mapping[str, str] = {uri: name for name, uri in CANONICALIZATIONS.items()}

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def signature_padding(algorithm: SignatureAlgorithm) -> padding.AsymmetricPadding:
    """RSASSA-PKCS1-v1_5, or PSS with MGF1 of the same hash and a salt of the digest's length (RFC 9231, 2.3.10)."""
    if not algorithm.pss:
        return padding.PKCS1v15()
    hashing = HASHES[algorithm.hash]
    return padding.PSS(mgf=padding.MGF1(hashing), salt_length=hashing.digest_size)


def verify_value(key: object, algorithm: SignatureAlgorithm, data: bytes, value: bytes) -> None:
    """Return when value is the signature of data by this key. InvalidSignature if not, and if the key is of another family."""
    _VERIFIERS[algorithm.family](key, algorithm, data, value)


def _verify_rsa(key: object, algorithm: SignatureAlgorithm, data: bytes, value: bytes) -> None:
    if not isinstance(key, rsa.RSAPublicKey):
        raise InvalidSignature
    key.verify(value, data, signature_padding(algorithm), HASHES[algorithm.hash])


def _verify_ec(key: object, algorithm: SignatureAlgorithm, data: bytes, value: bytes) -> None:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise InvalidSignature
    size = (key.curve.key_size + 7) // 8
    # DER has another length than this, and r and s lie between 1 and n-1 (FIPS 186-5, 6.4.2).
    if len(value) != 2 * size:
        raise InvalidSignature
    r, s = int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big")
    if not (0 < r < key.curve.group_order and 0 < s < key.curve.group_order):
        raise InvalidSignature
    key.verify(encode_dss_signature(r, s), data, ec.ECDSA(HASHES[algorithm.hash]))


_VERIFIERS: dict[str, Callable[[object, SignatureAlgorithm, bytes, bytes], None]] = {
    "rsa": _verify_rsa,
    "ec": _verify_ec,
}
