"""Messages as other senders may write them: each is read nearly whole and comes back equal, or is refused with its place."""

import pytest

from adapters.cn_declaration import CnDeclaration
from gateway.catalogue.manifest import Manifest
from gateway.errors import Rejected
from tests.cn_declaration.test_roundtrip import there_and_back
from tests.cn_declaration.variants import NOT_READ, READ, UNKNOWN, sample


@pytest.mark.parametrize("phrase", READ)
def test_what_others_may_send_is_read_and_comes_back_equal(
    adapter: CnDeclaration, manifest: Manifest, phrase: str
) -> None:
    name, change = READ[phrase]
    found, _, different = there_and_back(adapter, manifest, change(sample(name)))
    assert different == []
    assert found.report.coverage >= 0.95
    assert (found.report.lost, found.report.unmapped) == ([], [])


@pytest.mark.parametrize("phrase", NOT_READ)
def test_what_cannot_be_read_is_refused_with_its_place(adapter: CnDeclaration, phrase: str) -> None:
    name, change, code, place = NOT_READ[phrase]
    with pytest.raises(Rejected) as refused:
        adapter.decode(change(sample(name)), tolerant=True)
    told = [(finding.code, finding.partner_place or "") for finding in refused.value.findings]
    assert any(found == code and where.startswith(place) for found, where in told), told


@pytest.mark.parametrize("phrase", UNKNOWN)
def test_what_no_version_describes_is_kept_and_named(adapter: CnDeclaration, manifest: Manifest, phrase: str) -> None:
    name, change, place = UNKNOWN[phrase]
    found, _, different = there_and_back(adapter, manifest, change(sample(name)))
    assert different == []
    assert [leaf.place for leaf in found.report.bag] == [place]


def test_the_times_of_receipts_are_read_in_every_spelling(adapter: CnDeclaration) -> None:
    for text, expected in (
        ("20261118", "2026-11-18"),
        ("2026-11-18", "2026-11-18"),
        ("2026-11-18 10:21:07", "2026-11-18T10:21:07+08:00"),
        ("20261118102107", "2026-11-18T10:21:07+08:00"),
        ("2026-11-18T10:21:07.123", "2026-11-18T10:21:07.123+08:00"),
        ("2026-11-18T10:21:07+08:00", "2026-11-18T10:21:07+08:00"),
        ("2026-11-18T02:21:07Z", "2026-11-18T02:21:07Z"),
    ):
        data = f"<DEC_RESULT><CUS_CIQ_NO>I1</CUS_CIQ_NO><CHANNEL>P</CHANNEL><D_DATE>{text}</D_DATE></DEC_RESULT>"
        assert adapter.decode(data.encode(), tolerant=True).document["declaration"]["issue_date_time"] == expected
