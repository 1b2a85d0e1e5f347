"""What an adapter says of itself: manifest.yaml, checked whole.

A manifest holds facts only, and every fault of one is a finding with its JSON Pointer into the file; a manifest with a
fault is not used at all. docs/generated/manifest.md is made from FIELDS, which says what each member is for.

Members that people fill in per agreement are declared as parameters: name -> type, whether it must be there, its default
and what it means, in both languages (gateway.catalogue.parameters).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from gateway.catalogue.parameters import TYPES, Parameter, fault_of
from gateway.errors import Finding, NeedsOperator

FILE = "manifest.yaml"
ADAPTER_ID = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
KIND = validate.Regexp(r"^[a-z][a-z_]*$", error="a document kind is written in a-z and _")
DIRECTIONS = ("in", "out", "both")
STATUSES = ("production", "test", "simulated", "experimental", "retired")
ORDERS = ("table", "any")
# What the gateway can do to a document on its way out; a manifest that wants more is refused, not half obeyed.
STEPS = ("encode", "check", "sign")

# Every member of a manifest and what it is for; a test proves that none is missing here.
FIELDS: dict[str, str] = {
    "id": "the name of the folder",
    "title": "what people call it, `en` and `zh`",
    "standard": "folder of specs/ that holds the element tables",
    "versions": "versions of the standard that it reads and writes",
    "direction": "`in`, `out` or `both`, seen from the gateway",
    "documents": "canonical kinds: `files` are sent to the partner, `understands` are read from it",
    "messages": "partner messages: `name`, `version`, `direction`, `schema` (path of the element table)",
    "steps": "what happens to a document on its way out, in order: `encode`, `check` against the table, each `sign`",
    "transports": "kinds of transport an agreement may choose",
    "transport_settings": "per kind of transport, what holds where the agreement says nothing: how this partner names its files ...",
    "signing": "signature profiles an agreement may choose beside `none`, which each may; empty when nothing is signed",
    "receipts": "`asynchronous`: whether the partner confirms later, in a message of its own",
    "parameters": "what an agreement must or may say: `type`, `required`, `default`, `one_of`, `pattern`, `en`, `zh`",
    "roundtrip": "`empty_means_absent`; `order`: `table`, or `any` where the partner accepts any",
    "standards": "the texts it follows: `title`, `edition`",
    "owner": "who looks after it",
    "status": "one of " + ", ".join(STATUSES),
}


@dataclass(frozen=True, slots=True)
class Message:
    """One partner message. schema: path of its element table, seen from the folder above specs."""

    name: str
    version: str
    direction: str
    schema: str


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """What a round trip may change beyond the core's closed list, because the partner means nothing by it."""

    empty_means_absent: bool = False
    order: str = "table"


@dataclass(frozen=True, slots=True)
class Standard:
    title: str
    edition: str


@dataclass(frozen=True, slots=True)
class Manifest:
    id: str
    title: Mapping[str, str]
    standard: str
    versions: tuple[str, ...]
    direction: str
    files: tuple[str, ...]
    understands: tuple[str, ...]
    messages: tuple[Message, ...]
    steps: tuple[str, ...]
    transports: tuple[str, ...]
    transport_settings: Mapping[str, Mapping[str, Any]]
    signing: tuple[str, ...]
    receipts: Mapping[str, Any]
    parameters: Mapping[str, Parameter]
    roundtrip: RoundTrip
    standards: tuple[Standard, ...]
    owner: str
    status: str

    @property
    def defaults(self) -> dict[str, Any]:
        """Parameters for work without an agreement: every default, and an empty text for a required one without."""
        return {
            name: "" if parameter.default is None and parameter.type == "text" else parameter.default
            for name, parameter in self.parameters.items()
            if parameter.default is not None or parameter.required
        }

    def as_dict(self) -> dict[str, Any]:
        """What lists print: small facts, no parameters."""
        return {
            "id": self.id,
            "title": dict(self.title),
            "standard": self.standard,
            "versions": list(self.versions),
            "direction": self.direction,
            "files": list(self.files),
            "understands": list(self.understands),
            "messages": [message.name for message in self.messages],
            "transports": list(self.transports),
            "signing": list(self.signing),
            "asynchronous": bool(self.receipts.get("asynchronous", False)),
            "owner": self.owner,
            "status": self.status,
        }


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class _TitleSchema(_Strict):
    en = fields.Str(required=True, validate=validate.Length(min=1))
    zh = fields.Str(required=True, validate=validate.Length(min=1))


class _DocumentsSchema(_Strict):
    files = fields.List(fields.Str(validate=KIND), load_default=list)
    understands = fields.List(fields.Str(validate=KIND), load_default=list)


class _MessageSchema(_Strict):
    name = fields.Str(required=True)
    version = fields.Str(required=True)
    direction = fields.Str(required=True, validate=validate.OneOf(DIRECTIONS))
    schema = fields.Str(
        required=True,
        validate=validate.Regexp(r"^specs/[^/]+/[^/]+\.csv$", error="use specs/<standard>/<message>.csv"),
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Message:
        return Message(**data)


class _ParameterSchema(_Strict):
    type = fields.Str(required=True, validate=validate.OneOf(list(TYPES)))
    required = fields.Bool(load_default=False)
    default = fields.Raw(load_default=None, allow_none=True)
    one_of = fields.List(fields.Str(), load_default=list)
    pattern = fields.Str(load_default="")
    en = fields.Str(required=True, validate=validate.Length(min=1))
    zh = fields.Str(required=True, validate=validate.Length(min=1))


class _ReceiptsSchema(Schema):
    class Meta:
        unknown = "include"  # a transport's own words about receipts; only this one is everybody's

    asynchronous = fields.Bool(required=True)


class _RoundTripSchema(_Strict):
    empty_means_absent = fields.Bool(load_default=False)
    order = fields.Str(load_default="table", validate=validate.OneOf(ORDERS))

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> RoundTrip:
        return RoundTrip(**data)


class _StandardSchema(_Strict):
    title = fields.Str(required=True)
    edition = fields.Str(required=True)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Standard:
        return Standard(**data)


class ManifestSchema(_Strict):
    id = fields.Str(required=True, validate=validate.Regexp(ADAPTER_ID, error="use a-z, 0-9 and single _"))
    title = fields.Nested(_TitleSchema, required=True)
    standard = fields.Str(required=True)
    versions = fields.List(fields.Str(), required=True, validate=validate.Length(min=1))
    direction = fields.Str(required=True, validate=validate.OneOf(DIRECTIONS))
    documents = fields.Nested(_DocumentsSchema, required=True)
    messages = fields.List(fields.Nested(_MessageSchema), required=True, validate=validate.Length(min=1))
    steps = fields.List(fields.Str(validate=validate.OneOf(STEPS)), required=True, validate=validate.Length(min=1))
    transports = fields.List(fields.Str(), required=True, validate=validate.Length(min=1))
    transport_settings = fields.Dict(
        keys=fields.Str(), values=fields.Dict(keys=fields.Str(), values=fields.Raw()), load_default=dict
    )
    signing = fields.List(fields.Str(), load_default=list)
    receipts = fields.Nested(_ReceiptsSchema, required=True)
    parameters = fields.Dict(keys=fields.Str(), values=fields.Nested(_ParameterSchema), load_default=dict)
    roundtrip = fields.Nested(_RoundTripSchema, load_default=RoundTrip)
    standards = fields.List(fields.Nested(_StandardSchema), required=True, validate=validate.Length(min=1))
    owner = fields.Str(required=True, validate=validate.Length(min=1))
    status = fields.Str(required=True, validate=validate.OneOf(STATUSES))


def load(folder: Path) -> Manifest:
    """The manifest of an adapter folder. NeedsOperator carries every fault with its place in the file."""
    path = folder / FILE
    try:
        raw = read_yaml(path)
    except OSError as problem:
        raise _unreadable(folder.name, problem.strerror or "cannot be read") from problem
    except yaml.YAMLError as problem:
        raise _unreadable(folder.name, " ".join(str(problem).split())) from problem
    return parse(raw, folder.name)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file, read by libyaml where it is there: ten times as fast, and there may be a hundred files."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - both are the safe loader


def parse(raw: Any, folder_name: str) -> Manifest:
    """Check what a manifest says. NeedsOperator carries every fault."""
    findings: list[Finding] = []
    data: dict[str, Any] = {}
    try:
        data = ManifestSchema().load(raw if isinstance(raw, Mapping) else {})
    except ValidationError as problem:
        findings += list(_shape_findings(problem.messages, "", folder_name))
        valid = problem.valid_data
        data = valid if isinstance(valid, dict) else {}
    findings += _sense_findings(data, folder_name)
    if findings:
        raise NeedsOperator(f"the manifest of {folder_name} is wrong", findings, code="catalogue.manifest")
    documents = data.pop("documents")
    parameters = {
        name: Parameter(name, **(about | {"one_of": tuple(about["one_of"])}))
        for name, about in data.pop("parameters").items()
    }
    rest: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    return Manifest(
        files=tuple(documents["files"]),
        understands=tuple(documents["understands"]),
        parameters=parameters,
        **rest,
    )


def _sense_findings(data: Mapping[str, Any], folder_name: str) -> Iterable[Finding]:
    """What one member says of another; looks only at members that have the right shape."""
    name = data.get("id")
    if name is not None and name != folder_name:
        yield _fault(folder_name, "/id", name, f"the folder's name, {folder_name}")
    yield from _step_findings(data.get("steps") or (), data.get("signing") or (), folder_name)
    allowed = data.get("transports") or ()
    for kind in data.get("transport_settings") or {}:
        if kind not in allowed:
            yield _fault(folder_name, f"/transport_settings/{kind}", kind, ", ".join(allowed))
    documents = data.get("documents")
    if isinstance(documents, Mapping) and not documents.get("files") and not documents.get("understands"):
        yield _fault(folder_name, "/documents", "nothing", "a kind under files or understands")
    for parameter, about in (data.get("parameters") or {}).items():
        if not isinstance(about, Mapping) or about.get("default") is None or about.get("type") not in TYPES:
            continue
        checked = Parameter(parameter, about["type"], False, None, "", "", tuple(about.get("one_of", ())))
        fault = fault_of(checked, about["default"])
        if fault:
            yield _fault(folder_name, f"/parameters/{parameter}/default", str(about["default"])[:40], fault)


def _step_findings(steps: Sequence[str], signing: Sequence[str], folder_name: str) -> Iterable[Finding]:
    if steps and steps[0] != "encode":
        yield _fault(folder_name, "/steps/0", steps[0], "encode")
    elif list(steps) != sorted(steps, key=STEPS.index) or steps.count("encode") > 1:
        yield _fault(folder_name, "/steps", ", ".join(steps), f"each in the order {', '.join(STEPS)}")
    elif steps and ("sign" in steps) != bool(signing):
        yield _fault(folder_name, "/steps", ", ".join(steps), "sign exactly where signing names a profile")


def _shape_findings(messages: Any, pointer: str, folder_name: str) -> Iterable[Finding]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            step = "" if key in ("_schema", "value") else f"/{key}"
            yield from _shape_findings(inner, pointer + step, folder_name)
        return
    for text in messages if isinstance(messages, list) else [messages]:
        yield _fault(folder_name, pointer, None, str(text))


def _fault(folder_name: str, pointer: str, found: str | None, expected: str) -> Finding:
    return Finding("catalogue.manifest", pointer, found, expected, params={"adapter": folder_name})


def _unreadable(folder_name: str, why: str) -> NeedsOperator:
    finding = Finding("catalogue.manifest.unreadable", found=why, expected=FILE, params={"adapter": folder_name})
    return NeedsOperator(f"the manifest of {folder_name} cannot be read", [finding], code=finding.code)
