"""A backlog after an outage: an agent's spool full of readings, through broker and collector into the store."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import evidence
from figures import Figure
from harness.parkmon import Agent, new_collector, release_folder, write_agent_settings
from harness.process import free_port, wait_until
from load import accepted, check_stored, wait_subscribed, write_park
from meter import Meter, bus

POINTS = 1000
EVERY_S = 10
FILL_EVERY_S = 0.05  # the outage is played faster than it would be
GATEWAY = "gw-0"
SPOOL = "spool"


def settings(folder: Path, broker, port: int, every_s: float) -> Path:
    folder.mkdir()
    return write_agent_settings(folder / "agent.cfg", GATEWAY, broker, bus(port, POINTS, every_s), spool=folder / SPOOL,
                                spool_settings="limit = 4096;")


def fill_spool(stage, broker, readings: int) -> tuple[Path, int, int]:
    """The spool of an agent that polled while there was no broker, how many readings it holds, and the sum of its
    registers."""
    meter = Meter()
    agent = stage.add(Agent(settings(stage.folder / "outage", broker, meter.port, FILL_EVERY_S), broker, release_folder()))
    agent.launch()
    wait_until(lambda: meter.number * POINTS >= readings, 60 + readings / 2000, "the meter has answered often enough")
    agent.stop()
    meter.close()
    spool = agent.folder / SPOOL
    with sqlite3.connect(spool) as db:
        held, total = db.execute("SELECT count(*), sum(CASE WHEN kind = 0 THEN value END) FROM reading").fetchone()
    db.close()
    # The last answers may have come too late to be taken in.
    assert 0 <= meter.number * POINTS - held <= 2 * POINTS, f"{meter.number} answers of {POINTS} points, the spool holds {held}"
    return spool, held, total


def measure(stage, size) -> list[Figure]:
    influx, broker = stage.influx(), stage.broker(GATEWAY)
    park = write_park(stage.folder / "park.cfg", [GATEWAY])
    broker.stop()
    spool, readings, total = fill_spool(stage, broker, size.backlog_s // EVERY_S * POINTS)
    broker.start()
    rates = []
    for i in range(size.backlog_rounds):
        folder = stage.folder / f"round-{i}"
        collector = stage.start(new_collector(stage.folder / f"collector-{i}", broker, influx, park, build=release_folder()))
        wait_subscribed(collector)
        agent = stage.add(Agent(settings(folder, broker, free_port(), EVERY_S), broker, release_folder()))
        evidence.copy_database(spool, folder / "copy").rename(folder / SPOOL)
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
