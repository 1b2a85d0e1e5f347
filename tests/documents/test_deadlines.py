"""Deadlines: how days are counted, checked against the calendar of 2026 by hand, and that every one resolves."""

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from gateway.documents import Documents, load
from gateway.errors import NeedsOperator, NotFound

BEIJING = dt.timezone(dt.timedelta(hours=8))


def at(*moment: int) -> dt.datetime:
    year, month, day, *clock = moment
    hour, minute, second = [*clock, 0, 0, 0][:3]
    return dt.datetime(year, month, day, hour, minute, second, tzinfo=BEIJING)


CASES = {
    # 8 May 2009 is a Friday; 14 days on is Friday 22 May: the example of the customs officers' textbook
    "a declaration is due 14 days after entry": ("cn.import.declaration", at(2009, 5, 8, 9), at(2009, 5, 22, 23, 59, 59)),
    # 14 days after 18 September is 2 October, in the National Day holidays, which end on the 7th
    "a last day in the holidays moves behind them": ("cn.import.declaration", at(2026, 9, 18, 9), at(2026, 10, 8, 23, 59, 59)),
    # 14 days after 26 September is Saturday 10 October, a day worked for the holidays
    "a Saturday that is worked is a working day": ("cn.import.declaration", at(2026, 9, 26, 9), at(2026, 10, 10, 23, 59, 59)),
    "duty is due 15 days after its notice": ("cn.duty.payment", at(2026, 3, 2, 16), at(2026, 3, 17, 23, 59, 59)),
    # February 2026: the fifth working day is Friday the 6th
    "collective duty is due on a fifth working day": ("cn.duty.collective_payment", at(2026, 1, 31, 8), at(2026, 2, 6, 23, 59, 59)),
    # October 2026: 8, 9, 10 (worked), 12, 13
    "the fifth working day skips holidays": ("cn.duty.collective_payment", at(2026, 9, 1, 8), at(2026, 10, 13, 23, 59, 59)),
    "a road manifest goes an hour before": ("cn.manifest.road.import", at(2026, 5, 1, 0, 30), at(2026, 4, 30, 23, 30)),
    "a rail manifest goes two hours before": ("cn.manifest.rail.import", at(2026, 5, 1, 12), at(2026, 5, 1, 10)),
    "papers are kept three years": ("cn.records.retention", at(2024, 2, 29, 12), at(2027, 3, 1, 23, 59, 59)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_counting(documents: Documents, case: str) -> None:
    name, start, expected = CASES[case]
    assert documents.due(name, start).at == expected


def test_every_deadline_resolves_today_and_says_who_says_so(documents: Documents) -> None:
    for name in documents.deadlines:
        due = documents.due(name, at(2026, 6, 15, 12))
        assert due.at.utcoffset() is not None
        assert due.basis.zh
        assert due.basis.en
        assert due.title.zh
        assert due.start_event.en


def test_a_start_elsewhere_is_counted_by_the_day_it_is_there(documents: Documents) -> None:
    ulaanbaatar_winter = dt.datetime(2026, 3, 2, 23, 30, tzinfo=dt.UTC)  # 3 March in Beijing
    assert documents.due("cn.duty.payment", ulaanbaatar_winter).at == at(2026, 3, 18, 23, 59, 59)


def test_the_law_of_the_day_counts(documents: Documents) -> None:
    old = documents.due("cn.duty.payment", at(2021, 3, 1, 12))
    new = documents.due("cn.duty.payment", at(2026, 3, 2, 12))
    assert old.basis != new.basis
    assert documents.due("cn.duty.payment", at(2026, 3, 2, 12), on=dt.date(2021, 1, 1)).basis == old.basis


def test_a_year_whose_holidays_are_not_known_is_not_certain(documents: Documents) -> None:
    assert documents.due("cn.import.declaration", at(2026, 3, 2, 12)).certain
    assert not documents.due("cn.import.declaration", at(2027, 3, 2, 12)).certain
    assert not documents.due("cn.import.declaration", at(2026, 12, 24, 12)).certain
    assert documents.due("cn.manifest.road.import", at(2031, 3, 2, 12)).certain


def test_what_cannot_be_counted_is_refused(documents: Documents) -> None:
    with pytest.raises(NotFound):
        documents.due("cn.nothing", at(2026, 1, 1))
    with pytest.raises(NotFound):
        documents.due("cn.duty.collective_payment", at(2001, 1, 1))
    with pytest.raises(ValueError, match="offset"):
        documents.due("cn.duty.payment", dt.datetime(2026, 1, 1))  # noqa: DTZ001


ENTRY = """deadlines:
  {name}:
    title: {{zh: 甲, en: a}}
    start_event: {{zh: 乙, en: b}}
    jurisdiction: CN
    zone: {zone}
    periods: [{{{period}, basis: {{zh: 丙, en: c}}}}]
{more}
"""


def written(
    tmp_path: Path, name: str = "x", period: str = "length: 1, unit: days", zone: str = '"+08:00"', more: str = ""
) -> Path:
    (tmp_path / "deadlines").mkdir(exist_ok=True)
    (tmp_path / "deadlines" / "ours.yaml").write_text(
        ENTRY.format(name=name, period=period, zone=zone, more=more), "utf-8"
    )
    return tmp_path


def test_an_operator_can_replace_a_deadline_and_bring_a_calendar(project_root: Path, tmp_path: Path) -> None:
    (tmp_path / "deadlines" / "calendars").mkdir(parents=True)
    written(tmp_path, "cn.duty.payment", "length: 2, unit: working_days, calendar: port")
    port = "{year: 2026, days_off: [2026-03-03], days_worked: []}"
    (tmp_path / "deadlines" / "calendars" / "port-2026.yaml").write_text(port)
    due = load(project_root / "specs", tmp_path).due("cn.duty.payment", at(2026, 3, 2, 12))
    assert due.at == at(2026, 3, 5, 23, 59, 59)
    assert due.certain


@pytest.mark.parametrize(
    "period",
    ["length: 0, unit: days", "length: 1, unit: moons", "length: 1, unit: days, calendar: ghost", "unit: days",
     "length: 1, unit: days, direction: sideways", "length: 1, unit: days, valid_from: soon", "length: 1, unit: days, extra: 1"],
)  # fmt: skip
def test_a_broken_deadline_is_told(project_root: Path, tmp_path: Path, period: str) -> None:
    with pytest.raises(NeedsOperator) as raised:
        load(project_root / "specs", written(tmp_path, period=period))
    assert {finding.code for finding in raised.value.findings} == {"specs.deadline.broken"}


RUNS = "    runs: {{{0}}}".format


@pytest.mark.parametrize(
    ("zone", "more"),
    [('"8"', ""), ("Asia/Atlantis", ""), ("8", ""), ('"+08:00"', "    offset: x"), ('"+08:00"', "clocks: {China: '+08:00'}"),
     ('"+08:00"', "clocks: {CN: Asia/Atlantis}"), ('"+08:00"', RUNS("track: duty, states: [due]")),
     ('"+08:00"', RUNS("track: duty, states: due, start: payment_required")),
     ('"+08:00"', RUNS("track: duty, states: [], start: payment_required")),
     ('"+08:00"', RUNS("track: duty, states: [due], phases: [], start: payment_required")),
     ('"+08:00"', RUNS("track: duty, states: [due], start: {}")), ('"+08:00"', RUNS("track: duty, states: [due], start: x, mover: a"))],
)  # fmt: skip
def test_a_zone_or_a_start_that_nobody_can_read_is_told(
    project_root: Path, tmp_path: Path, zone: str, more: str
) -> None:
    with pytest.raises(NeedsOperator) as raised:
        load(project_root / "specs", written(tmp_path, zone=zone, more=more))
    assert {finding.code for finding in raised.value.findings} == {"specs.deadline.broken"}


def test_a_named_zone_counts_hours_across_a_change_of_the_clock(project_root: Path, tmp_path: Path) -> None:
    try:
        ZoneInfo("Europe/Berlin")
    except ZoneInfoNotFoundError:
        pytest.skip("this machine has no zone database")
    library = load(project_root / "specs", written(tmp_path, period="length: 24, unit: hours", zone="Europe/Berlin"))
    due = library.due("x", dt.datetime(2026, 3, 28, 12, tzinfo=dt.UTC))
    assert due.at.isoformat() == "2026-03-29T14:00:00+02:00"


def test_a_place_has_the_clock_of_its_jurisdiction_or_the_one_that_is_named(project_root: Path, tmp_path: Path) -> None:
    ours = load(project_root / "specs")
    new_year = dt.datetime(2026, 12, 31, 20, tzinfo=dt.UTC)
    assert new_year.astimezone(ours.zone("CN")).date() == dt.date(2027, 1, 1)
    assert new_year.astimezone(ours.zone("-03:00")).date() == dt.date(2026, 12, 31)
    theirs = load(project_root / "specs", written(tmp_path, more='clocks: {KZ: "+05:00"}'))
    assert new_year.astimezone(theirs.zone("KZ")).hour == 1
    with pytest.raises(ValueError, match="no clock of KZ"):
        ours.zone("KZ")
