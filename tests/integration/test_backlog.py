"""A gateway of 1 000 points every 10 s is cut from its broker and comes back: nothing is lost, it catches up, nobody waits for it.

The readings of the cut are made by the agent itself, which polls its meter faster meanwhile: how many there are counts, not how
long it took. Afterwards it polls every 10 s again, and so it does while it catches up. The meter answers the n-th poll with n at
every point; that is the oracle. PARKMON_LONG=1 is the whole day, else an hour.
"""

from __future__ import annotations

import os
import select
import socket
import sqlite3
import sys
import threading
import time

import evidence
from harness.parkmon import Agent, new_collector, release_folder, write_agent_settings
from harness.process import wait_until
from harness.servers import SOURCE
from test_hostile import Probe, peak_memory_kib

sys.path.insert(0, str(SOURCE / "tests/bench"))
from load import write_park  # noqa: E402
from meter import Meter, bus, point_name  # noqa: E402

CUT, NEIGHBOUR, PROBE = "gw-cut", "gw-next", "gw-probe"
POINTS = 1000
EVERY_S = 10
CUT_S = 86_400 if os.environ.get("PARKMON_LONG") == "1" else 3_600
FAST_S = 0.05
RATE_MIN = 100  # times real time
SPOOL_DEFAULT = 512 * 1024 * 1024
NEIGHBOUR_POINTS = 100


class Link:
    """The line between a gateway and its broker: passes bytes on, or swallows them in silence while it is cut."""

    def __init__(self, port: int):
        self.target = port
        self.is_cut = False
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            here, _ = self.listener.accept()
            there = socket.create_connection(("127.0.0.1", self.target))
            self.pairs.append((here, there))
            threading.Thread(target=self.carry, args=(here, there), daemon=True).start()

    def carry(self, here: socket.socket, there: socket.socket) -> None:
        other = {here: there, there: here}
        try:
            while True:
                for ready in select.select([here, there], [], [], 1)[0]:
                    data = ready.recv(262_144)
                    if not data:
                        return
                    if not self.is_cut:
                        other[ready].sendall(data)
        except OSError:
            pass
        finally:
            here.close()
            there.close()

    def cut(self) -> None:
        self.is_cut = True

    def restore(self) -> None:
        """Nobody knows the old connections any more."""
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.is_cut = False


class House:
    def __init__(self, stage):
        self.broker = stage.broker(CUT, NEIGHBOUR, PROBE)
        self.influx = stage.influx()
        self.link = Link(self.broker.port)
        self.collector = stage.start(new_collector(stage.folder / "collector", self.broker, self.influx,
                                                   write_park(stage.folder / "park.cfg", [CUT, NEIGHBOUR, PROBE]), build=release_folder()))
        self.database = self.collector.settings.with_suffix(".db")
        self.meter, self.neighbours_meter = Meter(), Meter()
        self.agent = stage.add(Agent(self.write_settings(stage, FAST_S), self.broker, release_folder()))
        self.stage = stage
        self.neighbour = stage.start(Agent(write_agent_settings(
            stage.folder / "next.cfg", NEIGHBOUR, self.broker, bus(self.neighbours_meter.port, NEIGHBOUR_POINTS, 1)), self.broker, release_folder()))

    def write_settings(self, stage, every_s: float):
        path = write_agent_settings(stage.folder / "cut.cfg", CUT, self.broker, bus(self.meter.port, POINTS, every_s), spool_settings="")
        text = path.read_text().replace(f"port = {self.broker.port}; ", f"port = {self.link.port}; ", 1)
        path.write_text(text)
        return path

    def query(self, sql: str) -> tuple:
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
            return database.execute(sql).fetchone()

    def settled(self) -> int:
        """Readings of the gateway that the collector has on disk and the store has too."""
        return self.query("SELECT coalesce(sum(j.lines), 0) FROM journal j JOIN gateway g ON g.id = j.gateway "
                          f"WHERE g.name = '{CUT}' AND j.id <= (SELECT position FROM cursor WHERE name = 'raw')")[0]

    def assert_each_answer_once(self, gateway: str, points: int, polls: int) -> None:
        """Every point has the values 1 to `polls`, each once."""
        found = {}
        for kind in ("register", "gauge"):
            for policy in self.influx.policies():
                for row in self.influx.rows(f'SELECT count(value), sum(value), min(value), max(value) FROM "{policy}"."{kind}" '
                                            f"WHERE gateway = '{gateway}' GROUP BY point"):
                    found[row["point"]] = (row["count"], row["sum"], row["min"], row["max"])
        assert found == {point_name(i): (polls, polls * (polls + 1) // 2, 1, polls) for i in range(points)}, \
            sorted(set(found.values()))[:5]


def cpu_s(program) -> float:
    with open(f"/proc/{program.pid}/stat") as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def describe(latencies: list[float]) -> tuple[float, str]:
    ordered = sorted(latencies)
    p99 = ordered[int(len(ordered) * 0.99)]
    return p99, f"median {ordered[len(ordered) // 2]:.3f} s, p99 {p99:.3f} s, worst {ordered[-1]:.3f} s of {len(ordered)}"


def spool_of(house: House, name: str) -> tuple[int, int]:
    """Readings that wait, and bytes of the file, while the agent does not run."""
    path = evidence.copy_database(house.agent.settings.with_suffix(".spool"), house.stage.folder / name)
    size = path.stat().st_size
    with sqlite3.connect(path) as database:
        uncut, = database.execute("SELECT count(*) FROM reading").fetchone()
        bodies = database.execute("SELECT body FROM batch WHERE seq > (SELECT mark FROM spool)").fetchall()
    return uncut + sum(body.count(b"\n") for body, in bodies), size


def test_a_gateway_that_was_cut_off_catches_up_and_nobody_waits_for_it(stage):
    house = House(stage)
    wait_until(lambda: house.collector.metric("parkmon_broker_connected") == 1, 20, "the collector is connected")
    house.agent.launch()
    wait_until(lambda: house.settled() > 10 * POINTS, 30, "the gateway delivers")
    house.link.cut()
    polls = house.meter.number + CUT_S // EVERY_S
    wait_until(lambda: house.meter.number >= polls, 60 + CUT_S // EVERY_S * 0.5, "the readings of the cut are polled", poll=0.2)
    house.agent.stop()
    polled = house.meter.number
    waiting, size = spool_of(house, "at-the-end-of-the-cut")
    assert waiting >= CUT_S // EVERY_S * POINTS, "what the cut kept back is in the spool"
    per_reading = size / waiting

    house.write_settings(stage, EVERY_S)
    house.agent.launch()
    wait_until(lambda: house.meter.number > polled, 20, "the agent polls again, still cut off")
    probe = Probe(house.broker)
    wait_until(lambda: len(probe.latencies) >= 50, 60, "the probe knows what is normal")
    normal = list(probe.latencies)
    before, agent_cpu, began = house.settled(), cpu_s(house.agent), time.monotonic()
    restored_ms = int(time.time() * 1000)
    house.link.restore()
    wait_until(lambda: house.settled() >= before + waiting, 60 + CUT_S / RATE_MIN * 2, "the backlog is in the store", poll=0.1)
    seconds = time.monotonic() - began
    agent_cpu = cpu_s(house.agent) - agent_cpu
    during = probe.latencies[len(normal):]
    at_catch_up = house.meter.number
    wait_until(lambda: house.meter.number > at_catch_up + 1, 40, "two more live polls")
    probe.stop()
    memory = peak_memory_kib(house.agent), peak_memory_kib(house.collector)
    house.agent.stop()
    house.neighbour.stop()
    house.collector.wait_settled()

    rate = waiting / seconds / (POINTS / EVERY_S)
    p99, told = describe(during)
    # An agent's batch is as old on arrival as its oldest reading: those of the neighbour, and the last one of the gateway itself.
    delays = {name: [] for name in (CUT, NEIGHBOUR)}
    with sqlite3.connect(f"file:{house.database}?mode=ro", uri=True) as database:
        for name, received_ms, payload in database.execute(
                "SELECT g.name, j.received_ms, substr(j.payload, 1, 400) FROM journal j JOIN gateway g ON g.id = j.gateway "
                f"WHERE g.name <> '{PROBE}' AND j.received_ms >= {restored_ms} ORDER BY j.id"):
            delays[name].append((received_ms - int(payload.split(b"\n")[1].rsplit(b" ", 1)[1])) / 1000)
    print(f"\n{waiting} readings of {CUT_S / 3600:g} h into the store in {seconds:.1f} s: {rate:.0f} x real time, {waiting / seconds:,.0f} readings/s\n"
          f"spool: {per_reading:.1f} bytes a reading, a day {per_reading * 8.64:.0f} MB of {SPOOL_DEFAULT / 1e6:.0f} MB\n"
          f"agent: peak {memory[0]} KiB, {agent_cpu:.1f} s of CPU while draining; collector: peak {memory[1]} KiB\n"
          f"probe: normal {describe(normal)[1]}; during the catch-up {told}\n"
          f"neighbour's oldest reading on arrival: {describe(delays[NEIGHBOUR])[1]}\nthe gateway's own, after the catch-up: {delays[CUT][-1]:.3f} s")
    house.assert_each_answer_once(CUT, POINTS, house.meter.number)
    house.assert_each_answer_once(NEIGHBOUR, NEIGHBOUR_POINTS, house.neighbours_meter.number)
    assert house.query("SELECT count(*) FROM loss") == (0,) and house.query("SELECT count(*) FROM quarantine") == (0,)
    assert rate >= RATE_MIN
    assert per_reading * 86_400 / EVERY_S * POINTS < SPOOL_DEFAULT, "a day fits the default limit"
    assert p99 < 2 and max(delays[NEIGHBOUR]) < 5, "the others are as live as before"
    assert delays[CUT][-1] < 5, "its own live readings waited for the backlog only"
