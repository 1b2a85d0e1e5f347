"""Findings: few are told as they are; of many the worst, and then how many more."""

from gateway.documents.capped import MORE, MOST_FINDINGS, capped
from gateway.errors import Finding, Severity

WARNINGS = [Finding("doubtful", pointer=f"/{n}", severity=Severity.WARNING) for n in range(MOST_FINDINGS)]
ERROR = Finding("wrong", pointer="/last")


def test_few_are_told_in_the_order_given() -> None:
    assert capped(WARNINGS, complete=True) == WARNINGS
    assert capped([*WARNINGS[1:], ERROR], complete=True) == [*WARNINGS[1:], ERROR]


def test_of_many_errors_are_told_first_and_the_rest_is_counted() -> None:
    told = capped([*WARNINGS, ERROR, ERROR], complete=True)
    assert told[:3] == [ERROR, ERROR, WARNINGS[0]]
    assert (len(told), told[-1].code, told[-1].params["more"]) == (MOST_FINDINGS + 1, MORE, "2")
    assert told[-1].severity is Severity.WARNING


def test_what_nobody_looked_at_is_an_error_and_not_counted_later_either() -> None:
    first = capped([*WARNINGS, WARNINGS[0]], complete=False)
    again = capped([*first, *WARNINGS], complete=True)
    for told in (first, again):
        assert [(one.severity, "more" in one.params) for one in told if one.code == MORE] == [(Severity.ERROR, False)]
        assert len(told) == MOST_FINDINGS + 1
