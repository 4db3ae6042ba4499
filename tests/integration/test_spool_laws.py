"""Spools that are full, damaged, restored from a copy, cloned: nothing is lost without being named, nothing comes twice."""

from __future__ import annotations

import re
import shutil
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import evidence
import pytest
from harness.parkmon import Agent
from harness.process import wait_until
from harness.servers import SOURCE
from harness.stage import Park

sys.path.insert(0, str(SOURCE / "tests"))
from sim import answers  # noqa: E402

GATEWAY = "gw-a"
GIVEN_UP = "given up by the gateway before they were cut"  # the collector's word for `dropped`


@pytest.fixture
def park(stage):
    """Polled five times a second; nobody polls yet."""
    made = Park(stage, every=0.2)
    made.start_servers()
    made.collector.wait_connected()
    return made


def spool_path(park) -> Path:
    return park.agents[GATEWAY].settings.with_suffix(".spool")


def database_path(park) -> Path:
    return park.collector.settings.with_suffix(".db")


def mark(park) -> int:
    return evidence.read_marks(database_path(park)).get(GATEWAY, 0)


def losses(park) -> list[tuple]:
    """(epoch, first, last, readings, from, to, reason) of the gateway, as the collector's database has them."""
    with closing(sqlite3.connect(f"file:{database_path(park)}?mode=ro", uri=True)) as db:
        return db.execute("SELECT epoch, first_seq, last_seq, readings, from_ms, to_ms, reason FROM loss WHERE gateway = ?"
                          " ORDER BY id", (GATEWAY,)).fetchall()


def in_store(park) -> dict[tuple[str, str], list]:
    return {(kind, point): readings for kind in evidence.KINDS
            for (gateway, point), readings in park.influx.raw(kind).items() if gateway == GATEWAY}


def finish(park, *agents: Agent) -> None:
    """All that the agents hold gets through; then the sources end."""
    before = mark(park)
    wait_until(lambda: mark(park) >= before + 3, 60, "it delivers")
    for agent in agents:
        agent.stop()
    park.sim.stop()
    park.collector.wait_settled()


def values(readings) -> list:
    return [value for _, value in readings]


def is_subsequence(short: list, long: list) -> bool:
    rest = iter(long)
    return all(value in rest for value in short)


def assert_none_twice(park) -> None:
    """What the store has is what the simulator answered, each answer at most once and in order."""
    answered = answers.expected(park.sim.log_of_answers, GATEWAY)
    for (kind, point), readings in in_store(park).items():
        if kind != "state":
            assert is_subsequence(values(readings), values(answered[point])), point


def test_on_a_full_disk_gauges_are_given_up_and_each_is_counted(park, small_folder):
    agent = park.agents[GATEWAY]
    folder = small_folder(1)
    text = agent.settings.read_text()
    agent.settings.write_text(re.sub(r'path = "[^"]*"', f'path = "{folder}/a.spool"', text, count=1))
    (folder / "filler").write_bytes(b"x" * (260 << 10))
    park.collector.pause()
    agent.start()
    wait_until(lambda: "the disk under the spool is full" in agent.log(), 30, "the agent says that the disk is full")
    wait_until(lambda: "given up since the start" in agent.log(), 90, "readings are given up")
    assert agent.is_running and "refused" not in agent.log(), agent.log()
    (folder / "filler").unlink()
    small_folder(16)
    wait_until(lambda: "the disk under the spool has room again" in agent.log(), 30, "there is room again")
    assert (folder / "a.spool.reserve").stat().st_blocks > 0
    park.collector.resume()
    finish(park, agent)

    lost = losses(park)
    assert lost and all(reason == GIVEN_UP for *_, reason in lost), lost
    answered, found = answers.expected(park.sim.log_of_answers, GATEWAY), in_store(park)
    gauges_answered = gauges_found = 0
    for (kind, point), readings in found.items():
        if kind == "register":
            assert values(readings) == values(answered[point]), f"{point}: registers stay as long as there are gauges"
        elif kind == "gauge":
            gauges_answered += len(answered[point])
            gauges_found += len(readings)
    assert gauges_answered - gauges_found == sum(row[3] for row in lost) > 0
    assert_none_twice(park)


def test_a_damaged_spool_is_set_aside_and_its_loss_is_named(park):
    agent = park.agents[GATEWAY]
    agent.start()
    wait_until(lambda: mark(park) >= 5, 30, "five batches are acknowledged")
    park.collector.pause()
    before = mark(park)
    wait_until(lambda: max(evidence.read_spool(spool_path(park)).batches, default=0) >= before + 3, 30, "batches are in flight")
    agent.kill()
    path = spool_path(park)
    held = evidence.read_spool(evidence.copy_database(path, park.folder / "at-the-kill"))
    with open(path, "r+b") as file:  # blocks that were never written
        file.write(bytes(4096))
    path.with_name(path.name + "-wal").unlink(missing_ok=True)
    agent.start()
    wait_until(lambda: "it is set aside as" in agent.log(), 30, "the agent says so")
    assert len(list(path.parent.glob(path.name + ".damaged-*"))) == 1
    park.collector.resume()
    wait_until(lambda: losses(park), 60, "the loss is named")
    finish(park, agent)
    assert_none_twice(park)
    assert any(reason == GIVEN_UP for *_, reason in losses(park)), losses(park)
    found = {(kind, point, *reading) for (kind, point), readings in in_store(park).items() for reading in readings}
    assert len(held.readings - found) < len(held.readings)


def test_a_spool_restored_from_a_copy_doubles_nothing_and_delivers_all_that_follows(park):
    agent = park.agents[GATEWAY]
    agent.start()
    wait_until(lambda: mark(park) >= 5, 30, "five batches are acknowledged")
    park.collector.pause()
    before = mark(park)
    wait_until(lambda: max(evidence.read_spool(spool_path(park)).batches, default=0) >= before + 4, 30, "batches are in flight")
    agent.pause()
    copy = evidence.copy_database(spool_path(park), park.folder / "copy")
    agent.resume()
    park.collector.resume()
    wait_until(lambda: mark(park) >= before + 20, 60, "it goes on after the copy was taken")
    agent.stop()
    for suffix in ("", "-wal", "-shm"):
        spool_path(park).with_name(spool_path(park).name + suffix).unlink(missing_ok=True)
    for file in copy.parent.iterdir():
        shutil.copy(file, spool_path(park).parent / file.name)
    agent.start()
    finish(park, agent)
    answered = answers.expected(park.sim.log_of_answers, GATEWAY)
    for (kind, point), readings in in_store(park).items():
        if kind != "state":
            assert values(readings) == values(answered[point]), point
    assert losses(park) == []
    assert park.collector.metric("parkmon_quarantined_total") == 0


def test_two_agents_with_one_id_are_told_and_both_deliver(park):
    agent = park.agents[GATEWAY]
    agent.start()
    wait_until(lambda: mark(park) >= 5, 30, "five batches are acknowledged")
    agent.stop()
    folder = park.folder / "clone"
    folder.mkdir()
    for file in agent.settings.parent.glob(f"{GATEWAY}*"):
        shutil.copy(file, folder / file.name)
    shutil.copytree(agent.settings.parent / "meters", folder / "meters", dirs_exist_ok=True) \
        if (agent.settings.parent / "meters").is_dir() else None
    clone = park.stage.add(Agent(folder / agent.settings.name, park.broker, name="clone"))
    agent.start()
    clone.launch()
    wait_until(lambda: any("another client may use the id park-gw-a or" in log or "another client uses the id park-gw-a or" in log
                           for log in (agent.log(), clone.log())), 120, "somebody is told")
    clone.stop()
    clone_spool = folder / spool_path(park).name
    held = evidence.read_spool(clone_spool).readings
    finish(park, agent)
    held |= evidence.read_spool(spool_path(park)).readings
    clone.start()  # what it holds yet; nobody answers its polls
    wait_until(lambda: not uncut(clone_spool) and batches(clone_spool, "batch") <= batches(database_path(park), "journal"), 60,
               "the clone has delivered all")
    clone.stop()
    park.collector.wait_settled()
    found = {(kind, point, *reading) for (kind, point), readings in in_store(park).items() for reading in readings}
    # Both poll on the clock's grid: of two values of one point at one instant the first counts, the other is quarantined.
    instants = {reading[:3] for reading in found}
    missing = held - found
    assert all(reading[:3] in instants for reading in missing), sorted(map(str, missing))[:5]
    assert park.collector.metric("parkmon_quarantined_total") == len(missing)
    assert losses(park) == []
    # Each answer at most once; of two that poll in the same millisecond either may be dated first.
    answered = answers.expected(park.sim.log_of_answers, GATEWAY)
    for (kind, point), readings in in_store(park).items():
        assert kind == "state" or Counter(values(readings)) <= Counter(values(answered[point])), point


def batches(path: Path, table: str) -> set[tuple[int, int]]:
    """Epoch and seq of each."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return set(db.execute(f"SELECT epoch, seq FROM {table}"))


def uncut(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT count(*) FROM reading").fetchone()[0]


def test_after_a_restart_of_the_collector_a_full_window_goes_on_at_once(park):
    agent = park.agents[GATEWAY]
    text = agent.settings.read_text()
    agent.settings.write_text(re.sub(r"spool: \{", "spool: { probe = 60.0; ", text, count=1))
    agent.start()
    wait_until(lambda: mark(park) >= 5, 30, "five batches are acknowledged")
    park.collector.pause()
    before = mark(park)
    wait_until(lambda: max(evidence.read_spool(spool_path(park)).batches, default=0) >= before + 16, 30, "the window is full")
    park.collector.kill()
    park.collector.start()
    wait_until(lambda: mark(park) >= before + 20, 20, "it goes on long before the next probe")
    finish(park, agent)
    answered = answers.expected(park.sim.log_of_answers, GATEWAY)
    for (kind, point), readings in in_store(park).items():
        if kind != "state":
            assert values(readings) == values(answered[point]), point
