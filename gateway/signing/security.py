"""Signing and verifying as an agreement says: the port gateway.ports.MessageSecurity.

    signing: {profile: xmldsig, key: "file:gateway/keys/rsa.key.pem", certificate: "file:gateway/keys/rsa.pem",
              trust: partners/xyz, algorithm: rsa-sha256, digest: sha256, c14n: exclusive, place: root, covers: root,
              sign: true, verify: required, accept: [rsa-sha256]}

Only key and trust have no default; every name that is not known is refused, since a misspelt rule would be no rule. Several steps
stand under `steps`, signed in that order and verified in the opposite one. `profile: none` says aloud that nothing is
signed; over a network an agreement must say one or the other, for a folder on our own disks silence is enough.

Rule 1: settings are read once for each agreement; a fault in them is NeedsOperator, never a message sent unsigned.
Rule 2: a profile is a class with `protect` and `verify`; another form of signature is a row of PROFILES.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, Protocol

from cryptography import x509

from gateway.agreements import Agreement
from gateway.errors import Finding, NeedsOperator
from gateway.signing.algorithms import CANONICALIZATIONS, DIGESTS, SIGNATURES
from gateway.signing.certificates import name_of
from gateway.signing.keys import KeyPlaces, Signer, open_signer
from gateway.signing.policy import Form, Policy, read_place
from gateway.signing.trust import TrustStore
from gateway.signing.xmldsig import sign, verify

# Transports that stay on our own disks, where an agreement may be silent about signatures.
LOCAL_TRANSPORTS = frozenset({"folder"})
LOOK_AGAIN_S = 10


class Step(Protocol):
    """One signature of an agreement, opened and ready."""

    def protect(self, data: bytes, now: datetime) -> bytes: ...
    def verify(self, data: bytes, now: datetime) -> bytes: ...
    def certificates(self, now: datetime) -> Iterable[x509.Certificate]: ...


class AgreementSecurity:
    """MessageSecurity for all agreements. clock gives microseconds since the epoch; relative paths start at places.home."""

    def __init__(self, places: KeyPlaces, clock: Callable[[], int]) -> None:
        self._places = places
        self._clock = clock
        self._steps: dict[str, tuple[Mapping[str, Any], tuple[Step, ...]]] = {}

    def protect(self, data: bytes, agreement: Agreement) -> bytes:
        """The bytes with every signature of the agreement. NeedsOperator for keys and settings, Rejected for the document."""
        steps = self._opened(agreement)
        if steps:
            now = self._now()
            for step in steps:
                data = step.protect(data, now)
        return data

    def verify(self, data: bytes, agreement: Agreement) -> bytes:
        """The verified bytes, or data itself where the agreement expects no signature. NotTrusted, NotWellFormed."""
        steps = self._opened(agreement)
        if steps:
            now = self._now()
            for step in reversed(steps):
                data = step.verify(data, now)
        return data

    def check(self, agreement: Agreement) -> None:
        """Open what the agreement names, so that a fault shows when the gateway starts. NeedsOperator."""
        self._opened(agreement)

    def certificates(self, agreement: Agreement) -> list[tuple[str, int]]:
        """What the agreement signs with and whom it trusts: (name, when it ends, in microseconds), the first to end first."""
        found = {one for step in self._opened(agreement) for one in step.certificates(self._now())}
        ends = [(name_of(one), int(one.not_valid_after_utc.timestamp()) * 1_000_000) for one in found]
        return sorted(ends, key=lambda end: end[1])

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock() / 1_000_000, UTC)

    def _opened(self, agreement: Agreement) -> tuple[Step, ...]:
        known = self._steps.get(agreement.id)
        if known is None or known[0] is not agreement.signing:
            known = (agreement.signing, tuple(_open_steps(agreement, self._places)))
            self._steps[agreement.id] = known
        return known[1]


def _open_steps(agreement: Agreement, places: KeyPlaces) -> list[Step]:
    settings = agreement.signing
    if not settings:
        if agreement.transport.kind in LOCAL_TRANSPORTS:
            return []
        finding = Finding(
            "signing.undecided", pointer="/signing", found=agreement.id, expected="profile: none, or a profile"
        )
        raise NeedsOperator(f"agreement {agreement.id} does not say what is signed", [finding], code=finding.code)
    entries = settings.get("steps", [settings])
    if not isinstance(entries, list) or ("steps" in settings and len(settings) != 1) or not entries:
        _wrong(agreement, "/steps", "other settings beside", "steps alone, one or more")
    opened: list[Step] = []
    for index, entry in enumerate(entries):
        pointer = f"/signing/steps/{index}" if "steps" in settings else "/signing"
        profile = entry.get("profile") if isinstance(entry, Mapping) else None
        if not isinstance(profile, str) or profile not in PROFILES:
            _wrong(agreement, f"{pointer}/profile", str(profile), ", ".join(PROFILES))
        opened += PROFILES[profile](agreement, entry, pointer, places)
    return opened


@dataclass(frozen=True, slots=True)
class XmlSignatureStep:
    """Enveloped XML signature. signer is None where we do not sign, folder None where nothing is verified."""

    form: Form
    policy: Policy
    signer: Signer | None
    store: FreshStore | None

    def protect(self, data: bytes, now: datetime) -> bytes:
        if self.signer is None:
            return data
        _check_own_certificate(self.signer, now)
        return sign(data, self.signer, self.form)

    def verify(self, data: bytes, now: datetime) -> bytes:
        return data if self.store is None else verify(data, self.policy, self.store.at(now), now).data

    def certificates(self, now: datetime) -> Iterable[x509.Certificate]:
        own = self.signer.chain[:1] if self.signer else ()
        return (*own, *(self.store.at(now).certificates if self.store else ()))


class FreshStore:
    """A trust store that is read again, at most every few seconds, when someone has put a certificate in or taken one out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = TrustStore.of_folder(folder)
        self._look_again = datetime.min.replace(tzinfo=UTC)

    def at(self, now: datetime) -> TrustStore:
        if now >= self._look_again:
            if self._store.stale():
                self._store = TrustStore.of_folder(self._folder)
            self._look_again = now + timedelta(seconds=LOOK_AGAIN_S)
        return self._store


def _xml_signature(agreement: Agreement, entry: Mapping[str, Any], pointer: str, places: KeyPlaces) -> list[Step]:
    findings: list[Finding] = []

    def choose(name: str, default: Any, allowed: Mapping[Any, Any] | tuple[Any, ...]) -> Any:
        value = entry.get(name, default)
        if not isinstance(value, str | bool) or value not in allowed:
            expected = ", ".join(str(one) for one in allowed)
            findings.append(
                Finding("signing.settings", pointer=f"{pointer}/{name}", found=str(value), expected=expected)
            )
            return default
        return value

    def place(name: str) -> tuple[str, ...]:
        try:
            return read_place(str(entry.get(name, "root")))
        except ValueError as problem:
            findings.append(Finding("signing.settings", pointer=f"{pointer}/{name}", expected=str(problem)))
            return ()

    for name in sorted(set(entry) - _XML_SETTINGS):
        finding = Finding(
            "signing.settings", pointer=f"{pointer}/{name}", found=name, expected=", ".join(sorted(_XML_SETTINGS))
        )
        findings.append(finding)
    signs, verifies = choose("sign", True, (True, False)), choose("verify", "required", ("required", "none"))
    for name, wanted in (("key", signs), ("trust", verifies == "required")):
        if wanted and not (isinstance(entry.get(name), str) and entry[name]):
            findings.append(Finding("signing.settings", pointer=f"{pointer}/{name}", found="", expected="a value"))
    form = Form(
        algorithm=choose("algorithm", "rsa-sha256", SIGNATURES),
        digest=choose("digest", "sha256", DIGESTS),
        canonicalization=choose("c14n", "exclusive", CANONICALIZATIONS),
        place=place("place"),
        covers=place("covers"),
    )
    accept = entry.get("accept", sorted(Policy().signatures))
    if not isinstance(accept, list) or not accept or any(one not in SIGNATURES for one in map(str, accept)):
        finding = Finding(
            "signing.settings", pointer=f"{pointer}/accept", found=str(accept), expected=", ".join(SIGNATURES)
        )
        findings.append(finding)
    if findings:
        raise NeedsOperator(f"agreement {agreement.id}: signing is wrong", findings, code="signing.settings")
    policy = Policy(place=form.place, covers=form.covers, signatures=frozenset(accept))
    signer = open_signer(entry["key"], str(entry.get("certificate", "")), places) if signs else None
    if signer is not None and signer.family != SIGNATURES[form.algorithm].family:
        _wrong(agreement, f"{pointer}/algorithm", form.algorithm, f"an algorithm for a key of kind {signer.family}")
    store = FreshStore(places.home / entry["trust"]) if verifies == "required" else None
    return [XmlSignatureStep(form, policy, signer, store)]


def _nothing(agreement: Agreement, entry: Mapping[str, Any], pointer: str, _places: KeyPlaces) -> list[Step]:
    if set(entry) != {"profile"}:
        _wrong(agreement, pointer, ", ".join(sorted(entry)), "profile: none alone")
    return []


def _check_own_certificate(signer: Signer, now: datetime) -> None:
    """A signature by a certificate that has ended would only come back as a refusal, so it is not made."""
    own = signer.chain[0]
    if not own.not_valid_before_utc <= now <= own.not_valid_after_utc:
        finding = Finding("keys.certificate_dates", found=name_of(own), expected=f"valid at {now.isoformat()}")
        raise NeedsOperator("our own certificate is not valid now", [finding], code=finding.code)


def _wrong(agreement: Agreement, pointer: str, found: str, expected: str) -> NoReturn:
    finding = Finding("signing.settings", pointer=pointer, found=found, expected=expected)
    raise NeedsOperator(f"agreement {agreement.id}: signing is wrong", [finding], code=finding.code)


_XML_SETTINGS = {
    "profile", "key", "certificate", "algorithm", "digest", "c14n", "place", "covers", "sign", "verify", "trust", "accept",
}  # fmt: skip

PROFILES: Mapping[str, Callable[[Agreement, Mapping[str, Any], str, KeyPlaces], list[Step]]] = {
    "none": _nothing,
    "xmldsig": _xml_signature,
}
