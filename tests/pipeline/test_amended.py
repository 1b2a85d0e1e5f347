"""An amendment's old value is held against what was last declared."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import Finding, Rejected, Severity
from tests.pipeline.small_house import House

MASS = "/total_gross_mass/value"


def declared(house: House) -> Any:
    return house.file_and_send(
        total_gross_mass={"value": "61240", "unit_code": "KGM"}, remarks="one  two", mode_code="3"
    )


def told(house: House, root_id: str, *changes: dict[str, str]) -> list[Finding]:
    """What an amendment is told, refused or not; it is not kept."""
    asked = house.submission("declaration_amendment", root_id, changes=list(changes))
    try:
        return list(house.submitter.prepare(asked).warnings)
    except Rejected as refusal:
        return list(refusal.findings)


def change(pointer: str, old: str, new: str = "7") -> dict[str, str]:
    return {"pointer": pointer, "old_value": old, "new_value": new}


def test_an_old_value_that_was_never_declared_is_refused_with_the_one_that_was(house: House) -> None:
    accepted, _ = declared(house)
    (found,) = told(house, accepted.root_id, change("/remarks", "one two"), change(MASS, "61180"))
    assert (found.code, found.severity) == ("amendment.old_value", Severity.ERROR)
    assert (found.pointer, found.found, found.expected) == ("/changes/1/old_value", "61180", "61240")


@pytest.mark.parametrize("old", ["61240", "61240.00", " 61240 "])
def test_a_number_is_compared_as_a_number(house: House, old: str) -> None:
    accepted, _ = declared(house)
    assert told(house, accepted.root_id, change(MASS, old)) == []


def test_what_was_never_declared_had_no_value_before(house: House) -> None:
    accepted, _ = declared(house)
    (found,) = told(house, accepted.root_id, change("/seal", "A1"))
    assert (found.severity, found.expected) == (Severity.ERROR, "nothing")


def test_of_a_group_and_of_a_change_without_old_value_nothing_is_said(house: House) -> None:
    accepted, _ = declared(house)
    assert (
        told(house, accepted.root_id, change("/total_gross_mass", "61180"), {"pointer": MASS, "new_value": "1"}) == []
    )


def test_a_draft_may_have_been_finished_by_its_card_holder_so_it_is_a_warning(house: House) -> None:
    accepted, message = declared(house)
    house.answer(message, "received")
    (found,) = told(house, accepted.root_id, change(MASS, "61180"))
    assert found.severity is Severity.WARNING


def test_a_code_may_be_the_one_of_the_partners_form_so_it_is_a_warning(house: House) -> None:
    accepted, _ = declared(house)
    (found,) = told(house, accepted.root_id, change("/mode_code", "4"))
    assert found.severity is Severity.WARNING


def test_the_value_that_an_amendment_put_there_is_the_one_that_was_last_declared(house: House) -> None:
    accepted, _ = declared(house)
    first = house.file("declaration_amendment", accepted.root_id, changes=[change(MASS, "61240", "61180")])
    house.run()
    house.answer(house.message(first.message_ids[0]), "request_granted")
    assert told(house, accepted.root_id, change(MASS, "61180.0")) == []
    (found,) = told(house, accepted.root_id, change(MASS, "5"))
    assert (found.severity, found.expected) == (Severity.WARNING, "61180")


def test_a_refused_amendment_has_changed_nothing(house: House) -> None:
    accepted, _ = declared(house)
    first = house.file("declaration_amendment", accepted.root_id, changes=[change(MASS, "61240", "61180")])
    house.run()
    house.answer(house.message(first.message_ids[0]), "request_refused")
    (found,) = told(house, accepted.root_id, change(MASS, "61180"))
    assert (found.severity, found.expected) == (Severity.ERROR, "61240")
