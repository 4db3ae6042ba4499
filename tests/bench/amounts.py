"""What reading amounts costs: every quarter hour of many meters, by month and in total."""

from __future__ import annotations

import json
import subprocess

from figures import Figure
from harness.parkmon import release_folder


def measure(stage, size) -> list[Figure]:
    meters, days = (20, 31) if size.readings < 1_000_000 else (500, 365)
    done = subprocess.run([release_folder() / "tests/bench/bench_amounts", stage.folder, str(meters), str(days)],
                          capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise AssertionError(done.stderr.strip() or f"bench_amounts ended with {done.returncode}")
    result = json.loads(done.stdout)
    return [Figure("amounts", f"amounts of {meters} meters, {days} days, own CPU", "s", result["cpu"], bar=2, aim=0.5,
                   reference=f"{result['rows_cpu']:.2f} s from the rows alone",
                   note=f"{result['quarters']} quarter hours, by month and in total; the sum is what the meters used; "
                        f"{result['bytes'] / 1e6:.0f} MB, of which the packed days {(result['bytes'] - result['rows_bytes']) / 1e6:.0f}",
                   runs=[result["cpu"]], sent=result["quarters"], stored=result["quarters"])]
