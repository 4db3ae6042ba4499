"""Shared instruments: which are off, on standby, running."""

from __future__ import annotations

import random
from collections.abc import Iterator

from sim.calendar import MINUTE, day_start, is_workday, key_of, local_day
from sim.load import Leaf

OFF, STANDBY, RUNNING = 0, 1, 2
CLOSING_MINUTE = 20 * 60 + 30
PLANS_KEPT = 4


class Instrument(Leaf):
    """`watts`: power when off, on standby, running. `runs`: shortest and longest run in minutes. `use`: probability
    that a working day has runs. `rests`: the state at night and on idle days."""

    def __init__(self, seed: int, name: str, watts: tuple[float, float, float], runs: tuple[int, int],
                 use: float, rests: int):
        super().__init__(key_of(seed, name), ripple=6)
        self.watts = watts
        self.run_minutes = runs
        self.use = use
        self.rests = rests
        self.plans: dict[int, list[tuple[int, int]]] = {}

    def runs(self, day: int) -> list[tuple[int, int]]:
        """The day's runs as (first minute, minute after the last), in order and apart from each other."""
        known = self.plans.get(day)
        if known is None:
            if len(self.plans) >= PLANS_KEPT:
                del self.plans[min(self.plans)]
            known = self.plans[day] = self._plan(day)
        return known

    def state(self, time_ms: int) -> int:
        day = local_day(time_ms)
        return self._state(self.runs(day), (time_ms - day_start(day)) // MINUTE)

    def peak_rate(self) -> float:
        return self.watts[RUNNING] * 1.25

    def day_amount(self, day: int) -> int:
        return sum(self._spans(day)) * 60

    def day_weights(self, day: int) -> list[int]:
        runs = self.runs(day)
        milliwatts = [round(watts * 1000) for watts in self.watts]
        return [milliwatts[self._state(runs, minute)] for minute in range(1440)]

    def _spans(self, day: int) -> Iterator[int]:
        """Thousandths of a W times minutes, for each stretch of the day."""
        runs = self.runs(day)
        edges = sorted({0, 1440, *(edge for run in runs for edge in run), *self._powered(runs)})
        for first, last in zip(edges, edges[1:]):
            yield round(self.watts[self._state(runs, first)] * 1000) * (last - first)

    def _plan(self, day: int) -> list[tuple[int, int]]:
        rng = random.Random(self.key ^ day)
        if rng.random() >= (self.use if is_workday(day) else self.use * 0.25):
            return []
        shortest, longest = self.run_minutes
        runs = []
        minute = 8 * 60 + 40 + int(rng.random() * 110)
        while len(runs) < 4:
            last = minute + shortest + int(rng.random() * (longest - shortest))
            if last > CLOSING_MINUTE:
                break
            runs.append((minute, last))
            minute = last + 15 + int(rng.random() * 70)
        return runs

    def _powered(self, runs: list[tuple[int, int]]) -> tuple[int, int]:
        return (runs[0][0] - 30, runs[-1][1] + 15) if runs else (0, 0)

    def _state(self, runs: list[tuple[int, int]], minute: int) -> int:
        for first, last in runs:
            if first <= minute < last:
                return RUNNING
        first, last = self._powered(runs)
        return STANDBY if first <= minute < last else self.rests
