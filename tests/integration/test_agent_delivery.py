"""The real agent's ends and edges: replay, signals, spools that cannot be used, a disk that is full."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest
from harness.parkmon import Agent, write_agent_settings
from harness.process import free_port, wait_until
from harness.stage import Park

BUS = """{{ name = "b"; driver = "modbus_tcp"; host = "127.0.0.1"; port = {port};
  devices = ( {{ name = "m"; unit = 1; every = 1; points = (
    {{ name = "m.count"; kind = "register"; address = 0; type = "u32"; unit = "Wh"; }},
    {{ name = "m.power"; kind = "gauge"; address = 2; type = "f32"; unit = "W"; }} ); }} ); }}"""
T0 = 1764000000000


@pytest.fixture
def park(stage):
    """All but the agents, who replay."""
    made = Park(stage, every=1.0)
    made.start_servers()
    made.collector.wait_connected()
    return made


def history(park, gateway: str, hours: int, step: float = 60) -> tuple[Path, int]:
    path = park.sim.write_history(park.folder / f"{gateway}.csv", gateway, "2026-10-01T00:00:00+08:00",
                                  f"2026-10-01T{hours:02d}:00:00+08:00", step)
    return path, sum(1 for line in open(path) if line.strip() and not line.startswith(("#", "point,")))


def stored(park, gateway: str) -> int:
    """Raw readings of a gateway in the store, over all kinds."""
    found = 0
    for kind in ("register", "gauge", "state"):
        for readings in (readings for (owner, _), readings in park.influx.raw(kind).items() if owner == gateway):
            found += len(readings)
    return found


def test_a_replay_stopped_in_the_middle_and_started_again_brings_each_reading_once(park):
    path, rows = history(park, "gw-a", 12)
    agent = park.agents["gw-a"]
    park.collector.pause()  # so that something is unacknowledged at the signal
    replay = park.stage.add(agent.replay(path))
    replay.launch()
    wait_until(lambda: agent.settings.with_suffix(".spool").exists() and replay.is_connected_to(park.broker.port), 60, "it sends")
    replay.process.send_signal(signal.SIGTERM)
    assert replay.wait(60) == 69
    assert "may be replayed again" in replay.log_tail()
    park.collector.resume()
    again = agent.run("--replay", str(path))
    assert again.returncode == 0, again.stderr
    assert f"{rows} rows, all acknowledged" in again.stderr
    park.collector.wait_settled()
    assert stored(park, "gw-a") == rows


def test_a_replay_outlasts_a_broker_that_is_down_for_a_while(park):
    path, rows = history(park, "gw-b", 12)
    park.broker.stop()
    replay = park.stage.add(park.agents["gw-b"].replay(path))
    replay.launch()
    wait_until(lambda: "cannot be reached" in replay.log_tail(), 60, "the broker is missed")
    park.broker.start()
    assert replay.wait(120) == 0
    park.collector.wait_settled()
    assert stored(park, "gw-b") == rows


def run_on_terminal(command: list) -> tuple[int, str]:
    """With stderr on a terminal; its exit code and what it showed."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    return child.wait(120), shown.decode()


def test_progress_is_for_terminals_only(park):
    path, rows = history(park, "gw-a", 2)
    agent = park.agents["gw-a"]
    quiet = agent.run("--replay", str(path))
    assert quiet.returncode == 0 and "\r" not in quiet.stderr and "rows read" not in quiet.stderr
    code, shown = run_on_terminal([*agent.command, "--replay", path])
    assert code == 0
    assert f"\r{rows} of {rows} rows read, 0 readings wait, 0 batches unacknowledged" in shown
    park.collector.wait_settled()
    assert stored(park, "gw-a") == rows, "the second time brought duplicates"


# ---- without a collector ----


@pytest.fixture
def alone(stage):
    """An agent with a broker; nobody answers at its device's port."""
    broker = stage.broker("gw-x")
    settings = write_agent_settings(stage.folder / "gw-x.cfg", "gw-x", broker, BUS.format(port=free_port()))
    return stage.add(Agent(settings, broker))


def test_mistakes_in_a_file_are_all_named_and_nothing_is_sent(alone, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(f"point,value,time\nm.count,1,{T0}\nm.other,1,{T0}\nm.count,1.5,{T0}\nm.power,warm,{T0}\nm.power,1,soon\n")
    done = alone.run("--replay", str(path))
    assert done.returncode == 78
    for number in (3, 4, 5, 6):
        assert sum(line.startswith(f"{path}:{number}: ") for line in done.stderr.splitlines()) == 1, done.stderr
    assert f"{path}:2:" not in done.stderr
    assert "4 of its rows are wrong; nothing was sent" in done.stderr


def test_a_spool_in_use_is_refused_with_one_line(alone, tmp_path):
    alone.start()
    path = tmp_path / "one.csv"
    path.write_text(f"m.count,1,{T0}\n")
    done = alone.run("--replay", str(path))
    assert done.returncode == 69
    assert len([line for line in done.stderr.splitlines() if "ERROR" in line]) == 1
    assert "in use by another process" in done.stderr
    alone.stop()


def test_a_spool_that_is_none_is_refused(alone):
    spool = alone.settings.with_suffix(".spool")
    spool.write_text("something else entirely\n" * 200)
    before = spool.read_bytes()
    done = alone.run()
    assert done.returncode == 78
    assert f"{spool} is not a sound database" in done.stderr
    assert spool.read_bytes() == before


def test_the_end_without_a_broker_is_quick(alone):
    alone.broker.stop()
    took_s = []
    for _ in range(3):  # the machine may be slow now and then
        tried = alone.log().count("cannot be reached")
        alone.launch()
        wait_until(lambda: alone.log().count("cannot be reached") > tried, 60, "it has tried")
        begin = time.monotonic()
        alone.stop()
        took_s.append(time.monotonic() - begin)
        if took_s[-1] < 2.5:
            return
    raise AssertionError(took_s)


# ---- a full disk ----

def test_a_full_disk_is_told_and_over_when_there_is_room(stage, tmp_path, small_folder):
    broker = stage.broker("gw-x")
    settings = write_agent_settings(tmp_path / "gw-x.cfg", "gw-x", broker, BUS.format(port=free_port()),
                                    small_folder(2) / "gw-x.spool")
    rows = tmp_path / "rows.csv"
    with open(rows, "w") as file:
        for n in range(120_000):
            file.write(f"m.count,{n},{T0 + n}\n")
    replay = stage.add(Agent(settings, broker).replay(rows))
    replay.launch()
    wait_until(lambda: "readings wait in memory" in replay.log(), 60, "a replay waits, it gives nothing up")
    assert replay.is_running, replay.log()
    assert "the disk under the spool is full" in replay.log() and "given up since" not in replay.log(), replay.log()
    small_folder(64)  # more room, as when somebody has cleaned up
    wait_until(lambda: "takes readings again" in replay.log(), 60, "it recovers")
    assert "the disk under the spool has room again" in replay.log()
    assert replay.is_running
