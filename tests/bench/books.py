"""The ledger's books: readings folded, with their evidence and what follows written to a database of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from statistics import median

from figures import Figure
from harness.parkmon import release_folder


def run(folder: Path, readings: int, group: int) -> dict:
    folder.mkdir()
    done = subprocess.run([release_folder() / "tests/bench/bench_books", folder, str(readings), "60000", str(group)],
                          capture_output=True, text=True, timeout=900)
    shutil.rmtree(folder)
    if done.returncode != 0:
        raise AssertionError(done.stderr.strip() or f"bench_books ended with {done.returncode}")
    return json.loads(done.stdout)


def measure(stage, size) -> list[Figure]:
    readings = max(size.readings, 120_000)
    runs = [run(Path(stage.folder) / f"books-{i}", readings, 60) for i in range(size.rounds)]
    single = run(Path(stage.folder) / "books-single", readings, 1)
    seconds = [result["seconds"] / result["readings"] * 1e6 for result in runs]
    count = runs[0]["readings"]
    return [Figure("books", "ledger's books, 60 readings of a meter at once, own CPU per million readings", "s", median(seconds), bar=0.7,
                   reference=f"{single['seconds'] / single['readings'] * 1e6:.2f} s where each reading comes alone",
                   note=f"1 000 meters each minute; {runs[0]['bytes'] / count:.1f} bytes of database a reading; "
                        f"given to the disk {runs[0]['written'] / count:.0f} bytes a reading, {single['written'] / single['readings']:.0f} alone; "
                        "each quarter hour is what the meters used",
                   runs=seconds, sent=count, stored=count)]
