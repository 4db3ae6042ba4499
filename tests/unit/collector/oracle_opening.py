"""Opening hours by the words of collector/model/opening.h alone: the clocks are asked minute by minute, by Python's zoneinfo.

    oracle_opening.py SEED

Lines, times in seconds:  case ZONE|HOURS
                          at TIME OPEN SINCE UNTIL      (-1 = not within 15 days)
"""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
# In a year in which their clocks are changed, or never.
PLACES = [("Asia/Shanghai", 2026), ("Europe/Berlin", 2026), ("America/New_York", 2026), ("Australia/Lord_Howe", 2026),
          ("America/Sao_Paulo", 2018), ("Asia/Kathmandu", 2026), ("Pacific/Apia", 2011), ("Asia/Shanghai", 1988)]
AHEAD = 15 * 86400


def changes(zone: ZoneInfo, year: int) -> list[int]:
    """To the half hour; the middle of the year where there is none."""
    first = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    offsets = {time_s: datetime.fromtimestamp(time_s, UTC).astimezone(zone).utcoffset() for time_s in range(first, first + 366 * 86400, 1800)}
    return [time_s for time_s in offsets if time_s > first and offsets[time_s] != offsets[time_s - 1800]] or [first + 183 * 86400]


def draw(r: random.Random) -> tuple[str, list[tuple[set[int], int, int]]]:
    rows, words, taken = [], [], set()
    for _ in range(r.randint(1, 4)):
        first, last = sorted(r.choices(range(7), k=2)) if r.random() < 0.5 else (0, 6)
        days = set(range(first, last + 1))
        begin, end = sorted(r.sample([0, 1, 60, 90, 119, 120, 150, 180, 181, 300, 480, 720, 1080, 1439, 1440], 2))
        if any((day, minute) in taken for day in days for minute in range(begin, end)):
            continue
        taken |= {(day, minute) for day in days for minute in range(begin, end)}
        name = DAYS[first] if first == last else f"{DAYS[first]}-{DAYS[last]}"
        if days == set(range(7)) and r.random() < 0.5:
            name = ""
        words.append(f"{name} {begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}".strip())
        rows.append((days, begin, end))
    return ", ".join(words), rows


def main() -> None:
    r = random.Random(int(sys.argv[1]))
    for _ in range(20):
        zone_name, year = r.choice(PLACES)
        zone, (words, rows) = ZoneInfo(zone_name), draw(r)
        near = r.choice(changes(zone, year))

        def is_open(time_s: int, zone=zone, rows=rows) -> bool:
            clock = datetime.fromtimestamp(time_s, UTC).astimezone(zone)
            minute = clock.hour * 60 + clock.minute
            return any(clock.weekday() in days and begin <= minute < end for days, begin, end in rows)

        print(f"case {zone_name}|{words}")
        for _ in range(5):
            time_s = near + r.choice([r.randint(-2 * 86400, 2 * 86400), r.randint(-4 * 3600, 3600)])
            now = is_open(time_s)
            minute_s = time_s - time_s % 60
            since = next((minute for minute in range(minute_s, time_s - AHEAD, -60) if is_open(minute - 60) != now), -1)
            until = next((minute for minute in range(minute_s + 60, time_s + AHEAD, 60) if is_open(minute) != now), -1)
            print(f"at {time_s} {int(now)} {since} {until}")


main()
