"""Segments and readings of the slow model: rules 1 and 3 of section 7, but for what needs the readings before; U between readings."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
COUNT_MAX = 10**15


@dataclass(frozen=True)
class Segment:
    """A meter in its place, in [from_ms, until_ms). Counts on the register's side, max_rate per hour on the primary side."""

    from_ms: int
    until_ms: int | None = None
    start: int | None = None
    end: int | None = None
    modulus: int | None = None
    resolution: int = 1
    max_rate: int = 0
    p: int = 1
    q: int = 1

    @cached_property
    def ratio(self) -> Fraction:
        return Fraction(self.p, self.q)

    def holds(self, t: int) -> bool:
        return self.from_ms <= t and (self.until_ms is None or t < self.until_ms)

    def can_show(self, count: int) -> bool:
        """Rule 1."""
        return abs(count) <= COUNT_MAX and (self.modulus is None or 0 <= count < self.modulus)

    def most(self, ms: int) -> Fraction:
        """Rule 3's L, on the primary side."""
        return Fraction(6, 5) * self.max_rate * ms / HOUR_MS + 2 * self.resolution * self.ratio

    def rise(self, earlier: int, later: int) -> int:
        """Rule 3: a fall of at most 2 x resolution counts as the earlier count."""
        difference = later - earlier
        return 0 if -2 * self.resolution <= difference < 0 else difference


@dataclass(frozen=True)
class Reading:
    """What a meter answered. `count` is what it counts as (rule 3's small fall)."""

    t: int
    count: int
    segment: int


@dataclass(frozen=True)
class Point:
    """An accepted reading: n counts since `base`, the U of where its counting began; `stretch` numbers what lies between two exceptions."""

    t: int
    count: int
    segment: int
    stretch: int
    base: int
    n: int
    u: int
    k: int = 0


@dataclass(frozen=True)
class Step:
    """How far a pair is apart: k of rule 3, the counts in each segment from the earlier's to the later's, and the rise on the primary side."""

    k: int
    counts: tuple[int, ...]
    rise: Fraction


def _legs(segments: Sequence[Segment], a: Point | Reading, n: Reading) -> list[tuple[Segment, int, int]]:
    """(segment, from count, to count): one, or more where logged registers join the segments of the two."""
    passed = segments[a.segment:n.segment + 1]
    counts = [a.count]
    for old, new in zip(passed, passed[1:]):
        counts += [old.end, new.start]
    counts.append(n.count)
    return list(zip(passed, counts[::2], counts[1::2]))


def _explain_within(legs: list[tuple[Segment, int, int]], most: Fraction) -> Step | None:
    """Rule 3: the one way, k >= 0 in each leg, to rise by no more than `most`; None where there is none or more than one."""
    ks, counts = [], []
    for segment, earlier, later in legs:
        rise = segment.rise(earlier, later)
        if rise < 0 and segment.modulus is None:
            return None
        ks.append(max(0, ceil(Fraction(-rise, segment.modulus))) if segment.modulus else 0)
        counts.append(rise + ks[-1] * (segment.modulus or 0))
    rise = sum(count * segment.ratio for count, (segment, _, _) in zip(counts, legs))
    once_more = [rise + segment.modulus * segment.ratio for segment, _, _ in legs if segment.modulus]
    if rise > most or any(more <= most for more in once_more):
        return None
    return Step(sum(ks), tuple(counts), Fraction(rise))


def explanation(segments: Sequence[Segment], a: Point | Reading, n: Reading) -> Step | None:
    """Rule 3 without its check after a gap."""
    if n.segment < a.segment:
        return None
    legs = _legs(segments, a, n)
    return _explain_within(legs, max(segment.most(n.t - a.t) for segment, _, _ in legs))


def is_plausible_alone(segment: Segment, earlier: int, later: int, ms: int) -> bool:
    return _explain_within([(segment, earlier, later)], segment.most(ms)) is not None


def is_above_limit(segments: Sequence[Segment], a: Point | Reading, n: Reading) -> bool:
    """The register is higher by more than L, without any k."""
    if n.segment < a.segment:
        return False
    legs = _legs(segments, a, n)
    rise = sum((later - earlier) * segment.ratio for segment, earlier, later in legs)
    return rise > max(segment.most(n.t - a.t) for segment, _, _ in legs)


def counts_as(segments: Sequence[Segment], a: Point | Reading, n: Reading) -> int:
    """Rule 3: after a small fall the later reading counts as the earlier count (across a replacement: as the start register)."""
    segment, earlier, later = _legs(segments, a, n)[-1]
    return earlier if -2 * segment.resolution <= later - earlier < 0 else later


def u_at(points: Sequence[Point], t: int) -> Fraction | None:
    """Rule 5, before rounding: the reading at t, else linear between its neighbours; None outside of the points."""
    after = bisect_right(points, t, key=lambda point: point.t)
    if after == 0 or (after == len(points) and points[-1].t != t):
        return None
    a = points[after - 1]
    if a.t == t:
        return Fraction(a.u)
    b = points[after]
    return a.u + Fraction(b.u - a.u) * (t - a.t) / (b.t - a.t)
