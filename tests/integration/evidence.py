"""What is on disk, read by nobody's code but this: the agent's spool and the collector's journal, as SQLite files."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import sys
from pathlib import Path
from typing import NamedTuple

KINDS = ("register", "gauge", "state")
Value = int | float | str


class Spooled(NamedTuple):
    """A spool at one instant."""

    readings: set[tuple[str, str, int, Value]]  # (kind, point, ms, value): all that is committed, cut or not
    batches: dict[int, bytes]  # by seq
    mark: int


def copy_database(path: Path, folder: Path, is_alive: bool = False) -> Path:
    """The file and its write-ahead log as they lie there: the owner is dead or stopped. Of one that is alive, what it
    holds for committed and no more: a commit that failed leaves its frames behind the end of the log."""
    folder.mkdir(parents=True)
    for suffix in ("", "-wal"):
        source = path.with_name(path.name + suffix)
        if source.exists():
            shutil.copy(source, folder / source.name)
    index, log = path.with_name(f"{path.name}-shm"), folder / f"{path.name}-wal"
    if is_alive and index.exists() and log.exists():
        os.truncate(log, min(log.stat().st_size, committed_log_bytes(index)))
    return folder / path.name


def committed_log_bytes(index: Path) -> int:
    """By the header of SQLite's index of the log, see https://www.sqlite.org/walformat.html"""
    header = index.read_bytes()[:48]
    if len(header) < 48 or not header[12]:  # of one that is being opened, and has yet to read the log: all that is sound in it
        return sys.maxsize
    page_bytes, frames = struct.unpack_from("=HI", header, 14)
    page_bytes = page_bytes if page_bytes != 1 else 65536
    return 32 + frames * (24 + page_bytes) if frames > 0 else 0


MARK = ',quality="clock"'  # after the value of a reading that a clock dated which was not synchronised


def is_marked(line: str) -> bool:
    return MARK + " " in line


def parse_line(line: str) -> tuple[str, str, int, Value]:
    """One reading of the wire contract; the lines that our agents write need no more than this."""
    head, rest = line.split(" ", 1)
    fields, time_ms = rest.rsplit(" ", 1)
    kind, tag = head.split(",")
    text = fields.removeprefix("value=").removesuffix(MARK)
    if kind == "register":
        value: Value = int(text.removesuffix("i"))
    elif kind == "gauge":
        value = float(text)
    else:
        value = text.strip('"')
    return kind, tag.removeprefix("point="), int(time_ms), value


def read_spool(path: Path) -> Spooled:
    with sqlite3.connect(path) as db:
        batches = dict(db.execute("SELECT seq, body FROM batch"))
        readings = {(KINDS[kind], point, time_ms, value) for kind, point, time_ms, value in db.execute(
            "SELECT r.kind, p.name, r.time_ms, r.value FROM reading r JOIN point p ON p.id = r.point")}
        mark, = db.execute("SELECT mark FROM spool").fetchone()
    for body in batches.values():
        readings |= {parse_line(line) for line in body.decode().splitlines()}
    return Spooled(readings, batches, mark)


def read_marks(path: Path) -> dict[str, int]:
    """gateway -> the highest mark in a collector's database, which may be in use."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return dict(db.execute("SELECT g.name, max(e.mark) FROM epoch e JOIN gateway g ON g.id = e.gateway GROUP BY g.name"))


def read_journal(path: Path) -> dict[str, list[int]]:
    """gateway -> seqs as journalled, in order of arrival."""
    found: dict[str, list[int]] = {}
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        for gateway, seq in db.execute("SELECT g.name, j.seq FROM journal j JOIN gateway g ON g.id = j.gateway ORDER BY j.id"):
            found.setdefault(gateway, []).append(seq)
    return found
