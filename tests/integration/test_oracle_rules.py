"""Rules 1 to 5 of the ledger at their edges, where the table of faults does not reach: small histories with the answers typed from the rules.

A feeder of 40 kW on a register of 0.01 kWh, max_rate 100 kW: in 15 min L is 30.02 kWh.
"""

from __future__ import annotations

import sys

import pytest
from harness.servers import SOURCE

sys.path.insert(0, str(SOURCE / "tests"))

from oracle.amounts import ESTIMATED, MANUAL, MEASURED, UNKNOWN, total  # noqa: E402
from oracle.decisions import Decisions, Replaced, Stated  # noqa: E402
from oracle.faults import BASE, DAY, at, constant, feeder, ms, segment, wh  # noqa: E402
from oracle.ledger import Event, Meter  # noqa: E402
from oracle.register import Segment  # noqa: E402

HOUR = 60
DAYS = 24 * HOUR


def meter_of(sequence, segments=None, **kinds) -> Meter:
    readings = [(ms(minute), int(kwh * 1000) // 10 * 10) for minute, kwh in sequence.items()]
    return Meter(segments or [segment(**kinds)], readings)


def events(meter: Meter) -> list[tuple]:
    """With minutes of the day."""
    def minute(t):
        return None if t is None else (t - DAY) // 60_000
    return [(event.kind, minute(event.from_ms), minute(event.until_ms)) for event in meter.events]


def known_kwh(meter: Meter, since: int, until: int) -> float | None:
    amount = total(meter.quarters(ms(since), ms(until))).amount
    return None if amount is None else amount / 1000


def qualities(meter: Meter, since: int, until: int) -> set[str]:
    return {quarter.quality for quarter in meter.quarters(ms(since), ms(until))}


def with_readings(sequence, change):
    return {**sequence, **change}


def days(number: int, used=constant(40), every: int = 15):
    return feeder(used, times=range(0, number * DAYS + 1, every))


# Rule 1.

@pytest.mark.parametrize(("modulus_kwh", "count_wh", "is_refused"),
                         [(1_000_000, -10, True), (1_000_000, 10**9, True), (1_000_000, 10**9 - 1, False), (None, -10, False),
                          (None, 10**15, False), (None, 10**15 + 1, True), (None, -10**15 - 1, True)])
def test_a_count_outside_of_its_register_is_refused(modulus_kwh, count_wh, is_refused):
    meter = Meter([segment(modulus_kwh=modulus_kwh)], [(DAY, count_wh)])
    assert meter.events == ([Event("quarantined", DAY, DAY)] if is_refused else [])


# Rule 2.

@pytest.mark.parametrize("logged", ["09:40", "10:06", "10:29"])
def test_a_replacement_logged_up_to_30_minutes_off_invents_and_loses_nothing(logged):
    """The meters changed places at 10:06 with 100 404.00 and 12 000.00; the log says another time."""
    sequence = {t: kwh if t < at("10:06") else 12_000 + constant(40)(t - at("10:06")) for t, kwh in BASE.items()}
    old = segment(until_ms=ms(at(logged)), end=wh(100_404))
    new = Segment(ms(at(logged)), start=wh(12_000), resolution=10, max_rate=wh(100))
    meter = meter_of(sequence, [old, new])
    assert events(meter) == []
    assert known_kwh(meter, 0, DAYS) == 960 and qualities(meter, 0, DAYS) == {MEASURED}


def joined(end: int, start: int, modulus: int | None = None) -> list[Segment]:
    """Two segments that meet at 10:00 with these registers (kWh)."""
    return [segment(until_ms=ms(600), end=wh(end), modulus_kwh=modulus),
            Segment(ms(600), start=wh(start), resolution=10, max_rate=wh(100), modulus=modulus and wh(modulus))]


@pytest.mark.parametrize(("before_kwh", "after_kwh", "is_plausible"), [(30, 30, True), (30, 31, False), (0, 60, True), (61, 0, False)])
def test_across_a_replacement_the_limit_holds_for_the_sum_of_both_parts(before_kwh, after_kwh, is_plausible):
    """09:45 to 10:15: L is 60.02 kWh."""
    meter = meter_of({at("09:45"): 500 - before_kwh, at("10:15"): 200 + after_kwh}, joined(500, 200))
    assert [event.kind for event in meter.events] == ([] if is_plausible else ["held"])
    assert known_kwh(meter, at("09:45"), at("10:15")) == (before_kwh + after_kwh if is_plausible else None)


def test_each_part_of_a_step_across_a_replacement_has_its_own_ratio():
    """10 counts x 2, then 5 x 3, spread over the half hour."""
    segments = [segment(until_ms=ms(600), end=wh(500), p=2), Segment(ms(600), start=wh(500), resolution=10, max_rate=wh(100), p=3)]
    meter = meter_of({at("09:45"): 490, at("10:15"): 505}, segments)
    assert [quarter.amount for quarter in meter.quarters(ms(at("09:45")), ms(at("10:15")))] == [17_500, 17_500]


def test_a_wrap_across_a_replacement_is_held_until_it_is_confirmed():
    sequence = {at("09:45"): 999_995, at("10:15"): 205}
    assert events(meter_of(sequence, joined(5, 200, modulus=1_000_000))) == [("held", at("09:45"), at("10:15"))]
    meter = meter_of({**sequence, at("10:30"): 210}, joined(5, 200, modulus=1_000_000))
    assert events(meter) == [] and known_kwh(meter, at("09:45"), at("10:30")) == 20


def test_a_chain_goes_on_across_a_replacement():
    """An unknown meter answers from 09:00 on; at 10:00 it is replaced, logged."""
    sequence = {at("08:45"): 900, at("09:00"): 495, at("09:45"): 500, at("10:15"): 200, at("10:30"): 210}
    assert events(meter_of(sequence, joined(500, 200))) == [("open_exception", at("08:45"), at("09:00"))]


def test_a_segment_without_end_register_ends_at_its_last_reading():
    sequence = {t: kwh if t < at("10:06") else 12_000 + constant(40)(t - at("10:06")) for t, kwh in BASE.items()}
    old = segment(until_ms=ms(at("10:06")))
    new = Segment(ms(at("10:06")), resolution=10, max_rate=wh(100))
    meter = meter_of(sequence, [old, new])
    assert events(meter) == [("open_exception", at("10:00"), at("10:15"))]
    assert total(meter.quarters(DAY, ms(DAYS))).known == wh(950)


def test_u_is_rounded_down_from_the_segments_start_never_per_difference():
    """CT x PT = 1000/3: after 1, 2, 3 counts U is 333, 666, 1000."""
    part = Segment(DAY, start=500, resolution=1, max_rate=10**6, p=1000, q=3)
    meter = Meter([part], [(ms(15 * i), 500 + i) for i in range(4)])
    assert [quarter.amount for quarter in meter.quarters(DAY, ms(45))] == [333, 333, 334]


def test_an_interpolated_boundary_is_rounded_down():
    meter = Meter([segment(resolution_wh=1)], [(ms(10), 100), (ms(25), 110), (ms(40), 120)])
    assert [quarter.amount for quarter in meter.quarters(ms(15), ms(30))] == [113 - 103]


# Rule 3.

@pytest.mark.parametrize(("rise_wh", "is_plausible"), [(30_020, True), (30_021, False), (-20, True), (-21, False)])
def test_the_edges_of_a_plausible_step(rise_wh, is_plausible):
    meter = Meter([segment()], [(DAY, wh(100)), (ms(15), wh(100) + rise_wh)])
    assert [event.kind for event in meter.events] == ([] if is_plausible else ["held"])
    if is_plausible:
        assert meter.quarter(DAY).amount == max(rise_wh, 0)


@pytest.mark.parametrize(("gap_hours", "kw", "is_exception"), [(30, 80, False), (30, 81, True), (24, 100, False), (30, 0, False)])
def test_after_a_gap_over_24_h_the_mean_rate_is_at_most_twice_the_highest_day(gap_hours, kw, is_exception):
    since, until = 3 * DAYS, 3 * DAYS + gap_hours * HOUR

    def used(minute):
        return constant(40)(min(minute, since)) + constant(kw)(min(max(minute - since, 0), until - since)) + constant(40)(max(minute - until, 0))

    sequence = {t: kwh for t, kwh in days(6, used).items() if not since < t < until}
    meter = meter_of(sequence)
    assert events(meter) == ([("confirm_meter", since, until)] if is_exception else [])
    assert qualities(meter, since, until) == {UNKNOWN if is_exception else ESTIMATED}


# Rule 4.

def test_a_zero_just_below_the_modulus_is_no_rollover():
    """It needs k = 1 and is plausible, but nothing confirms it."""
    near = {t: kwh + 899_590 for t, kwh in BASE.items()}  # 999 970 at 09:30
    sequence = with_readings({t: kwh for t, kwh in near.items() if t <= at("10:00")}, {at("09:45"): 0})
    meter = meter_of(sequence, modulus_kwh=1_000_000)
    assert events(meter) == [("outlier", at("09:45"), at("09:45"))]


def test_a_rollover_that_stays_at_zero_for_hours_is_one_rollover():
    idle = {t: 999_990 if t < at("06:00") else 0 if t < at("09:00") else 10 for t in range(0, DAYS, 15)}
    meter = meter_of(idle, modulus_kwh=1_000_000)
    assert events(meter) == [("rollover", at("05:45"), at("06:00"))]
    assert known_kwh(meter, 0, at("23:45")) == 20 and qualities(meter, 0, at("23:45")) == {MEASURED}


def test_a_new_meter_that_stands_still_is_the_baseline_from_its_first_reading():
    """Equal counts confirm nothing, but they belong to the chain that a positive step confirms."""
    sequence = {t: kwh if t < at("10:00") else 12_000 + constant(40)(max(t - at("12:00"), 0)) for t, kwh in BASE.items()}
    meter = meter_of(sequence)
    assert events(meter) == [("open_exception", at("09:45"), at("10:00"))]
    assert known_kwh(meter, at("10:00"), at("12:00")) == 0


def test_a_new_meter_that_never_moves_is_held():
    sequence = {t: kwh if t < at("10:00") else 12_000 for t, kwh in BASE.items()}
    meter = meter_of(sequence)
    assert events(meter) == [("held", at("09:45"), at("24:15"))]
    assert qualities(meter, at("09:45"), DAYS) == {UNKNOWN}


def test_an_exception_is_withdrawn_when_the_old_register_comes_back():
    """Two readings of another meter agree with each other; then the truth."""
    meter = meter_of(with_readings(BASE, {at("10:00"): 5000, at("10:15"): 5010}))
    assert events(meter) == [("outlier", at("10:00"), at("10:00")), ("outlier", at("10:15"), at("10:15"))]
    assert known_kwh(meter, 0, DAYS) == 960


@pytest.mark.parametrize(("hours", "is_withdrawn"), [(24, True), (25, False)])
def test_an_exception_is_withdrawn_within_24_hours_only(hours, is_withdrawn):
    until = 600 + hours * HOUR
    sequence = {t: 5000 + constant(40)(t) if 600 <= t < until else kwh for t, kwh in days(3).items()}
    meter = meter_of(sequence)
    kinds = [event.kind for event in meter.events]
    assert kinds == (["outlier"] * (hours * 4) if is_withdrawn else ["open_exception", "limit"])


@pytest.mark.parametrize(("until", "is_withdrawn"), [(30 * HOUR, False), (24 * HOUR + 15, True)])
def test_the_24_hours_of_a_withdrawal_begin_with_the_first_that_was_held(until, is_withdrawn):
    """Junk at 00:15, another meter from 10:00 on, then the old register."""
    meter = meter_of({0: 100_000, 15: 500_000, 600: 50, 615: 51, until: 100_001})
    assert [event.kind for event in meter.events] == (["outlier"] * 3 if is_withdrawn else ["open_exception", "held"])


def test_a_meter_to_confirm_that_breaks_at_once_was_an_outlier():
    """81 kW over the gap is said at once; the next reading tells that it was only that reading."""
    since, until = 3 * DAYS, 3 * DAYS + 30 * HOUR
    sequence = {t: kwh for t, kwh in days(6).items() if not since < t < until}
    meter = meter_of(with_readings(sequence, {until: sequence[until] + 41 * 30}))
    assert events(meter) == [("outlier", until, until)] and known_kwh(meter, 0, 6 * DAYS) == 6 * 960


def test_a_reading_after_junk_that_only_wraps_onto_the_old_register_withdraws_when_it_is_confirmed():
    """The register wraps while another meter answers for half an hour."""
    meter = meter_of({0: 999_990, 15: 400_000, 30: 400_010, 45: 20, 60: 30}, modulus_kwh=1_000_000)
    assert events(meter) == [("rollover", 0, 45), ("outlier", 15, 15), ("outlier", 30, 30)]
    assert known_kwh(meter, 0, 60) == 40


@pytest.mark.parametrize(("hours", "is_exception"), [(24, False), (25, True)])
def test_what_is_held_for_24_hours_is_an_exception(hours, is_exception):
    """A dead slave answers 0: the last 0 of 24 hours is 23:45 after the first."""
    until = 600 + hours * HOUR
    meter = meter_of({t: 0 if 600 <= t < until else kwh for t, kwh in days(3).items()})
    if is_exception:
        assert events(meter) == [("open_exception", 585, until)] and qualities(meter, 585, until) == {UNKNOWN}
    else:
        assert {event.kind for event in meter.events} == {"outlier"} and known_kwh(meter, 0, 3 * DAYS) == 3 * 960


def test_what_was_held_for_24_hours_and_never_moved_is_an_exception_without_end():
    meter = meter_of({t: 0 if t >= 600 else kwh for t, kwh in days(3).items()})
    assert events(meter) == [("open_exception", 585, None)]


def test_of_what_is_held_only_the_chain_is_the_new_baseline():
    """Junk at 10:00 does not belong to the meter that answers from 10:15 on."""
    sequence = {t: kwh if t < at("10:00") else 12_000 + constant(40)(t) for t, kwh in BASE.items()}
    meter = meter_of(with_readings(sequence, {at("10:00"): 700_000}))
    assert events(meter) == [("open_exception", at("09:45"), at("10:15"))]


def test_a_frozen_register_with_junk_in_it_is_still_frozen():
    sequence = {t: BASE[at("05:45")] if at("05:45") <= t < at("12:00") else kwh for t, kwh in BASE.items()}
    meter = meter_of(with_readings(sequence, {at("11:45"): 0}))
    assert events(meter) == [("frozen", at("06:00"), at("11:30")), ("outlier", at("11:45"), at("11:45"))]
    assert known_kwh(meter, 0, DAYS) == 960


# Rule 5.

@pytest.mark.parametrize(("gap_ms", "quality"), [(1_200_000, MEASURED), (1_200_001, ESTIMATED)])
def test_neighbours_at_most_max_gap_apart_measure_a_boundary(gap_ms, quality):
    first = ms(10)
    meter = Meter([segment()], [(DAY, 0), (first, 10), (first + gap_ms, 20), (ms(45), 30)])
    assert meter.quarter(DAY).quality == quality


# What a person decided.

def decided(sequence, **decisions) -> Meter:
    readings = [(ms(minute), int(kwh * 1000) // 10 * 10) for minute, kwh in sequence.items()]
    return Meter([segment()], readings, decisions=Decisions(**decisions))


ROW_7 = {t: kwh if t < at("10:06") else 12_000 + constant(40)(t - at("10:06")) for t, kwh in BASE.items()}


@pytest.mark.parametrize("instant", ["10:01", "10:06", "10:15"])
def test_a_replacement_that_a_person_logs_is_one_that_was_logged(instant):
    meter = decided(ROW_7, replaced=(Replaced(ms(at(instant)), wh(100_404), wh(12_000), resolution=10, max_rate=wh(100)),))
    assert events(meter) == [] and meter.idle == []
    assert known_kwh(meter, 0, DAYS) == 960 and qualities(meter, 0, DAYS) == {MEASURED}


def test_stated_energy_is_the_amount_of_its_span_and_manual():
    meter = decided(ROW_7, stated=(Stated(ms(600), ms(615), 9_876),))
    assert events(meter) == [("stated", 600, 615)] and meter.idle == []
    assert known_kwh(meter, 0, DAYS) == 959.876 and qualities(meter, 600, 615) == {MANUAL}
    assert qualities(meter, 0, 600) | qualities(meter, 615, DAYS) == {MEASURED}


def test_a_late_reading_takes_the_object_from_what_was_stated():
    meter = decided(with_readings(ROW_7, {610: 12_000 + constant(40)(4)}), stated=(Stated(ms(600), ms(615), 9_876),))
    assert events(meter) == [("open_exception", 600, 610)] and len(meter.idle) == 1
    assert known_kwh(meter, 0, DAYS) is None


def test_an_outlier_of_a_person_is_not_there_and_its_time_is_taken():
    meter = decided(BASE, outliers=frozenset([ms(600)]), by_hand=((ms(600), 1),))
    assert events(meter) == [] and meter.idle == [ms(600)]
    assert known_kwh(meter, 0, DAYS) == 960 and qualities(meter, 585, 615) == {ESTIMATED}


def test_readings_by_hand_alone_are_manual():
    meter = Meter([segment()], [], decisions=Decisions(by_hand=((ms(0), 5_000_000), (ms(DAYS), 5_000_960))))
    assert known_kwh(meter, 0, DAYS) == 0.96 and qualities(meter, 0, DAYS) == {MANUAL}
