"""The collector against an agent that knows only section 3 of the contract: what is answered, journalled, lost, and in the store."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
from harness.parkmon import new_collector
from harness.process import run, wait_until
from publisher import Publisher

PARK = """
sites = ( { id = "s1"; name = "x"; name_en = "x"; zone = "Asia/Shanghai"; } );
buildings = ( { id = "b1"; name = "x"; name_en = "x"; site = "s1"; } );
gateways = ( { id = "gw-a"; name = "x"; name_en = "x"; site = "s1"; building = "b1"; } );
"""


def now_ms() -> int:
    return int(time.time() * 1000)


class House:
    """Broker, store and collector, and publishers for the gateways gw-a and gw-b."""

    def __init__(self, stage):
        self.stage = stage
        self.broker = stage.broker("gw-a", "gw-b")
        self.influx = stage.influx()
        park = stage.folder / "park.cfg"
        park.write_text(PARK)
        self.collector = stage.add(new_collector(stage.folder / "collector", self.broker, self.influx, park))
        self.database = stage.folder / "collector/collector.db"
        self.base_ms = now_ms() - 3600_000

    def start(self) -> "House":
        self.collector.start()
        self.wait_connected()
        return self

    def wait_connected(self) -> None:
        self.collector.wait_connected()

    def query(self, sql: str) -> list[tuple]:
        """What another process sees in the collector's database."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
            return database.execute(sql).fetchall()

    def line(self, seq: int, point: str = "m") -> str:
        return f"register,point={point} value={seq}i {self.base_ms + seq}"

    def stored(self) -> dict:
        return self.influx.raw("register")


@pytest.fixture
def house(stage):
    return House(stage).start()


def test_accepts_repeats_and_refuses_as_the_contract_says(house):
    agent = Publisher(house.broker, "gw-a")
    for seq in (1, 2, 3):
        agent.send(seq, [house.line(seq)])
        agent.wait_ack(seq)
        assert house.query("SELECT max(seq) FROM journal") == [(seq,)]

    agent.forget()
    agent.send(2, [house.line(2)])
    agent.wait_ack(3)  # a duplicate: the mark again

    agent.forget()
    agent.send(6, [house.line(6)])
    agent.wait_refusal(3)
    for seq in (4, 5, 6):
        agent.send(seq, [house.line(seq)])
    agent.wait_ack(6)

    # A new start of the agent; then history is given up: 8 and 9 can never come.
    agent.send(7, [house.line(7)], epoch=2, prev=(1, 6))
    agent.wait_ack(7, epoch=2)
    agent.send(10, [house.line(10)], epoch=2, prev=(1, 6), first=10, more=" dropped=3 from=5000 to=6000 unknown=key")
    agent.wait_ack(10, epoch=2)
    assert house.query("SELECT gateway, epoch, first_seq, last_seq, readings, from_ms, to_ms FROM loss ORDER BY id") == [
        ("gw-a", 2, 8, 9, None, None, None), ("gw-a", 2, None, None, 3, 5000, 6000)]

    house.collector.wait_settled()
    assert house.stored() == {("gw-a", "m"): [(house.base_ms + seq, seq) for seq in (1, 2, 3, 4, 5, 6, 7, 10)]}
    # Whoever subscribes now finds the mark.
    late = Publisher(house.broker, "gw-a")
    late.mqtt.wait(lambda: late.answers(), "the retained mark")
    assert late.answers() == [(2, 10, False, True)]


def test_bad_input_is_quarantined_with_its_reason_and_holds_nothing_up(house):
    agent = Publisher(house.broker, "gw-a")
    agent.send_raw(b"\x00\xff not a batch")
    agent.send_raw(b"")
    agent.send(1, ["register,point=m value=1i", house.line(1), "gauge,point=UPPER value=1 1", "gauge,point=g value=nan 1",
                   f"register,point=m value=9i {now_ms() + 360_000}", f"state,point=s value=\"{'x' * 257}\" {house.base_ms}"])
    agent.wait_ack(1)
    agent.send(2, [house.line(seq) for seq in range(2, 1003)])
    agent.wait_ack(2)
    agent.send(3, [house.line(3)])
    agent.send(1, [house.line(77)], retain=True)  # a retained batch is live for who is subscribed, and a duplicate
    agent.wait_ack(3)
    assert house.query("SELECT seq, line FROM quarantine ORDER BY id") == [
        (None, None), (None, None), (1, 0), (1, 2), (1, 3), (1, 4), (1, 5), (2, None)]
    assert house.query("SELECT first_seq, last_seq FROM loss") == [(2, 2)]
    house.collector.wait_settled()
    assert house.stored() == {("gw-a", "m"): [(house.base_ms + seq, seq) for seq in (1, 3)]}

    # After a restart the retained one is met again, and ignored: it is not even answered.
    agent.forget()
    house.collector.restart()
    house.wait_connected()
    agent.send(4, [house.line(4)])
    agent.wait_ack(4)
    assert house.query("SELECT count(*) FROM journal") == [(3,)]
    assert house.collector.metric("parkmon_duplicate_batches_total") == 0


def test_a_reading_has_one_value_for_ever(house):
    agent = Publisher(house.broker, "gw-a")
    agent.send(1, [house.line(5), house.line(4), house.line(5)])
    agent.wait_ack(1)
    house.collector.restart()
    house.wait_connected()
    agent.send(2, [f"register,point=m value=99i {house.base_ms + 4}", house.line(4), house.line(3)], epoch=2, prev=(1, 1))
    agent.wait_ack(2, epoch=2)
    house.collector.wait_settled()
    assert house.stored() == {("gw-a", "m"): [(house.base_ms + seq, seq) for seq in (3, 4, 5)]}
    assert [line for line, in house.query("SELECT content FROM quarantine")] == [
        f"register,point=m value=99i {house.base_ms + 4}".encode()]


def test_killed_at_any_time_it_keeps_each_batch_once(house):
    seed = int(os.environ.get("PARKMON_SEED", random.randrange(10**6)))
    print(f"PARKMON_SEED={seed}")
    chance = random.Random(seed)
    agent = Publisher(house.broker, "gw-a")
    mark, sent, total, kills = 0, 0, 500, 0
    kill_at = chance.randrange(20, 60)
    while mark < total:
        while sent < min(mark + 16, total):
            sent += 1
            agent.send(sent, [house.line(sent), house.line(sent, "n")])
        agent.mqtt.poll(1.0)
        for _, seq, refused, _ in agent.answers():
            assert seq >= mark or refused, f"the mark went back from {mark} to {seq}"
            mark = max(mark, seq)
        agent.forget()
        if mark and kills < 5 and mark >= kill_at:
            house.collector.kill()
            durable, = house.query("SELECT max(seq) FROM journal")[0]
            assert durable >= mark  # what is acknowledged is on disk, whatever happens
            kills += 1
            kill_at = mark + chance.randrange(20, 60)
            house.collector.start()
            house.wait_connected()
            sent = mark
    assert kills == 5
    assert house.query("SELECT seq, count(*) FROM journal GROUP BY seq HAVING count(*) <> 1") == []
    assert house.query("SELECT count(*), max(seq) FROM journal") == [(total, total)]
    assert house.query("SELECT count(*) FROM loss") == [(0,)]
    house.collector.wait_settled()
    expected = [(house.base_ms + seq, seq) for seq in range(1, total + 1)]
    assert house.stored() == {("gw-a", "m"): expected, ("gw-a", "n"): expected}


def test_one_that_floods_does_not_hold_up_the_others(house):
    flood, quiet = Publisher(house.broker, "gw-b"), Publisher(house.broker, "gw-a")
    lines = [house.line(seq) for seq in range(1, 900)]
    worst = 0.0
    for seq in range(1, 11):
        for n in range(40):
            flood.send(seq * 1000 + n, lines)
        begin = time.monotonic()
        quiet.send(seq, [house.line(seq)])
        quiet.wait_ack(seq)
        worst = max(worst, time.monotonic() - begin)
    flood.mqtt.flush()
    assert worst < 5
    refusals = [answer for answer in flood.answers() if answer[2]]
    assert refusals and all(answer[:3] == (1, 0, True) for answer in refusals)
    assert len(refusals) <= worst * 10 + 12  # at most one a second


def test_a_file_that_cannot_grow_ends_it_with_74_and_no_answer(house):
    agent = Publisher(house.broker, "gw-a")
    agent.send(1, [house.line(1)])
    agent.wait_ack(1)
    agent.forget()
    assert run(["prlimit", "--pid", house.collector.pid, "--fsize=1024"]).returncode == 0
    agent.send(2, [house.line(2)])
    assert house.collector.wait(20) == 74
    agent.mqtt.poll(0.2)
    assert agent.answers() == []
    assert "disk I/O error" in house.collector.log()
    house.collector.start()
    house.wait_connected()
    agent.send(2, [house.line(2)])
    agent.wait_ack(2)
    assert house.query("SELECT seq FROM journal ORDER BY id") == [(1,), (2,)]


def test_on_a_full_disk_it_says_so_and_goes_on_when_there_is_room(stage, small_folder):
    house = House(stage)
    small = small_folder(32)
    collector = house.collector
    settings = collector.settings.read_text().replace(str(house.database), str(small / "collector.db"))
    collector.settings.write_text(settings)
    house.start()
    agent = Publisher(house.broker, "gw-a")
    agent.send(1, [house.line(1)])
    agent.wait_ack(1)

    filling = small / "filling"
    with open(filling, "wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(bytes(4096))
    agent.forget()
    # More than the write-ahead log may hold from before, and would take without growing.
    lines = [f"state,point=s{n} value=\"{'x' * 200}\" {house.base_ms}" for n in range(990)]
    agent.send(2, lines)
    wait_until(lambda: collector.get("/readyz")[0] == 503, 20, "/readyz says that nothing is taken")
    assert "full" in collector.get("/readyz")[1]
    assert collector.run("status").returncode == 2
    begin, before = time.monotonic(), cpu_seconds(collector.pid)
    while time.monotonic() - begin < 3:
        agent.mqtt.poll(0.5)
    assert agent.answers() == []
    assert cpu_seconds(collector.pid) - before < 1

    filling.unlink()
    def taken():
        agent.send(2, lines)
        agent.mqtt.poll(1.0)
        return any(answer[1] == 2 and not answer[2] for answer in agent.answers())
    wait_until(taken, 20, "the batch is taken")
    wait_until(lambda: collector.get("/readyz")[0] == 200, 20, "/readyz is content again")
    agent.close()
    collector.pause()
    for name in ("collector.db", "collector.db-wal"):
        shutil.copy(small / name, house.database.with_name(name))
    assert house.query("SELECT seq FROM journal ORDER BY id") == [(1,), (2,)]


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_at_rest_it_does_nothing(house):
    agent = Publisher(house.broker, "gw-a")
    agent.send(1, [house.line(1)])
    agent.wait_ack(1)
    house.collector.wait_settled()
    before, begin = cpu_seconds(house.collector.pid), time.monotonic()
    wait_until(lambda: time.monotonic() - begin > 5, 10, "five seconds of rest", poll=1)
    assert cpu_seconds(house.collector.pid) - before < 0.15


def test_status_tells_healthy_degraded_and_failing(house):
    collector = house.collector
    agent = Publisher(house.broker, "gw-a")
    agent.mqtt.publish("park/v1/gw/gw-a/state", b'{"state":"online","clock":"synchronised"}', retain=True)
    wait_until(collector.is_healthy, 20, "healthy")
    wait_until(lambda: collector.run("status").returncode == 0, 20, "status says healthy")
    assert collector.run("status").stdout == "healthy\n"
    house.influx.kill()
    agent.send(1, [house.line(1)])
    agent.wait_ack(1)
    wait_until(lambda: collector.run("status").returncode == 1, 20, "status says degraded")
    degraded = collector.run("status")
    assert degraded.stdout.startswith("degraded\n") and "store" in degraded.stdout
    assert '"status":"degraded"' in collector.run("status", "--json").stdout.replace(" ", "")
    collector.pause()
    hung = collector.run("status")
    assert hung.returncode == 2 and hung.stdout.startswith("failing\n  no_answer: ")
    collector.kill()
    failing = collector.run("status")
    assert failing.returncode == 2 and failing.stdout.startswith("failing\n  not_running: ")
    assert run([collector.program, "status"]).returncode == 64


def test_a_second_collector_on_the_same_database_is_refused(house):
    second = subprocess.run([str(word) for word in house.collector.command], capture_output=True, text=True, timeout=20)
    assert second.returncode == 69 and "in use by another process" in second.stderr
