"""Real data as readings: what the files of ../shared/data say, in base units, by exact decimals. See README.md there."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import NamedTuple

ROBOD_REGISTERS = ("ceiling_fan_energy", "lighting_energy", "plug_load_energy", "chilled_water_energy", "fcu_fan_energy")
ROBOD_GAUGES = ("air_temperature", "indoor_co2", "wifi_connected_devices", "occupant_count")
STEEL_REGISTERS = {"Usage_kWh": "energy", "Lagging_Current_Reactive.Power_kVarh": "lagging",
                   "Leading_Current_Reactive_Power_kVarh": "leading"}
STEEL_ZONE = timezone(timedelta(hours=9))


class Reading(NamedTuple):
    point: str
    value: int | float  # register: Wh, a running total; gauge: as it stands in the file
    time_ms: int


def milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def whole_watt_hours(kwh: Decimal) -> int:
    return int((kwh * 1000).to_integral_value(ROUND_HALF_UP))


def robod(folder: Path, room: int) -> Iterator[Reading]:
    """Interval energies added up to registers, rounded to the Wh where they are read, never where they are added. A missing cell is no
    reading."""
    totals = dict.fromkeys(ROBOD_REGISTERS, Decimal(0))
    with open(folder / f"robod/combined_Room{room}.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            time_ms = milliseconds(datetime.strptime(row["timestamp"], "%Y-%m-%d %H:%M %z"))
            for name in ROBOD_REGISTERS:
                if row[name]:
                    totals[name] += Decimal(row[name])
                    yield Reading(f"room{room}.{name.replace('_energy', '')}", whole_watt_hours(totals[name]), time_ms)
            for name in ROBOD_GAUGES:
                if row[name]:
                    yield Reading(f"room{room}.{name}", float(row[name]), time_ms)


def steel(folder: Path) -> Iterator[Reading]:
    """A year of quarter hours. Stamps are ends of intervals, so 00:00 of day D, which stands after 23:45 of D, is the end of D."""
    totals = dict.fromkeys(STEEL_REGISTERS, Decimal(0))
    with open(folder / "steel/Steel_industry_data.csv", newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            end = datetime.strptime(row["date"], "%d/%m/%Y %H:%M").replace(tzinfo=STEEL_ZONE)
            if (end.hour, end.minute) == (0, 0):
                end += timedelta(days=1)
            for name, point in STEEL_REGISTERS.items():
                totals[name] += Decimal(row[name])
                yield Reading(f"steel.{point}", whole_watt_hours(totals[name]), milliseconds(end))
            yield Reading("steel.power_factor", float(row["Lagging_Current_Power_Factor"]), milliseconds(end))


def by_point(readings: list[Reading]) -> dict[str, list[tuple[int, int | float]]]:
    found: dict[str, list[tuple[int, int | float]]] = {}
    for reading in readings:
        found.setdefault(reading.point, []).append((reading.time_ms, reading.value))
    return found


def kind(value: int | float) -> str:
    return "register" if isinstance(value, int) else "gauge"


def write_replay(path: Path, readings: list[Reading]) -> Path:
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("point", "value", "time"))
        writer.writerows((r.point, repr(r.value), r.time_ms) for r in readings)
    return path
