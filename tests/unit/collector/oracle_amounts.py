"""Amounts of steps, from rows of quarter hours, by Python's zoneinfo and the words of collector/energy/*.h alone.

    oracle_amounts.py SEED

Lines, times in milliseconds:  case ZONE KIND FROM UNTIL DUE_FROM DUE_UNTIL NOW
                               row START VERSION AMOUNT|- QUALITY
                               step BEGIN END AMOUNT|- KNOWN UNKNOWN_S ESTIMATED ESTIMATED_S MANUAL MANUAL_S
                                    WAITING_S FUTURE_S ABSENT_S DUE COVERED WORST
                               end
"""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

QUARTER = 900_000
CASES = 120
KINDS = ("quarter_hour", "hour", "day", "month", "whole")
# Days of 23, 25, 23.5, 24.5 hours, and of none.
PLACES = [("Asia/Shanghai", 2026, 10), ("Europe/Berlin", 2026, 3), ("Europe/Berlin", 2026, 10), ("Australia/Lord_Howe", 2026, 4),
          ("Australia/Lord_Howe", 2026, 10), ("Asia/Kathmandu", 2026, 1), ("Pacific/Apia", 2011, 12), ("UTC", 2026, 2),
          ("America/New_York", 2026, 11), ("Africa/Casablanca", 2026, 2), ("Africa/Casablanca", 2026, 3)]
MEASURED, ESTIMATED, MANUAL, UNKNOWN, WAITING, FUTURE, ABSENT = range(7)


def wall(zone: ZoneInfo, time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000, UTC).astimezone(zone)


def label(zone: ZoneInfo, kind: str, time: int):
    shown = wall(zone, time)
    return {"quarter_hour": time, "hour": (shown.date(), shown.hour, shown.utcoffset()), "day": shown.date(),
            "month": (shown.year, shown.month), "whole": 0}[kind]


def make_rows(r: random.Random, start: int, count: int) -> dict[int, list[tuple[int | None, int]]]:
    """By quarter hour its versions, oldest first."""
    rows = {}
    density = r.choice((0.7, 0.98, 1, 1))
    clean = r.random() < 0.4
    for i in range(-4, count + 4):  # also outside the period
        if r.random() >= density:
            continue
        versions = []
        for _ in range(r.choice((1, 1, 1, 2, 4))):
            quality = r.choice((MEASURED, MEASURED, MEASURED, ESTIMATED, MANUAL) + (() if clean else (UNKNOWN,)))
            amount = r.choice((0, r.randrange(-500, 5000), r.randrange(10**12)))
            versions.append((None, UNKNOWN) if quality == UNKNOWN else (amount, quality))
        rows[start + i * QUARTER] = versions
    return rows


def state_of(rows, time: int, due_from: int, due_until: int, now: int) -> tuple[int, int]:
    if time in rows:
        amount, quality = rows[time][-1]
        return (amount or 0, quality)
    if not (time + QUARTER > due_from and time < due_until):
        return (0, ABSENT)
    return (0, WAITING if time + QUARTER <= now else FUTURE)


def step(begin: int, quarters: list[tuple[int, int]]) -> str:
    def seconds(*states: int) -> int:
        return 900 * sum(state in states for _, state in quarters)

    def total(*states: int) -> int:
        return sum(amount for amount, state in quarters if state in states)
    known = total(MEASURED, ESTIMATED, MANUAL)
    states = {state for _, state in quarters}
    worst = next((state for state in (UNKNOWN, WAITING, FUTURE) if state in states), max(states - {ABSENT} or states, default=MEASURED))
    due = seconds(MEASURED, ESTIMATED, MANUAL, UNKNOWN, WAITING) // 900
    return " ".join(str(field) for field in (
        "step", begin, begin + len(quarters) * QUARTER, known if worst <= MANUAL else "-", known, seconds(UNKNOWN),
        total(ESTIMATED), seconds(ESTIMATED), total(MANUAL), seconds(MANUAL), seconds(WAITING), seconds(FUTURE),
        seconds(ABSENT), due, seconds(MEASURED, MANUAL) // 900, worst))


def case(r: random.Random) -> None:
    name, year, month = r.choice(PLACES)
    zone, kind = ZoneInfo(name), r.choice(KINDS)
    around = int(datetime(year, month, r.choice((1, 4, 8, 25, 28)), tzinfo=UTC).timestamp() * 1000)
    start = around + r.randrange(-100, 100) * QUARTER
    count = r.choice((0, 1, r.randrange(2, 120), r.randrange(2, 1500)))
    until = start + count * QUARTER
    due_from, due_until, now = (r.choice((0, start + r.randrange(0, count * QUARTER + 1))),
                                r.choice((2**62, start + r.randrange(0, count * QUARTER + 1))),
                                r.choice((2**61, start + r.randrange(0, count * QUARTER + 1))))
    if due_until < due_from:
        due_from, due_until = due_until, due_from
    rows = make_rows(r, start, count)
    print("case", name, KINDS.index(kind), start, until, due_from, due_until, now)
    for time, versions in rows.items():
        for version, (amount, quality) in enumerate(versions, 1):
            print("row", time, version, "-" if amount is None else amount, quality)
    times = range(start, until, QUARTER)
    groups = [(key, list(members)) for key, members in groupby(times, lambda time: label(zone, kind, time))]
    if kind == "whole" and not groups:
        print(step(start, []))
    for _, members in groups:
        print(step(members[0], [state_of(rows, time, due_from, due_until, now) for time in members]))
    print("end")


def main() -> None:
    r = random.Random(int(sys.argv[1]))
    for _ in range(CASES):
        case(r)


main()
