"""Segments and readings of the slow model: rules 1 and 3 of section 7, but for what needs the readings before; U between readings."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor

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

    @cached_property
    def counts_per_ms(self) -> Fraction:
        return Fraction(6, 5) * self.max_rate / HOUR_MS / self.ratio

    def holds(self, t: int) -> bool:
        return self.from_ms <= t and (self.until_ms is None or t < self.until_ms)

    def can_show(self, count: int) -> bool:
        """Rule 1."""
        return abs(count) <= COUNT_MAX and (self.modulus is None or 0 <= count < self.modulus)

    def most(self, ms: int) -> Fraction:
        """Rule 3's L, in counts."""
        return self.counts_per_ms * ms + 2 * self.resolution

    def rise(self, earlier: int, later: int) -> int:
        """Rule 3: a fall of at most 2 x resolution counts as the earlier count."""
        difference = later - earlier
        return 0 if -2 * self.resolution <= difference < 0 else difference

    def wraps(self, earlier: int, later: int, ms: int) -> Sequence[int]:
        """Every k >= 0 that rule 3's inequality allows; a pair is plausible where that is one."""
        rise, most = self.rise(earlier, later), self.most(ms)
        if self.modulus is None:
            return range(1) if 0 <= rise <= most else range(0)
        return range(max(0, ceil(Fraction(-rise, self.modulus))), floor((most - rise) / self.modulus) + 1)


@dataclass(frozen=True)
class Reading:
    """What a meter answered, or (logged) what a person wrote down at an installation (is_dated: at a known instant, so that it
    is a neighbour too). `count` is what it counts as (rule 3's small fall)."""

    t: int
    count: int
    logged: bool = False
    is_dated: bool = True


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
    logged: bool = False
    is_dated: bool = True


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
