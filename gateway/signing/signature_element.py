"""Reading a ds:Signature: its parts by name and in order, and nothing else.

Rule 1: an element, attribute, comment, instruction or text that has no use here is refused, not skipped; so no second reader
        can see another signature in the same bytes (a comment inside DigestValue is such a trick).
Rule 2: what is read is claims. gateway.signing.xmldsig compares them with the policy.
Source: XML Signature Syntax and Processing 1.1, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from cryptography import x509
from lxml import etree

from gateway.errors import Finding, NotTrusted
from gateway.signing import certificates
from gateway.syntax import base64_binary
from gateway.syntax.white_space import trimmed, words

DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
SIGNATURE = f"{{{DS}}}Signature"

_PREFIX = f"{{{DS}}}"
_LONGEST_PREFIX_LIST = 32
_UNREAD_X509_DATA = {f"{{{DS}}}{name}" for name in ("X509IssuerSerial", "X509SubjectName", "X509SKI")}


@dataclass(frozen=True, slots=True)
class Method:
    """A canonicalization or transform: its URI and the prefixes that an InclusiveNamespaces in it lists."""

    uri: str
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignatureElement:
    """A signature as written. certificates: those of KeyInfo in their order."""

    signed_info: etree._Element
    canonicalization: Method
    method: str
    reference: str
    transforms: tuple[Method, ...]
    digest_method: str
    digest: bytes
    value: bytes
    certificates: tuple[x509.Certificate, ...]


def read(signature: etree._Element) -> SignatureElement:
    """The parts of a Signature. NotTrusted with ``trust.signature.structure``, ``.reference`` or ``trust.key_info``."""
    parts = _children(signature)
    if _names(parts) != ["SignedInfo", "SignatureValue", "KeyInfo"]:
        _refuse(parts, "SignedInfo, SignatureValue, KeyInfo", signature)
    signed_info, value, key_info = parts
    inner = _children(signed_info)
    if _names(inner) != ["CanonicalizationMethod", "SignatureMethod", "Reference"]:
        _refuse(inner, "CanonicalizationMethod, SignatureMethod and one Reference", signed_info)
    reference = _children(inner[2])
    if _names(reference) != ["Transforms", "DigestMethod", "DigestValue"]:
        _refuse(reference, "Transforms, DigestMethod, DigestValue", inner[2])
    uri = inner[2].get("URI")
    if uri is None or set(inner[2].keys()) - {"URI", "Id", "Type"}:
        finding = Finding(
            "trust.signature.reference", found="no URI" if uri is None else "further attributes", expected="URI"
        )
        raise NotTrusted("the reference does not say what it covers", [finding])
    return SignatureElement(
        signed_info=signed_info,
        canonicalization=_method(inner[0]),
        method=_bare_method(inner[1]),
        reference=uri,
        transforms=tuple(_transforms(reference[0])),
        digest_method=_bare_method(reference[1]),
        digest=_binary(reference[2]),
        value=_binary(value),
        certificates=_certificates(key_info),
    )


def _children(element: etree._Element) -> list[etree._Element]:
    """The element's children, once it is sure that it holds elements and white space only."""
    children = list(element)
    text = element.text
    clean = not text or not trimmed(text)
    for child in children:
        tail = child.tail
        clean = clean and isinstance(child.tag, str) and (not tail or not trimmed(tail))
    if not clean:
        _refuse(children, "elements only, no text, comment or instruction", element)
    return children


def _names(children: list[etree._Element]) -> list[str]:
    return [child.tag.removeprefix(_PREFIX) for child in children]


def _text(element: etree._Element) -> str:
    if len(element):
        _refuse(list(element), "text only", element)
    return element.text or ""


def _binary(element: etree._Element) -> bytes:
    try:
        return base64_binary.to_bytes(_text(element))
    except ValueError:
        _refuse([], "base64", element)


def _algorithm(element: etree._Element) -> str:
    uri = element.get("Algorithm")
    if uri is None or len(element.keys()) != 1:
        _refuse([], "the attribute Algorithm alone", element)
    return uri


def _bare_method(element: etree._Element) -> str:
    """The URI of a method without parameters; HMACOutputLength and the like end here."""
    if len(element) or (element.text and trimmed(element.text)):
        _refuse(list(element), "no parameters", element)
    return _algorithm(element)


def _method(element: etree._Element) -> Method:
    uri = _algorithm(element)
    children = _children(element)
    if not children:
        return Method(uri)
    listing = children[0]
    named = len(children) == 1 and listing.tag == f"{{{EXCLUSIVE}}}InclusiveNamespaces" and uri == EXCLUSIVE
    if not named or listing.keys() != ["PrefixList"] or _children(listing):
        _refuse(children, "InclusiveNamespaces in exclusive canonicalization, or nothing", element)
    prefixes = tuple(words(listing.get("PrefixList") or ""))
    if len(prefixes) > _LONGEST_PREFIX_LIST or not all(map(_is_prefix, prefixes)):
        _refuse(children, f"at most {_LONGEST_PREFIX_LIST} prefixes", element)
    return Method(uri, prefixes)


def _is_prefix(word: str) -> bool:
    """Exclusive XML Canonicalization 1.0, section 3: a prefix, or #default."""
    try:
        return word == "#default" or etree.QName(word).localname == word
    except ValueError:
        return False


def _transforms(element: etree._Element) -> list[Method]:
    children = _children(element)
    if _names(children) not in (["Transform"], ["Transform", "Transform"]):
        _refuse(children, "one Transform or two", element)
    return [_method(child) for child in children]


def _certificates(key_info: etree._Element) -> tuple[x509.Certificate, ...]:
    """The certificates of the one X509Data. A KeyName may stand beside it, unread: it is a hint, and hints are not trusted."""
    children = _children(key_info)
    names = [name for name in _names(children) if name != "KeyName"]
    if names != ["X509Data"]:
        finding = Finding("trust.key_info", found=", ".join(names)[:200] or "nothing", expected="one X509Data")
        raise NotTrusted("the signature must name its key by certificate", [finding])
    data = next(child for child in children if child.tag == f"{{{DS}}}X509Data")
    found: list[x509.Certificate] = []
    for child in _children(data):
        if child.tag == f"{{{DS}}}X509Certificate":
            found.append(_certificate(child))
        elif child.tag not in _UNREAD_X509_DATA:
            _refuse([child], "X509Certificate", data)
    if not found:
        finding = Finding("trust.key_info", found="no certificate", expected="X509Certificate")
        raise NotTrusted("the signature must bring its certificate", [finding])
    return tuple(found)


def _certificate(element: etree._Element) -> x509.Certificate:
    try:
        return certificates.of_base64(_text(element))
    except certificates.UNREADABLE:
        finding = Finding(
            "trust.certificate.unreadable", found="X509Certificate", expected="a certificate in DER, base64"
        )
        raise NotTrusted("a certificate cannot be read", [finding]) from None


def _refuse(found: list[etree._Element], expected: str, where: etree._Element) -> NoReturn:
    said = ", ".join(str(etree.QName(one).localname) if isinstance(one.tag, str) else "comment" for one in found)
    place = f"{etree.QName(where).localname} (line {where.sourceline})"
    finding = Finding("trust.signature.structure", found=said[:200] or "other", expected=expected, partner_place=place)
    raise NotTrusted(f"{place} must hold {expected}", [finding]) from None
