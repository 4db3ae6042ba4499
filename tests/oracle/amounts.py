"""What the ledger says of a quarter hour and of a period: rules 6, 8 and 11 of section 7."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

QUARTER_MS = 15 * 60_000
MEASURED, ESTIMATED, MANUAL, UNKNOWN = "measured", "estimated", "manual", "unknown"
WORSE = (MEASURED, ESTIMATED, MANUAL, UNKNOWN)


@dataclass(frozen=True)
class Quarter:
    start_ms: int
    amount: int | None
    quality: str


@dataclass(frozen=True)
class Total:
    """A period: `amount` is None where any quarter is unknown, and then `known` and `unknown_s` stand beside it (rule 6)."""

    amount: int | None
    known: int
    unknown_s: int
    estimated: int

    @property
    def estimated_share(self) -> Fraction:
        return Fraction(self.estimated, self.known) if self.known else Fraction(0)


def total(quarters: Iterable[Quarter]) -> Total:
    """Rule 6."""
    listed = list(quarters)
    known = [quarter for quarter in listed if quarter.quality != UNKNOWN]
    amount = sum(quarter.amount for quarter in known)
    return Total(amount if len(known) == len(listed) else None, amount, (len(listed) - len(known)) * QUARTER_MS // 1000,
                 sum(quarter.amount for quarter in known if quarter.quality == ESTIMATED))


def balance(parent: Sequence[Quarter], children: Sequence[Sequence[Quarter]]) -> list[Quarter]:
    """Rule 11: the gap as a virtual meter; a missing member makes its quarter unknown."""
    gaps = []
    for members in zip(parent, *children, strict=True):
        quality = max((member.quality for member in members), key=WORSE.index)
        gaps.append(Quarter(members[0].start_ms, None if quality == UNKNOWN else members[0].amount - sum(m.amount for m in members[1:]), quality))
    return gaps


def versions(meters: Iterable[Meter], from_ms: int, until_ms: int) -> dict[int, list[Quarter]]:
    """Rule 8: the versions of each quarter, oldest first, as the states of a meter after one batch or decision after the other write them."""
    written: dict[int, list[Quarter]] = {}
    for meter in meters:
        for quarter in meter.quarters(from_ms, until_ms):
            rows = written.setdefault(quarter.start_ms, [])
            if rows and rows[-1] != quarter or not rows and meter.is_decided(quarter):
                rows.append(quarter)
    return written
