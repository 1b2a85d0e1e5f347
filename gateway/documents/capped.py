"""How many findings are told of one document, whoever found them, and how the reader learns that there are more."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.errors import Finding, Severity

MOST_FINDINGS = 500  # of one document: a list of a million wrong items is answered, not copied
MORE = "document.findings.more"
_ORDER = list(Severity)


def capped(findings: Sequence[Finding], *, complete: bool) -> list[Finding]:
    """The findings if they are few; else the worst, in the order given, then one that says that there are more.

    complete: these are all there are, so that they can be counted. Else nobody looked at the rest, and that is an error.
    """
    uncounted = [finding for finding in findings if finding.code == MORE]
    if len(findings) <= MOST_FINDINGS + len(uncounted):
        return list(findings)
    ordered = sorted((one for one in findings if one.code != MORE), key=lambda one: _ORDER.index(one.severity))
    told, left = ordered[:MOST_FINDINGS], ordered[MOST_FINDINGS:]
    counted = complete and not uncounted
    params = {"most": str(MOST_FINDINGS)} | ({"more": str(len(left))} if counted else {})
    severity = left[0].severity if counted else Severity.ERROR
    return [*told, Finding(MORE, "", severity=severity, params=params)]
