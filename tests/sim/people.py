"""People in spaces: groups come, stay and leave, so that door counters, people counts, CO2 and motion agree."""

from __future__ import annotations

import random

from sim.calendar import EPOCH, EPOCH_DAY, HOUR, MINUTE, SECOND, day_start, draw, is_workday, key_of, local_day
from sim.load import Weather

DAYS_KEPT = 4


class Space:
    """`kind`: "meeting" (a few groups a day), "open" (morning and afternoon, some overtime), "lab" (the same, fewer
    and longer)."""

    def __init__(self, seed: int, name: str, kind: str, capacity: int, weather: Weather):
        self.key = key_of(seed, name)
        self.kind = kind
        self.capacity = capacity
        self.weather = weather
        self.before = [0]
        self.days: dict[int, list[tuple[int, int, int, int]]] = {}

    def groups(self, day: int) -> list[tuple[int, int, int, int]]:
        """(first arrival, first departure, people, ms between two of them); all are gone before midnight."""
        known = self.days.get(day)
        if known is None:
            if len(self.days) >= DAYS_KEPT:
                del self.days[min(self.days)]
            known = self.days[day] = self._plan(day)
        return known

    def entries(self, time_ms: int) -> int:
        return self._passed(time_ms, 0)

    def exits(self, time_ms: int) -> int:
        return self._passed(time_ms, 1)

    def people(self, time_ms: int) -> int:
        return self.entries(time_ms) - self.exits(time_ms)

    def motion(self, time_ms: int) -> int:
        """A passive infrared sensor sees people who sit still only now and then."""
        people = self.people(time_ms)
        seen = draw(self.key, time_ms // (20 * SECOND)) % 100
        return 1 if seen < min(95, 25 * people) else 0

    def co2(self, time_ms: int) -> float:
        """ppm; follows the people of the last half hour."""
        felt = sum(self.people(time_ms - i * 5 * MINUTE) for i in range(6)) / 6
        wobble = draw(self.key, time_ms // (10 * SECOND)) % 9
        return 420 + 620 * min(1.5, felt / max(4, self.capacity)) + wobble

    def temperature(self, time_ms: int) -> float:
        outside = self.weather.temperature(time_ms)
        wobble = draw(self.key, time_ms // MINUTE) % 5 / 20
        return 22.5 + 0.12 * (outside - 18) + 1.2 * self.people(time_ms) / max(4, self.capacity) + wobble

    def _passed(self, time_ms: int, which: int) -> int:
        if time_ms <= EPOCH:
            return 0
        day = local_day(time_ms)
        while len(self.before) <= day - EPOCH_DAY:
            yesterday = EPOCH_DAY + len(self.before) - 1
            self.before.append(self.before[-1] + sum(group[2] for group in self._plan(yesterday)))
        count = self.before[day - EPOCH_DAY]
        for group in self.groups(day):
            if time_ms >= group[which]:
                count += min(group[2], (time_ms - group[which]) // group[3] + 1)
        return count

    def _plan(self, day: int) -> list[tuple[int, int, int, int]]:
        rng = random.Random(self.key ^ day)
        start = day_start(day)
        workday = is_workday(day)
        groups = []

        def group(first_hour: float, last_hour: float, people: float, spread_ms: int) -> None:
            count = int(people)
            if count > 0:
                gap = max(SECOND, spread_ms // count)
                groups.append((start + int(first_hour * HOUR), start + int(last_hour * HOUR), count, gap))

        if self.kind == "meeting":
            hour = 8.5 + rng.random()
            while hour < (17.5 if workday else 9):
                length = 0.5 + 1.5 * rng.random()
                if rng.random() < 0.62:
                    group(hour, hour + length, self.capacity * (0.15 + 0.7 * rng.random()), 4 * MINUTE)
                hour += length + 0.2 + 0.8 * rng.random()
        else:
            share = (0.45 if self.kind == "lab" else 0.6) + 0.3 * rng.random()
            if not workday:
                share *= 0.12
            group(8.1 + 0.4 * rng.random(), 11.6, self.capacity * share, 45 * MINUTE)
            group(12.6, 17.2 + 0.3 * rng.random(), self.capacity * share, 40 * MINUTE)
            group(17.5 + 0.9 * rng.random(), 20.6, self.capacity * share * 0.2, 30 * MINUTE)
        return groups
