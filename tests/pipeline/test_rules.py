"""Small rules that stand alone: places, patterns of agreements, waiting, texts of findings, legal deadlines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway import documents
from gateway.documents.deadlines import Due
from gateway.errors import Finding, NeedsOperator, PartnerUnavailable, Rejected, RuleBroken, Severity
from gateway.lifecycle import Phase
from gateway.pipeline import places, waiting
from gateway.pipeline.attempts import SECOND_US, asked_wait_us
from gateway.pipeline.deadlines import DeadlineWatch, watched
from gateway.pipeline.submission import canonical_bytes
from gateway.pipeline.submit import _Stage
from gateway.ports import Alias
from tests.pipeline.small_house import House

DOCUMENT = {
    "goods_shipment": {
        "consignor": {"name": "A", "identifiers": [{"scheme": "AEO", "value": "1"}, {"scheme": "EORI", "value": "2"}]}
    }
}


@pytest.mark.parametrize(
    ("pointer", "pattern", "is_covered"),
    [
        ("/goods_shipment/consignor/name", "*", True),
        ("/goods_shipment/consignor/name", "goods_shipment", True),
        ("/goods_shipment/consignor/name", "goods_shipment.consignor.name", True),
        ("/goods_shipment/consignor/name", "goods_shipment.*.name", True),
        ("/goods_shipment/consignor/name", "goods_shipment.consignee", False),
        ("/goods_shipment/consignor/name", "goods_shipment.consignor.name.more", False),
        ("/goods_shipment/consignor/name", "", False),
        ("/goods_shipment/consignor/identifiers/0/value", "goods_shipment.consignor.identifiers", True),
        (
            "/goods_shipment/consignor/identifiers/0/value",
            "goods_shipment.consignor.identifiers[scheme=AEO].value",
            True,
        ),
        (
            "/goods_shipment/consignor/identifiers/1/value",
            "goods_shipment.consignor.identifiers[scheme=AEO].value",
            False,
        ),
        ("/goods_shipment/consignor/identifiers/1/value", "goods_shipment.consignor.identifiers[scheme=EORI]", True),
    ],
)
def test_a_pattern_covers_its_place_and_everything_below(pointer: str, pattern: str, is_covered: bool) -> None:
    assert places.covered(DOCUMENT, pointer, [pattern]) is is_covered


@pytest.mark.parametrize(
    ("step", "after_summary", "phase"),
    [
        ("single", False, Phase.SINGLE),
        ("", False, Phase.SINGLE),
        ("summary", False, Phase.SUMMARY),
        ("complete", True, Phase.FULL),
        ("two_step", False, Phase.SUMMARY),
        ("two_step", True, Phase.FULL),
    ],
)
def test_the_step_of_a_declaration_is_its_phase(step: str, after_summary: bool, phase: Phase) -> None:
    document = {"declaration_type": {"declaration_step": step}} if step else {}
    assert places.phase_of("declaration", document, after_summary=after_summary) is phase


def test_a_request_takes_from_its_declaration_what_it_does_not_say_itself() -> None:
    root = {"direction": "import", "declaration_office": {"id": "0601"}, "border_transport_means": {"mode_code": "4"}}
    facts = places.facts_of("declaration_amendment", "acme", {"declaration": {"direction": "export"}}, root)
    assert (facts.direction, facts.office, facts.mode) == ("export", "0601", "4")


def test_what_is_waited_for_is_read_as_it_was_written() -> None:
    wanted = [Alias("manifest", "M:1"), Alias("mrn", "24CN 1")]
    assert waiting.read(waiting.write(wanted)) == wanted


def test_places_of_the_pipeline_exist_in_the_documents(project_root: Path) -> None:
    library = documents.load(project_root / "specs", None)
    declared = set(library.leaves("declaration"))
    for pointer in (
        places.REFERENCE,
        places.STEP,
        "/declaration_office/id",
        "/border_transport_means/mode_code",
        "/regime",
    ):
        assert pointer[1:].replace("/", ".") in declared
    assert "goods_shipment.entry_date_time" in declared
    assert "declaration.entry_exit_date_time" in set(library.leaves("customs_response"))


def test_equal_documents_have_equal_bytes() -> None:
    assert canonical_bytes({"b": 1, "a": "é"}) == canonical_bytes({"a": "é", "b": 1}) == '{"a":"é","b":1}'.encode()


def sources(root: Path) -> Iterator[str]:
    for folder in ("pipeline", "transports"):
        for path in (root / "gateway" / folder).glob("*.py"):
            yield path.read_text(encoding="utf-8")


def test_every_finding_of_these_rooms_has_its_texts(project_root: Path) -> None:
    rows: dict[str, object] = {}
    for path in (project_root / "specs" / "findings").glob("*.yaml"):
        rows |= yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    pattern = re.compile(r'(?:Finding\(\s*|code=|_conflict\()"([a-z_]+\.[a-z_.]+)"')
    used = {code for source in sources(project_root) for code in pattern.findall(source)}
    assert used
    assert used - set(rows) == set()


class FourteenDays:
    """Counts fourteen days, whatever the law; what runs when is what comes with the gateway, or what a test writes."""

    def __init__(self, library: documents.Documents) -> None:
        self.deadlines = library.deadlines
        self.has_place = library.has_place

    def due(self, name: str, start: datetime, on: date | None = None) -> Due:
        text = documents.deadlines.Text("法", "law")
        return Due(name, start + timedelta(days=14), text, text, text, None, True)


@pytest.fixture
def counts(project_root: Path) -> FourteenDays:
    return FourteenDays(documents.load(project_root / "specs", None))


def test_a_deadline_is_told_once_shortly_before_it_ends(house: House, counts: FourteenDays) -> None:
    watch = DeadlineWatch(house.store, house.directory, counts, house.clock)
    accepted, message = house.file_and_send()
    house.answer(message, "payment_required", issued_us=house.clock())
    assert watch.run_once() == 0
    house.clock.forward(12 * 86_400)
    assert [watch.run_once(), watch.run_once()] == [1, 0]
    event = house.timeline(accepted.root_id)[-1]
    assert (event.type, event.data["deadline"], event.data["missed"]) == (
        "document:deadline:near",
        "cn.duty.payment",
        False,
    )
    assert event.data["enter"] == "duty_paid"
    house.answer(message, "duty_paid")
    _, paid = house.file_and_send()
    house.answer(paid, "duty_paid")
    assert watch.run_once() == 0


def test_the_complete_declaration_is_due_from_the_entry_of_the_conveyance(house: House, counts: FourteenDays) -> None:
    watch = DeadlineWatch(house.store, house.directory, counts, house.clock)
    step = {"declaration_type": {"declaration_step": "summary"}}
    entered = datetime.fromtimestamp(house.clock() / 1e6, UTC) - timedelta(days=15)
    accepted, message = house.file_and_send(goods_shipment={"entry_date_time": entered.date().isoformat()}, **step)
    _, silent = house.file_and_send(**step)
    for one in (message, silent):
        house.answer(one, "released")
    assert watch.run_once() == 1
    event = house.timeline(accepted.root_id)[-1]
    assert (event.data["deadline"], event.data["missed"]) == ("cn.two_step.complete", True)


def test_a_deadline_of_another_country_does_not_run_here(
    open_house: Callable[..., House], counts: FourteenDays
) -> None:
    def elsewhere(raw: dict[str, Any]) -> None:
        for row in (raw["partners"][0], *raw["tenants"]):
            row["jurisdiction"] = "KZ"

    house = open_house(change=elsewhere)
    _, message = house.file_and_send()
    house.answer(message, "payment_required", issued_us=house.clock())
    house.clock.forward(13 * 86_400)
    assert DeadlineWatch(house.store, house.directory, counts, house.clock).run_once() == 0


def test_no_deadline_runs_for_what_is_over(house: House, counts: FourteenDays) -> None:
    _, closed = house.file_and_send()
    house.answer(closed, "payment_required", issued_us=house.clock())
    house.answer(closed, "closed")
    house.clock.forward(13 * 86_400)
    assert DeadlineWatch(house.store, house.directory, counts, house.clock).run_once() == 0


def overlaid(project_root: Path, folder: Path, runs: str) -> documents.Documents:
    (folder / "deadlines").mkdir()
    text = f"""deadlines:
  port.papers:
    title: {{zh: 甲, en: a}}
    start_event: {{zh: 乙, en: b}}
    jurisdiction: CN
    zone: "+08:00"
    runs: {{{runs}}}
    periods: [{{length: 1, unit: days, basis: {{zh: 丙, en: c}}}}]
"""
    (folder / "deadlines" / "port.yaml").write_text(text, "utf-8")
    return documents.load(project_root / "specs", folder)


def test_an_operator_brings_a_deadline_without_a_release(house: House, project_root: Path, tmp_path: Path) -> None:
    library = overlaid(
        project_root, tmp_path, "track: declaration, states: [documents_required], start: documents_required"
    )
    watch = DeadlineWatch(house.store, house.directory, library, house.clock)
    accepted, message = house.file_and_send()
    house.answer(message, "documents_required", issued_us=house.clock())
    assert watch.run_once() == 1
    assert house.timeline(accepted.root_id)[-1].data["deadline"] == "port.papers"


@pytest.mark.parametrize(
    ("runs", "faults"),
    [
        ("track: dutty, states: [due], start: payment_required", 1),
        ("track: duty, states: [due, released], start: payment_required", 1),
        ("track: duty, states: [due], phases: [sumary], start: payment_demanded", 2),
        ("track: duty, states: [due], start: {declaration: /goods_shipment/entered, letter: /x}", 2),
    ],
)
def test_a_deadline_that_the_lifecycle_cannot_run_is_refused(
    project_root: Path, tmp_path: Path, runs: str, faults: int
) -> None:
    with pytest.raises(NeedsOperator) as refusal:
        watched(overlaid(project_root, tmp_path, runs))
    assert [finding.code for finding in refusal.value.findings] == ["specs.deadline.broken"] * faults


CODE = Finding("document.code.unknown", "/goods_shipment/trading_country_code", "XX")
COUNT = Finding("document.rule.item_count", "/goods_item_quantity/value", "3", "1")


@pytest.mark.parametrize(
    ("first", "later", "told"),
    [
        (CODE, Finding("mapping.value", CODE.pointer, "XX", "a country code"), False),
        (replace(CODE, severity=Severity.WARNING), Finding("mapping.value", CODE.pointer, "XX"), True),
        (CODE, Finding("mapping.value", "/goods_shipment/buyer/country_code", "XX"), True),
        (COUNT, Finding("partner.items.count", COUNT.pointer, "3", "2"), True),
        (Finding("document.refused"), Finding("mapping.value", None, "XX"), True),
    ],
)
def test_that_a_value_cannot_be_written_is_not_told_where_it_is_wrong_already(
    first: Finding, later: Finding, told: bool
) -> None:
    stage = _Stage()
    stage.add([first], Rejected, "document.refused")
    stage.add([later], RuleBroken, "mapping.value")
    assert (later in stage.findings) is told


def test_what_another_partner_says_of_the_place_is_told_too(house: House) -> None:
    later = Finding("mapping.value", CODE.pointer, "XX", "a country code")
    first, second = (
        replace(each, id=name) for name, each in zip("ab", [*house.directory.agreements.values()] * 2, strict=False)
    )
    stage = _Stage()
    stage.add([later], RuleBroken, agreement=first)
    stage.add([later], RuleBroken, agreement=second)
    assert [finding.agreement for finding in stage.findings] == ["a", "b"]
    stage.add([later], RuleBroken, agreement=second)
    assert len(stage.findings) == 2


@pytest.mark.parametrize(("asked", "seconds"), [("120", 120), ("٣٠", 0), ("３０", 0), ("+1", 0), ("1_0", 0), ("", 0)])
def test_a_partner_asks_for_a_wait_in_plain_digits(asked: str, seconds: int) -> None:
    problem = PartnerUnavailable("later", [Finding("partner.http", params={"retry_after_s": asked})])
    assert asked_wait_us(problem) == seconds * SECOND_US
