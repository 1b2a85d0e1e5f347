"""Traces: from the request of a filer to the partner and back, told to a collector by OTLP over HTTP.

What passes from one process to the next is a traceparent (W3C Trace Context, level 1, section 3.2), kept with the message. A parent is
always given by name; nothing depends on which thread works.
Rule 1: without an endpoint nothing of OpenTelemetry is imported, and a traceparent that came is handed on as it is.
Rule 2: attributes are ids, names and codes of ours; what an exception says, an address or a value never is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
INTERNAL, SERVER, CLIENT, CONSUMER = "INTERNAL", "SERVER", "CLIENT", "CONSUMER"
# The tracer, and what it belongs to, once begun.
_LIVE: list[tuple[Any, Any]] = []
PAUSE_MS = 1000


def read(text: str) -> str:
    """A traceparent that came from outside, "" where it is none: who cannot read it begins a trace of his own (section 3.2.4)."""
    match = _TRACEPARENT.fullmatch(text) if len(text) < 100 else None
    if match is None or (text.startswith("00") and match[4]):
        return ""
    return f"00-{match[1]}-{match[2]}-{match[3]}"


def trace_id(traceparent: str) -> str:
    """The trace that a traceparent belongs to, as logs tell it."""
    return traceparent[3:35]


def begin(endpoint: str, role: str) -> None:
    """Tell the collector at endpoint, e.g. ``http://127.0.0.1:4318``, from now on; nothing where that is empty."""
    if not endpoint:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": f"swgate-{role}"}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=PAUSE_MS))
    _LIVE[:] = [(provider.get_tracer("gateway"), provider)]


def end() -> None:
    """Tell what has not been told yet."""
    for _, provider in _LIVE:
        provider.shutdown()
    _LIVE.clear()


def are_told() -> bool:
    """Whether there is a collector."""
    return bool(_LIVE)


class span:  # noqa: N801 - reads as a verb of the with statement
    """``with span("sign", message.traceparent, {"message_id": ...}) as one``: one piece of work of a trace.

    parent: "" begins a trace. links: traceparents of other work that this one has to do with. started_ns: since the epoch, where it
    began before this.
    """

    __slots__ = ("_span", "traceparent")

    def __init__(
        self,
        name: str,
        parent: str,
        ids: Mapping[str, str] | None = None,
        *,
        kind: str = INTERNAL,
        links: Sequence[str] = (),
        started_ns: int | None = None,
    ) -> None:
        self._span: Any = None
        self.traceparent = parent
        if not _LIVE:
            return
        from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, set_span_in_context

        context = set_span_in_context(NonRecordingSpan(_known(parent))) if parent else None
        self._span = _LIVE[0][0].start_span(
            name,
            context=context,
            kind=SpanKind[kind],
            links=[Link(_known(link)) for link in links if link],
            start_time=started_ns,
            attributes={f"swgate.{word}": value for word, value in (ids or {}).items() if value},
        )
        own = self._span.get_span_context()
        self.traceparent = f"00-{own.trace_id:032x}-{own.span_id:016x}-{own.trace_flags:02x}"

    def name(self, name: str, attributes: Mapping[str, str | int]) -> None:
        """Call it otherwise: what it is may be known only at its end. attributes: by OpenTelemetry's names."""
        if self._span is not None:
            self._span.update_name(name)
            self._span.set_attributes(attributes)

    def fail(self, code: str) -> None:
        """It went wrong. code: stable, of ours."""
        if self._span is not None:
            from opentelemetry.trace import StatusCode

            self._span.set_status(StatusCode.ERROR)
            self._span.set_attribute("error.type", code)

    def finish(self) -> None:
        if self._span is not None:
            self._span.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, places: TracebackType | None
    ) -> None:
        if problem is not None:
            self.fail(str(getattr(problem, "code", "gateway.internal")))
        self.finish()


def _known(traceparent: str) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags

    _, trace, parent, flags = traceparent.split("-")
    return SpanContext(int(trace, 16), int(parent, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
