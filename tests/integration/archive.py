"""The collector's archive read from its database file alone, by nobody's code but this: readings, and the chain of seals recomputed."""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from pathlib import Path
from typing import NamedTuple


class Archived(NamedTuple):
    """A register reading as the archive keeps it."""

    gateway: str
    epoch: str
    seq: int
    point: str
    time_ms: int
    value: int
    quality: str


class Seal(NamedTuple):
    number: int
    month: str
    supplement: int
    readings: list[Archived]
    recorded: str
    recomputed: str


def month_name(month: int) -> str:
    return f"{1970 + month // 12:04d}-{month % 12 + 1:02d}"


def parse_chunk(text: str) -> list[Archived]:
    lines = text.splitlines()
    assert lines[0] == "registers 1"
    found: list[Archived] = []
    gateway, epoch, seq, time_ms = "", "", 0, 0
    for line in lines[1:]:
        words = line.split(" ")
        if words[0] == "batch" and len(words) == 4 and len(words[2]) == 16:
            gateway, epoch, seq, time_ms = words[1], words[2], int(words[3]), 0
            continue
        time_ms += int(words[1])
        found.append(Archived(gateway, epoch, seq, words[0], time_ms, int(words[2]), words[3] if len(words) > 3 else ""))
    return found


def open_database(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def read_chunks(database: sqlite3.Connection, where: str, *values) -> list[bytes]:
    """Their texts, in order."""
    return [zlib.decompress(packed) for packed, in database.execute(
        f"SELECT packed FROM archive JOIN archive_content USING (id) WHERE {where} ORDER BY archive.id", values)]


def read_open(path: Path) -> list[Archived]:
    """What no seal covers yet."""
    with open_database(path) as database:
        return [reading for text in read_chunks(database, "seal IS NULL") for reading in parse_chunk(text.decode())]


def read_seals(path: Path) -> list[Seal]:
    """Each seal that has not been deleted by age, with what is recorded and what the contents give."""
    found = []
    previous = "0" * 64
    with open_database(path) as database:
        rows = database.execute("SELECT number, month, supplement, readings, hash, deleted_ms FROM seal ORDER BY number").fetchall()
        for number, month, supplement, count, recorded, deleted_ms in rows:
            chunks = read_chunks(database, "seal = ?", number)
            lines = ["parkmon seal 1", f"number {number}", f"previous {previous}", f"month {month_name(month)}",
                     f"supplement {supplement}", f"readings {count}",
                     *(f"chunk {hashlib.sha256(chunk).hexdigest()}" for chunk in chunks)]
            recomputed = hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()
            readings = [reading for chunk in chunks for reading in parse_chunk(chunk.decode())]
            if deleted_ms is None:
                found.append(Seal(number, month_name(month), supplement, readings, recorded.hex(), recomputed))
            previous = recorded.hex()
    return found
