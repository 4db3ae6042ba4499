"""What a run tells: the table for people, and the same as JSON."""

from __future__ import annotations

import time
from collections import Counter
from typing import NamedTuple

from campaign.oracle import Verdict

PHASES = ("at rest", "in flight", "backlog draining", "after reconnect", "at start", "partition", "store outage",
          "broker or collector down")
TOTALS = ("committed", "delivered", "lost", "quarantined", "taken", "doubled", "redated", "uncommitted", "longest_gap_ms")


class Strike(NamedTuple):
    position: int
    kind: str
    phase: str
    gateway: str
    in_flight: int  # batches that were cut and that the collector had not on disk
    time_ms: int


class Report:
    def __init__(self, seed: int):
        self.seed = seed
        self.strikes: list[Strike] = []
        self.verdict = Verdict()
        self.failure = ""
        self.losses: list[str] = []
        self.overflows = 0
        self.failed_calls: Counter[str] = Counter()  # by kind: system calls that were made to fail
        self.ended_by_disk: Counter[str] = Counter()  # programs that ended by themselves because their disk failed
        self.began = time.monotonic()

    def add(self, strike: Strike) -> None:
        self.strikes.append(strike)

    def checkpoint(self, seconds: float) -> None:
        v = self.verdict
        print(f"checkpoint after {len(self.strikes)} faults, {time.monotonic() - self.began:.0f} s: {v.committed} committed, "
              f"{v.delivered} delivered, {len(v.wrong)} laws broken; drained and judged in {seconds:.1f} s", flush=True)

    def is_good(self) -> bool:
        return not self.failure and not self.verdict.wrong

    def by_kind(self) -> dict[str, dict]:
        found: dict[str, dict] = {}
        for strike in self.strikes:
            row = found.setdefault(strike.kind, {"faults": 0, "in_flight": 0, "phases": Counter()})
            row["faults"] += 1
            row["in_flight"] += strike.in_flight > 0
            row["phases"][strike.phase] += 1
        return dict(sorted(found.items()))

    def as_json(self) -> dict:
        return {"seed": self.seed, "seconds": round(time.monotonic() - self.began, 1), "faults": len(self.strikes),
                "kinds": {kind: {**row, "phases": dict(row["phases"])} for kind, row in self.by_kind().items()},
                **{name: getattr(self.verdict, name) for name in TOTALS}, "losses": self.losses,
                "broker_overflows": self.overflows, "failed_calls": dict(self.failed_calls), "ended_by_disk": dict(self.ended_by_disk), "wrong": self.verdict.wrong, "failure": self.failure,
                "strikes": [strike._asdict() for strike in self.strikes]}

    def text(self) -> str:
        v = self.verdict
        lines = [f"campaign: seed {self.seed}, {len(self.strikes)} faults in {time.monotonic() - self.began:.0f} s", "",
                 f"{'fault':34}{'struck':>7}{'in flight':>10}  phases"]
        for kind, row in self.by_kind().items():
            phases = ", ".join(f"{phase} {row['phases'][phase]}" for phase in PHASES if row["phases"][phase])
            lines.append(f"{kind:34}{row['faults']:7}{row['in_flight']:10}  {phases}")
        lines += ["", f"{v.committed} readings committed: {v.delivered} delivered once, {v.lost} lost by name, {v.quarantined} "
                      f"quarantined, {v.taken} gone with a spool or database that was replaced, {v.doubled} doubled, "
                      f"{v.redated} dated again by a restored spool",
                  f"{v.uncommitted} answers not committed when their agent was killed, the oldest {v.longest_gap_ms} ms before"]
        lines.append(f"{sum(self.failed_calls.values())} system calls failed, {sum(self.ended_by_disk.values())} programs ended for it; "
                     f"the broker's queue overflowed {self.overflows} times")
        if not self.is_good():
            last = self.strikes[-1].position if self.strikes else 0
            lines += ["", f"FAILED with seed {self.seed} at position {last} of the schedule", self.failure, *v.wrong, "the last strikes:"]
            lines += [f"  {strike.position} {strike.kind}, {strike.gateway}, {strike.phase}, {strike.in_flight} in flight, "
                      f"{strike.time_ms}" for strike in self.strikes[-10:]]
        return "\n".join(lines)
