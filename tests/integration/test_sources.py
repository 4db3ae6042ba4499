"""Sources: devices that publish to a broker of their own, through the real agent to the collector and the store."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path

import pytest
from harness.parkmon import Agent
from harness.process import Program, free_port, wait_until
from harness.servers import find_program
from harness.stage import Park

EUI = "24e124716c490001"
UP = f"application/ca739e26/device/{EUI}/event/up"


class LocalBroker(Program):
    """A mosquitto as it stands beside devices: no users. It keeps what is retained, and sessions, over a restart."""

    def __init__(self, folder: Path):
        self.port = free_port()
        folder.mkdir()
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {folder}/\n"
            "user root\nmax_queued_messages 100000\n")
        super().__init__("local-broker", folder, [find_program("mosquitto"), "-c", folder / "mosquitto.conf"])

    def is_ready(self) -> bool:
        return self.listens(self.port)

    def publish(self, topic: str, *payloads: object, retain: bool = False) -> None:
        lines = "\n".join(p if isinstance(p, str) else json.dumps(p) for p in payloads)
        done = subprocess.run(["mosquitto_pub", "-V", "5", "-q", "1", "-h", "127.0.0.1", "-p", str(self.port), "-t", topic,
                               *(["-r"] if retain else []), "-l"], input=lines, text=True, timeout=120, check=False)
        assert done.returncode == 0


@pytest.fixture
def park(stage):
    """The servers, and a broker for the devices."""
    made = Park(stage, every=1.0)
    made.start_servers()
    made.collector.wait_connected()
    made.local = stage.add(LocalBroker(made.folder / "local"))
    made.local.start()
    return made


def write_settings(park, sources: str, name: str = "gw-a") -> Path:
    path = park.folder / f"{name}.cfg"
    path.write_text(
        f'gateway = "{name}";\nclock = "trusted";\n'
        f'broker: {{ host = "127.0.0.1"; port = {park.broker.port}; password_file = "{park.broker.password_file(name)}"; }};\n'
        f'spool: {{ path = "{park.folder}/{name}.spool"; commit = 0.2; probe = 1.0; }};\n'
        f"sources = (\n{sources}\n);\n")
    return path


def json_source(park, devices: str, more: str = "") -> str:
    return (f'{{ name = "m"; source = "mqtt_json"; broker: {{ port = {park.local.port}; retry = 1; }}; {more}\n'
            f"  devices = ( {devices} ); }}")


DOOR = f'{{ name = "door"; preset = "vs133"; id = "{EUI}"; prefix = "door"; every = 600; }}'


def start_agent(park, sources: str) -> Agent:
    agent = park.stage.add(Agent(write_settings(park, sources), park.broker))
    agent.start()
    wait_until(lambda: agent.is_connected_to(park.local.port) and "connected as park-gw-a-m" in agent.log_tail(), 20,
               "the agent listens to the devices' broker")
    return agent


def uplink(frame: int, total_in: int, total_out: int, at: float) -> dict:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
    return {"deduplicationId": f"d-{frame}", "time": f"{seconds}.{int(at * 1000) % 1000:03d}+00:00", "devAddr": "00189440",
            "deviceInfo": {"devEui": EUI}, "fCnt": frame, "fPort": 85,
            "object": {"line_1_total_in": total_in, "line_1_total_out": total_out}}


def journalled(park, point: str, gateway: str = "gw-a") -> list[tuple[str, int]]:
    """What the collector has of a point, in order of time: (value as on the wire, ms)."""
    found = []
    for kind in ("register", "gauge", "state"):
        for (owner, name), readings in park.influx.raw(kind).items():
            if (owner, name) == (gateway, point):
                found += [(value, at) for at, value in readings]
    return sorted(found, key=lambda reading: reading[1])


def wait_for(park, point: str, count: int) -> list[tuple[str, int]]:
    wait_until(lambda: len(journalled(park, point)) >= count, 30, f"{count} readings of {point}")
    return journalled(park, point)


def test_uplinks_arrive_once_with_the_networks_own_time(park):
    start_agent(park, json_source(park, DOOR))
    begin = int(time.time()) - 50
    uplinks = [uplink(n, 100 + n, 90 + n, begin + n) for n in range(20)]
    mixed = [uplinks[n] for n in (0, 1, 1, 5, 4, 2, 5, 0, 9, 8, 19, 18, 19)]
    park.local.publish(UP, *mixed)
    assert wait_for(park, "door.in", 5) == [(100 + n, (begin + n) * 1000) for n in (0, 1, 5, 9, 19)]
    assert [value for value, _ in wait_for(park, "door.out", 5)] == [90 + n for n in (0, 1, 5, 9, 19)]


def test_a_frame_counter_is_known_after_a_kill(park):
    agent = start_agent(park, json_source(park, DOOR))
    begin = int(time.time()) - 50
    park.local.publish(UP, uplink(7, 17, 7, begin + 7))
    wait_for(park, "door.in", 1)
    agent.kill()
    agent.start()
    wait_until(lambda: agent.log_tail().count("connected as park-gw-a-m") == 2, 20, "it listens again")
    park.local.publish(UP, uplink(6, 16, 6, begin + 6), uplink(7, 17, 7, begin + 7), uplink(8, 18, 8, begin + 8))
    assert [value for value, _ in wait_for(park, "door.in", 2)] == [17, 18]
    # Joined anew.
    park.local.publish(UP, uplink(0, 19, 9, begin + 9), uplink(1, 20, 10, begin + 10))
    assert [value for value, _ in wait_for(park, "door.in", 4)] == [17, 18, 19, 20]
    assert agent.log_tail().count("its frame counter went back from 8 to 0") == 1


def test_what_came_while_the_agent_was_away_is_kept_by_the_broker(park):
    agent = start_agent(park, json_source(park, DOOR, "keep = 3600;"))
    begin = int(time.time()) - 50
    park.local.publish(UP, uplink(1, 11, 1, begin + 1))
    wait_for(park, "door.in", 1)
    agent.kill()
    park.local.publish(UP, *[uplink(n, 10 + n, n, begin + n) for n in range(2, 30)])
    park.local.stop()  # and is not lost with a restart of it
    park.local.start()
    agent.start()
    assert wait_for(park, "door.in", 29) == [(10 + n, (begin + n) * 1000) for n in range(1, 30)]


def test_a_broker_that_restarts_is_found_again(park):
    agent = start_agent(park, json_source(park, DOOR))
    begin = int(time.time()) - 50
    for n in range(1, 4):
        park.local.publish(UP, uplink(n, n, n, begin + n))
        wait_for(park, "door.in", n)
        if n % 2:
            park.local.kill()
        else:
            park.local.stop()
        park.local.start()
        wait_until(lambda: len(re.findall("connected (again )?as park-gw-a-m", agent.log())) == n + 1, 30, "the agent is back")
    assert [value for value, _ in journalled(park, "door.in")] == [1, 2, 3]


def test_a_kill_between_message_and_commit_loses_at_most_that_and_the_next_total_has_it(park):
    """Totals count on in the device: whenever the agent dies, the newest total arrives, and no total falls."""
    agent = start_agent(park, json_source(park, DOOR))
    begin, frame = int(time.time()) - 3000, 0
    for _ in range(6):
        for _ in range(10):
            frame += 1
            park.local.publish(UP, uplink(frame, 10 * frame, 9 * frame, begin + frame))
        agent.kill()
        agent.start()
        wait_until(lambda: agent.is_connected_to(park.local.port), 20, "it listens again")
    frame += 1
    wait_until(lambda: "connected as park-gw-a-m" in agent.log_tail(), 20, "it listens")

    def has_newest():
        park.local.publish(UP, uplink(frame, 10 * frame, 9 * frame, begin + frame))
        return [value for value, _ in journalled(park, "door.in")][-1:] == [10 * frame]

    wait_until(has_newest, 30, "the newest total is there", poll=0.3)
    values = [value for value, _ in journalled(park, "door.in")]
    assert values[-1] == 10 * frame and values == sorted(set(values)) and len(values) > 5


PLUG = '{ name = "plug"; preset = "tasmota"; id = "p1"; prefix = "plug"; }'


def test_bad_messages_are_told_and_cost_no_other(park):
    agent = start_agent(park, json_source(park, PLUG + ", " + DOOR))
    topic = "tele/p1/SENSOR"
    good = {"ENERGY": {"Total": 12345678.901, "Power": 5}}
    park.local.publish(topic, "{", "[1,2", "\x01", '{"ENERGY":7}', '{"ENERGY":{"Total":"much","Power":6}}',
                       json.dumps({"pad": "x" * 60000}), json.dumps({"pad": "x" * 70000}), "[" * 60000, json.dumps(good))
    assert [value for value, _ in wait_for(park, "plug", 1)] == [12345678901]
    assert [value for value, _ in wait_for(park, "plug.power", 2)] == [6, 5]
    wait_until(lambda: "bytes were ignored" in agent.log(), 10, "what was too large is told")  # at most once in a while
    log = agent.log()
    for words, count in (("is not JSON", 1), ('"much" is no number; expected one', 1),
                         ("messages of more than 65536 bytes were ignored", 1)):
        assert log.count(words) == count, log


def test_what_is_retained_without_a_time_is_not_called_new(park):
    park.local.publish("tele/p1/SENSOR", {"ENERGY": {"Total": 1, "Power": 1}}, retain=True)
    park.local.publish(UP, uplink(3, 3, 3, int(time.time()) - 40), retain=True)
    start_agent(park, json_source(park, PLUG + ", " + DOOR))
    assert [value for value, _ in wait_for(park, "door.in", 1)] == [3]
    park.local.publish("tele/p1/SENSOR", {"ENERGY": {"Total": 2, "Power": 2}})
    assert [value for value, _ in wait_for(park, "plug", 1)] == [2000]


def memory_kib(pid: int, key: str = "RssAnon") -> int:
    return int(re.search(rf"{key}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))


def test_a_flood_is_taken_in_bounded_memory(park):
    """A thousand messages a second and more: the newest arrives, and memory stays what it is."""
    devices = ", ".join(f'{{ name = "p{n}"; preset = "tasmota"; id = "p{n}"; prefix = "p{n}"; }}' for n in range(20))
    agent = start_agent(park, json_source(park, devices))
    messages = 6000
    for device in range(3):
        park.local.publish(f"tele/p{device}/SENSOR",
                           *[{"ENERGY": {"Total": n / 1000, "Power": n}} for n in range(1, messages // 3 + 1)])
    peak = memory_kib(agent.process.pid, "VmHWM")
    for device in range(3):
        wait_until(lambda: (readings := journalled(park, f"p{device}")) and readings[-1][0] == messages // 3, 60,
                   "the newest total is there")
        times = [at for _, at in journalled(park, f"p{device}")]
        assert times == sorted(set(times))
    if "thrown away" not in agent.log_tail():
        assert all(len(journalled(park, f"p{device}.power")) == messages // 3 for device in range(3))
    # Address sanitizer keeps freed memory for a while; the bound is of the release build, see the bench.
    assert peak < 600 * 1024


def test_once_waits_for_what_sends_by_itself(park):
    settings = write_settings(park, json_source(park, PLUG))
    agent = Agent(settings, park.broker)
    done = Program("once", park.folder, [agent.program, "--config", settings, "--once"])
    park.stage.add(done).launch()
    wait_until(lambda: "park-gw-a-m" in park.local.log_tail(), 20, "it listens")

    def has_ended():
        park.local.publish("tele/p1/SENSOR", {"ENERGY": {"Total": 3.705, "Power": 5}})
        return not done.is_running

    wait_until(has_ended, 60, "it has ended", poll=0.2)
    assert done.wait(60) == 0
    lines = [line.split("\t")[:3] for line in done.log_tail().splitlines() if "\t" in line]
    assert lines == [["plug", "register", "3705"], ["plug.power", "gauge", "5"]]
