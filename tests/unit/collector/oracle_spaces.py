"""Doors of a space at random, over days on which clocks change, and what its quarter hours must be by the rules O2 to O4 of
CONTRIBUTING.md alone: tick by tick, looking back from each one (what is tested walks forward and reckons only what changed).

    oracle_spaces.py SEED

Lines, times in milliseconds of UTC:
    park ZONE RESET                                      a space "hall" with doors d (in, out) and e (e.in, e.out); RESET "HH:MM" or -
    r POINT COUNT TIME                                   a reading
    c TIME PERSONS                                       somebody counted
    w SOURCE START OBSERVED OCCUPIED NEGATIVE LEVEL MIN MAX ENTRIES EXITS     a row; level: thousandths of a person x ms
    end                                                  of the scenario: these are all its rows
"""

from __future__ import annotations

import random
import sys
from bisect import bisect_right
from datetime import date, datetime, time, timedelta, timezone
from fractions import Fraction
from functools import cache
from math import floor
from zoneinfo import ZoneInfo

TICK = 30_000
QUARTER = 900_000
GAP = 900_000
PER_HOUR = 3600
HOLD = 7 * 86_400_000
STREAMS = ("in", "out", "e.in", "e.out")
Reading = tuple[int, int]
Told = tuple[int, int, int, bool]  # when, in, out, lost


def rounded(value: Fraction) -> int:
    return floor(value + Fraction(1, 2)) if value >= 0 else -floor(-value + Fraction(1, 2))


def resets(zone: ZoneInfo, at: str, begin: int, end: int) -> list[int]:
    hour, minute = map(int, at.split(":"))
    first = datetime.fromtimestamp(begin / 1000, timezone.utc).date() - timedelta(days=2)
    found = []
    day: date = first
    while len(found) < 14:
        found.append(int(datetime.combine(day, time(hour, minute), tzinfo=zone).timestamp()) * 1000)
        day += timedelta(days=1)
    return found


def step(before: Reading, after: Reading) -> int | None:
    """People who passed; None: nobody knows. Without a modulus."""
    ms = max(after[0] - before[0], 60_000)
    most = PER_HOUR * ms // 3_600_000
    if 0 <= after[1] - before[1] <= most:
        return after[1] - before[1]
    if after[1] < before[1] and after[1] <= most:
        return after[1]
    return None


class Scene:
    def __init__(self, rng: random.Random):
        self.zone = rng.choice(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"])
        self.reset = rng.choice(["04:00", "02:30", "02:10", "-"])
        begin = {"Europe/Berlin": rng.choice([1774656000000, 1792800000000]), "Australia/Lord_Howe": 1775260800000}.get(self.zone, 1767225600000)
        self.begin, self.end = begin, begin + rng.choice([1, 2, 3]) * 86_400_000
        self.readings = {name: self.draw(rng) for name in STREAMS}
        self.counts = {begin + rng.randrange(2880) * TICK: rng.randrange(12) for _ in range(rng.randrange(4))}
        found = dict.fromkeys(resets(ZoneInfo(self.zone), self.reset, begin, self.end), 0) if self.reset != "-" else {}
        self.anchors = sorted({**found, **self.counts}.items())
        self.newest = max(r[-1][0] for r in self.readings.values())
        self.told = sorted(told for name in STREAMS for told in self.tell(name))
        self.told_at = [t[0] for t in self.told]

    def draw(self, rng: random.Random) -> list[Reading]:
        readings, at, count = [], self.begin + rng.randrange(20) * TICK, rng.randrange(50)
        while at < self.end:
            readings.append((at, count))
            at += rng.choice([TICK, 300_000, 300_000, 300_000, 600_000, GAP, GAP + TICK if rng.random() < 0.2 else 300_000, 7_200_000 if rng.random() < 0.03 else 300_000])
            count += rng.choice([0, 0, 0, 1, 2, 5])
            if rng.random() < 0.004:
                count = rng.choice([0, count + 5_000])
        return readings

    def tell(self, name: str) -> list[Told]:
        readings = self.readings[name]
        told: list[Told] = [(readings[0][0], 0, 0, True)]
        for before, after in zip(readings, readings[1:]):
            passed = step(before, after)
            splits = after[0] - before[0] > GAP and any(before[0] < a < after[0] for a, _ in self.anchors)
            if passed is None or (passed > 0 and splits):
                told.append((after[0], 0, 0, True))
            else:
                told.append((after[0], passed, 0, False) if name.endswith("in") else (after[0], 0, passed, False))
        return told

    def is_heard(self, at: int) -> bool:
        for readings in self.readings.values():
            i = bisect_right(readings, (at, 1 << 62))
            if i in (0, len(readings)) or readings[i][0] - readings[i - 1][0] > GAP:
                return False
        return True

    def since(self, anchor: int, until: int) -> list[Told]:
        return self.told[bisect_right(self.told_at, anchor) : bisect_right(self.told_at, until)]

    def live(self, at: int) -> Fraction | None:
        before = [a for a in self.anchors if a[0] <= at]
        if not before or at - before[-1][0] >= HOLD or not self.is_heard(at):
            return None
        since = self.since(before[-1][0], at)
        return None if any(t[3] for t in since) else Fraction(before[-1][1] + sum(t[1] - t[2] for t in since))

    @cache
    def factors(self, a0: int, start: int, a1: int, end: int) -> tuple[Fraction, Fraction] | None:
        """By which who went in and out between two anchors is scaled; None: it is not."""
        between = self.since(a0, a1)
        if a1 > self.newest or a1 - a0 > HOLD or any(t[3] for t in between):
            return None
        went_in, went_out = sum(t[1] for t in between), sum(t[2] for t in between)
        residual = start + went_in - went_out - end
        stream = went_out if residual > 0 else went_in
        if residual and (stream == 0 or abs(residual) > stream):
            return None
        return (
            Fraction(end + went_out - start, went_in) if residual < 0 else Fraction(1),
            Fraction(start + went_in - end, went_out) if residual > 0 else Fraction(1),
        )

    def corrected(self, at: int) -> Fraction | None:
        for (a0, start), (a1, end) in zip(self.anchors, self.anchors[1:]):
            scales = self.factors(a0, start, a1, end) if a0 <= at < a1 else None
            if scales is None or not self.is_heard(at):
                continue
            so_far = self.since(a0, at)
            went_in, went_out = (rounded(sum(t[k] for t in so_far) * f * 1000) for k, f in ((1, scales[0]), (2, scales[1])))
            return start + Fraction(went_in - went_out, 1000)
        return None

    def has_row(self, quarter: int) -> bool:
        for readings in self.readings.values():
            if any(quarter <= at < quarter + QUARTER for at, _ in readings):
                return True
            if any(a[0] < quarter + QUARTER and b[0] >= quarter and b[0] - a[0] <= GAP for a, b in zip(readings, readings[1:])):
                return True
        return False

    def print_row(self, source: str, quarter: int) -> None:
        level = self.live if source == "live" else self.corrected
        levels = [x * 1000 for x in map(level, range(quarter, quarter + QUARTER, TICK)) if x is not None]
        total = sum(max(Fraction(0), x) for x in levels) * TICK
        edges = (min(levels), max(levels)) if levels else (0, 0)
        told = [t for t in self.told if quarter <= t[0] < quarter + QUARTER] if source == "live" else []
        print("w", source, quarter, len(levels) * TICK, sum(x > 0 for x in levels) * TICK, sum(x < 0 for x in levels) * TICK, total, *edges,
              sum(t[1] for t in told), sum(t[2] for t in told))

    def print(self, rng: random.Random) -> None:
        print("park", self.zone, self.reset)
        lines = [f"r {name} {count} {at}" for name in STREAMS for at, count in self.readings[name]]
        lines += [f"c {at} {persons}" for at, persons in self.counts.items()]
        lines.sort(key=lambda line: int(line.split()[-1]) if line[0] == "r" else 0)
        if rng.random() < 0.5:
            rng.shuffle(lines)
        print("\n".join(lines))
        over = [a for a, _ in self.anchors if a <= self.newest]
        for quarter in range(self.begin - QUARTER, self.end + 8 * QUARTER, QUARTER):
            if self.has_row(quarter):
                self.print_row("live", quarter)
                if len(over) > 1 and over[0] < quarter + QUARTER and quarter < over[-1]:
                    self.print_row("corrected", quarter)
        print("end")


def main() -> None:
    rng = random.Random(int(sys.argv[1]))
    for _ in range(4):
        Scene(rng).print(rng)


main()
