"""`verify` of the ledger: what the books say against what their evidence gives, in the real collector's database, with every kind of change that
somebody could make there; who changes it is SQLite, by nobody's code of ours."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
import struct
import sys
import zlib
from contextlib import closing

import pytest
from harness.process import run, wait_until
from harness.servers import SOURCE
from harness.stage import Stage
from harness.terminal import OnTerminal
from test_ledger_books import House, batches

sys.path.insert(0, str(SOURCE / "tests"))

from oracle.faults import DAY, DAY_MS, ms, wh  # noqa: E402

ENERGY = ("energy", "--meter", "r7", "--from", "2026-03-02T10:00:00Z", "--until", "2026-03-02T10:15:00Z", "--energy", "9876")
OUTLIER = ("outlier", "--meter", "r2", "--from", "2026-03-02T08:00:00Z", "--until", "2026-03-02T08:00:00Z")
PERIOD = "2026-03-02"


class Books(House):
    def command(self, *words: str):
        return run([self.collector.program, *words[:2], "--config", self.collector.settings, *words[2:]], 120)

    def verify(self, *words: str):
        return run([self.collector.program, "verify", "--config", self.collector.settings, *words], 120)

    def change(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.database)) as database:
            database.create_function("higher", 2, higher)
            for statement in statements:
                assert database.execute(statement).rowcount != 0, statement
            database.commit()


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at


def higher(packed: bytes, more: int) -> bytes:
    """The readings of an hour as collector/ledger/readings.h has them, each `more` higher, and the checksum right."""
    count, at = varint(packed, 5)
    for _ in range(1 if count == 1 else count + 1):  # the times
        _, at = varint(packed, at)
    first, end = varint(packed, at)
    value = (first >> 1 ^ -(first & 1)) + more
    rest, written = value << 1 ^ value >> 63, bytearray()
    while rest >= 0x80:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    body = packed[5:at] + bytes([*written, rest]) + packed[end:]
    return packed[:1] + struct.pack("<I", zlib.crc32(body)) + body


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """All histories with three kills, and decisions; the collector still runs."""
    with Stage(tmp_path_factory.mktemp("verify")) as stage:
        house = Books(stage).start()
        what = batches()
        house.publish(what, set(random.Random(11).sample(range(5, len(what)), 3)))
        house.wait_folded()
        house.beside = house.verify()
        house.collector.stop()
        for decision in (ENERGY, OUTLIER):
            done = house.command("decide", decision[0], *decision[1:], "--why", "as it was")
            assert done.returncode == 0, done.stderr
        house.whole = stage.folder / "whole.db"
        shutil.copy(house.database, house.whole)
        yield house


@pytest.fixture
def books(made):
    yield made
    shutil.copy(made.whole, made.database)


def number(meter: str) -> str:
    return f"(SELECT id FROM ledger_meter WHERE name = '{meter}')"


def test_books_beside_a_running_collector_and_after_kills_recompute(made):
    assert (made.beside.returncode, made.beside.stderr) == (0, "")
    assert re.search(r"^ledger: \d+ meters folded anew from \d+ readings: \d+ quarter hours are what the books say$", made.beside.stdout, re.M)


def test_books_with_decisions_recompute_also_by_periods(books):
    whole = books.verify()
    assert (whole.returncode, whole.stderr) == (0, "")
    day = books.verify("--period", PERIOD)
    assert (day.returncode, day.stderr) == (0, "")
    # 24 h of each meter but those whose data ends within it, and nothing of the day before.
    quarters = books.query(f"SELECT count(DISTINCT meter * 1000000 + start_ms / 900000) FROM ledger_quarter WHERE start_ms >= {DAY} AND start_ms < {DAY + DAY_MS}")
    assert f"{quarters[0][0]} quarter hours are what the books say" in day.stdout
    none = books.verify("--period", "2020-01")
    assert (none.returncode, none.stderr) == (69, "") and "ledger: no evidence of this period\n" in none.stdout


# What is changed, and what must be said of it; "^" begins a line.
EIGHT = f"start_ms = {ms(8 * 60)}"
CHANGES = {
    "a quarter hour": ((f"UPDATE ledger_quarter SET amount = amount + 1 WHERE meter = {number('r1')} AND {EIGHT}",),
                       r"meter r1, quarter hour 2026-03-02T08:00:00.000Z: the books say 10001 measured, the evidence gives 10000 measured"),
    "a quality": ((f"UPDATE ledger_quarter SET quality = 0 WHERE meter = {number('r3')} AND {EIGHT}",),
                  r"meter r3, quarter hour 2026-03-02T08:00:00.000Z: the books say 10000 measured, the evidence gives 10000 estimated"),
    "an unknown one made known": ((f"UPDATE ledger_quarter SET amount = 10000, quality = 0 WHERE meter = {number('r8')} AND start_ms = {ms(600)}",),
                                  r"meter r8, quarter hour 2026-03-02T10:00:00.000Z: the books say 10000 measured, the evidence gives unknown"),
    "a quarter hour taken away": ((f"DELETE FROM ledger_quarter WHERE meter = {number('r1')} AND {EIGHT}",),
                                  r"meter r1, quarter hour 2026-03-02T08:00:00.000Z: the books say nothing, the evidence gives 10000 measured"),
    "a boundary": ((f"UPDATE ledger_boundary SET energy = energy + 1 WHERE meter = {number('r1')} AND time_ms = {ms(480)}",),
                   r"meter r1, boundary 2026-03-02T08:00:00.000Z: the books say U = \d+ measured, counted since \S+, the evidence gives U = \d+ measured, "),
    "an event lost": ((f"UPDATE ledger_event SET state = 1 WHERE meter = {number('r8')} AND kind IN (5, 6)",),
                      r"meter r8, from 2026-03-02T10:00:00.000Z to 2026-03-02T10:15:00.000Z: an (open exception|exception of max_rate) is not in the books, and the evidence gives it"),
    "an event made up": ((f"INSERT INTO ledger_event VALUES({number('r1')}, {ms(480)}, 2, {ms(480)}, 0, 0, 0, NULL, NULL)",),
                         r"meter r1, from 2026-03-02T08:00:00.000Z to 2026-03-02T08:00:00.000Z: outliers is in the books, and the evidence gives none"),
    "readings": ((f"UPDATE ledger_hour SET readings = higher(readings, 10) WHERE id = {number('r1')} * 4294967296 + {ms(480) // 3600000}",),
                 r"meter r1, reading of gw-a/r1 at 2026-03-02T08:15:00.000Z: the journal has 100330000, the books have 100330010$"),
    "readings taken away": ((f"DELETE FROM ledger_hour WHERE id = {number('r1')} * 4294967296 + {ms(480) // 3600000}",),
                            r"meter r1, reading of gw-a/r1 at 2026-03-02T08:15:00.000Z: the journal has 100330000, the books have none"),
    "evidence damaged": ((f"UPDATE ledger_hour SET readings = CAST(substr(readings, 1, 9) || x'ff' || substr(readings, 11) AS BLOB)"
                          f" WHERE id = {number('r1')} * 4294967296 + {ms(480) // 3600000}",),
                         r"meter r1: evidence of the ledger's meter \d+, hour of 2026-03-02T08:00:00.000Z: "),
    "a decision taken away": (("DROP TRIGGER ledger_decision_stays", "DELETE FROM ledger_decision WHERE id = 1"),
                              r"decisions: 2 were taken, 1 are there\n(.*\n)*.*meter r7: its books were folded with other segments or decisions"
                              r"(.*\n)*.*meter r7, quarter hour 2026-03-02T10:00:00.000Z: the books say 9876 manual, the evidence gives unknown"),
    "a decision changed": (("DROP TRIGGER ledger_decision_is_final", "UPDATE ledger_decision SET energy = 9877 WHERE id = 1"),
                           r"meter r7, quarter hour 2026-03-02T10:00:00.000Z: the books say 9876 manual, the evidence gives 9877 manual"),
    "a day's row": ((f"UPDATE ledger_day SET packed = (SELECT packed FROM ledger_day AS o WHERE o.meter = {number('r2')} AND o.day = ledger_day.day)"
                     f" WHERE meter = {number('r1')} AND day = {DAY // DAY_MS}",),
                    r"meter r1, quarter hour 2026-03-02T08:30:00.000Z: the day's row says 20000 measured, the books say 10000 measured"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_somebody_changed_is_found_and_named(books, what):
    statements, told = CHANGES[what]
    books.change(*statements)
    found = books.verify()
    assert found.returncode == 1, found.stdout
    assert re.search(f"^park-collector: {told}", found.stderr, re.M), found.stderr


def test_readings_are_held_against_the_archive_once_the_journal_let_them_go(books):
    books.change(f"UPDATE journal SET received_ms = received_ms - {40 * DAY_MS}")
    books.start()
    wait_until(lambda: books.query("SELECT count(*) FROM journal") == [(0,)], 90, "the journal is archived", poll=0.2)
    books.collector.stop()
    sound = books.verify()
    assert (sound.returncode, sound.stderr) == (0, "")
    books.change(*CHANGES["readings"][0])
    found = books.verify("--period", PERIOD)
    assert found.returncode == 1 and re.search(r"^park-collector: meter r1, reading of gw-a/r1 at 2026-03-02T08:15:00.000Z: the archive has 100330000, the books have 100330010$",
                                               found.stderr, re.M), found.stderr
    assert wh(100_330) == 100_330_000


def fill_journal(house: Books, days: int) -> None:
    """A reading a minute of each meter of the first histories, as batches that lie in the journal."""
    meters = [name for name, in house.query("SELECT name FROM ledger_meter")][:24]
    batch = 1000 // len(meters)
    with closing(sqlite3.connect(house.database)) as database:
        database.execute("INSERT INTO gateway(id, name, first_heard_ms) VALUES(1, 'gw-a', 0)")
        for seq, first in enumerate(range(0, days * 1440, batch), 1):
            lines = [f"register,point={meter} value={wh(100_000) + minute * 660}i {DAY + minute * 60_000}" for minute in range(first, first + batch) for meter in meters]
            payload = f"#park1 epoch=00000000000000aa seq={seq} first=1\n" + "".join(line + "\n" for line in lines)
            database.execute("INSERT INTO journal(gateway, epoch, seq, received_ms, lines, payload) VALUES(1, 170, ?, ?, ?, ?)",
                             (seq, DAY, len(lines), payload.encode()))
        database.commit()


def log_can_be_reset(path) -> bool:
    """Whoever reads on in what was before holds a checkpoint up, and the write-ahead log grows."""
    with closing(sqlite3.connect(path, timeout=0)) as database:
        database.execute("UPDATE gateway SET first_heard_ms = first_heard_ms + 1")
        database.commit()
        return database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)


def test_long_work_shows_its_progress_on_a_terminal_holds_up_no_log_and_can_be_interrupted(stage):
    house = Books(stage).start()
    wait_until(lambda: house.query("SELECT count(*) > 24 FROM ledger_meter") == [(1,)], 20, "the books know the meters")
    house.collector.stop()
    fill_journal(house, days=6)
    house.start()
    house.wait_folded(300)
    house.collector.stop()
    bundle = stage.folder / "x.zip"
    evidence = ["evidence", "--config", house.collector.settings, "--site", "s1", "--period", "2026-03", "-o", bundle]
    assert run([house.collector.program, *evidence], 200).returncode == 0
    evidence[-1] = stage.folder / "y.zip"
    for words, shown in ((["verify", "--config", house.collector.settings], rb"\r(folded \d+ of \d+ meters, \d+ readings|held the books against (batch \d+ of the journal|chunk \d+ of the archive))"),
                         (evidence, rb"\rmeter \d+ of \d+"), (["verify", "--evidence", bundle], rb"\rmeter \d+ of \d+, \d+ readings")):
        work = OnTerminal([house.collector.program, *words])
        work.slowly_until(shown)
        assert log_can_be_reset(house.database), words
        assert work.interrupt()[0] == 69
    assert not list(stage.folder.glob("y.zip*"))
