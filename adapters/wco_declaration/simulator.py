"""A customs office that speaks WCO DEC and RES, simulated: called over HTTP(S), answering later into a callback.

POST /declarations, /amendments, /cancellations, /presentations or, for all of them, /messages; GET /declarations/{reference}.
What it takes it answers with 202, an empty body and X-Conversation-ID; what breaks the element table with 400 and an
errorResponse. Then it judges, and POSTs its notifications to the callback until each is taken.

Rule 1: a reference has one effect. The same bytes again are answered as before and do nothing; other bytes under a used
        reference are rejected (CDS12003). The ledger, one JSON line a fact, tells what happened; after a crash the office
        goes on from it, with the same numbers, and sends only what was not taken yet.
Rule 2: a mark in the reference or in a statement decides what happens: SIM:REJECT, or SIM-REJECT where no colon may
        stand. Without one, accepted, duty calculated, cleared; a pre-lodged declaration is registered and waits for the goods.
            REJECT    refused, with an error on the first item's commodity code      GER      refused at the front, no number
            CONTROL   goods are examined                   DOCS     papers are asked for     TAX   balance too low, then a reminder
            REFUSE    a request is refused                  DOUBLE   each answer twice        REORDER  last answer first
            DELAY     answers come ten times as late       LOSE     no answer comes          GARBAGE  broken bytes before each answer
            HANG      the HTTP answer never comes in time   BUSY     503 at the first try
            INSPECT   the same as CONTROL                  SILENT   the same as LOSE
Rule 3: everything it makes up follows from the seed and the reference, so that a run can be repeated.

Signing is a pair of functions handed in by whoever starts it; by itself it signs nothing and believes everything.
"""

from __future__ import annotations

import argparse
import hashlib
import heapq
import itertools
import json
import random
import re
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import requests
from requests.adapters import HTTPAdapter

from gateway.errors import GatewayError
from gateway.ports import Json
from gateway.testing.partner_side import PartnerSide
from gateway.testing.partners import HttpAnswer, HttpPartner, Partner
from gateway.testing.secrets import secret

ADAPTER = "wco_declaration"
KINDS = {
    "declarations": ("declaration",),
    "amendments": ("declaration_amendment",),
    "cancellations": ("declaration_cancellation",),
    "presentations": ("goods_presentation",),
    "messages": ("declaration", "declaration_amendment", "declaration_cancellation", "goods_presentation"),
}
PRE_LODGED = "DEF"  # third letter of the type code: declared before the goods are there
MARK = re.compile(r"SIM[:._-]([A-Z]+)")
HANG_S = 90.0
FIRST_RETRY_S, LONGEST_RETRY_S = 0.2, 30.0
POSTMEN = 4  # notifications that are delivered at once
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"

Bytes = Callable[[bytes], bytes]
Step = tuple[str, Json]


@dataclass(frozen=True, slots=True)
class Character:
    """How the office is. speed: how many times faster than one answer a second."""

    country: str = "GB"
    speed: float = 1.0
    seed: int = 1


@dataclass(slots=True)
class Case:
    """One reference and what became of it."""

    reference: str
    kind: str
    number: str
    digest: str
    type_code: str = ""
    marks: tuple[str, ...] = ()
    of: str = ""  # the reference of the declaration that a request speaks of
    copies: int = 1
    answers: list[str] = field(default_factory=list)


@dataclass(order=True, slots=True)
class Due:
    """A notification on its way. told: what it was told together with; of these one goes after the other."""

    at: float
    turn: int
    key: str = field(compare=False)
    data: bytes = field(compare=False)
    told: int = field(compare=False)
    tries: int = field(compare=False, default=0)


class Ledger:
    """Facts in the order they happened, a line each; the file is read again after a crash."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.facts: list[Json] = []
        if path is not None and path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            self.facts = [fact for line in lines if (fact := _fact(line)) is not None]

    def note(self, fact: str, **more: Any) -> None:
        with self._lock:
            row = {"fact": fact, **more}
            self.facts.append(row)
            if self._path is not None:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def of(self, fact: str) -> Iterator[Json]:
        return (row for row in list(self.facts) if row["fact"] == fact)


def _fact(line: str) -> Json | None:
    """A line of the ledger; a half-written last one is none."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and "fact" in row else None


class Office:
    """The office without its sockets: takes messages, keeps cases, writes notifications."""

    def __init__(self, messages: PartnerSide, character: Character, ledger: Ledger) -> None:
        self.character = character
        self.ledger = ledger
        self.cases: dict[str, Case] = {}
        self._first_of: dict[str, str] = {}  # number -> the reference of the declaration that got it
        self.lock = threading.Lock()
        self._messages = messages
        self._busy: set[str] = set()
        for row in ledger.of("effect"):
            case = Case(
                **{name: row[name] for name in ("reference", "kind", "number", "digest", "type_code", "of")},
                marks=tuple(row["marks"]),
            )
            self._keep(case)

    def _keep(self, case: Case) -> None:
        self.cases[case.reference] = case
        self._first_of.setdefault(case.number, case.reference)

    def take(self, path: str, data: bytes) -> tuple[HttpAnswer, list[tuple[str, bytes]]]:
        """The HTTP answer, and the notifications that follow, in order, each with a key of its own."""
        kinds = KINDS.get(path.strip("/"))
        if kinds is None:
            return HttpAnswer(404), []
        try:
            decoded = self._messages.read(data)
        except GatewayError as refused:
            reasons = [finding.partner_place or finding.code for finding in refused.findings]
            return _bad_request(reasons), []
        document = decoded.document
        if decoded.kind not in kinds or not document.get("functional_reference_id"):
            return _bad_request([f"{decoded.kind} does not belong here"]), []
        return self._admit(decoded.kind, document, hashlib.sha256(data).hexdigest())

    def _admit(self, kind: str, document: Json, digest: str) -> tuple[HttpAnswer, list[tuple[str, bytes]]]:
        reference = str(document["functional_reference_id"])
        marks = tuple(dict.fromkeys(MARK.findall(json.dumps(document, ensure_ascii=False))))
        accepted = HttpAnswer(202, headers={"X-Conversation-ID": _uuid(self.character.seed, reference)})
        with self.lock:
            if "BUSY" in marks and reference not in self._busy:
                self._busy.add(reference)
                return HttpAnswer(503, headers={"Retry-After": "1"}), []
            known = self.cases.get(reference)
            if known is not None:
                known.copies += 1
                same = known.digest == digest
                self.ledger.note("double" if same else "conflict", reference=reference)
                if same:
                    return accepted, []
                return accepted, [self._notification(known, f"conflict{known.copies}", "03", _reference_used())]
            case = self._open(kind, document, reference, digest, marks)
        if "HANG" in marks:
            accepted = HttpAnswer(202, headers=accepted.headers, hang_s=HANG_S)
        return accepted, self.notifications(case)

    def _open(self, kind: str, document: Json, reference: str, digest: str, marks: tuple[str, ...]) -> Case:
        number = str((document.get("declaration") or {}).get("id") or "") or self._number(reference)
        of = self._first_of.get(number, "")
        case = Case(reference, kind, number, digest, str(document.get("type_code") or ""), marks, of)
        self._keep(case)
        row = {name: getattr(case, name) for name in ("reference", "kind", "number", "digest", "type_code", "of")}
        self.ledger.note("effect", **row, marks=list(marks))
        return case

    def unsent(self) -> list[tuple[Case, list[tuple[str, bytes]]]]:
        """What was promised before a crash and not taken yet."""
        taken = {row["key"] for row in self.ledger.of("taken")}
        waiting = []
        for case in list(self.cases.values()):
            rest = [pair for pair in self.notifications(case) if pair[0] not in taken]
            if rest:
                waiting.append((case, rest))
        return waiting

    def notifications(self, case: Case) -> list[tuple[str, bytes]]:
        """Everything the office says of a case, in the order in which it says it."""
        told = [self._notification(case, code, code, more) for code, more in self._steps(case)]
        if "REORDER" in case.marks:
            told.reverse()
        if "GARBAGE" in case.marks:
            told = [pair for key, data in told for pair in ((f"{key}-broken", data[: len(data) // 2]), (key, data))]
        if "DOUBLE" in case.marks:
            told = [pair for key, data in told for pair in ((key, data), (f"{key}-again", data))]
        return [] if {"LOSE", "SILENT"} & set(case.marks) else told

    def _steps(self, case: Case) -> Iterator[Step]:
        """Function codes with what each says beyond the declaration it names."""
        if "GER" in case.marks:
            yield "18", {"errors": [_error("CDS10001", "The message could not be processed", [])]}
        elif case.kind == "declaration":
            yield from self._judge_declaration(case)
        elif not case.of:
            yield "03", {"errors": [_error("CDS12015", "There is no such declaration", [_step("42A", tag="D014")])]}
        elif case.kind == "goods_presentation":
            yield from self._run_through(self.cases[case.of])
        elif "REFUSE" in case.marks:
            yield "11", {"statuses": [{"name_code": "41"}]}
        else:
            yield "11", {"statuses": [{"name_code": "39"}]}
            yield ("07" if case.kind == "declaration_amendment" else "10"), {}

    def _judge_declaration(self, case: Case) -> Iterator[Step]:
        if "REJECT" in case.marks:
            place = [_step("42A"), _step("67A"), _step("68A", "1"), _step("23A"), _step("21A", "1", "145")]
            yield "03", {"errors": [_error("CDS12056", "The commodity code is not known", place)]}
        elif case.type_code[2:3] in PRE_LODGED and case.type_code:
            yield "02", {}
        else:
            yield from self._run_through(case)

    def _run_through(self, case: Case) -> Iterator[Step]:
        """From acceptance to the end, past what the marks put in the way."""
        yield "01", {}
        if {"CONTROL", "INSPECT"} & set(case.marks):
            yield "05", {"contact_offices": [{"id": f"{self.character.country}000041"}]}
        if "DOCS" in case.marks:
            yield "06", {"additional_informations": [{"statement_code": "ACA", "statement_type_code": "ACA"}]}
        if case.type_code.startswith("EX"):
            yield "08", {}
            yield "16", {"statuses": [{"name_code": "A1"}]}
            return
        yield "13", {"statuses": [{"name_code": "4"}]}
        if "TAX" in case.marks:
            yield "14", {}
            yield "15", {}
        yield "09", {}

    def _notification(self, case: Case, name: str, code: str, more: Json) -> tuple[str, bytes]:
        """A notification with the declaration it is about. Its reference follows from the case, so a repeated one is equal."""
        key = hashlib.sha256(f"{self.character.seed}/{case.reference}/{name}".encode()).hexdigest()[:32]
        # Answers to a request name the declaration; refusals and registrations name the message itself.
        reference = case.of if case.of and code not in ("02", "03", "18") else case.reference
        declaration = {"functional_reference_id": reference}
        if code != "18":
            declaration |= {"id": case.number, "version_id": "1"}
        at = self._time(case, code)
        if code in OUTCOME_TIMES:
            declaration[OUTCOME_TIMES[code]] = at
        document = {
            "raw_code": code,
            "functional_reference_id": key,
            "issue_date_time": at,
            "document_metadata": {"model_version": "3.6", "type_name": "RES"},
            "declaration": declaration,
            **more,
        }
        case.answers.append(code)
        return key, self._messages.write("customs_response", document)

    def _time(self, case: Case, code: str) -> str:
        """A time of issue that follows from the reference and the code: later answers are later, repeated ones equal."""
        start = _dice(self.character.seed, case.reference).randrange(1_750_000_000, 1_760_000_000)
        order = ORDER.index(code) if code in ORDER else len(ORDER)
        offset = 600 if case.kind != "declaration" else 0
        return datetime.fromtimestamp(start + offset + order, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _number(self, reference: str) -> str:
        dice = _dice(self.character.seed, reference)
        return f"26{self.character.country}" + "".join(dice.choice(ALPHABET) for _ in range(14))


ORDER = ("02", "01", "05", "06", "13", "14", "15", "08", "09", "16", "11", "07", "10", "03", "18")
OUTCOME_TIMES = {"01": "acceptance_date_time", "03": "rejection_date_time", "10": "cancellation_date_time"}


def _dice(seed: int, reference: str) -> random.Random:
    return random.Random(f"{seed}/{reference}")  # noqa: S311 - play, not secrecy


def _uuid(seed: int, reference: str) -> str:
    digits = hashlib.sha256(f"{seed}/{reference}".encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"


def _step(section: str, number: str = "", tag: str = "") -> Json:
    step = {"document_section_code": section}
    return step | ({"sequence_number": number} if number else {}) | ({"tag_id": tag} if tag else {})


def _error(code: str, text: str, pointers: list[Json]) -> Json:
    return {"validation_code": code, "description": text} | ({"pointers": pointers} if pointers else {})


def _reference_used() -> Json:
    return {"errors": [_error("CDS12003", "The reference has been used", [_step("42A", tag="D026")])]}


def _bad_request(reasons: Sequence[str]) -> HttpAnswer:
    inner = "".join(
        f"<error><code>xml_validation_error</code><message>{escape(one)}</message></error>" for one in reasons
    )
    head = "<code>BAD_REQUEST</code><message>Payload is not valid according to schema</message>"
    body = f"<errorResponse>{head}<errors>{inner}</errors></errorResponse>"
    return HttpAnswer(400, body.encode(), {"Content-Type": "application/xml"})


class Simulator(Partner):
    """The office with its door (HTTP) and its post (notifications to the callback)."""

    def __init__(
        self,
        office: Office,
        callback: str,
        token: str = "",
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        sign: Bytes | None = None,
        verify: Bytes | None = None,
        trusted: str | bool = True,
        certificate: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(pause_s=0.01)
        self.office = office
        self.server = HttpPartner(self._answer, port=port, tls=tls)
        self._sign, self._verify = sign, verify
        self._waiting: list[Due] = []
        self._turn = 0
        self._told = itertools.count()
        self._on_the_way: set[int] = set()
        self._lock = threading.Lock()
        # Every notification goes to one address in one way: that is prepared once, and the connections behind it are kept.
        self._line = HTTPAdapter(pool_maxsize=POSTMEN)
        self._trusted, self._certificate = trusted, certificate
        proof = {"Authorization": f"Bearer {token}"} if token else {}
        self._request = requests.Request(
            "POST", callback, headers={"Content-Type": "application/xml", **proof}
        ).prepare()
        for case, unsent in office.unsent():
            self._post(case.marks, unsent)

    @property
    def url(self) -> str:
        return self.server.url

    def run(self) -> None:
        rounds = super().run
        others = [threading.Thread(target=rounds, name="postman", daemon=True) for _ in range(POSTMEN - 1)]
        with self.server:
            for other in others:
                other.start()
            rounds()
            for other in others:
                other.join(timeout=5)

    def turn(self) -> None:
        """Deliver what is due; what was not taken waits longer each time."""
        while (due := self._next()) is not None and not self.stop.is_set():
            taken = self._deliver(due)
            with self._lock:
                self._on_the_way.discard(due.told)
            if taken:
                self.office.ledger.note("taken", key=due.key)
                continue
            due.tries += 1
            due.at = time.monotonic() + min(FIRST_RETRY_S * 2**due.tries, LONGEST_RETRY_S) / self.office.character.speed
            self._put(due)

    def _answer(self, method: str, path: str, _headers: Any, body: bytes) -> HttpAnswer:
        if method == "GET":
            return self._status(path)
        if self._verify is not None:
            try:
                body = self._verify(body)
            except GatewayError:
                return HttpAnswer(401)
        answer, told = self.office.take(path, body)
        marks = MARK.findall(body.decode("utf-8", "replace"))
        self._post(marks, told)
        return answer

    def _status(self, path: str) -> HttpAnswer:
        case = self.office.cases.get(path.removeprefix("/declarations/"))
        if case is None:
            return HttpAnswer(404)
        content = {"reference": case.reference, "number": case.number, "kind": case.kind, "answers": case.answers}
        return HttpAnswer(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _post(self, marks: Sequence[str], told: list[tuple[str, bytes]]) -> None:
        wait = (10.0 if "DELAY" in marks else 1.0) / self.office.character.speed
        together = next(self._told)
        for index, (key, data) in enumerate(told):
            broken = key.endswith("-broken")
            signed = data if self._sign is None or broken else self._sign(data)
            self._put(Due(time.monotonic() + wait * (index + 1), 0, key, signed, together))

    def _put(self, due: Due) -> None:
        with self._lock:
            self._turn += 1
            due.turn = self._turn
            heapq.heappush(self._waiting, due)

    def _next(self) -> Due | None:
        """The earliest that is due, unless one of those it was told with is on the way."""
        with self._lock:
            held: list[Due] = []
            found: Due | None = None
            while found is None and self._waiting and self._waiting[0].at <= time.monotonic():
                due = heapq.heappop(self._waiting)
                if due.told in self._on_the_way:
                    held.append(due)
                else:
                    found = due
                    self._on_the_way.add(due.told)
            for due in held:
                heapq.heappush(self._waiting, due)
            return found

    def _deliver(self, due: Due) -> bool:
        """Whether it need not be sent again: taken, or refused for what it is."""
        reference = due.key.removesuffix("-again")
        request = self._request.copy()
        request.body = due.data
        request.headers.update({"X-Message-ID": reference, "Content-Length": str(len(due.data))})
        try:
            answer = self._line.send(request, timeout=(5, 30), verify=self._trusted, cert=self._certificate)
            _ = answer.content  # read to its end, a connection serves the next one
        except requests.RequestException:
            return False
        return answer.status_code < 300 or answer.status_code in (400, 409, 413, 415, 422)


Security = Callable[[Path | None, Path | None], tuple[Bytes | None, Bytes | None]]


def main(arguments: list[str], *, security: Security | None = None) -> int:
    """Run until SIGTERM or SIGINT. security makes the signing pair from key and trust, for whoever has such a room."""
    parser = argparse.ArgumentParser(prog=f"swgate sim {ADAPTER}", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--port", type=int, required=True, help="port of 127.0.0.1 to be called on")
    parser.add_argument("--callback", required=True, help="address that notifications are POSTed to")
    parser.add_argument("--callback-token", type=secret, help="bearer token for it: env:NAME or file:PATH")
    parser.add_argument("--callback-ca", default="", help="PEM file of the callback's certificate authority")
    parser.add_argument(
        "--tls-cert", type=Path, help="PEM file; with --tls-key the office speaks HTTPS and shows it to the callback"
    )
    parser.add_argument("--tls-key", type=Path)
    parser.add_argument("--tls-client-ca", type=Path, help="PEM file; only clients of this authority are answered")
    parser.add_argument("--sign-key", type=Path, help="key to sign notifications with")
    parser.add_argument("--trust", type=Path, help="whose signatures are believed")
    parser.add_argument("--speed", type=float, default=1.0, help="answers a second for one case")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--country", default="GB")
    parser.add_argument("--ledger", type=Path, help="file of facts, one JSON line each; read again after a crash")
    chosen = parser.parse_args(arguments)
    if (chosen.sign_key or chosen.trust) and security is None:
        parser.error("signing needs to be started with a security room")
    sign, verify = security(chosen.sign_key, chosen.trust) if security is not None else (None, None)
    tls, certificate = None, None
    if chosen.tls_cert is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=chosen.tls_client_ca)
        tls.verify_mode = ssl.CERT_REQUIRED if chosen.tls_client_ca else ssl.CERT_NONE
        tls.load_cert_chain(chosen.tls_cert, chosen.tls_key)
        certificate = (str(chosen.tls_cert), str(chosen.tls_key))
    office = Office(
        PartnerSide.of(ADAPTER), Character(chosen.country, chosen.speed, chosen.seed), Ledger(chosen.ledger)
    )
    simulator = Simulator(
        office,
        chosen.callback,
        chosen.callback_token or "",
        port=chosen.port,
        tls=tls,
        sign=sign,
        verify=verify,
        trusted=chosen.callback_ca or True,
        certificate=certificate,
    )
    return simulator.run_as_process()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
