"""What we sign, xmlsec and signxml verify; what they sign, we verify."""

import importlib
from typing import Any

import pytest
from lxml import etree
from signxml import CanonicalizationMethod, DigestAlgorithm, SignatureMethod, XMLSigner, XMLVerifier
from signxml.verifier import SignatureConfiguration

from gateway.signing.policy import Form, Policy
from gateway.signing.xmldsig import sign, verify
from tests.signing.conftest import DOCUMENT, NOW

# Both come without types for what is used here.
xmlsec: Any = importlib.import_module("xmlsec")
signxml: Any = importlib.import_module("signxml")

MATRIX = [
    (algorithm, form)
    for algorithm in ("rsa-sha256", "rsa-sha384", "rsa-sha512", "ecdsa-sha256", "ecdsa-sha384", "rsa-pss-sha256")
    for form in ("exclusive", "inclusive")
]
XMLSEC = {
    "rsa-sha256": xmlsec.Transform.RSA_SHA256,
    "rsa-sha384": xmlsec.Transform.RSA_SHA384,
    "rsa-sha512": xmlsec.Transform.RSA_SHA512,
    "ecdsa-sha256": xmlsec.Transform.ECDSA_SHA256,
    "ecdsa-sha384": xmlsec.Transform.ECDSA_SHA384,
}
SIGNXML = {
    "rsa-sha256": SignatureMethod.RSA_SHA256,
    "rsa-sha384": SignatureMethod.RSA_SHA384,
    "rsa-sha512": SignatureMethod.RSA_SHA512,
    "ecdsa-sha256": SignatureMethod.ECDSA_SHA256,
    "ecdsa-sha384": SignatureMethod.ECDSA_SHA384,
    "rsa-pss-sha256": SignatureMethod.SHA256_RSA_MGF1,
}
C14N = {
    "exclusive": (xmlsec.Transform.EXCL_C14N, CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0),
    "inclusive": (xmlsec.Transform.C14N, CanonicalizationMethod.CANONICAL_XML_1_0),
}
# signxml leaves instructions outside the root out of the digest, and lends SignedInfo no xml: attributes of its ancestors;
# xmlsec and the standard do otherwise, so those two are compared with xmlsec alone.
FOR_SIGNXML = DOCUMENT.replace(b"<?note kept?>", b"").replace(b' xml:lang="mn"', b"")
EVERYTHING = Policy(signatures=frozenset(SIGNXML))


def kind_of(algorithm):
    return "ec" if algorithm.startswith("ecdsa") else "rsa"


def verify_with_xmlsec(data, certificate, ids=()):
    root = etree.fromstring(data)
    for element in root.iter(*ids) if ids else ():
        xmlsec.tree.add_ids(element, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(str(certificate), xmlsec.KeyFormat.CERT_PEM)
    context.verify(next(root.iter("{*}Signature")))


@pytest.mark.parametrize(("algorithm", "form"), MATRIX)
def test_signxml_verifies_what_we_sign(pki, signers, algorithm, form):
    kind = kind_of(algorithm)
    data = sign(FOR_SIGNXML, signers[kind], Form(algorithm=algorithm, canonicalization=form))
    config = SignatureConfiguration(signature_methods=frozenset(SIGNXML.values()))
    certificate = (pki / "gateway/signing" / f"{kind}.pem").read_text()
    result = XMLVerifier().verify(data, x509_cert=certificate, expect_config=config)
    assert result.signed_xml.tag == "{urn:example:manifest}Manifest"


@pytest.mark.parametrize(("algorithm", "form"), [row for row in MATRIX if row[0] in XMLSEC])
def test_xmlsec_verifies_what_we_sign(pki, signers, algorithm, form):
    kind = kind_of(algorithm)
    data = sign(DOCUMENT, signers[kind], Form(algorithm=algorithm, canonicalization=form))
    verify_with_xmlsec(data, pki / "gateway/signing" / f"{kind}.pem")


@pytest.mark.parametrize(
    ("place", "covers"), [((), ("Body",)), (("Head",), ("Body",)), (("Body",), ("Body",)), (("Body",), ())]
)
@pytest.mark.parametrize("form", C14N)
def test_xmlsec_verifies_an_element_and_a_signature_elsewhere(pki, signers, trust, place, covers, form):
    data = sign(DOCUMENT, signers["ec"], Form("ecdsa-sha256", canonicalization=form, place=place, covers=covers))
    verify_with_xmlsec(data, pki / "gateway/signing/ec.pem", ["{*}Body"])
    verified = verify(data, Policy(place=place, covers=covers), trust, NOW)
    assert verified.root.tag == "{urn:example:manifest}" + (covers[-1] if covers else "Manifest")
    assert b"Signature" not in verified.data


@pytest.mark.parametrize(("algorithm", "form"), MATRIX)
def test_we_verify_what_signxml_signs(pki, trust, algorithm, form):
    kind = kind_of(algorithm)
    signer = XMLSigner(
        signature_algorithm=SIGNXML[algorithm], digest_algorithm=DigestAlgorithm.SHA256, c14n_algorithm=C14N[form][1]
    )
    key, certificate = pki / "gateway/keys" / f"{kind}.key.pem", pki / "gateway/signing" / f"{kind}.pem"
    root = signer.sign(etree.fromstring(FOR_SIGNXML), key=key.read_bytes(), cert=certificate.read_text())
    verified = verify(etree.tostring(root.getroottree()), EVERYTHING, trust, NOW)
    assert verified.algorithms.signature == algorithm


@pytest.mark.parametrize("pretty", [False, True], ids=["one line", "pretty"])
@pytest.mark.parametrize(("algorithm", "form"), [row for row in MATRIX if row[0] in XMLSEC])
def test_we_verify_what_xmlsec_signs(pki, trust, algorithm, form, pretty):
    kind = kind_of(algorithm)
    root = etree.fromstring(DOCUMENT)
    signature = xmlsec.template.create(root, C14N[form][0], XMLSEC[algorithm])
    root.append(signature)
    signature.tail = "\n  behind it\n" if pretty else None
    reference = xmlsec.template.add_reference(signature, xmlsec.Transform.SHA256, uri="")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    if form == "exclusive":
        xmlsec.template.add_transform(reference, C14N[form][0])
    xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(str(pki / "gateway/keys" / f"{kind}.key.pem"), xmlsec.KeyFormat.PEM)
    context.key.load_cert_from_file(str(pki / "gateway/signing" / f"{kind}.pem"), xmlsec.KeyFormat.CERT_PEM)
    context.sign(signature)
    verified = verify(etree.tostring(root.getroottree()), Policy(), trust, NOW)
    assert verified.algorithms.signature == algorithm
    assert verified.root[1][0].text == "ЭХ-1"


@pytest.mark.parametrize("form", C14N)
def test_prefixes_in_scope_and_a_bound_ds_prefix_change_nothing(pki, signers, trust, form):
    document = b'<ds:r xmlns:ds="urn:other" xmlns:b="http://www.w3.org/2000/09/xmldsig#" xml:base="u" a="&#13;&#9;&lt;"><x/></ds:r>'
    data = sign(document, signers["rsa"], Form(canonicalization=form))
    verify_with_xmlsec(data, pki / "gateway/signing/rsa.pem")
    assert verify(data, Policy(), trust, NOW).root.get("a") == "\r\t<"


@pytest.mark.parametrize(
    "document", [b"<r/>", b"<r a='1' />\n<!-- </r> -->", "<r>铁</r>".encode("utf-16"), b"<r></r  >\n\n"]
)
def test_documents_of_odd_endings_and_encodings_are_signed(pki, signers, trust, document):
    data = sign(document, signers["ec"], Form("ecdsa-sha256"))
    verify_with_xmlsec(data, pki / "gateway/signing/ec.pem")
    assert verify(data, Policy(), trust, NOW).root.tag == "r"


def test_signing_leaves_every_byte_of_the_document_and_adds_no_white_space(signers):
    data = sign(DOCUMENT, signers["rsa"], Form())
    start, end = data.index(b"<ds:Signature "), data.index(b"</ds:Signature>") + len(b"</ds:Signature>")
    assert data[:start] + data[end:] == DOCUMENT
    assert b"\n" not in data[start:end]


def test_signxml_is_the_second_opinion_that_it_claims_to_be(pki, signers):
    data = sign(FOR_SIGNXML, signers["rsa"], Form()).replace(b"21000.5", b"21000.6")
    with pytest.raises(signxml.InvalidDigest):
        XMLVerifier().verify(data, x509_cert=(pki / "gateway/signing/rsa.pem").read_text())
