"""What the demonstration files and what must come of it: scenario.yaml and the cast, filled in and driven through the public API."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml

from gateway import settings
from gateway.catalogue import Catalogue
from gateway.cli.demo import cast
from gateway.cli.demo.processes import free_ports
from gateway.errors import NeedsOperator, OutcomeUnknown

ACCOUNT = "demo"
HERE = Path(__file__).parent
READY_WITHIN_S = 90


@dataclass(frozen=True, slots=True)
class Simulator:
    adapter: str
    arguments: tuple[str, ...]


@dataclass(slots=True)
class Filing:
    """One declaration on its way: file it, answer what customs asks for, and see it end.

    steps: what the trader does when a state is reached: declare_again with changes, or request something of the declaration.
    expect: the states at its end; round: in which round. adapter: whose part of the demonstration it is.
    """

    title: str
    adapter: str
    document: dict[str, Any]
    expect: dict[str, str]
    round: int = 1
    steps: list[dict[str, Any]] = field(default_factory=list)
    id: str = ""
    message_ids: list[str] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    mover: str = ""
    current_round: int = 1
    problem: str = ""

    @property
    def reached(self) -> bool:
        return self.current_round == self.round and self.expect.items() <= self.states.items() and not self.steps

    @property
    def over(self) -> bool:
        return self.reached or bool(self.problem)


class Scenario:
    """One run in one folder. frame: what holds whoever plays; ports: of the gateway, its door for partners, and each partner."""

    def __init__(self, frame: Mapping[str, Any], parts: list[cast.Part], home: Path, ports: list[int]) -> None:
        self.home = home
        self.port = ports[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self.api_key = f"demo-{secrets.token_urlsafe(18)}"
        self.operator_key = f"operator-{secrets.token_urlsafe(18)}"
        self.door = f"https://127.0.0.1:{ports[1]}"
        self.callback_token = secrets.token_urlsafe(18)
        self.password = ""
        words = {
            "home": str(home),
            "door_port": str(ports[1]),
            "door": self.door,
            "api_key_sha256": _sha256(self.api_key),
            "operator_key_sha256": _sha256(self.operator_key),
            "callback_token_sha256": _sha256(self.callback_token),
        }
        filled: dict[str, Any] = _fill(frame, words)
        played = [
            {"adapter": part.adapter, **_fill(part.raw, words | {"partner_port": str(port)})}
            for part, port in zip(parts, ports[2:], strict=True)
        ]
        self.partners = cast.partners_file(filled["partners"], played)
        self.folders: list[str] = [folder for one in played for folder in one.get("folders", [])]
        self.serving: list[list[str]] = filled["serve"]
        self.simulators = [Simulator(one["adapter"], tuple(one["simulator"])) for one in played]
        self.within_s: float = filled["within_s"]
        self.filings = [
            _filing(entry, part) for part, one in zip(parts, played, strict=True) for entry in one["declarations"]
        ]
        self.session = requests.Session()
        self.session.headers["X-API-Key"] = self.api_key
        self.session.headers["Accept-Language"] = "en"

    @classmethod
    def load(cls, home: Path, catalogue: Catalogue | None = None) -> Scenario:
        """All adapters of a catalogue, of this installation's where none is given; on ports that nobody listens on."""
        frame = yaml.safe_load((HERE / "scenario.yaml").read_text(encoding="utf-8"))
        parts = cast.parts((catalogue or Catalogue.load(settings.load())).entries.values())
        return cls(frame, parts, home, free_ports(2 + len(parts)))

    def parties(self) -> Iterator[str]:
        """Who takes part, and how each of them is reached."""
        names = {partner["id"]: partner["name"] for partner in self.partners["partners"]}
        for agreement in self.partners["agreements"]:
            transport = agreement["transport"]
            way = transport.get("url", "").partition(":")[0].upper() or f"a {transport['kind']}"
            signed = ", messages and answers signed" if agreement.get("signing") else ""
            yield f"{names[agreement['partner']]}: {agreement['adapter']} over {way}{signed}"

    def environment(self) -> dict[str, str]:
        """What every process of the run has to know."""
        return {
            "SWGATE_HOME": str(self.home),
            "SWGATE_PARTNERS": str(self.home / "partners.yaml"),
            "SWGATE_CERTS": str(self.home / "certs"),
            "SWGATE_PORT": str(self.port),
            "SWGATE_HOST": "127.0.0.1",
            "DEMO_CALLBACK_TOKEN": self.callback_token,
        }

    def prepare(self) -> None:
        """Write the partners file, make the partners' folders and the development keys."""
        from gateway.signing.devkeys import make_development_pki

        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in self.folders:
            Path(folder).mkdir(parents=True, exist_ok=True)
        make_development_pki(self.home / "certs", [partner["id"] for partner in self.partners["partners"]])
        text = yaml.safe_dump(self.partners, allow_unicode=True, sort_keys=False)
        (self.home / "partners.yaml").write_text(text, encoding="utf-8")

    def make_account(self) -> None:
        """Somebody who may sign in to the console, with a password of this run."""
        from gateway.console import passwords
        from gateway.console.accounts import Accounts, Doer
        from gateway.storage import open_store

        store = open_store(settings.load({**os.environ, **self.environment()}))
        try:
            accounts, doer = Accounts(store, ()), Doer("swgate demo", "the demonstration")
            self.password = passwords.made()
            # A folder that was kept from an earlier run has the account already.
            if any(row.name == ACCOUNT for row in accounts.every()):
                accounts.set_password(ACCOUNT, self.password, doer, must_change=False)
            else:
                accounts.add(ACCOUNT, self.password, doer, role="administrator")
        finally:
            store.close()

    def wait_until_ready(self, check: Callable[[], None]) -> None:
        """Return when the gateway says that it is ready. OutcomeUnknown after READY_WITHIN_S seconds."""
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            check()
            try:
                if self.session.get(f"{self.url}/ready", timeout=2).ok:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.1)
        raise OutcomeUnknown(f"the gateway did not become ready within {READY_WITHIN_S} s")

    def file_all(self) -> Iterator[Filing]:
        """File everything, then follow it; yields each filing whenever something about it changed."""
        for filing in self.filings:
            self._file(filing)
            yield filing
        deadline = time.monotonic() + self.within_s
        while time.monotonic() < deadline and not all(filing.over for filing in self.filings):
            for filing in self.filings:
                if not filing.over and self._look(filing):
                    yield filing
            time.sleep(0.1)

    def timeline(self, filing: Filing) -> list[dict[str, Any]]:
        """Everything that happened to a declaration, its requests and all its messages, in order."""
        items: list[dict[str, Any]] = self._get(f"/v1/declarations/{filing.id}/timeline")["items"]
        return items

    def _file(self, filing: Filing) -> None:
        answer = self.session.post(
            f"{self.url}/v1/declarations",
            json=filing.document,
            headers={"Idempotency-Key": secrets.token_hex(16)},
            timeout=30,
        )
        self._accepted(filing, answer)

    def _look(self, filing: Filing) -> bool:
        view = self._get(f"/v1/declarations/{filing.id}")
        standing = view["standing"]
        states = {entry["track"]: entry["state"] for entry in standing["states"]}
        states |= {entry["kind"].removeprefix("declaration_"): entry["state"] for entry in view["requests"]}
        changed = (states, standing["round"]) != (filing.states, filing.current_round)
        filing.states, filing.current_round, filing.mover = states, standing["round"], standing["mover_title"]
        if filing.steps and filing.steps[0]["reached"].items() <= states.items():
            self._act(filing, filing.steps.pop(0))
            changed = True
        return changed

    def _act(self, filing: Filing, step: Mapping[str, Any]) -> None:
        address = f"{self.url}/v1/declarations/{filing.id}"
        if "declare_again" in step:
            filing.document = _changed(filing.document, step["declare_again"])
            answer = self.session.put(address, json=filing.document, timeout=30)
        else:
            answer = self.session.post(f"{address}/{step['request']}", json=step["body"], timeout=30)
        self._accepted(filing, answer)

    def _accepted(self, filing: Filing, answer: requests.Response) -> None:
        if answer.status_code != 202:
            findings = "; ".join(
                f"{finding.get('pointer') or '/'}: {finding.get('text')}"
                for finding in answer.json().get("findings", [])
            )
            filing.problem = f"{answer.status_code} {answer.json().get('title', '')} {findings}".strip()
            return
        body = answer.json()
        filing.id = filing.id or body["id"]
        filing.message_ids += body["message_ids"]

    def _get(self, path: str) -> dict[str, Any]:
        answer = self.session.get(self.url + path, timeout=30)
        if not answer.ok:
            raise NeedsOperator(f"GET {path} answered {answer.status_code}: {answer.text[:300]}")
        body: dict[str, Any] = answer.json()
        return body


def _filing(entry: Mapping[str, Any], part: cast.Part) -> Filing:
    document = json.loads((part.declarations_in / entry["file"]).read_text(encoding="utf-8"))
    return Filing(
        title=entry["title"],
        adapter=part.adapter,
        document=_changed(document, entry.get("changes", {})),
        expect=dict(entry["expect"]),
        round=entry.get("round", 1),
        steps=list(entry.get("steps", [])),
    )


def _changed(document: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with changes applied: a mapping goes into a mapping, null takes a member away, all else replaces."""
    result = dict(document)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(result.get(name), dict):
            result[name] = _changed(result[name], value)
        else:
            result[name] = value
    return result


def _fill(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, word in words.items():
            value = value.replace(f"${{{name}}}", word)
        return value
    if isinstance(value, list):
        return [_fill(entry, words) for entry in value]
    if isinstance(value, dict):
        return {name: _fill(entry, words) for name, entry in value.items()}
    return value


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
