"""Random recurrence rules and when they fall due by dateutil: "RULE start from to time ...", times in seconds of a wall clock.

Weeks of the year (BYWEEKNO) always with weekdays: without, dateutil means each day of the week, we the start's."""

from __future__ import annotations

import datetime as datetime_module
import random
import sys
import warnings
from datetime import datetime, timedelta

from dateutil.rrule import rrulestr

EPOCH = datetime(1970, 1, 1)
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def some(r: random.Random, values, most: int) -> str:
    return ",".join(str(value) for value in r.sample(list(values), r.randint(1, most)))


def random_rule(r: random.Random) -> str:
    frequency = r.choice(("DAILY", "WEEKLY", "MONTHLY", "YEARLY"))
    parts = [f"FREQ={frequency}"]
    if r.random() < 0.5:
        parts.append(f"INTERVAL={r.randint(1, 5)}")
    if r.random() < 0.3:
        parts.append(f"WKST={r.choice(DAYS)}")
    by = []
    signed = [n for n in range(-31, 32) if n]
    if r.random() < 0.3:
        by.append(f"BYMONTH={some(r, range(1, 13), 4)}")
    if frequency != "WEEKLY" and r.random() < 0.3:
        by.append(f"BYMONTHDAY={some(r, signed, 6)}")
    weeks = frequency == "YEARLY" and r.random() < 0.25
    if weeks:
        by.append(f"BYWEEKNO={some(r, [n for n in range(-10, 54) if n], 5)}")
    if frequency == "YEARLY" and r.random() < 0.2:
        by.append(f"BYYEARDAY={some(r, [n for n in range(-366, 367) if n], 30)}")
    if weeks or r.random() < 0.5:
        days = r.sample(DAYS, r.randint(1, 4))
        if frequency in ("MONTHLY", "YEARLY") and not weeks and r.random() < 0.6:
            furthest = 5 if frequency == "MONTHLY" or any(part.startswith("BYMONTH=") for part in by) else 53
            days = [f"{r.choice((-1, 1)) * r.randint(1, furthest)}{day}" for day in days]
        by.append("BYDAY=" + ",".join(days))
    if r.random() < 0.2:
        by.append(f"BYHOUR={some(r, range(24), 3)}")
    if r.random() < 0.2:
        by.append(f"BYMINUTE={some(r, range(60), 3)}")
    if r.random() < 0.05:
        by.append(f"BYSECOND={some(r, range(60), 3)}")
    if by and r.random() < 0.3:
        by.append(f"BYSETPOS={some(r, [n for n in range(-6, 7) if n], 3)}")
    r.shuffle(by)
    parts += by
    if r.random() < 0.3:
        parts.append(f"COUNT={r.randint(1, 60)}")
    return ";".join(parts)


def seconds(time: datetime) -> int:
    return (time - EPOCH) // timedelta(seconds=1)


def main() -> None:
    warnings.simplefilter("ignore", DeprecationWarning)  # COUNT and UNTIL together
    r = random.Random(int(sys.argv[1]))
    datetime_module.MAXYEAR = 2029  # where dateutil gives up searching for what never falls due
    for _ in range(250):
        text = random_rule(r)
        start = datetime(r.randint(1999, 2026), r.randint(1, 12), r.randint(1, 28), r.randint(0, 23), r.randint(0, 59))
        begin = datetime(r.randint(2024, 2027), r.randint(1, 12), r.randint(1, 28))
        end = begin + timedelta(days=r.choice((1, 40, 400)))
        last = (end - timedelta(seconds=1)).strftime("%Y%m%dT%H%M%S")
        found = [time for time in rrulestr(f"{text};UNTIL={last}", dtstart=start) if time >= begin]
        print(text, seconds(start), seconds(begin), seconds(end), *map(seconds, found))


if __name__ == "__main__":
    main()
