"""A whole gateway in small: the real store on SQLite, the real use cases, one tiny message family, and partners to play with.

The tiny family is JSON. It keeps every property of a document but those called ``lost_...``; its messages are called
T000001.json and so on. An answer is ``{"answers": [{function, code, text, issued_us, names, learned, receipt, prerequisite}]}``,
where names and learned are lists of [scheme, value]; anything else is a document of its own. ``{"documents": [...]}`` holds
several of these, of which one with ``unreadable`` is refused.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any

from gateway import agreements, ids, settings
from gateway.agreements import Agreement
from gateway.documents import Leaf as PlaceLeaf
from gateway.documents.classes import BUSINESS, CLASSES, DataClasses, Without
from gateway.errors import Finding, NotTrusted, NotWellFormed, OutcomeUnknown, PartnerUnavailable, Rejected
from gateway.lifecycle import Status
from gateway.mapping.report import DecodeReport, Leaf, LossReport
from gateway.pipeline.dispatch import Dispatcher
from gateway.pipeline.kept import KeptWatch
from gateway.pipeline.operate import Operator
from gateway.pipeline.reading import View
from gateway.pipeline.receive import Received, Receiver
from gateway.pipeline.submit import Accepted, Submission, Submitter, body_digest, canonical_bytes
from gateway.pipeline.sweep import Sweeper
from gateway.ports import (
    Alias,
    Decoded,
    DecodedDocument,
    EncodeContext,
    Encoded,
    Event,
    Found,
    HandedOver,
    Incoming,
    Json,
    MessageRow,
    Outgoing,
    Reply,
    StandingRow,
    Transport,
)
from gateway.storage import open_store
from gateway.transports import open_transport

SECOND = 1_000_000


class Clock:
    """Moves a millisecond each time somebody looks, and as far as a test says; never by itself, however slow the machine."""

    def __init__(self) -> None:
        self._now_us = ids.now_us()
        self._gate = threading.Lock()

    def __call__(self) -> int:
        with self._gate:
            self._now_us += 1000
            return self._now_us

    def forward(self, seconds: float) -> None:
        with self._gate:
            self._now_us += int(seconds * SECOND)


class TinyChecks:
    """Documents of the tiny kind: whatever is listed under ``bad`` is an error, under ``doubtful`` a warning."""

    def check(self, kind: str, document: Json, *, on: date, follows: bool = False) -> list[Finding]:
        return [
            Finding("document.tiny", pointer=f"/{name}", found=str(document[name]))
            for name in document
            if name == "bad"
        ]

    def classes(self, kind: str, names: tuple[str, ...]) -> tuple[str, ...]:
        """A place called personal_... or important_... is what it is called, and so is what lies below."""
        named = [name.partition("_")[0] for name in names]
        known = [
            next((one for one in reversed(named[: end + 1]) if one in CLASSES), BUSINESS) for end in range(len(named))
        ]
        return tuple(known)

    def leaf_at(self, kind: str, pointer: str) -> PlaceLeaf | None:
        """A place called ..._code is a code, one called value a number."""
        name = pointer.rpartition("/")[2]
        code_list = "codes" if name.endswith("_code") else ""
        return PlaceLeaf(pointer, "", "", "", BUSINESS, code_list, "", required=False, decimal=name == "value")

    def without(self, kind: str, document: Json, pointers: Collection[str]) -> Without:
        return DataClasses({"required": ["direction"]}).without(document, pointers)

    def offices(self, on: date) -> Mapping[str, frozenset[str]]:
        return {"CN": frozenset({"0100", "0701", "0708"})}

    def zone(self, place: str) -> tzinfo:
        return timezone(timedelta(hours=8))


class TinyAdapter:
    id = "tiny"
    root = Path(__file__).parent

    def check(self, document: Json, context: EncodeContext) -> list[Finding]:
        return [Finding("tiny.rule.1", pointer="/odd")] if "odd" in document else []

    def encode(self, document: Json, context: EncodeContext) -> Encoded:
        if "unencodable" in document:
            raise Rejected("no", [Finding("tiny.encode", pointer="/unencodable")])
        number = context.reserve("tiny")
        name = f"T{number:06d}.json"
        lost = tuple(f"/{member}" for member in document if member.startswith("lost_"))
        carried = tuple(f"/{member}" for member in document if not member.startswith("lost_"))
        body = {"name": name, "kind": context.kind, "known": dict(context.known), "document": document}
        aliases = (Alias("tiny-name", name.removesuffix(".json")),)
        report = LossReport(carried=carried, lost=lost)
        return Encoded(json.dumps(body).encode(), "tiny", "1", "TINY", name, "application/json", aliases, report)

    def decode(self, data: bytes, *, tolerant: bool, agreement: Agreement | None = None) -> Decoded:
        try:
            content = json.loads(data)
        except ValueError:
            raise NotWellFormed("not JSON") from None
        return Decoded(tuple(self._one(part) for part in content.get("documents", [content])))

    def _one(self, content: Json) -> DecodedDocument:
        kind = "customs_response" if "answers" in content else "manifest"
        unmapped = [Leaf(name, None, str(content[name]), "nobody knows it") for name in content if name[:2] == "x-"]
        refusal = None
        if "unreadable" in content:
            refusal = Rejected(
                "no", [Finding("tiny.decode", partner_place=str(content["unreadable"]))], code="tiny.decode"
            )
        return DecodedDocument(kind, content, "TINYREPLY", DecodeReport(unmapped=unmapped), refusal)

    def replies(self, decoded: DecodedDocument, *, received_us: int, sent: Json | None) -> list[Reply]:
        return [_reply(answer, received_us) for answer in decoded.document.get("answers", ())]

    def aliases(self, document: Json) -> Iterable[Alias]:
        for member, scheme in (
            ("container", "container"),
            ("manifest", "manifest"),
            ("functional_reference_id", "ref"),
        ):
            if member in document:
                yield Alias(scheme, document[member])


def _reply(answer: Mapping[str, Any], received_us: int) -> Reply:
    said = {name: answer[name] for name in ("function", "code", "text", "issued_us") if name in answer}
    return Reply(
        document=said,
        function=answer["function"],
        raw_code=answer.get("code", "0"),
        raw_text=answer.get("text", ""),
        issued_us=answer.get("issued_us", received_us),
        aliases=tuple(Alias(*pair) for pair in answer.get("names", ())),
        learned=tuple(Alias(*pair) for pair in answer.get("learned", ())),
        receipt=answer.get("receipt"),
        prerequisite=answer.get("prerequisite", ""),
    )


class Stamp:
    """A stand-in for a signature that tests can read: protect puts a mark before the bytes, verify demands one where told."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.signed = 0

    def protect(self, data: bytes, agreement: Agreement) -> bytes:
        if self.problem is not None:
            raise self.problem
        self.signed += 1
        return data

    def verify(self, data: bytes, agreement: Agreement) -> bytes:
        if data.startswith(b"FORGED"):
            raise NotTrusted("the signature is not good")
        return data

    def certificates(self, agreement: Agreement) -> list[tuple[str, int]]:
        return []


@dataclass
class Wire:
    """A partner at the other end of a wire that can break in every way. has: what arrived, by name, with how often."""

    has: dict[str, int] = field(default_factory=dict)
    bytes_of: dict[str, set[bytes]] = field(default_factory=dict)
    tells: bool = True
    breaks: Callable[[Outgoing], Exception | None] = lambda outgoing: None
    arrives_anyway: bool = False
    immediate: Callable[[Outgoing], bytes | None] = lambda outgoing: None
    hangs_s: float = 0
    on_send: Callable[[Outgoing], None] = lambda outgoing: None

    def send(self, outgoing: Outgoing) -> HandedOver:
        self.on_send(outgoing)
        problem = self.breaks(outgoing)
        if problem is None or self.arrives_anyway:
            self.has[outgoing.name] = self.has.get(outgoing.name, 0) + 1
            self.bytes_of.setdefault(outgoing.name, set()).add(outgoing.data)
        if problem is not None:
            raise problem
        return HandedOver("taken", immediate_reply=self.immediate(outgoing))

    def locate(self, outgoing: Outgoing) -> bool | None:
        return outgoing.name in self.has if self.tells else None

    def collect(self, limit: int) -> Iterator[tuple[Incoming, Callable[[], None]]]:
        return iter(())

    def close(self) -> None: ...


def unavailable(outgoing: Outgoing) -> Exception:
    return PartnerUnavailable("nobody is there")


def silent(outgoing: Outgoing) -> Exception:
    return OutcomeUnknown("no answer")


PARTNERS: Json = {
    "environment": "test",
    "operator": "port",
    "tenants": [{"id": "acme", "name": "Acme"}, {"id": "other", "name": "Other"}, {"id": "port", "name": "Port"}],
    "partners": [
        {
            "id": "customs",
            "name": "Customs",
            "jurisdiction": "CN",
            "environment": "test",
            "failures_before_rest": 3,
            "rest_s": 5,
        },
        {"id": "abroad", "name": "Abroad", "jurisdiction": "MN", "environment": "test"},
    ],
    "agreements": [
        {
            "id": "customs-tiny",
            "partner": "customs",
            "adapter": "tiny",
            "environment": "test",
            "documents": ["declaration", "declaration_amendment", "declaration_cancellation", "goods_presentation"],
            "transport": {"kind": "folder", "root": "client", "create": True, "settle_s": 0},
            "retry": {"first_s": 0.05, "factor": 2, "cap_s": 1, "attempts": 4, "jitter": 0},
        },
        {
            "id": "abroad-tiny",
            "partner": "abroad",
            "adapter": "tiny",
            "environment": "test",
            "documents": ["declaration"],
            "transport": {"kind": "folder", "root": "abroad", "create": True, "settle_s": 0},
            "may_leave": ["direction", "goods.*.name"],
            "legal_basis": "protocol of 2020",
        },
    ],
    "routes": [
        {"documents": ["declaration"], "when": {"direction": ["transit"]}, "to": ["abroad-tiny"]},
        {"documents": ["declaration"], "when": {"goods": ["0810*"]}, "to": ["customs-tiny"], "priority": 5},
        {
            "documents": ["declaration", "declaration_amendment", "declaration_cancellation", "goods_presentation"],
            "when": {"direction": ["import", "export"]},
            "to": ["customs-tiny"],
        },
    ],
}
LANE = "customs-tiny"


class House:
    """Everything wired as gateway.app wires it, with a clock that tests move."""

    def __init__(
        self,
        home: Path,
        *,
        wires: Mapping[str, Transport] | None = None,
        lease_s: int = 30,
        change: Callable[[Json], None] = lambda partners: None,
    ) -> None:
        raw = copy.deepcopy(PARTNERS)
        change(raw)
        self.home = home
        self.directory = agreements.parse(raw)
        self.settings = settings.load({"SWGATE_HOME": str(home)})
        self.store = open_store(self.settings)
        self.clock = Clock()
        self.stamp = Stamp()
        self.adapters = {"tiny": TinyAdapter()}
        self.transports: dict[str, Transport] = {
            name: open_transport(agreement, home) for name, agreement in self.directory.agreements.items()
        } | dict(wires or {})
        self.submitter = Submitter(TinyChecks(), self.adapters, self.directory, self.store, self.clock)
        self.receiver = Receiver(self.store, self.directory, self.adapters, self.stamp, clock=self.clock)
        self.submitter.aliased = self.receiver.retry_kept
        self.dispatcher = Dispatcher(
            self.store,
            self.directory,
            self.transports,
            self.stamp,
            self.receiver,
            lease_s=lease_s,
            clock=self.clock,
        )
        kept = KeptWatch(self.store, self.receiver, clock=self.clock)
        self.sweeper = Sweeper(self.store, self.directory, self.dispatcher, kept=kept, clock=self.clock)
        self.operator = Operator(self.store, self.directory, self.receiver, clock=self.clock)

    def close(self) -> None:
        for transport in self.transports.values():
            transport.close()
        self.store.close()

    def submission(self, kind: str = "declaration", root_id: str = "", **rest: Any) -> Submission:
        own = {name: rest.pop(name) for name in ("waits_for", "idempotency_key", "tenant") if name in rest}
        document = {} if kind != "declaration" else {"direction": "import"}
        document |= rest
        own.setdefault("tenant", "acme")
        digest = body_digest(canonical_bytes(document))
        return Submission(kind, document, actor="erp", root_id=root_id, request_digest=digest, **own)

    def file(self, kind: str = "declaration", root_id: str = "", **rest: Any) -> Accepted:
        return self.submitter.submit(self.submission(kind, root_id, **rest))

    def run(self, lane: str = LANE, worker: str = "w1", limit: int = 64) -> int:
        return self.dispatcher.run_lane(lane, worker, limit)

    def file_and_send(self, **rest: Any) -> tuple[Accepted, MessageRow]:
        accepted = self.file(**rest)
        self.run()
        return accepted, self.message(accepted.message_ids[0])

    @contextmanager
    def view(self, tenant: str | None = None) -> Iterator[View]:
        """What a tenant sees; the operator where none is named."""
        with self.store.read() as reading:
            yield View(reading, tenant)

    def message(self, message_id: str) -> MessageRow:
        with self.view() as view:
            return view.message(message_id)

    def found(self, value: str = "", tenant: str | None = None) -> list[Found]:
        with self.view(tenant) as view:
            return view.search(value=value, limit=500)[0]

    def status(self, message_id: str) -> Status:
        return self.message(message_id).status

    def standing(self, root_id: str) -> StandingRow:
        with self.store.read() as reading:
            row = reading.standing(root_id)
        assert row is not None
        return row

    def timeline(self, any_id: str) -> list[Event]:
        """The timeline of the declaration that an id belongs to; of a delivery that fits none, its own."""
        with self.view() as view:
            message = view.message_named(any_id)
            return view.timeline(message.root_id if message else any_id)

    def told(self, any_id: str) -> list[str]:
        """The types of the timeline's entries, in order."""
        return [str(event.type) for event in self.timeline(any_id)]

    def answer(
        self, message: MessageRow, function: str, *, reference: str = "", lane: str = LANE, **rest: Any
    ) -> Received:
        """An answer that names the message by its file name, unless names say otherwise."""
        rest.setdefault("names", [["tiny-name", message.name.removesuffix(".json")]])
        return self.answer_bytes(
            json.dumps({"answers": [{"function": function, **rest}]}).encode(), reference=reference, lane=lane
        )

    def answer_bytes(self, data: bytes, *, reference: str = "", lane: str = LANE) -> Received:
        return self.receiver.receive(Incoming(lane, reference, data, self.clock()))
