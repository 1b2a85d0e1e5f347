"""Every error the gateway raises on purpose, sorted by what happens next, and the finding they are made of.

GatewayError
├── Rejected              what we were given is wrong: answer with all findings, never retry
│   ├── NotWellFormed     the bytes do not parse, or are larger or deeper than we read
│   ├── SchemaBroken      parses, but breaks a document schema or a partner's element table
│   ├── RuleBroken        a numbered business rule, a code list or a check digit says no
│   ├── WouldLose         a value has no home in the partner's message and no agreement lets it go
│   ├── NoRoute           no agreement takes this document
│   └── NotTrusted        unsigned, badly signed, revoked, wrong signer
├── NotFound              there is no such thing for this caller
├── Conflict              it collides with what is stored already
├── PartnerUnavailable    we know that it did not arrive: retry with growing waits
├── OutcomeUnknown        sent, no answer: ask for status, never resend blind
├── NeedsOperator         our key, our settings, our disk: park and page
└── IllegalMove           a lifecycle table does not know this step: a fault of ours

A finding has a stable code (one row in specs/findings/*.yaml, where its zh and en texts live), a place, what was found
against what was expected, and who says so. This module formats no text for people: gateway.texts does.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath
from typing import Any


class Severity(StrEnum):
    ERROR = "error"  # stops the document
    WARNING = "warning"  # is reported, stops nothing
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or worth saying.

    code: stable dotted name, e.g. ``document.code.unknown``; texts in specs/findings.
    pointer: JSON Pointer (RFC 6901) into our document, "" for the whole of it, None where no place of ours exists.
    partner_place: place in partner bytes, e.g. ``DecMessage/DecHead/IEFlag (line 4)``.
    found, expected: short values, already free of secrets; source: standard, edition, clause, or rule number.
    params: further values that the text of this code names. agreement: whose rules, form or law say so, where one document
    goes to several partners.
    """

    code: str
    pointer: str | None = None
    found: str | None = None
    expected: str | None = None
    source: str | None = None
    partner_place: str | None = None
    severity: Severity = Severity.ERROR
    params: Mapping[str, str] = field(default_factory=dict)
    agreement: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The machine-readable part: only members that are set. Texts are added by gateway.texts."""
        members = {
            "code": self.code,
            "severity": self.severity.value,
            "pointer": self.pointer,
            "partner_place": self.partner_place,
            "found": self.found,
            "expected": self.expected,
            "source": self.source,
            "agreement": self.agreement,
        }
        return {name: value for name, value in members.items() if value is not None}


class GatewayError(Exception):
    """Base of all. code: stable public name; findings: every fault of the thing at hand, at least one."""

    code = "gateway.internal"

    def __init__(self, detail: str, findings: Iterable[Finding] = (), *, code: str | None = None) -> None:
        super().__init__(detail)
        if code is not None:
            self.code = code
        self.detail = detail
        self.findings: tuple[Finding, ...] = tuple(findings) or (Finding(code=self.code, found=detail),)


class Rejected(GatewayError):
    code = "rejected"


class NotWellFormed(Rejected):
    code = "syntax.not_well_formed"


class SchemaBroken(Rejected):
    code = "document.schema"


class RuleBroken(Rejected):
    code = "document.rule"


class WouldLose(Rejected):
    code = "mapping.lost"


class NoRoute(Rejected):
    code = "route.none"


class NotTrusted(Rejected):
    code = "trust.refused"


class NotFound(GatewayError):
    code = "not_found"


class Conflict(GatewayError):
    code = "conflict"


class PartnerUnavailable(GatewayError):
    code = "partner.unavailable"


class OutcomeUnknown(GatewayError):
    code = "partner.outcome_unknown"


class NeedsOperator(GatewayError):
    code = "operator.needed"


class IllegalMove(GatewayError):
    code = "lifecycle.illegal_move"


def errors_only(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those findings that stop a document."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)


_DEEPEST = 12


def trace(problem: BaseException) -> str:
    """What happened unexpectedly and where, innermost first, for a log.

    Never what the exception says: its text may quote a payload or a secret.
    """
    frames = traceback.extract_tb(problem.__traceback__)[-_DEEPEST:]
    places = (f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return f"{type(problem).__name__} at {' < '.join(places)}"
