"""Off, standby and running by the words of collector/instrument/activity.h alone: all readings at once, by blocks, in exact watts
and seconds. Nothing is folded, so nothing depends on what was remembered.

    oracle_activity.py SEED [FILE:ENTER:EXIT:OFF]   a file of device-power with enter 10 s, exit 300 s, instead of drawn ones

Lines: limits OFF EXIT ENTER ENTER_S EXIT_S GAP (mW, ms)   read TIME POWER   span FROM UNTIL STATE   end
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

Exact = Fraction | int
Reading = tuple[Exact, Exact]  # seconds, watts


class Limits(NamedTuple):
    off: Exact
    exit: Exact
    enter: Exact
    enter_s: Exact
    exit_s: Exact
    gap: Exact


def forward(readings: list[Reading]) -> list[Reading]:
    """What is not later than what came before changes nothing."""
    kept: list[Reading] = []
    for reading in readings:
        if not kept or reading[0] > kept[-1][0]:
            kept.append(reading)
    return kept


def pieces(readings: list[Reading], gap: Exact) -> Iterator[list[Reading]]:
    begin = 0
    for i in range(1, len(readings) + 1):
        if i == len(readings) or readings[i][0] - readings[i - 1][0] > gap:
            yield readings[begin:i]
            begin = i


def blocks(piece: list[Reading], says: Callable[[Exact], bool], from_i: int) -> Iterator[tuple[int, int]]:
    """First and last index of each longest row of readings from there on of which this is true."""
    i = from_i
    while i < len(piece):
        if not says(piece[i][1]):
            i += 1
            continue
        j = i
        while j + 1 < len(piece) and says(piece[j + 1][1]):
            j += 1
        yield i, j
        i = j + 1


def ups(piece: list[Reading], first: bool, up: Exact, down: Exact, limits: Limits) -> list[tuple[Exact, bool]]:
    """From when on it is above, or not."""
    changes, is_up, at = [(piece[0][0], first)], first, 0
    while True:
        lasting = limits.exit_s if is_up else limits.enter_s
        against = (lambda p: p < down) if is_up else (lambda p: p >= up)
        found = next((i for i, j in blocks(piece, against, at) if piece[j][0] - piece[i][0] >= lasting), None)
        if found is None:
            return changes
        is_up, at = not is_up, found
        changes.append((piece[found][0], is_up))


def spans(readings: list[Reading], limits: Limits) -> list[tuple[Exact, Exact, str]]:
    out: list[tuple[Exact, Exact, str]] = []
    for piece in pieces(forward(readings), limits.gap):
        if out:
            out.append((last, piece[0][0], "unknown"))
        last = piece[-1][0]
        on = ups(piece, piece[0][1] >= limits.off, limits.off, limits.off, limits)
        runs = ups(piece, piece[0][1] >= limits.exit, limits.enter, limits.exit, limits)
        edges = sorted({at for at, _ in on + runs} | {last})
        if len(edges) == 1:
            out.append((last, last, ""))
        for begin, end in zip(edges, edges[1:], strict=False):
            is_on = [up for at, up in on if at <= begin][-1]
            is_running = [up for at, up in runs if at <= begin][-1]
            state = "running" if is_running else "standby" if is_on else "off"
            if out and out[-1][1] == begin and out[-1][2] == state:
                begin = out.pop()[0]
            out.append((begin, end, state))
    return [span for span in out if span[0] < span[1]]


def draw(r: random.Random) -> tuple[Limits, list[Reading]]:
    off, exit_, enter = (Fraction(w, 10) for w in sorted(r.sample(range(20, 600), 3)))
    limits = Limits(off, exit_, enter, Fraction(r.choice([0, 1, 3, 10])), Fraction(r.choice([0, 2, 10, 40])), Fraction(120))
    readings, time, level = [], Fraction(1764000000), Fraction(0)
    corners = [off, exit_, enter, Fraction(0), Fraction(100), (off + exit_) / 2, (exit_ + enter) / 2]
    stay = r.choice([0.2, 0.6, 0.9])
    for _ in range(r.randint(1, 300)):
        if r.random() > stay:
            level = r.choice(corners) + r.choice([-1, 0, 0, 1]) * Fraction(1, 1000)
        time += r.choice([1, 1, 1, 2, Fraction(1, 1000), 7, 0, -3]) if r.random() < 0.98 else r.choice([119, 120, Fraction(120001, 1000), 900])
        readings.append((time, level))
    return limits, readings


def load(words: str) -> tuple[Limits, list[Reading]]:
    path, enter, exit_, off = words.rsplit(":", 3)
    readings = []
    for line in Path(path).read_text().splitlines():
        at, watts, _ = line.split(";")
        day, month, year, hour, minute, second = (int(part) for part in re.split("[/ :]", at))
        readings.append((int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()), int(watts)))
    return Limits(int(off), int(exit_), int(enter), 10, 300, 120), readings


def milli(value: Exact) -> int:
    assert (value * 1000).denominator == 1
    return int(value * 1000)


def main() -> None:
    r = random.Random(int(sys.argv[1]))
    given = sys.argv[2] if len(sys.argv) > 2 else ""
    for _ in range(1 if given else 60):
        limits, readings = load(given) if given else draw(r)
        print("limits", *(milli(value) for value in limits))
        for time, power in readings:
            print("read", milli(time), milli(power))
        for begin, end, state in spans(readings, limits):
            print("span", milli(begin), milli(end), state)
        print("end")


main()
