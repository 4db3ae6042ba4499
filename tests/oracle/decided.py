"""Seeded mixtures of what persons decide: over the exceptions of a history, and where there is none; sensible, and not."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from random import Random

from .decisions import Decisions, Replaced, Stated
from .ledger import Meter
from .mixtures import BEGIN, RATIOS
from .protocol import History


class _Person:
    def __init__(self, history: History, seed: int):
        self.random = Random(seed)
        self.history = history
        self.readings = dict(reversed(history.arrivals))  # the first to arrive
        self.times = sorted(self.readings)
        plain = Meter(history.segments, history.arrivals, history.max_gap_ms)
        self.spans = [(event.from_ms, event.until_ms) for event in plain.exceptions if event.until_ms is not None]

    def near(self, t: int) -> int:
        """A count that was read near t."""
        at = min(bisect_left(self.times, t), len(self.times) - 1)
        return self.readings[self.times[max(0, at - self.random.randint(0, 1))]]

    def some_time(self) -> int:
        random = self.random
        if self.spans and random.random() < 0.7:
            since, until = random.choice(self.spans)
            return random.choice((until, random.randint(since, until)))
        return random.choice((random.choice(self.times), random.randint(BEGIN, self.times[-1] + 1)))

    def outlier(self) -> list[int]:
        at = bisect_left(self.times, self.some_time())
        return self.times[at:at + self.random.randint(1, 3)] if self.random.random() < 0.9 else [self.some_time() + 1]

    def replaced(self) -> Replaced:
        random, t = self.random, self.some_time()
        old = next((s for s in self.history.segments if s.holds(t)), self.history.segments[-1])
        ratio = random.choice((*RATIOS, (old.p, old.q), (old.p, old.q)))
        end, start = self.near(t), self.near(t + 1)
        return Replaced(t, end, random.choice((start, start, end)), old.modulus, old.resolution, old.max_rate, *ratio)

    def by_hand(self) -> tuple[int, int]:
        t = self.some_time()
        return t, self.near(t) + self.random.choice((0, 0, 1, self.random.randint(-500, 500)))

    def decides(self) -> Decisions:
        random = self.random
        kinds = [random.choice(("outlier", "replaced", "replaced", "byhand")) for _ in range(random.choice((0, 1, 1, 2, 4)))]
        outliers = frozenset(t for kind in kinds if kind == "outlier" for t in self.outlier())
        replaced = {new.t: new for new in (self.replaced() for kind in kinds if kind == "replaced") if self._is_possible(new)}
        by_hand = dict(self.by_hand() for kind in kinds if kind == "byhand")
        decided = Decisions(outliers, tuple(replaced.values()), (), tuple(by_hand.items()))
        # What is left open is looked at with these in force; in time some of it will have changed.
        open_spans = [(event.from_ms, event.until_ms) for event in
                      Meter(self.history.segments, self.history.arrivals, self.history.max_gap_ms, decided).exceptions if event.until_ms is not None]
        stated = [Stated(since, until + (random.random() < 0.1), random.choice((0, random.randint(0, 10**6)))) for since, until in open_spans
                  if random.random() < 0.7]
        return replace(decided, stated=tuple(stated))

    def _is_possible(self, new: Replaced) -> bool:
        """Registers that the segments can show."""
        return all(segment.can_show(count) for segment in self.history.segments for count in (new.end, new.start))


def decided(history: History, seed: int) -> History:
    """The same readings, and what persons decide of them."""
    return replace(history, decisions=_Person(history, seed).decides()) if history.arrivals else history
