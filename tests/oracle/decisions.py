"""What a person decided of a meter, as the slow model takes it: CONTRIBUTING.md, E10 and E11.

Decisions are an overlay. Those of readings and segments change what is folded; that of energy changes nothing of what is believed, and is laid over
what the fold has left unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from .register import Segment


@dataclass(frozen=True)
class Replaced:
    """At `t` the register read `end`, and from then on it is another, or the same one set back, that begins at `start`."""

    t: int
    end: int
    start: int
    modulus: int | None = None
    resolution: int = 1
    max_rate: int = 0
    p: int = 1
    q: int = 1


@dataclass(frozen=True)
class Stated:
    """The energy from one reading to another, between which nobody knows what happened."""

    from_ms: int
    until_ms: int
    energy: int

    def share(self, t: int) -> Fraction:
        return Fraction(self.energy * (t - self.from_ms), self.until_ms - self.from_ms)


@dataclass(frozen=True)
class Decisions:
    outliers: frozenset[int] = frozenset()
    replaced: tuple[Replaced, ...] = ()
    stated: tuple[Stated, ...] = ()
    by_hand: tuple[tuple[int, int], ...] = ()


NONE = Decisions()


def divided(segments: Iterable[Segment], replaced: Iterable[Replaced]) -> tuple[list[Segment], list[Replaced]]:
    """The segments with what was replaced; and what has no object: no segment has its instant inside."""
    found, idle = list(segments), []
    for new in sorted(replaced, key=lambda one: one.t):
        at = next((i for i, old in enumerate(found) if old.from_ms < new.t and old.holds(new.t)), None)
        if at is None:
            idle.append(new)
            continue
        old = found[at]
        found[at:at + 1] = [replace(old, until_ms=new.t, end=new.end),
                            Segment(new.t, old.until_ms, new.start, old.end, new.modulus, new.resolution, new.max_rate, new.p, new.q)]
    return found, idle
