"""People in spaces at random, and what windows of time must say of them, from the headers' words alone: second by second, by
looking back from each second to what was said before it, in exact rationals (what is tested walks forward by pieces).

    oracle_space.py SEED [FILE]

Lines, times in seconds:
    count GAP UNTIL | polled HOLD GAP UNTIL | change HOLD GAP UNTIL | live UNTIL | corrected    what follows, and how it is read
    s TIME PERSONS                                                        a reading of a sensor
    e TIME KIND IN OUT                                                    an event of doors: passed blind sees lost anchor
    stretch FROM UNTIL RESIDUAL MARKED VERDICT                             between two anchors
    window FROM UNTIL OBSERVED OCCUPIED NEGATIVE LEVEL MIN MAX             - - where nothing was observed
With FILE, the table of UCI 864, and what sensors with a hold of so long make of it,
    r TIME PERSONS SEEN                                                   the people, and whether a sensor saw any
    held HOLD GAP SECONDS LOOKS                                           MISSED OCCUPIED MARKED EMPTY of each: occupied, but not by
                                                                          the sensors, of all that is; and the other way
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from fractions import Fraction
from math import floor

GAP = 120
TOLD_GAP = 900  # of a state, which is told at least every 300 s
HOLD = 300
Level = Callable[[int], Fraction | None]
Event = tuple[int, str, int, int]


def rounded(value: Fraction) -> int:
    """To whole numbers, half away from zero."""
    return floor(value + Fraction(1, 2)) if value >= 0 else -floor(-value + Fraction(1, 2))


def print_windows(rng: random.Random, level: Level, end: int) -> None:
    at = rng.randrange(-50, 50)
    while at < end + 50:
        until = at + rng.choice([1, 7, 60, 300])
        levels = [x for x in (level(t) for t in range(at, until)) if x is not None]
        edges = f"{min(levels) * 1000} {max(levels) * 1000}" if levels else "- -"
        occupied, negative = sum(x > 0 for x in levels), sum(x < 0 for x in levels)
        total = sum(max(Fraction(0), x) for x in levels) * 1000
        print("window", at, until, len(levels), occupied, negative, total, edges)
        at = until


def spoken(samples: list[tuple[int, int]], gap: int, until: int) -> list[tuple[int, int, int]]:
    """From when until when each reading speaks, and what it says."""
    times = [time for time, _ in samples] + [until]
    ends = [min(after, until) for after in times[1:]]
    return [(time, end if end - time <= gap else time, persons) for (time, persons), end in zip(samples, ends)]


def counted(spans: list[tuple[int, int, int]], t: int) -> Fraction | None:
    said = [persons for begin, end, persons in spans if begin <= t < end]
    return Fraction(said[0]) if said else None


def held(spans: list[tuple[int, int, int]], t: int, is_polled: bool) -> Fraction | None:
    if counted(spans, t) is None:
        return None
    return Fraction(any(persons > 0 and (begin <= t < end or begin <= t < (begin if is_polled else end) + HOLD) for begin, end, persons in spans))


def sensors(rng: random.Random, kind: str) -> None:
    samples, t = [], 0
    is_told = kind == "change"
    gap = TOLD_GAP if is_told else GAP
    for _ in range(rng.randrange(1, 25 if is_told else 40)):
        t += rng.choice([1, 10, 30, 30, 30, 119, 120, 121, 400])
        if is_told and rng.random() < 0.2:
            t += rng.choice([300, gap - 400, gap])
        samples.append((t, rng.choice([0, 0, 0, 1, 1, 7])))
    until = t + rng.choice([0, 1, 60, gap, gap + 1])
    print(kind, *([HOLD] if kind != "count" else []), GAP, until)
    for sample in samples:
        print("s", *sample)

    spans = spoken(samples, gap, until)
    print_windows(rng, lambda t: counted(spans, t) if kind == "count" else held(spans, t, kind == "polled"), until)


def events_at_random(rng: random.Random) -> list[Event]:
    events: list[Event] = []
    t = blind = 0
    for _ in range(rng.randrange(5, 60)):
        t += rng.choice([0, 1, 5, 20, 60])
        kind = rng.choices(["passed", "anchor", "blind", "sees", "lost"], [20, 3, 1, 1, 1 if rng.random() < 0.3 else 0])[0]
        if kind == "sees" and blind == 0:
            kind = "blind"
        blind += (kind == "blind") - (kind == "sees")
        passed = (rng.randrange(4), rng.randrange(4)) if kind == "passed" else (rng.randrange(8) if kind == "anchor" else 0, 0)
        events.append((t, kind, *passed))
    return events


def is_blind(so_far: list[Event]) -> bool:
    return sum((e[1] == "blind") - (e[1] == "sees") for e in so_far) > 0


def live(rng: random.Random) -> None:
    events = events_at_random(rng)
    until = events[-1][0] + rng.randrange(0, 30)
    print("live", until)
    for event in events:
        print("e", *event)

    def level(t: int) -> Fraction | None:
        so_far = [e for e in events if e[0] <= t]
        anchors = [i for i, e in enumerate(so_far) if e[1] == "anchor"]
        if t >= until or not anchors or is_blind(so_far):
            return None
        since = so_far[anchors[-1] :]
        if any(e[1] == "lost" for e in since):
            return None
        return Fraction(since[0][2] + sum(e[2] - e[3] for e in since[1:] if e[1] == "passed"))

    print_windows(rng, level, until)


def factors(a0: int, a1: int, went_in: int, went_out: int) -> tuple[str, Fraction, Fraction]:
    one = Fraction(1)
    if a0 + went_in - went_out == a1:
        return "exact", one, one
    is_out = a0 + went_in - went_out > a1
    stream, wanted = (went_out, a0 + went_in - a1) if is_out else (went_in, a1 + went_out - a0)
    if stream == 0:
        return "no_stream", one, one
    factor = Fraction(wanted, stream)
    if factor > 2:
        return "too_much", one, one
    return ("out_scaled", one, factor) if is_out else ("in_scaled", factor, one)


def corrected(rng: random.Random) -> None:
    events = events_at_random(rng)
    print("corrected")
    for event in events:
        print("e", *event)
    anchors = [i for i, e in enumerate(events) if e[1] == "anchor"]
    found: list[tuple[int, int, int, int, Fraction, Fraction]] = []
    for first, second in zip(anchors, anchors[1:]):
        between = events[first + 1 : second]
        went_in, went_out = (sum(e[k] for e in between if e[1] == "passed") for k in (2, 3))
        a0, a1 = events[first][2], events[second][2]
        verdict, f_in, f_out = factors(a0, a1, went_in, went_out)
        residual = a0 + went_in - went_out - a1
        if any(e[1] == "lost" for e in between):
            verdict = "unknown"
        is_marked = abs(residual) > Fraction(max(went_in, went_out), 5)
        print("stretch", events[first][0], events[second][0], residual, int(is_marked), verdict)
        if verdict in ("exact", "out_scaled", "in_scaled"):
            found.append((events[first][0], events[second][0], first, second, f_in, f_out))

    def level(t: int) -> Fraction | None:
        for begin, end, first, second, f_in, f_out in found:
            if begin <= t < end:
                so_far = [i for i, e in enumerate(events) if e[0] <= t]
                if is_blind([events[i] for i in so_far]):
                    return None
                passed = [events[i] for i in so_far if first < i < second and events[i][1] == "passed"]
                went_in, went_out = (rounded(sum(e[k] for e in passed) * f * 1000) for k, f in ((2, f_in), (3, f_out)))
                return events[first][2] + Fraction(went_in - went_out, 1000)
        return None

    print_windows(rng, level, events[-1][0])


def read_table(path: str) -> list[tuple[int, int, bool]]:
    """(second, people, anybody seen), each second once."""
    rows: list[tuple[int, int, bool]] = []
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            time = datetime.strptime(f"{row['Date']} {row['Time']}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
            if not rows or int(time.timestamp()) > rows[-1][0]:
                rows.append((int(time.timestamp()), int(row["Room_Occupancy_Count"]), row["S6_PIR"] == "1" or row["S7_PIR"] == "1"))
    return rows


def tally(judged: list[tuple[int, bool]]) -> list[int]:
    """Of (people, whether the sensors say that somebody is there)."""
    return [sum(p > 0 and not s for p, s in judged), sum(p > 0 for p, _ in judged), sum(p == 0 and s for p, s in judged), sum(p == 0 for p, _ in judged)]


def real(path: str) -> None:
    rows = read_table(path)
    for second, people, seen in rows:
        print("r", second, people, int(seen))
    for hold in (0, HOLD):
        looks, seconds = [], []
        last = -HOLD
        for (second, people, seen), (after, _, _) in zip(rows, rows[1:] + rows[-1:]):
            last = second if seen else last
            looks.append((people, seen or second < last + hold))
            if after - second <= GAP:
                seconds += [(people, seen or t < last + hold) for t in range(second, after)]
        print("held", hold, GAP, *tally(seconds), *tally(looks))


def main() -> None:
    if sys.argv[2]:
        real(sys.argv[2])
        return
    rng = random.Random(int(sys.argv[1]))
    for _ in range(60):
        sensors(rng, "count")
        sensors(rng, "polled")
        sensors(rng, "change")
        live(rng)
        corrected(rng)


main()
