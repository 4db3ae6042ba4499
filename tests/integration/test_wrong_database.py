"""What is no database of the collector, or not of its format: every command says so in one sentence, and touches nothing."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from harness.process import run
from test_countback import Counted
from publisher import Publisher

SOMETHING_ELSE = "is the database of something else"
NEWER = "was written by a newer version of this program (its format is 99, ours "
OLDER = "is of an older format (3, this program's is "


@pytest.fixture
def house(stage):
    """Stopped; its journal is in the store."""
    made = Counted(stage).start()
    made.send(Publisher(made.broker, "gw-a"))
    made.wait_counted(3)
    made.collector.stop()
    return made


def put(house, whole: Path, sql: str | None, content: bytes | None = None) -> None:
    """In the database's place: these bytes, or the whole one, changed."""
    for suffix in ("", "-wal", "-shm"):  # a new file: SQLite knows one that was open by its number
        house.database.with_name(house.database.name + suffix).unlink(missing_ok=True)
    shutil.copy(whole, house.database)
    if content is not None:
        house.database.write_bytes(content)
    elif sql is not None:
        with sqlite3.connect(house.database) as database:
            database.executescript(sql)
        database.close()


def folder_of(house) -> dict[str, bytes]:
    """But for what SQLite shares between processes that look."""
    return {path.name: path.read_bytes() for path in sorted(house.database.parent.iterdir())
            if path.suffix != ".log" and not path.name.endswith(("-shm", "-wal"))}


def test_every_command_refuses_a_database_that_is_not_its_own(house, tmp_path):
    whole = tmp_path / "whole.db"
    with sqlite3.connect(house.database) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    shutil.copy(house.database, whole)
    stored = {measurement: house.influx.raw(measurement) for measurement in ("register", "gauge", "state")}
    target = tmp_path / "target.db"

    def refused(word: str, *commands: str) -> None:
        before = folder_of(house)
        for command in commands:
            words = ["-o", target] if command == "backup" else []
            told = run([house.collector.program, command, "--config", house.collector.settings, *words], 60)
            assert (told.returncode, told.stdout) == (78, ""), (command, told)
            assert told.stderr.startswith(f"park-collector: {house.database} ") and word in told.stderr, (command, told.stderr)
            assert len(told.stderr.splitlines()) == 1
        assert folder_of(house) == before
        assert not list(tmp_path.glob("target.db*"))

    every = ("verify", "rebuild", "backup")
    for content in (b"", b"\0" * 4096):
        put(house, whole, None, content)
        refused(SOMETHING_ELSE if not content else "is not a sound database", *every)
    put(house, whole, "PRAGMA application_id = 7")
    refused(SOMETHING_ELSE, *every)
    put(house, whole, "PRAGMA user_version = 99")
    refused(NEWER, *every)
    put(house, whole, "PRAGMA user_version = 3")
    refused(OLDER, "verify", "rebuild")
    # A copy of it is a copy of ours, which a collector will bring up to date.
    kept = run([house.collector.program, "backup", "--config", house.collector.settings, "-o", target], 60)
    assert kept.returncode == 0, kept.stderr
    target.unlink()
    for table in ("seal", "archive", "archive_content"):
        put(house, whole, f"DROP TABLE {table}")
        refused("lacks the archive that its format has", "verify")
    assert {measurement: house.influx.raw(measurement) for measurement in stored} == stored

    put(house, whole, None)
    assert run([house.collector.program, "verify", "--config", house.collector.settings], 60).returncode == 0
