"""Which certificates are believed, and how keys are opened without showing themselves."""

import pickle
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.errors import NeedsOperator, NotTrusted
from gateway.signing.devkeys import make_development_pki
from gateway.signing.keys import KeyPlaces, open_signer
from gateway.signing.trust import TrustStore
from tests.signing.conftest import NOW

KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "middle", "third", "leaf", "stranger")}
DAY = timedelta(days=1)


def certificate(
    subject, issuer, *, ca=False, signs=None, path_length=None, start=-DAY, end=DAY, extra=(), key=None, by=None
):
    """A certificate of this test's own making; signs: whether it carries digitalSignature, None for no key usage at all."""
    name = lambda text: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])  # noqa: E731
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key((key or KEYS[subject]).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + start)
        .not_valid_after(NOW + end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
    )
    if signs is not None:
        usage = x509.KeyUsage(signs, False, not signs and not ca, False, False, ca, ca, False, False)
        builder = builder.add_extension(usage, critical=True)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(by or KEYS[issuer], hashes.SHA256())


ROOT = certificate("root", "root", ca=True, signs=False)
MIDDLE = certificate("middle", "root", ca=True, signs=False, path_length=0)
LEAF = certificate("leaf", "middle", signs=True)
DIRECT = certificate("leaf", "root", signs=True)

ACCEPTED = {
    "a pinned certificate": ([LEAF], [LEAF]),
    "a pinned one without key usage": ([certificate("leaf", "leaf")], None),
    "one that our authority issued": ([ROOT], [DIRECT]),
    "one with an intermediate, leaf first": ([ROOT], [LEAF, MIDDLE]),
    "one with an intermediate, leaf last": ([ROOT], [MIDDLE, LEAF]),
    "one whose intermediate is ours": ([MIDDLE], [LEAF]),
    "one beside an old certificate that has ended": (
        [certificate("leaf", "leaf", signs=True, start=-3 * DAY, end=-DAY), DIRECT],
        [DIRECT],
    ),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_a_signer_is_believed_when_a_path_leads_to_what_we_hold(case):
    trusted, presented = ACCEPTED[case]
    presented = presented or trusted
    leaf = min(presented, key=lambda one: one.subject != LEAF.subject)
    assert TrustStore(trusted).signer(presented, NOW).certificate == leaf


FAKE_ROOT = certificate("root", "root", ca=True, signs=False, key=KEYS["stranger"], by=KEYS["stranger"])
NAMES = x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.org")], excluded_subtrees=None)
STRANGE = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
REFUSED = {
    "ended": ([certificate("leaf", "leaf", signs=True, start=-3 * DAY, end=-DAY)], None, "expired"),
    "not begun": ([certificate("leaf", "leaf", signs=True, start=DAY, end=2 * DAY)], None, "not_yet"),
    "an authority that has ended": (
        [certificate("root", "root", ca=True, signs=False, start=-3 * DAY, end=-DAY)],
        [DIRECT],
        "expired",
    ),
    "a stranger": ([ROOT], [certificate("stranger", "stranger", signs=True)], "unknown"),
    "the right name from another authority": (
        [ROOT],
        [certificate("leaf", "root", signs=True, by=KEYS["stranger"])],
        "unknown",
    ),
    "the authority it brought itself": (
        [ROOT],
        [certificate("leaf", "root", signs=True, by=KEYS["stranger"]), FAKE_ROOT],
        "unknown",
    ),
    "issued by a leaf": ([DIRECT], [certificate("stranger", "leaf", signs=True)], "unknown"),
    "issued by a leaf of our authority": ([ROOT], [certificate("stranger", "leaf", signs=True), DIRECT], "unknown"),
    "a path longer than its authority allows": (
        [certificate("root", "root", ca=True, signs=False, path_length=0)],
        [LEAF, MIDDLE],
        "unknown",
    ),
    "four certificates": ([ROOT], [LEAF, MIDDLE, ROOT, DIRECT], "ambiguous"),
    "two signers": ([ROOT], [DIRECT, certificate("stranger", "root", signs=True)], "ambiguous"),
    "none": ([ROOT], [], "ambiguous"),
    "two that issued each other": (
        [ROOT],
        [certificate("middle", "third", ca=True, signs=False), certificate("third", "middle", ca=True, signs=False)],
        "ambiguous",
    ),
    "a key that must not sign": ([ROOT], [certificate("leaf", "root", signs=False)], "usage"),
    "no key usage under an authority": ([ROOT], [certificate("leaf", "root")], "usage"),
    "an authority that signs messages": ([ROOT], [certificate("middle", "root", ca=True, signs=True)], "usage"),
    "a name constraint": (
        [certificate("root", "root", ca=True, signs=False, extra=[(NAMES, False)])],
        [DIRECT],
        "extension",
    ),
    "a critical extension nobody knows": (
        [ROOT],
        [certificate("leaf", "root", signs=True, extra=[(STRANGE, True)])],
        "extension",
    ),
    "a short RSA key": (
        [ROOT],
        [certificate("leaf", "root", signs=True, key=rsa.generate_private_key(public_exponent=65537, key_size=1024))],
        "weak",
    ),
    "a curve that is not listed": (
        [ROOT],
        [certificate("leaf", "root", signs=True, key=ec.generate_private_key(ec.SECP256K1()))],
        "weak",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_signer_is_refused_with_the_certificate_named(case):
    trusted, presented, code = REFUSED[case]
    with pytest.raises(NotTrusted) as caught:
        TrustStore(trusted).signer(trusted if presented is None else presented, NOW)
    (finding,) = caught.value.findings
    assert finding.code == f"trust.certificate.{code}"
    assert finding.found


def test_a_certificate_that_its_authority_signed_with_sha1_is_refused():
    """The library makes none, so a good one gets the other algorithm's name (equally long) and a SHA-1 value put in."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    authority = certificate("root", "root", ca=True, signs=False, key=key, by=key)
    rsa_sha256, rsa_sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    good = certificate("leaf", "root", signs=True, by=key).public_bytes(Encoding.DER).replace(rsa_sha256, rsa_sha1)
    tbs = x509.load_der_x509_certificate(good).tbs_certificate_bytes
    old = x509.load_der_x509_certificate(good[:-256] + key.sign(tbs, padding.PKCS1v15(), hashes.SHA1()))
    assert isinstance(old.signature_hash_algorithm, hashes.SHA1)
    with pytest.raises(NotTrusted) as caught:
        TrustStore([authority]).signer([old], NOW)
    assert caught.value.findings[0].code in {"trust.certificate.weak", "trust.certificate.unknown"}
    assert TrustStore([old]).signer([old], NOW).certificate == old


def test_a_store_of_nobody_needs_an_operator(tmp_path):
    with pytest.raises(NeedsOperator) as caught:
        TrustStore.of_folder(tmp_path)
    assert caught.value.findings[0].code == "keys.trust_empty"


def test_a_store_knows_when_its_folder_has_changed(tmp_path):
    (tmp_path / "signing").mkdir()
    (tmp_path / "signing/old.pem").write_bytes(ROOT.public_bytes(Encoding.PEM))
    store = TrustStore.of_folder(tmp_path)
    assert not store.stale()
    (tmp_path / "signing/new.pem").write_bytes(DIRECT.public_bytes(Encoding.PEM))
    assert store.stale()
    assert set(TrustStore.of_folder(tmp_path).certificates) == {ROOT, DIRECT}


def pem(key, secret=None):
    protection = BestAvailableEncryption(secret) if secret else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)


@pytest.fixture
def places(tmp_path):
    (tmp_path / "leaf.pem").write_bytes(DIRECT.public_bytes(Encoding.PEM))
    for name, data in {
        "plain": pem(KEYS["leaf"]),
        "locked": pem(KEYS["leaf"], b"open sesame"),
        "other": pem(KEYS["root"]),
        "weak": pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        "curve": pem(ec.generate_private_key(ec.SECP256K1())),
        "open": pem(KEYS["leaf"]),
        "junk": b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
    }.items():
        path = tmp_path / f"{name}.key.pem"
        path.write_bytes(data)
        path.chmod(0o644 if name == "open" else 0o600)
    both = pem(KEYS["leaf"]) + DIRECT.public_bytes(Encoding.PEM)
    return KeyPlaces(tmp_path, {"PHRASE": "open sesame", "WRONG": "no", "KEY": both.decode()})


@pytest.mark.parametrize(
    ("uri", "certificate_uri"),
    [
        ("file:plain.key.pem", "file:leaf.pem"),
        ("file:locked.key.pem?passphrase_env=PHRASE", "file:leaf.pem"),
        ("env:KEY", ""),
    ],
)
def test_a_signer_opens_and_keeps_its_key_to_itself(places, uri, certificate_uri):
    signer = open_signer(uri, certificate_uri, places)
    assert signer.family == "ec"
    assert signer.chain == (DIRECT,)
    secret = str(KEYS["leaf"].private_numbers().private_value)
    for shown in (repr(signer), str(signer), repr(places), format(signer)):
        assert "PRIVATE" not in shown
        assert "sesame" not in shown
        assert secret not in shown
    with pytest.raises(TypeError):
        pickle.dumps(signer)


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("file:open.key.pem", "keys.file_open"),
        ("file:absent.key.pem", "keys.unreadable"),
        ("file:junk.key.pem", "keys.unreadable"),
        ("file:locked.key.pem", "keys.unreadable"),
        ("file:locked.key.pem?passphrase_env=WRONG", "keys.unreadable"),
        ("file:locked.key.pem?passphrase_env=ABSENT", "keys.unreadable"),
        ("file:locked.key.pem?passphrase=sesame", "keys.uri"),
        ("file:other.key.pem", "keys.mismatch"),
        ("file:weak.key.pem", "keys.weak"),
        ("file:curve.key.pem", "keys.weak"),
        ("env:ABSENT", "keys.unreadable"),
        ("http://example.org/key.pem?sesame", "keys.uri"),
        ("", "keys.uri"),
    ],
)
def test_a_key_that_cannot_be_used_needs_an_operator_and_stays_secret(places, uri, code):
    with pytest.raises(NeedsOperator) as caught:
        open_signer(uri, "file:leaf.pem", places)
    assert caught.value.findings[0].code == code
    assert "sesame" not in str(caught.value) + repr(caught.value.findings)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_development_keys_are_marked_private_and_made_once(tmp_path):
    written = make_development_pki(tmp_path, ["xyz"], now=NOW)
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in written)
    assert make_development_pki(tmp_path, ["xyz"], now=NOW) == []
    for leaf in tmp_path.glob("**/signing/*.pem"):
        assert "DEVELOPMENT" in x509.load_pem_x509_certificate(leaf.read_bytes()).subject.rfc4514_string()
    kinds = {
        getattr(load_pem_private_key(path.read_bytes(), None), "key_size", 0)
        for path in tmp_path.glob("partners/xyz/keys/*.key.pem")
    }
    assert kinds == {2048, 256}
