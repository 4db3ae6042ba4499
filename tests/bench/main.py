"""Runs the rows of the bench: see tests/bench/run, which builds and starts this."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import agent
import amounts
import availability
import backlog
import books
import bundle
import cpu
import fold
import pages
import report
import store
from figures import Figure, table
from harness.stage import Stage

EXIT_USAGE = 64
ROWS = {"store": store.measure, "cpu": cpu.measure, "agent": agent.measure, "backlog": backlog.measure,
        "fold": fold.measure, "amounts": amounts.measure, "report": report.measure, "books": books.measure,
        "evidence": bundle.measure, "availability": availability.measure, "pages": pages.measure}


@dataclass(frozen=True)
class Size:
    readings: int         # of the loads through the collector
    rounds: int           # of what is measured by turns
    per_second: float     # readings, of the load beside Telegraf
    watch_s: float        # how long an agent is watched
    backlog_s: int        # span of the backlog
    backlog_rounds: int


SIZES = {
    "quick": Size(readings=50_000, rounds=1, per_second=50_000, watch_s=5, backlog_s=60, backlog_rounds=1),
    "default": Size(readings=1_000_000, rounds=5, per_second=50_000, watch_s=60, backlog_s=3600, backlog_rounds=3),
    "full": Size(readings=1_000_000, rounds=9, per_second=50_000, watch_s=120, backlog_s=86400, backlog_rounds=1),
}


def machine() -> dict:
    cpu = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
    return {"cores": os.cpu_count(), "cpu": cpu, "memory_gib": round(memory_kib / 2**20, 1), "load_1_min": os.getloadavg()[0],
            "kernel": platform.release()}


def run_row(name: str, folder: Path, size: Size) -> list[Figure]:
    """A row that cannot be measured says why; the others go on."""
    try:
        with Stage(folder / name) as stage:
            stage.folder.mkdir(parents=True)
            return ROWS[name](stage, size)
    except Exception as failure:  # whatever it is, the figure must not stand
        traceback.print_exc()
        return [Figure(name, name, "", note=(str(failure).splitlines() or [repr(failure)])[0])]


def stop(number: int, _frame) -> None:
    sys.exit(128 + number)


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        self.exit(EXIT_USAGE, f"{self.format_usage()}{self.prog}: {message}\n")


def main() -> int:
    parser = Parser(prog="tests/bench/run")
    parser.add_argument("--row", action="append", choices=ROWS)
    parser.add_argument("--quick", dest="size", action="store_const", const="quick", default="default")
    parser.add_argument("--full", dest="size", action="store_const", const="full")
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    about = {"when": datetime.now(timezone.utc).isoformat(timespec="seconds"), "size": options.size, "machine": machine()}
    folder = Path(tempfile.mkdtemp(prefix="parkmon-bench-"))
    figures: list[Figure] = []
    try:
        for name in options.row or ROWS:
            began = time.monotonic()
            print(f"bench: {name} ...", file=sys.stderr, flush=True)
            figures += run_row(name, folder, SIZES[options.size])
            print(f"bench: {name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table(figures))
    print("\n" + json.dumps(about))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({**about, "figures": [figure.as_json() for figure in figures]}, indent=2) + "\n")
    return 0 if all(figure.value is not None or figure.is_optional for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
