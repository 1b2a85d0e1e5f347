"""Every setting of a gateway process, read once from the environment, checked, and described for the docs.

A setting is one row of SETTINGS: environment name, field, parser, default, and what it is for. Secrets are never settings:
keys are named by URI and partners' facts live in the partners file.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta, timezone, tzinfo
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.errors import Finding, NeedsOperator

PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Row:
    env: str
    field: str
    parse: Callable[[str], Any]
    default: str
    en: str


def _count(text: str) -> int:
    # int() would also take signs, low lines and the digits of other scripts.
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < 1:
        raise ValueError("must be a whole number of 1 or more")
    return int(text)


def _digest(text: str) -> str:
    # The value is not repeated: somebody may have written the token itself.
    if text and not re.fullmatch("[0-9a-f]{64}", text):
        raise ValueError("must be a SHA-256 in hex")
    return text


def _collector(text: str) -> str:
    if text and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", text):
        raise ValueError("must be an http or https address without credentials")
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return parse


def zone_of(text: str) -> tzinfo:
    """``+08:00``, ``UTC``, or the name of a zone that this system knows, e.g. ``Asia/Shanghai``."""
    if text.upper() in ("UTC", "Z"):
        return UTC
    offset = re.fullmatch(r"([+-])([01][0-9]):([0-5][0-9])", text)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3])
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    try:
        return ZoneInfo(text)
    except (OSError, ValueError, LookupError):
        raise ValueError("must be an offset such as +08:00, or a zone that this system knows") from None


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """``10.1.0.0/16,fd00::/8``; nothing for none."""
    try:
        return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())
    except ValueError:
        raise ValueError("must be networks such as 10.1.0.0/16, with commas between them") from None


def _ports(text: str) -> tuple[tuple[int, int], ...]:
    """``443,8000-8999`` as pairs of first and last."""
    ranges = [re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", one.strip()) for one in text.split(",")]
    pairs = tuple((int(one[1]), int(one[2] or one[1])) for one in ranges if one)
    if len(pairs) < len(ranges) or any(not 1 <= first <= last <= 65_535 for first, last in pairs):
        raise ValueError("must be ports such as 443,8000-8999")
    return pairs


def _schemes(text: str) -> tuple[str, ...]:
    schemes = tuple(one.strip() for one in text.split(","))
    if not set(schemes) <= {"https", "http"}:
        raise ValueError("must be https, or https,http")
    return schemes


SETTINGS: tuple[Row, ...] = (
    Row(
        "SWGATE_HOME",
        "home",
        Path,
        "var",
        "Folder of everything the gateway writes: database, payloads, dropped files.",
    ),
    Row("SWGATE_DATABASE", "database", str, "", "SQLAlchemy URL; empty means SQLite in SWGATE_HOME/gateway.db."),
    Row(
        "SWGATE_PARTNERS",
        "partners_file",
        Path,
        "partners.yaml",
        "The file of tenants, partners, agreements and routes.",
    ),
    Row(
        "SWGATE_SPECS",
        "specs",
        Path,
        str(PROJECT_ROOT / "specs"),
        "Folder of the contracts that come with the gateway.",
    ),
    Row(
        "SWGATE_SPECS_OVERLAY",
        "overlay",
        Path,
        "",
        "Operator's folder whose code lists, deadlines and rule data replace ours.",
    ),
    Row(
        "SWGATE_OFFICIAL_SCHEMAS",
        "official_schemas",
        Path,
        "",
        "Folder of official schemas that check instead of ours.",
    ),
    Row(
        "SWGATE_ADAPTERS",
        "adapters",
        Path,
        str(PROJECT_ROOT / "adapters"),
        "Folder of adapters, beside those found as installed entry points.",
    ),
    Row("SWGATE_CERTS", "certs", Path, "certs", "Folder of keys and trust anchors; relative key URIs start here."),
    Row("SWGATE_HOST", "host", str, "127.0.0.1", "Address that `swgate serve` listens on."),
    Row("SWGATE_PORT", "port", _count, "8080", "Port that `swgate serve` listens on."),
    Row(
        "SWGATE_BASE_URL",
        "base_url",
        str,
        "",
        "Address that others reach us at, for links; empty means http://host:port.",
    ),
    Row(
        "SWGATE_PAYLOAD_INLINE_BYTES",
        "payload_inline_bytes",
        _count,
        "65536",
        "Payloads up to this size live in the database, larger ones on disk.",
    ),
    Row("SWGATE_BODY_LIMIT_BYTES", "body_limit_bytes", _count, "1048576", "Largest JSON body that the API reads."),
    Row(
        "SWGATE_PAYLOAD_LIMIT_BYTES",
        "payload_limit_bytes",
        _count,
        "4294967296",
        "Largest attachment that can be uploaded.",
    ),
    Row(
        "SWGATE_PAYLOAD_QUOTA_BYTES",
        "payload_quota_bytes",
        _count,
        "107374182400",
        "What the attachments of one tenant may come to together.",
    ),
    Row(
        "SWGATE_LEASE_S", "lease_s", _count, "30", "Seconds after which a silent worker's claims are taken by another."
    ),
    Row("SWGATE_COMMIT_BATCH", "commit_batch", _count, "64", "Most units of work that share one commit."),
    Row("SWGATE_IDEMPOTENCY_H", "idempotency_h", _count, "48", "Hours for which an Idempotency-Key is remembered."),
    Row(
        "SWGATE_TIME_ZONE",
        "time_zone",
        zone_of,
        "+08:00",
        "Zone in which people are shown times: an offset, or a name such as Asia/Shanghai.",
    ),
    Row(
        "SWGATE_FREE_DISK_MB",
        "free_disk_mb",
        _count,
        "256",
        "Free space on the disks of database and payloads below which `/ready` says no, in MiB.",
    ),
    Row(
        "SWGATE_HEARTBEAT_S",
        "heartbeat_s",
        _count,
        "15",
        "Seconds after which a silent event stream says that it is there; who takes nothing for twice as long is let go.",
    ),
    Row(
        "SWGATE_LISTENERS",
        "listeners",
        _count,
        "1024",
        "Event streams and waiting event requests that one API key may have open in each serving process.",
    ),
    Row(
        "SWGATE_WEBHOOK_ALLOW",
        "webhook_allow",
        _networks,
        "",
        "Networks that webhooks may be sent to although they are not public, e.g. 10.1.0.0/16.",
    ),
    Row(
        "SWGATE_WEBHOOK_PORTS",
        "webhook_ports",
        _ports,
        "443",
        "Ports that webhooks may be sent to, e.g. 443,8000-8999.",
    ),
    Row(
        "SWGATE_WEBHOOK_SCHEMES",
        "webhook_schemes",
        _schemes,
        "https",
        "`https`, or `https,http` where webhooks may be sent without TLS (for tests).",
    ),
    Row(
        "SWGATE_LOG_FORMAT",
        "log_format",
        _one_of("auto", "json", "text"),
        "auto",
        "How `serve` and `work` log: `json`, one object a line; `text`; `auto` is text at a terminal and json elsewhere.",
    ),
    Row(
        "SWGATE_LOG_LEVEL",
        "log_level",
        _one_of("debug", "info", "warning", "error"),
        "info",
        "What is logged: lines of this level and above.",
    ),
    Row(
        "SWGATE_METRICS_TOKEN_SHA256",
        "metrics_token_sha256",
        _digest,
        "",
        "SHA-256, in hex, of the token with which `/metrics` is read; empty means that only this machine may read it.",
    ),
    Row(
        "SWGATE_OTLP_ENDPOINT",
        "otlp_endpoint",
        _collector,
        "",
        "Address of an OpenTelemetry collector (OTLP over HTTP), e.g. `http://127.0.0.1:4318`; empty means no traces.",
    ),
)


@dataclass(frozen=True, slots=True)
class Settings:
    home: Path
    database: str
    partners_file: Path
    specs: Path
    overlay: Path | None
    official_schemas: Path | None
    adapters: Path
    certs: Path
    host: str
    port: int
    base_url: str
    payload_inline_bytes: int
    body_limit_bytes: int
    payload_limit_bytes: int
    payload_quota_bytes: int
    lease_s: int
    commit_batch: int
    idempotency_h: int
    time_zone: tzinfo
    free_disk_mb: int
    heartbeat_s: int
    listeners: int
    webhook_allow: tuple[IPv4Network | IPv6Network, ...]
    webhook_ports: tuple[tuple[int, int], ...]
    webhook_schemes: tuple[str, ...]
    log_format: str
    log_level: str
    metrics_token_sha256: str
    otlp_endpoint: str

    def make_home(self) -> None:
        """Make the folder that everything is written to, for our own account only. NeedsOperator when that cannot be."""
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(self.home, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as problem:
            found, reason = f"SWGATE_HOME={self.home}", {"reason": problem.strerror or ""}
            raise NeedsOperator(
                "the home of the gateway cannot be used",
                [Finding("settings.home", found=found, expected="a folder that can be written", params=reason)],
                code="settings.home",
            ) from None

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{(self.home / 'gateway.db').resolve()}"

    @property
    def database_folder(self) -> Path | None:
        """The folder of an SQLite file; None where a server stores."""
        scheme, _, place = self.database_url.partition(":///")
        return Path(place).parent if scheme.startswith("sqlite") and place else None

    @property
    def public_url(self) -> str:
        return self.base_url or f"http://{self.host}:{self.port}"


OPTIONAL_FOLDERS = {"overlay", "official_schemas"}


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process. NeedsOperator names every wrong one at once, and every SWGATE_ name we do not know."""
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for row in SETTINGS:
        text = environ.get(row.env, row.default)
        if not text and row.field in OPTIONAL_FOLDERS:
            values[row.field] = None
            continue
        try:
            values[row.field] = row.parse(text)
        except ValueError as problem:
            shown = "…" if row.parse is _digest else text
            findings.append(Finding("settings.value", found=f"{row.env}={shown}", expected=str(problem)))
    known = {row.env for row in SETTINGS} | {"SWGATE_REFERENCE", "SWGATE_NO_SKIPS"}
    findings += [
        Finding("settings.unknown", found=name, expected=", ".join(sorted(known)))
        for name in environ
        if name.startswith("SWGATE_") and name not in known
    ]
    if findings:
        raise NeedsOperator("some settings are wrong", findings)
    return Settings(**values)
