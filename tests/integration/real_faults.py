"""Real registers with faults put into them, and what must come out: worked out in rationals from the file's own running totals.

A Feeder is what was used and what its meter shows. `truth` is the running total of the file (time, Wh). `shown` is what arrives: readings that
are missing, wrong, or of another register. `told` are the times at which the register that is shown, rightly read, still tells the truth; U is
exact there, linear and rounded down between (design 7.5). `unknown` are the spans of which nobody can know: they begin and end at readings.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from fractions import Fraction
from random import Random

QUARTER_MS = 900_000
MAX_GAP_MS = 20 * 60_000
FAR = 20_000_000

Readings = list[tuple[int, int]]  # (time in ms, Wh), in order of time


@dataclass
class Share:
    """A period: what is known of it, of what quality, and for how long nothing is."""

    known: int = 0
    estimated: int = 0
    manual: int = 0
    known_quarters: int = 0
    estimated_quarters: int = 0
    exception_quarters: int = 0
    absent_quarters: int = 0  # before the quarter hour of the installation
    other_quarters: int = 0  # before the first reading or after the last

    @property
    def amount(self) -> int | None:
        return None if self.exception_quarters + self.other_quarters or not self.known_quarters else self.known

    @property
    def estimated_permille(self) -> int:
        """Of the energy, or of the time where there is none."""
        part, whole = (self.estimated, self.known) if self.known else (self.estimated_quarters, self.known_quarters)
        share = Fraction(part * 1000, whole) + Fraction(1, 2)
        return share.numerator // share.denominator


@dataclass
class Feeder:
    name: str
    truth: Readings
    max_rate: int
    shown: Readings = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    unknown: list[tuple[int, int]] = field(default_factory=list)
    stated: list[tuple[int, int]] = field(default_factory=list)  # unknown, until a person said what was used
    modulus: int | None = None
    replaced: tuple[int, int, int] | None = None  # as the park model has it: instant, old end, new start
    decided: tuple[int, int, int] | None = None  # as a person will say it, likewise
    events: dict[str, int] = field(default_factory=dict)

    def __post_init__(self):
        self.shown = self.shown or list(self.truth)
        self.told = self.told or [time_ms for time_ms, _ in self.truth]
        self.total = dict(self.truth)

    def used(self, time_ms: int) -> tuple[int, bool] | None:
        """U, and whether it is measured; None outside of what was told."""
        at = bisect_left(self.told, time_ms)
        if at < len(self.told) and self.told[at] == time_ms:
            return self.total[time_ms], True
        if at in (0, len(self.told)):
            return None
        before, after = self.told[at - 1], self.told[at]
        rise = Fraction((self.total[after] - self.total[before]) * (time_ms - before), after - before)
        return self.total[before] + rise.numerator // rise.denominator, after - before <= MAX_GAP_MS

    def share(self, begin_ms: int, end_ms: int) -> Share:
        share = Share()
        for start in range(begin_ms, end_ms, QUARTER_MS):
            until = start + QUARTER_MS
            first, last = self.used(start), self.used(until)
            if until <= self.truth[0][0]:
                share.absent_quarters += 1
            elif first is None or last is None:
                share.other_quarters += 1
            elif any(a < until and b > start for a, b in self.unknown):
                share.exception_quarters += 1
            else:
                amount = last[0] - first[0]
                share.known += amount
                share.known_quarters += 1
                if any(a < until and b > start for a, b in self.stated):
                    share.manual += amount
                elif not (first[1] and last[1]):
                    share.estimated += amount
                    share.estimated_quarters += 1
        return share

    def at(self, position: int) -> tuple[int, int]:
        """An instant in the middle between a reading and the one before, and the register there as the readings beside it have it."""
        (before, low), (after, high) = self.truth[position - 1], self.truth[position]
        return (before + after) // 2 // 1000 * 1000, low + (high - low) // 2


def rfc3339(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def places(random: Random, feeder: Feeder, number: int, apart: int) -> list[int]:
    """Positions of readings that are far from one another and from both ends."""
    found: list[int] = []
    while len(found) < number:
        at = random.randrange(apart, len(feeder.truth) - apart)
        if all(abs(at - other) >= apart for other in found):
            found.append(at)
    return sorted(found)


def lose(feeder: Feeder, spans: Iterable[tuple[int, int]]) -> Feeder:
    """The readings of these positions, the last not included, never arrive."""
    gone = {feeder.truth[i][0] for since, until in spans for i in range(since, until)}
    feeder.shown = [reading for reading in feeder.shown if reading[0] not in gone]
    feeder.told = [time_ms for time_ms in feeder.told if time_ms not in gone]
    return feeder


def roll(feeder: Feeder, modulus: int) -> list[int]:
    """Returns the positions of the first readings after each wrap."""
    turns = [count // modulus for _, count in feeder.shown]
    feeder.modulus = modulus
    feeder.shown = [(time_ms, count % modulus) for time_ms, count in feeder.shown]
    wraps = [i for i in range(1, len(turns)) if turns[i] > turns[i - 1]]
    feeder.events["rollover"] = len(wraps)
    return wraps


def lie(feeder: Feeder, positions: Iterable[int], random: Random) -> Feeder:
    """The readings there are far above anything that can have been used; or 0, where the register is far above that: near it, 0 and what follows
    could be another meter's."""
    wrong = {feeder.truth[i][0] for i in positions}
    highest = feeder.modulus or 10**15

    def shown(count: int) -> int:
        return random.choice(((count + FAR) % highest, 0 if FAR < count < highest - FAR else (count + FAR) % highest))

    feeder.shown = [(time_ms, shown(count) if time_ms in wrong else count) for time_ms, count in feeder.shown]
    feeder.told = [time_ms for time_ms in feeder.told if time_ms not in wrong]
    feeder.events["outliers"] = len(wrong)
    return feeder


def begin_again(feeder: Feeder, position: int, start: int) -> tuple[int, int]:
    """From an instant before this reading on another register is shown, which read `start` then. Returns the instant and the old register."""
    instant, end = feeder.at(position)
    feeder.shown = [(time_ms, count if time_ms < instant else start + feeder.total[time_ms] - end) for time_ms, count in feeder.shown]
    return instant, end


def replace_logged(feeder: Feeder, position: int, start: int) -> Feeder:
    instant, end = begin_again(feeder, position, start)
    feeder.replaced = (instant, end, start)
    return feeder
