"""A whole gateway on a real socket: uvicorn in a thread, SQLite in a temporary folder, the adapter of these tests."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest
import uvicorn

from gateway import app as gateway_app
from gateway import ids
from gateway import settings as gateway_settings
from gateway.api import bundle
from gateway.console.accounts import Accounts, Doer
from gateway.ports import Writing
from gateway.signing.devkeys import make_development_pki
from gateway.testing.directory import PartnersFile, key_digest
from gateway.testing.signing import KEY_ENDING, signing_pair

HERE = Path(__file__).parent
FILER, OTHER, OPERATOR, PARTNER = "filer-key-000001", "other-key-000002", "operator-key-003", "partner-token-04"
KINDS = ("declaration", "declaration_amendment", "declaration_cancellation", "goods_presentation")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    data: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.data)


@dataclass
class Api:
    """Asks a running gateway over a socket. key: the API key sent, "" for none."""

    port: int
    key: str = FILER
    headers: dict[str, str] = field(default_factory=lambda: {"Accept-Language": "en"})

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        raw: bytes | None = None,
        **headers: str,
    ) -> Answer:
        said = dict(self.headers)
        key = self.key if key is None else key
        if key:
            said["X-API-Key"] = key
        data = raw
        if body is not None:
            data = json.dumps(body, ensure_ascii=False).encode()
        if data is not None:
            said["Content-Type"] = "application/json"
        said.update({name.replace("_", "-"): value for name, value in headers.items()})
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body=data, headers=said)
            response = connection.getresponse()
            return Answer(response.status, {n.lower(): v for n, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Answer:
        return self.ask("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.ask("POST", path, body, **more)


@dataclass
class Desk:
    """A browser without a head: keeps its cookie, and sends the token of its forms. page: where forms are taken from."""

    api: Api
    cookie: str = ""

    def get(self, path: str, **headers: str) -> Answer:
        return self._keep(self.api.get(path, key="", **self._said(headers)))

    def post(self, path: str, *, token: str | None = None, **form: str) -> Answer:
        """Send a form; token: another than that of this session."""
        said = {"form_token": self.token() if token is None else token, **form}
        headers = self._said({"Content_Type": "application/x-www-form-urlencoded"})
        return self._keep(self.api.ask("POST", path, key="", raw=urlencode(said).encode(), **headers))

    def token(self) -> str:
        """What the forms of this session carry, as the page of the sign-in, which everybody may open, tells."""
        found = re.search(r'name="form_token" value="([0-9a-f]+)"', self.get("/console/sign-in").data.decode())
        assert found
        return found[1]

    def sign_in(self, name: str, password: str) -> Answer:
        return self.post("/console/sign-in", name=name, password=password)

    def _said(self, headers: dict[str, str]) -> dict[str, str]:
        return {**headers, "Cookie": self.cookie} if self.cookie else headers

    def _keep(self, answer: Answer) -> Answer:
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].split(";")[0]
        return answer


# Account -> role and tenant.
PEOPLE = {
    "viewer": ("viewer", "filer"),
    "stranger": ("viewer", "other"),
    "overseer": ("viewer", ""),
    "operator": ("operator", ""),
    "administrator": ("administrator", ""),
}


def password_of(name: str) -> str:
    return f"battery of the {name[::-1]} staple"


@dataclass
class Running:
    """A gateway that answers. app: its parts, for looking behind the API."""

    app: Any
    port: int
    documents: dict[str, Any]
    partner_token: str = PARTNER
    example_ids: ClassVar[dict[str, str]] = {
        "adapter_id": "plain_notice",
        "agreement_id": "plain",
        "agreement": "plain",
        "code": "document.code.unknown",
    }
    numbers: ClassVar[Iterator[int]] = itertools.count(1)

    @property
    def api(self) -> Api:
        return Api(self.port)

    @property
    def other(self) -> Api:
        return Api(self.port, OTHER)

    @property
    def operator(self) -> Api:
        return Api(self.port, OPERATOR)

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.app.parts.store, self.app.parts.directory.tenants)

    def somebody(self, name: str, role: str, tenant: str = "", **more: Any) -> Desk:
        """A new account, signed in."""
        self.accounts.add(name, password_of(name), Doer("tests", "for a test"), role=role, tenant=tenant, **more)
        return self.signed_in(name)

    def signed_in(self, name: str) -> Desk:
        desk = Desk(self.api)
        assert desk.sign_in(name, password_of(name)).status == 303
        return desk

    def declaration(self, **changes: Any) -> dict[str, Any]:
        """The example declaration with a reference of its own."""
        return {**self.documents["ImportByRoad"], "functional_reference_id": f"T-{next(self.numbers)}", **changes}

    def file(self, **changes: Any) -> dict[str, Any]:
        """File a declaration and return the answer."""
        answer = self.api.post("/v1/declarations", self.declaration(**changes))
        assert answer.status == 202, answer.data
        return dict(answer.json)

    def hand_over(self, message_id: str) -> None:
        """What a worker would have done: the partner has the message."""

        def unit(writing: Writing) -> None:
            message = writing.message(message_id)
            assert message is not None
            writing.advance(message, "signed", "started", "handed_over", now_us=ids.now_us(), attempts=1)
            writing.cancel_work(message_id)

        self.app.parts.store.write(unit)

    def reply(self, declaration_id: str, function: str, text: str = "said") -> bytes:
        """What the partner of these tests would answer to a declaration."""
        with self.app.parts.store.read() as reading:
            told = reading.aliases_of(declaration_id).values()
        reference = next(names["plain-ref"] for names in told if "plain-ref" in names)
        at = ids.now_us()
        return f'<Reply ref="{reference}" function="{function}" code="{at}" at="{at}">{text}</Reply>'.encode()

    def deliver(self, data: bytes, **headers: str) -> Answer:
        """Deliver as the partner does."""
        said = {"Authorization": f"Bearer {PARTNER}", **headers}
        return self.api.ask("POST", "/v1/partners/plain/messages", raw=data, key="", **said)

    def answer(self, declaration_id: str, function: str, text: str = "said") -> None:
        """Let the partner answer, and see that it is applied."""
        delivered = self.deliver(self.reply(declaration_id, function, text))
        assert delivered.status == 202, delivered.data
        assert delivered.json["status"] == "matched"


def partners(folder: Path) -> Path:
    """Two tenants with a key each, an operator, one agreement that gets everything, and two whose partner signs: without a token, and
    with one."""
    file = PartnersFile(operator="operator")
    file.add_tenant("filer", key=FILER).add_tenant("other", key=OTHER)
    file.add_tenant("operator", key=OPERATOR, roles=("operator",))
    transport = {"kind": "folder", "root": str(folder / "exchange"), "inbound_token_sha256": key_digest(PARTNER)}
    file.add_agreement("plain", partner="customs", adapter="plain_notice", documents=KINDS, transport=transport)
    for name, token in (("signed", {}), ("signed-with-token", {"inbound_token_sha256": key_digest(PARTNER)})):
        file.add_agreement(
            name,
            partner="signer",
            adapter="plain_notice",
            documents=KINDS,
            transport={"kind": "folder", "root": str(folder / name), **token},
            routed=False,
            signing={"profile": "xmldsig", "sign": False, "trust": "partners/signer"},
        )
    file.routes.insert(0, {"documents": list(KINDS), "when": {"tenant": ["other"]}, "to": ["signed"]})
    make_development_pki(folder / "certs", ["signer", "stranger"])
    return file.write(folder / "partners.yaml")


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, examples: dict[str, Any]) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("gateway")
    adapters = home / "adapters"
    shutil.copytree(HERE / "adapters", adapters)
    said = {
        "SWGATE_HOME": str(home),
        "SWGATE_PARTNERS": str(partners(home)),
        "SWGATE_CERTS": str(home / "certs"),
        "SWGATE_ADAPTERS": str(adapters),
        "SWGATE_BODY_LIMIT_BYTES": "200000",
    }
    with serving(said, examples) as running:
        yield running


@pytest.fixture(scope="session")
def desks(running: Running) -> dict[str, Desk]:
    """Everybody of PEOPLE, signed in."""
    return {name: running.somebody(name, role, tenant) for name, (role, tenant) in PEOPLE.items()}


@pytest.fixture(scope="session")
def known(running: Running) -> dict[str, str]:
    """Ids for the places that examples leave open: a filed declaration, its message, an amendment of it, a delivery of nothing."""
    filed = running.file()
    amendment = running.api.post(f"/v1/declarations/{filed['id']}/amendments", running.documents["AmendOneField"]).json
    assert running.deliver(b"not to be read").status == 422
    delivery = running.operator.get("/v1/deliveries?limit=1").json["items"][0]
    webhook = running.api.post("/v1/webhooks", {"url": "https://erp.example.com/hooks"}).json
    return {
        "declaration_id": filed["id"],
        "message_id": filed["message_ids"][0],
        "declaration": filed["id"],
        "message": filed["message_ids"][0],
        "amendment_id": amendment["id"],
        "delivery_id": delivery["id"],
        "webhook_id": webhook["id"],
        "webhook_delivery_id": running.api.post(f"/v1/webhooks/{webhook['id']}/ping").json["id"],
    }


@pytest.fixture(scope="session")
def customs(tmp_path_factory: pytest.TempPathFactory, examples: dict[str, Any]) -> Iterator[Running]:
    """A gateway with the adapters that the project has: Chinese customs by the offices 06 and 07, a neighbour by offices of
    letters or none; what the other tenant files goes to the neighbour in any case."""
    home = tmp_path_factory.mktemp("customs")
    file = PartnersFile(operator="operator")
    file.add_tenant("filer", key=FILER).add_tenant("other", key=OTHER)
    file.add_tenant("operator", key=OPERATOR, roles=("operator",))
    file.add_partner("neighbour", jurisdiction="MN")
    folder = {"kind": "folder", "root": str(home / "china")}
    file.add_agreement("china", partner="customs", adapter="cn_declaration", documents=KINDS[:3], transport=folder)
    file.add_agreement(
        "neighbour",
        partner="neighbour",
        adapter="wco_declaration",
        documents=KINDS,
        transport={"kind": "http", "url": "https://127.0.0.1:1/messages", "inbound_token_sha256": key_digest(PARTNER)},
        parameters={"responsible_country": "MN", "responsible_agency": "A", "party_identifier_scheme": "EORI"},
        may_leave=["*", "obligation_guarantees.access_code"],
        signing={"profile": "none"},
        legal_basis="protocol of 2020",
    )
    file.routes[0]["when"] = {"office": ["06*", "07*"]}
    file.routes[1]["when"] = {"office": ["", "[A-Z][A-Z]*"]}
    file.routes.append({"documents": ["declaration"], "when": {"tenant": ["other"]}, "to": ["neighbour"]})
    said = {"SWGATE_HOME": str(home), "SWGATE_PARTNERS": str(file.write(home / "partners.yaml"))}
    with serving(said, examples) as running:
        yield running


@pytest.fixture(scope="module")
def hooked(tmp_path_factory: pytest.TempPathFactory, examples: dict[str, Any]) -> Iterator[Running]:
    """A gateway whose webhooks may go to listeners of these tests."""
    home = tmp_path_factory.mktemp("hooked")
    shutil.copytree(HERE / "adapters", home / "adapters")
    for name in ("OutBox", "InBox", "SentBox", "FailBox"):
        (home / "exchange" / name).mkdir(parents=True)
    said = {
        "SWGATE_HOME": str(home),
        "SWGATE_PARTNERS": str(partners(home)),
        "SWGATE_CERTS": str(home / "certs"),
        "SWGATE_ADAPTERS": str(home / "adapters"),
        "SWGATE_WEBHOOK_ALLOW": "127.0.0.0/8",
        "SWGATE_WEBHOOK_PORTS": "1-65535",
        "SWGATE_WEBHOOK_SCHEMES": "https,http",
    }
    with serving(said, examples) as running:
        yield running


@pytest.fixture(scope="module")
def mongolian(tmp_path_factory: pytest.TempPathFactory, examples: dict[str, Any]) -> Iterator[Running]:
    """A gateway whose operator put one file of Mongolian words into the overlay."""
    home = tmp_path_factory.mktemp("mongolian")
    (home / "overlay" / "findings").mkdir(parents=True)
    words = {"title": "Түлхүүр алга", "text": "Түлхүүр буруу эсвэл алга.", "action": "Түлхүүрээ шалгана уу."}
    text = json.dumps({"http.unauthorized": {"mn": words}}, ensure_ascii=False)
    (home / "overlay" / "findings" / "mn.yaml").write_text(text, encoding="utf-8")
    shutil.copytree(HERE / "adapters", home / "adapters")
    said = {
        "SWGATE_HOME": str(home),
        "SWGATE_PARTNERS": str(partners(home)),
        "SWGATE_CERTS": str(home / "certs"),
        "SWGATE_ADAPTERS": str(home / "adapters"),
        "SWGATE_SPECS_OVERLAY": str(home / "overlay"),
    }
    with serving(said, examples) as running:
        yield running


@contextmanager
def serving(said: dict[str, str], examples: dict[str, Any]) -> Iterator[Running]:
    """A gateway of these settings on a real socket."""
    made = gateway_app.create(gateway_settings.load(said))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(made, log_level="warning", access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Running(made, listener.getsockname()[1], examples)
    server.should_exit = True
    thread.join(10)
    made.close()


@pytest.fixture(scope="session")
def sign(running: Running) -> Callable[[str, bytes], bytes]:
    """Signs as one of the partners of these tests; by ECDSA, so that no two signatures are alike."""
    certs = Path(running.app.parts.settings.certs)

    def call(partner: str, data: bytes) -> bytes:
        signer, _ = signing_pair(certs / "partners" / partner / "keys" / f"ec{KEY_ENDING}", None)
        assert signer is not None
        return signer(data)

    return call


@pytest.fixture(scope="session")
def examples(project_root: Path) -> dict[str, Any]:
    """Example documents of the contract, by name."""
    contract = bundle.bundled(project_root / "specs")
    return {name: example["value"] for name, example in contract["components"]["examples"].items()}
