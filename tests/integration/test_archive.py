"""The archive: registers of pruned batches, sealed by month in a chain that a script of its own recomputes from the database file; `verify`."""

from __future__ import annotations

import hashlib
import random
import re
import shutil
import sqlite3
import subprocess
import time
import zlib
from functools import cache
from pathlib import Path

import pytest
from archive import Archived, month_name, read_open, read_seals
from harness.process import run, wait_until
from harness.terminal import OnTerminal
from publisher import Publisher
from test_collector import House

DAY_MS = 86_400_000


@cache
def this_month() -> int:
    """Counted from January 1970, UTC."""
    now = time.gmtime()
    return (now.tm_year - 1970) * 12 + now.tm_mon - 1


def month_ago(months: int) -> int:
    """Before the month in which these tests began."""
    return this_month() - months


def begin_ms(month: int) -> int:
    return int(time.mktime((1970 + month // 12, month % 12 + 1, 1, 0, 0, 0, 0, 0, 0)) - time.timezone) * 1000


class Archiving(House):
    """Batches that arrive now are made to have arrived long ago, by changing nothing but that in the stopped collector's
    database; what follows is the collector's own."""

    def __init__(self, stage):
        super().__init__(stage)
        self.expected: list[Archived] = []
        self.seq = 0

    def send(self, agent: Publisher, readings: list[tuple[str, int, int, str]], others: list[str] = ()) -> None:
        """(point, ms, value, quality) that are to be archived, where they are not too old, and lines that are not."""
        self.seq += 1
        lines = [f"register,point={point} value={value}i{',quality=' + chr(34) + quality + chr(34) if quality else ''} {time_ms}"
                 for point, time_ms, value, quality in readings]
        agent.send(self.seq, [*others, *lines])
        agent.wait_ack(self.seq)
        self.expected += [Archived("gw-a", f"{1:016x}", self.seq, point, time_ms, value, quality)
                          for point, time_ms, value, quality in readings if time_ms > begin_ms(month_ago(60))]

    def age(self, days: int = 40) -> None:
        self.collector.wait_settled()
        self.collector.stop()
        with sqlite3.connect(self.database) as database:
            database.execute("UPDATE journal SET received_ms = received_ms - ?", (days * DAY_MS,))
        database.close()
        self.start()

    def wait_seals(self, count: int) -> None:
        wait_until(lambda: self.query("SELECT count(*) FROM seal") == [(count,)], 90, f"{count} seals", poll=0.2)
        assert self.query("SELECT count(*) FROM journal") == [(0,)]

    def verify(self, *words: str):
        return run([self.collector.program, "verify", "--config", self.collector.settings, *words], 60)


def history(month: int, count: int = 200) -> list[tuple[str, int, int, str]]:
    chance = random.Random(month)
    return [(f"b{n % 5}.main", begin_ms(month) + n * 60_000 + chance.randrange(1000), month * 1000 + n * 50 + chance.randrange(50),
             "clock" if n % 50 == 7 else "") for n in range(count)]


@pytest.fixture
def house(stage):
    return Archiving(stage).start()


def by_time(readings: list[Archived]) -> list[Archived]:
    return sorted(readings, key=lambda reading: (reading.point, reading.time_ms))


def test_registers_of_pruned_batches_are_sealed_by_month_and_anybody_can_recompute_it(house):
    agent = Publisher(house.broker, "gw-a")
    before = house.verify()
    assert (before.returncode, before.stdout, before.stderr) == (0, "0 seals recompute, 0 readings; the archive is empty\n", "")
    ancient, first, second, third, present = (month_ago(months) for months in (70, 5, 4, 3, 0))
    now = max(int(time.time() * 1000) - 1000, begin_ms(present))
    house.send(agent, history(first) + history(second), [f"gauge,point=g value=1.5 {begin_ms(first)}", "nonsense"])
    # Across the end of a month; a duplicate, a conflict, a state.
    edge = begin_ms(second)
    house.send(agent, [("e", edge - 1, 1, ""), ("e", edge, 2, ""), ("e", now, 3, "")],
               [f"register,point={point} value={value}i {time_ms}" for point, time_ms, value, _ in history(first, 1)]
               + [f"register,point={point} value=7i {time_ms}" for point, time_ms, _, _ in history(second, 3)]
               + [f"state,point=s value=\"x\" {edge}"])
    house.send(agent, history(ancient, 10))
    house.age()
    house.wait_seals(3)
    # What is older than audit_years is sealed as well, and then it goes.
    wait_until(lambda: house.query(f"SELECT count(*) FROM archive WHERE month < {first}") == [(0,)], 30, "the oldest month is gone")
    seals = read_seals(house.database)
    assert [(seal.number, seal.month, seal.supplement) for seal in seals] == [
        (2, month_name(first), 0), (3, month_name(second), 0)]
    assert all(seal.recorded == seal.recomputed for seal in seals)
    assert all(begin_ms(month) <= reading.time_ms < begin_ms(month + 1)
               for seal, month in zip(seals, (first, second)) for reading in seal.readings)
    held = [reading for seal in seals for reading in seal.readings] + read_open(house.database)
    assert by_time(held) == by_time(house.expected)

    # Beside the running collector.
    told = house.verify()
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.splitlines() == [
        gone(ancient),
        f"{month_name(first)}: sealed, 201 readings, {seals[0].recorded}",
        f"{month_name(second)}: sealed, 201 readings, {seals[1].recorded}",
        f"{month_name(present)}: not sealed yet, 1 readings",
        f"{month_name(ancient + 1)} to {month_name(first - 1)}: no evidence",
        f"{month_name(third)} to {month_name(month_ago(1))}: no evidence",
        f"2 seals recompute, 402 readings; no evidence of 1; the last of the chain is {seals[1].recorded}"]

    # What comes too late is a supplement, and the seals that were there stay as they were.
    house.send(agent, [("late", begin_ms(first) + 5, 9, "")])
    house.send(agent, history(third, 20))
    house.age()
    house.wait_seals(5)
    later = read_seals(house.database)
    assert later[:2] == seals
    assert [(seal.month, seal.supplement, len(seal.readings)) for seal in later[2:]] == [
        (month_name(first), 1, 1), (month_name(third), 0, 20)]
    assert all(seal.recorded == seal.recomputed for seal in later)
    assert f"{month_name(first)}, supplement 1: sealed, 1 readings, {later[2].recorded}\n" in house.verify().stdout

    # What is only archived, `rebuild` refuses.
    refused = run([house.collector.program, "rebuild", "--config", house.collector.settings, "--period", month_name(first)])
    assert refused.returncode == 78 and "there is nothing to rebuild from" in refused.stderr

    house.collector.stop()
    check_damage(house, gone(ancient), later)
    check_periods(house, ancient, third)


def gone(month: int) -> str:
    return f"{month_name(month)}: no evidence: deleted after database.audit_years, its seal is kept"


def flip_in_file(path: Path, content: bytes) -> None:
    """One bit of it, in the file itself, where SQLite's pages hold it (and where freed ones still do)."""
    middle = len(content) // 2
    piece = content[middle:middle + 16]
    data = path.read_bytes()
    assert piece in data
    path.write_bytes(data.replace(piece, bytes([piece[0] ^ 0x10]) + piece[1:]))


def put_back(whole: Path, path: Path) -> None:
    """As another file of the same name: nothing that still has the old one open sees it change."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copy(whole, path)


def check_damage(house: Archiving, oldest: str, seals: list) -> None:
    """Each kind of damage is found, in the month in which it is; both hashes are told."""
    whole = house.database.with_name("whole.db")
    with sqlite3.connect(house.database) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    shutil.copy(house.database, whole)
    month = seals[1].month
    with sqlite3.connect(whole) as database:
        chunk, packed = database.execute(
            "SELECT id, packed FROM archive JOIN archive_content USING (id) WHERE seal = 3").fetchone()
    forged = zlib.compress(re.sub(rb"(b1\.main \d+) \d+", rb"\1 1", zlib.decompress(packed), count=1))
    differs = re.compile(rf"park-collector: {month} differs: sealed as ([0-9a-f]{{64}}), what is there gives ([0-9a-f]{{64}})")

    def told(sql: str | None, values: tuple = ()) -> str:
        put_back(whole, house.database)
        if sql is None:
            flip_in_file(house.database, packed)
        else:
            with sqlite3.connect(house.database) as database:
                assert database.execute(sql, values).rowcount >= 1
            database.close()
        found = house.verify()
        assert found.returncode == 1 and len(found.stderr.splitlines()) == 1, found.stderr
        assert (found.stdout + found.stderr).count("no evidence") == 1
        assert found.stdout.startswith(f"{oldest}\n{seals[0].month}: sealed")
        return found.stderr

    for sql, values in ((None, ()),
                        ("UPDATE archive_content SET packed = ? WHERE id = ?", (forged, chunk)),
                        ("DELETE FROM archive_content WHERE id = ?", (chunk,)),
                        ("DELETE FROM archive WHERE id = ?", (chunk,)),
                        ("UPDATE seal SET readings = readings + 1 WHERE number = 3", ()),
                        ("UPDATE seal SET hash = zeroblob(32) WHERE number = 3", ())):
        match = differs.match(told(sql, values))
        assert match and match[1] != match[2], sql
        assert match[1] == (seals[1].recorded if "hash" not in (sql or "") else "0" * 64)
        if sql != "UPDATE seal SET hash = zeroblob(32) WHERE number = 3":
            assert match[2] != seals[1].recomputed
    # A forged chunk with a hash that fits is not what was sealed either.
    put_back(whole, house.database)
    with sqlite3.connect(house.database) as database:
        database.execute("UPDATE archive_content SET packed = ? WHERE id = ?", (forged, chunk))
        database.execute("UPDATE archive SET hash = ? WHERE id = ?", (hashlib.sha256(zlib.decompress(forged)).digest(), chunk))
    database.close()
    assert differs.match(house.verify().stderr)
    # Seals that were taken away.
    assert told("DELETE FROM seal WHERE number = 3") == "park-collector: the chain is broken: seal 3 is missing\n"
    assert told("DELETE FROM seal WHERE number = 5") == "park-collector: the chain is broken: seal 5 is missing\n"
    # Marked as deleted by age, at a time when no collector does that, or one that has not come.
    gone_too = "; DELETE FROM archive_content WHERE id IN (SELECT id FROM archive WHERE seal = 3); DELETE FROM archive WHERE seal = 3"
    for marked in ("sealed_ms + 1", "9999999999999"):
        for rest in (gone_too, ""):
            put_back(whole, house.database)
            with sqlite3.connect(house.database) as database:
                database.executescript(f"UPDATE seal SET deleted_ms = {marked} WHERE number = 3{rest}")
            database.close()
            found = house.verify()
            assert found.returncode == 1 and found.stderr.startswith(f"park-collector: {month} differs: it is marked as deleted by age at ")
            assert len(found.stderr.splitlines()) == 1 and found.stdout.count("no evidence") == 1
    check_deletion(house, whole)
    # What is not sealed yet.
    open_chunk = "(SELECT id FROM archive WHERE seal IS NULL)"
    assert "not sealed yet: chunk" in told(f"UPDATE archive_content SET packed = x'00' WHERE id = {open_chunk}")
    put_back(whole, house.database)


def check_deletion(house: Archiving, whole: Path) -> None:
    """A month of twenty months ago: deleted under a shorter audit_years, or about to be, with chunks that are still there."""
    put_back(whole, house.database)
    month = month_ago(20)
    texts = [f"registers 1\nbatch gw-a 0000000000000001 {n}\nb1.main {begin_ms(month) + n} 1\n".encode() for n in (1, 2)]
    with sqlite3.connect(house.database) as database:
        number, previous = database.execute("SELECT number, hash FROM seal ORDER BY number DESC LIMIT 1").fetchone()
        seal = (f"parkmon seal 1\nnumber {number + 1}\nprevious {previous.hex()}\nmonth {month_name(month)}\nsupplement 0\nreadings 2\n"
                + "".join(f"chunk {hashlib.sha256(text).hexdigest()}\n" for text in texts))
        database.execute("INSERT INTO seal VALUES(?, ?, 0, 2, ?, ?, ?)", (
            number + 1, month, hashlib.sha256(seal.encode()).digest(), begin_ms(month_ago(18)), begin_ms(month_ago(5))))
        for at, text in enumerate(texts, 1001):
            database.execute("INSERT INTO archive VALUES(?, ?, ?, 0, 1, ?, ?, 0)",
                             (at, month, number + 1, len(text), hashlib.sha256(text).digest()))
            database.execute("INSERT INTO archive_content VALUES(?, ?)", (at, zlib.compress(text)))
    database.close()
    early = re.compile(rf"^{month_name(month)}: no evidence: deleted at \S+, before the 5 years of database\.audit_years; its seal is kept$", re.M)
    forged = (zlib.compress(texts[1].replace(b" 1\n", b" 9\n")), hashlib.sha256(texts[1].replace(b" 1\n", b" 9\n")).digest())
    for sql, values, differs in (
            ("", (), False),
            ("UPDATE archive SET hash = ? WHERE id = 1002", (forged[1],), True),
            ("UPDATE archive_content SET packed = ? WHERE id = 1002", (forged[0],), True),
            ("UPDATE archive SET hash = ? WHERE id = 1002", (forged[1],), True),  # with both, the chunk itself is sound
            ("UPDATE archive_content SET packed = ? WHERE id = 1002", (zlib.compress(texts[1]),), True),
            ("UPDATE archive SET hash = ? WHERE id = 1002", (hashlib.sha256(texts[1]).digest(),), False),
            ("DELETE FROM archive WHERE id = 1001", (), False),  # deletion is under way
            ("UPDATE archive_content SET packed = x'00' WHERE id = 1002", (), True),
            ("DELETE FROM archive WHERE id = 1002", (), False)):
        with sqlite3.connect(house.database) as database:
            database.execute(sql, values)
        database.close()
        found = house.verify()
        assert found.returncode == differs, (sql, found)
        assert (f"{month_name(month)} differs" in found.stderr) == differs and bool(early.search(found.stdout)) != differs, (sql, found)


def check_periods(house: Archiving, ancient: int, third: int) -> None:
    """What was deleted by age, or was never there, is no evidence; it does not differ."""
    told = house.verify("--period", month_name(ancient))
    assert (told.returncode, told.stderr) == (69, "") and told.stdout.startswith(gone(ancient) + "\n")
    for period in ("2019-03", "2019-03-07"):
        none = house.verify("--period", period)
        assert none.returncode == 69 and none.stdout.startswith("2019-03: no evidence\n") and none.stderr == ""
    one = house.verify("--period", month_name(third))
    assert one.returncode == 0 and one.stdout.count("sealed, 20 readings") == 1 and "no evidence" not in one.stdout
    wrong = house.verify("--period", "yesterday")
    assert wrong.returncode == 64 and "--period yesterday is no period; expected a month (2026-10)" in wrong.stderr


def test_a_long_verify_shows_its_progress_on_a_terminal_and_can_be_interrupted(stage):
    # An archive that this script has written and sealed, from the form alone: large when unpacked.
    house = Archiving(stage).start()
    house.collector.stop()
    text = ("registers 1\n" + "batch gw-a 0000000000000001 1\n" + "b1.main 10000 1\n" * 400_000).encode()
    packed, digest = zlib.compress(text), hashlib.sha256(text)
    chunks, month = 40, month_ago(5)
    sealed = hashlib.sha256((f"parkmon seal 1\nnumber 1\nprevious {'0' * 64}\nmonth {month_name(month)}\nsupplement 0\n"
                             f"readings {chunks * 400_000}\n" + f"chunk {digest.hexdigest()}\n" * chunks).encode())
    with sqlite3.connect(house.database) as database:
        database.execute("INSERT INTO seal(number, month, supplement, readings, hash, sealed_ms) VALUES(1, ?, 0, ?, ?, 0)",
                         (month, chunks * 400_000, sealed.digest()))
        for number in range(1, chunks + 1):
            database.execute("INSERT INTO archive VALUES(?, ?, 1, 0, 400000, ?, ?, 0)", (number, month, len(text), digest.digest()))
            database.execute("INSERT INTO archive_content VALUES(?, ?)", (number, packed))
    database.close()

    whole = house.verify()
    assert whole.returncode == 0 and whole.stdout.startswith(
        f"{month_name(month)}: sealed, {chunks * 400_000} readings, {sealed.hexdigest()}\n1 seals recompute, {chunks * 400_000} readings; "), whole

    stopped = OnTerminal([house.collector.program, "verify", "--config", house.collector.settings], subprocess.PIPE)
    stopped.slowly_until(rb"\rverified 0 of 1 seals, [1-9]\d*00000 readings")
    assert stopped.interrupt() == (69, "")
