"""The slow model of the energy ledger: section 7 of the design, rules 1 to 8, in exact rationals over the whole set of readings.

It is the oracle of the collector's ledger and shares nothing with it. It looks ahead where a streaming ledger would remember, and it is
plain before it is fast.

Readings of the text, where section 7 is silent or can be read in two ways:

 1. A reading that rule 1 refuses is not in the set: it does not take its time from another.
 2. Two readings of one time: the first to arrive (D5).
 3. A logged register is a reading of its segment at the logged instant that nobody doubts: it is a neighbour (rule 5), it is the g of what
    follows, it decides on what is held, needs no confirmation of k >= 1, and is never held or dropped. Where it is not plausible from g
    either, the span from g to it is an exception.
 4. Rule 2's 30 minutes: the instant is uncertain by as much, so a reading is plausible from the old meter's end register if that meter can run
    from the reading to it in 30 min, from the new one's start register if that can run to the reading in 30 min, on whichever side of the
    logged instant the reading lies. Plausible from one alone: it is that meter's. From both or neither: by its time. Where a reading of the
    old meter is later than the logged instant, or one of the new meter earlier, nobody knows the instant: the registers join the segments, but
    are no neighbours. What the new meter would have said before the old one's last reading is an outlier.
 5. A segment begins without a start register: the span from the end of the one before to its first reading is an exception too.
 6. "Counts since the segment's start": since its start register, else since its first reading; after an exception since the first reading
    of the new baseline (matters only where CT x PT is not whole).
 7. Rule 3's small fall is compared with the count that the earlier reading counts as, so a slow slide adds up.
 8. Rule 3's gap is that between the two readings compared. The 28 days are the 28 times 24 h that end at the earlier reading, as far as both
    their ends are known in one stretch without exception; without any there is no check. A step that fails the check is implausible: it is
    held, and becomes an exception by rule 4 like any other.
 9. "Plausible from g" is, wherever rule 4 says it, also the step that is plausible from the first of the run of equal counts ending at g.
10. A reading that needs k >= 1 decides nothing by (a): it is held, whether or not others are. It is confirmed by (b)'s positive plausible
    step: a chain whose first reading is plausible from g is a rollover and no exception; what was held before the chain is an outlier.
11. Of the readings held when (b) opens an exception those before the chain are inside the exception and no outliers.
12. (b)'s "one reading earlier": the accepted reading before g, in the same stretch, where the first of the chain is plausible from it and not from
    g (after 24 h it can be: then g is in no doubt); a logged register is not dropped.
13. A chain is the longest run of held readings that ends at the last held, each step plausible; equal counts belong to it.
14. Held for 24 h: the newest held is at least 24 h later than the first held; n decides before that is asked ("a gap changes nothing").
    From then on (a) no more applies, and the exception ends at the next plausible chain. It is not withdrawn, and no rollover.
15. "Within 24 h": at most 24 h after the first reading of the new baseline. "Breaks": not plausible from its last accepted reading.
    "Plausible from the g before": with k = 0. Of several exceptions that can be withdrawn it is the newest; with it go those after it.
16. Only the quarters' own ends count for their quality, so a quarter between two measured ends is measured.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import floor

from .amounts import ESTIMATED, MEASURED, QUARTER_MS, UNKNOWN, WORSE, Quarter
from .register import DAY_MS, HOUR_MS, Point, Reading, Segment, u_at

NEAR_MS = HOUR_MS // 2
DAYS_BEFORE = 28


@dataclass(frozen=True)
class Event:
    kind: str
    from_ms: int
    until_ms: int | None

    @property
    def order(self) -> tuple:
        return self.from_ms, self.until_ms is None, self.until_ms or 0, self.kind


class Meter:
    """The ledger of one meter: `points` that were accepted, in order of time, and the `events` of the final state."""

    def __init__(self, segments: Iterable[Segment], readings: Iterable[tuple[int, int]], max_gap_ms: int = 20 * 60_000):
        self.segments = list(segments)
        self.max_gap_ms = max_gap_ms
        self.points: list[Point] = []
        self.exceptions: list[Event] = []
        self.frozen: list[Event] = []
        self.outliers: set[int] = set()
        self.others: list[Event] = []
        self.shifts: list[tuple[int, list[Point], int, int]] = []
        self.stretches = 0
        self.is_joined = False
        self.open_from: int | None = None
        streams = self._streams(self._distinct(readings))
        for index in range(len(self.segments)):
            self._segment(index, streams[index])
        if self.open_from is not None:
            self.exceptions.append(Event("open_exception", self.open_from, None))
        self.points = [point for point in self.points if point.is_dated]
        self.by_stretch: dict[int, list[Point]] = {}
        for point in self.points:
            self.by_stretch.setdefault(point.stretch, []).append(point)

    # Rules 1 and 2: which readings there are, and whose they are.

    def _distinct(self, readings: Iterable[tuple[int, int]]) -> list[tuple[int, Reading]]:
        """(segment, reading) in order of time; says conflicts, quarantined and outside."""
        taken: dict[int, tuple[int, Reading]] = {}
        for t, count in readings:
            index = self._whose(t, count)
            if index is None:
                self.others.append(Event("outside", t, t))
            elif not self.segments[index].can_show(count):
                self.others.append(Event("quarantined", t, t))
            elif t not in taken:
                taken[t] = index, Reading(t, count)
            elif taken[t][1].count != count:
                self.others.append(Event("conflict", t, t))
        return [taken[t] for t in sorted(taken)]

    def _whose(self, t: int, count: int) -> int | None:
        by_time = next((i for i, segment in enumerate(self.segments) if segment.holds(t)), None)
        for i, (old, new) in enumerate(zip(self.segments, self.segments[1:])):
            if abs(t - new.from_ms) > NEAR_MS:
                continue
            is_old = old.end is not None and old.can_show(count) and len(old.wraps(count, old.end, NEAR_MS)) == 1
            is_new = new.start is not None and new.can_show(count) and len(new.wraps(new.start, count, NEAR_MS)) == 1
            if is_old != is_new:
                return i if is_old else i + 1
        return by_time

    def _streams(self, taken: list[tuple[int, Reading]]) -> list[list[Reading]]:
        """Each segment's readings with its logged registers, in order of time."""
        streams = [[reading for index, reading in taken if index == i] for i in range(len(self.segments))]
        for old, new in zip(streams, streams[1:]):
            if old:
                self.outliers.update(reading.t for reading in new if reading.t < old[-1].t)
                new[:] = [reading for reading in new if reading.t > old[-1].t]
        starts, ends = [], []
        for i, segment in enumerate(self.segments):
            last = streams[i - 1][-1].t if i > 0 and streams[i - 1] else segment.from_ms
            first = streams[i][0].t if streams[i] else segment.from_ms
            is_dated = last <= segment.from_ms <= first
            starts.append(Reading(segment.from_ms if is_dated else last, segment.start, True, is_dated))
            ends.append(Reading(segment.from_ms if is_dated else first, self.segments[i - 1].end, True, is_dated))
        ends = [*ends[1:], Reading(self.segments[-1].until_ms, self.segments[-1].end, True)]
        return [[reading for reading in (start, *stream, end) if reading.count is not None] for start, stream, end in zip(starts, streams, ends)]

    # Rule 3.

    @staticmethod
    def _is_unusual(segment: Segment, a: Point | Reading, n: Reading, counts: int, before: Sequence[Point]) -> bool:
        """After a gap of more than 24 h the mean rate must be at most twice the highest daily mean of the 28 days before."""
        if n.t - a.t <= DAY_MS:
            return False
        means = []
        for stretch in {point.stretch for point in before if point.t > a.t - (DAYS_BEFORE + 1) * DAY_MS}:
            points = [point for point in before if point.stretch == stretch]
            edges = [u_at(points, a.t - day * DAY_MS) for day in range(DAYS_BEFORE + 1)]
            means += [(until - since) / DAY_MS for until, since in zip(edges, edges[1:]) if until is not None and since is not None]
        return bool(means) and counts * segment.ratio / (n.t - a.t) > 2 * max(means)

    def _step(self, index: int, a: Point | Reading, n: Reading, before: Sequence[Point]) -> int | None:
        """The one k that makes the pair plausible, None where it is not."""
        segment = self.segments[index]
        wraps = segment.wraps(a.count, n.count, n.t - a.t)
        if len(wraps) != 1 or self._is_unusual(segment, a, n, self._counts(segment, a, n, wraps[0]), before):
            return None
        return wraps[0]

    @staticmethod
    def _counts(segment: Segment, a: Point | Reading, n: Reading, k: int) -> int:
        return segment.rise(a.count, n.count) + k * (segment.modulus or 0)

    def _is_positive(self, index: int, a: Reading, n: Reading) -> bool:
        k = self._step(index, a, n, self.points)
        return k is not None and self._counts(self.segments[index], a, n, k) > 0

    # Rule 4.

    @staticmethod
    def _run(points: Sequence[Point]) -> int:
        """Where the run of equal counts that ends at g begins."""
        first = len(points) - 1
        while first > 0 and (points[first - 1].count, points[first - 1].stretch, points[first - 1].segment) == \
                (points[-1].count, points[-1].stretch, points[-1].segment):
            first -= 1
        return first

    def _explain(self, points: Sequence[Point], n: Reading) -> tuple[int, int] | None:
        """How n follows g, the last of the points: (the point that it follows, k). Another than g: the repeats after it are frozen."""
        last = len(points) - 1
        k = self._step(points[last].segment, points[last], n, points)
        if k is not None:
            return last, k
        first = self._run(points)
        if first == last:
            return None
        k = self._step(points[first].segment, points[first], n, points)
        return None if k is None else (first, k)

    def _accept(self, n: Reading, how: tuple[int, int]) -> None:
        after, k = how
        repeats = self.points[after + 1:]
        if repeats:
            self.frozen.append(Event("frozen", repeats[0].t, repeats[-1].t))
            del self.points[after + 1:]
        a = self.points[-1]
        segment = self.segments[a.segment]
        counts = self._counts(segment, a, n, k)
        count = n.count if n.count - a.count not in range(-2 * segment.resolution, 0) else a.count
        total = a.n + counts
        self.points.append(Point(n.t, count, a.segment, a.stretch, a.base, total, a.base + floor(total * segment.ratio), k, n.logged,
                                 n.is_dated))

    def _begin(self, index: int, n: Reading, base: int | None = None) -> None:
        """n is the first of its segment or of a new baseline; base: it goes on from that U."""
        if base is None:
            self.stretches += 1
        self.points.append(Point(n.t, n.count, index, self.stretches, base or 0, 0, base or 0, 0, n.logged, n.is_dated))

    def _kind(self, n: Reading) -> str:
        """What an exception from g to n is called: see README.md."""
        g, segment = self.points[-1], self.segments[self.points[-1].segment]
        for a in (g, self.points[self._run(self.points)]):
            wraps = segment.wraps(a.count, n.count, n.t - a.t)
            if len(wraps) == 1 and self._is_unusual(segment, a, n, self._counts(segment, a, n, wraps[0]), self.points):
                return "confirm_meter"
        return "limit" if n.count - g.count > segment.most(n.t - g.t) else "open_exception"

    def _open(self, index: int, first: Reading, is_final: bool) -> None:
        """Exception from g to the first reading of the new baseline, and from one reading earlier where dropping g would explain as well."""
        kind = self._kind(first)
        if not is_final:
            self.shifts.append((first.t, list(self.points), len(self.exceptions), len(self.frozen)))
        without_g = self.points[:-1]
        if without_g and without_g[-1].stretch == self.points[-1].stretch and without_g[-1].segment == index \
                and not self.points[-1].logged and not self._explain(self.points, first) and self._explain(without_g, first):
            self.points.pop()
        self.exceptions.append(Event(kind, self.points[-1].t, first.t))
        self._begin(index, first)

    def _withdraw(self, n: Reading, between: Sequence[Reading]) -> bool:
        """Within 24 h n breaks the new baseline and is plausible from the g before: what lies between are outliers."""
        for i in range(len(self.shifts) - 1, -1, -1):
            began, points, exceptions, frozen = self.shifts[i]
            how = self._explain(points, n) if n.t - began <= DAY_MS else None
            if how and how[1] == 0:
                self.points = points
                del self.shifts[i:], self.exceptions[exceptions:], self.frozen[frozen:]
                self.outliers.update(reading.t for reading in between if points[-1].t < reading.t < n.t)
                self._accept(n, how)
                return True
        return False

    def _chain(self, index: int, held: list[Reading]) -> int:
        first = len(held) - 1
        while first > 0 and self._step(index, held[first - 1], held[first], self.points) is not None:
            first -= 1
        return first

    def _settle(self, index: int, held: list[Reading], n: Reading, is_final: bool) -> None:
        """(b): the chain of held readings goes on with n. It is a rollover, or an exception."""
        begins = self._chain(index, held)
        first = held[begins]
        how = None if is_final else self._explain(self.points, first)
        if how:
            self.outliers.update(reading.t for reading in held[:begins])
            self._accept(first, how)
        else:
            self._open(index, first, is_final)
        for reading in [*held[begins + 1:], n]:
            a = self.points[-1]
            self._accept(reading, (len(self.points) - 1, self.segments[index].wraps(a.count, reading.count, reading.t - a.t)[0]))

    def _decide(self, index: int, stream: list[Reading], at: int) -> int:
        """From the reading at `at` on to the first that settles what is held; where to go on."""
        held: list[Reading] = []
        is_final = False
        for i in range(at, len(stream)):
            n = stream[i]
            how = self._explain(self.points, n)
            goes_on = bool(held) and self._is_positive(index, held[-1], n)
            if how and (how[1] == 0 or n.logged) and not goes_on and not is_final:  # accepted; (a): the held ones are outliers
                self.outliers.update(reading.t for reading in held)
                self._accept(n, how)
                return i + 1
            if not how and self._withdraw(n, stream[:i]):
                return i + 1
            if goes_on:  # (b)
                self._settle(index, held, n, is_final)
                return i + 1
            if n.logged:
                self._open(index, n, is_final=True)
                return i + 1
            if held and held[-1].count - 2 * self.segments[index].resolution <= n.count < held[-1].count:
                n = replace(n, count=held[-1].count)
            held.append(n)  # (c)
            is_final = is_final or n.t - held[0].t >= DAY_MS
        is_last = index == len(self.segments) - 1
        if held and is_final and is_last:
            self.exceptions.append(Event(self._kind(held[0]), self.points[-1].t, None))
        elif held and is_last:
            self.others.append(Event("held", self.points[-1].t, held[-1].t))
        return len(stream)

    # Rule 2: one segment after the other.

    def _segment(self, index: int, stream: list[Reading]) -> None:
        self.shifts = []
        at = 0
        if stream:
            goes_on = self.is_joined and stream[0].logged
            if self.open_from is not None and not goes_on:
                self.exceptions.append(Event("open_exception", self.open_from, stream[0].t))
            self._begin(index, stream[0], self.points[-1].u if goes_on else None)
            self.open_from = None
            at = 1
        while at < len(stream):
            at = self._decide(index, stream, at)
        if index + 1 < len(self.segments):
            self.is_joined = self.segments[index].end is not None
            self.open_from = self.points[-1].t if self.points else None

    # Rules 5 and 6.

    @property
    def events(self) -> list[Event]:
        rollovers = [Event("rollover", a.t, b.t) for a, b in zip(self.points, self.points[1:]) if b.k]
        outliers = [Event("outlier", t, t) for t in self.outliers]
        return sorted([*self.others, *self.exceptions, *self.frozen, *rollovers, *outliers], key=lambda event: event.order)

    def quarter(self, start_ms: int) -> Quarter:
        """Known where both ends lie in one stretch."""
        end_ms = start_ms + QUARTER_MS
        for points in self.by_stretch.values():
            from_u, until_u = u_at(points, start_ms), u_at(points, end_ms)
            if from_u is not None and until_u is not None:
                quality = max(self._quality(points, start_ms), self._quality(points, end_ms), key=WORSE.index)
                return Quarter(start_ms, floor(until_u) - floor(from_u), quality)
        return Quarter(start_ms, None, UNKNOWN)

    def _quality(self, points: Sequence[Point], t: int) -> str:
        after = bisect_left(points, t, key=lambda point: point.t)
        if points[after].t == t or points[after].t - points[after - 1].t <= self.max_gap_ms:
            return MEASURED
        return ESTIMATED

    def quarters(self, from_ms: int, until_ms: int) -> list[Quarter]:
        return [self.quarter(start) for start in range(from_ms, until_ms, QUARTER_MS)]

    def u(self, t: int) -> int | None:
        """U at a boundary, of the stretch that goes on there; only differences inside a stretch mean anything."""
        for points in reversed(self.by_stretch.values()):
            value = u_at(points, t)
            if value is not None:
                return floor(value)
        return None

    def is_decided(self, quarter: Quarter) -> bool:
        """Rule 8: a reading at or after its end is accepted, or an exception covers it."""
        return bool(self.points) and self.points[-1].t >= quarter.start_ms + QUARTER_MS or any(
            event.from_ms < quarter.start_ms + QUARTER_MS and (event.until_ms is None or event.until_ms > quarter.start_ms)
            for event in self.exceptions)
