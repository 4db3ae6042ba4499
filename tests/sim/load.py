"""What the park uses, as exact integers: rates and cumulated amounts of every leaf and sum at any time.

A rate is in W (electricity, heat, cooling) or L/h (water, gas), an amount in grains: one grain is a thousandth of a
rate unit during one second. 1 Wh = 1 L = 3 600 000 grains, 1 J = 1 000 grains.

The idea that makes registers since EPOCH cheap: a day's amount is a formula of the day alone, and the day's shape
only divides it. So amount(t) = days before (cumulated once) + the day's amount shared out over 1 440 minutes by
weights + the minute's amount shared out over twelve slots of 5 s. All divisions are of cumulated weights, so
amounts never fall and the day's parts add up exactly. rate(t) is the slope of amount(t).
"""

from __future__ import annotations

import math
import random
from itertools import accumulate

from sim.calendar import (DAY, EPOCH, EPOCH_DAY, MINUTE, day_of_year, day_start, draw, fraction, is_workday, key_of,
                          local_day)

GRAINS_PER_WH = GRAINS_PER_L = 3_600_000
GRAINS_PER_J = 1_000
SLOT = 5_000
SLOTS = MINUTE // SLOT
DAYS_KEPT = 4


class Source:
    """Something with a cumulated amount and a rate."""

    def amount(self, time_ms: int) -> int:
        """Grains since EPOCH; never falls."""
        raise NotImplementedError

    def rate(self, time_ms: int) -> int:
        """Thousandths of a W or L/h."""
        raise NotImplementedError

    def peak_rate(self) -> float:
        """W or L/h that `rate` never exceeds."""
        raise NotImplementedError


class Leaf(Source):
    """Subclasses say what a day uses and how its minutes share it. `ripple`: how far the 5 s slots of a minute
    differ, in percent."""

    def __init__(self, key: int, ripple: int = 12):
        self.key = key
        self.ripple = ripple
        self.before = [0]  # before[i] = amount of the first i days since EPOCH
        self.minutes: dict[int, list[int]] = {}

    def day_amount(self, day: int) -> int:
        raise NotImplementedError

    def day_weights(self, day: int) -> list[int]:
        """1 440 weights >= 0, at least one of them positive."""
        raise NotImplementedError

    def amount(self, time_ms: int) -> int:
        if time_ms <= EPOCH:
            return 0
        day = local_day(time_ms)
        minute, rest = divmod(time_ms - day_start(day), MINUTE)
        cumulated = self._minutes_of(day)
        total = self._before(day) + cumulated[minute]
        if rest == 0:
            return total
        weights, whole = self._slots(day * 1440 + minute)
        slot, into = divmod(rest, SLOT)
        passed = sum(weights[:slot]) * SLOT + weights[slot] * into
        return total + (cumulated[minute + 1] - cumulated[minute]) * passed // (whole * SLOT)

    def rate(self, time_ms: int) -> int:
        day = local_day(time_ms)
        minute, rest = divmod(time_ms - day_start(day), MINUTE)
        cumulated = self._minutes_of(day)
        weights, whole = self._slots(day * 1440 + minute)
        return (cumulated[minute + 1] - cumulated[minute]) * weights[rest // SLOT] * 1000 // (whole * SLOT)

    def _before(self, day: int) -> int:
        while len(self.before) <= day - EPOCH_DAY:
            self.before.append(self.before[-1] + self.day_amount(EPOCH_DAY + len(self.before) - 1))
        return self.before[day - EPOCH_DAY]

    def _minutes_of(self, day: int) -> list[int]:
        known = self.minutes.get(day)
        if known is None:
            if len(self.minutes) >= DAYS_KEPT:
                del self.minutes[min(self.minutes)]
            amount = self.day_amount(day)
            weights = [0, *accumulate(self.day_weights(day))]
            known = self.minutes[day] = [amount * weight // weights[-1] for weight in weights]
        return known

    def _slots(self, number: int) -> tuple[list[int], int]:
        bits = draw(self.key, number)
        span = 2 * self.ripple + 1
        weights = [100 - self.ripple + (bits >> 5 * i & 31) * span // 32 for i in range(SLOTS)]
        return weights, sum(weights)


class Sum(Source):
    """A meter above others: what they use and the losses between, in thousandths."""

    def __init__(self, parts: list[Source], losses: int = 12):
        self.parts = parts
        self.losses = losses

    def amount(self, time_ms: int) -> int:
        return sum(part.amount(time_ms) for part in self.parts) * (1000 + self.losses) // 1000

    def rate(self, time_ms: int) -> int:
        return sum(part.rate(time_ms) for part in self.parts) * (1000 + self.losses) // 1000

    def peak_rate(self) -> float:
        return sum(part.peak_rate() for part in self.parts) * (1000 + self.losses) / 1000


def shape(*knots: tuple[float, float]) -> list[float]:
    """A level for each minute of the day, straight between (hour, level)."""
    levels = []
    for (hour, level), (next_hour, next_level) in zip(knots, knots[1:]):
        first, last = round(hour * 60), round(next_hour * 60)
        levels += [level + (next_level - level) * (m - first) / (last - first) for m in range(first, last)]
    assert len(levels) == 1440
    return levels


FLAT = shape((0, 1), (24, 1))
OFFICE = shape((0, 0), (7, 0), (8.6, .9), (11.6, 1), (12.2, .62), (13.2, .7), (13.8, 1), (17.2, .95), (18.6, .4),
               (21, .12), (22.5, 0), (24, 0))
OFFICE_WEEKEND = shape((0, 0), (9, 0), (10, .14), (16, .16), (18.5, .05), (20, 0), (24, 0))
OFFICE_AIR = shape((0, 0), (6.8, 0), (7.2, 1), (8.5, .85), (14.5, 1), (17.5, .8), (18.5, .25), (21, .1),
                   (22, 0), (24, 0))
LAB = shape((0, .12), (7.5, .12), (9, .85), (12, .95), (12.7, .75), (14, 1), (18, .9), (20, .5), (22.5, .2), (24, .12))
LAB_WEEKEND = shape((0, .12), (9, .12), (10.5, .4), (17, .42), (20, .15), (24, .12))

# Name of a use: its shape on working days and on others.
SHAPES = {
    "office": (OFFICE, OFFICE_WEEKEND),
    "office-air": (OFFICE_AIR, OFFICE_WEEKEND),
    "lab": (LAB, LAB_WEEKEND),
    "always": (FLAT, FLAT),
}
MEANS = {name: tuple(sum(levels) / 1440 for levels in pair) for name, pair in SHAPES.items()}


class Weather:
    """The outdoor temperature of the lower Yangtze: seasons, a few cold and warm spells, warmest at half past
    two."""

    def __init__(self, seed: int):
        self.key = key_of(seed, "weather")

    def day_mean(self, day: int) -> float:
        season = 16.8 + 12.0 * math.cos(2 * math.pi * (day_of_year(day) - 205) / 365.25)
        spell = sum(fraction(self.key, day + i) for i in range(3)) / 1.5 - 1  # neighbours share two of three draws
        return season + 5.0 * spell

    def temperature(self, time_ms: int) -> float:
        noon_to_noon = (time_ms - day_start(0)) / DAY - 0.5
        day = math.floor(noon_to_noon)
        share = noon_to_noon - day
        mean = self.day_mean(day) * (1 - share) + self.day_mean(day + 1) * share
        hour = (time_ms - day_start(local_day(time_ms))) / (DAY / 24)
        return mean + 4.2 * math.cos(2 * math.pi * (hour - 14.5) / 24)

    def cooling_need(self, day: int) -> float:
        return min(1.0, max(0.0, self.day_mean(day) - 17) / 13)

    def heating_need(self, day: int) -> float:
        return min(1.0, max(0.0, 15 - self.day_mean(day)) / 13)


class Use(Leaf):
    """A base all day and night, and a part that follows people's hours; `need` scales that part by the day's
    weather.

    `noise`: how far minutes differ, as a share (a lift is all noise, a data room has hardly any)."""

    def __init__(self, seed: int, name: str, base: float, peak: float, hours: str, noise: float = 0.06, need=None,
                 ripple: int = 12):
        super().__init__(key_of(seed, name), ripple)
        self.base = base
        self.peak = peak
        self.hours = hours
        self.noise = noise
        self.need = need

    def peak_rate(self) -> float:
        return (self.base + self.peak * 1.08) * (1 + self.noise) * (1 + self.ripple / 100) * 1.25

    def _height(self, day: int) -> float:
        height = self.peak * (0.92 + 0.16 * fraction(self.key, day))
        return height * self.need(day) if self.need else height

    def day_amount(self, day: int) -> int:
        mean = MEANS[self.hours][0 if is_workday(day) else 1]
        return round((self.base + self._height(day) * mean) * 86400 * 1000)

    def day_weights(self, day: int) -> list[int]:
        levels = SHAPES[self.hours][0 if is_workday(day) else 1]
        height, base, noise = self._height(day), self.base, self.noise
        numbers = random.Random(self.key ^ day).random
        return [int((base + height * level) * (1 - noise + 2 * noise * numbers()) * 100) + 1 for level in levels]
