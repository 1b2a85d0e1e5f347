"""What an agreement's `signing` says is what happens to its messages."""

from datetime import timedelta

import pytest

from gateway.agreements import Agreement, Partner, Retry, Transport
from gateway.errors import NeedsOperator, NotTrusted
from gateway.ids import from_datetime
from gateway.ports import MessageSecurity
from gateway.signing.keys import KeyPlaces
from gateway.signing.security import AgreementSecurity
from tests.signing.conftest import DOCUMENT, NOW

OURS = {
    "profile": "xmldsig",
    "key": "file:gateway/keys/rsa.key.pem",
    "certificate": "file:gateway/keys/rsa.pem",
    "trust": "partners/mn-customs",
}
THEIRS = {
    "profile": "xmldsig",
    "key": "file:partners/mn-customs/keys/ec.key.pem",
    "certificate": "file:partners/mn-customs/keys/ec.pem",
    "algorithm": "ecdsa-sha256",
    "trust": "gateway",
}


def agreement(signing, transport="http"):
    return Agreement(
        id="mn",
        partner=Partner("mn-customs", "Customs", "MN", "test"),
        adapter="any",
        environment="test",
        documents=("declaration",),
        transport=Transport(transport),
        parameters={},
        reading="strict",
        retry=Retry(),
        ordered_by="nothing",
        drops_doubles=False,
        parallel=1,
        receipt_timeout_s=60,
        may_lose=(),
        may_leave=(),
        legal_basis="",
        signing=signing,
        silence_s={},
        retention_days=1,
    )


@pytest.fixture
def security(pki) -> MessageSecurity:
    return AgreementSecurity(KeyPlaces(pki, {}), lambda: from_datetime(NOW))


def test_two_sides_that_agree_understand_each_other(security):
    ours, theirs = agreement(OURS), agreement(THEIRS)
    sent = security.protect(DOCUMENT, agreement({**OURS, "verify": "none"}))
    assert security.verify(sent, theirs) == security.verify(security.protect(DOCUMENT, theirs), ours)
    with pytest.raises(NotTrusted):
        security.verify(sent, ours)


@pytest.mark.parametrize(("signing", "transport"), [({}, "folder"), ({"profile": "none"}, "http")])
def test_where_nothing_is_agreed_nothing_happens(security, signing, transport):
    assert security.protect(DOCUMENT, agreement(signing, transport)) is DOCUMENT
    signed = security.protect(DOCUMENT, agreement(OURS))
    assert security.verify(signed, agreement(signing, transport)) is signed


def test_one_sided_agreements_do_only_their_side(security):
    one_way = agreement({**OURS, "verify": "none"})
    assert security.verify(DOCUMENT, one_way) is DOCUMENT
    other_way = agreement({"profile": "xmldsig", "sign": False, "trust": "partners/mn-customs"})
    assert security.protect(DOCUMENT, other_way) is DOCUMENT
    with pytest.raises(NotTrusted):
        security.verify(DOCUMENT, other_way)


def test_an_unsigned_message_is_refused_where_a_signature_is_due(security):
    with pytest.raises(NotTrusted) as caught:
        security.verify(DOCUMENT, agreement(OURS))
    assert caught.value.findings[0].code == "trust.signature.missing"


def test_steps_are_signed_in_order_and_verified_in_the_other(security):
    inner = {**THEIRS, "covers": "Body", "place": "Body"}
    steps = agreement({"steps": [{"profile": "none"}, inner]})
    opposite = agreement({"steps": [{"profile": "none"}, {**OURS, "covers": "Body", "place": "Body"}]})
    assert security.verify(security.protect(DOCUMENT, steps), opposite).startswith(b"<Body ")


@pytest.mark.parametrize(
    ("signing", "code", "pointer"),
    [
        ({}, "signing.undecided", "/signing"),
        ({"profile": "pgp"}, "signing.settings", "/signing/profile"),
        ({"profile": ["none"]}, "signing.settings", "/signing/profile"),
        ({"profile": "none", "key": "file:x"}, "signing.settings", "/signing"),
        ({"steps": []}, "signing.settings", "/steps"),
        ({"steps": ["none"]}, "signing.settings", "/signing/steps/0/profile"),
        ({**OURS, "verfiy": "none"}, "signing.settings", "/signing/verfiy"),
        ({**OURS, "algorithm": "rsa-sha1"}, "signing.settings", "/signing/algorithm"),
        ({**OURS, "algorithm": "ecdsa-sha256"}, "signing.settings", "/signing/algorithm"),
        ({**OURS, "accept": ["hmac-sha256"]}, "signing.settings", "/signing/accept"),
        ({**OURS, "verify": "sometimes"}, "signing.settings", "/signing/verify"),
        ({**OURS, "place": "//x"}, "signing.settings", "/signing/place"),
        ({**OURS, "trust": ""}, "signing.settings", "/signing/trust"),
        ({"profile": "xmldsig", "trust": "gateway"}, "signing.settings", "/signing/key"),
        ({**OURS, "trust": "partners/nobody"}, "keys.trust_empty", None),
        ({**OURS, "key": "file:absent.pem"}, "keys.unreadable", None),
    ],
)
def test_a_wrong_or_missing_setting_needs_an_operator_and_sends_nothing(security, signing, code, pointer):
    for use in (security.protect, security.verify):
        with pytest.raises(NeedsOperator) as caught:
            use(DOCUMENT, agreement(signing))
        (finding,) = caught.value.findings
        assert (finding.code, finding.pointer) == (code, pointer)


def test_an_ended_certificate_of_ours_signs_nothing(pki):
    late = AgreementSecurity(KeyPlaces(pki, {}), lambda: from_datetime(NOW + timedelta(days=3000)))
    with pytest.raises(NeedsOperator) as caught:
        late.protect(DOCUMENT, agreement(OURS))
    assert caught.value.findings[0].code == "keys.certificate_dates"
