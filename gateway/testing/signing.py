"""Signatures for simulated partners: what the gateway verifies from them, and checks of what it sends, by the same rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from gateway.signing.keys import KeyPlaces, open_signer
from gateway.signing.policy import Form, Policy
from gateway.signing.trust import TrustStore
from gateway.signing.xmldsig import sign, verify

Bytes = Callable[[bytes], bytes]
KEY_ENDING = ".key.pem"


def signing_pair(key: Path | None, trust: Path | None) -> tuple[Bytes | None, Bytes | None]:
    """A function that signs with key, and one that returns what signers of the folder trust have signed.

    key is named ``<kind>.key.pem``, as development keys are, with its certificates in ``<kind>.pem`` beside it; trust is the folder
    above ``signing/``. None for what is not given. The second raises NotTrusted.
    """
    return (None if key is None else _signing(key), None if trust is None else _verifying(trust))


def _signing(key: Path) -> Bytes:
    folder, name = key.resolve().parent, key.name.removesuffix(KEY_ENDING)
    form = Form(algorithm="rsa-sha256" if name == "rsa" else "ecdsa-sha256")
    signer = open_signer(f"file:{key.name}", f"file:{name}.pem", KeyPlaces(folder))
    return lambda data: sign(data, signer, form)


def _verifying(trust: Path) -> Bytes:
    store, policy = TrustStore.of_folder(trust), Policy()
    return lambda data: verify(data, policy, store, datetime.now(UTC)).data
