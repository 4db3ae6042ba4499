"""Quarter hours, hours and days of many zones, by Python's zoneinfo and the words of collector/model/periods.h alone.

    oracle_periods.py SEED

Lines, times in seconds:  zone NAME
                          quarter TIME DAY HOUR OFFSET QUARTER_OF_DAY HOUR_BEGIN HOUR_END
                          day NUMBER BEGIN END
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

QUARTER_HOUR = 900
DAY = 86400
EPOCH = date(1970, 1, 1)

# Each with years in which something odd happens, by the notes of tzdata.
ODD = {
    "Pacific/Apia": [2011],              # no 30 December
    "Pacific/Fakaofo": [2011],           # nor here
    "Pacific/Kiritimati": [1979, 1994, 1995],  # 10 h 40 min until 1979; no last day of 1994
    "Pacific/Kwajalein": [1993],         # no 21 August
    "America/St_Johns": [1988, 2010],    # from 00:01 to 23:01; in 1988 by two hours
    "America/Goose_Bay": [2010],
    "Australia/Lord_Howe": [1981, 2024, 2026, 2040],  # half an hour
    "Africa/Monrovia": [1971, 1972],     # 44 min 30 s, until 7 January 1972
    "Asia/Kathmandu": [1985, 1986, 2026],
    "Pacific/Chatham": [2026],           # a quarter of an hour
    "Asia/Shanghai": [1986, 1991, 2026],
    "Asia/Pyongyang": [2015, 2018],
    "America/Caracas": [2007, 2016],
    "Antarctica/Troll": [2026],          # by two hours
    "Antarctica/Casey": [2020, 2023],
    "America/Sao_Paulo": [1985, 2018],   # at midnight: a day that begins at 01:00
    "America/Asuncion": [2009, 2024],
    "Asia/Beirut": [2026],
    "Asia/Gaza": [2011, 2015],
    "America/Havana": [2026],
    "America/Scoresbysund": [2024],
    "Africa/Casablanca": [2026, 2031],   # summer time but for Ramadan
    "Africa/Cairo": [2010, 2014, 2026],
    "Asia/Tehran": [1979, 2022],
    "Europe/Berlin": [1980, 2026, 2050],
    "Europe/Dublin": [1971, 2026],
    "America/New_York": [1974, 2026, 2090],
    "Asia/Kolkata": [2026],
    "UTC": [2026],
}


def wall(zone: ZoneInfo, time: int) -> datetime:
    return datetime.fromtimestamp(time, zone)


def offset_of(local: datetime) -> int:
    offset = local.utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def changes(zone: ZoneInfo, year: int) -> list[int]:
    """Days, by the second of UTC at which they begin, in which the offset changes."""
    begin = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    offsets = [offset_of(wall(zone, begin + day * DAY)) for day in range(367)]
    return [begin + day * DAY for day in range(366) if offsets[day] != offsets[day + 1]]


def walk(zone: ZoneInfo, begin: int, end: int) -> Iterator[tuple[int, datetime, date]]:
    """Quarter hours, what the clocks show at their begin, and the day: the latest date that they showed so far."""
    day = date.min
    for time in range(begin - 3 * DAY, end, QUARTER_HOUR):
        local = wall(zone, time)
        day = max(day, local.date())
        if time >= begin:
            yield time, local, day


def print_quarters(zone: ZoneInfo, begin: int, end: int) -> None:
    rows = list(walk(zone, begin - DAY, end + DAY))
    hours: dict[tuple, list[int]] = {}
    for time, local, _ in rows:
        hours.setdefault((local.date(), local.hour, offset_of(local)), []).append(time)
    for time, local, day in rows:
        if begin <= time < end:
            mine = hours[(local.date(), local.hour, offset_of(local))]
            print("quarter", time, (day - EPOCH).days, local.hour, offset_of(local), local.hour * 4 + local.minute // 15,
                  mine[0], mine[-1] + QUARTER_HOUR)


def print_days(zone: ZoneInfo, begin: int, end: int) -> None:
    first: dict[date, int] = {}
    for time, _, day in walk(zone, begin - 3 * DAY, end + 3 * DAY):
        first.setdefault(day, time)

    def begin_of(day: date) -> int:
        # A date that was never shown begins where a later one does.
        return first[day] if day in first else begin_of(day + timedelta(days=1))

    for number in range(begin // DAY, end // DAY):
        day = EPOCH + timedelta(days=number)
        print("day", number, begin_of(day), begin_of(day + timedelta(days=1)))


def main() -> None:
    draw = random.Random(int(sys.argv[1]))
    chosen = dict(ODD)
    for name in draw.sample(sorted(available_timezones() - set(ODD)), 20):
        chosen[name] = [draw.randrange(1970, 2038)]
    for name, years in chosen.items():
        zone = ZoneInfo(name)
        print("zone", name)
        for year in years:
            begin = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
            # Days without a change are like one another.
            for day in [*changes(zone, year)[:4], begin + draw.randrange(365) * DAY]:
                print_quarters(zone, day - DAY // 2, day + DAY + DAY // 2)
                print_days(zone, day - 2 * DAY, day + 4 * DAY)


main()
