"""The one XML parser of the gateway: bytes in, tree or refusal out.

Rule 1: a document type declaration of any kind is refused before anything is expanded; so there are no entities but the
        five of XML itself, and nothing is ever fetched: no DTD, no XInclude, no schema location, no stylesheet.
Rule 2: bytes become text here, once, by a codec that refuses what it cannot read; libxml2 is only ever given UTF-8.
        Read are UTF-8 (with or without byte order mark), UTF-16 with one, and GBK or GB18030 where declared (senders in
        China); every other declared encoding, and a declaration that its bytes contradict, is refused.
Rule 3: size is bounded before parsing where the bytes show it, and by libxml2's own limits (256 levels, 10 MB of text)
        where they do not. Small messages, nearly all, pay only for a few searches in their bytes.
Rule 4: comments and processing instructions stay in the tree, unread: a signature may cover them.
"""

from __future__ import annotations

import codecs
import re
import threading
from dataclasses import dataclass
from typing import cast

from lxml import etree

from gateway.errors import Finding, NotWellFormed


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message may weigh. text and attribute are bytes of one value; depth cannot exceed libxml2's 256."""

    bytes: int = 20 * 1024 * 1024
    depth: int = 256
    elements: int = 200_000
    attributes: int = 256  # on one element
    attribute: int = 256 * 1024
    text: int = 8 * 1024 * 1024
    namespaces: int = 1_000  # declarations in the whole message


DEFAULT = Limits()

# Below this size the bytes cannot hold enough of anything to harm; only declarations are looked for.
SMALL = 64 * 1024

_ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "utf-16": "utf-16",
    "gbk": "gb18030",  # GB18030 reads all of GBK and GB2312
    "gb2312": "gb18030",
    "gb18030": "gb18030",
    "cp936": "gb18030",
}
_DECLARATION = re.compile(
    r"<\?xml\s+version\s*=\s*([\"'])([^\"'<]*)\1(?:\s+encoding\s*=\s*([\"'])([^\"'<]*)\3)?[^<>]*\?>"
)
# What nearly every sender writes, and we.
_USUAL_PROLOG = b'<?xml version="1.0" encoding="UTF-8"?>'
_IS_DECLARED = re.compile(r"<\?xml[\s?]")  # not xml-stylesheet
_PROLOG_ITEM = re.compile(rb"\s+|<!--.*?-->|<\?.*?\?>", re.DOTALL)
_TAG_NAME = re.compile(rb"<[^\s=\"'<>/!?]+\s*")
_ATTRIBUTE = re.compile(rb"[^\s=\"'<>/]+\s*=\s*(\"[^\"<]*\"|'[^'<]*')\s*")

_TOO_MUCH = re.compile(r"excessive|too (big|long|large)|huge", re.IGNORECASE)

_parsers = threading.local()


def parse(data: bytes, *, limits: Limits = DEFAULT) -> etree._Element:
    """The root of a message.

    Raises NotWellFormed with one finding that has line and column; what is too much of everything has those of the beginning.
    """
    if len(data) > limits.bytes:
        place, found = _place(data, limits.bytes), f"{len(data)} bytes"
        raise _refused("syntax.xml.too_large", **place, found=found, expected=f"at most {limits.bytes}")
    text = _as_utf8(data)
    _refuse_declarations(text, limits)
    if len(text) > SMALL:
        _refuse_bulk(text, limits)
    try:
        root = etree.fromstring(text, _parser())
    except etree.XMLSyntaxError as error:
        raise _not_well_formed(error) from None
    if limits.depth < DEFAULT.depth:
        _refuse_depth(root, limits.depth)
    return root


def _parser() -> etree.XMLParser:
    """A parser of this thread, since one parser serves one caller at a time."""
    parser: etree.XMLParser | None = getattr(_parsers, "xml", None)
    if parser is None:
        parser = etree.XMLParser(
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            attribute_defaults=False,
            huge_tree=False,
            recover=False,
            collect_ids=False,
        )
        _parsers.xml = parser
    return parser


def _as_utf8(data: bytes) -> bytes:
    """The message in UTF-8 without byte order mark. The declared name stays in the prolog, and is not read again."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = _decoded(data, "utf-16")
        _check_declared(text, {"utf-16"})
        return _plain(text.encode("utf-8"))
    data = _plain(data.removeprefix(codecs.BOM_UTF8))
    if data.startswith(_USUAL_PROLOG):
        _decoded(data, "utf-8")
        return data
    head = data[:256].decode("ascii", "replace")
    codec = _check_declared(head, {"utf-8", "ascii", "gb18030"})
    if codec == "gb18030":
        return _plain(_decoded(data, codec).encode("utf-8"))
    _decoded(data, codec)
    return data


def _plain(data: bytes) -> bytes:
    """The bytes themselves, if they hold no NUL and no further byte order mark, which libxml2 would skip unsaid."""
    if b"\0" in data:
        raise _refused(
            "syntax.xml.encoding", **_place(data, data.index(b"\0")), found="NUL", expected="text without NUL"
        )
    if data.startswith(codecs.BOM_UTF8):
        raise _refused("syntax.xml.not_well_formed", partner_place="line 1, column 1", found="a second byte order mark")
    return data


def _check_declared(head: str, allowed: set[str]) -> str:
    """The codec that the XML declaration names, UTF-8 where it names none."""
    if not _IS_DECLARED.match(head):
        return "utf-8"
    declaration = _DECLARATION.match(head)
    if declaration is None:
        raise _refused("syntax.xml.not_well_formed", partner_place="line 1, column 1", found="a broken XML declaration")
    if declaration[2] != "1.0":
        raise _refused("syntax.xml.version", partner_place="line 1, column 1", found=declaration[2], expected="1.0")
    declared = declaration[4]
    codec = _ENCODINGS.get(declared.lower()) if declared else None
    if declared and codec not in allowed:
        readable = "UTF-8, UTF-16 with byte order mark, GBK, GB18030"
        raise _refused("syntax.xml.encoding", partner_place="line 1, column 1", found=declared, expected=readable)
    return codec or ("utf-16" if "utf-16" in allowed else "utf-8")


def _decoded(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        found = data[error.start : error.start + 1].hex()
        raise _refused(
            "syntax.xml.encoding", **_place(data, error.start), found=f"byte {found}", expected=codec
        ) from None


def _refuse_declarations(text: bytes, limits: Limits) -> None:
    if b"<!DOCTYPE" in text:
        start = 0
        while item := _PROLOG_ITEM.match(text, start):
            start = item.end()
        if text.startswith(b"<!DOCTYPE", start):  # elsewhere it is a comment, a CDATA section, or not well formed
            raise _refused(
                "syntax.xml.doctype", **_place(text, start), found="<!DOCTYPE", expected="no document type declaration"
            )
    declared = text.count(b"xmlns")
    if declared > limits.namespaces:
        found = f"{declared} namespaces"
        raise _refused("syntax.xml.too_large", **_place(text, 0), found=found, expected=f"at most {limits.namespaces}")


def _refuse_bulk(text: bytes, limits: Limits) -> None:
    """Limits that the bytes show: no start tag holds a `<`, so what lies between two of them bounds tag and text."""
    marks = text.count(b"<")
    if marks > 2 * limits.elements:
        found = f"{marks} tags"
        raise _refused(
            "syntax.xml.too_large", **_place(text, 0), found=found, expected=f"at most {2 * limits.elements}"
        )
    start = 0
    while start >= 0:
        end = text.find(b"<", start + 1)
        if (end if end >= 0 else len(text)) - start > SMALL // 4:
            _refuse_long_stretch(text, start, end if end >= 0 else len(text), limits)
        start = end


def _refuse_long_stretch(text: bytes, start: int, end: int, limits: Limits) -> None:
    """One tag and the text behind it: count its attributes, stop as soon as there are too many or one is too long."""
    name = _TAG_NAME.match(text, start, end)
    if name is None:  # a comment, CDATA section or instruction, which libxml2 bounds
        tag_end = start
    else:
        tag_end, count = name.end(), 0
        while attribute := _ATTRIBUTE.match(text, tag_end, end):
            tag_end, count = attribute.end(), count + 1
            if count > limits.attributes:
                raise _refused(
                    "syntax.xml.too_large", **_place(text, start), expected=f"at most {limits.attributes} attributes"
                )
            if attribute.end() - attribute.start() > limits.attribute:
                found = f"an attribute of {attribute.end() - attribute.start()} bytes"
                raise _refused(
                    "syntax.xml.too_large", **_place(text, start), found=found, expected=f"at most {limits.attribute}"
                )
    if end - tag_end > limits.text:
        found = f"a text of {end - tag_end} bytes"
        raise _refused("syntax.xml.too_large", **_place(text, start), found=found, expected=f"at most {limits.text}")


def _refuse_depth(root: etree._Element, depth: int) -> None:
    if root.xpath(f"boolean({'/*' * (depth + 1)})"):
        # Asked for only now: to look for the element itself costs more than to know that there is one.
        deepest = cast("list[etree._Element]", root.xpath(f"({'/*' * (depth + 1)})[1]"))
        found = f"deeper than {depth} levels"
        place = f"line {deepest[0].sourceline}"
        raise _refused("syntax.xml.too_large", partner_place=place, found=found, expected=f"at most {depth}")


def _not_well_formed(error: etree.XMLSyntaxError) -> NotWellFormed:
    line, column = error.position
    said = error.msg.split(", line ")[0] if error.msg else "no document"
    code = "syntax.xml.too_large" if _TOO_MUCH.search(said) else "syntax.xml.not_well_formed"
    return _refused(code, partner_place=f"line {line}, column {column}", found=said)


def _place(data: bytes, offset: int) -> dict[str, str]:
    line = data.count(b"\n", 0, offset) + 1
    column = offset - data.rfind(b"\n", 0, offset)
    return {"partner_place": f"line {line}, column {column}"}


def _refused(code: str, *, partner_place: str, found: str | None = None, expected: str | None = None) -> NotWellFormed:
    finding = Finding(code=code, partner_place=partner_place, found=found, expected=expected, source="XML 1.0")
    return NotWellFormed(f"the XML is refused at {partner_place}: {found or expected}", [finding], code=code)
