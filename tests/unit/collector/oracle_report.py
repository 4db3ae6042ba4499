"""Courses of quarter hours at random, and what a report says of them, from the headers' words alone: wall time by
zoneinfo, in rationals.

    oracle_report.py SEED

Lines:  file ZONE BEGIN END CARRIER   a period, in seconds; carrier 0 electricity, 1 heat, 3 water
        q AMOUNT STATE                each quarter hour: 0 measured, 1 estimated, 2 manual, 3 to 5 not known, 6 there is none
        days DAYS MISSING ZERO FILLED ALLOWED SUFFICIENT
        demand KNOWN WHOLE START AMOUNT W
        night SUM COUNT UNKNOWN W     W is - where there is none
        mean WEEKEND QUARTER SUM COUNT UNKNOWN
        ratio NOW THEN DIFFERENCE PERMILLE
        before KIND NUMBER NUMBER     -1: there is none; kinds of 0 day, 1 month, 2 quarter, 3 year
        year KIND NUMBER NUMBER
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham", "Pacific/Apia"]
EPOCH = date(1970, 1, 1)


def rounded(value: Fraction) -> int:
    """Half away from zero."""
    size = int(abs(value) + Fraction(1, 2))
    return size if value >= 0 else -size


def watts(carrier: int, amount: int, quarters: int) -> str:
    if carrier == 3 or quarters == 0:
        return "-"
    return str(rounded(Fraction(amount * (3600 if carrier == 0 else 1), quarters * 900)))


def draw_course(draw: random.Random, count: int) -> list[tuple[int, int]]:
    """Days' worth of gaps and zeros as well as single ones."""
    size, course = 10 ** draw.randrange(1, 10), []
    while draw.randrange(2) and len(course) < count:  # whole days, of which half is missing, or nearly, or nothing was read
        if draw.randrange(3) == 0:
            course += [(draw.randrange(size), 1)] * 96
            course[-draw.randrange(1, 97)] = (draw.randrange(size), draw.choice([0, 1, 1, 2, 3]))
            continue
        missing = draw.choice([0, 47, 48, 49])
        day = [(0, draw.randrange(3, 7))] * missing + [(draw.randrange(size), 0)] * (96 - missing)
        course += draw.sample(day, 96)
    while len(course) < count:
        run = draw.choice([1, 1, 5, 47, 48, 49, 96, 200])
        kind = draw.randrange(10)
        for _ in range(run):
            if kind == 0 or (kind < 4 and draw.randrange(3) == 0):
                course.append((0, draw.randrange(3, 7)))
            elif kind == 4:
                course.append((0, 0))
            else:
                course.append((draw.choice([size, draw.randrange(-size // 5, size)]), draw.choice([0, 0, 0, 1, 2])))
    return course[:count]


def print_course(draw: random.Random, zone_name: str) -> None:
    zone, carrier = ZoneInfo(zone_name), draw.choice([0, 0, 1, 3])
    first = date(draw.choice([2011, 2026, 2026]), 12, 20) + timedelta(days=draw.randrange(-300, 5))
    begin, end = (int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) // 900 * 900
                  for day in (first, first + timedelta(days=draw.choice([1, 7, 30, 45]))))
    course = draw_course(draw, (end - begin) // 900)
    print("file", zone_name, begin, end, carrier)
    days, read, means, greatest = defaultdict(list), set(), defaultdict(list), None
    for i, (amount, state) in enumerate(course):
        print("q", amount, state)
        local = datetime.fromtimestamp(begin + i * 900, zone)
        value = amount if state < 3 else None
        days[local.date()].append(value)
        if state in (0, 2):  # what is interpolated was not read
            read.add(local.date())
        if state != 6:
            means[local.weekday() >= 5, local.hour * 4 + local.minute // 15].append(value)
        if value is not None and (greatest is None or value > greatest[1]):
            greatest = (begin + i * 900, value)
    missing = zero = filled = 0
    for day, values in days.items():
        known = [value for value in values if value is not None]
        if day not in read or Fraction(len(known), len(values)) < Fraction(1, 2):
            missing += 1
        elif carrier == 0 and Fraction(sum(known), len(known)) * len(values) == 0:
            missing, zero = missing + 1, zero + 1
        elif len(known) < len(values):
            filled += 1
    allowed = next(n for n in range(1000) if n * 10 >= len(days))
    print("days", len(days), missing, zero, filled, allowed, int(missing <= allowed and missing < len(days)))
    is_whole = int(all(state < 3 or state == 6 for _, state in course))
    print("demand", int(greatest is not None), is_whole, *(greatest or (0, 0)), watts(carrier, greatest[1], 1) if greatest else "-")
    night = [value for (_, quarter), values in means.items() if 2 <= quarter / 4 < 5 for value in values]
    known = [value for value in night if value is not None]
    print("night", sum(known), len(known), len(night) - len(known), watts(carrier, sum(known), len(known)))
    for (is_weekend, quarter), values in means.items():
        known = [value for value in values if value is not None]
        print("mean", int(is_weekend), quarter, sum(known), len(known), len(values) - len(known))


def print_ratio(draw: random.Random) -> None:
    size = 10 ** draw.randrange(1, 16)
    now, then = draw.randrange(size), draw.randrange(1, size)
    print("ratio", now, then, now - then, rounded(Fraction((now - then) * 1000, then)))


def number(kind: int, day: date) -> int:
    return [(day - EPOCH).days, (day.year - 1970) * 12 + day.month - 1, (day.year - 1970) * 4 + (day.month - 1) // 3, day.year - 1970][kind]


def print_before(draw: random.Random) -> None:
    day = draw.choice([EPOCH + timedelta(days=draw.randrange(30000)), date(draw.choice([1972, 2000, 2024, 2096]), 2, 29), EPOCH])
    for kind, first in enumerate([day, day.replace(day=1), day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1), day.replace(month=1, day=1)]):
        eve = first - timedelta(days=1)
        print("before", kind, number(kind, day), number(kind, eve) if eve >= EPOCH else -1)
        try:
            earlier = (day if kind == 0 else first).replace(year=day.year - 1)
        except ValueError:
            earlier = date(1, 1, 1)
        print("year", kind, number(kind, day), number(kind, earlier) if earlier >= EPOCH else -1)


def main() -> None:
    draw = random.Random(int(sys.argv[1]))
    for i in range(28):
        print_course(draw, ZONES[i % len(ZONES)])
    for _ in range(200):
        print_ratio(draw)
        print_before(draw)


main()
