"""rebuild: the raw series written again from the journal, beside a running collector, killed half-way, and where evidence is missing."""

from __future__ import annotations

import os
import pty
import random
import sqlite3
import subprocess
import time

import pytest
from harness.process import Program, free_port, run, wait_until
from publisher import Publisher
from swallow import Swallow
from test_countback import HOUR_MS, TIMES, Counted


def rebuild(house, *words, seconds: float = 120.0) -> subprocess.CompletedProcess:
    return run([house.collector.program, "rebuild", "--config", house.collector.settings, *words], seconds)


def all_stored(house) -> dict:
    return {measurement: house.influx.raw(measurement) for measurement in ("register", "gauge", "state")}


def text_of(hour_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(hour_ms / 1000))


@pytest.fixture
def house(stage):
    made = Counted(stage).start()
    made.agent = Publisher(made.broker, "gw-a")
    made.send(made.agent)
    made.wait_counted(3)
    return made


@pytest.mark.parametrize("is_running", [True, False])
def test_what_was_deleted_or_falsified_is_as_the_journal_says_again(house, is_running):
    before = all_stored(house)
    house.influx.write(f"register,building=b1,gateway=gw-a,point=m,site=s1 value=99i {house.hour_ms}", "raw")
    house.influx.query(f"DELETE FROM gauge WHERE time < {house.hour_ms + 600_000}ms")
    house.influx.query("DROP SERIES FROM \"state\"")
    if not is_running:
        house.collector.stop()
    assert all_stored(house) != before
    done = rebuild(house)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "1 hours, 780 readings written again\n")
    assert all_stored(house) == before


def test_points_that_the_journal_does_not_hold_are_only_deleted_when_told(house):
    before = all_stored(house)
    house.influx.write(f"register,gateway=gw-a,point=stranger value=1i {house.hour_ms + 5}", "raw")
    left = rebuild(house)
    assert left.returncode == 69 and left.stdout == "1 hours, 420 readings written again\n"
    assert "the store holds 361 readings, the journal 360; --drop-unknown deletes" in left.stderr
    assert house.count("register") == 361
    dropped = rebuild(house, "--drop-unknown", "--period", text_of(house.hour_ms)[:10])
    assert (dropped.returncode, dropped.stderr) == (0, "")
    assert all_stored(house) == before


def test_a_period_whose_evidence_was_pruned_is_refused_and_nothing_is_deleted(house):
    # A second hour, from a batch of its own; then the first batch goes, as pruning would let it go.
    later_ms = house.hour_ms + HOUR_MS
    house.agent.send(2, [f"register,point=m value={n}i {later_ms + n * 10_000}" for n in range(10)])
    house.agent.wait_ack(2)
    house.collector.wait_settled()
    house.collector.stop()
    with sqlite3.connect(house.database) as database:
        database.execute("DELETE FROM journal_span WHERE journal = 1")
        database.execute("DELETE FROM journal WHERE id = 1")
    database.close()
    before = all_stored(house)
    both = f"{text_of(house.hour_ms)}/{text_of(later_ms + HOUR_MS)}"
    for period in (both, f"{text_of(house.hour_ms)}/{text_of(later_ms)}", "2020-10", "2020-10-05"):
        refused = rebuild(house, "--drop-unknown", "--period", period)
        assert refused.returncode == 78, refused.stderr
        assert refused.stderr == (
            f"park-collector: {period} is not held whole: its evidence was pruned, is beyond raw_retention, or was never "
            f"here; what is held is from {text_of(later_ms)[:16]}Z to {text_of(later_ms + HOUR_MS)[:16]}Z; nothing was "
            "deleted\n")
    assert all_stored(house) == before
    whole = rebuild(house, "--period", f"{text_of(later_ms)}/{text_of(later_ms + HOUR_MS)}")
    assert (whole.returncode, whole.stdout) == (0, "1 hours, 10 readings written again\n")
    everything = rebuild(house)
    assert everything.returncode == 0 and everything.stdout.startswith("1 hours, 10 readings written again")
    assert all_stored(house) == before
    for wrong in ("yesterday", "2026-13", f"{text_of(later_ms)}/{text_of(later_ms)}"):
        refused = rebuild(house, "--period", wrong)
        assert refused.returncode == 64 and f"--period {wrong} is no period; expected a month (2026-10)" in refused.stderr


def test_one_reading_far_from_all_others_costs_one_hour(house):
    house.agent.send(2, ["register,point=m value=1i 1"])
    house.agent.wait_ack(2)
    house.collector.wait_settled()
    before = all_stored(house)
    done = rebuild(house, seconds=30)  # not the half a million hours since 1970
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "3 hours, 781 readings written again\n")
    assert all_stored(house) == before


def test_killed_between_delete_and_write_the_hole_is_filled_by_the_collector_or_the_next_run(stage):
    house = Counted(stage)
    proxy = stage.start(Swallow(stage.folder / "proxy", house.influx.port, free_port()))
    house.collector.settings.write_text(house.collector.settings.read_text().replace(house.influx.url, proxy.url))
    house.start()
    agent = Publisher(house.broker, "gw-a")
    house.send(agent)
    house.wait_counted(3)
    house.collector.stop()
    before = all_stored(house)
    words = [house.collector.program, "rebuild", "--config", house.collector.settings]
    note = house.database.with_name(house.database.name + ".rebuild")
    proxy.hold(1, 30)
    killed = stage.add(Program("rebuild-0", stage.folder, words))
    killed.launch()
    wait_until(lambda: proxy.held() == 1, 20, "the write after the delete is under way")
    assert note.read_text() == f"register {house.hour_ms // HOUR_MS}\n"
    second = rebuild(house)
    assert second.returncode == 69 and "a rebuild runs" in second.stderr
    killed.kill()
    proxy.hold(0, 0)
    assert house.count("register") == 0 and house.count("gauge") == TIMES
    # Either the collector finds what it had noted, or the next run does.
    house.collector.start()
    wait_until(lambda: "posted again, the store holds all 360 now" in house.collector.log(), 30, "the hole is filled", poll=0.2)
    assert "register of the hour of" in house.collector.log() and "a rebuild left it unfinished" in house.collector.log()
    assert all_stored(house) == before
    wait_until(lambda: note.read_text() == "", 30, "nothing is noted any more", poll=0.2)
    house.collector.stop()

    house.influx.query("DELETE FROM register")
    note.write_text(f"register {house.hour_ms // HOUR_MS}\n")
    assert rebuild(house).returncode == 0
    assert (all_stored(house), note.read_text()) == (before, "")

    # And at whatever instant: what it leaves, the next run makes whole.
    seed = int(os.environ.get("PARKMON_SEED", random.randrange(10**6)))
    print(f"PARKMON_SEED={seed}")
    chance = random.Random(seed)
    for nth in range(1, 9):
        killed = stage.add(Program(f"rebuild-{nth}", stage.folder, words))
        killed.launch()
        end = time.monotonic() + chance.uniform(0, 0.4)
        wait_until(lambda: time.monotonic() > end or not killed.is_running, 5, "its last instant", poll=0.001)
        killed.kill()
        assert all(set(readings) <= set(before[measurement][key]) for measurement, found in all_stored(house).items()
                   for key, readings in found.items())
    assert rebuild(house).returncode == 0
    assert all_stored(house) == before


def test_late_readings_that_come_while_it_runs_are_neither_lost_nor_doubled(house):
    words = [house.collector.program, "rebuild", "--config", house.collector.settings]
    expected = dict(house.stored()[("gw-a", "m")])
    seq, runs, process = 1, 0, None
    while runs < 6:
        if process is None or process.poll() is not None:
            assert process is None or process.returncode in (0, 69)
            process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            runs += 1
        seq += 1
        times = [house.hour_ms + seq * 1000 + n for n in (1, 2, 3)]
        house.agent.send(seq, [f"register,point=m value={time_ms % 100_000}i {time_ms}" for time_ms in times])
        expected.update({time_ms: time_ms % 100_000 for time_ms in times})
        house.agent.wait_ack(seq)
    process.wait(60)
    house.collector.wait_settled()
    assert house.stored()[("gw-a", "m")] == sorted(expected.items())


def test_what_the_store_refused_is_written_when_it_takes_it(stage):
    """Somebody had written another type of value there; when that is mended, the journal has everything."""
    house = Counted(stage).start()
    wait_until(lambda: "raw" in house.influx.policies(), 20, "the policy is there")
    house.influx.write(f"gauge,point=theirs value=1i {house.hour_ms}", "raw")
    agent = Publisher(house.broker, "gw-a")
    house.send(agent)
    house.collector.wait_settled(60)
    wait_until(lambda: house.query("SELECT count(*) FROM refused") == [(TIMES,)], 60, "every gauge is refused")
    house.influx.query("DROP MEASUREMENT gauge")
    done = rebuild(house)
    assert (done.returncode, done.stdout) == (0, "1 hours, 780 readings written again\n"), done.stderr
    assert len(house.influx.raw("gauge")[("gw-a", "m.p")]) == TIMES
    # The count-back knows that it may.
    house.touch(agent, 2)
    wait_until(lambda: not house.due(), 30, "the hour is counted", poll=0.2)
    assert house.metric("different") == 0 and "store_differs" not in house.reasons()


def test_what_the_store_keeps_shorter_than_the_settings_say_is_left_alone(stage):
    """The policy is somebody else's, and this user may not change it."""
    house = Counted(stage)
    proxy = stage.start(Swallow(stage.folder / "proxy", house.influx.port, free_port()))
    house.collector.settings.write_text(house.collector.settings.read_text().replace(house.influx.url, proxy.url))
    house.start()
    agent = Publisher(house.broker, "gw-a")
    house.send(agent)
    house.wait_counted(3)
    house.influx.query("ALTER RETENTION POLICY raw ON parkmon DURATION 1d SHARD DURATION 1h")
    proxy.refuse("ALTER")
    house.collector.restart()
    house.wait_connected()
    agent.send(2, [f"register,point=m value=1i {house.hour_ms - 3 * 24 * HOUR_MS}"])
    agent.wait_ack(2)
    house.collector.wait_settled()
    before = all_stored(house)
    done = rebuild(house)
    assert done.returncode == 0, done.stderr
    assert "hours, 780 readings written again; " in done.stdout and "left as they are" in done.stdout
    assert "older than the 1 days that the store keeps" in house.collector.log()
    assert all_stored(house) == before


def test_a_store_that_is_away_is_told_and_nothing_is_tried(house):
    house.influx.kill()
    away = rebuild(house)
    assert away.returncode == 69 and away.stdout == ""
    assert away.stderr.startswith("park-collector: the store: is not ready: ") and len(away.stderr.splitlines()) == 1


def test_a_long_run_shows_its_progress_on_a_terminal(stage):
    house = Counted(stage)
    proxy = stage.start(Swallow(stage.folder / "proxy", house.influx.port, free_port()))
    house.collector.settings.write_text(house.collector.settings.read_text().replace(house.influx.url, proxy.url))
    house.start()
    agent = Publisher(house.broker, "gw-a")
    agent.send(1, [f"register,point=m value={n}i {house.hour_ms + n * HOUR_MS}" for n in range(2)])
    agent.wait_ack(1)
    house.collector.wait_settled()
    proxy.hold(1, 2.5)
    ours, theirs = pty.openpty()
    process = subprocess.Popen([house.collector.program, "rebuild", "--config", house.collector.settings],
                               stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "2 hours, 2 readings written again\n")
    assert b"\rrebuilt 1 of 2 hours, 1 readings" in os.read(ours, 4096)
    os.close(ours)
