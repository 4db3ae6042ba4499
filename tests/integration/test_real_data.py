"""Real data through the whole path: file -> agent -> broker -> collector -> InfluxDB, and there it equals the file, reading by reading."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import real_data
from harness.parkmon import Agent, new_collector, write_agent_settings
from harness.process import wait_until
from harness.servers import SOURCE
from harness.sim import Sim

sys.path.insert(0, str(SOURCE / "tests"))
from sim import answers  # noqa: E402

STEEL_TOTAL_WH = 959_636_710  # 959 636.71 kWh, as the file's README says
REPLAY_SECONDS = 240.0

PARK = """
sites = ( { id = "site"; name = "园区"; name_en = "Park"; zone = "Asia/Shanghai"; } );
gateways = ( { id = "gw-data"; site = "site"; name = "数据"; name_en = "Data"; } );
"""


def bus_of(points: dict[str, str]) -> str:
    """Settings that name the points; nothing listens there, and --replay asks nobody."""
    listed = ",\n".join(
        f'{{ name = "{name}"; kind = "{kind}"; address = {4 * i}; type = "{"u64" if kind == "register" else "f64"}"; '
        f'unit = "{"Wh" if kind == "register" else "count"}"; }}' for i, (name, kind) in enumerate(points.items()))
    return ('{ name = "bus"; driver = "modbus_tcp"; host = "127.0.0.1"; port = 1; '
            f'devices = ( {{ name = "device"; points = (\n{listed}\n); }} ); }}')


def replay_everything(stage, readings: list[real_data.Reading]):
    """Returns the store after the readings went through all of it."""
    stage.folder.joinpath("park.cfg").write_text(PARK)
    influx = stage.influx()
    broker = stage.broker("gw-data")
    collector = stage.start(new_collector(stage.folder / "collector", broker, influx, stage.folder / "park.cfg"))
    points = {reading.point: real_data.kind(reading.value) for reading in readings}
    agent = Agent(write_agent_settings(stage.folder / "gw-data.cfg", "gw-data", broker, bus_of(points)), broker)
    done = agent.run("--replay", str(real_data.write_replay(stage.folder / "replay.csv", readings)), seconds=REPLAY_SECONDS)
    assert done.returncode == 0, done.stderr[-2000:]
    collector.wait_settled(60)
    assert collector.metric("parkmon_quarantined_total") == 0
    assert collector.metric("parkmon_losses_total") == 0
    return influx


def in_store(influx) -> dict[str, list[tuple[int, object]]]:
    return {point: readings for measurement in ("register", "gauge")
            for (_, point), readings in influx.raw(measurement).items()}


def assert_equal(found: dict[str, list], expected: dict[str, list]) -> None:
    assert sorted(found) == sorted(expected)
    for point, readings in expected.items():
        assert len(found[point]) == len(readings), point
        for stored, real in zip(found[point], readings):
            assert stored == real, point


def test_two_rooms_replayed_equal_the_file(stage, data):
    readings = [r for room in (1, 2) for r in real_data.robod(data, room)]
    readings.sort(key=lambda r: r.time_ms)
    assert len(readings) > 140_000
    assert_equal(in_store(replay_everything(stage, readings)), real_data.by_point(readings))


def test_a_year_of_the_steel_plant_replayed_equals_the_file_and_its_total(stage, data):
    readings = list(real_data.steel(data))
    expected = real_data.by_point(readings)
    assert len(expected["steel.energy"]) == 35_040
    found = in_store(replay_everything(stage, readings))
    assert_equal(found, expected)
    first_interval_wh = expected["steel.energy"][0][1]
    times, registers = zip(*found["steel.energy"])
    assert registers[-1] == STEEL_TOTAL_WH
    assert registers[-1] - registers[0] == STEEL_TOTAL_WH - first_interval_wh
    assert {later - earlier for earlier, later in zip(times, times[1:])} == {15 * 60 * 1000}


def write_recording(path: Path, data: Path, room: int) -> list[dict[str, int]]:
    """A row of registers for each row of the file; a missing interval leaves the register where it was."""
    rows: list[dict[str, int]] = []
    for reading in real_data.robod(data, room):
        if real_data.kind(reading.value) == "register":
            if not rows or reading.time_ms != rows[-1]["time"]:
                rows.append({**(rows[-1] if rows else {}), "time": reading.time_ms})
            rows[-1][reading.point.split(".")[1]] = reading.value
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=["time", *(n for n in rows[-1] if n != "time")])
        writer.writeheader()
        writer.writerows(rows)
    return rows


def test_a_room_served_live_over_modbus_arrives_row_by_row(stage, data):
    rows = write_recording(stage.folder / "room.csv", data, 1)
    assert len(rows) == 8_352
    sim = stage.start(Sim(stage.folder / "sim", record=["--csv", str(stage.folder / "room.csv")]))
    influx = stage.influx()
    broker = stage.broker("gw-rec")
    stage.folder.joinpath("park.cfg").write_text(PARK.replace("gw-data", "gw-rec"))
    collector = stage.start(new_collector(stage.folder / "collector", broker, influx, stage.folder / "park.cfg"))
    settings = sim.write_settings(stage.folder / "settings", broker, every=0.005)
    agent = stage.start(Agent(settings[0], broker))

    last = {name: value for name, value in rows[-1].items() if name != "time"}
    wait_until(lambda: f'"value":{last["plug_load"]}}}' in tail(sim.log_of_answers), 180, "the last row was answered", poll=0.5)
    agent.stop()
    collector.wait_settled()

    answered = answers.expected(sim.log_of_answers, "gw-rec")
    found = influx.raw("register")
    assert len(found) == len(real_data.ROBOD_REGISTERS)
    for (_, point), stored in found.items():
        name = point.split(".")[1]
        values = [value for _, value in stored]
        # By the simulator's own log every answer is there; and the answers were the file, a row a poll.
        assert values == [value for _, value in answered[point]], point
        assert values[:len(rows)] == [row[name] for row in rows], point
        assert set(values[len(rows):]) <= {rows[-1][name]}, point
        times = [time_ms for time_ms, _ in stored]
        assert all(earlier < later for earlier, later in zip(times, times[1:])), point


def tail(path: Path, size: int = 4096) -> str:
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read().decode(errors="replace")
