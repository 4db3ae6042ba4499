"""Builds the preloaded library (shim.h) and writes its control files."""

from __future__ import annotations

import errno
import mmap
import struct
from pathlib import Path

from harness.process import Failure, run

SOURCES = Path(__file__).resolve().parent
FORMAT = struct.Struct("<4I2iq4I")  # struct shim_control
NAMES = ("holds_writes", "through_percent", "seed", "fails", "error", "skip", "clock_offset_ms", "is_unsynchronised", "failed",
         "dropped_syncs", "unused")
WRITE, SYNC, TRUNCATE, CREATE = 1, 2, 4, 8
ERRORS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO}


def build(folder: Path) -> Path:
    library = folder / "shim.so"
    done = run(["cc", "-shared", "-fPIC", "-O2", "-g", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o", library,
                *sorted(SOURCES.glob("shim_*.c")), "-lsqlite3", "-ldl", "-lpthread"])
    if done.returncode != 0:
        raise Failure(f"the preloaded library cannot be built: {done.stderr}")
    return library


class Control:
    """What a program suffers: set and read by name, seen by the running process at once."""

    def __init__(self, path: Path, library: Path):
        path.write_bytes(bytes(FORMAT.size))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), FORMAT.size)
        self.environment = {"PARKMON_SHIM": str(path), "LD_PRELOAD": str(library)}

    def __getitem__(self, name: str) -> int:
        return FORMAT.unpack(self.memory)[NAMES.index(name)]

    def set(self, **values: int) -> None:
        """One 4- or 8-byte store each, in this order: the last one may switch on what the others prepare."""
        for name, value in values.items():
            offset, code = self.place(name)
            struct.pack_into(code, self.memory, offset, value)

    @staticmethod
    def place(name: str) -> tuple[int, str]:
        i = NAMES.index(name)
        codes = "IIIIiiqIIII"
        return struct.calcsize("<" + codes[:i]), "<" + codes[i]

    def fail(self, calls: int, error: str, skip: int = 0) -> None:
        self.set(fails=0, error=ERRORS[error], skip=skip, failed=0)
        self.set(fails=calls)

    def mend(self) -> None:
        self.set(fails=0)
