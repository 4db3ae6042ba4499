"""What instruments and resources tell, from the broker to the rows: three real device-days, what thresholds make of them, and the same rows whatever is killed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from harness.parkmon import new_collector
from harness.process import run, wait_until
from harness.stage import Stage
from publisher import Publisher
from test_decisions import House

DEVICES = {"printer": (20, 40, 60), "desktop": (20, 50, 100), "projector": (5, 20, 50)}  # off, exit, enter
FILES = {"printer": "printer_2011-12-26", "desktop": "desktop_2012-01-03", "projector": "projector_2012-01-19"}
INSTRUMENT = ('{{ id = "{0}"; name = "x"; name_en = "x"; building = "b1"; category = "c"; owner = "o"; owner_en = "o"; owner_code = "OWN"; contact = "8"; '
              'max_session = 7200; {1} }}')
POWER = 'power = "gw-a/{0}"; power_period = 10; off_w = {1}; standby_w = {2}; exit_w = {3}; enter_w = {4}; enter_s = 10; exit_s = 300; off_means = "available";'
PARK = """
sites = ( { id = "s1"; name = "x"; name_en = "x"; zone = "UTC"; } );
buildings = ( { id = "b1"; name = "x"; name_en = "x"; site = "s1"; } );
gateways = ( { id = "gw-a"; name = "x"; name_en = "x"; site = "s1"; } );
categories = ( { id = "c"; name = "x"; name_en = "x"; } );
resources = ( { id = "water"; name = "x"; name_en = "x"; building = "b1"; kind = "chilled_water"; point = "gw-a/water"; up = ("on"); down = ("off"); } );
instruments = ( """ + ", ".join([
    *(INSTRUMENT.format(name, POWER.format(name, off, off + 1, exit_, enter)) for name, (off, exit_, enter) in DEVICES.items()),
    INSTRUMENT.format("sem", 'session = "gw-a/sem";'), INSTRUMENT.format("afm", "shared = false;")]) + " );\n"
BATCH = 1000


def device_day(data: Path, name: str) -> list[tuple[int, int]]:
    """Milliseconds and watts, as they stand in the file: times repeat, and go back."""
    readings = []
    for line in (data / f"device-power/{FILES[name]}.csv").read_text().splitlines():
        at, watts, _ = line.split(";")
        day, month, year, hour, minute, second = map(int, re.split("[/ :]", at))
        readings.append((round(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() * 1000), int(watts)))
    return readings


class Watched(House):
    def __init__(self, stage: Stage):
        self.broker = stage.broker("gw-a")
        self.influx = stage.influx()
        park = stage.folder / "park.cfg"
        park.write_text(PARK)
        self.collector = stage.add(new_collector(stage.folder / "collector", self.broker, self.influx, park))
        self.database = stage.folder / "collector/collector.db"
        self.seq = 0

    def send(self, lines: list[str]) -> None:
        """Acknowledged, in batches of the journal."""
        agent = Publisher(self.broker, "gw-a")
        for at in range(0, len(lines), BATCH):
            self.seq += 1
            agent.send(self.seq, lines[at:at + BATCH])
            agent.wait_ack(self.seq, seconds=60)
        agent.close()

    def wait_taken(self) -> None:
        wait_until(lambda: self.query("SELECT position >= (SELECT max(id) FROM journal) FROM cursor WHERE name = 'watch'") == [(1,)], 60,
                   "the journal is taken")

    def thresholds(self, *words: str):
        return run([self.collector.program, "thresholds", "--config", self.collector.settings, "--instrument", *words])


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("watch")) as stage:
        found = Watched(stage)
        found.start()
        yield found


def row_of(done, name: str) -> dict[str, str]:
    """Of the table of what thresholds give."""
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    heads = next(line for line in lines if line.startswith("thresholds")).replace(", h", "_h").split()[1:]
    return dict(zip(heads, next(line for line in lines if line.startswith(name)).removeprefix(name).split(), strict=True))


def forward(readings: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without those whose time is not later than that of one before."""
    found: list[tuple[int, int]] = []
    for time_ms, watts in readings:
        if not found or time_ms > found[-1][0]:
            found.append((time_ms, watts))
    return found


@pytest.mark.parametrize(("name", "runs", "hours"), [("printer", 3, "0.31"), ("desktop", 1, "14.2"), ("projector", 1, "1.37")])
def test_real_device_days_run_as_often_as_they_did(house, data, name, runs, hours):
    readings = device_day(data, name)
    readings.append((readings[-1][0] + 3_600_000, 0))  # so that all of it is over
    lines = [f"gauge,point={name} value={watts} {time_ms}" for time_ms, watts in readings]
    house.send(lines)
    middle = len(lines) // 2
    house.send(lines[middle:middle + 50] + lines[100:150])  # again, and back
    house.wait_taken()
    (count, ran_ms), = house.query("SELECT count(*), sum(until_ms - from_ms) FROM activity_span JOIN instrument ON id = instrument"
                                   f" WHERE name = '{name}' AND state = 3")
    digits = len(hours.partition(".")[2])
    assert (count, f"{ran_ms / 3_600_000:.{digits}f}") == (runs, hours)
    done = house.thresholds(name)
    found = row_of(done, "park file")
    assert (int(found["runs"]), f"{ran_ms / 3_600_000:.2f}") == (runs, found["running_h"]), done.stdout
    counted = forward(readings)
    above = [watts >= DEVICES[name][2] for _, watts in counted]
    bare = sum(now and not before for before, now in zip([False, *above], above, strict=False))
    assert int(row_of(done, "enter_w bare")["runs"]) == bare, done.stdout  # the dwell does the work
    assert bare >= runs and (bare > 30 or name == "projector")
    assert sum(int(number) for number in re.findall(r"\.\. +\S+ +\S+ +(\d+)", done.stdout)) == len(counted)


def test_thresholds_that_are_given_are_tried_beside_those_of_the_park(house, data):
    house.send([f"gauge,point=printer value={watts} {time_ms}" for time_ms, watts in device_day(data, "printer")])
    house.wait_taken()
    before = house.query("SELECT count(*) FROM activity_span")
    done = house.thresholds("printer", "--enter-s", "0", "--exit-s", "0", "--exit-w", "59.999")
    assert int(row_of(done, "given")["runs"]) == 40 and int(row_of(done, "park file")["runs"]) == 3
    night = house.thresholds("printer", "--from", "2011-12-26T00:00:00Z", "--until", "2011-12-26T06:00:00+00:00")
    assert row_of(night, "park file")["runs"] == "0"
    none = house.thresholds("printer", "--from", "2020-01-01T00:00:00Z")
    assert (none.returncode, none.stdout) == (0, "instrument printer: the journal holds no power of gw-a/printer\n")
    assert house.query("SELECT count(*) FROM activity_span") == before


@pytest.mark.parametrize(("words", "code", "why"), [
    (["printer", "--exit-w", "70"], 78, "the thresholds are out of order: off_w 20, exit_w 70, enter_w 60; expected off_w < exit_w < enter_w"),
    (["nothing"], 78, "--instrument nothing is not in the park model; expected the id of one of its instruments"),
    (["sem"], 78, "instrument sem has no power in the park model; expected `power`, or a `meter` that has it"),
    (["printer", "--enter-w", "many"], 64, "no number from 0 on with at most three decimals: many"),
    (["printer", "--from", "yesterday"], 64, "--from is no time such as 2026-10-01T08:00:00+08:00: yesterday"),
    (["printer", "more"], 64, "one argument too many: more")])
def test_what_is_asked_wrongly_is_one_sentence(house, words, code, why):
    done = house.thresholds(*words)
    assert (done.returncode, done.stderr.splitlines()[0]) == (code, f"park-collector: {why}")
    assert done.stdout == ""
