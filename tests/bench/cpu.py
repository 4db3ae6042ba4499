"""What the collector itself uses for a million readings, and Telegraf for the same messages: one after the other, because
beside each other they would take each other's processor."""

from __future__ import annotations

import time

import telegraf
import usage
from figures import Figure
from harness.parkmon import new_collector, release_folder
from harness.process import Failure
from harness.servers import COLLECTOR_USER
from load import Load, Sender, stored, wait_subscribed, write_park

SETTLE_S = 60
STANDSTILL_S = 15  # Telegraf writes every 10 s at most, unless it has nothing
POLL_S = 1


def collector_run(stage, broker, influx, load: Load, per_second: float, number: int) -> tuple[float, float]:
    """Seconds of processor for a million readings, and the peak of its memory in MiB."""
    folder = stage.folder / f"collector-{number}"
    collector = stage.start(new_collector(folder, broker, influx, stage.folder / "park.cfg", build=release_folder()))
    wait_subscribed(collector)
    began_s = usage.cpu_s(collector.pid)
    sender = Sender(broker, load)
    sender.send(per_second, load.readings / per_second * 3 + 60)
    held = wait_stored(influx, load, "parkmon")
    usage.wait_resting(collector.pid, SETTLE_S)
    used_s = usage.cpu_s(collector.pid) - began_s
    peak_mib = usage.memory_mib(collector.pid)["VmHWM"]
    sender.close()
    collector.stop()
    stage.programs.remove(collector)
    if held < load.readings:
        raise Failure(f"the store holds {held} readings of {load.readings}")
    influx.query('DROP DATABASE "parkmon"')
    return used_s / load.readings * 1e6, peak_mib


def wait_stored(influx, load: Load, database: str) -> int:
    """How many readings arrive: all of them, or what is there when no more come."""
    held, moved_at = -1, time.monotonic()
    while held < load.readings and time.monotonic() - moved_at < STANDSTILL_S:
        now = stored(influx, database, load.readings, load.register_sum)
        if now != held:
            held, moved_at = now, time.monotonic()
        time.sleep(POLL_S)
    return held


def telegraf_run(stage, broker, influx, load: Load, per_second: float, name: str, settings: str) -> tuple[float, int]:
    """Seconds of processor for a million readings that arrived, and how many did."""
    password = broker.password_file(COLLECTOR_USER).read_text().strip()
    inputs = settings.format(port=broker.port, user=COLLECTOR_USER, password=password)
    program = stage.start(telegraf.Telegraf(stage.folder / name, name, inputs, influx, name, broker.port))
    began_s = usage.cpu_s(program.pid)
    sender = Sender(broker, load, has_acks=False)
    sender.send(per_second, load.readings / per_second * 3 + 60)
    held = wait_stored(influx, load, name)
    used_s = usage.cpu_s(program.pid) - began_s
    sender.close()
    program.stop(expect=None)
    stage.programs.remove(program)
    influx.query(f'DROP DATABASE "{name}"')
    if held == 0:
        raise Failure(f"{name}: nothing arrived\n{program.log_tail(5)}")
    return used_s / held * 1e6, held


def measure(stage, size) -> list[Figure]:
    load = Load(size.readings, 5000)
    influx, broker = stage.influx(), stage.broker(*load.gateways)
    write_park(stage.folder / "park.cfg", load.gateways)
    runs = [collector_run(stage, broker, influx, load, size.per_second, i) for i in range(3 if size.rounds > 1 else 1)]
    cpus, peaks = zip(*runs)
    own = sorted(cpus)[len(cpus) // 2]
    about = f"{load.readings:,} readings of {load.points} points, {size.per_second:,.0f}/s"
    figures = [
        Figure("cpu", "collector, own CPU for a million readings", "s", own, 2, 1, note=f"median; {about}", runs=list(cpus),
               sent=load.readings, stored=load.readings),
        Figure("cpu", "collector, peak memory at that load", "MiB", max(peaks), 64, 32, runs=list(peaks), sent=load.readings,
               stored=load.readings)]
    for name, text, settings in (("telegraf-default", "as it comes", telegraf.DEFAULT),
                                 ("telegraf-safest", "at its safest", telegraf.SAFEST)):
        title = f"the same, share of Telegraf's, {text}"
        if not telegraf.is_there():
            figures.append(Figure("cpu", title, "%", note=telegraf.ABSENT, is_optional=True))
            continue
        theirs, held = telegraf_run(stage, broker, influx, load, size.per_second, name, settings)
        lost = "" if held == load.readings else f", which lost {load.readings - held:,} of {load.readings:,} readings"
        figures.append(Figure("cpu", title, "%", own / theirs * 100, 100 / 3, reference=f"Telegraf {theirs:.2f} s{lost}",
                              sent=load.readings, stored=held))
    return figures
