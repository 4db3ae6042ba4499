"""Random tariffs, as settings files, and what amounts cost by them: in wall time by zoneinfo, in rationals.

    oracle_charge.py SEED FOLDER      writes FOLDER/tariff<n>.cfg

Lines:  file NAME ZONE BEGIN END     a period, in seconds
        q BAND PRICES AMOUNT KNOWN   each quarter hour: band 0 to 4, index of its row of prices, or -1
        line BAND PRICES AMOUNT UNKNOWN_S RESULT
        total AMOUNT UNKNOWN_S RESULT WHOLE
"""

from __future__ import annotations

import random
import sys
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

BANDS = ["sharp", "peak", "flat", "valley", "deep"]
ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham",
         "Africa/Casablanca", "America/Santiago", "UTC"]
# The unit of prices, and how many base units are one of it.
CARRIERS = {"electricity": ("yuan/kWh", 1000), "heat": ("yuan/GJ", 10**9), "cooling": ("yuan/GJ", 10**9),
            "water": ("yuan/m3", 1000), "gas": ("yuan/m3", 1000)}
QUARTER_HOUR = 900


def rounded(value: Fraction) -> int:
    """Half away from zero."""
    size = (abs(value) * 2 + 1) // 2
    return int(size) if value >= 0 else -int(size)


def clock(quarter: int) -> str:
    return f"{quarter // 4:02d}:{quarter % 4 * 15:02d}"


def cut(draw: random.Random, begin: int, end: int, parts: int) -> list[tuple[int, int]]:
    edges = sorted({begin, end, *(draw.randrange(begin, end) for _ in range(parts))})
    return list(zip(edges, edges[1:]))


def draw_hours(draw: random.Random, is_whole_day: bool) -> tuple[list[int | None], str]:
    """Bands by quarter of the day, and how that is written."""
    day: list[int | None] = [None] * 96
    spans: dict[int, list[str]] = {}
    for begin, end in cut(draw, 0, 96, draw.randrange(1, 9)):
        if not is_whole_day and draw.randrange(2):
            continue
        band = draw.randrange(5)
        day[begin:end] = [band] * (end - begin)
        spans.setdefault(band, []).append(f"{clock(begin)}-{clock(end)}")
    return day, " ".join(f'{BANDS[band]} = "{", ".join(draw.sample(texts, len(texts)))}";' for band, texts in spans.items())


def periods(draw: random.Random) -> list[tuple[date, date | None]]:
    """Days that follow one another: first and last; the last of all without an end."""
    starts = sorted({date(2024, 1, 1), *(date(2024, 1, 1) + timedelta(days=draw.randrange(1, 1200)) for _ in range(draw.randrange(3)))})
    return [(begin, end - timedelta(days=1) if end else None) for begin, end in zip(starts, [*starts[1:], None])]


def validity(begin: date, last: date | None) -> str:
    return f'from = "{begin}";' + (f' through = "{last}";' if last else "")


SOURCE = 'document = "D 1"; confidence = "A";'


class Tariff:
    def __init__(self, draw: random.Random):
        self.carrier = draw.choice(list(CARRIERS))
        unit, self.units = CARRIERS[self.carrier]
        first = date(2024, 5, 1)
        self.holidays = {name: [first.replace(year=year) + timedelta(days=shift) for year in range(2023, 2030)
                                for shift in range(start, start + length)]
                         for name, start, length in (("a", draw.randrange(-60, 0), draw.randrange(1, 9)), ("b", draw.randrange(10, 90), 3))}
        self.schedules = []
        texts = []
        for begin, last in periods(draw):
            month_sets = [[] for _ in range(draw.randrange(1, 4))]
            for month in range(1, 13):
                draw.choice(month_sets).append(month)
            seasons = [(months, *draw_hours(draw, True)) for months in month_sets if months]
            used = draw.choice([[], [["a"]], [["a", "b"]], [["b"], ["a"]]])
            exceptions = [(names, *draw_hours(draw, False)) for names in used]
            self.schedules.append((begin, last, seasons, exceptions))
            texts.append(f"{{ {validity(begin, last)} {SOURCE} seasons = ("
                         + ", ".join(f'{{ months = "{", ".join(map(str, months))}"; {text} }}' for months, _, text in seasons) + ");"
                         + " exceptions = (" + ", ".join(f"{{ on = {str(names).replace(chr(39), chr(34))}; {text} }}"
                                                        for names, _, text in exceptions) + "); }")
        self.prices = []
        prices = []
        for begin, last in periods(draw):
            row = [(draw.randrange(-(10 ** draw.randrange(1, 7)), 10 ** draw.randrange(1, 7)), draw.choice([0, draw.randrange(8)])) for _ in BANDS]
            self.prices.append((begin, last, [Fraction(value, 10**scale) for value, scale in row]))
            prices.append(f'{{ {validity(begin, last)} unit = "{unit}"; {SOURCE} '
                          + " ".join(f'{band} = "{written(value, scale)}";' for band, (value, scale) in zip(BANDS, row)) + " }")
        days = {name: ", ".join(f'"{day}"' for day in draw.sample(list_, len(list_))) for name, list_ in self.holidays.items()}
        self.text = ("holidays = (" + ", ".join(f'{{ id = "{name}"; name = "x"; name_en = "x"; days = [{list_}]; {SOURCE} }}'
                                               for name, list_ in days.items()) + ");\n"
                     f'tariffs = ( {{ id = "t"; name = "x"; name_en = "x"; carrier = "{self.carrier}"; sites = ["s"];\n schedules = (\n  '
                     + ",\n  ".join(texts) + ");\n prices = (\n  " + ",\n  ".join(prices) + "); } );\n")

    def band(self, day: date, quarter: int) -> int:
        for begin, last, seasons, exceptions in self.schedules:
            if begin <= day and (last is None or day <= last):
                found = next(hours for months, hours, _ in seasons if day.month in months)[quarter]
                for names, hours, _ in exceptions:
                    if any(day in self.holidays[name] for name in names) and hours[quarter] is not None:
                        found = hours[quarter]
                return found
        return -1

    def price_row(self, day: date) -> int:
        return next((i for i, (begin, last, _) in enumerate(self.prices) if begin <= day and (last is None or day <= last)), -1)


def written(value: int, scale: int) -> str:
    digits = f"{abs(value):0{scale + 1}d}"
    text = digits if scale == 0 else f"{digits[:-scale]}.{digits[-scale:]}"
    return ("-" if value < 0 else "") + text


def print_period(draw: random.Random, tariff: Tariff, zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    first = date(2023, 12, 20) + timedelta(days=draw.randrange(1500))
    begin, end = (int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
                  for day in (first, first + timedelta(days=draw.randrange(1, 40))))
    print("file", zone_name, begin, end)
    sums: dict[tuple[int, int], list[int]] = {}
    size, gaps = 10 ** draw.randrange(1, 10), draw.choice([0, 0, 30])
    for time in range(begin, end, QUARTER_HOUR):
        local = datetime.fromtimestamp(time, zone)
        band = tariff.band(local.date(), local.hour * 4 + local.minute // 15)
        row = tariff.price_row(local.date()) if band >= 0 else -1
        amount = draw.randrange(-size // 10 - 1, size)
        is_known = not gaps or draw.randrange(gaps) > 0
        print("q", band, row, amount, int(is_known))
        line = sums.setdefault((band, row), [0, 0])
        if is_known:
            line[0] += amount
        else:
            line[1] += QUARTER_HOUR
    total, is_whole = [0, 0, 0], True
    for (band, row), (amount, unknown) in sums.items():
        cost = rounded(Fraction(amount, tariff.units) * tariff.prices[row][2][band] * 100) if row >= 0 else 0
        print("line", band, row, amount, unknown, cost)
        total[1] += unknown
        if row >= 0:
            total[0] += amount
            total[2] += cost
        is_whole = is_whole and row >= 0 and unknown == 0
    print("total", *total, int(is_whole))


def main() -> None:
    draw, folder = random.Random(int(sys.argv[1])), Path(sys.argv[2])
    for i in range(12):
        tariff = Tariff(draw)
        (folder / f"tariff{i}.cfg").write_text(tariff.text)
        print("tariff", f"tariff{i}.cfg")
        for _ in range(3):
            print_period(draw, tariff, draw.choice(ZONES))


main()
