"""Who takes part and what they agreed: tenants, partners, agreements and routes, from one validated file.

The file is YAML, read whole and checked whole: every fault is a finding with its JSON Pointer, and a file with a fault is
not used at all. A process runs in one environment, test or production; a partner or agreement of the other is refused
when the file is read, so nothing can mix later. What an adapter or a transport wants to know is checked by the
catalogue against the adapter's manifest; this module knows neither.
"""

from __future__ import annotations

import fnmatch
import hashlib
import hmac
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, post_load, validate

from gateway.errors import Finding, NeedsOperator

IDENTIFIER = validate.Regexp(r"^[a-z0-9][a-z0-9-]{1,62}$", error="use 2 to 63 of a-z, 0-9 and -")
JURISDICTION = validate.Regexp(r"^[A-Z]{2}$", error="use two letters, as CN")
ENVIRONMENTS = ("test", "production")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key of a tenant. sha256: hex digest of the key text; the key itself is nowhere."""

    id: str
    sha256: str
    roles: tuple[str, ...] = ("filer",)


@dataclass(frozen=True, slots=True)
class Tenant:
    """jurisdiction: whose law the data it files comes under. zone: its clock, where that is not the one of its jurisdiction."""

    id: str
    name: str
    jurisdiction: str
    api_keys: tuple[ApiKey, ...] = ()
    zone: str = ""

    @property
    def clock(self) -> str:
        """By what "today" is told for its declarations: a zone, or the jurisdiction whose clock counts."""
        return self.zone or self.jurisdiction


@dataclass(frozen=True, slots=True)
class Partner:
    id: str
    name: str
    jurisdiction: str
    environment: str
    failures_before_rest: int = 5
    rest_s: int = 60


@dataclass(frozen=True, slots=True)
class Retry:
    """Growing, jittered waits: first_s, then times factor, never above cap_s; after attempts the message is parked."""

    first_s: float = 5
    factor: float = 2
    cap_s: float = 3600
    attempts: int = 30
    jitter: float = 0.2


@dataclass(frozen=True, slots=True)
class Transport:
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What we and one partner exchange. ebMS calls the technical part of this a P-Mode.

    parallel: how many messages may be on the way to the partner at the same moment. parameters: the adapter's own facts (its
    manifest names them). may_lose: canonical paths that this partner need not get. may_leave: for partners abroad, the elements
    that may be shared, with legal_basis saying why (gateway.pipeline.leaving says how it is read).
    """

    id: str
    partner: Partner
    adapter: str
    environment: str
    documents: tuple[str, ...]
    transport: Transport
    parameters: Mapping[str, Any]
    reading: str
    retry: Retry
    ordered_by: str
    drops_doubles: bool
    parallel: int
    receipt_timeout_s: int
    may_lose: tuple[str, ...]
    may_leave: tuple[str, ...]
    legal_basis: str
    signing: Mapping[str, Any]
    silence_s: Mapping[str, int]
    retention_days: int

    def abroad(self, jurisdiction: str) -> bool:
        """Whether what comes under this jurisdiction leaves it by this agreement."""
        return self.partner.jurisdiction != jurisdiction


@dataclass(frozen=True, slots=True)
class Facts:
    """What a route may look at."""

    document: str
    tenant: str
    direction: str = ""
    office: str = ""
    regime: str = ""
    mode: str = ""
    goods: tuple[str, ...] = ()

    def values(self, name: str) -> tuple[str, ...]:
        """What may match a pattern of this name; goods: the tariff number of any item."""
        value = getattr(self, name)
        return value if isinstance(value, tuple) else (value,)


@dataclass(frozen=True, slots=True)
class Route:
    """First match wins. Each member of when is a list of shell patterns; an absent member matches everything.

    priority: what takes this route is sent before what waits with a lower one, for goods that the port favours.
    """

    documents: tuple[str, ...]
    when: Mapping[str, tuple[str, ...]]
    to: tuple[str, ...]
    priority: int = 0

    def takes(self, facts: Facts) -> bool:
        return facts.document in self.documents and all(self._allows(name, facts) for name in self.when)

    def misses(self, facts: Facts, name: str) -> bool:
        """Whether it would take a document but for this fact."""
        return (
            facts.document in self.documents
            and name in self.when
            and all(self._allows(one, facts) is (one != name) for one in self.when)
        )

    def _allows(self, name: str, facts: Facts) -> bool:
        return any(fnmatch.fnmatchcase(value, pattern) for value in facts.values(name) for pattern in self.when[name])


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything of one partners file, by id."""

    environment: str
    operator: str
    tenants: Mapping[str, Tenant]
    partners: Mapping[str, Partner]
    agreements: Mapping[str, Agreement]
    routes: tuple[Route, ...]

    def tenant_or_operator(self, tenant_id: str) -> Tenant:
        """Whose law and clock count for what this tenant files; the operator's for one that is not in the file."""
        return self.tenants.get(tenant_id) or self.tenants[self.operator]

    def agreements_for(self, facts: Facts) -> tuple[Agreement, ...]:
        """The agreements that a document goes to, in the route's order; empty when no route takes it."""
        route = self._route(facts)
        return tuple(self.agreements[name] for name in route.to) if route else ()

    def priority_of(self, facts: Facts) -> int:
        """How urgent a document is, by the route that takes it; 0 where none does."""
        route = self._route(facts)
        return route.priority if route else 0

    def missed(self, facts: Facts, name: str) -> tuple[str, ...]:
        """What this fact would have to be for a route before the one that takes a document; () where that one looks at it too."""
        taken = self._route(facts)
        if taken is not None and name in taken.when:
            return ()
        before = itertools.takewhile(lambda route: route is not taken, self.routes)
        return tuple(dict.fromkeys(p for route in before if route.misses(facts, name) for p in route.when[name]))

    def _route(self, facts: Facts) -> Route | None:
        return next((route for route in self.routes if route.takes(facts)), None)

    def tenant_of_key(self, key: str) -> tuple[Tenant, ApiKey] | None:
        """Whose API key this is. Every stored digest is compared, each in constant time."""
        digest = hashlib.sha256(key.encode()).hexdigest()
        match: tuple[Tenant, ApiKey] | None = None
        for tenant in self.tenants.values():
            for stored in tenant.api_keys:
                if hmac.compare_digest(stored.sha256, digest):
                    match = (tenant, stored)
        return match


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class _ApiKeySchema(_Strict):
    id = fields.Str(required=True, validate=IDENTIFIER)
    sha256 = fields.Str(required=True, validate=validate.Regexp(r"^[0-9a-f]{64}$"))
    roles = fields.List(fields.Str(validate=validate.OneOf(["filer", "operator"])), load_default=["filer"])

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> ApiKey:
        return ApiKey(data["id"], data["sha256"], tuple(data["roles"]))


class _TenantSchema(_Strict):
    id = fields.Str(required=True, validate=IDENTIFIER)
    name = fields.Str(required=True)
    jurisdiction = fields.Str(load_default="CN", validate=JURISDICTION)
    zone = fields.Str(load_default="")
    api_keys = fields.List(fields.Nested(_ApiKeySchema), load_default=list)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Tenant:
        return Tenant(data["id"], data["name"], data["jurisdiction"], tuple(data["api_keys"]), data["zone"])


class _PartnerSchema(_Strict):
    id = fields.Str(required=True, validate=IDENTIFIER)
    name = fields.Str(required=True)
    jurisdiction = fields.Str(required=True, validate=JURISDICTION)
    environment = fields.Str(required=True, validate=validate.OneOf(ENVIRONMENTS))
    failures_before_rest = fields.Int(load_default=5, validate=validate.Range(min=1))
    rest_s = fields.Int(load_default=60, validate=validate.Range(min=1))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Partner:
        return Partner(**data)


class _RetrySchema(_Strict):
    first_s = fields.Float(load_default=5, validate=validate.Range(min=0.01))
    factor = fields.Float(load_default=2, validate=validate.Range(min=1))
    cap_s = fields.Float(load_default=3600, validate=validate.Range(min=0.01))
    attempts = fields.Int(load_default=30, validate=validate.Range(min=1))
    jitter = fields.Float(load_default=0.2, validate=validate.Range(min=0, max=1))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Retry:
        return Retry(**data)


class _TransportSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    kind = fields.Str(required=True)


class _AgreementSchema(_Strict):
    id = fields.Str(required=True, validate=IDENTIFIER)
    partner = fields.Str(required=True)
    adapter = fields.Str(required=True)
    environment = fields.Str(required=True, validate=validate.OneOf(ENVIRONMENTS))
    documents = fields.List(fields.Str(), required=True, validate=validate.Length(min=1))
    transport = fields.Dict(keys=fields.Str(), required=True)
    parameters = fields.Dict(keys=fields.Str(), load_default=dict)
    reading = fields.Str(load_default="strict", validate=validate.OneOf(["strict", "tolerant"]))
    retry = fields.Nested(_RetrySchema, load_default=Retry)
    ordered_by = fields.Str(load_default="declaration", validate=validate.OneOf(["declaration", "nothing"]))
    drops_doubles = fields.Bool(load_default=False)
    parallel = fields.Int(load_default=1, validate=validate.Range(min=1, max=32))
    receipt_timeout_s = fields.Int(load_default=3600, validate=validate.Range(min=1))
    may_lose = fields.List(fields.Str(), load_default=list)
    may_leave = fields.List(fields.Str(), load_default=list)
    legal_basis = fields.Str(load_default="")
    signing = fields.Dict(keys=fields.Str(), load_default=dict)
    silence_s = fields.Dict(keys=fields.Str(), values=fields.Int(validate=validate.Range(min=1)), load_default=dict)
    retention_days = fields.Int(load_default=1096, validate=validate.Range(min=1))


class _RouteSchema(_Strict):
    documents = fields.List(fields.Str(), required=True, validate=validate.Length(min=1))
    when = fields.Dict(
        keys=fields.Str(validate=validate.OneOf(["tenant", "direction", "office", "regime", "mode", "goods"])),
        values=fields.List(fields.Str()),
        load_default=dict,
    )
    to = fields.List(fields.Str(), required=True, validate=validate.Length(min=1))
    priority = fields.Int(load_default=0, validate=validate.Range(min=0, max=9))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Route:
        when = {name: tuple(patterns) for name, patterns in data["when"].items()}
        return Route(tuple(data["documents"]), when, tuple(data["to"]), data["priority"])


class _FileSchema(_Strict):
    environment = fields.Str(required=True, validate=validate.OneOf(ENVIRONMENTS))
    operator = fields.Str(required=True)
    tenants = fields.List(fields.Nested(_TenantSchema), required=True)
    partners = fields.List(fields.Nested(_PartnerSchema), required=True)
    agreements = fields.List(fields.Nested(_AgreementSchema), required=True)
    routes = fields.List(fields.Nested(_RouteSchema), required=True)


def load(path: Path) -> Directory:
    """Read and check a partners file. NeedsOperator carries every fault with its place."""
    try:
        raw = yaml.safe_load(path.read_bytes())
    except OSError as problem:
        raise NeedsOperator(
            f"cannot read {path.resolve()}: {problem.strerror}", code="partners.unreadable"
        ) from problem
    except yaml.YAMLError as problem:
        raise NeedsOperator(f"{path.name} is not YAML: {problem}", code="partners.unreadable") from problem
    return parse(raw)


def parse(raw: Any) -> Directory:
    """Check what a partners file says. NeedsOperator carries every fault with its place."""
    try:
        data = _FileSchema().load(raw if isinstance(raw, Mapping) else {})
    except ValidationError as problem:
        raise NeedsOperator("the partners file is wrong", _shape_findings(problem.messages)) from problem
    return _tie_together(data)


def _shape_findings(messages: Any, pointer: str = "") -> list[Finding]:
    if isinstance(messages, Mapping):
        return [f for key, inner in messages.items() for f in _shape_findings(inner, f"{pointer}/{key}")]
    return [Finding("partners.shape", pointer=pointer, expected=str(text)) for text in messages]


def _tie_together(data: dict[str, Any]) -> Directory:
    findings: list[Finding] = []
    tenants = _by_id("tenants", data["tenants"], findings)
    partners = _by_id("partners", data["partners"], findings)
    for index, partner in enumerate(data["partners"]):
        if partner.environment != data["environment"]:
            findings.append(_other_environment(f"/partners/{index}/environment", partner.environment, data))
    agreements: dict[str, Agreement] = {}
    for index, entry in enumerate(data["agreements"]):
        pointer = f"/agreements/{index}"
        if entry["environment"] != data["environment"]:
            findings.append(_other_environment(f"{pointer}/environment", entry["environment"], data))
        if entry["id"] in agreements:
            findings.append(Finding("partners.doubled", pointer=f"{pointer}/id", found=entry["id"]))
        partner = partners.get(entry["partner"])
        if partner is None:
            findings.append(_unknown(f"{pointer}/partner", entry["partner"], partners))
            continue
        findings += _sharing_findings(pointer, entry, partner, tenants.values())
        try:
            _TransportSchema().load(entry["transport"])
        except ValidationError as problem:
            findings += _shape_findings(problem.messages, f"{pointer}/transport")
            continue
        agreements[entry["id"]] = _agreement(entry, partner)
    for index, route in enumerate(data["routes"]):
        findings += [
            _unknown(f"/routes/{index}/to/{place}", name, agreements)
            for place, name in enumerate(route.to)
            if name not in agreements
        ]
    if data["operator"] not in tenants:
        findings.append(_unknown("/operator", data["operator"], tenants))
    else:
        findings += _operator_key_findings(data["tenants"], data["operator"])
    if findings:
        raise NeedsOperator("the partners file is wrong", findings)
    return Directory(data["environment"], data["operator"], tenants, partners, agreements, tuple(data["routes"]))


def _operator_key_findings(tenants: Sequence[Tenant], operator: str) -> Iterable[Finding]:
    """The role operator opens what every tenant filed, so no tenant but the one that operates the gateway has a key with it."""
    for index, tenant in enumerate(tenants):
        for place, key in enumerate(tenant.api_keys):
            if tenant.id != operator and "operator" in key.roles:
                pointer = f"/tenants/{index}/api_keys/{place}/roles"
                yield Finding("partners.operator_key", pointer=pointer, found=tenant.id, expected=operator)


def _sharing_findings(
    pointer: str, entry: Mapping[str, Any], partner: Partner, tenants: Iterable[Tenant]
) -> Iterable[Finding]:
    """Giving data to a body abroad, abroad for any of those who file, needs a legal basis that is named."""
    abroad = any(tenant.jurisdiction != partner.jurisdiction for tenant in tenants)
    if abroad and entry["may_leave"] and not entry["legal_basis"].strip():
        yield Finding(
            "partners.legal_basis", pointer=f"{pointer}/legal_basis", found="", expected="a named legal basis"
        )


def _agreement(entry: Mapping[str, Any], partner: Partner) -> Agreement:
    transport = dict(entry["transport"])
    kind = transport.pop("kind")
    rest = {name: value for name, value in entry.items() if name not in {"partner", "transport"}}
    for name in ("documents", "may_lose", "may_leave"):
        rest[name] = tuple(rest[name])
    return Agreement(partner=partner, transport=Transport(kind, transport), **rest)


def _by_id(section: str, things: Iterable[Any], findings: list[Finding]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for index, thing in enumerate(things):
        if thing.id in known:
            findings.append(Finding("partners.doubled", pointer=f"/{section}/{index}/id", found=thing.id))
        known[thing.id] = thing
    return known


def _unknown(pointer: str, found: str, known: Mapping[str, Any]) -> Finding:
    return Finding("partners.unknown", pointer=pointer, found=found, expected=", ".join(sorted(known)) or "nothing yet")


def _other_environment(pointer: str, found: str, data: Mapping[str, Any]) -> Finding:
    return Finding("partners.environment", pointer=pointer, found=found, expected=data["environment"])
