"""A backlog after an outage: an agent's spool full of readings, through broker and collector into the store."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from figures import Figure
from harness.parkmon import Agent, new_collector, release_folder, write_agent_settings
from harness.process import free_port, wait_until
from load import accepted, check_stored, wait_subscribed, write_park
from meter import bus, point_name

POINTS = 1000
EVERY_S = 10
GATEWAY = "gw-0"
REGISTER, GAUGE = 0, 1  # as the spool has them
STEPS_AT_ONCE = 100


def register(point: int, step: int) -> int:
    return 100_000_000 + point * 1_000_003 + step * 117


def fill_spool(path: Path, steps: int) -> tuple[int, int]:
    """As if the agent had polled and nobody had been there. Returns how many readings, and the sum of the registers."""
    start_ms = (int(time.time()) - EVERY_S * steps - 60) * 1000
    total = 0
    with sqlite3.connect(path) as db:
        ids = dict(db.execute("SELECT name, id FROM point"))
        points = [ids[point_name(i)] for i in range(POINTS)]
        for step in range(steps):
            time_ms = start_ms + step * EVERY_S * 1000
            values = [register(i, step) if i % 2 == 0 else (i * 7919 + step * 104729) % 1_000_000 / 10 for i in range(POINTS)]
            total += sum(values[::2])
            db.executemany("INSERT INTO reading(point, kind, quality, time_ms, value) VALUES(?, ?, 0, ?, ?)",
                           ((points[i], GAUGE if i % 2 else REGISTER, time_ms + i, values[i]) for i in range(POINTS)))
    db.close()
    return steps * POINTS, total


def measure(stage, size) -> list[Figure]:
    steps = size.backlog_s // EVERY_S
    influx, broker = stage.influx(), stage.broker(GATEWAY)
    park = write_park(stage.folder / "park.cfg", [GATEWAY])
    rates = []
    for i in range(size.backlog_rounds):
        folder = stage.folder / f"round-{i}"
        folder.mkdir()
        collector = stage.start(new_collector(folder, broker, influx, park, build=release_folder()))
        wait_subscribed(collector)
        settings = write_agent_settings(folder / "agent.cfg", GATEWAY, broker, bus(free_port(), POINTS, EVERY_S),
                                        spool_settings="limit = 4096;")
        agent = stage.add(Agent(settings, broker, release_folder()))
        empty = folder / "empty.csv"
        empty.touch()
        made = agent.run("--replay", empty)
        assert made.returncode == 0, made.stderr
        readings, total = fill_spool(settings.with_suffix(".spool"), steps)
        began = time.monotonic()
        agent.launch()
        wait_until(lambda: accepted(collector) >= readings, 60 + readings / 5000, "the store has the backlog", poll=0.05)
        rates.append(readings / (time.monotonic() - began))
        agent.stop()
        collector.stop()
        held = check_stored(influx, "parkmon", readings, total)
    rate = sorted(rates)[len(rates) // 2]
    live = POINTS / EVERY_S
    return [Figure("backlog", f"backlog of {size.backlog_s / 3600:.3g} h, {POINTS} points at {EVERY_S} s, times real time", "x",
                   rate / live, 100, 500, True, f"real time: {live:.0f} readings/s", f"{rate:,.0f} readings/s, median; spool to store",
                   runs=[r / live for r in rates], sent=readings, stored=held)]
