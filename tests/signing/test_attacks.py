"""What an attacker does to a signed message, line by line; every one is refused with its own finding, and nothing is fetched."""

import base64
import random
import socket

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from lxml import etree

from gateway.errors import NotTrusted, NotWellFormed, Rejected
from gateway.signing.policy import Form, Policy
from gateway.signing.signature_element import DS, EXCLUSIVE
from gateway.signing.trust import TrustStore
from gateway.signing.xmldsig import sign, verify
from tests.signing.conftest import DOCUMENT, NOW

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BODY = Policy(covers=("Body",))
MORE = "http://www.w3.org/2001/04/xmldsig-more#"


@pytest.fixture(scope="module")
def signed(signers):
    return sign(DOCUMENT, signers["rsa"], Form())


@pytest.fixture(scope="module")
def signed_body(signers):
    return sign(DOCUMENT, signers["rsa"], Form(covers=("Body",)))


def code_of(data, trust, policy=None, now=NOW):
    with pytest.raises(NotTrusted) as caught:
        verify(data, policy or Policy(), trust, now)
    assert len(caught.value.findings) == 1
    return caught.value.findings[0].code


def changed(data, change):
    """The document after change(root, signature) has had its way with the tree."""
    root = etree.fromstring(data)
    change(root, next(root.iter(f"{{{DS}}}Signature")))
    return etree.tostring(root.getroottree())


def ds(name, text=None, **attributes):
    element = etree.Element(f"{{{DS}}}{name}", attributes)
    element.text = text
    return element


def forged_body():
    return etree.fromstring(b'<Body xmlns="urn:example:manifest" Id="body"><Seal>FORGED</Seal></Body>')


def move_body(into):
    def change(root, signature):
        body = root[1]
        root.insert(1, forged_body())
        into(root, signature).append(body)

    return change


def wrap(root, _signature):
    return etree.SubElement(root, "Wrapper")


def wrap_with_object(_root, signature):
    signature.append(ds("Object"))
    return signature[-1]


WRAPPING = {
    "the signed body in a wrapper, a forged one in its place": (move_body(wrap), "trust.signature.duplicate_id"),
    "the signed body in the head": (move_body(lambda root, _: root[0]), "trust.signature.duplicate_id"),
    "the signed body in ds:Object": (move_body(wrap_with_object), "trust.signature.structure"),
    "the signed body inside the forged one": (move_body(lambda root, _: root[1]), "trust.signature.duplicate_id"),
    "a second body beside the signed one": (lambda root, _: root.insert(1, forged_body()), "trust.signature.position"),
    "the id of the body once more": (lambda root, _: root[0].set("Id", "body"), "trust.signature.duplicate_id"),
    "the same id spelt xml:id": (
        lambda root, _: root[0].set("{http://www.w3.org/XML/1998/namespace}id", "body"),
        "trust.signature.duplicate_id",
    ),
    "the same id on the signature": (lambda _, signature: signature.set("Id", "body"), "trust.signature.duplicate_id"),
    "the signature moved": (lambda root, signature: root[0].append(signature), "trust.signature.position"),
}


@pytest.mark.parametrize("attack", WRAPPING)
def test_a_moved_or_doubled_element_is_refused(signed_body, trust, attack):
    change, code = WRAPPING[attack]
    assert code_of(changed(signed_body, change), trust, BODY) == code


def test_a_forged_body_without_the_id_does_not_stand_for_the_signed_one(signed_body, trust):
    def change(root, _signature):
        body = root[1]
        forged = forged_body()
        del forged.attrib["Id"]
        root.insert(1, forged)
        wrap(root, None).append(body)

    assert code_of(changed(signed_body, change), trust, BODY) == "trust.signature.reference"


def test_only_the_signed_element_comes_back(signed_body, trust):
    data = changed(signed_body, lambda root, _: root[0].append(etree.Element("Forged")))
    verified = verify(data, BODY, trust, NOW)
    assert b"Forged" not in verified.data
    assert verified.root.tag.endswith("Body")


def test_a_signature_over_an_element_is_not_one_over_the_document_and_the_reverse(signed, signed_body, trust):
    assert code_of(signed_body, trust) == "trust.signature.reference"
    assert code_of(signed, trust, BODY) == "trust.signature.reference"


def test_a_document_without_a_signature_or_with_two_is_refused(signed, trust):
    assert code_of(DOCUMENT, trust) == "trust.signature.missing"
    start, end = signed.index(b"<ds:Signature "), signed.index(b"</ds:Signature>") + 15
    assert code_of(signed[:end] + signed[start:end] + signed[end:], trust) == "trust.signature.several"


def test_a_signature_that_is_the_root_is_refused(signed, trust):
    start, end = signed.index(b"<ds:Signature "), signed.index(b"</ds:Signature>") + 15
    assert code_of(signed[start:end], trust) == "trust.signature.position"


def algorithm(place, uri):
    return lambda _, signature: next(signature.iter(f"{{{DS}}}{place}")).set("Algorithm", uri)


def child(place, element):
    return lambda _, signature: next(signature.iter(f"{{{DS}}}{place}")).append(element)


def without(place):
    def change(_root, signature):
        element = next(signature.iter(f"{{{DS}}}{place}"))
        element.getparent().remove(element)

    return change


def reference(uri):
    return lambda _, signature: next(signature.iter(f"{{{DS}}}Reference")).set("URI", uri)


def text(place, value):
    def change(_root, signature):
        next(signature.iter(f"{{{DS}}}{place}")).text = value

    return change


def split_digest_by_comment(_root, signature):
    digest = next(signature.iter(f"{{{DS}}}DigestValue"))
    comment = etree.Comment("AAAA")
    comment.tail, digest.text = digest.text, ""
    digest.append(comment)


def second_reference(_root, signature):
    info = signature[0]
    info.append(etree.fromstring(etree.tostring(info[2])))


STRUCTURE, ALGORITHM, TRANSFORM = "trust.signature.structure", "trust.signature.algorithm", "trust.signature.transform"
REFERENCE, KEY_INFO = "trust.signature.reference", "trust.key_info"
TRICKS = {
    "SHA-1": (algorithm("SignatureMethod", f"{DS}rsa-sha1"), ALGORITHM),
    "MD5": (algorithm("SignatureMethod", f"{MORE}rsa-md5"), ALGORITHM),
    "HMAC with the public key": (algorithm("SignatureMethod", f"{MORE}hmac-sha256"), ALGORITHM),
    "none": (algorithm("SignatureMethod", "none"), ALGORITHM),
    "no method": (algorithm("SignatureMethod", ""), ALGORITHM),
    "PSS that nobody agreed": (
        algorithm("SignatureMethod", "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"),
        ALGORITHM,
    ),
    "ECDSA with an RSA certificate": (algorithm("SignatureMethod", f"{MORE}ecdsa-sha256"), "trust.signature.value"),
    "another hash": (algorithm("SignatureMethod", f"{MORE}rsa-sha512"), "trust.signature.value"),
    "SHA-1 digest": (algorithm("DigestMethod", f"{DS}sha1"), ALGORITHM),
    "HMACOutputLength 0": (child("SignatureMethod", ds("HMACOutputLength", "0")), STRUCTURE),
    "HMACOutputLength 8": (child("SignatureMethod", ds("HMACOutputLength", "8")), STRUCTURE),
    "parameters of a digest": (child("DigestMethod", ds("Anything")), STRUCTURE),
    "canonicalization with comments": (
        algorithm("CanonicalizationMethod", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"),
        TRANSFORM,
    ),
    "canonicalization by XSLT": (
        algorithm("CanonicalizationMethod", "http://www.w3.org/TR/1999/REC-xslt-19991116"),
        TRANSFORM,
    ),
    "transform XSLT": (algorithm("Transform", "http://www.w3.org/TR/1999/REC-xslt-19991116"), TRANSFORM),
    "transform XPath": (algorithm("Transform", "http://www.w3.org/TR/1999/REC-xpath-19991116"), TRANSFORM),
    "transform base64": (algorithm("Transform", f"{DS}base64"), TRANSFORM),
    "transform decrypt": (algorithm("Transform", "http://www.w3.org/2002/07/decrypt#XML"), TRANSFORM),
    "a stylesheet in a transform": (
        child("Transform", etree.Element("{http://www.w3.org/1999/XSL/Transform}stylesheet")),
        STRUCTURE,
    ),
    "three transforms": (child("Transforms", ds("Transform", Algorithm=f"{DS}base64")), STRUCTURE),
    "enveloped left out": (without("Transform"), "trust.signature.value"),
    "empty SignedInfo": (lambda _, signature: signature[0].clear(), STRUCTURE),
    "no reference": (without("Reference"), STRUCTURE),
    "two references": (second_reference, STRUCTURE),
    "no URI": (lambda _, signature: signature[0][2].attrib.pop("URI"), REFERENCE),
    "no value": (without("SignatureValue"), STRUCTURE),
    "empty value": (text("SignatureValue", ""), "trust.signature.value"),
    "value that is no base64": (text("SignatureValue", "§§§"), STRUCTURE),
    "value without its padding": (
        lambda _, one: setattr(one[1], "text", one[1].text.strip().rstrip("=")),
        STRUCTURE,
    ),
    "value with bits left over": (text("SignatureValue", "AAF="), STRUCTURE),
    "comment inside DigestValue": (split_digest_by_comment, STRUCTURE),
    "element inside DigestValue": (child("DigestValue", ds("X")), STRUCTURE),
    "text between the parts": (lambda _, signature: setattr(signature[0], "tail", "x"), STRUCTURE),
    "comment in the signature": (lambda _, signature: signature.append(etree.Comment("x")), STRUCTURE),
    "ds:Object": (lambda _, signature: signature.append(ds("Object")), STRUCTURE),
    "no KeyInfo": (without("KeyInfo"), STRUCTURE),
    "empty KeyInfo": (without("X509Data"), KEY_INFO),
    "KeyValue beside the certificate": (child("KeyInfo", ds("KeyValue")), KEY_INFO),
    "RetrievalMethod": (child("KeyInfo", ds("RetrievalMethod", URI="http://127.0.0.1:9/")), KEY_INFO),
    "two X509Data": (child("KeyInfo", ds("X509Data")), KEY_INFO),
    "no certificate": (without("X509Certificate"), KEY_INFO),
    "issuer and serial alone": (
        lambda _, signature: setattr(next(signature.iter("{*}X509Certificate")), "tag", f"{{{DS}}}X509SKI"),
        KEY_INFO,
    ),
    "certificate that is none": (text("X509Certificate", "AAAA"), "trust.certificate.unreadable"),
}


BLANKS_OF_UNICODE = {"U+3000": "\u3000", "U+00A0": "\u00a0", "U+200B": "\u200b", "U+0085": "\u0085", "U+2028": "\u2028"}
VALUES = {"DigestValue": STRUCTURE, "SignatureValue": STRUCTURE, "X509Certificate": "trust.certificate.unreadable"}


def inserted(place, sign):
    def change(_root, signature):
        element = next(signature.iter(f"{{{DS}}}{place}"))
        element.text = f"{element.text[:20]}{sign}{element.text[20:]}"

    return change


@pytest.mark.parametrize("sign_", BLANKS_OF_UNICODE)
@pytest.mark.parametrize("place", VALUES)
def test_a_blank_that_is_none_to_xml_is_refused_inside_a_value(signed, trust, place, sign_):
    assert code_of(changed(signed, inserted(place, BLANKS_OF_UNICODE[sign_])), trust) == VALUES[place]


@pytest.mark.parametrize("place", ["SignatureValue", "X509Certificate"])
def test_white_space_of_xml_may_stand_inside_a_value(signed, trust, place):
    verify(changed(signed, inserted(place, " \t\r\n")), Policy(), trust, NOW)


@pytest.mark.parametrize("sign_", BLANKS_OF_UNICODE)
@pytest.mark.parametrize("between", [0, 2], ids=["SignedInfo and SignatureValue", "KeyInfo and the end"])
def test_a_blank_that_is_none_to_xml_is_refused_between_the_parts(signed, trust, between, sign_):
    sign_ = BLANKS_OF_UNICODE[sign_]
    assert code_of(changed(signed, lambda _, one: setattr(one[between], "tail", f" {sign_}")), trust) == STRUCTURE


@pytest.mark.parametrize("prefixes", ["a\u3000b", "a\u00a0", "1a", "a,b", "a:b"])
def test_a_list_of_prefixes_holds_prefixes(signed, trust, prefixes):
    inclusive = etree.Element(f"{{{EXCLUSIVE}}}InclusiveNamespaces", PrefixList=prefixes)
    assert code_of(changed(signed, child("CanonicalizationMethod", inclusive)), trust) == STRUCTURE


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_in_the_signature_is_refused(signed, trust, trick):
    change, code = TRICKS[trick]
    assert code_of(changed(signed, change), trust) == code


@pytest.mark.parametrize(
    "uri",
    [
        "#body",
        "#xpointer(/)",
        "#xpointer(id('body'))",
        "http://127.0.0.1:{port}/x",
        "file:///etc/hostname",
        "cid:x",
        "#",
    ],
)
def test_references_are_followed_nowhere(signers, trust, monkeypatch, uri):
    """The attacker is a partner here: it signs what it likes, so only the check of the reference stands in between."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        there = uri.replace("{port}", str(listener.getsockname()[1]))
        data = sign(DOCUMENT, signers["ec"], Form("ecdsa-sha256"))
        prefix, _, rest = data.partition(b'URI=""')
        data = resigned(prefix + b'URI="' + there.encode() + b'"' + rest, signers["ec"])
        assert code_of(data, trust) == REFERENCE
        assert code_of(data, trust, BODY) in {REFERENCE, TRANSFORM}
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_partner_that_leaves_out_the_enveloped_transform_is_refused(signers, trust):
    data = changed(sign(DOCUMENT, signers["ec"], Form("ecdsa-sha256")), without("Transform"))
    assert code_of(resigned(data, signers["ec"]), trust) == TRANSFORM


def resigned(data, signer):
    """The same document with SignedInfo as it is now, signed by a key that is trusted."""
    from gateway.signing.algorithms import SIGNATURES
    from gateway.signing.canonical import canonical

    root = etree.fromstring(data)
    signature = next(root.iter(f"{{{DS}}}Signature"))
    value = signer.sign(canonical(signature[0], exclusive=True), SIGNATURES["ecdsa-sha256"])
    signature[1].text = base64.b64encode(value).decode()
    return etree.tostring(root.getroottree())


ECDSA_VALUES = {
    "r is 0": lambda r, s: (0).to_bytes(32, "big") + s.to_bytes(32, "big"),
    "s is 0": lambda r, s: r.to_bytes(32, "big") + bytes(32),
    "both are 0": lambda r, s: bytes(64),
    "r is the order": lambda r, s: P256_ORDER.to_bytes(32, "big") + s.to_bytes(32, "big"),
    "s is the order": lambda r, s: r.to_bytes(32, "big") + P256_ORDER.to_bytes(32, "big"),
    "DER": encode_dss_signature,
    "one byte short": lambda r, s: (r.to_bytes(32, "big") + s.to_bytes(32, "big"))[:-1],
    "one byte long": lambda r, s: bytes(1) + r.to_bytes(32, "big") + s.to_bytes(32, "big"),
    "wider numbers": lambda r, s: r.to_bytes(48, "big") + s.to_bytes(48, "big"),
    "nothing": lambda r, s: b"",
}


@pytest.mark.parametrize("form", ECDSA_VALUES)
def test_an_ecdsa_value_of_another_form_or_range_is_refused(signers, trust, form):
    data = sign(DOCUMENT, signers["ec"], Form("ecdsa-sha256"))
    root = etree.fromstring(data)
    value = base64.b64decode(next(root.iter("{*}SignatureValue")).text or "")
    r, s = int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big")
    bad = base64.b64encode(ECDSA_VALUES[form](r, s)).decode()
    assert code_of(changed(data, text("SignatureValue", bad)), trust) == "trust.signature.value"


def test_another_partners_valid_signature_is_refused(pki, signed):
    assert code_of(signed, TrustStore.of_folder(pki / "partners/other")) == "trust.certificate.unknown"


def test_a_trusted_certificate_beside_a_strangers_value_is_refused(pki, signed, trust):
    """The stranger signs and shows the certificate of someone we trust."""
    from gateway.signing.keys import KeyPlaces, open_signer

    stranger = open_signer(
        "file:partners/other/keys/rsa.key.pem", "file:partners/other/keys/rsa.pem", KeyPlaces(pki, {})
    )
    trusted = load_pem_x509_certificate((pki / "gateway/signing/rsa.pem").read_bytes())
    shown = base64.b64encode(trusted.public_bytes(Encoding.DER)).decode()
    data = changed(sign(DOCUMENT, stranger, Form()), text("X509Certificate", shown))
    assert code_of(data, trust) == "trust.signature.value"
    both = changed(sign(DOCUMENT, stranger, Form()), child("X509Data", ds("X509Certificate", shown)))
    assert code_of(both, trust) == "trust.certificate.ambiguous"


def test_a_comment_cannot_shorten_a_value_that_business_reads(signers, trust):
    data = sign(b"<r><user>admin.evil</user></r>", signers["ec"], Form("ecdsa-sha256"))
    verified = verify(data.replace(b"admin.evil", b"admin<!-- -->.evil"), Policy(), trust, NOW)
    assert verified.root[0].text == "admin.evil"
    assert b"<!--" not in verified.data


VALUE_CHANGES = {
    "another namespace": (b'xmlns="urn:example:manifest"', b'xmlns="urn:example:manifest2"'),
    "an instruction": (b"<Seal>", b"<?x y?><Seal>"),
    "the instruction before the root": (b"<?note kept?>", b"<?note other?>"),
    "a carriage return in text": (b"21000.5", b"21000.5&#13;"),
    "another unit": (b'"kg"', b'"KG"'),
    "look-alike letter": ("ЭХ-1".encode(), "ЭX-1".encode()),
    "decomposed letter": ("Э".encode(), "Э\u0306".encode()),
    "white space": (b"<Seal>", b" <Seal>"),
    "language of the whole": (b'xml:lang="mn"', b'xml:lang="ru"'),
}


@pytest.mark.parametrize("change", VALUE_CHANGES)
def test_a_changed_document_is_refused(signed, trust, change):
    before, after = VALUE_CHANGES[change]
    assert before in signed
    assert code_of(signed.replace(before, after, 1), trust) == "trust.signature.digest"


def test_spellings_of_the_same_canonical_form_give_the_same_bytes(signed, trust):
    once = verify(signed, Policy(), trust, NOW).data
    other = signed.replace(b'"kg"', b"'kg'").replace(b"<![CDATA[<coal>]]>", b"&lt;coal&gt;").replace(b"\n", b"\r\n")
    assert verify(other, Policy(), trust, NOW).data == once


def test_a_document_type_or_an_entity_is_not_read(signed, trust):
    with pytest.raises(NotWellFormed):
        verify(signed.replace(b"<?note kept?>", b'<!DOCTYPE x [<!ENTITY e "v">]>'), Policy(), trust, NOW)


def test_a_signed_document_is_not_signed_again(signed, signers):
    with pytest.raises(Rejected) as caught:
        sign(signed, signers["rsa"], Form())
    assert caught.value.findings[0].code == "signing.already_signed"


@pytest.mark.parametrize("kind", ["bytes", "swaps", "cuts"])
def test_no_mutation_is_accepted_with_other_content_or_ends_in_another_error(signed, trust, kind):
    genuine = verify(signed, Policy(), trust, NOW).data
    chance = random.Random(kind)
    accepted = 0
    for _ in range(200):
        mutated = bytearray(signed)
        at, to = sorted(chance.sample(range(len(mutated)), 2))
        if kind == "bytes":
            mutated[at] = chance.choice(b"\x00 <>&\"'/=AZaz09-\xff")
        elif kind == "swaps":
            mutated[at : at + 9], mutated[to : to + 9] = mutated[to : to + 9], mutated[at : at + 9]
        else:
            del mutated[at : at + chance.randrange(1, 40)]
        try:
            data = verify(bytes(mutated), Policy(), trust, NOW).data
        except (NotTrusted, NotWellFormed):
            continue
        accepted += 1
        assert data == genuine
    assert accepted < 20
