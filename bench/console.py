"""Rows of the console: its pages over HTTP, as a person who is signed in gets them."""

from __future__ import annotations

import http.cookiejar
import re
import time
import urllib.parse
import urllib.request

from bench import service
from bench.measure import Measure, Row, quantiles
from gateway import app, settings
from gateway.console.accounts import Accounts, Doer

NAME, PASSWORD = "bench", "seven lanterns over the river"
WARM, ROUNDS = 20, 300
BUDGET = 50.0  # pages per second that one night shift will never ask for


def rows() -> dict[str, Measure]:
    """Rows by name, to be run one after the other."""
    return {"console_message_page": message_page}


def message_page() -> Row:
    """GET of one message's page with both sides and their mapping, one after the other over HTTP; value: pages per second."""
    home, scenario, processes = service.gateway()
    try:
        service.post(scenario, home, 1)
        _account(scenario.environment())
        person = _signed_in(scenario.url)
        found = person.open(f"{scenario.url}/console/").read().decode()
        links = re.findall(r'href="(/console/messages/[^"?]+)', found)
        url = f"{scenario.url}{links[0]}"
        page = person.open(url).read()
        if b'class="side joined"' not in page:
            raise RuntimeError("the page shows no mapping")
        times = [_timed(person, url) for _ in range(WARM + ROUNDS)][WARM:]
    finally:
        processes.stop()
    rate = len(times) / sum(times)
    return Row("console_message_page", rate, "pages/s", BUDGET, rate / BUDGET, *quantiles(times))


def _account(environment: dict[str, str]) -> None:
    """An operator's account, made beside the serving process."""
    parts = app.build(settings.load(environment))
    try:
        Accounts(parts.store, parts.directory.tenants).add(
            NAME, PASSWORD, Doer("bench", "for the bench"), role="operator", tenant=""
        )
    finally:
        parts.store.close()


def _signed_in(url: str) -> urllib.request.OpenerDirector:
    person = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    form = person.open(f"{url}/console/sign-in").read().decode()
    token = re.search(r'name="form_token" value="([0-9a-f]+)"', form)
    said = {"form_token": token[1] if token else "", "name": NAME, "password": PASSWORD}
    person.open(f"{url}/console/sign-in", urllib.parse.urlencode(said).encode())
    return person


def _timed(person: urllib.request.OpenerDirector, url: str) -> float:
    begin = time.perf_counter()
    person.open(url).read()
    return time.perf_counter() - begin
