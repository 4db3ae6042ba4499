"""The slow model of the energy ledger: section 7 of the design, rules 1 to 8, in exact rationals over the whole set of readings.

It is the oracle of the collector's ledger and shares nothing with it. It looks ahead where a streaming ledger would remember, and it is
plain before it is fast.

Readings of the text, where section 7 is silent or can be read in two ways:

 1. Two readings of one time: the first to arrive (D5), also where rule 1 then refuses it: the journal knows no modulus.
 2. The set of readings is what is left: in a segment and not refused.
 3. A logged register joins two segments and is no reading: it is never a neighbour (rule 2 itself says that its instant is uncertain), decides on
    nothing, and adds nothing before the first reading or after the last. The step from a reading of the old meter to one of the new is (old end -
    old count) x p/q + (new count - new start) x p/q, each part with its own k and its own small fall, against the larger L of the two over the
    time between the readings. So rule 4 goes on across a logged replacement as if there were none.
 4. Rule 2's 30 minutes: the instant is uncertain by as much, so a reading is plausible from the old meter's end register if that meter can run
    from the reading to it in 30 min, from the new one's start register if that can run to the reading in 30 min, on whichever side of the logged
    instant the reading lies; where one of the two is not known, by its time. Plausible from one alone: it is that meter's. From both or neither:
    by its time. Of two instants the nearer one decides, also where its registers are not known. No step leads from a reading of the new meter to
    a later one of the old.
 5. A segment begins without a start register: the span from the last reading of the one before to its first is an exception too. What is held
    when the one before ends lies inside it. Before that first reading there is no span yet.
 6. "Counts since the segment's start": since its start register, else since its first reading. An exception adds nothing to what they were at g
    (matters only where CT x PT is not whole).
 7. Rule 3's small fall is compared with the count that the earlier reading counts as, so a slow slide adds up.
 8. Rule 3's gap is that between the two readings compared. The 28 days are the last UTC days that end at the earlier reading or before, as far as
    both their ends are known in one stretch without exception; without any there is no check. A step that fails nothing but the check is not
    accepted, but "else open exception" at once where k = 0 and (b) does not settle what is held: from g to that reading, which is the new
    baseline (and can be withdrawn as in rule 4). For (b), whose steps are between readings in doubt, L alone decides.
 9. "Plausible from g" is, wherever rule 4 says it, also the step that is implausible from g by L but plausible from the first of the run of equal
    counts that ends at g.
10. A reading that needs k >= 1 decides nothing by (a): it is held, whether or not others are. It is confirmed by (b)'s positive plausible step: a
    chain whose first reading is plausible from g is a rollover and no exception; what was held before the chain is an outlier. What comes after
    the first of the chain is decided again from there, so a step with k >= 1 in it needs its own confirmation.
11. Of the readings held when (b) opens an exception those before the chain are inside the exception and no outliers.
12. (b)'s "one reading earlier": the accepted reading before g, in the same stretch, where the first of the chain is plausible by L from it and
    not from g (after 24 h it can be: then g is in no doubt). Dropping g alone must explain, without dropping repeats before it.
13. A chain is the longest run of held readings that ends at the last held, each step plausible; equal counts belong to it.
14. Held for 24 h: the newest held is at least 24 h later than the first held; n decides before that is asked ("a gap changes nothing"). From then
    on nothing held becomes an outlier: the exception ends at the first reading that (a) would accept or at the next plausible chain. It is not
    withdrawn, and no rollover.
15. "Within 24 h": at most 24 h after the first of the readings that were held for it. "Breaks": not plausible from the new baseline's last
    accepted reading. "Plausible from the g before": with k = 0, or when (b) confirms what was held with k >= 1; by L alone, and where only rule
    3's check fails it is "confirm meter" again. The 24 h end at the reading that decides. Of several exceptions that can be withdrawn it is the
    newest; with it go those after it. No more than four are remembered (CONTRIBUTING.md, E4).
16. Only the quarters' own ends count for their quality, so a quarter between two measured ends is measured.
17. What a person decided is of the set (decisions.py). A reading that a person calls an outlier is none of it, and its time stays taken; one read
    by hand belongs to it where its time is not taken. Energy that a person stated is laid over the exception that has exactly its span, at the
    end: the stretches on both sides and what is stated between them are one, and a quarter that the span touches is manual.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor

from .amounts import ESTIMATED, MANUAL, MEASURED, QUARTER_MS, UNKNOWN, WORSE, Quarter
from .decisions import NONE, Decisions, Replaced, Stated, divided
from .register import (DAY_MS, HOUR_MS, Point, Reading, Segment, Step, counts_as, explanation, is_above_limit, is_plausible_alone,
                       u_at)

NEAR_MS = HOUR_MS // 2
DAYS_BEFORE = 28
SHIFTS = 4


@dataclass(frozen=True)
class Event:
    kind: str
    from_ms: int
    until_ms: int | None

    @property
    def order(self) -> tuple:
        return self.from_ms, self.until_ms is None, self.until_ms or 0, self.kind


@dataclass(frozen=True)
class Shift:
    """An exception that can be withdrawn: since when its readings were held, and what there was before it."""

    held_ms: int
    points: list[Point]
    exceptions: int
    frozen: int


class Meter:
    """The ledger of one meter: `points` that were accepted, in order of time, and the `events` of the final state."""

    def __init__(self, segments: Iterable[Segment], readings: Iterable[tuple[int, int]], max_gap_ms: int = 20 * 60_000,
                 decisions: Decisions = NONE):
        self.decisions = decisions
        self.segments, idle = divided(segments, decisions.replaced)
        self.idle: list[Replaced | Stated | int] = list(idle)
        self.max_gap_ms = max_gap_ms
        self.points: list[Point] = []
        self.exceptions: list[Event] = []
        self.frozen: list[Event] = []
        self.outliers: set[int] = set()
        self.others: list[Event] = []
        self.shifts: list[Shift] = []
        self.stretches = 0
        parts = self._parts(self._distinct(readings))
        for i, part in enumerate(parts):
            self.shifts = []
            if self.points:
                self.exceptions.append(Event("open_exception", self.points[-1].t, part[0].t))
            self._begin(part[0])
            at = 1
            while at < len(part):
                at = self._decide(part, at, is_last=i == len(parts) - 1)
        self.by_stretch: dict[int, list[Point]] = {}
        for point in self.points:
            self.by_stretch.setdefault(point.stretch, []).append(point)
        self._state()

    # Rules 1 and 2: which readings there are, and whose they are.

    def _distinct(self, readings: Iterable[tuple[int, int]]) -> list[Reading]:
        """In order of time; says conflicts, quarantined and outside."""
        taken: dict[int, int] = {}
        for t, count in dict.fromkeys(readings):
            if taken.setdefault(t, count) != count:
                self.others.append(Event("conflict", t, t))
        self.idle += [t for t in self.decisions.outliers if t not in taken] + [t for t, _ in self.decisions.by_hand if t in taken]
        by_hand = {t: count for t, count in self.decisions.by_hand if t not in taken}
        self.by_hand = set(by_hand)
        taken = {t: count for t, count in taken.items() if t not in self.decisions.outliers} | by_hand
        found = []
        for t, count in sorted(taken.items()):
            index = self._whose(t, count)
            if index is None:
                self.others.append(Event("outside", t, t))
            elif not self.segments[index].can_show(count):
                self.others.append(Event("quarantined", t, t))
            else:
                found.append(Reading(t, count, index))
        return found

    def _whose(self, t: int, count: int) -> int | None:
        by_time = next((i for i, segment in enumerate(self.segments) if segment.holds(t)), None)
        near = [(abs(t - new.from_ms), i) for i, new in enumerate(self.segments[1:]) if abs(t - new.from_ms) <= NEAR_MS]
        if not near:
            return by_time
        i = min(near)[1]
        old, new = self.segments[i:i + 2]
        if old.end is None or new.start is None:
            return by_time
        is_old = old.can_show(count) and is_plausible_alone(old, count, old.end, NEAR_MS)
        is_new = new.can_show(count) and is_plausible_alone(new, new.start, count, NEAR_MS)
        return by_time if is_old == is_new else i if is_old else i + 1

    def _parts(self, readings: list[Reading]) -> list[list[Reading]]:
        """The readings of segments that logged registers join, in order of time."""
        parts: list[list[Reading]] = []
        for i, segment in enumerate(self.segments):
            if i == 0 or self.segments[i - 1].end is None or segment.start is None:
                parts.append([])
            parts[-1] += [reading for reading in readings if reading.segment == i]
        return [sorted(part, key=lambda reading: reading.t) for part in parts if part]

    # Rule 3.

    def _step(self, a: Point | Reading, n: Reading, before: Sequence[Point]) -> Step | None:
        """The pair's one explanation, None where it is not plausible."""
        step = explanation(self.segments, a, n)
        return None if step is None or self._is_unusual(a, n, step, before) else step

    @staticmethod
    def _is_unusual(a: Point | Reading, n: Reading, step: Step, before: Sequence[Point]) -> bool:
        """After a gap of more than 24 h the mean rate must be at most twice the highest daily mean of the 28 days before."""
        if n.t - a.t <= DAY_MS:
            return False
        means = []
        midnights = [(a.t // DAY_MS - day) * DAY_MS for day in range(DAYS_BEFORE + 1)]
        for stretch in {point.stretch for point in before if point.t > midnights[-1]}:
            points = [point for point in before if point.stretch == stretch]
            edges = [u_at(points, midnight) for midnight in midnights]
            means += [(until - since) / DAY_MS for until, since in zip(edges, edges[1:]) if until is not None and since is not None]
        return bool(means) and step.rise / (n.t - a.t) > 2 * max(means)

    def _is_positive(self, a: Reading, n: Reading) -> bool:
        step = explanation(self.segments, a, n)
        return step is not None and step.rise > 0

    # Rule 4.

    @staticmethod
    def _run(points: Sequence[Point]) -> int:
        """Where the run of equal counts that ends at g begins."""
        first = len(points) - 1
        while first > 0 and (points[first - 1].count, points[first - 1].stretch, points[first - 1].segment) == \
                (points[-1].count, points[-1].stretch, points[-1].segment):
            first -= 1
        return first

    def _explain(self, points: Sequence[Point], n: Reading) -> tuple[int, Step] | None:
        """How n follows g, the last of the points: (the point that it follows, step). Another than g: the repeats after it are frozen."""
        last = len(points) - 1
        after = last if explanation(self.segments, points[last], n) else self._run(points)
        step = self._step(points[after], n, points)
        return (after, step) if step else None

    def _accept(self, n: Reading, after: int, step: Step) -> None:
        repeats = self.points[after + 1:]
        if repeats:
            self.frozen.append(Event("frozen", repeats[0].t, repeats[-1].t))
            del self.points[after + 1:]
        a = self.points[-1]
        base, total = a.base, a.n
        for index, counts in enumerate(step.counts, a.segment):
            if index > a.segment:
                base, total = base + floor(total * self.segments[index - 1].ratio), 0
            total += counts
        u = base + floor(total * self.segments[n.segment].ratio)
        self.points.append(Point(n.t, counts_as(self.segments, a, n), n.segment, a.stretch, base, total, u, step.k))

    def _begin(self, n: Reading, g: Point | None = None) -> None:
        """n is the first of all, or of a new baseline after an exception that began at g."""
        self.stretches += 1
        segment = self.segments[n.segment]
        base, total = 0, 0 if segment.start is None else n.count - segment.start
        if segment.modulus:
            total %= segment.modulus
        if g and g.segment == n.segment:
            base, total = g.base, g.n
        self.points.append(Point(n.t, n.count, n.segment, self.stretches, base, total, base + floor(total * segment.ratio)))

    def _unconfirmed(self, n: Reading) -> Step | None:
        """The step from g, where it fails nothing but rule 3's check after a gap."""
        step = explanation(self.segments, self.points[-1], n)
        return step if step and self._is_unusual(self.points[-1], n, step, self.points) else None

    def _kind(self, n: Reading) -> str:
        """What an exception from g is called, asked of n: see README.md."""
        if self._unconfirmed(n):
            return "confirm_meter"
        return "limit" if is_above_limit(self.segments, self.points[-1], n) else "open_exception"

    def _open(self, first: Reading, held: list[Reading], is_final: bool, is_explained: bool = False) -> None:
        """Exception from g to the first reading of the new baseline, of which is_explained says that it follows g as a frozen run does."""
        g, is_plausible = self.points[-1], explanation(self.segments, self.points[-1], first) is not None
        is_named_before = is_explained or is_final and is_plausible and not self._unconfirmed(first)
        kind = self._kind(held[0] if is_named_before else first)
        if not is_final:
            self.shifts.append(Shift(held[0].t if held else first.t, list(self.points), len(self.exceptions), len(self.frozen)))
            del self.shifts[:-SHIFTS]
        if not is_plausible and not is_explained and len(self.points) > 1 and self.points[-2].stretch == g.stretch \
                and explanation(self.segments, self.points[-2], first):
            self.points.pop()
        self.exceptions.append(Event(kind, self.points[-1].t, first.t))
        self._begin(first, g)

    def _withdraw(self, n: Reading, now_ms: int, between: Sequence[Reading], is_confirmed: bool = False) -> bool:
        """Within 24 h n breaks the new baseline and is plausible from the g before: what lies between are outliers."""
        for i in range(len(self.shifts) - 1, -1, -1):
            shift = self.shifts[i]
            how = self._explain(shift.points, n)
            step = how[1] if how else explanation(self.segments, shift.points[-1], n)
            if now_ms - shift.held_ms <= DAY_MS and step and (step.k == 0 or is_confirmed):
                self.points = shift.points
                del self.shifts[i:], self.exceptions[shift.exceptions:], self.frozen[shift.frozen:]
                self.outliers.update(reading.t for reading in between if self.points[-1].t < reading.t < n.t)
                if how:
                    self._accept(n, *how)
                else:
                    self._open(n, [], is_final=False)
                return True
        return False

    def _settle(self, held: list[Reading], is_final: bool, before: Sequence[Reading]) -> int:
        """(b): what is held goes on with a positive plausible step. It is a rollover, or an exception; where in it the chain begins."""
        begins = len(held) - 1
        while begins > 0 and explanation(self.segments, held[begins - 1], held[begins]):
            begins -= 1
        how = None if is_final else self._explain(self.points, held[begins])
        if how:
            self.outliers.update(reading.t for reading in held[:begins])
            self._accept(held[begins], *how)
        elif not self._withdraw(held[begins], before[-1].t, before, is_confirmed=True):
            self._open(held[begins], held, is_final)
        return begins

    def _decide(self, part: list[Reading], at: int, is_last: bool) -> int:
        """From the reading at `at` on to the first that settles what is held; where to go on."""
        held: list[Reading] = []
        is_final = False
        for i in range(at, len(part)):
            n = part[i]
            how = self._explain(self.points, n)
            goes_on = bool(held) and self._is_positive(held[-1], n)
            if how and how[1].k == 0 and not goes_on:
                if is_final:
                    self._open(n, held, is_final, is_explained=True)
                else:  # accepted; (a): the held ones are outliers
                    self.outliers.update(reading.t for reading in held)
                    self._accept(n, *how)
                return i + 1
            if not how and self._withdraw(n, n.t, part[:i]):
                return i + 1
            if goes_on:  # (b)
                return i - len(held) + self._settle(held, is_final, part[:i + 1]) + 1
            unconfirmed = self._unconfirmed(n)
            if unconfirmed and unconfirmed.k == 0:
                self._open(n, held, is_final, is_explained=is_final)
                return i + 1
            if held and explanation(self.segments, held[-1], n):
                n = replace(n, count=counts_as(self.segments, held[-1], n))
            held.append(n)  # (c)
            is_final = is_final or n.t - held[0].t >= DAY_MS
        if held and is_final and is_last:
            self.exceptions.append(Event(self._kind(held[0]), self.points[-1].t, None))
        elif held and is_last:
            self.others.append(Event("held", self.points[-1].t, held[-1].t))
        return len(part)

    # What a person stated.

    def _state(self) -> None:
        """The stretches in runs that stated spans join: (points, what is added to their U), in order, and the spans between them."""
        self.runs: list[tuple[list[tuple[list[Point], int]], list[Stated]]] = []
        stated = {(one.from_ms, one.until_ms): one for one in self.decisions.stated}
        spans = {exception.until_ms: stated.pop((exception.from_ms, exception.until_ms)) for exception in self.exceptions
                 if (exception.from_ms, exception.until_ms) in stated}
        self.idle += stated.values()
        self.exceptions = [replace(exception, kind="stated") if exception.until_ms in spans else exception for exception in self.exceptions]
        for points in self.by_stretch.values():
            span = spans.get(points[0].t)
            if span is None:
                self.runs.append(([(points, 0)], []))
                continue
            stretches, between = self.runs[-1]
            last, add = stretches[-1]
            assert last[-1].t == span.from_ms
            stretches.append((points, last[-1].u + add + span.energy - points[0].u))
            between.append(span)

    # Rules 5 and 6.

    @property
    def events(self) -> list[Event]:
        rollovers = [Event("rollover", a.t, b.t) for a, b in zip(self.points, self.points[1:]) if b.k and a.segment == b.segment]
        outliers = [Event("outlier", t, t) for t in self.outliers]
        return sorted([*self.others, *self.exceptions, *self.frozen, *rollovers, *outliers], key=lambda event: event.order)

    def quarter(self, start_ms: int) -> Quarter:
        """Known where both ends lie in one stretch, or in stretches that stated spans join."""
        end_ms = start_ms + QUARTER_MS
        for stretches, between in self.runs:
            from_u, until_u = self._run_u(stretches, between, start_ms), self._run_u(stretches, between, end_ms)
            if from_u is not None and until_u is not None:
                is_stated = any(span.from_ms < end_ms and span.until_ms > start_ms for span in between)
                return Quarter(start_ms, floor(until_u) - floor(from_u), MANUAL if is_stated else self._worse(stretches, start_ms, end_ms))
        return Quarter(start_ms, None, UNKNOWN)

    @staticmethod
    def _run_u(stretches: list[tuple[list[Point], int]], between: list[Stated], t: int) -> Fraction | None:
        for points, add in stretches:
            value = u_at(points, t)
            if value is not None:
                return value + add
        for span, (points, add) in zip(between, stretches):
            if span.from_ms < t < span.until_ms:
                return points[-1].u + add + span.share(t)
        return None

    def _worse(self, stretches: list[tuple[list[Point], int]], start_ms: int, end_ms: int) -> str:
        """Of the ends, which no stated span parts."""
        points = next(points for points, _ in stretches if points[0].t <= start_ms and end_ms <= points[-1].t)
        return max(self._quality(points, start_ms), self._quality(points, end_ms), key=WORSE.index)

    def _quality(self, points: Sequence[Point], t: int) -> str:
        after = bisect_left(points, t, key=lambda point: point.t)
        neighbours = points[after:after + 1] if points[after].t == t else points[after - 1:after + 1]
        if any(point.t in self.by_hand for point in neighbours):
            return MANUAL
        return MEASURED if neighbours[-1].t - neighbours[0].t <= self.max_gap_ms else ESTIMATED

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
