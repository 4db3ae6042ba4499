"""The energy report of a year of many meters, from the database to the page."""

from __future__ import annotations

import json
import subprocess

from figures import Figure
from harness.parkmon import release_folder
from harness.servers import SOURCE


def measure(stage, size) -> list[Figure]:
    meters = 20 if size.readings < 1_000_000 else 500
    done = subprocess.run([release_folder() / "tests/bench/bench_report", stage.folder, str(meters), SOURCE / "config/factors.cfg"],
                          capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise AssertionError(done.stderr.strip() or f"bench_report ended with {done.returncode}")
    result = json.loads(done.stdout)
    cpu = result["build_cpu"] + result["html_cpu"]
    return [Figure("report", f"energy report of {meters} meters, a year of quarter hours beside the one before, as HTML, own CPU", "s", cpu,
                   bar=2, aim=0.5,
                   reference="none: the row amounts reads the same quarter hours alone",
                   note=f"{result['quarters']} quarter hours, with closed months, decisions and a baseline; by the clock "
                        f"{result['build']:.2f} s to the figures, then HTML {result['html']:.2f}, JSON {result['json']:.2f}, XLSX {result['xlsx']:.2f}; the site's total is what was written",
                   runs=[cpu], sent=result["quarters"], stored=result["quarters"])]
