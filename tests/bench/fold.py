"""The ledger alone: readings folded into quarter hours on one core."""

from __future__ import annotations

import json
import subprocess
from statistics import median

from figures import Figure
from harness.parkmon import release_folder


def measure(_stage, size) -> list[Figure]:
    done = subprocess.run([release_folder() / "tests/bench/bench_fold", str(10 * size.readings), str(size.rounds)],
                          capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise AssertionError(done.stderr.strip() or f"bench_fold ended with {done.returncode}")
    result = json.loads(done.stdout)
    rates = [result["readings"] / seconds / 1e6 for seconds in result["seconds"]]
    return [Figure("fold", "ledger: readings folded on one core", "million/s", median(rates), bar=1, is_more_better=True,
                   note=f"1 000 meters in turns, every 10 s, with rollovers and outliers; the sums are right in each of {len(rates)} rounds",
                   runs=rates, sent=result["readings"], stored=result["readings"])]
