"""The answer log: one JSON line for each value, written to the system before the answer that carries it is sent.

    {"n":17,"time":1764000000123,"port":40001,"gateway":"gw-a","unit":1,
     "point":"b1.main","kind":"register","raw":[12,7],"value":7864390}

`n` numbers the lines of a run, over all its ports; `time` is wall time in ms; `raw` are the registers (or bits) as
sent; `value` is what a correct reader makes of them: an integer in base units, a float in base units, a text. A
value read only in part has no line. Further keys: `"fault"` where a fault was being played (see sim.modbus). An
exception answer is a line without point:
    {"n":18,"time":..,"port":..,"gateway":"gw-a","unit":9,"function":3,"address":99,"count":2,"exception":2}

The log holds at least what a reader got: an answer may have been lost on its way, or have come after the reader's
time-out.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

Value = int | float | str


class AnswerLog:
    """Appends to a file; when `add` returns, the system has the lines, so no kill of any program loses them."""

    def __init__(self, path: str | Path):
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self.n = 0

    def add(self, bodies: Iterable[str]) -> None:
        """`bodies`: the JSON of each line after `time`, as made by `value_body` or `exception_body`."""
        now = time.time_ns() // 1_000_000
        lines = []
        for body in bodies:
            self.n += 1
            lines.append(f'{{"n":{self.n},"time":{now},{body}}}\n')
        data = "".join(lines).encode()
        while data:
            data = data[os.write(self.fd, data):]

    def close(self) -> None:
        os.close(self.fd)


def value_body(source: str, point: str, kind: str, raw: Iterable[int], value: Value, fault: str | None) -> str:
    """`source`: the JSON of port, gateway and unit."""
    text = json.dumps(value) if isinstance(value, str) else repr(value)
    more = f',"fault":"{fault}"' if fault else ""
    return f'{source},"point":"{point}","kind":"{kind}","raw":[{",".join(map(str, raw))}],"value":{text}{more}'


def exception_body(source: str, function: int, address: int, count: int, code: int) -> str:
    return f'{source},"function":{function},"address":{address},"count":{count},"exception":{code}'


@dataclass(frozen=True)
class Answer:
    n: int
    time_ms: int
    port: int
    gateway: str
    unit: int
    point: str
    kind: str
    raw: tuple[int, ...]
    value: Value
    fault: str | None = None


def read_lines(path: str | Path) -> Iterator[dict]:
    """Every whole line as it stands; a last line that is still being written is left out."""
    with open(path, "rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield json.loads(line)


def read(path: str | Path) -> Iterator[Answer]:
    """The answered values, in order."""
    for line in read_lines(path):
        if "point" in line:
            yield Answer(line["n"], line["time"], line["port"], line["gateway"], line["unit"], line["point"], line["kind"],
                         tuple(line["raw"]), line["value"], line.get("fault"))


def expected(path: str | Path, gateway: str | None = None) -> dict[str, list[tuple[int, Value]]]:
    """{"gw-a/b1.main": [(time_ms, value), ...]}, in order: what agents should have sent. With `gateway`, its points
    without "gw-a/".

    Answers with a wrong transaction number are left out; slow ones are in, though a reader may have given up
    before."""
    found: dict[str, list[tuple[int, Value]]] = {}
    for answer in read(path):
        if answer.fault == "lie" or gateway not in (None, answer.gateway):
            continue
        name = answer.point if gateway else f"{answer.gateway}/{answer.point}"
        found.setdefault(name, []).append((answer.time_ms, answer.value))
    return found


def changes(values: list[tuple[int, Value]]) -> list[tuple[int, Value]]:
    """Only those that differ from the one before: what a state point sends, apart from its repeats."""
    return [pair for i, pair in enumerate(values) if i == 0 or pair[1] != values[i - 1][1]]


def agree(ours: Value, theirs: Value) -> bool:
    """Whether two values are the same: integers and texts exactly, floats within rounding of a product."""
    if isinstance(ours, float) or isinstance(theirs, float):
        return not isinstance(ours, str) and not isinstance(theirs, str) \
            and abs(ours - theirs) <= 1e-12 * max(abs(ours), abs(theirs))
    return ours == theirs
