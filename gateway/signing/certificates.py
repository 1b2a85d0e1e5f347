"""Certificates as a signature brings them and as a person reads of them."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from gateway.syntax import base64_binary

# What reading a hostile certificate may raise; the library parses many parts only when they are asked for.
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


@lru_cache(maxsize=512)
def of_base64(text: str) -> x509.Certificate:
    """The certificate that base64 text with any white space of XML holds in DER. Raises one of UNREADABLE.

    Remembered by its text: a partner sends the same one with every message, and reading it costs more than verifying.
    """
    return x509.load_der_x509_certificate(base64_binary.to_bytes(text))


def name_of(certificate: x509.Certificate) -> str:
    """What a person needs to find a certificate: subject, serial number in hex, and when it ends."""
    try:
        end = certificate.not_valid_after_utc.isoformat().replace("+00:00", "Z")
        return f"{certificate.subject.rfc4514_string()} (serial {certificate.serial_number:X}, until {end})"
    except UNREADABLE:
        return "a certificate that cannot be read"


# Files of which the end is told; a folder of more is no folder of keys.
MOST_FILES = 500
DAY_S = 86_400


def days_left(folder: Path, now: datetime) -> dict[str, float]:
    """Days until the first certificate of each PEM file below folder ends, by the file's name there. now carries an offset."""
    found: dict[str, float] = {}
    for path in sorted(folder.rglob("*.pem"))[:MOST_FILES]:
        if path.name.endswith(".key.pem"):
            continue
        try:
            end = x509.load_pem_x509_certificates(path.read_bytes())[0].not_valid_after_utc
        except (OSError, *UNREADABLE):
            continue
        found[path.relative_to(folder).as_posix()] = (end - now).total_seconds() / DAY_S
    return found
