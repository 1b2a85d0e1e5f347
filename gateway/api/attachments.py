"""Which media types may be uploaded, and how the bytes of each begin: what is said of a file is held against the file itself.

Signatures are those of the formats' own standards: ISO 32000-1 section 7.5.2 (PDF), ISO/IEC 10918-1 (JPEG), ISO/IEC 15948 section 5.2
(PNG), TIFF 6.0 section 2, and the ZIP application note 4.3.7, which OOXML (ISO/IEC 29500-2) and OFD (GB/T 33190) are made with.
"""

from __future__ import annotations

import codecs

# So many bytes of a file tell what it is.
HEAD_BYTES = 1024

_ZIP = (b"PK\x03\x04",)
SIGNATURES: dict[str, tuple[bytes, ...]] = {
    "application/pdf": (b"%PDF-",),
    "application/ofd": _ZIP,
    "application/zip": _ZIP,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _ZIP,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": _ZIP,
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/tiff": (b"II*\x00", b"MM\x00*"),
}
# Text of any beginning, but text: no NUL, and none of the signatures above. Of those with a mark the first sign is that mark.
MARKS = {"application/xml": b"<", "text/xml": b"<", "text/plain": b"", "text/csv": b""}
MEDIA_TYPES = (*SIGNATURES, *MARKS)


def found_type(head: bytes) -> str:
    """What bytes are by how they begin: a media type with a signature, ``text/plain``, or "" for anything else."""
    for media_type, signatures in SIGNATURES.items():
        if head.startswith(signatures):
            return media_type
    return "" if b"\x00" in head or head.startswith((b"MZ", b"\x7fELF")) else "text/plain"


def is_what_it_says(media_type: str, head: bytes) -> bool:
    """Whether bytes that begin so can be of this media type. head: the first HEAD_BYTES, or all there are."""
    if media_type in SIGNATURES:
        return head.startswith(SIGNATURES[media_type])
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    return found_type(head) == "text/plain" and text.startswith(MARKS[media_type])
