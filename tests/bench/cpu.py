"""What the collector itself uses for a million readings, and Telegraf for the same messages: by turns, because beside each
other they would take each other's processor."""

from __future__ import annotations

import statistics
import time

import telegraf
import usage
from figures import Figure
from harness.parkmon import new_collector, release_folder
from harness.process import Failure, wait_until
from harness.servers import COLLECTOR_USER
from load import Load, Sender, metered, stored, wait_subscribed, write_park
from publisher import Mqtt

SETTLE_S = 60
STANDSTILL_S = 30  # Telegraf writes every 10 s at most, and connects again every 10 s
POLL_S = 1
ROUNDS_MAX = 3


def collector_run(stage, broker, influx, load: Load, per_second: float, name: str) -> tuple[float, float]:
    """Seconds of processor for a million readings, and the peak of its memory in MiB."""
    folder = stage.folder / f"collector-{name}"
    park = "metered.cfg" if name.startswith("metered") else "park.cfg"
    collector = stage.start(new_collector(folder, broker, influx, stage.folder / park, build=release_folder()))
    wait_subscribed(collector)
    began_s = usage.cpu_s(collector.pid)
    sender = Sender(broker, load)
    sender.send(per_second, load.readings / per_second * 3 + 60)
    held = wait_stored(influx, load, "parkmon")
    wait_until(lambda: collector.metric("parkmon_ledger_backlog_batches") == 0, SETTLE_S, "the ledger has folded all", poll=0.5)
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


def telegraf_run(stage, broker, influx, load: Load, per_second: float, name: str, settings: str) -> tuple[float, float, int]:
    """The same of Telegraf, and how many readings arrived. What it lost counts as if it had been worked at: the share is of
    the readings that were sent."""
    password = broker.password_file(COLLECTOR_USER).read_text().strip()
    inputs = settings.format(port=broker.port, user=COLLECTOR_USER, password=password, client=name)
    program = stage.start(telegraf.Telegraf(stage.folder / name, name, inputs, influx, name, broker.port))
    began_s = usage.cpu_s(program.pid)
    sender = Sender(broker, load, has_acks=False)
    sender.send(per_second, load.readings / per_second * 3 + 60)
    held = wait_stored(influx, load, name)
    used_s = usage.cpu_s(program.pid) - began_s
    peak_mib = usage.memory_mib(program.pid)["VmHWM"]
    sender.close()
    program.stop(expect=None)
    stage.programs.remove(program)
    # A session that the broker keeps would gather the next rounds' messages: a clean start ends it.
    Mqtt(broker.port, name, COLLECTOR_USER, password).close()
    influx.query(f'DROP DATABASE "{name}"')
    if held == 0:
        raise Failure(f"{name}: nothing arrived\n{program.log_tail(5)}")
    return used_s / load.readings * 1e6, peak_mib, held


def describe(load: Load, runs: list[tuple[float, float, int]]) -> str:
    cpus, peaks, held = zip(*runs)
    text = f"Telegraf {statistics.median(cpus):.2f} s, peak {max(peaks):.0f} MiB"
    lost = [load.readings - count for count in held]
    if any(lost):
        text += f"; lost {', '.join(f'{count:,}' for count in lost)} of {load.readings:,} readings"
    return text


def measure(stage, size) -> list[Figure]:
    load = Load(size.readings, 5000)
    influx, broker = stage.influx(), stage.broker(*load.gateways)
    write_park(stage.folder / "park.cfg", load.gateways)
    write_park(stage.folder / "metered.cfg", load.gateways, metered(load))
    variants = {"default": telegraf.DEFAULT, "safest": telegraf.SAFEST} if telegraf.is_there() else {}
    ours, folded, theirs = [], [], {name: [] for name in variants}
    rounds = min(size.rounds, ROUNDS_MAX)
    for i in range(rounds):
        ours.append(collector_run(stage, broker, influx, load, size.per_second, f"plain-{i}"))
        folded.append(collector_run(stage, broker, influx, load, size.per_second, f"metered-{i}"))
        for name, settings in variants.items():
            theirs[name].append(telegraf_run(stage, broker, influx, load, size.per_second, f"telegraf-{name}-{i}", settings))
    cpus, peaks = zip(*ours)
    own = statistics.median(cpus)
    figures = [
        Figure("cpu", "collector, own CPU for a million readings", "s", own, 2, 1, runs=list(cpus),
               note=f"median of {rounds} by turns; {load.readings:,} readings of {load.points} points, {size.per_second:,.0f}/s",
               sent=load.readings, stored=load.readings),
        Figure("cpu", "collector, peak memory at that load", "MiB", max(peaks), 64, 32, runs=list(peaks), sent=load.readings,
               stored=load.readings)]
    cpus_folded, peaks_folded = zip(*folded)
    figures += [
        Figure("cpu", "the same, each register a meter of the ledger", "s", statistics.median(cpus_folded), 2, 1, runs=list(cpus_folded),
               reference=f"without meters {own:.2f} s", note=f"half of the readings are registers, of {load.points // 2} meters",
               sent=load.readings, stored=load.readings),
        Figure("cpu", "its peak memory", "MiB", max(peaks_folded), 64, 32, runs=list(peaks_folded), sent=load.readings,
               stored=load.readings)]
    for name, text in (("default", "as it comes (QoS 0)"), ("safest", "at its safest (QoS 1)")):
        title = f"its CPU, share of Telegraf's {text}"
        if name not in theirs:
            figures.append(Figure("cpu", title, "%", note=telegraf.ABSENT, is_optional=True))
            continue
        shares = [mine / run[0] * 100 for mine, run in zip(cpus, theirs[name])]
        figures.append(Figure("cpu", title, "%", statistics.median(shares), 100 / 3, reference=describe(load, theirs[name]),
                              runs=shares, sent=load.readings, stored=min(run[2] for run in theirs[name])))
    return figures
