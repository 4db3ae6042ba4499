"""The real agent and devices that misbehave: neighbours on time, one line with back-off, no wrong value. The simulator's log is the oracle."""

from __future__ import annotations

import sqlite3
import sys
import time

import pytest
from harness.parkmon import Agent
from harness.process import wait_until
from harness.servers import SOURCE
from harness.sim import Sim

sys.path.insert(0, str(SOURCE / "tests"))
from sim import answers  # noqa: E402

GATEWAY = "gw-a"
EVERY_S = 0.5
TIMEOUT_S = 0.5
PATIENCE_S = 60


class Bus:
    """A simulated line, an agent that polls it, a broker, and no collector: what was read stays in the spool."""

    def __init__(self, stage):
        self.sim = stage.start(Sim(stage.folder / "sim", 7))
        self.broker = stage.broker(*self.sim.ports)
        settings = self.sim.write_settings(stage.folder / "settings", self.broker, EVERY_S, timeout=0.5)
        self.agent = stage.add(Agent(next(path for path in settings if path.stem == GATEWAY), self.broker))
        self.agent.start()
        wait_until(lambda: len(self.units()) >= 5, PATIENCE_S, "the devices answer")

    def units(self) -> set[int]:
        return {answer.unit for answer in answers.read(self.sim.log_of_answers) if answer.gateway == GATEWAY}

    def polls(self, unit: int, since_ms: int = 0) -> list[int]:
        """When this device answered, in ms; the values of one poll are at most a tenth of a second apart."""
        times: list[int] = []
        for answer in answers.read(self.sim.log_of_answers):
            if answer.gateway == GATEWAY and answer.unit == unit and answer.time_ms >= since_ms:
                if not times or answer.time_ms > times[-1] + 100:
                    times.append(answer.time_ms)
        return times

    def lines(self, *parts: str) -> list[str]:
        return [line for line in self.agent.log_path.read_text().splitlines() if all(part in line for part in parts)]

    def spooled(self) -> dict[str, list[tuple[int, str]]]:
        """After the agent's end: every reading in its spool, as text, by point."""
        found: dict[str, list[tuple[int, str]]] = {}
        with sqlite3.connect(f"file:{self.agent.settings.with_suffix('.spool')}?mode=ro", uri=True) as spool:
            for (body,) in spool.execute("SELECT body FROM batch ORDER BY seq"):
                for line in body.decode().splitlines():
                    head, value, time_ms = line.split(" ")
                    found.setdefault(head.split("point=")[1], []).append((int(time_ms), value.removeprefix("value=")))
            for name, time_ms, value in spool.execute(
                    "SELECT name, time_ms, value FROM reading JOIN point ON point.id = reading.point ORDER BY reading.id"):
                found.setdefault(name, []).append((time_ms, str(value)))
        return found


@pytest.fixture
def bus(stage):
    return Bus(stage)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def wait_polls(bus: Bus, unit: int, count: int, since_ms: int, seconds: float) -> None:
    wait_until(lambda: len(bus.polls(unit, since_ms)) >= count, seconds, f"unit {unit} answers {count} times", poll=0.2)


def assert_on_time(times: list[int]) -> None:
    """One time-out a try, besides the device's own period and what the line needs. A loaded machine may be late once or
    twice; an agent that waits longer for the bad device does so at each of its tries, of which there are more."""
    gaps_s = [(b - a) / 1000 for a, b in zip(times, times[1:])]
    late_s = [gap for gap in gaps_s if gap >= EVERY_S + TIMEOUT_S + 0.45]
    assert len(late_s) <= 2 and max(gaps_s) < EVERY_S + TIMEOUT_S + 5, gaps_s


@pytest.mark.parametrize("kind", ["silent", "slow", "hangup", "lie"])
def test_a_faulty_device_is_told_once_and_its_neighbours_stay_on_time(bus, kind):
    units = sorted(bus.units())
    bad, neighbours = units[1], units[:1] + units[2:]
    begin = now_ms()
    bus.sim.fault(kind, "--gateway", GATEWAY, "--unit", bad, "--seconds", 3)
    for unit in neighbours:
        wait_polls(bus, unit, 12, begin, 60)
    for unit in neighbours:
        assert_on_time(bus.polls(unit, begin))
    told = bus.lines("WARN", f"unit {bad},")
    assert len(told) == 1 and "next try in" in told[0], told

    bus.sim.fault("none", "--gateway", GATEWAY, "--unit", bad)
    again = now_ms()
    wait_polls(bus, bad, 3, again, 60)
    device = told[0].split("poller: ")[1].split(": ")[0]
    wait_until(lambda: len(bus.lines("INFO", f"{device}: answers again")) == 1, PATIENCE_S, "its recovery is told")
    bus.agent.stop()
    assert not bus.lines("ERROR")

    lies = {(answer.point, answer.time_ms) for answer in answers.read(bus.sim.log_of_answers) if answer.fault == "lie"}
    expected = answers.expected(bus.sim.log_of_answers, GATEWAY)
    assert (kind == "lie") == bool(lies)
    for point, readings in bus.spooled().items():
        known = expected[point]
        times = [time_ms for time_ms, _ in readings]
        assert times == sorted(set(times)), f"{point}: times must increase"
        for time_ms, value in readings:
            near = [theirs for their_ms, theirs in known if abs(time_ms - their_ms) <= 5000]
            ours = float(value.rstrip("i")) if value[0] in "-0123456789" else value.strip('"')
            assert any(answers.agree(ours, float(theirs) if isinstance(ours, float) else theirs) for theirs in near), (point, value)


def test_a_line_that_is_down_is_told_once_and_all_its_devices_come_back(bus):
    units = sorted(bus.units())
    bus.sim.fault("down", "--gateway", GATEWAY)
    wait_until(lambda: bus.lines("WARN", "none of its", "can be polled"), PATIENCE_S, "the line's fall is told")
    time_down = now_ms()
    wait_until(lambda: now_ms() > time_down + 6000, 10, "six seconds of it")
    warned = [line for line in bus.lines("WARN", "poller:") if "polls are left out" not in line]  # a slow machine
    assert len(warned) <= 2, warned  # the device in whose turn it fell, and the line
    bus.sim.fault("none", "--gateway", GATEWAY)
    wait_until(lambda: bus.lines("INFO", "open again"), PATIENCE_S, "the line's return is told")
    again = now_ms()
    for unit in units:
        wait_polls(bus, unit, 2, again, PATIENCE_S)
    bus.agent.stop()


def test_an_exception_fails_the_points_only_and_is_told_once(bus):
    units = sorted(bus.units())
    bad = units[1]
    bus.sim.fault("exception", "--gateway", GATEWAY, "--unit", bad, "--code", 2)
    wait_until(lambda: bus.lines("WARN", "illegal data address"), PATIENCE_S, "the exception is told")
    begin = now_ms()
    wait_polls(bus, units[0], 6, begin, PATIENCE_S)
    points = [line.split("point ")[1].split(":")[0] for line in bus.lines("WARN", "illegal data address")]
    assert len(points) == len(set(points)), "one line a point"
    bus.sim.fault("none", "--gateway", GATEWAY, "--unit", bad)
    wait_until(lambda: len(bus.lines("INFO", "can be read again")) == len(points), PATIENCE_S, "each recovery is told")
    bus.agent.stop()


def test_an_agent_ends_quickly_while_a_device_is_silent(bus):
    bus.sim.fault("silent", "--gateway", GATEWAY)
    took_s = []
    for told in range(3):  # the machine may be slow now and then
        wait_until(lambda: len(bus.lines("next try in")) > told, PATIENCE_S, "the silence is told")
        begin = time.monotonic()
        bus.agent.stop()
        took_s.append(time.monotonic() - begin)
        if took_s[-1] < 3 + TIMEOUT_S + 1.5:  # nobody acknowledges here: it drains for 3 s
            return
        bus.agent.start()
    raise AssertionError(took_s)
