"""The park's time: milliseconds UTC, days and minutes of the site's zone, and numbers drawn from a seed."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
ZONE_OFFSET = 8 * HOUR  # Asia/Shanghai has kept this since 1991, so a local day always has 1 440 minutes

# Registers count from here.
EPOCH_TEXT = "2026-01-01T00:00:00+08:00"
EPOCH = 1767196800000

# Public holidays on fixed dates (month, day); the moving ones are working days in this park.
HOLIDAYS = {(1, 1), *((5, day) for day in range(1, 6)), *((10, day) for day in range(1, 8))}

MASK = (1 << 64) - 1


def local_day(time_ms: int) -> int:
    """Number of the local day, 0 = 1970-01-01."""
    return (time_ms + ZONE_OFFSET) // DAY


def day_start(day: int) -> int:
    return day * DAY - ZONE_OFFSET


EPOCH_DAY = local_day(EPOCH)


def is_workday(day: int) -> bool:
    if (day + 3) % 7 >= 5:
        return False
    date = datetime(1970, 1, 1) + timedelta(days=day)
    return (date.month, date.day) not in HOLIDAYS


def day_of_year(day: int) -> int:
    return (datetime(1970, 1, 1) + timedelta(days=day)).timetuple().tm_yday


def parse_time(text: str) -> int:
    """RFC 3339 with an offset, to milliseconds UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text}: expected a time with an offset, like 2026-10-01T00:00:00+08:00")
    return round(moment.timestamp() * 1000)


def key_of(seed: int, name: str) -> int:
    """A 64-bit number for what is called `name` in the park of this seed."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:8], "big")


def draw(key: int, number: int) -> int:
    """64 well-mixed bits for the number-th draw of a key (splitmix64)."""
    x = (key + (number + 1) * 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def fraction(key: int, number: int) -> float:
    """A float in [0, 1) for the number-th draw of a key."""
    return (draw(key, number) >> 11) / (1 << 53)
