"""A load of declarations filed over HTTP, and somebody who kills processes while it is filed.

Rule 1: only the client repeats, with the same key, until it has its 202. After that nobody helps.
Rule 2: the load never runs far ahead of the next kill, so that every kill hits a gateway at work.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import requests

from tests.system.town import Town, wait_for

# How many declarations a load has where a test leaves it open: SYSTEM_TEST_LOAD=1000 for the whole one.
WISHED = int(os.environ.get("SYSTEM_TEST_LOAD", "0"))
SENDERS = 6
AHEAD = 60
SERVING = "one that serves"


class Filer:
    """An ERP: files every declaration, each under a key of its own, and repeats until it has its 202."""

    def __init__(self, town: Town, documents: Sequence[dict[str, Any]]) -> None:
        self.town = town
        self.count = len(documents)
        self.waiting = iter(documents)
        self.book: dict[str, dict[str, Any]] = {}  # Idempotency-Key -> the body of its 202
        self.filed: dict[str, dict[str, Any]] = {}  # Idempotency-Key -> the document
        self.repeats = 0
        self.horizon = self.count  # so many are filed, then it waits for whoever moves this
        self._gate = threading.Lock()

    def has_filed(self, count: int) -> bool:
        return len(self.book) >= count

    def _may_go_on(self) -> bool:
        return len(self.book) < self.horizon or self.horizon >= self.count

    def file_all(self) -> None:
        with ThreadPoolExecutor(SENDERS) as senders:
            for sender in [senders.submit(self._file_some) for _ in range(SENDERS)]:
                sender.result()

    def _file_some(self) -> None:
        with self.town.session() as session:
            while True:
                wait_for(self._may_go_on, 90, lambda: "nobody moved the horizon", 0.005)
                with self._gate:
                    document = next(self.waiting, None)
                if document is None:
                    return
                key = f"order-{document['functional_reference_id']}"
                body = self.file(session, key, document)
                with self._gate:
                    self.book[key], self.filed[key] = body, document

    def file(self, session: requests.Session, key: str, document: dict[str, Any]) -> dict[str, Any]:
        """The body of the 202, however often it takes to get it."""
        data = json.dumps(document, ensure_ascii=False).encode()
        headers = {"Idempotency-Key": key, "X-API-Key": self.town.key_of(document)}
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                answer = session.post(f"{self.town.url}/v1/declarations", data=data, headers=headers, timeout=15)
            except requests.RequestException:
                self.repeats += 1
                time.sleep(0.1)
                continue
            if answer.status_code == 202:
                accepted: dict[str, Any] = answer.json()
                return accepted
            assert answer.status_code == 503, f"{key}: {answer.status_code} {answer.text[:500]}"
            time.sleep(0.1)
        raise AssertionError(f"{key} had no 202 within a minute: {self.town.log('serve')}")


class Reaper:
    """Kills at random moments and starts again. moments: (so many accepted, whom), in rising order; killed: whom how often.

    started: the processes that it kills, each so often; serving: how often one of those that serve has started.
    """

    def __init__(
        self, town: Town, filer: Filer, dice: random.Random, *, started: Sequence[str], each: int, serving: int
    ) -> None:
        self.town, self.filer, self.dice, self.started = town, filer, dice, started
        names = [*started] * each + [SERVING] * serving
        dice.shuffle(names)
        edge = filer.count // 50
        self.moments = list(zip(sorted(dice.sample(range(edge, filer.count - edge), len(names))), names, strict=True))
        self.killed: dict[str, int] = dict.fromkeys(names, 0)

    def file_and_reap(self) -> None:
        """File the whole load, and strike at every moment of it."""
        self.filer.horizon = 0
        with ThreadPoolExecutor(1) as beside:
            reaping = beside.submit(self.reap_during_load)
            reaping.add_done_callback(lambda _: setattr(self.filer, "horizon", self.filer.count))
            self.filer.file_all()
            reaping.result()

    def reap_during_load(self) -> None:
        for accepted, name in self.moments:
            self.filer.horizon = accepted + AHEAD
            wait_for(partial(self.filer.has_filed, accepted), 60, lambda: "the load stands", 0.002)
            time.sleep(self.dice.uniform(0, 0.15))
            self.strike(name)
        self.filer.horizon = self.filer.count

    def reap_while_it_starts(self) -> None:
        """Each once more, soon after its start and whatever it does then."""
        for name in self.started:
            self.strike(name)
            time.sleep(self.dice.uniform(0.05, 1.5))
            self.strike(name)

    def strike(self, name: str) -> None:
        self.killed[name] += 1
        if name == SERVING:
            self.town.kill_one_serving(self.dice)
            return
        self.town.kill(name)
        time.sleep(self.dice.uniform(0, 0.2))
        self.town.start(name)
