"""The text of README.md, read and written. As a program (`python3 -m oracle.protocol`, from tests/) it is the model behind that text."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from .decisions import NONE, Decisions, Replaced, Stated
from .ledger import Meter
from .register import Segment

OPTIONAL = ("until", "start", "end", "modulus")
NAMES = {"from": "from_ms", "until": "until_ms"}


@dataclass
class History:
    """One meter of the input, readings in order of arrival; [from_ms, until_ms) are the quarters to print."""

    segments: list[Segment] = field(default_factory=list)
    arrivals: list[tuple[int, int]] = field(default_factory=list)
    max_gap_ms: int = 20 * 60_000
    from_ms: int = 0
    until_ms: int = 0
    decisions: Decisions = NONE


def written(history: History) -> str:
    def number(value: int | None) -> str:
        return "-" if value is None else str(value)

    lines = [f"meter max_gap={history.max_gap_ms}"]
    lines += [f"segment from={s.from_ms} until={number(s.until_ms)} start={number(s.start)} end={number(s.end)} modulus={number(s.modulus)} "
              f"resolution={s.resolution} max_rate={s.max_rate} p={s.p} q={s.q}" for s in history.segments]
    lines += [f"reading {t} {count}" for t, count in history.arrivals]
    decisions = history.decisions
    lines += [f"outlier {t}" for t in sorted(decisions.outliers)]
    lines += [f"replaced {r.t} end={r.end} start={r.start} modulus={number(r.modulus)} resolution={r.resolution} max_rate={r.max_rate} p={r.p} q={r.q}"
              for r in decisions.replaced]
    lines += [f"stated {s.from_ms} {s.until_ms} {s.energy}" for s in decisions.stated]
    lines += [f"byhand {t} {count}" for t, count in decisions.by_hand]
    lines += [f"quarters {history.from_ms} {history.until_ms}", "end"]
    return "\n".join(lines) + "\n"


def _fields(words: list[str]) -> dict[str, int | None]:
    return {NAMES.get(key, key): None if value == "-" and key in OPTIONAL else int(value)
            for key, value in (word.split("=", 1) for word in words)}


def _decided(decisions: Decisions, word: str, rest: list[str]) -> Decisions:
    if word == "outlier":
        return replace(decisions, outliers=decisions.outliers | {int(rest[0])})
    if word == "replaced":
        return replace(decisions, replaced=(*decisions.replaced, Replaced(int(rest[0]), **_fields(rest[1:]))))
    if word == "stated":
        return replace(decisions, stated=(*decisions.stated, Stated(*map(int, rest))))
    return replace(decisions, by_hand=(*decisions.by_hand, (int(rest[0]), int(rest[1]))))


def read(lines: Iterable[str]) -> Iterator[History]:
    history = History()
    for line in lines:
        word, *rest = line.split()
        if word == "meter":
            history = History(max_gap_ms=_fields(rest)["max_gap"])
        elif word == "segment":
            history.segments.append(Segment(**_fields(rest)))
        elif word == "reading":
            history.arrivals.append((int(rest[0]), int(rest[1])))
        elif word in ("outlier", "replaced", "stated", "byhand"):
            history.decisions = _decided(history.decisions, word, rest)
        elif word == "quarters":
            history.from_ms, history.until_ms = int(rest[0]), int(rest[1])
        elif word == "end":
            yield history
        else:
            raise ValueError(f"{word}: no such line; expected meter, segment, reading, a decision, quarters or end")


def _span(decision: Replaced | Stated | int) -> tuple[int, int]:
    if isinstance(decision, Stated):
        return decision.from_ms, decision.until_ms
    return (decision.t, decision.t) if isinstance(decision, Replaced) else (decision, decision)


def answer(history: History) -> str:
    meter = Meter(history.segments, history.arrivals, history.max_gap_ms, history.decisions)
    lines = [f"quarter {quarter.start_ms} {'-' if quarter.amount is None else quarter.amount} {quarter.quality}"
             for quarter in meter.quarters(history.from_ms, history.until_ms)]
    lines += [f"event {event.kind} {event.from_ms} {'-' if event.until_ms is None else event.until_ms}" for event in meter.events]
    lines += [f"idle {from_ms} {until_ms}" for from_ms, until_ms in sorted(map(_span, meter.idle))]
    return "\n".join([*lines, "end"]) + "\n"


if __name__ == "__main__":
    for asked in read(sys.stdin):
        sys.stdout.write(answer(asked))
