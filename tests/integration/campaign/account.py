"""What was on disk, as far as anybody ever looked: copies of spools taken at strikes, and of the collector's database.

A copy is taken while its owner is stopped or dead. Nothing here asks a program of ours.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import evidence
from evidence import KINDS, Value

Reading = tuple[str, str, int, Value]  # kind, point, ms, value


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Look(NamedTuple):
    """A spool at one instant."""

    last: int  # cut
    mark: int  # acknowledged, as far as the spool has it on disk
    uncut: set[Reading]


@dataclass
class Seen:
    """Of one gateway: everything that was ever seen committed to its spool."""

    cut: dict[Reading, int] = field(default_factory=dict)  # with the batch's seq
    uncut: set[Reading] = field(default_factory=set)  # before they were cut, if ever
    cut_by_ms: dict[Reading, int] = field(default_factory=dict)  # when the first copy was taken that has it cut
    bodies: dict[tuple[int, int], bytes] = field(default_factory=dict)  # (epoch, seq) -> hash
    parsed: int = 0  # batches of the spool as it stands up to this seq are in `cut`
    changed: list[str] = field(default_factory=list)  # batches that did not stay what they were


class Account:
    def __init__(self, folder: Path):
        self.folder = folder
        self.copies = 0
        self.seen: dict[str, Seen] = {}

    def copy(self, path: Path, is_alive: bool) -> Path:
        """The owner is stopped or dead. The caller forgets it with `forget`."""
        self.copies += 1
        return evidence.copy_database(path, self.folder / f"copy-{self.copies}", is_alive)

    @staticmethod
    def forget(copy: Path) -> None:
        shutil.rmtree(copy.parent)

    def read_spool(self, gateway: str, copy: Path, taken_ms: int, all_again: bool = False) -> Look:
        """Adds what the copy holds to the account; a batch that is known is read again only with `all_again`."""
        seen = self.seen.setdefault(gateway, Seen())
        with closing(sqlite3.connect(copy)) as db:
            row = db.execute("SELECT mark FROM spool").fetchone()
            last, = db.execute("SELECT ifnull(max(last_seq), 0) FROM epoch").fetchone()
            batches = db.execute("SELECT seq, epoch, body FROM batch WHERE seq > ? ORDER BY seq",
                                 (0 if all_again else seen.parsed,)).fetchall()
            uncut = {(KINDS[kind], point, time_ms, value) for kind, point, time_ms, value in db.execute(
                "SELECT r.kind, p.name, r.time_ms, r.value FROM reading r JOIN point p ON p.id = r.point")}
        for seq, epoch, body in batches:
            digest = hashlib.blake2b(body, digest_size=12).digest()
            known = seen.bodies.setdefault((epoch, seq), digest)
            if known != digest:
                seen.changed.append(f"batch {seq} of epoch {epoch & (1 << 64) - 1:016x}")
            for line in body.decode().splitlines():
                reading = evidence.parse_line(line)
                seen.cut[reading] = seq
                seen.cut_by_ms.setdefault(reading, taken_ms)
            seen.parsed = max(seen.parsed, seq)
        seen.uncut |= uncut
        return Look(last, row[0] if row else 0, uncut)


class Batch(NamedTuple):
    """A row of the journal."""

    id: int
    epoch: int
    seq: int
    first: int
    prev: tuple[int, int] | None
    dropped: int
    series: list[Reading]  # without the skipped lines
    skipped: list[Reading]
    marked: set[Reading]  # dated by a clock that was not synchronised, as they say


class Loss(NamedTuple):
    gateway: str
    first_seq: int
    last_seq: int
    readings: int
    from_ms: int
    to_ms: int
    reason: str
    is_history: bool

    def __str__(self) -> str:
        what = f"batches {self.first_seq} to {self.last_seq}" if self.first_seq else f"{self.readings} readings"
        return f"{self.gateway}: {what}, {self.from_ms} to {self.to_ms}: {self.reason}"


@dataclass
class Database:
    """A collector's database at one instant."""

    journal: dict[str, list[Batch]] = field(default_factory=dict)  # by gateway, in order of arrival
    marks: dict[str, dict[int, int]] = field(default_factory=dict)  # gateway -> epoch -> mark
    quarantine: dict[str, dict[Reading, str]] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    settled: int = 0

    def journalled(self, gateway: str) -> set[Reading]:
        return {reading for batch in self.journal.get(gateway, []) for reading in batch.series}


def read_marks(copy: Path) -> dict[str, int]:
    """gateway -> its highest mark."""
    with closing(sqlite3.connect(copy)) as db:
        if db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'epoch'").fetchone()[0] == 0:
            return {}
        return dict(db.execute("SELECT g.name, max(e.mark) FROM epoch e JOIN gateway g ON g.id = e.gateway GROUP BY g.name"))


def parse_store_line(line: str) -> Reading:
    """As the store gets it: further tags stand beside the point."""
    head, rest = line.split(" ", 1)
    kind, *tags = head.split(",")
    point = next(tag for tag in tags if tag.startswith("point="))
    return evidence.parse_line(f"{kind},{point} {rest}")


def parse_payload(payload: bytes) -> tuple[dict[str, str], list[str]]:
    header, *lines = payload.decode().splitlines()
    words = dict(word.split("=", 1) for word in header.split()[1:])
    return words, lines


def parse_batch(id: int, seq: int, payload: bytes, skipped: str | None) -> Batch:
    words, lines = parse_payload(payload)
    out = {int(number) for number in skipped.split(",")} if skipped else set()
    readings = [evidence.parse_line(line) for line in lines]
    prev = words["prev"].split(":") if "prev" in words else None
    return Batch(id, int(words["epoch"], 16), seq, int(words["first"]), (int(prev[0], 16), int(prev[1])) if prev else None,
                 int(words.get("dropped", 0)), [r for i, r in enumerate(readings) if i not in out],
                 [r for i, r in enumerate(readings) if i in out],
                 {r for r, line in zip(readings, lines, strict=True) if evidence.is_marked(line)})


def read_database(copy: Path) -> Database:
    found = Database()
    with closing(sqlite3.connect(copy)) as db:
        for gateway, epoch, mark in db.execute(
                "SELECT g.name, e.epoch, e.mark FROM epoch e JOIN gateway g ON g.id = e.gateway"):
            found.marks.setdefault(gateway, {})[epoch & (1 << 64) - 1] = mark
        for gateway, id, seq, payload, skipped in db.execute(
                "SELECT g.name, j.id, j.seq, j.payload, j.skipped FROM journal j JOIN gateway g ON g.id = j.gateway ORDER BY j.id"):
            found.journal.setdefault(gateway, []).append(parse_batch(id, seq, payload, skipped))
        for gateway, content, reason in db.execute("SELECT gateway, content, reason FROM quarantine ORDER BY id"):
            try:
                reading = parse_store_line(bytes(content).decode())
            except (ValueError, StopIteration, UnicodeDecodeError):
                reading = ("payload", "", 0, repr(bytes(content)[:60]))
            found.quarantine.setdefault(gateway, {})[reading] = reason
        for row in db.execute("SELECT gateway, first_seq, last_seq, readings, from_ms, to_ms, reason FROM loss ORDER BY id"):
            gateway, *numbers, reason = row
            found.losses.append(Loss(gateway, *(number or 0 for number in numbers), reason,
                                     reason.startswith("history not held")))
        found.settled, = db.execute("SELECT position FROM cursor WHERE name = 'raw'").fetchone()
    return found
