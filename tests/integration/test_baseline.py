"""A year and more of daily registers and hourly temperatures through the real agent, broker and collector: the report gives back the
coefficients that made them, and what was saved; what does not suffice is refused with the reason."""

from __future__ import annotations

import csv
import json
import math
import re
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from harness.parkmon import Agent, new_collector, write_agent_settings
from harness.process import run
from harness.stage import Stage

ZONE = ZoneInfo("Europe/Berlin")  # two days of the year have 23 and 25 hours
FIRST, END = datetime(2024, 1, 1, tzinfo=ZONE), datetime(2025, 3, 1, tzinfo=ZONE)
REPORTING = datetime(2025, 1, 1, tzinfo=ZONE)
BASE_WH, HEATING_WH, COOLING_WH, HEATING_C, COOLING_C = 240_000, 9_000, 14_000, 15, 21
SAVED = 0.125
EACH_WH = 1_500  # for a person who is there all day

KEYS = ('name = "x"; name_en = "x"; from = "2024-01-01"; through = "2024-12-31"; reporting = "2025-01-01"; heating_from = 12; '
        'heating_to = 18; ')
BOTH = 'model = "both"; cooling_from = 19; cooling_to = 24; meter = "main"; temperature = "gw-a/roof"; '
PARK = f"""
sites = ( {{ id = "site"; name = "园区"; name_en = "Park"; zone = "Europe/Berlin"; }} );
buildings = ( {{ id = "b1"; name = "1"; name_en = "1"; site = "site"; }} );
gateways = ( {{ id = "gw-a"; site = "site"; name = "a"; name_en = "A"; }} );
meters = ( {{ id = "main"; name = "总表"; name_en = "Main"; building = "b1"; carrier = "electricity"; max_gap = 93600;
  segments = ( {{ serial = "1"; from = "2023-12-31T00:00:00+01:00"; point = "gw-a/main"; max_rate = 100000; }} ); }},
 {{ id = "dead"; name = "x"; name_en = "x"; building = "b1"; carrier = "electricity";
  segments = ( {{ serial = "2"; from = "2023-12-31T00:00:00+01:00"; point = "gw-a/dead"; max_rate = 100000; }} ); }},
 {{ id = "busy"; name = "x"; name_en = "x"; building = "b1"; carrier = "electricity"; max_gap = 93600;
  segments = ( {{ serial = "3"; from = "2023-12-31T00:00:00+01:00"; point = "gw-a/busy"; max_rate = 100000; }} ); }} );
spaces = ( {{ id = "hall"; name = "x"; name_en = "x"; building = "b1"; sensors = ( {{ point = "gw-a/people"; kind = "count"; period = 3600; }} ); }},
 {{ id = "empty"; name = "x"; name_en = "x"; building = "b1"; sensors = ( {{ point = "gw-a/nobody"; kind = "count"; period = 3600; }} ); }} );
baselines = ( {{ id = "days"; {KEYS} {BOTH} step = "day"; }},
 {{ id = "months"; {KEYS} {BOTH} step = "month"; }},
 {{ id = "wrong"; {KEYS} model = "heating"; step = "day"; meter = "main"; temperature = "gw-a/indoor"; }},
 {{ id = "silent"; {KEYS} model = "heating"; step = "day"; meter = "main"; temperature = "gw-a/silent"; }},
 {{ id = "dead"; {KEYS} model = "heating"; step = "day"; meter = "dead"; temperature = "gw-a/roof"; }},
 {{ id = "people"; {KEYS} {BOTH.replace('"main"', '"busy"')} step = "day"; occupancy = ("hall"); }},
 {{ id = "people-months"; {KEYS} {BOTH.replace('"main"', '"busy"')} step = "month"; occupancy = ("hall"); }},
 {{ id = "weather-alone"; {KEYS} {BOTH.replace('"main"', '"busy"')} step = "day"; }},
 {{ id = "unseen"; {KEYS} {BOTH.replace('"main"', '"busy"')} step = "day"; occupancy = ("hall", "empty"); }} );
"""
BUS = """{ name = "bus"; driver = "modbus_tcp"; host = "127.0.0.1"; port = 1; devices = ( { name = "device"; points = (
 { name = "main"; kind = "register"; address = 0; type = "u64"; unit = "Wh"; }, { name = "busy"; kind = "register"; address = 16; type = "u64"; unit = "Wh"; },
 { name = "people"; kind = "gauge"; address = 12; type = "f64"; unit = "count"; }, { name = "roof"; kind = "gauge"; address = 4; type = "f64"; unit = "degC"; },
 { name = "indoor"; kind = "gauge"; address = 8; type = "f64"; unit = "degC"; } ); } ); }"""


def days() -> list[datetime]:
    found = [FIRST]
    while found[-1] < END:
        found.append((found[-1] + timedelta(days=1)).replace(tzinfo=ZONE))
    return found


def ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def mean_of(number: int) -> int:
    """Of the number-th day, in thousandths."""
    return round(1000 * (10.5 - 12 * math.cos(2 * math.pi * (number - 18) / 366) + 4 * math.sin(number * 2.3)))


def energy_of(number: int, day: datetime) -> int:
    mc = mean_of(number)
    whole = BASE_WH + (HEATING_WH * max(0, HEATING_C * 1000 - mc) + COOLING_WH * max(0, mc - COOLING_C * 1000)) // 1000
    return round(whole * (1 - SAVED)) if day >= REPORTING else whole


def people_of(number: int, day: datetime) -> int:
    """As many all day, from midnight to midnight; half as many come since something was done."""
    if day.weekday() > 4:
        return 0
    return (40 + number * 7 % 23) // (2 if day >= REPORTING else 1)


def busy_of(number: int, day: datetime) -> int:
    return energy_of(number, day) + EACH_WH * people_of(number, day)


def write_history(path: Path) -> None:
    """A register at each midnight; a temperature each hour, 3 degrees above and below the mean in turn, which leaves it as it is."""
    rows, register, busy = [], 1_000, 5_000
    for number, day in enumerate(days()):
        rows.append((ms(day), "main", register))
        rows.append((ms(day), "busy", busy))
        if day >= END:
            break
        register += energy_of(number, day)
        busy += busy_of(number, day)
        hours = (ms((day + timedelta(days=1)).replace(tzinfo=ZONE)) - ms(day)) // 3_600_000
        swings = [3_000 if hour % 2 else -3_000 for hour in range(hours - hours % 2)] + [0] * (hours % 2)
        for hour in range(hours):
            at = ms(day) + hour * 3_600_000 + 60_000
            rows.append((at, "roof", (mean_of(number) + swings[hour]) / 1000))
            rows.append((at, "indoor", 20.5))
            rows.append((at - 60_000, "people", people_of(number, day)))
    rows.sort()
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("point", "value", "time"))
        writer.writerows((point, value, time) for time, point, value in rows)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("baseline")) as stage:
        yield play(stage)


def play(stage: Stage) -> SimpleNamespace:
    folder = stage.folder
    park = folder / "park.cfg"
    park.write_text(PARK)
    broker = stage.broker("gw-a")
    influx = stage.influx()
    collector = stage.start(new_collector(folder / "collector", broker, influx, park))
    agent = Agent(write_agent_settings(folder / "gw-a.cfg", "gw-a", broker, BUS), broker)
    write_history(folder / "history.csv")
    done = agent.run("--replay", str(folder / "history.csv"), seconds=240)
    assert done.returncode == 0, done.stderr[-2000:]
    collector.wait_taken(180, "ledger", "temperature", "space")
    return SimpleNamespace(folder=folder, collector=collector, database=collector.settings.with_suffix(".db"))


def report(made, period: str, form: str = "json", language: str = "en") -> str:
    done = run([made.collector.program, "report", "--config", made.collector.settings, "--site", "site", "--period", period, "--format", form,
                "--language", language], 120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def tables(made, period: str) -> dict[str, dict[str, dict]]:
    """By table and baseline."""
    found = {table["id"]: table["rows"] for table in json.loads(report(made, period))["tables"]}
    return {name: {row["id"]: row for row in found[name]} for name in ("baseline", "baseline_model", "avoided_energy")}


def test_the_coefficients_that_made_the_year_come_back(made):
    found = tables(made, "2025-01")
    for name, points in (("days", 366), ("months", 12)):
        model = found["baseline_model"][name]
        assert model["verdict"] == "accepted"
        assert (model["heating_balance"], model["cooling_balance"], model["periods"]) == (HEATING_C, COOLING_C, points)
        # Energy of a day is whole Wh: rounded down, so that it is off by up to 1 Wh.
        assert model["base_load"] == pytest.approx(BASE_WH / 1000, abs=0.002)
        assert model["heating_slope"] == pytest.approx(HEATING_WH / 1000, abs=0.001)
        assert model["cooling_slope"] == pytest.approx(COOLING_WH / 1000, abs=0.005)
        assert model["r2"] == 1 and model["cv_rmse"] == 0 and model["nmbe"] == 0
        data = found["baseline"][name]
        assert (data["days"], data["missing_days"], data["filled_days"]) == (366, 0, 0)


@pytest.mark.parametrize("period, count", [("2025-01", 31), ("2025-02", 28)])
def test_what_was_saved_is_avoided(made, period, count):
    numbered = [(number, day) for number, day in enumerate(days()) if day >= REPORTING and day < END]
    part = [pair for pair in numbered if pair[1].month == int(period[-2:])]
    assert len(part) == count
    metered = sum(energy_of(number, day) for number, day in part)
    before = sum(energy_of(number, FIRST) for number, _ in part)  # as if nothing had been done
    for name in ("days", "months"):
        row = tables(made, period)["avoided_energy"][name]
        assert row["verdict"] == "stated"
        assert (row["days"], row["missing_days"]) == (count, 0)
        assert row["metered_energy"] == metered / 1000
        assert row["expected"] == pytest.approx(before / 1000, abs=0.2)
        assert row["avoided"] == pytest.approx((before - metered) / 1000, abs=0.2)
        assert row["avoided_share"] == pytest.approx(100 * SAVED, abs=0.01)


def test_what_does_not_suffice_is_refused_with_the_reason(made):
    found = tables(made, "2025-01")
    assert {name: row["verdict"] for name, row in found["baseline_model"].items()} == {
        "people": "accepted", "people-months": "accepted", "weather-alone": "accepted", "unseen": "days_missing", "days": "accepted", "months": "accepted", "wrong": "no_weather", "silent": "days_missing", "dead": "days_missing"}
    for name in ("wrong", "silent", "dead", "unseen"):
        row = found["avoided_energy"][name]
        assert row["verdict"] == "no_model"
        assert row["avoided"] is None and row["expected"] is None and row["metered_energy"] is None
    assert found["baseline"]["silent"]["no_temperature_days"] == 366
    assert found["baseline"]["dead"]["no_energy_days"] == 366


def test_people_are_a_variable_beside_the_weather(made):
    found = tables(made, "2025-01")
    for name in ("people", "people-months"):
        model, data = found["baseline_model"][name], found["baseline"][name]
        assert (data["occupancy"], data["no_people_days"], data["missing_days"]) == ("hall", 0, 0)
        assert model["people_slope"] == pytest.approx(EACH_WH / 1000, abs=0.003)
        assert model["heating_slope"] == pytest.approx(HEATING_WH / 1000, abs=0.003)
        assert model["cooling_slope"] == pytest.approx(COOLING_WH / 1000, abs=0.01)
        assert model["r2"] == 1  # nothing is left over, and t has no end
    assert (found["baseline"]["unseen"]["occupancy"], found["baseline"]["unseen"]["no_people_days"]) == ("hall, empty", 366)
    assert found["baseline"]["days"]["no_people_days"] is None and found["baseline_model"]["days"]["people_slope"] is None
    # That half as many came is no saving; who looks at the weather alone takes it for one.
    part = [(number, day) for number, day in enumerate(days()) if REPORTING <= day < END and day.month == 1]
    saved = sum(energy_of(number, FIRST) - energy_of(number, day) for number, day in part)
    row, alone = found["avoided_energy"]["people"], found["avoided_energy"]["weather-alone"]
    assert row["metered_energy"] == sum(busy_of(number, day) for number, day in part) / 1000
    assert row["avoided"] == pytest.approx(saved / 1000, abs=0.2)
    assert alone["avoided"] > 1.1 * row["avoided"]


def test_before_the_reporting_period_nothing_is_avoided(made):
    assert {row["verdict"] for name, row in tables(made, "2024-12")["avoided_energy"].items() if name in ("days", "months")} == {"before_reporting"}
    assert tables(made, "2025-01-05")["avoided_energy"]["months"]["verdict"] == "too_short"
    assert tables(made, "2025-01-05")["avoided_energy"]["days"]["verdict"] == "stated"


def test_a_quarter_of_which_a_month_is_not_known_is_refused(made):
    row = tables(made, "2025-Q1")["avoided_energy"]["days"]
    assert (row["verdict"], row["days"], row["missing_days"], row["avoided"]) == ("days_missing", 90, 31, None)


@pytest.mark.parametrize("language, words", [("en", ("Accepted", "Avoided energy, against the baseline", "CalTRACK", "Guideline 14", "depends on people")),
                                             ("zh", ("接受", "避免的能耗", "CalTRACK", "Guideline 14", "在室人数"))])
def test_people_read_it_in_both_languages(made, language, words):
    page = report(made, "2025-01", "html", language)
    assert all(word in page for word in words)


def test_temperatures_are_one_for_each_quarter_hour_that_had_a_reading(made):
    with closing(sqlite3.connect(made.database)) as db:
        rows = dict(db.execute("SELECT p.name, count(*) FROM temperature t JOIN temperature_point p ON p.id = t.point GROUP BY 1"))
    hours = (ms(END) - ms(FIRST)) // 3_600_000
    assert rows == {"gw-a/roof": hours, "gw-a/indoor": hours}


def verify(made, *words: str):
    return run([made.collector.program, "verify", "--config", made.collector.settings, *words], 120)


CHANGES = {"changed": ("UPDATE temperature SET mc = mc + 1 WHERE start_ms = {quarter} AND mc <> 20500", "says {more} mC of {at}, the journal gives {mc} mC of {at}"),
           "taken away": ("DELETE FROM temperature WHERE start_ms = {quarter} AND mc <> 20500", "says nothing, the journal gives {mc} mC of {at}"),
           "made up": ("INSERT INTO temperature SELECT point, start_ms + 900000, start_ms + 900000, 5 FROM temperature WHERE start_ms = {quarter} AND mc <> 20500",
                       "says 5 mC of 2024-03-01T00:15:00.000Z, the journal gives nothing")}


def test_temperatures_recompute_from_the_journal(made):
    done = verify(made)
    hours = (ms(END) - ms(FIRST)) // 3_600_000
    assert (done.returncode, done.stderr) == (0, "")
    assert f"temperatures: {2 * hours} quarter hours are what the journal says\n" in done.stdout


@pytest.mark.parametrize("what", CHANGES)
def test_a_temperature_that_somebody_changed_is_named(made, what):
    quarter = ms(datetime(2024, 3, 1, 1, tzinfo=ZONE))
    with closing(sqlite3.connect(made.database, timeout=30)) as db:
        rows = db.execute("SELECT * FROM temperature").fetchall()
        (mc,), = db.execute("SELECT mc FROM temperature WHERE start_ms = ? AND mc <> 20500", (quarter,)).fetchall()
        statement, told = CHANGES[what]
        assert db.execute(statement.format(quarter=quarter)).rowcount == 1
        db.commit()
        try:
            found = verify(made, "--period", "2024-03-01")
        finally:
            db.execute("DELETE FROM temperature")
            db.executemany("INSERT INTO temperature VALUES(?, ?, ?, ?)", rows)
            db.commit()
    told = told.format(mc=mc, more=mc + 1, at="2024-03-01T00:01:00.000Z")
    assert found.returncode == 1
    assert re.search(r"^park-collector: temperature gw-a/roof, quarter hour 2024-03-01T00:(00|15):00.000Z: the database " + re.escape(told) + "$",
                     found.stderr, re.M), found.stderr


def test_a_bundle_of_a_park_with_baselines_recomputes_without_them(made):
    bundle = made.folder / "bundle"
    done = run([made.collector.program, "evidence", "--config", made.collector.settings, "--site", "site", "--period", "2025-01", "-o", bundle], 120)
    assert done.returncode == 0, done.stderr
    checked = run([made.collector.program, "verify", "--evidence", bundle], 120)
    assert checked.returncode == 0, checked.stderr
