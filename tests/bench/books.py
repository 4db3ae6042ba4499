"""The ledger's books: readings folded, with their evidence and what follows written to a database of their own; and the
journal of a park taken into them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from statistics import median

from figures import Figure
from harness.parkmon import release_folder


def run(folder: Path, program: str, *numbers: int) -> dict:
    folder.mkdir()
    done = subprocess.run([release_folder() / "tests/bench" / program, folder, *map(str, numbers)],
                          capture_output=True, text=True, timeout=900)
    shutil.rmtree(folder)
    if done.returncode != 0:
        raise AssertionError(done.stderr.strip() or f"{program} ended with {done.returncode}")
    return json.loads(done.stdout)


def per_million(result: dict) -> float:
    return result["seconds"] / result["readings"] * 1e6


def measure_keeper(stage, size) -> Figure:
    readings = max(size.readings, 500_000)
    runs = [run(Path(stage.folder) / f"keeper-{i}", "bench_keeper", readings, 10) for i in range(size.rounds)]
    single = run(Path(stage.folder) / "keeper-single", "bench_keeper", readings, 1)
    seconds = [per_million(result) for result in runs]
    count = runs[0]["readings"]
    return Figure("books", "journal into books, own CPU per million readings", "s", median(seconds),
                  reference=f"{per_million(single):.2f} s where each batch comes alone",
                  note="half of them registers of 2 500 meters, two of each in a batch, ten batches of a gateway at once, each 10 s; "
                       "journalling not counted; each quarter hour is what the meters used",
                  runs=seconds, sent=count, stored=count)


def measure(stage, size) -> list[Figure]:
    readings = max(size.readings, 120_000)
    runs = [run(Path(stage.folder) / f"books-{i}", "bench_books", readings, 60_000, 60) for i in range(size.rounds)]
    single = run(Path(stage.folder) / "books-single", "bench_books", readings, 60_000, 1)
    seconds = [per_million(result) for result in runs]
    count = runs[0]["readings"]
    return [Figure("books", "ledger's books, 60 readings of a meter at once, own CPU per million readings", "s", median(seconds), bar=0.7,
                   reference=f"{per_million(single):.2f} s where each reading comes alone",
                   note=f"1 000 meters each minute; {runs[0]['bytes'] / count:.1f} bytes of database a reading; "
                        f"given to the disk {runs[0]['written'] / count:.0f} bytes a reading, {single['written'] / single['readings']:.0f} alone; "
                        "each quarter hour is what the meters used",
                   runs=seconds, sent=count, stored=count),
            measure_keeper(stage, size)]
