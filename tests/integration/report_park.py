"""A site with everything that a report speaks of, as settings and as a filled database, and what its figures must be: worked
out here in rationals from the quarter hours that were put in, with nothing of ours."""

from __future__ import annotations

import random
import sqlite3
from collections import defaultdict
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from harness.parkmon import build_folder
from harness.process import Program, free_port, wait_until

ZONE = ZoneInfo("Asia/Shanghai")
QUARTER_MS = 900_000
MEASURED, ESTIMATED, MANUAL, UNKNOWN = range(4)

PARK = """
sites = ( { id = "jiashan"; name = "嘉善科创园"; name_en = "Jiashan <Science> & Park"; zone = "Asia/Shanghai"; region = "zhejiang"; headcount = 420; },
          { id = "other"; name = "别处"; name_en = "Elsewhere"; zone = "Asia/Shanghai"; } );
buildings = ( { id = "b1"; name = "1号楼 研发楼"; name_en = "Building 1, research"; site = "jiashan"; area = 12500; },
              { id = "b2"; name = "2号楼 中试楼"; name_en = "Building 2, pilot plant"; site = "jiashan"; area = "8640.5"; },
              { id = "b9"; name = "9号楼"; name_en = "Building 9"; site = "other"; } );
tenants = ( { id = "guangxin"; name = "光芯科技"; name_en = "Guangxin Photonics"; }, { id = "xinghe"; name = "星河生物"; name_en = "Xinghe Bio"; } );
gateways = ( { id = "gw-a"; name = "网关"; name_en = "Gateway"; site = "jiashan"; } );
meters = (
"""

# id, name, English name, building, tenant, parent, carrier, item, mean amount of a quarter hour, further settings
METERS = [
    ("main", "园区总表", "Park, main meter", "b1", None, None, "electricity", "01000", None, 'balance_limit = "0.04";'),
    ("b2-main", "2号楼总表", "Building 2, main meter", "b2", None, "main", "electricity", "01000", None, ""),
    ("b1-lab", "1号楼实验室", "Building 1, laboratories", "b1", "guangxin", "main", "electricity", "01A00", 9_000, ""),
    ("b1-hvac", "=1号楼空调", "=Building 1, air conditioning", "b1", None, "main", "electricity", "01B00", 21_000, ""),
    ("b2-bio", "2号楼生物实验室", "Building 2, biology", "b2", "xinghe", "b2-main", "electricity", "01A00", 6_500, ""),
    ("b2-heat", "2号楼热力", "Building 2, heat", "b2", None, None, "heat", None, 48_000_000, ""),
    ("b1-water", "1号楼水表", "Building 1, water", "b1", None, None, "water", None, 240, "profile = false;"),
    ("far", "别处", "Elsewhere", "b9", None, None, "electricity", "01000", 5_000, ""),
]
# What is measured nowhere below: of the parent's own amount.
UNEXPLAINED = {"main": 1_400, "b2-main": 300}

VIRTUAL = """virtual_meters = (
{ id = "labs"; name = "实验室合计"; name_en = "Laboratories"; building = "b1"; plus = ("b1-lab", "b2-bio"); },
{ id = "rest"; name = "公共"; name_en = "Common"; building = "b2"; plus = ("b2-main"); minus = ("b2-bio"); },
{ id = "no-lab"; name = "除实验室"; name_en = "But the laboratory"; building = "b1"; plus = ("main"); minus = ("b1-lab"); } );
"""

FACTORS = """factors = (
{ kind = "kgce_calorific"; carrier = "electricity"; value = "0.1229"; unit = "kgce/kWh"; basis = "calorific"; from = "2021-04-01"; document = "GB/T 2589-2020"; confidence = "A"; },
{ kind = "kgce_calorific"; carrier = "heat"; value = "0.03412"; unit = "kgce/MJ"; basis = "calorific"; from = "2021-04-01"; document = "GB/T 2589-2020"; confidence = "A"; },
{ kind = "kgce_calorific"; carrier = "water"; value = "0.2571"; unit = "kgce/t"; basis = "calorific"; from = "2021-04-01"; document = "GB/T 2589-2020"; confidence = "A"; },
{ kind = "kgce_equivalent"; carrier = "electricity"; value = "0.31"; unit = "kgce/kWh"; basis = "equivalent"; region = "zhejiang"; from = "2021-04-01"; document = "made up (C: to be checked)"; confidence = "C"; },
{ kind = "kgco2"; carrier = "electricity"; value = "0.5153"; unit = "kgCO2/kWh"; basis = "location"; region = "zhejiang"; from = "2022-01-01"; through = "2026-10-19"; document = "生态环境部、国家统计局公告 2024 年第 33 号"; confidence = "A"; },
{ kind = "kgco2"; carrier = "electricity"; value = "0.4974"; unit = "kgCO2/kWh"; basis = "location"; region = "zhejiang"; from = "2026-10-20"; document = "生态环境部、国家统计局公告 2025 年第 47 号"; confidence = "A"; note = "two rows in one month"; }
);
"""
BANDS = {"peak": [(16, 23)], "flat": [(7, 11), (14, 16), (23, 24)], "valley": [(0, 7), (11, 14)]}
DEEP, HOLIDAYS = (10, 14), (date(2026, 10, 1), date(2026, 10, 7))
PRICES = {"peak": "1.1063", "flat": "0.5980", "valley": "0.2392", "deep": "0.1196"}
TARIFFS = """holidays = ( { id = "national-day"; name = "国庆节"; name_en = "National Day"; days = ["2026-10-01/2026-10-07", "2025-10-01/2025-10-08"]; document = "D"; confidence = "A"; } );
tariffs = ( { id = "t"; name = "分时电价"; name_en = "Time of use"; carrier = "electricity"; sites = ["jiashan"];
  schedules = ( { from = "2024-01-01"; document = "浙发改价格〔2026〕112号 (B)"; confidence = "B";
    seasons = ( { months = "1-12"; %s } );
    exceptions = ( { on = ["national-day"]; deep = "10:00-14:00"; } ); } );
  prices = ( { from = "2024-01-01"; unit = "yuan/kWh"; %s document = "bill of 2026-07"; confidence = "A"; } ); } );
""" % (" ".join(f'{band} = "' + ", ".join(f"{a:02d}:00-{b:02d}:00" for a, b in spans) + '";' for band, spans in BANDS.items()),
       " ".join(f'{band} = "{price}";' for band, price in PRICES.items()))


class Quarter(NamedTuple):
    amount: int | None
    quality: int


def park_text() -> str:
    meters = []
    for number, (ident, name, name_en, building, tenant, parent, carrier, item, _, more) in enumerate(METERS):
        keys = "".join(f' {key} = "{value}";' for key, value in (("tenant", tenant), ("parent", parent), ("item", item)) if value)
        meters.append(f'{{ id = "{ident}"; name = "{name}"; name_en = "{name_en}"; building = "{building}"; carrier = "{carrier}";{keys} {more}\n'
                      f'  segments = ( {{ serial = "SN-{number:04d}-A"; from = "2024-01-01T00:00:00+08:00"; until = "2026-10-15T10:00:00+08:00";'
                      f' point = "gw-a/{ident}"; start = 0; end = 123456; max_rate = 100000000000; modulus = 1000000000000; }},\n'
                      f'               {{ serial = "SN-{number:04d}-B"; from = "2026-10-15T10:00:00+08:00"; point = "gw-a/{ident}"; start = 7;'
                      f' max_rate = 100000000000; ct = "1000/5"; registers = "secondary"; }} ); }}')
    return PARK + ",\n".join(meters) + "\n);\n" + VIRTUAL


def begin_of(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp()) * 1000


def draw_own(draw: random.Random, mean: int, time_ms: int) -> int:
    local = datetime.fromtimestamp(time_ms / 1000, ZONE)
    busy = 1.6 if 8 <= local.hour < 19 and local.weekday() < 5 else 0.5
    return int(mean * busy * draw.uniform(0.8, 1.2))


class ReportPark:
    """Quarter hours of each meter, by begin. `months` are first days."""

    def __init__(self, months: list[date], seed: int = 20261001, gap_day: date | None = date(2026, 10, 9), until_ms: int = 2**63):
        draw = random.Random(seed)
        self.arrived_ms = begin_of(date(2026, 11, 2)) + 3_661_234
        self.quarters: dict[str, dict[int, Quarter]] = {meter[0]: {} for meter in METERS}
        for first in months:
            end = min(begin_of((first + timedelta(days=32)).replace(day=1)), until_ms)
            for time_ms in range(begin_of(first), end, QUARTER_MS):
                self.add_quarter(draw, time_ms)
        if gap_day is not None:
            self.spoil(begin_of(gap_day))

    def add_quarter(self, draw: random.Random, time_ms: int) -> None:
        own = {meter[0]: draw_own(draw, meter[8] or UNEXPLAINED[meter[0]], time_ms) for meter in METERS}
        for ident, *_ in METERS:
            below = [m[0] for m in METERS if ident in ancestors(m)]
            quality = ESTIMATED if draw.randrange(40) == 0 else MANUAL if ident == "b1-water" else MEASURED
            self.quarters[ident][time_ms] = Quarter(own[ident] + sum(own[other] for other in below), quality)

    def spoil(self, day_ms: int) -> None:
        """The laboratory knows nothing from 10:00 to 11:30 of that day; of building 2's biology a quarter hour is not decided."""
        for k in range(40, 46):
            self.quarters["b1-lab"][day_ms + k * QUARTER_MS] = Quarter(None, UNKNOWN)

    def fill(self, path: Path) -> None:
        with sqlite3.connect(path) as db:
            db.executemany("INSERT OR IGNORE INTO ledger_meter(name) VALUES(?)", [(ident,) for ident in self.quarters])
            numbers = dict(db.execute("SELECT name, id FROM ledger_meter"))
            for ident, quarters in self.quarters.items():
                number, rows = numbers[ident], []
                for time_ms, quarter in quarters.items():
                    if time_ms % (7 * QUARTER_MS) == 0:  # a former version, that no longer counts
                        rows.append((number, time_ms, 1, 99, MEASURED))
                    rows.append((number, time_ms, 2, quarter.amount, quarter.quality))
                db.executemany("INSERT INTO ledger_quarter VALUES(?, ?, ?, ?, ?, 0, 0)", rows)
            lab = numbers["b1-lab"]
            day = begin_of(date(2026, 10, 9))
            for kind, start, end in ((5, day + 36_000_000 + 17_000, day + 41_000_000), (2, day + 50_000_000, day + 50_100_000),
                                     (6, begin_of(date(2026, 10, 30)), 2**63 - 1)):
                db.execute("INSERT INTO ledger_event VALUES(?, ?, ?, ?, 0, 0, 0, NULL, NULL)", (lab, start, kind, end))
            db.execute("INSERT INTO ledger_event VALUES(?, ?, 5, ?, 1, 0, 0, 0, 0)", (lab, day, day + 9))  # withdrawn
            db.execute("INSERT INTO gateway VALUES(1, 'gw-a', 1, 0, 0, 0)")
            db.execute("INSERT INTO journal(gateway, epoch, seq, received_ms, lines, payload) VALUES(1, 1, 1, ?, 0, x'')",
                       (self.arrived_ms,))
            db.execute("UPDATE cursor SET position = 1 WHERE name = 'ledger'")
            db.execute("INSERT INTO journal(gateway, epoch, seq, received_ms, lines, payload) VALUES(1, 1, 2, ?, 0, x'')",
                       (max(begin_of(date(2026, 11, 3)), self.arrived_ms),))  # which the books do not have
        db.close()


def ancestors(meter: tuple) -> list[str]:
    found = []
    while meter[5] is not None:
        found.append(meter[5])
        meter = next(m for m in METERS if m[0] == meter[5])
    return found


def write_settings(folder: Path, port: int) -> Path:
    (folder / "park.cfg").write_text(park_text())
    (folder / "factors.cfg").write_text(FACTORS)
    (folder / "tariffs.cfg").write_text(TARIFFS)
    path = folder / "collector.cfg"
    path.write_text(f'id = "main"; park = "park.cfg"; factors = "factors.cfg"; tariffs = "tariffs.cfg"; clock = "trusted";\n'
                    f'broker: {{ host = "127.0.0.1"; port = {port}; }};\ndatabase: {{ path = "collector.db"; }};\n'
                    f'store: {{ url = "http://127.0.0.1:{port}"; database = "parkmon"; }};\n'
                    f'http: {{ address = "127.0.0.1"; port = {free_port()}; web = "{build_folder() / "pages"}"; }};\n')
    return path


def make_database(folder: Path, park: ReportPark) -> Path:
    """The collector itself makes the database, and ends; then it is filled. Returns its settings."""
    settings = write_settings(folder, free_port())
    database = folder / "collector.db"
    collector = Program("collector", folder, [build_folder() / "collector/park-collector", "--config", settings])
    collector.start()

    def is_made() -> bool:
        try:
            with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
                return db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'ledger_quarter'").fetchone() == (1,)
        except sqlite3.Error:
            return False

    wait_until(is_made, 30, "the database is made")
    collector.stop()
    park.fill(database)
    return settings
