"""Development keys made once, and a document of our own that has what signatures trip over."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.signing.devkeys import make_development_pki
from gateway.signing.keys import KeyPlaces, Signer, open_signer
from gateway.signing.trust import TrustStore

NOW = datetime.now(UTC)  # the other libraries ask the clock themselves

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<?note kept?>
<Manifest xmlns="urn:example:manifest" xmlns:q="urn:example:unused" xml:lang="mn">
  <Head Id="head"><From>A</From><To>B</To></Head>
  <Body Id="body" note="&#10;&quot;x&quot;">
    <Seal>ЭХ-1</Seal><!-- seen by nobody --><Mass unit="kg">21000.5</Mass>
    <Text>铁矿 &amp; <![CDATA[<coal>]]></Text>
  </Body>
</Manifest>
""".encode()


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    make_development_pki(folder, ["mn-customs", "other"], now=NOW - timedelta(days=30))
    return folder


@pytest.fixture(scope="session")
def signers(pki: Path) -> dict[str, Signer]:
    places = KeyPlaces(pki, {})
    return {
        kind: open_signer(f"file:gateway/keys/{kind}.key.pem", f"file:gateway/keys/{kind}.pem", places)
        for kind in ("rsa", "ec")
    }


@pytest.fixture(scope="session")
def trust(pki: Path) -> TrustStore:
    return TrustStore.of_folder(pki / "gateway")
