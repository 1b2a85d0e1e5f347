"""XML Signature, enveloped: over the whole document, or over one element by its Id.

Signing writes SignedInfo on one line and puts the Signature in without white space around it, so that verifiers which
keep that white space and those which drop it compute the same digest. The bytes of the document itself stay as they are.

Verifying numbers its steps: 1 one parse; 2 exactly one Signature, at the agreed place; 3 its parts, strictly; 4 algorithms by
allow-list; 5 a signer of the partner's trust; 6 the value over SignedInfo; 7 the reference covers exactly what was
agreed; 8 the digest. What is returned is the canonical form that was digested, and what is decoded is parsed from that: a
comment that splits a value, or anything outside the signature, is not in it.

Sources: XML Signature Syntax and Processing 1.1; Canonical XML 1.0; Exclusive XML Canonicalization 1.0; RFC 9231.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NoReturn
from weakref import WeakKeyDictionary

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from gateway.errors import Finding, NotTrusted, Rejected
from gateway.signing.algorithms import (
    CANONICALIZATION_BY_URI,
    CANONICALIZATIONS,
    DIGEST_BY_URI,
    DIGESTS,
    SIGNATURE_BY_URI,
    SIGNATURES,
    SignatureAlgorithm,
    verify_value,
)
from gateway.signing.canonical import canonical, inherited_attributes
from gateway.signing.certificates import name_of
from gateway.signing.keys import Signer
from gateway.signing.policy import Form, Policy, find
from gateway.signing.signature_element import DS, SIGNATURE, Method, SignatureElement, read
from gateway.signing.trust import TrustStore
from gateway.syntax.xml import parse

ENVELOPED = f"{DS}enveloped-signature"

_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_ID_NAMES = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id", f"{{{_WSU}}}Id")
_ROOT_END = re.compile(rb"</[^<>\s]+\s*>\s*\Z")
_ID = re.compile(r"[^\W\d][\w.\-]*")


@dataclass(frozen=True, slots=True)
class Algorithms:
    """What a verified signature used, by name."""

    signature: str
    digest: str
    canonicalization: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What is beyond doubt: data are the canonical bytes that were digested; path is the signer's, its certificate first."""

    data: bytes
    path: tuple[x509.Certificate, ...]
    algorithms: Algorithms

    @property
    def root(self) -> etree._Element:
        """The verified tree, parsed from the verified bytes at each call."""
        return parse(self.data)

    @property
    def certificate(self) -> x509.Certificate:
        return self.path[0]


def sign(data: bytes, signer: Signer, form: Form) -> bytes:
    """The document with one Signature in it. Rejected ``signing.already_signed``, NotTrusted where the place is not there."""
    root = parse(data)
    if next(root.iter(SIGNATURE), None) is not None:
        raise Rejected(
            "the document is signed already", [Finding("signing.already_signed")], code="signing.already_signed"
        )
    parent, target = find(root, form.place), find(root, form.covers)
    exclusive = form.canonicalization == "exclusive"
    identified = bool(form.covers) and not _ids(target)
    if identified:
        target.set("Id", f"signed-{secrets.token_hex(8)}")
    content = canonical(target if form.covers else root.getroottree(), exclusive=exclusive)
    enveloped = not form.covers or parent is target or target in parent.iterancestors()
    info = _signed_info(
        form,
        reference=f"#{_ids(target)[0]}" if form.covers else "",
        enveloped=enveloped,
        digest=hashlib.new(form.digest, content).digest(),
    )
    context = "" if exclusive else _context(parent)
    declared = f'<ds:SignedInfo xmlns:ds="{DS}">' if exclusive else f"<ds:SignedInfo{context}>"
    value = signer.sign(f"{declared}{info}</ds:SignedInfo>".encode(), SIGNATURES[form.algorithm])
    element = _signature(info, value, signer)
    if (
        parent is root
        and not identified
        and root.getnext() is None
        and (end := _ROOT_END.search(data, data.rfind(b"</")))
    ):
        return data[: end.start()] + element + data[end.start() :]
    return _put_in(root, parent, element)


def _signed_info(form: Form, *, reference: str, enveloped: bool, digest: bytes) -> str:
    """The inside of SignedInfo, already in canonical form."""
    before, after = _around_digest(form, reference, enveloped)
    return f"{before}{base64.b64encode(digest).decode()}{after}"


@lru_cache(maxsize=64)
def _around_digest(form: Form, reference: str, enveloped: bool) -> tuple[str, str]:
    """SignedInfo before and after the digest's value, which alone differs from document to document."""
    form_uri = CANONICALIZATIONS[form.canonicalization]
    transforms = ([ENVELOPED] if enveloped else []) + [form_uri]
    before = (
        f'<ds:CanonicalizationMethod Algorithm="{form_uri}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{SIGNATURES[form.algorithm].uri}"></ds:SignatureMethod>'
        f'<ds:Reference URI="{_escaped(reference)}"><ds:Transforms>'
        + "".join(f'<ds:Transform Algorithm="{uri}"></ds:Transform>' for uri in transforms)
        + f'</ds:Transforms><ds:DigestMethod Algorithm="{DIGESTS[form.digest]}"></ds:DigestMethod><ds:DigestValue>'
    )
    return before, "</ds:DigestValue></ds:Reference>"


def _context(parent: etree._Element) -> str:
    """What inclusive canonicalization adds to SignedInfo from around it: namespaces by prefix, then lent xml: attributes."""
    scope: dict[str, str] = {prefix or "": uri for prefix, uri in parent.nsmap.items()} | {"ds": DS}
    named = [(f"xmlns:{prefix}" if prefix else "xmlns", uri) for prefix, uri in sorted(scope.items())]
    probe = etree.SubElement(parent, "probe")
    lent = inherited_attributes(probe)
    parent.remove(probe)
    named += [(f"xml:{etree.QName(name).localname}", value) for name, value in sorted(lent.items())]
    return "".join(f' {name}="{_escaped(value)}"' for name, value in named)


def _escaped(value: str) -> str:
    """An attribute value as Canonical XML 1.0 (2.3) writes it."""
    for char, written in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        ('"', "&quot;"),
        ("\t", "&#x9;"),
        ("\n", "&#xA;"),
        ("\r", "&#xD;"),
    ):
        value = value.replace(char, written)
    return value


def _signature(info: str, value: bytes, signer: Signer) -> bytes:
    return (
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>{info}</ds:SignedInfo>'
        f"<ds:SignatureValue>{base64.b64encode(value).decode()}</ds:SignatureValue>"
        f"<ds:KeyInfo><ds:X509Data>{_x509_data(signer)}</ds:X509Data></ds:KeyInfo></ds:Signature>"
    ).encode()


# By signer: certificates are slow to compare.
_written_chains: WeakKeyDictionary[Signer, str] = WeakKeyDictionary()


def _x509_data(signer: Signer) -> str:
    written = _written_chains.get(signer)
    if written is None:
        chain = signer.chain
        # An authority that vouches for itself is known to the partner or is nothing to him: it stays at home.
        brought = [one for one in chain if one is chain[0] or one.issuer != one.subject]
        encoded = (base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in brought)
        written = "".join(f"<ds:X509Certificate>{text}</ds:X509Certificate>" for text in encoded)
        _written_chains[signer] = written
    return written


def _put_in(root: etree._Element, parent: etree._Element, element: bytes) -> bytes:
    """Write the tree with the Signature as last child of parent, byte for byte: a tree would rename its prefix at will."""
    mark = secrets.token_hex(16)
    parent.append(etree.ProcessingInstruction("signature", mark))
    written = etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)
    return written.replace(f"<?signature {mark}?>".encode(), element)


def verify(data: bytes, policy: Policy, trust: TrustStore, now: datetime) -> Verified:
    """What the one signature of data covers. NotTrusted with one finding, or NotWellFormed; now carries an offset."""
    root = parse(data)  # 1
    signature = _only_signature(root, policy)  # 2
    said = read(signature)  # 3
    algorithm, info_form, content_form = _allowed(said, policy)  # 4
    signer = trust.signer(said.certificates, now)  # 5
    signed = canonical(said.signed_info, exclusive=info_form == "exclusive", prefixes=said.canonicalization.prefixes)
    try:
        verify_value(signer.key, algorithm, signed, said.value)  # 6
    except InvalidSignature:
        _refuse("trust.signature.value", found=name_of(signer.certificate), expected="the value of this signer's key")
    content = _covered(root, signature, said, policy)  # 7
    digest = DIGEST_BY_URI[said.digest_method]
    if not hmac.compare_digest(hashlib.new(digest, content).digest(), said.digest):  # 8
        _refuse(
            "trust.signature.digest", found=name_of(signer.certificate), expected="the bytes that this signer signed"
        )
    return Verified(content, signer.path, Algorithms(algorithm.name, digest, content_form))


def _only_signature(root: etree._Element, policy: Policy) -> etree._Element:
    signatures = list(root.iter(SIGNATURE))
    if not signatures:
        _refuse("trust.signature.missing", found="no Signature", expected="one Signature")
    if len(signatures) > 1:
        _refuse("trust.signature.several", found=str(len(signatures)), expected="one Signature")
    parent = signatures[0].getparent()
    if parent is None or parent is not find(root, policy.place):
        where = "the root itself" if parent is None else str(parent.tag)
        _refuse("trust.signature.position", found=where[:200], expected="/".join(policy.place) or "child of the root")
    return signatures[0]


def _allowed(said: SignatureElement, policy: Policy) -> tuple[SignatureAlgorithm, str, str]:
    """The signature algorithm and the two canonical forms (SignedInfo, content), all on the policy's lists."""
    algorithm = SIGNATURE_BY_URI.get(said.method)
    if algorithm is None or algorithm.name not in policy.signatures:
        _refuse("trust.signature.algorithm", found=said.method[:200], expected=", ".join(sorted(policy.signatures)))
    if DIGEST_BY_URI.get(said.digest_method) not in policy.digests:
        _refuse("trust.signature.algorithm", found=said.digest_method[:200], expected=", ".join(sorted(policy.digests)))
    return algorithm, _form(said.canonicalization, policy), _form(_content_method(said), policy)


def _content_method(said: SignatureElement) -> Method:
    """The canonicalization of the content: the last transform, or Canonical XML 1.0 where none says (4.4.3.2)."""
    last = said.transforms[-1]
    rest = said.transforms[:-1] if last.uri != ENVELOPED else said.transforms
    if len(rest) > 1 or any(one != Method(ENVELOPED) for one in rest):
        found = ", ".join(one.uri for one in said.transforms)
        _refuse("trust.signature.transform", found=found[:200], expected="enveloped-signature, then canonicalization")
    return last if last.uri != ENVELOPED else Method(CANONICALIZATIONS["inclusive"])


def _form(method: Method, policy: Policy) -> str:
    name = CANONICALIZATION_BY_URI.get(method.uri)
    if name is None or name not in policy.canonicalizations:
        _refuse(
            "trust.signature.transform", found=method.uri[:200], expected=", ".join(sorted(policy.canonicalizations))
        )
    return name


def _covered(root: etree._Element, signature: etree._Element, said: SignatureElement, policy: Policy) -> bytes:
    """The canonical bytes of what the policy wants signed, after it is sure that the reference means exactly that."""
    target = find(root, policy.covers)
    if policy.covers:
        _check_reference_by_id(root, target, said)
    elif said.reference:
        _refuse("trust.signature.reference", found=said.reference[:200], expected='the whole document, URI=""')
    inside = not policy.covers or target in signature.iterancestors()
    if inside != (said.transforms[0].uri == ENVELOPED):
        _refuse(
            "trust.signature.transform",
            found=said.transforms[0].uri[:200],
            expected="enveloped-signature where it is inside",
        )
    if inside:
        _take_out(signature)
    method = _content_method(said)
    exclusive = CANONICALIZATION_BY_URI[method.uri] == "exclusive"
    return canonical(target if policy.covers else root.getroottree(), exclusive=exclusive, prefixes=method.prefixes)


def _check_reference_by_id(root: etree._Element, target: etree._Element, said: SignatureElement) -> None:
    """The reference names the element at the agreed place, and no two elements share any Id of the document.

    A signature over the whole document follows no Id, so there a repeated one is the partner's business.
    """
    own = _ids(target)
    if not _ID.fullmatch(said.reference[1:]) or said.reference[:1] != "#" or said.reference[1:] not in own:
        _refuse("trust.signature.reference", found=said.reference[:200], expected=f"#{own[0]}" if own else "an Id")
    seen: set[str] = set()
    for element in root.iter(etree.Element):
        for one in _ids(element):
            if one in seen:
                _refuse("trust.signature.duplicate_id", found=one[:200], expected="each Id once")
            seen.add(one)


def _ids(element: etree._Element) -> list[str]:
    """Whatever anyone may take for the element's Id; without a schema nobody can know."""
    return [value for name in _ID_NAMES if (value := element.get(name)) is not None]


def _take_out(signature: etree._Element) -> None:
    """Remove the Signature and nothing else: the text behind it stays, where lxml would drop it."""
    parent, before, tail = signature.getparent(), signature.getprevious(), signature.tail
    assert parent is not None
    if tail and before is not None:
        before.tail = (before.tail or "") + tail
    elif tail:
        parent.text = (parent.text or "") + tail
    signature.tail = None
    parent.remove(signature)


def _refuse(code: str, *, found: str, expected: str) -> NoReturn:
    finding = Finding(code, found=found, expected=expected)
    raise NotTrusted(f"{code}: {found}; expected {expected}", [finding]) from None
