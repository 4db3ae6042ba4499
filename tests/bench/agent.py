"""What an agent of 100 points costs, polled once a second, and how long its meter's answer takes to the live page."""

from __future__ import annotations

import http.client
import json
import threading
import time

import telegraf
import usage
from figures import Figure
from harness.parkmon import Agent, new_collector, release_folder, write_agent_settings
from harness.process import wait_until
from load import wait_subscribed, write_park
from meter import Meter, bus, point_name

POINTS = 100
COMMIT_S = 2.0
WARM_UP_S = 3
GATEWAY = "gw-0"
PARK_METER = ('{{ id = "meter"; name = "表"; name_en = "Meter"; building = "b1"; carrier = "electricity"; item = "01000"; '
              'segments = ( {{ serial = "1"; from = "2024-01-01T00:00:00+08:00"; point = "{0}/{1}"; max_rate = 1000000; }} ); }}')


class Page(threading.Thread):
    """Reads the event stream as the live page does. `seen`: number of the meter's answer -> when the page had it."""

    def __init__(self, port: int):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.seen: dict[int, float] = {}
        self.start()

    def run(self) -> None:
        self.connection.request("GET", "/api/v1/stream")
        answer = self.connection.getresponse()
        while line := answer.readline():
            now = time.monotonic()
            if line.startswith(b"data:"):
                for meter in json.loads(line[5:])["meters"]:
                    if meter["register"]:
                        self.seen.setdefault(meter["register"]["count"], now)


def latencies(answered: dict[int, float], seen: dict[int, float]) -> list[float]:
    """Of each answer, the time until the page showed it or a later one, in order of size. The last ones may still be on
    their way when the page is left: only those count that a later one has followed."""
    found = []
    for number, then in answered.items():
        shown = [when for later, when in seen.items() if later >= number]
        if shown and number >= min(seen):
            found.append(min(shown) - then)
    return sorted(found)


def share(values: list[float], part: float) -> float:
    return values[min(len(values) - 1, int(len(values) * part))]


def telegraf_beside(stage, influx, meter: Meter, watch_s: float) -> str:
    if not telegraf.is_there():
        return telegraf.ABSENT
    registers = ",\n".join(f'    {{ name = "{point_name(i)}", byte_order = "ABCD", data_type = "UINT32", scale = 1.0, '
                           f'address = [{2 * i}, {2 * i + 1}] }}' for i in range(POINTS))
    program = stage.start(telegraf.Telegraf(stage.folder / "telegraf", "telegraf",
                                            telegraf.MODBUS.format(port=meter.port, registers=registers), influx, "telegraf"))
    wait_until(lambda: influx.policies("telegraf") and influx.rows("SELECT * FROM modbus LIMIT 1", "telegraf"), 20,
               "Telegraf reads the meter", poll=0.2)
    began_s, began = usage.cpu_s(program.pid), time.monotonic()
    time.sleep(watch_s)
    cpu_share = (usage.cpu_s(program.pid) - began_s) / (time.monotonic() - began) * 100
    memory = usage.memory_mib(program.pid)
    program.stop(expect=None)
    return f"Telegraf inputs.modbus: anonymous {memory['RssAnon']:.1f} MiB, resident {memory['VmRSS']:.1f} MiB, {cpu_share:.2f} % of a core"


def measure(stage, size) -> list[Figure]:
    influx, broker = stage.influx(), stage.broker(GATEWAY)
    park = write_park(stage.folder / "park.cfg", [GATEWAY], PARK_METER.format(GATEWAY, point_name(0)))
    collector = stage.start(new_collector(stage.folder / "collector", broker, influx, park, build=release_folder()))
    wait_subscribed(collector)
    meter = Meter()
    settings = write_agent_settings(stage.folder / "agent.cfg", GATEWAY, broker, bus(meter.port, POINTS, 1),
                                    spool_settings=f"commit = {COMMIT_S};")
    agent = stage.start(Agent(settings, broker, release_folder()))
    page = Page(collector.port)
    wait_until(lambda: page.seen, 30, "the page shows the meter")
    time.sleep(WARM_UP_S)
    began_s, began = usage.cpu_s(agent.pid), time.monotonic()
    time.sleep(size.watch_s)
    cpu_share = (usage.cpu_s(agent.pid) - began_s) / (time.monotonic() - began) * 100
    memory = usage.memory_mib(agent.pid)
    shown = latencies(dict(meter.answered), dict(page.seen))
    agent.stop()
    answers = meter.number
    reference = telegraf_beside(stage, influx, meter, min(size.watch_s, 20))
    meter.close()
    collector.wait_settled()
    held = influx.count("register") + influx.count("gauge")
    # An answer may have come that the stop did not let it take in.
    assert POINTS * (answers - 1) <= held <= POINTS * answers, f"{answers} answers of {POINTS} points, the store holds {held} readings"
    rows = [Figure("agent", "agent, anonymous memory", "MiB", memory["RssAnon"], 3, 1.5, reference=reference),
            Figure("agent", "agent, resident memory (no TLS yet)", "MiB", memory["VmRSS"], 12, 6, reference="as above"),
            Figure("agent", "agent, share of a core", "%", cpu_share, 1, 0.5, reference="as above",
                   note=f"{POINTS} points, one poll a second, {size.watch_s} s"),
            Figure("agent", "meter's answer to the live page, p50", "s", share(shown, 0.5), reference=f"commit interval {COMMIT_S} s"),
            Figure("agent", "meter's answer to the live page, p99", "s", share(shown, 0.99), 1 + COMMIT_S,
                   reference=f"commit interval {COMMIT_S} s", note=f"{len(shown)} answers", runs=shown)]
    for row in rows:
        row.sent, row.stored = held, held
    return [*rows, Figure("agent", "serial bus, share of what its baud rate allows", "%", bar=90, is_more_better=True, is_optional=True,
                          note="not here yet")]
