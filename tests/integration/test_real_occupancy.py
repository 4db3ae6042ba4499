"""Real people counts through the whole path: file -> agent -> broker -> collector -> InfluxDB and /api/v1/occupancy. Each quarter hour
equals what the file says of it, worked out here in whole numbers."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
import real_data
from harness.parkmon import Agent, new_collector, write_agent_settings
from harness.process import wait_until
from test_real_data import bus_of

QUARTER_MS = 900_000
GAP_MS = 3 * 300_000  # three periods
ROOMS = (1, 2)
CAPACITY = {1: 30, 2: 40}
PARK = """
sites = ( { id = "s1"; name = "园区"; name_en = "Campus"; zone = "Asia/Singapore"; } );
buildings = ( { id = "b1"; name = "楼"; name_en = "Building"; site = "s1"; } );
gateways = ( { id = "gw-data"; site = "s1"; name = "数据"; name_en = "Data"; } );
spaces = ( %s );
"""
SPACE = """{{ id = "room{room}"; name = "房间"; name_en = "Room"; building = "b1"; capacity = {capacity}; open = "Mon-Fri 08:00-18:00";
  sensors = ( {{ point = "gw-data/room{room}.occupant_count"; kind = "count"; period = 300; }} ); }}"""


def counts_of(data, room: int) -> list[tuple[int, int]]:
    name = f"room{room}.occupant_count"
    found = [(r.time_ms, int(r.value)) for r in real_data.robod(data, room) if r.point == name]
    assert all(earlier < later for (earlier, _), (later, _) in zip(found, found[1:]))
    return found


def windows_of(counts: list[tuple[int, int]]) -> dict[int, dict[str, int]]:
    """By quarter hour, in person-milliseconds: a count holds until the next one, unless that is too far away."""
    windows: dict[int, dict[str, int]] = {time // QUARTER_MS * QUARTER_MS: {"observed": 0, "occupied": 0, "sum": 0} for time, _ in counts}
    for (time, people), (after, _) in zip(counts, counts[1:]):
        if after - time > GAP_MS:
            continue
        for start in range(time // QUARTER_MS * QUARTER_MS, after, QUARTER_MS):
            length = min(after, start + QUARTER_MS) - max(time, start)
            w = windows.setdefault(start, {"observed": 0, "occupied": 0, "sum": 0})
            w["observed"] += length
            w["occupied"] += length if people else 0
            w["sum"] += length * people
            w["min"], w["max"] = min(w.get("min", people), people), max(w.get("max", people), people)
    return windows


def mean_of(window: dict[str, int]) -> float:
    return floor(Fraction(window["sum"] * 1000, window["observed"]) + Fraction(1, 2)) / 1000


@pytest.fixture(scope="module")
def truth(data):
    return {room: windows_of(counts_of(data, room)) for room in ROOMS}


class House:
    def __init__(self, stage, data):
        park = stage.folder / "park.cfg"
        park.write_text(PARK % ",\n".join(SPACE.format(room=room, capacity=CAPACITY[room]) for room in ROOMS))
        self.influx = stage.influx()
        broker = stage.broker("gw-data")
        self.collector = stage.start(new_collector(stage.folder / "collector", broker, self.influx, park))
        readings = sorted((r for room in ROOMS for r in real_data.robod(data, room) if r.point.endswith("occupant_count")), key=lambda r: r.time_ms)
        agent = Agent(write_agent_settings(stage.folder / "gw-data.cfg", "gw-data", broker, bus_of({r.point: "gauge" for r in readings})), broker)
        done = agent.run("--replay", str(real_data.write_replay(stage.folder / "replay.csv", readings)), seconds=240)
        assert done.returncode == 0, done.stderr[-2000:]
        self.collector.wait_settled(60)


def check_store(house: House, room: int, windows: dict[int, dict[str, int]]) -> None:
    rows = house.influx.rows(f"SELECT * FROM occupancy WHERE space = 'room{room}'")
    found = {row["time"]: row for row in rows}
    assert sorted(found) == sorted(windows)
    for start, window in windows.items():
        row = found[start]
        assert (row["source"], row["building"], row["site"], row["capacity"]) == (f"count:gw-data/room{room}.occupant_count", "b1", "s1", CAPACITY[room])
        assert (row["observed_s"], row["occupied_s"]) == (window["observed"] / 1000, window["occupied"] / 1000), start
        assert row["mean"] == (mean_of(window) if window["observed"] else None), start
        assert (row["min"], row["max"]) == (window.get("min"), window.get("max")), start


def is_open(start: int) -> bool:
    """Singapore has no daylight saving time."""
    day, minute = divmod(start // 60_000 + 8 * 60, 24 * 60)
    return (day + 3) % 7 < 5 and 8 * 60 <= minute < 18 * 60


def check_utilisation(house: House, room: int, windows: dict[int, dict[str, int]]) -> None:
    answer = house.collector.get_json(f"/api/v1/occupancy?from=2021-09&to=2022-01&space=room{room}")
    [space] = answer["spaces"]
    [value] = space["sources"][0]["values"]
    opened = [w for start, w in windows.items() if is_open(start)]
    observed, occupied, total = (sum(w[part] for w in opened) for part in ("observed", "occupied", "sum"))
    assert value["observed_s"] == sum(w["observed"] for w in windows.values()) / 1000
    assert value["open"]["observed_s"] == observed / 1000
    assert value["open"]["frequency"] == pytest.approx(occupied / observed, abs=1e-6)
    assert value["open"]["rate"] == pytest.approx(total / occupied / CAPACITY[room], abs=1e-6)
    assert value["open"]["utilisation"] == pytest.approx(total / observed / CAPACITY[room], abs=2e-6)


def check_public(house: House, truth: dict[int, dict[int, dict[str, int]]]) -> None:
    """Of each hour of a day: what may be told of two rooms, and whether their sum may."""
    answer = house.collector.get_json("/api/v1/public/occupancy?from=2021-09-07&to=2021-09-09&step=1h")
    [building] = answer["buildings"]
    begin = 1630944000000  # 2021-09-07 00:00 in Singapore
    shown = hidden = 0
    assert len(building["values"]) == 48
    for i, value in enumerate(building["values"]):
        people = []
        for room in ROOMS:
            parts = [truth[room].get(begin + i * 3_600_000 + k * QUARTER_MS, {"observed": 0, "sum": 0}) for k in range(4)]
            observed = sum(p["observed"] for p in parts)
            level = floor(Fraction(sum(p["sum"] for p in parts) * 1000, observed) + Fraction(1, 2)) if 2 * observed >= 3_600_000 else None
            people.append(None if level is None else (level + 500) // 1000)
        for room, count in zip(value["spaces"], people):
            expected = None if count is None else {"people": None, "below": 5} if count < 5 else {"people": count, "below": None}
            assert room["count"] == expected, (i, people)
            shown, hidden = shown + bool(expected and expected["people"]), hidden + bool(expected and expected["below"])
        small = [count for count in people if count is not None and count < 5]
        may = None not in people and (not small or 4 <= sum(small) <= (len(small) - 1) * 4)
        total = sum(count or 0 for count in people)
        assert value["total"] == (None if not may else {"people": None, "below": 5} if total < 5 else {"people": total, "below": None}), (i, people)
    assert shown > 5 and hidden > 5
    check_nothing_overlaps(house, answer)


def check_nothing_overlaps(house: House, answer: dict) -> None:
    """No two answers of which one less the other is a quarter hour, or what is hidden."""
    path = "/api/v1/public/occupancy?from=%s&to=%s"
    for step in ("15m", "1d", "1mo", "all"):
        assert house.collector.get(path % ("2021-09-07", "2021-09-09") + "&step=" + step)[0] == 400, step
    times = ("2021-09-07T10:00:00Z", "2021-09-07T10:15:00Z", "2021-09-07T10:30:00Z", "2021-09-07T11:45:00Z", "2021-09-07T12:00:00Z")
    for i, begin in enumerate(times):
        for end in times[i + 1 :]:
            assert house.collector.get(path % (begin, end))[0] == (200 if (begin, end) == (times[0], times[-1]) else 400), (begin, end)
    assert house.collector.get(path % ("2021-09-07", "2021-09-09") + "&space=room1")[0] == 400
    for route in ("public/occupancy", "occupancy"):
        status, text = house.collector.get(f"/api/v1/{route}?from=1970-01-01T00:00:00Z&to=1970-01-02T00:00:00Z&step=1h")
        assert status == 400 and "from: is before 2000; expected a later time" in text
    [building] = house.collector.get_json(path % (times[0], times[-1]))["buildings"]
    assert building["values"] == answer["buildings"][0]["values"][18:20]


def in_store(influx) -> int:
    return sum(row["count"] for row in influx.rows("SELECT count(observed_s) FROM occupancy"))


def test_two_rooms_of_people_equal_the_files_means(stage, data, truth):
    house = House(stage, data)
    wanted = sum(len(windows) for windows in truth.values())
    wait_until(lambda: in_store(house.influx) == wanted, 120, "all quarter hours are in the store", poll=0.5)
    assert wanted > 5000
    for room in ROOMS:
        check_store(house, room, truth[room])
        check_utilisation(house, room, truth[room])
    check_public(house, truth)
    house.influx.query("DROP DATABASE parkmon")
    wait_until(lambda: "is made anew" in house.collector.log(), 90, "it is noticed: a row of `gateway` is due each minute", poll=0.5)
    wait_until(lambda: in_store(house.influx) == wanted, 240, "what the store lost is posted again", poll=0.5)
    for room in ROOMS:
        check_store(house, room, truth[room])
