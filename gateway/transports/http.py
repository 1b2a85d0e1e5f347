"""One POST a message. What came of it is told by where it failed, since that says whether anything can have arrived.

No name, no connection, no TLS: nothing has arrived, try again. A silence or a break after the request left, be it TLS that
breaks: nobody knows. An answer: 2xx it is handed over; 429 and 503 it is not, and the partner may say when to come back; 408 and 425 likewise; 401,
403, 404 and 405 our settings are wrong; any other 3xx or 4xx the partner refuses the message; any other 5xx nobody knows,
since a server may fail after it has stored something. Redirects are never followed, nor is the proxy environment. Only the
authorities in the agreement's ca are trusted, where it names a file; that nobody is checked cannot be set.
"""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from marshmallow import RAISE, Schema, fields, validate
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NameResolutionError, NewConnectionError

from gateway.agreements import Agreement
from gateway.errors import Finding, GatewayError, NeedsOperator, OutcomeUnknown, PartnerUnavailable, Rejected
from gateway.ports import Alias, HandedOver, Incoming, Outgoing

# More than this is not read only to keep a connection.
WORTH_READING = 64 * 1024
LONGEST_TEXT = 500
COME_BACK = frozenset({408, 425, 429, 503})
SET_UP_WRONGLY = frozenset({401, 403, 404, 405})
# In TLS 1.3 a client hears what the server thinks of its certificate only after it may have sent (RFC 8446, section 4.4.2.4
# and 6.2); a server that says one of these has not begun to read. The names are OpenSSL's.
CERTIFICATE_REFUSED = frozenset(
    {
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "TLSV1_ALERT_UNKNOWN_CA",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    }
)


class HttpSettings(Schema):
    """url: where messages go. ca, client_certificate, client_key: PEM files. headers: as they are; secret_headers: named by
    env: or file:. id_header: the header that carries our message id. reply: body when the answer's body is a message of the
    partner. alias_headers: scheme -> header of the answer that names the message over there. status_url: with {message_id}
    or {name}; traceparent: whether the partner hears of our trace (W3C Trace Context); status_there and status_absent: the codes that say yes and no, any other says nothing."""

    class Meta:
        unknown = RAISE

    url = fields.Url(required=True, schemes={"http", "https"}, require_tld=False)
    connect_timeout_s = fields.Float(load_default=10, validate=validate.Range(min=0.05, max=300))
    read_timeout_s = fields.Float(load_default=60, validate=validate.Range(min=0.05, max=900))
    ca = fields.Str(load_default="")
    client_certificate = fields.Str(load_default="")
    client_key = fields.Str(load_default="")
    headers = fields.Dict(keys=fields.Str(), values=fields.Str(), load_default=dict)
    secret_headers = fields.Dict(
        keys=fields.Str(), values=fields.Str(validate=validate.Regexp(r"^(env|file):.+")), load_default=dict
    )
    id_header = fields.Str(load_default="")
    name_header = fields.Str(load_default="")
    reply = fields.Str(load_default="none", validate=validate.OneOf(["none", "body"]))
    alias_headers = fields.Dict(keys=fields.Str(), values=fields.Str(), load_default=dict)
    answer_limit_bytes = fields.Int(load_default=4 * 1024 * 1024, validate=validate.Range(min=1))
    status_url = fields.Str(load_default="")
    status_there = fields.List(fields.Int(), load_default=[200])
    traceparent = fields.Bool(load_default=False)
    status_absent = fields.List(fields.Int(), load_default=[404])


def make(_agreement: Agreement, settings: Mapping[str, Any], home: Path) -> HttpTransport:
    return HttpTransport(settings, home)


class _Connection(HTTPSConnection):
    """Whatever breaks before TLS stands, a reset and a silence too, is no connection: the request has not been written."""

    def connect(self) -> None:
        try:
            super().connect()
        except OSError as problem:
            raise NewConnectionError(self, f"no TLS: {problem}") from problem


class _Connections(HTTPSConnectionPool):
    ConnectionCls = _Connection


class _Adapter(HTTPAdapter):
    """Remembers the connections of each host: requests would look for them, and for our files on the disk, at every message."""

    def init_poolmanager(self, *arguments: Any, **settings: Any) -> None:
        super().init_poolmanager(*arguments, **settings)
        self.poolmanager.pool_classes_by_scheme = {"http": HTTPConnectionPool, "https": _Connections}
        self._pools: dict[str, Any] = {}

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """The pool of the host of request, as made with its first one. verify and cert are those of the session each time."""
        host = _host(str(request.url))
        found = self._pools.get(host)
        if found is None:
            found = super().get_connection_with_tls_context(request, verify, proxies, cert)
            super().cert_verify(found, str(request.url), verify, cert)  # type: ignore[no-untyped-call]
            self._pools[host] = found
        return found

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Done when the pool was made."""


def _host(url: str) -> str:
    """Scheme, host and port."""
    return "/".join(url.split("/", 3)[:3])


class HttpTransport:
    """One address. Each thread has a session of its own, kept alive between messages."""

    def __init__(self, settings: Mapping[str, Any], home: Path) -> None:
        self._settings = settings
        self._home = home
        self._timeouts = (settings["connect_timeout_s"], settings["read_timeout_s"])
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    def send(self, outgoing: Outgoing) -> HandedOver:
        """POST the bytes; the module says which error means what."""
        try:
            with self._post(self._session(), outgoing) as answer:
                return self._judge(answer)
        except requests.RequestException as problem:
            raise _sorted_out(problem) from problem

    def _post(self, session: requests.Session, outgoing: Outgoing) -> requests.Response:
        """Send without what a session does for each request besides: nothing of it is for us but headers and cookies."""
        request = requests.PreparedRequest()
        request.method, request.url, request.body = "POST", self._target.url, outgoing.data
        request.prepare_headers({**session.headers, **self._headers(outgoing)})
        request.headers.update(self._target.headers)
        request.headers["Content-Length"] = str(len(outgoing.data))
        if len(session.cookies):
            request.prepare_cookies(session.cookies)
        answer = session.get_adapter(str(request.url)).send(
            request, stream=True, timeout=self._timeouts, verify=session.verify or True, cert=session.cert, proxies={}
        )
        if "Set-Cookie" in answer.headers:
            session.cookies.update(answer.cookies)
        return answer

    @cached_property
    def _target(self) -> requests.PreparedRequest:
        """The address as requests reads it: escaped, and credentials that stand in it as a header."""
        return requests.Request("POST", self._settings["url"]).prepare()

    def _headers(self, outgoing: Outgoing) -> dict[str, str]:
        headers = {"Content-Type": outgoing.media_type, **self._settings["headers"], **outgoing.headers}
        for name, value in (
            (self._settings["id_header"], outgoing.message_id),
            (self._settings["name_header"], outgoing.name),
        ):
            if name:
                headers[name] = quote(value, safe="-._~")
        if self._settings["traceparent"] and outgoing.traceparent:
            headers["traceparent"] = outgoing.traceparent
        return headers

    def _judge(self, answer: requests.Response) -> HandedOver:
        code = answer.status_code
        if 200 <= code < 300:
            return self._handed_over(answer)
        # After 1xx-5xx other than 2xx the body is only a reason for people.
        text = _printable(self._body(answer, LONGEST_TEXT * 4) or b"")
        said = f"HTTP {code} {answer.reason}: {text}"[:LONGEST_TEXT]
        found = Finding("partner.http", found=said, params=_retry_after(answer))
        if code in COME_BACK:
            raise PartnerUnavailable(said, [found])
        if code in SET_UP_WRONGLY:
            raise NeedsOperator(said, [found], code="partner.http")
        if 300 <= code < 500:
            raise Rejected(said, [found], code="partner.http")
        raise OutcomeUnknown(said, [found])

    def _handed_over(self, answer: requests.Response) -> HandedOver:
        headers = answer.headers
        aliases = [
            Alias(scheme, headers[name]) for scheme, name in self._settings["alias_headers"].items() if name in headers
        ]
        note = f"HTTP {answer.status_code}"
        reply: bytes | None = None
        if self._settings["reply"] == "none":
            # A connection whose answer was not read to its end cannot carry the next message.
            self._body(answer, WORTH_READING)
        else:
            reply = self._body(answer, self._settings["answer_limit_bytes"]) or None
            if reply is None:
                note += ", without a readable answer"
        return HandedOver(note, tuple(aliases), reply)

    def _body(self, answer: requests.Response, limit: int) -> bytes | None:
        """The body, None when it is longer than limit or breaks off: the status line has said already what counts."""
        parts: list[bytes] = []
        size = 0
        try:
            for part in answer.iter_content(65_536):
                size += len(part)
                if size > limit:
                    return None
                parts.append(part)
        except requests.RequestException:
            return None
        return b"".join(parts)

    def locate(self, outgoing: Outgoing) -> bool | None:
        """Ask the status address where there is one. PartnerUnavailable when it cannot be asked now."""
        template = self._settings["status_url"]
        if not template:
            return None
        url = template.replace("{message_id}", quote(outgoing.message_id, safe="")).replace(
            "{name}", quote(outgoing.name, safe="")
        )
        try:
            with self._session().get(url, timeout=self._timeouts, allow_redirects=False, stream=True) as answer:
                code = answer.status_code
                self._body(answer, WORTH_READING)
        except requests.RequestException as problem:
            raise PartnerUnavailable(f"its status cannot be asked: {type(problem).__name__}") from problem
        if code in self._settings["status_there"]:
            return True
        return False if code in self._settings["status_absent"] else None

    def collect(self, limit: int) -> Iterator[tuple[Incoming, Callable[[], None]]]:
        """Nothing: a partner that answers later calls us."""
        return iter(())

    def close(self) -> None:
        for session in self._sessions:
            session.close()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._open()
            self._sessions.append(session)
        return session

    def _open(self) -> requests.Session:
        settings, session = self._settings, requests.Session()
        session.trust_env = False
        for prefix in ("http://", "https://"):
            session.mount(prefix, _Adapter(pool_connections=2, pool_maxsize=2, max_retries=0))
        probe = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if settings["ca"]:
            session.verify = authorities = self._file("ca")
            _readable("ca", lambda: probe.load_verify_locations(authorities))
        if settings["client_certificate"]:
            certificate = self._file("client_certificate")
            key = self._file("client_key") if settings["client_key"] else None
            session.cert = (certificate, key) if key else certificate
            # The empty password keeps OpenSSL from asking at the terminal.
            _readable("client_certificate", lambda: probe.load_cert_chain(certificate, key, password=""))
        for name, place in settings["secret_headers"].items():
            session.headers[name] = self._secret(place)
        return session

    def _file(self, setting: str) -> str:
        path = self._home / self._settings[setting]
        if not path.is_file():
            finding = Finding("transport.setting", f"/transport/{setting}", path.name, "a PEM file")
            raise NeedsOperator(f"the file of {setting} is not there", [finding], code=finding.code)
        return str(path)

    def _secret(self, place: str) -> str:
        scheme, _, rest = place.partition(":")
        try:
            return os.environ[rest] if scheme == "env" else (self._home / rest).read_text(encoding="utf-8").strip()
        except (KeyError, OSError) as problem:
            raise NeedsOperator(f"the secret {place} cannot be read", code="transport.secret") from problem


def _readable(setting: str, load: Callable[[], None]) -> None:
    """NeedsOperator when the file is no PEM of its kind: the faults of our files are not the partner's."""
    try:
        load()
    except OSError as problem:
        finding = Finding(
            "transport.setting", f"/transport/{setting}", expected="PEM that can be read, and its own key"
        )
        raise NeedsOperator(f"the file of {setting} cannot be used", [finding], code=finding.code) from problem


def _sorted_out(problem: requests.RequestException) -> GatewayError:
    """Whether anything can have arrived. requests hides urllib3's reason one or two levels down."""
    reason: Any = problem.args[0] if problem.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    before = (NewConnectionError, NameResolutionError, ConnectTimeoutError)
    if isinstance(problem, requests.ConnectTimeout) or isinstance(reason, before):
        cause = reason.__cause__ if isinstance(reason, before) and reason.__cause__ else reason
        return PartnerUnavailable(f"no connection: {_named(cause)}")
    if isinstance(problem, requests.exceptions.SSLError) and _alert(reason) in CERTIFICATE_REFUSED:
        return PartnerUnavailable(f"our certificate is refused: {_alert(reason)}")
    if isinstance(problem, (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, ValueError)):
        return NeedsOperator(f"the request cannot be made: {type(problem).__name__}", code="transport.setting")
    return OutcomeUnknown(f"sent, but no answer: {type(problem).__name__}")


def _named(problem: object) -> str:
    """Its class, and why a certificate is not trusted: that names no secret, and an operator needs it."""
    name = type(problem).__name__
    return f"{name}: {problem.verify_message}" if isinstance(problem, ssl.SSLCertVerificationError) else name


def _alert(reason: object) -> str:
    """OpenSSL's name for what broke, "" where there is none. urllib3's error carries the one of ssl."""
    inner = reason.args[0] if isinstance(reason, Exception) and reason.args else None
    return str(inner.reason or "") if isinstance(inner, ssl.SSLError) else ""


def _retry_after(answer: requests.Response) -> dict[str, str]:
    """Seconds to wait, from Retry-After in either form (RFC 9110, section 10.2.3)."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 8:
        return {"retry_after_s": text}
    try:
        seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return {}
    return {"retry_after_s": str(max(0, int(seconds)))}


def _printable(data: bytes) -> str:
    text = data[: LONGEST_TEXT * 4].decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()
