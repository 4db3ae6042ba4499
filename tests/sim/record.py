"""A recorded file served as registers: one row a poll.

The file is a CSV with a header. Chosen columns become points of one device, unit 1, holding registers, four each
from address 0 in the order of the columns: a `register` is a u64, a `gauge` an f64, both in base units.

A column is written NAME, NAME:UNIT or NAME:UNIT:KIND. UNIT is a base unit (Wh, J, L, W, degC, count, ppm, %),
`count` if not given. Without KIND a column of integers that are never negative is a register, any other a gauge.
Without a list every column but `time` is served.

How rows advance: a poll begins with a request that includes address 0. The first poll finds row 0, every further
one the next row; requests without address 0 belong to the poll that is under way. After the last row its values
stay. A poll that was answered but not taken (the reader had given up) has used its row: the answer log tells.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sim.park import Device, Gateway, Point
from sim.registers import UNITS, Format

UNIT_NUMBER = 1
WORDS = 4


@dataclass
class Tape:
    """Where the poll stands in the rows."""

    rows: list[list[int | float]]
    row: int = 0
    is_started: bool = field(default=False)

    def before_read(self, address: int, _count: int) -> None:
        if address == 0:
            if self.is_started:
                self.row = min(self.row + 1, len(self.rows) - 1)
            self.is_started = True

    def column(self, index: int) -> Callable[[int], int | float]:
        return lambda _time_ms: self.rows[self.row][index]


def load(path: str | Path, columns: list[str] | None, gateway: str, prefix: str) -> tuple[Gateway, Tape]:
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        names = [name for name in reader.fieldnames or [] if name != "time"]
        texts = list(reader)
    if not texts:
        raise ValueError(f"{path}: has no rows")
    points, values = [], []
    for i, column in enumerate(columns or names):
        name, unit, kind = (column.split(":") + ["", ""])[:3]
        unit = unit or "count"
        if name not in names:
            raise ValueError(f"{path}: has no column {name}; it has {', '.join(names)}")
        if UNITS.get(unit) != 1:
            raise ValueError(f"{column}: {unit} is not a base unit")
        cells = [row[name] for row in texts]
        if not kind:
            kind = "register" if all(cell.isdecimal() for cell in cells) else "gauge"
        if kind not in ("register", "gauge"):
            raise ValueError(f"{column}: expected register or gauge")
        if kind == "register" and not all(cell.isdecimal() for cell in cells):
            raise ValueError(f"{column}: a register needs integers that are not negative")
        values.append([int(cell) if kind == "register" else float(cell) for cell in cells])
        format = Format(kind, "u64" if kind == "register" else "f64", unit)
        points.append(Point(name, "holding", WORDS * i, format, lambda _: 0))
    tape = Tape([list(row) for row in zip(*values)])
    for i, point in enumerate(points):
        point.read = tape.column(i)
    device = Device("record", UNIT_NUMBER, prefix, 0.05, points, tape.before_read)
    return Gateway(gateway, "", "记录", "Recording", [device]), tape
