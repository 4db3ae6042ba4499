"""Seeded random histories: mixtures of all that the table of faults knows, on meters of every kind, arriving in any order.

`mixture(seed)` draws from everything. `mixture(seed, is_telling=True)` leaves out what is physically indistinguishable from load, so that what the
ledger knows can be held against what the feeder used:

* a reading, or a register after an unlogged replacement, that is wrong by less than max_rate can have moved it in the time since (near, noise,
  near shift, 0 where the register is near 0 or near its modulus, a conflicting reading that arrives first);
* a modulus that is not far above what max_rate allows in the whole history: a counter set back then looks like one that rolled over;
* a logged register or instant that is wrong by so little (early log, wrong register), or missing (half log).

A register that lags (frozen, refresh) is in both: it moves energy to the time at which it is shown, which `shows` tells.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from random import Random

from .amounts import QUARTER_MS
from .protocol import History
from .register import DAY_MS, HOUR_MS, Segment

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
BEGIN = 1_772_409_600_000  # 2026-03-02 00:00 UTC
POLLS_MS = (MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, 15 * MINUTE_MS, 15 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, HOUR_MS, 6 * HOUR_MS)
RATIOS = ((1, 1), (1, 1), (40, 1), (200, 1), (1000, 3), (7, 5))
KINDS = ("gap", "gap", "zero", "zero", "high", "zeros", "frozen", "refresh", "slip", "restored", "unlogged", "logged", "logged", "ratio",
         "overload", "idle", "long gap", "again", "outside")
LOGGED = ("logged", "ratio", "early log", "half log", "wrong register")
INDISTINGUISHABLE = ("near", "noise", "near shift", "early log", "half log", "wrong register")

Seen = dict[int, tuple[int, int | None]]  # time -> (count, the time of what it shows; None: a lie)


class Load:
    """What the feeder uses: constant in each hour, in base units of the primary side."""

    def __init__(self, random: Random, hours: int, max_rate: int):
        levels = []
        while len(levels) < hours:
            level = random.choice((0, max_rate // 100, max_rate // 3, max_rate * 2 // 3, max_rate))
            levels += [level] * random.randint(1, 30)
        self.levels = levels[:hours]
        self._sum()

    def _sum(self) -> None:
        self.sums = [0, *accumulate(self.levels)]

    def set(self, since: int, until: int, level: int) -> None:
        """Times are rounded down to whole hours."""
        for hour in range((since - BEGIN) // HOUR_MS, min((until - BEGIN) // HOUR_MS, len(self.levels))):
            self.levels[hour] = level
        self._sum()

    def used(self, t: int) -> Fraction:
        hour, rest = divmod(t - BEGIN, HOUR_MS)
        return self.sums[hour] + Fraction(self.levels[hour] * rest, HOUR_MS)


@dataclass
class Mixture:
    history: History
    load: Load
    faults: list[str]
    shows: dict[int, int | None]


class Builder:
    def __init__(self, seed: int, is_telling: bool):
        self.random = random = Random(seed)
        self.is_telling = is_telling
        self.poll_ms = random.choice(POLLS_MS)
        self.number = random.randint(40, 200)
        self.resolution = random.choice((1, 10, 10, 100, 1000))
        self.ratio = random.choice(RATIOS)
        self.max_rate = random.choice((10_000, 100_000, 2_000_000)) * random.choice((1, self.ratio[0]))
        self.modulus = random.choice((None, None, 10**6, 10**8, 6_553_600))
        if self.modulus:
            self.modulus = max(self.modulus, 100 * self.resolution)
        self.until = BEGIN + self.poll_ms * self.number
        self.load = Load(random, self.poll_ms * self.number // HOUR_MS + 3, self.max_rate)
        self.reach = self.far(self.until - BEGIN) * self.ratio[0]  # no ratio is below 1
        if is_telling and self.modulus:
            self.modulus = 100 * self.reach // self.resolution * self.resolution
        self.kinds = [random.choice(KINDS if is_telling else KINDS + INDISTINGUISHABLE) for _ in range(random.randint(0, 6))]
        self.shifts: list[tuple[int, int | None, int]] = []
        self.segments = [self._segment(BEGIN - DAY_MS, None, self.ratio)]

    def _segment(self, since: int, start: int | None, ratio: tuple[int, int]) -> Segment:
        return Segment(since, start=start, modulus=self.modulus, resolution=self.resolution, max_rate=self.max_rate, p=ratio[0], q=ratio[1])

    def some_time(self) -> int:
        return self.random.randrange(BEGIN, self.until)

    def some_span(self, polls: int = 30) -> tuple[int, int]:
        since = self.some_time()
        return since, since + self.poll_ms * self.random.randint(1, polls)

    # The register: what is installed, and how it was shifted behind the ledger's back.

    def _changes(self) -> None:
        """In order of time, since each register depends on what was changed before."""
        kinds = [kind for kind in self.kinds if kind in (*LOGGED, "restored", "unlogged", "near shift")]
        for t, kind in zip(sorted(self.some_time() for _ in kinds), kinds):
            if kind == "restored":
                self.shifts.append((t, None, -self.random.randint(3, 300) * self.resolution))
            elif kind == "unlogged":
                self.shifts.append((t, self._new_register(self.register(t)), 0))
            elif kind == "near shift":
                self.shifts.append((t, None, self.random.randint(-1, 1) * self.far(self.poll_ms) // self.random.randint(1, 4)))
            elif t - self.segments[-1].from_ms > HOUR_MS:
                self._install(t, kind)

    def _install(self, t: int, kind: str) -> None:
        random, old = self.random, self.segments[-1]
        end = self.register(t)
        start = end if kind == "ratio" else self._new_register(end)
        self.shifts.append((t, start, 0))
        ratio = random.choice(RATIOS) if kind == "ratio" else (old.p, old.q)
        logged = t + random.randint(-25, 25) * MINUTE_MS if kind == "early log" else t
        if kind == "wrong register":
            end = max(0, end + random.choice((-1, 1)) * self.far(100 * MINUTE_MS))
            end = end % self.modulus if self.modulus else end
        closed = Segment(old.from_ms, logged, old.start, end, old.modulus, old.resolution, old.max_rate, old.p, old.q)
        opened = self._segment(logged, start, ratio)
        if kind == "half log":
            which = random.randrange(3)
            closed = closed if which == 0 else Segment(old.from_ms, logged, old.start, None, old.modulus, old.resolution, old.max_rate, old.p, old.q)
            opened = opened if which == 1 else self._segment(logged, None, ratio)
        self.segments[-1:] = [closed, opened]

    def _new_register(self, old: int) -> int:
        """0 or any; where it has to tell, neither near 0 nor where the old one could have been in the whole history."""
        highest = self.modulus or max(10**9, 100 * self.reach)
        while True:
            new = self.random.choice((0, self.random.randrange(highest))) // self.resolution * self.resolution
            if not self.is_telling or min((new - old) % highest, (old - new) % highest, new) > self.reach:
                return new

    def far(self, ms: int) -> int:
        """More counts than any load can move in that time."""
        return int(Fraction(6, 5) * self.max_rate * ms / HOUR_MS * self.ratio[1] / self.ratio[0]) + 100 * self.resolution

    def register(self, t: int) -> int:
        """What the register reads at t."""
        since, value = BEGIN - DAY_MS, self.first
        ratio = self._ratio_at(t)
        for shifted, start, add in sorted(self.shifts, key=lambda shift: shift[0]):
            if shifted <= t:
                value = start if start is not None else self._moved(value, since, shifted) + add
                since = shifted
        value = self._moved(value, since, t, ratio)
        return value % self.modulus if self.modulus else value

    def _ratio_at(self, t: int) -> Fraction:
        segment = self.segments[max(0, bisect_right([s.from_ms for s in self.segments], t) - 1)]
        return segment.ratio

    def _moved(self, value: int, since: int, until: int, ratio: Fraction | None = None) -> int:
        begins = max(since, BEGIN)
        counts = (self.load.used(until) - self.load.used(begins)) / (ratio or self._ratio_at(begins))
        return value + int(counts // self.resolution) * self.resolution

    def build(self) -> Mixture:
        random = self.random
        highest = self.modulus or max(10**9, 100 * self.reach)
        near_end = highest - random.randrange(1, self.far(self.until - BEGIN))
        self.first = random.choice((0, near_end, random.randrange(10**6))) // self.resolution * self.resolution % highest
        if self.is_telling:
            self.first = near_end // self.resolution * self.resolution if self.modulus else self.reach + self.first
            self.kinds = ["high" if self.modulus and kind in ("zero", "zeros") else kind for kind in self.kinds]
        for kind in self.kinds:
            if kind == "overload":
                since, until = self.some_span(60)
                self.load.set(since, until, self.max_rate * 2)
            elif kind == "idle":
                self.load.set(*self.some_span(60), 0)
        self._changes()
        seen = self._faults(self._polled())
        history = History(self.segments, self._arrivals({t: count for t, (count, _) in seen.items()}), random.choice((5, 20, 20, 90)) * MINUTE_MS)
        history.from_ms = BEGIN - QUARTER_MS
        history.until_ms = (self.until // QUARTER_MS + 2) * QUARTER_MS
        return Mixture(history, self.load, self.kinds, {t: shown for t, (_, shown) in seen.items()})

    # The readings: when they were taken, and what was wrong with them.

    def _polled(self) -> Seen:
        random = self.random
        phase = random.choice((0, 0, random.randrange(self.poll_ms)))
        jitter = random.choice((0, 0, 2 * SECOND_MS))
        times = (BEGIN + phase + self.poll_ms * i + random.randint(-jitter, jitter) for i in range(self.number))
        return {t: (self.register(t), t) for t in times if t >= BEGIN}

    def _faults(self, seen: Seen) -> Seen:
        for kind in self.kinds:
            since, until = self.some_span()
            inside = [t for t in seen if since <= t < until]
            if kind == "gap":
                self._remove(seen, inside)
            elif kind == "long gap":
                self._remove(seen, [t for t in seen if since <= t < since + self.random.randint(1, 60) * HOUR_MS])
            elif kind == "zeros":
                seen.update((t, (0, None)) for t in inside)
            elif kind == "frozen" and inside:
                seen.update((t, seen[min(inside)]) for t in inside)
            elif kind == "refresh":
                every = self.random.randint(2, 20)
                held = sorted(seen)
                seen.update((t, seen[held[i // every * every]]) for i, t in enumerate(held))
            elif seen:
                self._one(kind, seen)
        if self.is_telling:  # a lagging register shows the meter before
            self._remove(seen, [t for t, (_, shown) in seen.items() if shown and any(shown < s.from_ms <= t for s in self.segments)])
        return seen

    def _one(self, kind: str, seen: Seen) -> None:
        random = self.random
        t = random.choice(sorted(seen))
        count, shown = seen[t]
        if kind == "zero":
            seen[t] = 0, None
        elif kind == "high":
            seen[t] = count + self.reach, None
        elif kind == "slip":
            seen[t] = count - random.randint(1, 2) * self.resolution, shown
        elif kind == "near":
            seen[t] = count + random.randint(-2, 2) * self.far(self.poll_ms) // 3, None
        elif kind == "noise":
            for at in sorted(seen)[sorted(seen).index(t):][:random.randint(1, 5)]:
                seen[at] = random.randrange(self.modulus or 10**8), None
        elif kind == "outside":
            seen[random.choice((BEGIN - 3 * DAY_MS, t + 1))] = random.choice((-1, 10**15 + 1, 10**15)), None

    @staticmethod
    def _remove(seen: Seen, times: list[int]) -> None:
        for t in times:
            del seen[t]

    def _arrivals(self, seen: dict[int, int]) -> list[tuple[int, int]]:
        random = self.random
        arrivals = sorted(seen.items())
        for kind in self.kinds:
            if kind == "again" and arrivals:
                at = random.randrange(len(arrivals))
                t, count = arrivals[at]
                arrivals.insert(random.randint(at + 1, len(arrivals)), (t, count if self.is_telling else random.choice((count, count + self.resolution, 0))))
        order = random.choice(("in time", "in time", "late block", "shuffled", "backwards"))
        if order == "late block":
            since, until = sorted(random.randint(0, len(arrivals)) for _ in range(2))
            arrivals = arrivals[:since] + arrivals[until:] + arrivals[since:until]
        elif order == "shuffled":
            random.shuffle(arrivals)
        elif order == "backwards":
            arrivals.reverse()
        return arrivals


def mixture(seed: int, is_telling: bool = False) -> Mixture:
    return Builder(seed, is_telling).build()


def mixtures(seed: int, readings: int, is_telling: bool = False) -> Iterator[tuple[int, Mixture]]:
    """Mixtures with their seeds, until they hold so many readings."""
    drawn = 0
    while drawn < readings:
        made = mixture(seed, is_telling)
        drawn += len(made.history.arrivals)
        yield seed, made
        seed += 1
