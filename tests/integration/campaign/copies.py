"""Copies of spools and backups of the database, kept to be put back: what a person with an old image would do."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import evidence
from campaign.account import KINDS, Database, Look, Reading, Value, now_ms, read_database
from campaign.devices import GATEWAYS
from harness.process import Failure, run

KEPT = 3
STRIKES_PER_BACKUP = 6


def positions(copy: Path) -> tuple[int, int]:
    """How far the store has taken the journal, and the journal's newest id."""
    with closing(sqlite3.connect(copy)) as db:
        return db.execute("SELECT (SELECT position FROM cursor WHERE name = 'raw'), (SELECT ifnull(max(id), 0) FROM journal)").fetchone()


def all_readings(copy: Path) -> set[Reading]:
    """Everything that a spool holds, acknowledged or not."""
    with closing(sqlite3.connect(copy)) as db:
        found = {(KINDS[kind], point, time_ms, value) for kind, point, time_ms, value in db.execute(
            "SELECT r.kind, p.name, r.time_ms, r.value FROM reading r JOIN point p ON p.id = r.point")}
        for body, in db.execute("SELECT body FROM batch"):
            found |= {evidence.parse_line(line) for line in body.decode().splitlines()}
    return found


def undated(copy: Path) -> list[tuple[str, str, Value]]:
    """Kind, point and value of what a spool has yet to date, as its clock was wrong: it has no identity before."""
    with closing(sqlite3.connect(copy)) as db:
        return [(KINDS[kind], point, value) for kind, point, value in db.execute(
            "SELECT r.kind, p.name, r.value FROM reading r JOIN point p ON p.id = r.point WHERE r.mono_ms IS NOT NULL")]


def remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def put_back(copy: Path, path: Path) -> None:
    remove(path)
    for suffix in ("", "-wal"):
        source = copy.with_name(copy.name + suffix)
        if source.exists():
            shutil.copy(source, path.with_name(path.name + suffix))


class Copies:
    def __init__(self, run):
        self.run = run
        self.spools: dict[str, list[Path]] = {name: [] for name in GATEWAYS}
        self.backups: list[Path] = []
        self.strikes = 0

    def look(self, gateway: str, all_again: bool = False) -> Look:
        """The spool into the account; the copy is kept for a while. Its agent stands still or is dead."""
        account = self.run.account
        taken_ms = now_ms()
        copy = account.copy(self.run.world.spool(gateway), self.run.world.agents[gateway].is_running)
        look = account.read_spool(gateway, copy, taken_ms, all_again)
        kept = self.spools[gateway]
        kept.append(copy)
        if len(kept) > KEPT:
            account.forget(kept.pop(0))
        return look

    def copy_database(self) -> Path:
        """The collector's, which stands still or is dead. The caller forgets it."""
        return self.run.account.copy(self.run.world.database, self.run.world.collector.is_running)

    def database(self) -> Database:
        copy = self.copy_database()
        found = read_database(copy)
        self.run.account.forget(copy)
        return found

    def restore_spool(self, gateway: str) -> None:
        """The oldest copy that is kept. What was committed since and is not journalled goes with the spool."""
        run = self.run
        copy = self.spools[gateway][0]
        held = all_readings(copy)
        with run.paused("collector"):
            journalled = self.database().journalled(gateway)
        seen = run.account.seen[gateway]
        run.allowed[gateway].taken |= {reading for reading in (*seen.cut, *seen.uncut) if reading not in held and reading not in journalled}
        run.allowed[gateway].redated.update(undated(copy))
        put_back(copy, run.world.spool(gateway))
        with closing(sqlite3.connect(copy)) as db:
            seen.parsed, = db.execute("SELECT ifnull(max(last_seq), 0) FROM epoch").fetchone()
        for stale in self.spools[gateway][1:]:
            run.account.forget(stale)
        del self.spools[gateway][1:]

    def is_backup_due(self) -> bool:
        self.strikes += 1
        return self.strikes % STRIKES_PER_BACKUP == 0

    def command(self, *words) -> None:
        """A command of the collector's, on its database."""
        collector = self.run.world.collector
        done = run([collector.program, words[0], "--config", collector.settings, *words[1:]])
        if done.returncode != 0:
            raise Failure(f"park-collector {' '.join(map(str, words))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")

    def back_up(self) -> None:
        """Beside the running collector."""
        path = self.run.account.folder / f"backup-{self.strikes}.db"
        path.parent.mkdir(exist_ok=True)
        self.command("backup", "-o", path)
        self.backups.append(path)
        if len(self.backups) > KEPT:
            self.backups.pop(0).unlink()

    def kill_restore(self, backup: Path) -> None:
        """One that is cut short at some moment, or has just ended."""
        collector = self.run.world.collector
        restoring = subprocess.Popen([collector.program, "restore", "--config", collector.settings, backup],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            restoring.wait(self.strikes % 40 / 1000)
        except subprocess.TimeoutExpired:
            restoring.kill()
            restoring.wait()

    def restore_database(self) -> None:
        """One of the backups that are kept, by turns. What it lacks the gateways must send again, where they still have it."""
        run = self.run
        database = run.world.database
        before = self.database()
        backup = self.backups[self.strikes % len(self.backups)]
        if self.strikes % 3 == 0:
            self.kill_restore(backup)
        self.command("restore", backup)
        for aside in database.parent.glob(f"{database.name}.before-*"):
            aside.unlink()
        after = self.database()
        for name in GATEWAYS:
            run.allowed[name].posted |= before.journalled(name) - before.quarantine.get(name, {}).keys()
            gone = before.journalled(name) - after.journalled(name)
            if gone:
                run.allowed[name].taken |= gone - all_readings(self.spools[name][-1])
