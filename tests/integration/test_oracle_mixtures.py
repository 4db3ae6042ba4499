"""What holds for the slow model on any mixture of faults, without a second implementation: sums are exact, and nothing is invented."""

from __future__ import annotations

import os
import sys
from math import floor
from random import Random

from harness.servers import SOURCE

sys.path.insert(0, str(SOURCE / "tests"))

from oracle.amounts import QUARTER_MS, UNKNOWN, total  # noqa: E402
from oracle.ledger import Meter  # noqa: E402
from oracle.mixtures import BEGIN, KINDS, Mixture, mixture  # noqa: E402
from oracle.protocol import answer  # noqa: E402
from oracle.register import u_at  # noqa: E402

SEED = int(os.environ.get("PARKMON_SEED", "1"))
NUMBER = 150
SEEDS = range(SEED, SEED + NUMBER)


def meter_of(made: Mixture) -> Meter:
    return Meter(made.history.segments, made.history.arrivals, made.history.max_gap_ms)


def test_the_mixtures_hold_what_they_promise():
    """Every kind of fault and of event, or the laws below would hold of nothing."""
    made = [mixture(seed) for seed in range(1, 1 + NUMBER)]
    assert {kind for one in made for kind in one.faults} >= set(KINDS)
    kinds = {event.kind for one in made for event in meter_of(one).events}
    assert kinds >= {"outlier", "frozen", "rollover", "open_exception", "limit", "held", "conflict", "quarantined", "outside"}


def test_a_sum_of_quarters_is_the_difference_of_u_at_its_ends():
    for seed in SEEDS:
        made = mixture(seed)
        meter = meter_of(made)
        quarters = meter.quarters(made.history.from_ms, made.history.until_ms)
        known = 0
        for points in meter.by_stretch.values():
            first, last = -(-points[0].t // QUARTER_MS) * QUARTER_MS, points[-1].t // QUARTER_MS * QUARTER_MS
            inside = [quarter for quarter in quarters if first <= quarter.start_ms < last]
            if not inside:
                continue
            since, until = inside[0].start_ms, inside[-1].start_ms + QUARTER_MS
            assert total(inside).amount == floor(u_at(points, until)) - floor(u_at(points, since)), f"seed {seed}"
            assert all(quarter.amount >= 0 for quarter in inside), f"seed {seed}"
            known += len(inside)
        assert known == sum(quarter.quality != UNKNOWN for quarter in quarters), f"seed {seed}"


def test_what_is_known_is_never_above_what_the_feeder_used():
    """But for the register's resolution; and no wrong reading stands beside a right one. mixtures.py says what is left out, and why."""
    for seed in SEEDS:
        made = mixture(seed, is_telling=True)
        segments = made.history.segments
        slack = (8 + 2 * len(segments)) * segments[0].resolution * max(segment.ratio for segment in segments) + 2 * len(segments)
        for points in meter_of(made).by_stretch.values():
            shown = [made.shows[point.t] for point in points]
            assert len({t is None for t in shown}) == 1, f"seed {seed}: a wrong reading was accepted"
            above = [point.u - made.load.used(max(BEGIN, t)) for point, t in zip(points, shown) if t is not None]
            lowest = [min(above[:i + 1]) for i in range(len(above))]
            assert all(here - low <= slack for here, low in zip(above, lowest)), f"seed {seed}"


def test_the_order_of_arrival_changes_nothing():
    for seed in SEEDS:
        history = mixture(seed).history
        expected = answer(history)
        history.arrivals = sorted({t: count for t, count in reversed(history.arrivals)}.items())
        Random(seed).shuffle(history.arrivals)
        assert answer(history) == "".join(line for line in expected.splitlines(True) if not line.startswith("event conflict")), f"seed {seed}"
