"""A town with three neighbouring customs offices over signed HTTPS, each of which answers later into our own HTTPS.

The offices are alike; what was agreed with each is not, and that decides what can be known after a crash:
    asked     has an address to ask for the status of a message
    tolerant  has none, but is known to drop a second copy
    silent    has neither
Everybody shows a certificate of the development authority, filers too. The answers of `asked` and `silent` are believed for their
signature alone, those of `tolerant` for a token besides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from gateway.cli.demo.processes import free_ports
from gateway.signing.devkeys import make_development_pki
from gateway.testing.directory import PartnersFile, key_digest
from tests.system.town import FILER, ROOT, Town

OFFICES = ("asked", "tolerant", "silent")
KINDS = ("declaration", "declaration_amendment", "declaration_cancellation", "goods_presentation")
TOKEN, TOKEN_IN = "token-of-the-tolerant-office", "TOLERANT_OFFICE_TOKEN"


@dataclass
class Effects:
    """What an office says that happened to it. effects: reference -> how often it acted; doubles, conflicts: copies it dropped."""

    effects: dict[str, int] = field(default_factory=dict)
    doubles: int = 0
    conflicts: int = 0


class Neighbours(Town):
    scheme = "https"

    def settle(self, speed: float) -> None:
        self.environment[TOKEN_IN] = TOKEN
        make_development_pki(self.home / "certs", OFFICES)
        ours = self.home / "certs" / "gateway" / "keys"
        self.authority = self.home / "certs" / "ca.pem"
        self.certificate = (str(ours / "tls.pem"), str(ours / "tls.key.pem"))
        tls = ("--tls-cert", self.certificate[0], "--tls-key", self.certificate[1])
        self.commands["serve"] += (*tls, "--tls-client-ca", str(self.authority))
        file = PartnersFile(operator="port-operations").add_tenant("port-operations")
        self.ports = dict(zip(OFFICES, free_ports(len(OFFICES)), strict=True))
        for name in OFFICES:
            file.add_tenant(f"filer-{name}", key=f"{FILER}-{name}")
            file.add_partner(name, jurisdiction="MN", rest_s=1)
            self._agree(file, name)
            self.commands[name] = self._office(name, speed)
        file.write(self.home / "partners.yaml")

    def session(self) -> requests.Session:
        session = super().session()
        session.trust_env = False
        session.verify, session.cert = str(self.authority), self.certificate
        return session

    def key_of(self, document: dict[str, Any]) -> str:
        return f"{FILER}-{office_of(document['functional_reference_id'])}"

    def effects(self, office: str) -> Effects:
        """The office's own book: a JSON line a fact."""
        told = Effects()
        for line in (self.home / f"{office}.jsonl").read_text(encoding="utf-8").splitlines():
            try:
                fact = json.loads(line)
            except ValueError:
                continue  # the last line of one that was killed while it wrote
            if fact["fact"] == "effect":
                told.effects[fact["reference"]] = told.effects.get(fact["reference"], 0) + 1
            told.doubles += fact["fact"] == "double"
            told.conflicts += fact["fact"] == "conflict"
        return told

    def address(self, office: str) -> str:
        return f"https://127.0.0.1:{self.ports[office]}"

    def _agree(self, file: PartnersFile, name: str) -> None:
        address = self.address(name)
        transport: dict[str, Any] = {
            "kind": "http",
            "url": f"{address}/messages",
            "ca": str(self.authority),
            "client_certificate": self.certificate[0],
            "client_key": self.certificate[1],
            "read_timeout_s": 10,
        }
        if name == "asked":
            transport["status_url"] = f"{address}/declarations/{{name}}"
        if name == "tolerant":
            transport["inbound_token_sha256"] = key_digest(TOKEN)
        file.add_agreement(
            name,
            partner=name,
            adapter="wco_declaration",
            documents=KINDS,
            transport=transport,
            routed=False,
            reading="tolerant",
            drops_doubles=name == "tolerant",
            parallel=4,
            parameters={
                "responsible_country": "MN",
                "responsible_agency": "Neighbouring customs",
                "customization_version": "v2.1",
                "party_identifier_scheme": "EORI",
            },
            signing={
                "profile": "xmldsig",
                "key": "file:gateway/keys/rsa.key.pem",
                "certificate": "file:gateway/keys/rsa.pem",
                "trust": f"partners/{name}",
            },
            retry={"first_s": 0.3, "factor": 2, "cap_s": 3, "attempts": 60},
            receipt_timeout_s=60,
            may_leave=["*", "obligation_guarantees.access_code"],
            legal_basis="agreement of these tests",
        )
        file.routes.append({"documents": list(KINDS), "when": {"tenant": [f"filer-{name}"]}, "to": [name]})

    def _office(self, name: str, speed: float) -> tuple[str, ...]:
        certs = self.home / "certs"
        keys = certs / "partners" / name / "keys"
        words = {
            "--port": self.ports[name],
            "--callback": f"{self.url}/v1/partners/{name}/messages",
            "--callback-ca": self.authority,
            "--tls-cert": keys / "tls.pem",
            "--tls-key": keys / "tls.key.pem",
            "--tls-client-ca": self.authority,
            "--sign-key": keys / "ec.key.pem",
            "--trust": certs / "gateway",
            "--ledger": self.home / f"{name}.jsonl",
            "--speed": speed,
        }
        if name == "tolerant":
            words["--callback-token"] = f"env:{TOKEN_IN}"
        return ("sim", "wco_declaration", *(str(word) for pair in words.items() for word in pair))


def office_of(reference: str) -> str:
    """Whom a declaration of garments() is for."""
    return next(name for name in OFFICES if name[0].upper() == reference[0])


def garments(office: str, count: int, marks: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Copies of the demonstration's declaration to a neighbour, each with a reference of its own, marks in turn."""
    path = ROOT / "adapters" / "wco_declaration" / "demo" / "import-cashmere-garments-neighbour.json"
    model: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for number in range(count):
        mark = marks[number % len(marks)]
        yield {**model, "functional_reference_id": f"{office[0].upper()}{number:06d}{mark and '-' + mark}"}
