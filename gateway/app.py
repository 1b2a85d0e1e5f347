"""Puts a gateway together: the one place that knows concrete classes.

build() makes the pieces that every process needs, create() the ASGI application around them, build_engine() what a worker
process runs. Each refuses to start on a fault of the settings, the partners file, the specs or the keys.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.process import BaseProcess

from starlette.types import Receive, Scope, Send

from gateway import agreements, documents, ids, texts, transports
from gateway import settings as settings_of
from gateway.agreements import Agreement, Directory
from gateway.api import partners, server
from gateway.api.guesses import Guesses
from gateway.api.parts import Parts
from gateway.catalogue import Catalogue
from gateway.console import pages
from gateway.documents import Documents
from gateway.engine.lanes import Engine, Pace
from gateway.engine.webhooks import WebhookEngine
from gateway.errors import Finding, NeedsOperator
from gateway.pipeline.announcing import Announcer
from gateway.pipeline.deadlines import DeadlineWatch, watched
from gateway.pipeline.dispatch import Dispatcher
from gateway.pipeline.exchange import Exchange
from gateway.pipeline.feed import Feed
from gateway.pipeline.kept import KeptWatch
from gateway.pipeline.operate import Operator
from gateway.pipeline.receive import Receiver
from gateway.pipeline.submit import Submitter
from gateway.pipeline.sweep import Sweeper
from gateway.pipeline.telling import Telling
from gateway.pipeline.webhook_calls import WebhookCalls
from gateway.pipeline.webhooks import Webhooks
from gateway.settings import Settings
from gateway.signing import standard_webhooks
from gateway.signing.keys import KeyPlaces
from gateway.signing.security import AgreementSecurity
from gateway.storage import open_store
from gateway.transports.targets import Rules
from gateway.transports.webhook import Poster
from gateway.watch import logs, metrics, traces

# So many wrong keys from one address in so many seconds, and it has to wait.
MOST_WRONG_KEYS, WRONG_KEYS_S = 30, 60
# A thread that writes lets go of the interpreter at every statement and has to get it back; with Python's own 5 ms it would hold
# the database's one write lock for a tenth of a second (docs/adr/0001-serving.md).
SWITCH_S = 0.0002
# Settings of a transport that speak of the way in (gateway.api.partners), not of the way out.
INBOUND = "inbound_"


class App:
    """A gateway that answers HTTP; itself the ASGI application."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.asgi = server.build(parts, [pages.blueprint(parts)])
        threading.Thread(target=_warm, args=(parts,), name="warm", daemon=True).start()
        parts.exchange.start()
        # Schemas, code lists and the contract live as long as the process: collections need not look at them again.
        gc.collect()
        gc.freeze()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.asgi(scope, receive, send)
        if scope["type"] == "lifespan":
            # Serving has ended, and what ends this process may be a signal.
            traces.end()

    def close(self) -> None:
        """Finish what is being done and let go of the database."""
        self.asgi.close()
        self.parts.feed.close()
        self.parts.exchange.close()
        self.parts.store.close()


class Worker:
    """What sends, collects and sweeps. One a process; there may be many processes."""

    def __init__(self, parts: Parts) -> None:
        home, settings = parts.settings.home, parts.settings
        self._transports = {
            name: transports.open_transport(_outward(agreement, parts.catalogue), home)
            for name, agreement in parts.directory.agreements.items()
        }
        dispatcher = Dispatcher(
            parts.store, parts.directory, self._transports, parts.security, parts.receiver, lease_s=settings.lease_s
        )
        deadlines = DeadlineWatch(parts.store, parts.directory, parts.documents)
        sweeper = Sweeper(
            parts.store,
            parts.directory,
            dispatcher,
            idempotency_h=settings.idempotency_h,
            deadlines=deadlines,
            kept=KeptWatch(parts.store, parts.receiver),
        )
        pace = Pace(lease_s=settings.lease_s)
        self.engine = Engine(
            parts.store, parts.directory.agreements, dispatcher, parts.receiver, sweeper, self._transports, pace=pace
        )
        parts.submitter.woken = self.engine.wake
        calls = WebhookCalls(
            parts.store, _targets(settings), standard_webhooks.signed_headers, worker=self.engine.worker
        )
        self.webhooks = WebhookEngine(parts.store, Announcer(parts.store, settings.public_url), calls)

    def run(self, stop: threading.Event) -> None:
        """Work until stop is set, then let what is on the wire finish."""
        self.start()
        stop.wait()
        self.stop()

    def start(self) -> None:
        self.engine.start()
        self.webhooks.start()

    def stop(self) -> None:
        self.webhooks.stop()
        self.engine.stop()
        for transport in self._transports.values():
            transport.close()


def watch(settings: Settings, role: str) -> None:
    """Let this process be watched, which is to run for long: its log, its counts, its traces. role: serve or work."""
    logs.begin(role, settings.log_format, settings.log_level, settings.time_zone)
    settings.make_home()
    metrics.begin(settings.home)
    traces.begin(settings.otlp_endpoint, role)


def create(settings: Settings) -> App:
    """The gateway that serves API and console."""
    return App(build(settings))


def from_environment() -> App:
    """create() with the settings of the environment: what each of several serving processes calls.

    Such a process ends with the one that started it, however that ended: it would answer on, with old settings, and keep the port.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), name="parent", daemon=True).start()
    settings = settings_of.load()
    watch(settings, "serve")
    return create(settings)


def _warm(parts: Parts) -> None:
    """Compile the mappings of every adapter in use while nobody waits; the first document would wait half a second."""
    for name in sorted({agreement.adapter for agreement in parts.directory.agreements.values()}):
        for mapping in getattr(parts.catalogue.adapters[name], "mappings", {}).values():
            mapping.prepare()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def build_engine(parts: Parts) -> Worker:
    """What a worker process runs."""
    return Worker(parts)


def build(settings: Settings) -> Parts:
    """The pieces of one process. NeedsOperator with every fault of what the operator gave us."""
    sys.setswitchinterval(SWITCH_S)
    directory = agreements.load(settings.partners_file)
    catalogue = Catalogue.load(settings)
    _fits(catalogue, directory)
    library = documents.load(settings.specs, settings.overlay)
    watched(library)
    _know_their_clocks(directory, library)
    security = AgreementSecurity(KeyPlaces(settings.certs), ids.now_us)
    for agreement in directory.agreements.values():
        security.check(agreement)
    settings.make_home()
    store = open_store(settings)
    exchange, feed = Exchange(store), Feed(store)
    store.tell_of_commits(feed.wake)
    receiver = Receiver(store, directory, catalogue.adapters, security)
    words = texts.load(settings.specs.parent, settings.overlay)
    return Parts(
        settings=settings,
        directory=directory,
        catalogue=catalogue,
        documents=library,
        texts=words,
        telling=Telling.load(settings.specs, words, settings.time_zone),
        store=store,
        security=security,
        submitter=Submitter(library, catalogue.adapters, directory, store, aliased=receiver.retry_kept),
        receiver=receiver,
        operator=Operator(store, directory, receiver),
        webhooks=Webhooks(store, _targets(settings), standard_webhooks.new_secret),
        language=words.negotiate,
        guesses=Guesses(MOST_WRONG_KEYS, WRONG_KEYS_S).shared(exchange, "api"),
        exchange=exchange,
        feed=feed,
        clock=ids.now_us,
    )


def _targets(settings: Settings) -> Poster:
    """Where webhooks may go, as the operator allows."""
    return Poster(Rules(settings.webhook_schemes, settings.webhook_ports, settings.webhook_allow))


def _fits(catalogue: Catalogue, directory: Directory) -> None:
    """NeedsOperator names everything that agreements want of adapters and transports and cannot have."""
    findings = catalogue.check_agreements(directory)
    for index, agreement in enumerate(directory.agreements.values()):
        faults = [*_inbound_faults(agreement), *transports.check_settings(_outward(agreement, catalogue))[1]]
        findings += [replace(fault, pointer=f"/agreements/{index}{fault.pointer}") for fault in faults]
    if findings:
        raise NeedsOperator("agreements do not fit what they name", findings, code="partners.unfit")


def _know_their_clocks(directory: Directory, library: Documents) -> None:
    """NeedsOperator names every tenant for whose declarations nobody could say what day it is."""
    findings: list[Finding] = []
    for index, tenant in enumerate(directory.tenants.values()):
        try:
            library.zone(tenant.clock)
        except ValueError as problem:
            findings.append(Finding("partners.zone", f"/tenants/{index}/zone", tenant.clock, str(problem)))
    if findings:
        raise NeedsOperator("tenants without a clock", findings, code="partners.unfit")


def _outward(agreement: Agreement, catalogue: Catalogue) -> Agreement:
    """The agreement as its transport reads it: with what its adapter's manifest says where it says nothing itself."""
    usual = catalogue.usual_settings(agreement.adapter, agreement.transport.kind)
    kept = {name: value for name, value in agreement.transport.settings.items() if not name.startswith(INBOUND)}
    return replace(agreement, transport=agreements.Transport(agreement.transport.kind, {**usual, **kept}))


def _inbound_faults(agreement: Agreement) -> Iterator[Finding]:
    settings = agreement.transport.settings
    token, limit = settings.get(partners.TOKEN), settings.get(partners.LIMIT, 1)
    if token is not None and not re.fullmatch("[0-9a-f]{64}", str(token)):
        # The value is not repeated: somebody may have written the token itself.
        yield Finding("partners.inbound", f"/transport/{partners.TOKEN}", expected="the SHA-256 of the token, in hex")
    if not isinstance(limit, int) or limit < 1:
        yield Finding("partners.inbound", f"/transport/{partners.LIMIT}", str(limit)[:20], "a number of bytes")
    for name in settings.keys() - {partners.TOKEN, partners.LIMIT}:
        if name.startswith(INBOUND):
            yield Finding("partners.inbound", f"/transport/{name}", name, f"{partners.TOKEN}, {partners.LIMIT}")
