"""base64Binary as XML Schema defines it, and with it every binary value of an XML signature.

White space of XML may stand anywhere and means nothing; every other sign counts. The bits that padding leaves over are zero, so that
the same bytes have one spelling.
Source: XML Schema part 2, second edition, 3.2.16; XML Signature 1.1, 4.1 (ds:CryptoBinary and the values are base64Binary).
"""

from __future__ import annotations

import binascii

from gateway.syntax.white_space import WHITE_SPACE

_NO_WHITE_SPACE = str.maketrans(dict.fromkeys(WHITE_SPACE))
# What may stand before the padding, by how many signs of padding follow.
_LAST = {1: "AEIMQUYcgkosw048", 2: "AQgw"}


def to_bytes(text: str) -> bytes:
    """The bytes that a text stands for. ValueError where it is no base64Binary."""
    signs = text.translate(_NO_WHITE_SPACE)
    data = binascii.a2b_base64(signs, strict_mode=True)
    # Python's strict reading lets a sign of padding behind a full group of four pass, and bits that are left over.
    padding = len(signs) - len(signs.rstrip("="))
    if len(signs) % 4 or (padding and signs[-padding - 1] not in _LAST[padding]):
        raise ValueError("padded otherwise than its bytes want it")
    return data
