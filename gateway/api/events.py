"""The feed of events, three ways by one address: a page behind a cursor, a page as soon as there is one, and a stream.

A stream is server-sent events (WHATWG HTML, 9.2): ``id`` is the cursor, a comment line comes while nothing else does and carries the
cursor too, so that a listener who comes back with Last-Event-ID goes on where he was, also when nothing of what came was for him.
Rule 1: each key has a bounded number of places for those who wait, in each process.
Rule 2: a listener who takes nothing for two heartbeats is let go: his connection is cut, and what the system still held for him with it.
Rule 3: when the process is told to stop, every stream ends as if it had nothing more to say; servers wait for open answers.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager, suppress
from functools import lru_cache, partial
from typing import Any, TypeVar

import orjson
from starlette.types import Receive, Scope, Send

from gateway.api import views
from gateway.api.answers import HEADERS, send_answer
from gateway.api.bodies import Gone
from gateway.api.native import Asked
from gateway.api.parts import Parts
from gateway.api.problems import BadRequest, Forbidden, TooMany
from gateway.api.security import Caller
from gateway.errors import Finding
from gateway.events import EventType
from gateway.pipeline.feed_pages import Page, Wanted, cursor_of, declaration_of, position_of, subject
from gateway.pipeline.reading import View
from gateway.ports import Entry, Json

T = TypeVar("T")

STREAM = "text/event-stream"
START, NOW = "start", "now"
COME_BACK_S = 5
RETRY_MS = 3_000
MOST_BYTES = 32 * 1024  # in one piece of a stream
KEPT_FRAMES = 4_096


class NoPlace(TooMany):
    """This key has as many streams and waiting requests open as it may."""

    code = "api.events.places"


class Events:
    """The operation; and for a page of ours whose reader has a session instead of a key: stream() of what asked_for() says."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._feed = parts.feed
        self._heartbeat_s = float(parts.settings.heartbeat_s)
        self._places: Counter[str] = Counter()
        self._frame = lru_cache(maxsize=KEPT_FRAMES)(self._framed)
        self._ends_in_time = False

    def close(self) -> None:
        self._feed.end()

    async def listen(self, asked: Asked, send: Send) -> None:
        """Answer one who asks with a key. BadRequest, Forbidden and NotFound as the parameters deserve."""
        caller, values = asked.filer, asked.values
        streams = STREAM in asked.header("accept")
        said = asked.header("last-event-id") or values.get("after") or (NOW if streams else START)
        wanted, after = await asyncio.to_thread(self.asked_for, caller, values, said)
        if streams:
            await self.stream(wanted, after, asked.lang, caller.actor, asked.scope, asked.receive, send)
            return
        limit, wait_s = int(values["limit"]), int(values["wait_s"])
        page = await asyncio.to_thread(self._feed.page, wanted, after, limit)
        if wait_s and not page.entries:
            with self._place(caller.actor):
                coming = self._first(wanted, page.position, limit, wait_s)
                page = await _while_there(asked.receive, coming)
        await send_answer(send, 200, self._shown(page, asked.lang), asked.lang)

    async def stream(
        self, wanted: Wanted, after: int, lang: str, who: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pour events until the listener leaves or the feed ends. who: whose places are counted. NoPlace where he has none left."""
        with self._place(who):
            lines = {"Content-Type": STREAM, **HEADERS, "Content-Language": lang, "X-Accel-Buffering": "no"}
            headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in lines.items()]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await _while_there(receive, self._pour(wanted, after, lang, scope, send))

    async def _pour(self, wanted: Wanted, after: int, lang: str, scope: Scope, send: Send) -> None:
        patience_s = 2 * self._heartbeat_s

        async def give(piece: bytes, *, last: bool = False) -> None:
            try:
                async with asyncio.timeout(patience_s):
                    await send({"type": "http.response.body", "body": piece, "more_body": not last})
            except TimeoutError:
                await _cut(scope)
                raise Gone("the listener takes nothing") from None

        await give(b"retry: %d\n:\nid: %s\n\n" % (RETRY_MS, cursor_of(after).encode()))
        async with aclosing(self._feed.stream(wanted, after, self._heartbeat_s)) as pages:
            async for page in pages:
                frames = [self._frame(entry, lang) for entry in page.entries]
                # Of an empty page the place is told all the same.
                for piece in _pieces(frames or [b":\nid: %s\n\n" % cursor_of(page.position).encode()]):
                    await give(piece)
        await give(b"", last=True)

    async def _first(self, wanted: Wanted, after: int, limit: int, wait_s: float) -> Page:
        """The first page that holds something, or when the time is over an empty one."""
        page = Page((), after)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s), aclosing(self._feed.stream(wanted, after, wait_s)) as pages:
                async for page in pages:
                    if page.entries:
                        break
        if len(page.entries) > limit:
            return Page(page.entries[:limit], page.entries[limit - 1].position, more=True)
        return page

    def asked_for(self, caller: Caller, values: Any, said: str) -> tuple[Wanted, int]:
        """What is wanted, and from where; not for the event loop, since it asks the store.

        values: as the operation's parameters; said: a cursor, ``start`` or ``now``. BadRequest tells every wrong value at once,
        Forbidden and NotFound refuse what is another's.
        """
        tenant = values.get("tenant", "")
        if tenant and not caller.is_operator and tenant != caller.tenant:
            finding = Finding("api.role", found=", ".join(caller.roles), expected="operator")
            raise Forbidden("only an operator sees other tenants", [finding])
        faults: list[Finding] = []
        types = frozenset(filter(None, values.get("types", "").split(",")))
        known = {kind.value for kind in EventType}
        faults += [
            Finding("api.event_type.unknown", found=one[:80], expected=", ".join(sorted(known)))
            for one in sorted(types - known)
        ]
        agreement = values.get("agreement", "")
        if tenant and tenant not in self._parts.directory.tenants:
            faults.append(Finding("api.tenant.unknown", found=tenant))
        if agreement and agreement not in self._parts.directory.agreements:
            faults.append(Finding("agreement.unknown", found=agreement))
        try:
            after = self._place_of(said)
        except ValueError:
            faults.append(Finding("api.cursor.unknown", found=said[:80]))
        if faults:
            raise BadRequest("the feed cannot be asked so", faults, code=faults[0].code)
        declaration, message = values.get("declaration", ""), values.get("message", "")
        with self._parts.store.read() as reading:
            view = View(reading, caller.scope)
            root_id = view.declaration(declaration).id if declaration else ""
            if message:
                # What happened to a message stands with its root, and is looked for there alone.
                root_id = view.message(message).root_id
        scope = tenant or caller.scope
        return Wanted(scope, root_id, message, agreement, types), after

    def _place_of(self, said: str) -> int:
        """ValueError for what was never given out: no cursor, or a place where nothing stands yet."""
        if said == START:
            return 0
        position, last = None if said == NOW else position_of(said), self._feed.last()
        if position is not None and position > last:
            raise ValueError("of another feed")
        return last if position is None else position

    def _shown(self, page: Page, lang: str) -> Json:
        items = [self._event(entry, lang) for entry in page.entries]
        return {"items": items, "next_cursor": cursor_of(page.position), "more": page.more}

    def _event(self, entry: Entry, lang: str) -> Json:
        told = views.event(entry.event, subject(entry), self._parts.telling, lang)
        place = {"cursor": cursor_of(entry.position), "tenant": entry.event.tenant}
        return {**told, **views.set_only(**place, declaration_id=declaration_of(entry))}

    def _framed(self, entry: Entry, lang: str) -> bytes:
        """An event of a stream; listeners who get the same entry share the bytes."""
        return b"id: %s\ndata: %s\n\n" % (cursor_of(entry.position).encode(), orjson.dumps(self._event(entry, lang)))

    @contextmanager
    def _place(self, who: str) -> Iterator[None]:
        self._end_in_time()
        if self._places[who] >= self._parts.settings.listeners:
            raise NoPlace(COME_BACK_S)
        self._places[who] += 1
        try:
            yield
        finally:
            self._places[who] -= 1
            if not self._places[who]:
                del self._places[who]

    def _end_in_time(self) -> None:
        """Hear of the signals that end this process before its server does, which then waits for open answers."""
        if self._ends_in_time or threading.current_thread() is not threading.main_thread():
            return
        self._ends_in_time = True
        end = partial(asyncio.get_running_loop().call_soon_threadsafe, self._feed.end)
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.getsignal(number)
            if callable(before):
                signal.signal(number, partial(_both, end, before))


def _both(first: Callable[[], object], then: Callable[..., object], number: int, frame: Any) -> None:
    first()
    then(number, frame)


def _pieces(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Frames put together, so that few pieces are sent and none is large."""
    waiting: list[bytes] = []
    size = 0
    for frame in frames:
        if waiting and size + len(frame) > MOST_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
        waiting.append(frame)
        size += len(frame)
    if waiting:
        yield b"".join(waiting)


async def _while_there(receive: Receive, work: Awaitable[T]) -> T:
    """The result of the work; Gone when who asked leaves before."""
    doing, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        raise Gone("the caller left")
    finally:
        for task in (doing, leaving):
            task.cancel()
        await asyncio.gather(doing, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut(scope: Scope) -> None:
    """End a connection whose other side takes nothing, without waiting for it. ASGI has no word for that, so the server's own
    transport is asked, where it is one that can be found."""
    transport = getattr(getattr(scope.get("gateway.send"), "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
        # The server learns of it in the next turn of the loop.
        await asyncio.sleep(0)
