"""Baselines at random, and what their models must be, from the header's words alone: normal equations in exact rationals
(what is tested makes columns orthogonal in doubles), wall time by zoneinfo.

    oracle_expected.py SEED [hours | people]

Lines:  baseline STEP MODEL HF HT CF CT PEOPLE    0 day, 1 month; 0 mean, 1 heating, 2 cooling, 3 both; -1 = none; 1: it goes by people
        b MONTH STATE ENERGY TEMPERATURE PEOPLE   a day of the baseline: state 0 whole, 1 filled, 2 missing, 3 zero; - = none
        r MONTH STATE ENERGY TEMPERATURE PEOPLE   a day of the reporting period
        model REASON DAYS MISSING FILLED PERIODS
        fit H C BASE SLOPE_H SLOPE_C SLOPE_P T_H T_C T_P R2 CV LAG1    where there is one
        avoided REASON DAYS MISSING OUTSIDE METERED EXPECTED AVOIDED UNCERTAINTY
With "hours":
        hours ZONE BEGIN END               a day, in seconds
        q TEMPERATURE                      each of its quarter hours
        mean TEMPERATURE                   - = none
With "people":
        people ZONE BEGIN END SPACES       some days, in seconds
        w SPACE START OBSERVED LEVEL       a quarter hour of a space, in seconds and milliseconds (of thousandths of a person)
        day PEOPLE                         each of the days; - = none
"""

from __future__ import annotations

import math
import random
import sys
from collections import defaultdict
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

MEAN, HEATING, COOLING, BOTH, PEOPLE = range(5)
GOOD, DAYS_MISSING, MONTHS_MISSING, NO_WEATHER, NEGATIVE, INSIGNIFICANT, CV_RMSE, NMBE, NO_PEOPLE = range(9)
STATED, NO_MODEL, BEFORE, TOO_SHORT, AVOIDED_DAYS_MISSING = range(5)
ZONES = ["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/New_York"]


class Day(NamedTuple):
    month: int
    state: int
    energy: int
    temperature: int | None  # thousandths
    people: int | None  # thousandths


class Baseline(NamedTuple):
    step: int
    model: int
    heating: tuple[int, int]
    cooling: tuple[int, int]
    people: bool


class Fit(NamedTuple):
    heating: int
    cooling: int
    coefficients: list[Fraction]
    t: list[float]
    r2: Fraction
    cv: float
    lag1: float
    periods: int


# ---- made up ----

def draw_days(draw: random.Random, first: date, count: int, truth, noise: float, gaps: float, crowd: int) -> list[Day]:
    days, drift = [], 0.0
    for i in range(count):
        day = first + timedelta(days=i)
        drift = 0.7 * drift + draw.gauss(0, 2.5)
        celsius = 16.5 - 13.5 * math.cos(2 * math.pi * (day.timetuple().tm_yday - 20) / 365) + drift
        base, heating, h, cooling, c, each = truth
        people = draw.randrange(crowd) if crowd > 1 and day.weekday() < 5 else 0
        energy = base + heating * max(0.0, h - celsius) + cooling * max(0.0, celsius - c) + each * people / 1000
        energy = max(1, round(energy * (1 + draw.gauss(0, noise))))
        state = draw.choice([0, 1, 2, 3]) if draw.random() < gaps else 0
        month = (day.year - 1970) * 12 + day.month - 1
        days.append(Day(month, state, energy if state < 2 else 0, None if draw.random() < gaps / 2 else round(celsius * 1000),
                        None if crowd == 0 or draw.random() < gaps / 2 else people))
    return days


def draw_case(draw: random.Random) -> tuple[Baseline, list[Day], list[Day]]:
    step, model = draw.randrange(2), draw.randrange(4)
    h, c = draw.randrange(10, 18), draw.randrange(18, 27)
    size = 10 ** draw.randrange(3, 10)
    sign = -1 if draw.randrange(6) == 0 else 1
    truth = (size, sign * size / draw.choice([15, 40, 4000]) if model in (HEATING, BOTH) else 0, h,
             size / draw.choice([10, 30]) if model in (COOLING, BOTH) else 0, c, size / draw.choice([20, 100, 10000]) * draw.choice([1, 1, 1, -1]))
    crowd = draw.choice([0, 40_000, 40_000, 1])  # 1: nobody ever comes
    heating = (max(0, h - draw.randrange(3)), h + draw.randrange(3)) if model in (HEATING, BOTH) else (-1, -1)
    cooling = (c - draw.randrange(3), c + draw.randrange(3)) if model in (COOLING, BOTH) else (-1, -1)
    if model == HEATING and draw.randrange(8) == 0:
        heating = (0, draw.randrange(2))  # hardly ever so cold
    noise, gaps = draw.choice([0, 0.02, 0.1, 0.5]), draw.choice([0, 0, 0.02, 0.06, 0.2])
    first = date(2025, 1, 1)
    days = draw_days(draw, first, draw.choice([365, 365, 365, 730]), truth, noise, gaps, crowd)
    later = draw_days(draw, date(2027, draw.randrange(1, 13), 1), draw.choice([0, 1, 20, 28, 31, 90, 365]), [0.8 * truth[0], *truth[1:]], noise,
                      draw.choice([0, 0, gaps]), min(crowd, draw.choice([40_000, 48_000])))
    return Baseline(step, model, heating, cooling, crowd > 0), days, later


# ---- worked out ----

def counts(baseline: Baseline, day: Day) -> bool:
    return day.state < 2 and (baseline.model == MEAN or day.temperature is not None) and (not baseline.people or day.people is not None)


def tenth(count: int) -> int:
    return next(n for n in range(count + 1) if n * 10 >= count)


def periods_of(baseline: Baseline, days: list[Day]) -> tuple[list[list[Day]], int]:
    """The days that count of each that counts, and how many there were."""
    groups = defaultdict(list)
    for i, day in enumerate(days):
        groups[day.month if baseline.step else i].append(day)
    good = {key: [day for day in group if counts(baseline, day)] for key, group in groups.items()}
    return [good[key] for key, group in groups.items() if good[key] and Fraction(len(good[key]), len(group)) >= Fraction(9, 10)], len(groups)


def degrees(day: Day, balance: int, sign: int) -> int:
    return max(0, sign * (day.temperature - balance * 1000))


def has_enough(baseline: Baseline, groups: list[list[Day]], balance: int, sign: int) -> bool:
    found = [degrees(day, balance, sign) for group in groups for day in group]
    years = Fraction(len(found), 365)
    return sum(found) >= 11111 * years and (baseline.step == 1 or sum(d > 0 for d in found) >= 10 * years)


def determinant(m: list[list[Fraction]]) -> Fraction:
    if not m:
        return Fraction(1)
    return sum((-1) ** j * m[0][j] * determinant([row[:j] + row[j + 1:] for row in m[1:]]) for j in range(len(m)))


def inverse(m: list[list[Fraction]]) -> list[list[Fraction]] | None:
    whole, n = Fraction(determinant(m)), len(m)
    if whole == 0:
        return None
    return [[(-1) ** (i + j) * determinant([[m[a][b] for b in range(n) if b != i] for a in range(n) if a != j]) / whole
             for j in range(n)] for i in range(n)]


def fit(groups: list[list[Day]], heating: int | None, cooling: int | None, has_people: bool) -> Fit | None:
    balances = [(b, sign) for b, sign in ((heating, -1), (cooling, 1)) if b is not None]
    share = Fraction if any(len(g) > 1 for g in groups) else (lambda a, b: a)  # of single days integers do
    rows = [(len(g), [1] + [share(sum(degrees(day, b, sign) for day in g), len(g)) for b, sign in balances]
             + ([share(sum(day.people for day in g), len(g))] if has_people else []),
             share(sum(day.energy for day in g), len(g))) for g in groups]  # in thousandths of a degree day, and of a person
    n, p = len(rows), len(balances) + 1 + has_people
    if n <= p:
        return None
    back = inverse([[sum(w * x[i] * x[j] for w, x, _ in rows) for j in range(p)] for i in range(p)])
    if back is None:
        return None
    along = [sum(w * x[i] * y for w, x, y in rows) for i in range(p)]
    b = [sum(back[i][j] * along[j] for j in range(p)) for i in range(p)]
    weights = sum(w for w, _, _ in rows)
    mean = Fraction(sum(w * y for w, _, y in rows)) / weights
    whole = sum(w * y * y for w, _, y in rows) - weights * mean ** 2
    left = sum(w * y * y for w, _, y in rows) - sum(bi * ai for bi, ai in zip(b, along))
    variance = left / (n - p)
    t = [math.inf if left == 0 else float(b[i]) / math.sqrt(variance * back[i][i]) for i in range(p)]
    e = [math.sqrt(w) * float(y - sum(bi * xi for bi, xi in zip(b, x))) for w, x, y in rows]
    lag1 = sum(x * y for x, y in zip(e, e[1:])) / float(left) if left > 0 else 0.0
    cv = math.sqrt(left / weights * Fraction(n, n - p)) / float(mean)
    b = [b[0], *(1000 * slope for slope in b[1:])]
    return Fit(heating or 0, cooling or 0, b, t, 1 - left / whole if whole and p > 1 else Fraction(0), cv, lag1, n)


def search(baseline: Baseline, groups: list[list[Day]]) -> tuple[Fit | None, bool]:
    hs = range(baseline.heating[0], baseline.heating[1] + 1) if baseline.model in (HEATING, BOTH) else [None]
    cs = range(baseline.cooling[0], baseline.cooling[1] + 1) if baseline.model in (COOLING, BOTH) else [None]
    best, best_key = None, None
    for h in hs:
        for c in cs:
            if (h is not None and not has_enough(baseline, groups, h, -1)) or (c is not None and not has_enough(baseline, groups, c, 1)):
                continue
            if h is not None and c is not None and c < h:
                continue
            found = fit(groups, h, c, baseline.people)
            if found is None:
                continue
            key = (all(b > 0 for b in found.coefficients[1:]) and found.coefficients[0] >= 0, found.r2)
            if best_key is None or key > best_key:
                best, best_key = found, key
    return best, best_key is not None and best_key[0]


def judge(baseline: Baseline, days: list[Day]) -> tuple[int, Fit | None, int]:
    missing = sum(not counts(baseline, day) for day in days)
    if missing > tenth(len(days)):
        return DAYS_MISSING, None, 0
    groups, all_groups = periods_of(baseline, days)
    if baseline.step and all_groups - len(groups) > tenth(all_groups):
        return MONTHS_MISSING, None, len(groups)
    found, qualifies = search(baseline, groups)
    if found is None:
        is_even = baseline.people and len({day.people for day in days if counts(baseline, day)}) == 1
        return NO_PEOPLE if is_even else NO_WEATHER, None, len(groups)
    if not qualifies:
        return NEGATIVE, found, len(groups)
    if any(t < 2 for t in found.t[1:]):
        return INSIGNIFICANT, found, len(groups)
    return CV_RMSE if found.cv > (0.15 if baseline.step else 0.30) else GOOD, found, len(groups)


def is_beyond(value: int, known: list[int]) -> bool:
    low, high = min(known), max(known)
    return value < low - Fraction(high - low, 10) or value > high + Fraction(high - low, 10)


def avoided(baseline: Baseline, reason: int, found: Fit | None, days: list[Day], later: list[Day]) -> list:
    if reason != GOOD:
        return [NO_MODEL, len(later), 0, 0, 0, 0.0, 0.0, 0.0]
    if not later:
        return [BEFORE, 0, 0, 0, 0, 0.0, 0.0, 0.0]
    good = [day for day in later if day.state == 0 and counts(baseline, day)]
    missing = len(later) - len(good)
    if baseline.step and len(later) < 28:
        return [TOO_SHORT, len(later), missing, 0, 0, 0.0, 0.0, 0.0]
    if missing > tenth(len(later)) or not good:
        return [AVOIDED_DAYS_MISSING, len(later), missing, 0, 0, 0.0, 0.0, 0.0]
    expected, outside = Fraction(0), 0
    counted = [day for day in days if counts(baseline, day)]
    for day in good:
        x = [1]
        if baseline.model in (HEATING, BOTH):
            x.append(Fraction(degrees(day, found.heating, -1), 1000))
        if baseline.model in (COOLING, BOTH):
            x.append(Fraction(degrees(day, found.cooling, 1), 1000))
        if baseline.people:
            x.append(Fraction(day.people, 1000))
        expected += sum(b * xi for b, xi in zip(found.coefficients, x, strict=True))
        outside += ((baseline.model != MEAN and is_beyond(day.temperature, [d.temperature for d in counted]))
                    or (baseline.people and is_beyond(day.people, [d.people for d in counted])))
    metered = sum(day.energy for day in good)
    m = len({day.month for day in good}) if baseline.step else len(good)
    r = 0.0 if baseline.step or found.lag1 < 0 else min(found.lag1, 0.99)
    independent = found.periods * (1 - r) / (1 + r)
    sure = 1.26 * found.cv * float(expected) * math.sqrt(found.periods / independent * (1 + 2 / independent) / m)
    return [STATED, len(later), missing, outside, metered, float(expected), float(expected - metered), sure]


def print_case(draw: random.Random) -> None:
    baseline, days, later = draw_case(draw)
    print("baseline", baseline.step, baseline.model, *baseline.heating, *baseline.cooling, int(baseline.people))
    for letter, group in (("b", days), ("r", later)):
        for day in group:
            print(letter, day.month, day.state, day.energy, *("-" if value is None else value for value in (day.temperature, day.people)))
    reason, found, periods = judge(baseline, days)
    good = [day for day in days if counts(baseline, day)]
    print("model", reason, len(days), len(days) - len(good), sum(day.state == 1 for day in good), periods)
    if found is not None:
        b, t = dict.fromkeys((HEATING, COOLING, PEOPLE), 0.0), dict.fromkeys((HEATING, COOLING, PEOPLE), 0.0)
        there = [which for which in (HEATING, COOLING) if baseline.model in (which, BOTH)] + [PEOPLE] * baseline.people
        for k, which in enumerate(there, 1):
            b[which], t[which] = float(found.coefficients[k]), found.t[k]
        print("fit", found.heating, found.cooling, float(found.coefficients[0]), *b.values(), *t.values(), float(found.r2), found.cv, found.lag1)
    print("avoided", *avoided(baseline, reason, found, days, later))


def print_hours(draw: random.Random) -> None:
    zone = ZoneInfo(name := draw.choice(ZONES))
    day = draw.choice([date(2026, 3, 29), date(2026, 10, 25), date(2026, 4, 5), date(2026, 10, 4), date(2026, 3, 8), date(2026, 7, 1)])
    begin, end = (int(datetime(d.year, d.month, d.day, tzinfo=zone).timestamp()) for d in (day, day + timedelta(days=1)))
    print("hours", name, begin, end)
    share, hours, size = draw.choice([0, 0, 0.1, 0.4, 0.5, 0.6]), defaultdict(list), draw.choice([3, 40_000])
    rough = defaultdict(lambda: draw.random() < share)
    for time_s in range(begin, end, 900):
        local = datetime.fromtimestamp(time_s, zone)
        key = (local.hour, local.utcoffset())
        value = None if rough[key] or draw.random() < share / 8 else draw.randrange(-size, size)
        hours[key].append(value)
        print("q", "-" if value is None else value)
    means = [Fraction(sum(known), len(known)) for values in hours.values() if (known := [v for v in values if v is not None])]
    if not means or Fraction(len(hours) - len(means), len(hours)) > Fraction(1, 2):
        print("mean -")
    else:
        mean = Fraction(sum(means), len(means))
        print("mean", int(abs(mean) + Fraction(1, 2)) * (1 if mean >= 0 else -1))


def print_people(draw: random.Random) -> None:
    zone = ZoneInfo(name := draw.choice(ZONES))
    first, spaces = draw.choice([date(2026, 3, 28), date(2026, 10, 24), date(2026, 4, 4), date(2026, 10, 3), date(2026, 3, 7)]), draw.randrange(1, 4)
    midnights = [int(datetime(d.year, d.month, d.day, tzinfo=zone).timestamp()) for d in (first + timedelta(days=i) for i in range(4))]
    print("people", name, midnights[0], midnights[-1], spaces)
    totals: list[int | None] = [0] * 3
    for space in range(spaces):
        for number, (begin, end) in enumerate(zip(midnights, midnights[1:])):
            share, seen, there = draw.choice([0, 0, 0.05, 0.09, 0.11, 0.3]), 0, 0
            for start in range(begin, end, 900):
                if draw.random() < share:
                    continue
                observed = draw.choice([900_000, 900_000, 900_000, draw.randrange(800_000, 900_001)])
                level = draw.randrange(0, 50_000) * observed + draw.randrange(observed)
                print("w", space, start, observed, level)
                seen, there = seen + observed, there + level
            if Fraction(seen, 1000 * (end - begin)) < Fraction(9, 10):
                totals[number] = None
            elif totals[number] is not None:
                totals[number] += int(Fraction(there, seen) + Fraction(1, 2))
    for total in totals:
        print("day", "-" if total is None else total)


def main() -> None:
    draw = random.Random(int(sys.argv[1]))
    if sys.argv[2:] == ["hours"]:
        for _ in range(100):
            print_hours(draw)
        return
    if sys.argv[2:] == ["people"]:
        for _ in range(25):
            print_people(draw)
        return
    for _ in range(40):
        print_case(draw)


main()
