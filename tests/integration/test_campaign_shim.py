"""The campaign's preloaded library does what it says: without that its faults would prove nothing."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import evidence
import pytest
from campaign import shim
from harness.process import run

BEGIN = "import ctypes, os, sqlite3, sys, time\ndb = sqlite3.connect(sys.argv[1])\n"
DIE = "\nos.kill(os.getpid(), 9)"


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    return shim.build(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def control(tmp_path, library) -> shim.Control:
    return shim.Control(tmp_path / "control", library)


def python(control: shim.Control, text: str, *words, preloads: bool = True):
    """Python's own sqlite3 uses the same library as our programs."""
    return run([sys.executable, "-c", BEGIN + text, *words], env={"PATH": "/usr/bin:/bin", **(control.environment if preloads else {})})


def make(path: Path, journal_mode: str) -> Path:
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA journal_mode = {journal_mode}")
        db.execute("CREATE TABLE t(x)")
    db.close()
    return path


def rows(path: Path) -> list:
    db = sqlite3.connect(path)
    try:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [x for x, in db.execute("SELECT x FROM t ORDER BY x")]
    finally:
        db.close()


COMMIT = 'db.execute("PRAGMA synchronous = {}")\ndb.execute("INSERT INTO t VALUES(1)")\ndb.commit()\n' \
         'assert db.execute("SELECT count(*) FROM t").fetchone() == (1,)'


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
def test_power_loss_takes_a_committed_row_that_was_not_synced(control, tmp_path, journal_mode):
    control.set(holds_writes=1)
    path = make(tmp_path / "x.db", journal_mode)
    assert python(control, COMMIT.format("OFF") + DIE, path).returncode == -signal.SIGKILL
    assert rows(path) == []


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
def test_power_loss_leaves_a_row_that_was_synced(control, tmp_path, journal_mode):
    control.set(holds_writes=1)
    path = make(tmp_path / "x.db", journal_mode)
    assert python(control, COMMIT.format("FULL") + DIE, path).returncode == -signal.SIGKILL
    assert rows(path) == [1]
    assert control["dropped_syncs"] > 0, "nothing was held"


def test_without_power_loss_a_row_that_was_not_synced_survives_the_kill(control, tmp_path):
    path = make(tmp_path / "x.db", "WAL")
    assert python(control, COMMIT.format("OFF") + DIE, path).returncode == -signal.SIGKILL
    assert rows(path) == [1]


def test_a_regular_end_keeps_everything(control, tmp_path):
    control.set(holds_writes=1)
    path = make(tmp_path / "x.db", "WAL")
    assert python(control, COMMIT.format("OFF"), path).returncode == 0
    assert rows(path) == [1]


MANY = """
db.execute("PRAGMA synchronous = FULL")
db.execute("PRAGMA wal_autocheckpoint = 20")
db.execute("PRAGMA cache_size = 5")
for i in range(100):
    db.execute("INSERT INTO t VALUES(?)", (i,))
    db.execute("INSERT INTO big VALUES(randomblob(3000))")
    if i % 7 == 0:
        db.execute("DELETE FROM big")
        db.execute("PRAGMA incremental_vacuum")
    db.commit()
    print(i, flush=True)
db.execute("INSERT INTO t VALUES(1000000)")
"""


@pytest.mark.parametrize("seed", range(6))
def test_any_subset_of_sectors_leaves_what_was_committed(control, tmp_path, seed):
    """Checkpoints, a log that is cut and begun again, a vacuum, and a transaction that is open at the end."""
    control.set(holds_writes=1, through_percent=(0, 20, 50, 80)[seed % 4], seed=seed)
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute(f"PRAGMA journal_mode = {'WAL' if seed < 4 else 'DELETE'}")
        db.execute("CREATE TABLE t(x)")
        db.execute("CREATE TABLE big(x)")
    db.close()
    done = python(control, MANY + DIE, path)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert rows(path) == list(range(100))


INSERT = 'db.execute("INSERT INTO t VALUES(1)")\ndb.commit()'


@pytest.mark.parametrize("calls, error, text", [
    (shim.WRITE, "ENOSPC", "database or disk is full"), (shim.WRITE, "EIO", "disk I/O error"), (shim.SYNC, "EIO", "disk I/O error"),
])
def test_a_call_fails_where_it_is_told_to(control, tmp_path, calls, error, text):
    control.fail(calls, error)
    done = python(control, 'db.execute("PRAGMA synchronous = FULL")\n' + INSERT, make(tmp_path / "x.db", "WAL"))
    assert text in done.stderr
    assert control["failed"] > 0
    control.mend()
    assert python(control, INSERT, tmp_path / "x.db").returncode == 0


FAILING = """
db.execute("PRAGMA synchronous = OFF")
db.execute("INSERT INTO t VALUES(1)")
db.commit()
db.execute("PRAGMA synchronous = FULL")
try:
    db.execute("INSERT INTO t VALUES(2)")
    db.commit()
except sqlite3.OperationalError as error:
    print(error, flush=True)
sys.stdin.read()
"""


def test_a_copy_of_one_that_lives_lacks_a_commit_that_failed(control, tmp_path):
    """Its frames lie in the log all the same, and whoever opens it next may find them."""
    path = make(tmp_path / "x.db", "WAL")
    control.fail(shim.SYNC, "EIO")
    child = subprocess.Popen([sys.executable, "-c", BEGIN + FAILING, path], env={"PATH": "/usr/bin:/bin", **control.environment},
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "disk I/O error\n"
        assert rows(evidence.copy_database(path, tmp_path / "as-it-lies")) == [1, 2]
        assert rows(evidence.copy_database(path, tmp_path / "as-it-holds", is_alive=True)) == [1]
    finally:
        child.kill()
        child.wait()


def test_the_creation_of_a_database_fails(control, tmp_path):
    control.fail(shim.CREATE, "ENOSPC")
    assert "unable to open database file" in python(control, INSERT, tmp_path / "new.db").stderr


def test_the_nth_call_fails(control, tmp_path):
    control.fail(shim.WRITE, "EIO", skip=1000)
    assert python(control, INSERT, make(tmp_path / "x.db", "WAL")).returncode == 0
    assert control["skip"] < 1000 and control["failed"] == 0


def test_the_wall_clock_steps_and_monotonic_time_goes_on(control, tmp_path):
    text = 'print(time.time(), time.monotonic())'
    true = [float(word) for word in python(control, text, tmp_path / "x.db", preloads=False).stdout.split()]
    control.set(clock_offset_ms=-7_200_000)
    ours = [float(word) for word in python(control, text, tmp_path / "x.db").stdout.split()]
    assert abs(ours[0] - true[0] + 7200) < 60
    assert 0 <= ours[1] - true[1] < 60


def test_the_clock_is_synchronised_as_told(control, tmp_path):
    text = "print(ctypes.CDLL(None).ntp_adjtime(ctypes.create_string_buffer(512)))"
    assert python(control, text, tmp_path / "x.db").stdout.strip() == "0"
    control.set(is_unsynchronised=1)
    assert python(control, text, tmp_path / "x.db").stdout.strip() == "5"
