"""Past readings of one gateway for `park-agent --replay`: the CSV point,value,time."""

from __future__ import annotations

import re
from typing import TextIO

from sim.park import Gateway


def write(gateway: Gateway, from_ms: int, to_ms: int, step_ms: int, out: TextIO, kind: str | None = None, only: str | None = None) -> int:
    """Every point, or every one of a kind, and with a name that `only` fits, at from, from + step, ... up to, not including, to; as a
    reader of the device would have had it. Returns the rows."""
    points = [point for point in gateway.points() if kind in (None, point.format.kind) and re.fullmatch(only or ".*", point.wire)]
    out.write("point,value,time\n")
    rows = 0
    for time_ms in range(from_ms, to_ms, step_ms):
        out.write("".join(f"{point.wire},{point.value(time_ms)},{time_ms}\n" for point in points))
        rows += len(points)
    return rows
