"""The slow model gives the answer of the document to every row of the table of faults: it may judge the ledger only where it does."""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from harness.servers import SOURCE

sys.path.insert(0, str(SOURCE / "tests"))

from oracle import faults, protocol  # noqa: E402
from oracle.amounts import ESTIMATED, MEASURED, QUARTER_MS, UNKNOWN, balance, total, versions  # noqa: E402
from oracle.faults import BY_ROW, CASES, DAY, DAY_MS, EXCEPTIONS, Case, at, ms, span, wh  # noqa: E402
from oracle.ledger import Meter  # noqa: E402


def meter_of(case: Case, readings: list[tuple[int, int]] | None = None) -> Meter:
    return Meter(case.meter(), case.readings() if readings is None else readings)


def day_of(meter: Meter):
    return meter.quarters(DAY, DAY + DAY_MS)


def starts(quarters, quality: str) -> list[int]:
    return [quarter.start_ms for quarter in quarters if quarter.quality == quality]


def hour_of(meter: Meter, hour: int) -> int:
    return total(meter.quarters(ms(hour * 60), ms(hour * 60 + 60))).amount


def check(case: Case, meter: Meter) -> None:
    quarters = day_of(meter)
    day = total(quarters)
    assert len(quarters) == 96
    assert day.amount == (None if case.amount is None else wh(case.amount))
    assert day.known == wh(case.known if case.amount is None else case.amount)
    assert day.unknown_s == len(case.unknown) * 900
    assert starts(quarters, ESTIMATED) == case.estimated
    assert starts(quarters, UNKNOWN) == case.unknown
    assert len(starts(quarters, MEASURED)) == 96 - len(case.estimated) - len(case.unknown)
    assert all((quarter.amount is None) == (quarter.quality == UNKNOWN) for quarter in quarters)
    assert Counter(event.kind for event in meter.events) == case.events
    spans = [(event.from_ms, event.until_ms) for event in meter.events if event.kind in EXCEPTIONS]
    assert spans == ([] if case.exception is None else [tuple(ms(minute) for minute in case.exception)])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.row)
def test_a_row_has_the_documents_answer(case):
    check(case, meter_of(case))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.row)
def test_the_order_of_arrival_changes_no_answer(case):
    check(case, meter_of(case, case.readings()[::-1]))


def test_row_3_the_gap_is_spread_evenly():
    quarters = [quarter for quarter in day_of(meter_of(BY_ROW["3"])) if quarter.quality == ESTIMATED]
    assert len(quarters) == 25 and {quarter.amount for quarter in quarters} == {wh(10)}


def test_row_5b_logged_a_week_later_only_the_one_quarter_gets_a_version():
    as_7, as_5 = meter_of(BY_ROW["7"]), meter_of(BY_ROW["5"])
    written = versions([as_7, as_5], DAY, DAY + DAY_MS)
    assert [start for start, rows in written.items() if len(rows) == 2] == span("10:00", "10:15")
    before, after = written[ms(at("10:00"))]
    assert (before.amount, before.quality) == (None, UNKNOWN)
    assert (after.amount, after.quality) == (wh(10), MEASURED)
    assert total(rows[-1] for rows in written.values()).amount == wh(960)


def test_row_12_nothing_is_negative_and_nothing_an_outlier():
    meter = meter_of(BY_ROW["12"])
    assert all(quarter.amount == wh(10) for quarter in day_of(meter) if quarter.amount is not None)
    assert "outlier" not in {event.kind for event in meter.events}


def test_row_14_the_hours():
    meter = meter_of(BY_ROW["14"])
    assert (hour_of(meter, 7), hour_of(meter, 8)) == (22_500, 87_500)


def test_row_15_late_readings_write_a_second_version_only_where_something_changed():
    before, missing, rest = faults.batches_15()
    segments = BY_ROW["1"].meter()
    states = [Meter(segments, before), Meter(segments, before + missing), Meter(segments, before + missing + rest)]
    until_20 = states[0].quarters(DAY, ms(at("20:00")))
    assert starts(until_20, ESTIMATED) == span(*faults.GAP_3) and total(until_20).amount == wh(800)
    written = versions(states, DAY, DAY + DAY_MS)
    assert [start for start, rows in written.items() if len(rows) == 2] == span(*faults.GAP_3)
    assert max(len(rows) for rows in written.values()) == 2
    assert {row.quality for start in span(*faults.GAP_3) for row in written[start][:1]} == {ESTIMATED}
    last = [rows[-1] for rows in written.values()]
    assert total(last).amount == wh(960) and len(starts(last, MEASURED)) == 96


def test_row_17_the_balance_gap_is_partly_estimated():
    parent, child = meter_of(faults.PARENT_17), meter_of(faults.CHILD_17)
    check(faults.PARENT_17, parent)
    check(faults.CHILD_17, child)
    gap = balance(day_of(parent), [day_of(child)])
    assert total(gap).amount == wh(360) and starts(gap, ESTIMATED) == span(*faults.GAP_3)
    missing = balance(day_of(parent), [day_of(meter_of(BY_ROW["16"]))])
    assert total(missing).amount is None and total(missing).known == 0 and total(missing).unknown_s == 6 * 3600


def test_row_20_and_21_never_measure_nothing():
    for row in ("20", "21"):
        assert {quarter.amount for quarter in day_of(meter_of(BY_ROW[row]))} == {wh(10)}


def test_row_28_more_than_one_wrap_is_unknown():
    meter = meter_of(faults.ROW_28)
    since, until = faults.GAP_28
    assert [(event.kind, event.from_ms, event.until_ms) for event in meter.events if event.kind in EXCEPTIONS] == [("open_exception", since, until)]
    assert {quarter.quality for quarter in meter.quarters(since, until)} == {UNKNOWN}
    assert total(meter.quarters(DAY, since)).amount == wh(180)
    assert total(meter.quarters(until, until + 8 * QUARTER_MS)).amount == wh(180)


def test_row_29_a_reading_of_next_year_does_not_reach_the_ledger():
    received = faults.row_29()
    readings = faults.in_time(received)
    assert len(readings) == len(received) - 1
    check(BY_ROW["1"], meter_of(BY_ROW["1"], readings))


def exceptions_of(readings) -> list[tuple[int, int]]:
    return [(event.from_ms, event.until_ms) for event in Meter([faults.segment()], readings).events if event.kind in EXCEPTIONS]


def test_the_other_vectors():
    (since, until), = exceptions_of(faults.daily(24, 72, 144, 96, 216))
    assert since <= DAY + 2 * DAY_MS and until == DAY + 3 * DAY_MS, "144 to 96"
    assert exceptions_of(faults.daily(1, 2, 8, 10, 0, 4)) == [(DAY + 3 * DAY_MS, DAY + 4 * DAY_MS)], "10 to 0"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.row)
def test_the_text_carries_a_history_whole(case):
    history = protocol.History(case.meter(), case.readings(), 1_200_000, DAY, DAY + DAY_MS)
    assert list(protocol.read(protocol.written(history).splitlines())) == [history]
    lines = protocol.answer(history).splitlines()
    assert len([line for line in lines if line.startswith("quarter ")]) == 96 and lines[-1] == "end"
    assert len([line for line in lines if line.endswith(" - unknown")]) == len(case.unknown)


@pytest.mark.parametrize("phase", [0, 7])
def test_row_22_wherever_in_the_quarter_the_concentrator_refreshes(phase):
    case = Case("22", "", {t + phase: kwh for t, kwh in BY_ROW["22"].sequence.items()}, 960, events={"frozen": 98})
    check(case, meter_of(case))
